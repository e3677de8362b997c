/*
 * What comes: bytes of streams become messages, messages are taken apart. A message is collected in
 * memory of its own, which then goes to the workers with the blocks in it; one that lies whole in
 * what came and has no blocks is read where it is. Bytes are given back to the sender at once,
 * unless the way to the store is full.
 */
#include "exchange/bitswap/bitswap_internal.h"

enum {
    INBOX_FIRST_BYTES = 64 << 10,
    VAIN_WORK = 3, /* of a want for what is not here */
};

/* Read more of the length prefix. Errors: MALFORMED, TOO_LARGE. */
static cn_err take_length(cn_bs_stream *s, cn_slice *in)
{
    while (in->len > 0 && s->need == 0) {
        uint8_t byte = in->data[0];
        *in = cn_slice_skip(*in, 1);
        s->prefix |= (uint64_t)(byte & 0x7f) << s->prefix_bits;
        s->prefix_bits += 7;
        if (s->prefix > CN_MESSAGE_MAX_BYTES || s->prefix_bits > 7 * CN_MESSAGE_PREFIX_MAX_BYTES) {
            return CN_ERR_TOO_LARGE;
        }
        if (byte < 0x80) {
            s->need = (size_t)s->prefix;
            s->prefix = 0;
            s->prefix_bits = 0;
            if (s->need == 0) {
                return CN_OK; /* an empty message says nothing */
            }
        }
    }
    return CN_OK;
}

static void take_presences(cn_bitswap *b, cn_bs_peer *p, const cn_message *m)
{
    cn_message_iter it = cn_message_items(m);
    cn_message_item item;
    cn_time now = cn_host_now(b->options.host);
    while (cn_message_next(&it, &item)) {
        if (item.kind == CN_MESSAGE_PRESENCE) {
            cn_client_presence(b->client, p->client, &item.cid, item.is_have, now);
        }
    }
}

/* A whole message. `own` (nullable) is the buffer that holds it; its memory may be taken. */
static cn_err take_message(cn_bitswap *b, cn_bs_stream *s, const cn_message *m, cn_buf *own)
{
    cn_bs_peer *p = s->peer;
    size_t work = m->presences / 2;
    b->messages++;
    b->is_due = true;
    if (m->presences > 0) {
        take_presences(b, p, m);
    }
    if (b->options.serve && (m->wants > 0 || m->is_full)) {
        work += VAIN_WORK * cn_engine_take(b->engine, p->engine, m);
    }
    cn_host_charge(b->options.host, s->id, work);
    return m->blocks > 0 ? cn_arrival_give(b->arrival, p->id, own, m, cn_host_now(b->options.host))
                         : CN_OK;
}

/* Unfinished messages hold too much: of the peer that holds most the longest begins again. */
static bool holds_more(const cn_bs_stream *a, const cn_bs_stream *b)
{
    size_t of_a = a->peer->inbox_bytes;
    size_t of_b = b->peer->inbox_bytes;
    return a->peer == b->peer ? a->inbox.cap > b->inbox.cap : of_a > of_b;
}

static void relieve(cn_bitswap *b, const cn_bs_stream *but)
{
    cn_bs_stream *most = NULL;
    size_t at = 0;
    cn_slice key = {0};
    void *value = NULL;
    while (cn_map_next(&b->streams, &at, &key, &value)) {
        cn_bs_stream *s = *(cn_bs_stream **)value;
        most = s != but && s->inbox.cap > 0 && (most == NULL || holds_more(s, most)) ? s : most;
    }
    if (most != NULL) {
        cn_host_reset_stream(b->options.host, most->id, 0);
        cn_bs_stream_drop(b, most);
    }
}

/* Room for what comes: little at first, so that a length that is only said costs nothing. */
static cn_err make_room(cn_bitswap *b, cn_bs_stream *s, size_t more)
{
    size_t before = s->inbox.cap;
    size_t want = CN_MIN(s->need, CN_MAX((size_t)INBOX_FIRST_BYTES, 4 * s->inbox.len));
    if (b->inbox_bytes < b->inbox_max_bytes / 4) {
        want = s->need; /* in one piece while there is plenty */
    }
    want = CN_MAX(want, s->inbox.len + more);
    cn_err err = cn_buf_reserve(&s->inbox, want - s->inbox.len);
    b->inbox_bytes += s->inbox.cap - before;
    s->peer->inbox_bytes += s->inbox.cap - before;
    if (b->inbox_bytes > b->inbox_max_bytes) {
        relieve(b, s);
    }
    return err;
}

static cn_err finish(cn_bitswap *b, cn_bs_stream *s)
{
    cn_message m = {0};
    cn_err err = CN_OK;
    size_t cap = s->inbox.cap;
    CN_TRY(cn_message_decode(cn_buf_slice(&s->inbox), &m, NULL));
    CN_TRY(take_message(b, s, &m, &s->inbox));
    if (s->inbox.cap == cap && cap > INBOX_FIRST_BYTES) {
        cn_buf_release(&s->inbox); /* not taken: it had no blocks */
    }
    cn_buf_reset(&s->inbox);
    s->need = 0;
out:
    b->inbox_bytes -= cap - s->inbox.cap;
    s->peer->inbox_bytes -= cap - s->inbox.cap;
    return err;
}

/* A message that is whole in `in`, if it needs no memory of its own. */
static cn_err take_in_place(cn_bitswap *b, cn_bs_stream *s, cn_slice *in, bool *ret_taken)
{
    cn_message m = {0};
    cn_err err = CN_OK;
    *ret_taken = false;
    if (s->inbox.len > 0 || in->len < s->need) {
        return CN_OK;
    }
    CN_TRY(cn_message_decode(cn_slice_head(*in, s->need), &m, NULL));
    if (m.blocks == 0) {
        CN_TRY(take_message(b, s, &m, NULL));
        *in = cn_slice_skip(*in, s->need);
        s->need = 0;
        *ret_taken = true;
    }
out:
    return err;
}

static cn_err take_bytes(cn_bitswap *b, cn_bs_stream *s, cn_slice in)
{
    cn_err err = CN_OK;
    bool taken = false;
    while (in.len > 0) {
        if (s->need == 0) {
            CN_TRY(take_length(s, &in));
            continue;
        }
        CN_TRY(take_in_place(b, s, &in, &taken));
        if (taken) {
            continue;
        }
        size_t n = CN_MIN(in.len, s->need - s->inbox.len);
        CN_TRY(make_room(b, s, n));
        CN_TRY(cn_buf_append(&s->inbox, cn_slice_head(in, n)));
        in = cn_slice_skip(in, n);
        if (s->inbox.len == s->need) {
            CN_TRY(finish(b, s));
        }
    }
out:
    return err;
}

cn_err cn_bs_take(cn_bitswap *b, cn_bs_stream *s, cn_slice bytes)
{
    cn_host *h = b->options.host;
    cn_client_peer_alive(s->peer->client, cn_host_now(h));
    s->came = cn_host_now(h);
    cn_err err = take_bytes(b, s, bytes);
    if (err != CN_OK) {
        return err;
    }
    if (!cn_arrival_is_full(b->arrival)) {
        cn_host_consumed(h, s->id, bytes.len);
        return CN_OK;
    }
    s->owed_bytes += bytes.len;
    cn_ring_push(&b->owed, &s->owed);
    return CN_OK;
}

void cn_bs_pay(cn_bitswap *b)
{
    while (!cn_ring_is_empty(&b->owed) && !cn_arrival_is_full(b->arrival)) {
        cn_bs_stream *s = CN_CONTAINER(b->owed.next, cn_bs_stream, owed);
        cn_ring_remove(&s->owed);
        cn_host_consumed(b->options.host, s->id, s->owed_bytes);
        s->owed_bytes = 0;
    }
}
