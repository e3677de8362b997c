/*
 * What goes: wantlists on one stream, blocks on another, both opened when there is something to say
 * and opened again when the other side has reset them, which some do to idle ones.
 */
#include "exchange/bitswap/bitswap_internal.h"

enum { WANTLIST_BYTES = 32 << 10 }; /* of entries in one message */

static const int64_t stuck_ns = 60 * CN_NS_PER_S;     /* theirs: within a message */
static const int64_t stuck_full_ns = 5 * CN_NS_PER_S; /* while others wait for the room */
static const int64_t check_ns = CN_NS_PER_S;

/* Our stream of `kind` to the peer, opened if it is not; NULL: cannot be now. */
static cn_bs_stream *out_stream(cn_bitswap *b, cn_bs_peer *p, cn_bs_kind kind)
{
    cn_host *h = b->options.host;
    cn_id id = CN_ID_NONE;
    cn_bs_stream *s = p->out[kind];
    if (s != NULL) {
        return s;
    }
    cn_err err = cn_host_stream(h, &b->protocol, &p->peer, cn_bs_names, CN_LEN(cn_bs_names), &id);
    if (err == CN_ERR_UNSUPPORTED) {
        cn_client_peer_usable(b->client, p->client, false);
    }
    if (err != CN_OK) {
        return NULL;
    }
    if (cn_bs_stream_add(b, p, id, kind, &s) != CN_OK) {
        cn_host_reset_stream(h, id, 0);
        return NULL;
    }
    return s;
}

static bool has_room(cn_bitswap *b, cn_bs_stream *s)
{
    s->is_full = cn_host_room(b->options.host, s->id) == 0;
    if (!s->is_full) {
        s->written = cn_host_now(b->options.host);
    }
    return !s->is_full;
}

/* Give up a stream of ours; what was on it is lost. */
static void give_up(cn_bitswap *b, cn_bs_stream *s)
{
    cn_bs_peer *p = s->peer;
    if (s->kind == CN_BS_WANTS) {
        p->tell_all = true;
        cn_client_peer_again(b->client, p->client);
    } else {
        cn_engine_peer_drop(b->engine, p->engine);
    }
    cn_host_reset_stream(b->options.host, s->id, 0);
    cn_bs_stream_drop(b, s);
}

/* One wantlist message. Errors: those of writing; then the stream is given up. */
static cn_err send_wantlist(cn_bitswap *b, cn_bs_peer *p, cn_bs_stream *s, bool *ret_more)
{
    cn_err err = CN_OK;
    cn_buf entries = {0};
    cn_buf body = {0};
    cn_buf out = {0};
    cn_mem *mem = b->options.mem;
    cn_buf_init(&entries, mem, CN_MESSAGE_MAX_BYTES / 4);
    cn_buf_init(&body, mem, CN_MESSAGE_MAX_BYTES);
    cn_buf_init(&out, mem, CN_MESSAGE_MAX_BYTES + CN_MESSAGE_PREFIX_MAX_BYTES);
    CN_TRY(cn_client_write(
        b->client, p->client, &entries, WANTLIST_BYTES, cn_host_now(b->options.host), ret_more));
    if (entries.len == 0 && !p->tell_all) {
        goto out;
    }
    CN_TRY(cn_message_put_wantlist(&body, cn_buf_slice(&entries), p->tell_all));
    CN_TRY(cn_message_put_length(&out, body.len));
    CN_TRY(cn_buf_append(&out, cn_buf_slice(&body)));
    CN_TRY(cn_host_write(b->options.host, s->id, &out));
    p->tell_all = false;
out:
    cn_buf_release(&entries);
    cn_buf_release(&body);
    cn_buf_release(&out);
    return err;
}

static void send_wants(cn_bitswap *b, cn_bs_peer *p)
{
    bool more = true;
    cn_bs_stream *s = out_stream(b, p, CN_BS_WANTS);
    while (s != NULL && more && has_room(b, s)) {
        more = false;
        if (send_wantlist(b, p, s, &more) != CN_OK) {
            give_up(b, s);
            return;
        }
    }
}

static cn_err send_message(cn_bitswap *b, cn_bs_stream *s, cn_buf *parts, size_t len)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < len; i++) {
        if (parts[i].len > 0) {
            CN_TRY(cn_host_write(b->options.host, s->id, &parts[i]));
        }
    }
out:
    return err;
}

/* Send what has been read for the peer, and have more read. */
static void send_blocks(cn_bitswap *b, cn_bs_peer *p)
{
    cn_bs_stream *s = out_stream(b, p, CN_BS_BLOCKS);
    bool more = s != NULL;
    while (more && has_room(b, s)) {
        cn_buf parts[3] = {{0}, {0}, {0}};
        cn_err err = CN_OK;
        cn_buf_init(&parts[0], b->options.mem, CN_MESSAGE_PREFIX_MAX_BYTES);
        more = cn_engine_next(b->engine, p->engine, &parts[0], &parts[1], &parts[2]);
        if (more) {
            err = send_message(b, s, parts, CN_LEN(parts));
        }
        for (size_t i = 0; i < CN_LEN(parts); i++) {
            cn_buf_release(&parts[i]);
        }
        if (err != CN_OK) {
            give_up(b, s);
            return;
        }
    }
    if (s != NULL) {
        cn_engine_read(b->engine, p->engine, !s->is_full);
    } else {
        cn_engine_peer_drop(b->engine, p->engine); /* it will ask again */
    }
}

/* Peers that lied too often. A disconnect is told of later, so none of them is touched twice. */
static void let_go(cn_bitswap *b)
{
    size_t at = 0;
    cn_id id = CN_ID_NONE;
    for (cn_bs_peer *p; b->has_liars && (p = cn_slots_next(&b->slots, &at, &id)) != NULL;) {
        if (p->is_let_go) {
            cn_peer_id peer = p->peer;
            p->is_let_go = false;
            (void)cn_host_cut_off(
                b->options.host, &peer, "bitswap: it sent blocks that nobody asked for");
        }
    }
    b->has_liars = false;
}

void cn_bs_flush(cn_bitswap *b)
{
    cn_time now = cn_host_now(b->options.host);
    cn_client_peer *cp = NULL;
    cn_engine_peer *ep = NULL;
    b->is_due = false;
    cn_arrival_turn(b->arrival, now);
    cn_bs_pay(b);
    cn_client_pump(b->client, now);
    while ((cp = cn_client_next_dirty(b->client)) != NULL) {
        send_wants(b, cn_client_owner(cp));
    }
    cn_engine_collect(b->engine);
    while ((ep = cn_engine_next_active(b->engine)) != NULL) {
        send_blocks(b, cn_engine_owner(ep));
    }
    let_go(b);
}

void cn_bs_check_stuck(cn_bitswap *b, cn_time now)
{
    cn_engine_stats stats;
    size_t at = 0;
    cn_slice key = {0};
    void *value = NULL;
    if (now.ns - b->checked.ns < check_ns) {
        return;
    }
    b->checked = now;
    cn_engine_stat(b->engine, &stats);
    int64_t limit = stats.held_bytes >= b->engine_max_bytes ? stuck_full_ns : stuck_ns;
    while (cn_map_next(&b->streams, &at, &key, &value)) {
        cn_bs_stream *s = *(cn_bs_stream **)value;
        if (s->kind == CN_BS_IN && s->inbox.len > 0 && cn_ring_is_empty(&s->owed) &&
            now.ns - s->came.ns >= stuck_ns) {
            cn_host_reset_stream(b->options.host, s->id, 0);
            cn_bs_stream_drop(b, s);
        } else if (s->kind != CN_BS_IN && s->is_full && now.ns - s->written.ns >= limit) {
            give_up(b, s);
        }
    }
}
