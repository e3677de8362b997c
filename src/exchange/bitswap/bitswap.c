/*
 * The protocol: peers come and go, streams open and end, time passes. What has to be sent is sent
 * by flush, at the tick that follows, so that what came together goes together.
 */
#include "exchange/bitswap/bitswap_internal.h"

enum { ARRIVING_BYTES = 16 << 20, USEFUL = 20 };

static const int64_t banned_ns = 600 * CN_NS_PER_S;
static const int64_t lost_ns = 5 * CN_NS_PER_S;

cn_bs_peer *cn_bs_peer_of(const cn_bitswap *b, const cn_peer_id *peer)
{
    cn_bs_peer **p = cn_map_get(&b->peers, cn_peer_id_bytes(peer));
    return p == NULL ? NULL : *p;
}

/* --- peers --- */

static void peer_free(cn_bitswap *b, cn_bs_peer *p)
{
    while (!cn_ring_is_empty(&p->streams)) {
        cn_bs_stream_drop(b, CN_CONTAINER(p->streams.next, cn_bs_stream, node));
    }
    if (p->client != NULL) {
        cn_client_peer_down(b->client, p->client);
    }
    if (p->engine != NULL) {
        cn_engine_peer_down(b->engine, p->engine);
    }
    (void)cn_slots_remove(&b->slots, p->id);
    (void)cn_map_remove(&b->peers, cn_peer_id_bytes(&p->peer));
    cn_free(b->options.mem, p);
}

static bool is_banned(cn_bitswap *b, const cn_peer_id *peer)
{
    const cn_time *until = cn_map_get(&b->banned, cn_peer_id_bytes(peer));
    if (until == NULL) {
        return false;
    }
    if (until->ns > cn_host_now(b->options.host).ns) {
        return true;
    }
    (void)cn_map_remove(&b->banned, cn_peer_id_bytes(peer));
    return false;
}

static void ban(cn_bitswap *b, cn_bs_peer *p)
{
    void *value = NULL;
    if (cn_map_put(&b->banned, cn_peer_id_bytes(&p->peer), &value, NULL) == CN_OK) {
        *(cn_time *)value = cn_time_after(cn_host_now(b->options.host), banned_ns);
    }
    cn_client_peer_usable(b->client, p->client, false);
    p->is_let_go = b->has_liars = b->is_due = true;
}

/* Ask it for nothing if it is known not to speak any of our names, or not to be trusted. */
static void judge(cn_bitswap *b, cn_bs_peer *p)
{
    bool may = false;
    for (size_t i = 0; i < CN_LEN(cn_bs_names) && !may; i++) {
        may = cn_host_speaks(b->options.host, &p->peer, cn_bs_names[i]) != 0;
    }
    cn_client_peer_old(p->client, cn_host_speaks(b->options.host, &p->peer, cn_bs_names[0]) == 0);
    cn_client_peer_usable(b->client, p->client, may && !is_banned(b, &p->peer));
    b->is_due = true;
}

static cn_bs_peer *peer_add(cn_bitswap *b, const cn_peer_id *peer)
{
    cn_err err = CN_OK;
    void *value = NULL;
    cn_bs_peer *p = cn_alloc(b->options.mem, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    p->peer = *peer;
    cn_ring_init(&p->streams);
    CN_TRY(cn_map_put(&b->peers, cn_peer_id_bytes(peer), &value, NULL));
    *(cn_bs_peer **)value = p;
    CN_TRY(cn_slots_add(&b->slots, p, &p->id));
    CN_TRY(cn_client_peer_up(b->client, peer, p, &p->client));
    CN_TRY(cn_engine_peer_up(b->engine, p, &p->engine));
out:
    if (err != CN_OK) {
        peer_free(b, p);
        return NULL;
    }
    return p;
}

static void peer_up(cn_protocol *protocol, const cn_peer_id *peer)
{
    cn_bitswap *b = (cn_bitswap *)protocol;
    cn_bs_peer *p = cn_bs_peer_of(b, peer);
    p = p == NULL ? peer_add(b, peer) : p;
    if (p != NULL) {
        judge(b, p);
    }
}

static void peer_down(cn_protocol *protocol, const cn_peer_id *peer)
{
    cn_bitswap *b = (cn_bitswap *)protocol;
    cn_bs_peer *p = cn_bs_peer_of(b, peer);
    if (p != NULL) {
        peer_free(b, p);
        b->is_due = true;
    }
}

static void identified(cn_protocol *protocol, const cn_peer_id *peer)
{
    cn_bitswap *b = (cn_bitswap *)protocol;
    cn_bs_peer *p = cn_bs_peer_of(b, peer);
    if (p != NULL) {
        judge(b, p);
    }
}

/* --- streams --- */

static cn_err opened(cn_protocol *protocol, cn_id stream, const cn_peer_id *peer, const char *name)
{
    cn_bitswap *b = (cn_bitswap *)protocol;
    cn_bs_peer *p = cn_bs_peer_of(b, peer);
    cn_bs_stream *s = cn_bs_stream_of(b, stream);
    if (p == NULL) {
        return CN_ERR_NOT_FOUND;
    }
    /* the newest name that is spoken tells what it understands */
    cn_engine_peer_bare(
        p->engine, cn_str(name).len > 0 && cn_slice_is(cn_str(name), cn_bs_names[2]));
    b->is_due = true;
    return s != NULL ? CN_OK : cn_bs_stream_add(b, p, stream, CN_BS_IN, &s);
}

static cn_err data(cn_protocol *protocol, cn_id stream, cn_slice bytes)
{
    cn_bitswap *b = (cn_bitswap *)protocol;
    cn_bs_stream *s = cn_bs_stream_of(b, stream);
    if (s == NULL) {
        return CN_ERR_CLOSED;
    }
    cn_err err = cn_bs_take(b, s, bytes);
    if (err == CN_ERR_NO_MEMORY) {
        /* the peer has sent, and will not again: what was on the stream is lost by our fault */
        cn_client_peer_again(b->client, s->peer->client);
        b->is_due = true;
    }
    if (err != CN_OK) {
        cn_bs_stream_drop(b, s);
    }
    return err;
}

static void ended(cn_protocol *protocol, cn_id stream, cn_stream_end how, const char *sentence)
{
    cn_bitswap *b = (cn_bitswap *)protocol;
    cn_bs_stream *s = cn_bs_stream_of(b, stream);
    CN_UNUSED(sentence);
    if (s == NULL || (s->kind != CN_BS_IN && how == CN_STREAM_FIN)) {
        return; /* streams are one-way: that the peer says nothing on ours is as it should be */
    }
    cn_bs_peer *p = s->peer;
    cn_time now = cn_host_now(b->options.host);
    if (how == CN_STREAM_FIN) {
        cn_host_close_stream(b->options.host, stream);
    } else if (how == CN_STREAM_REFUSED) {
        cn_client_peer_usable(b->client, p->client, false);
    } else if (s->kind == CN_BS_WANTS && now.ns - s->written.ns < lost_ns) {
        /* an idle one is given up by some peers; what was said just now may not have been read */
        p->tell_all = true;
        cn_client_peer_again(b->client, p->client);
    }
    cn_bs_stream_drop(b, s);
    b->is_due = true;
}

static void writable(cn_protocol *protocol, cn_id stream)
{
    cn_bitswap *b = (cn_bitswap *)protocol;
    cn_bs_stream *s = cn_bs_stream_of(b, stream);
    if (s == NULL || s->kind == CN_BS_IN) {
        return;
    }
    s->is_full = false;
    s->written = cn_host_now(b->options.host);
    if (s->kind == CN_BS_BLOCKS) {
        cn_engine_activate(b->engine, s->peer->engine);
    } else {
        cn_client_peer_tell(b->client, s->peer->client);
    }
    b->is_due = true;
}

/* --- time --- */

static cn_time deadline(const cn_protocol *protocol)
{
    const cn_bitswap *b = (const cn_bitswap *)protocol;
    if (b->is_due) {
        return (cn_time){0};
    }
    cn_time until = cn_client_deadline(b->client);
    cn_time arrival = cn_arrival_deadline(b->arrival);
    until = arrival.ns < until.ns ? arrival : until;
    cn_time check = b->streams.len > 0 ? cn_time_after(b->checked, CN_NS_PER_S) : CN_TIME_NEVER;
    return check.ns < until.ns ? check : until;
}

static void tick(cn_protocol *protocol, cn_time now)
{
    cn_bitswap *b = (cn_bitswap *)protocol;
    cn_client_tick(b->client, now);
    cn_bs_check_stuck(b, now);
    cn_bs_flush(b);
}

static void woken(cn_protocol *protocol)
{
    cn_bs_flush((cn_bitswap *)protocol);
}

static const cn_protocol_ops protocol_ops = {
    .opened = opened,
    .data = data,
    .ended = ended,
    .writable = writable,
    .peer_up = peer_up,
    .peer_down = peer_down,
    .identified = identified,
    .deadline = deadline,
    .tick = tick,
    .woken = woken,
};

/* --- what the way to the store asks and tells --- */

static void wake(void *ctx)
{
    cn_bitswap *b = ctx;
    cn_net_wake(b->options.net);
}

static bool match(void *ctx, cn_id peer, const cn_cid *cid, size_t bytes)
{
    static const cn_cid no_cid = {0};
    cn_bitswap *b = ctx;
    cn_bs_peer *p = cn_slots_get(&b->slots, peer);
    size_t held = 0;
    bool is_held = cid != NULL && p != NULL && !cn_client_expects(b->client, p->client, cid) &&
                   cn_blocks_size(b->options.blocks, cid, &held) == CN_OK;
    cn_client_match m = cn_client_block(
        b->client, p == NULL ? NULL : p->client, cid == NULL ? &no_cid : cid, bytes, is_held,
        cn_host_now(b->options.host));
    if (m == CN_CLIENT_LET_GO) {
        ban(b, p);
    }
    if (m == CN_CLIENT_WANTED && p != NULL && !p->is_tagged) {
        p->is_tagged = cn_host_tag(b->options.host, &p->peer, "bitswap", USEFUL) == CN_OK;
    }
    return m == CN_CLIENT_WANTED;
}

static void stored(void *ctx, const cn_cid *cid, cn_slice block)
{
    cn_bitswap *b = ctx;
    cn_engine_have(b->engine, cid, 1);
    cn_client_arrived(b->client, cid, block);
}

static void failed(void *ctx, const cn_cid *cid, cn_err err, const char *sentence)
{
    cn_bitswap *b = ctx;
    cn_client_failed(b->client, cid, err, sentence);
}

/* --- the whole --- */

/* At most `bytes`, and an eighth of the memory where that has a limit. */
static size_t share_of(const cn_mem *mem, size_t bytes)
{
    return mem->limit_bytes == 0 ? bytes : CN_MIN(bytes, mem->limit_bytes / CN_BS_SHARE);
}

static void init(cn_bitswap *b, const cn_bitswap_options *options)
{
    cn_mem *mem = options->mem;
    b->options = *options;
    b->protocol = (cn_protocol){
        .ops = &protocol_ops,
        .names = cn_bs_names,
        .names_len = CN_LEN(cn_bs_names),
        .streams_in_per_peer_max = CN_BS_STREAMS_PER_PEER_MAX,
        .streams_in_max = CN_BS_STREAMS_MAX / 2,
    };
    b->inbox_max_bytes = share_of(mem, CN_BS_INBOX_MAX_BYTES);
    b->engine_max_bytes = share_of(mem, CN_ENGINE_MAX_BYTES);
    b->exchange = (cn_exchange){&cn_bs_exchange_ops, "bitswap"};
    cn_map_init(&b->peers, mem, sizeof(cn_bs_peer *), CN_BS_PEERS_MAX, options->seed);
    cn_map_init(&b->streams, mem, sizeof(cn_bs_stream *), CN_BS_STREAMS_MAX, options->seed);
    cn_map_init(&b->banned, mem, sizeof(cn_time), CN_BS_BANNED_MAX, options->seed);
    cn_slots_init(&b->slots, mem, CN_BS_PEERS_MAX);
    cn_ring_init(&b->owed);
    cn_ring_init(&b->dials);
}

cn_err cn_bitswap_new(const cn_bitswap_options *options, cn_bitswap **ret)
{
    cn_err err = CN_OK;
    cn_mem *mem = options->mem;
    cn_bitswap *b = cn_alloc(mem, sizeof *b);
    if (b == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    init(b, options);
    cn_engine_options engine = {
        .mem = mem,
        .rt = options->net->rt,
        .blocks = options->blocks,
        .wake = wake,
        .ctx = b,
        .seed = options->seed,
        .max_bytes = b->engine_max_bytes,
        .wants_max = share_of(mem, (size_t)CN_ENGINE_WANTS_TOTAL * CN_ENGINE_WANT_BYTES) /
                     CN_ENGINE_WANT_BYTES,
    };
    cn_arrival_options arrival = {
        .mem = mem,
        .rt = options->net->rt,
        .blocks = options->blocks,
        .max_bytes =
            options->arriving_bytes == 0 ? share_of(mem, ARRIVING_BYTES) : options->arriving_bytes,
        .ctx = b,
        .wake = wake,
        .match = match,
        .stored = stored,
        .failed = failed,
    };
    CN_TRY(cn_client_new(mem, options->seed, &b->client));
    CN_TRY(cn_engine_new(&engine, &b->engine));
    CN_TRY(cn_arrival_new(&arrival, &b->arrival));
    *ret = b;
    b = NULL;
out:
    cn_bitswap_free(b);
    return err;
}

void cn_bitswap_free(cn_bitswap *b)
{
    size_t at = 0;
    cn_id id = CN_ID_NONE;
    if (b == NULL) {
        return;
    }
    for (cn_bs_peer *p; (p = cn_slots_next(&b->slots, &at, &id)) != NULL;) {
        peer_free(b, p);
    }
    cn_bs_dials_free(b);
    cn_arrival_free(b->arrival);
    cn_engine_free(b->engine);
    cn_client_free(b->client);
    cn_map_release(&b->peers);
    cn_map_release(&b->streams);
    cn_map_release(&b->banned);
    cn_slots_release(&b->slots);
    cn_free(b->options.mem, b);
}

cn_protocol *cn_bitswap_protocol(cn_bitswap *b)
{
    return &b->protocol;
}

cn_exchange *cn_bitswap_exchange(cn_bitswap *b)
{
    return &b->exchange;
}
