/*
 * A host's life and its turn. A turn goes over transports, what ended, dials and protocols until
 * nothing more comes of it, then sends; when much comes it stops in between, so that the loop looks
 * at its sockets again.
 */
#include "p2p/host/host_internal.h"

enum {
    CONNS_MAX = 1024,
    CONNS_PER_PEER_MAX = 8,
    STREAMS_MAX = 16384,
    STREAMS_PER_PEER_MAX = 1024,
    DIALS_MAX = 160,
    GRACE_S = 20,
    SILENCE_S = 10,
};

static size_t or_else(size_t given, size_t otherwise)
{
    return given == 0 ? otherwise : given;
}

static void set_options(cn_host *h, const cn_host_options *options)
{
    cn_host_options *o = &h->options;
    *o = *options;
    o->conns_max = or_else(o->conns_max, CONNS_MAX);
    o->conns_per_peer_max = or_else(o->conns_per_peer_max, CONNS_PER_PEER_MAX);
    o->streams_max = or_else(o->streams_max, STREAMS_MAX);
    o->streams_per_peer_max = or_else(o->streams_per_peer_max, STREAMS_PER_PEER_MAX);
    o->dials_max = or_else(o->dials_max, DIALS_MAX);
    o->grace_ns = o->grace_ns == 0 ? GRACE_S * CN_NS_PER_S : o->grace_ns;
    o->silence_ns = o->silence_ns == 0 ? SILENCE_S * CN_NS_PER_S : o->silence_ns;
    o->gate.total_max = o->conns_max;
    o->gate.seed = cn_prng_u64(&h->prng);
}

static void init_tables(cn_host *h)
{
    const cn_host_options *o = &h->options;
    cn_mem *mem = h->mem;
    cn_slots_init(&h->conns, mem, o->conns_max + 1024); /* gone ones wait to be told */
    cn_map_init(
        &h->conns_by_raw, mem, sizeof(host_conn *), o->conns_max + 1024, cn_prng_u64(&h->prng));
    cn_slots_init(&h->streams, mem, o->streams_max);
    cn_map_init(
        &h->streams_by_no, mem, sizeof(host_stream *), o->streams_max, cn_prng_u64(&h->prng));
    cn_map_init(&h->peers, mem, sizeof(host_peer *), HOST_PEERS_MAX, cn_prng_u64(&h->prng));
    cn_slots_init(&h->waiters, mem, HOST_WAITERS_MAX);
    cn_gate_init(&h->gate, mem, &o->gate);
    cn_observed_init(&h->observed, mem);
    cn_backoff_init(&h->backoff, mem, 0, cn_prng_u64(&h->prng));
    cn_tags_init(&h->tags, mem, 0, cn_prng_u64(&h->prng));
    cn_buf_init(&h->public_key, mem, 4096);
    cn_buf_init(&h->own, mem, 1 << 20);
}

cn_err cn_host_new(const cn_host_options *options, cn_host **ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_host *h = cn_alloc(options->mem, sizeof(*h));
    if (h == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    h->mem = options->mem;
    h->now = cn_rt_now(options->net->rt);
    h->dial_deadline = CN_TIME_NEVER;
    h->trim_at = CN_TIME_NEVER;
    h->trimmed = (cn_time){INT64_MIN / 2};
    h->relieved = (cn_time){INT64_MIN / 2};
    h->meter.stepped = h->now;
    cn_prng_init(&h->prng, options->seed);
    set_options(h, options);
    init_tables(h);
    cn_host_own_init(h);
    h->book = options->book;
    if (h->book == NULL) {
        cn_book_limits limits = {.seed = cn_prng_u64(&h->prng)};
        CN_TRY(cn_book_new(h->mem, &limits, &h->book));
        h->is_book_own = true;
    }
    CN_TRY(cn_peer_id_of_key(options->key, &h->self));
    CN_TRY(cn_key_encode_public(options->key, &h->public_key));
    for (size_t i = 0; i < options->filters_len; i++) {
        CN_TRY(cn_host_filter_add(h, &options->filters[i]));
    }
    CN_TRY(cn_host_identify_new(h));
    CN_TRY(cn_host_ping_new(h));
    *ret = h;
    h = NULL;
out:
    CN_UNUSED(why);
    cn_host_free(h);
    return err;
}

static void close_all(cn_host *h)
{
    size_t position = 0;
    cn_id id = CN_ID_NONE;
    host_conn *c = NULL;
    while ((c = cn_slots_next(&h->conns, &position, &id)) != NULL) {
        cn_host_conn_close(h, c, CN_ERR_CLOSED, NULL);
    }
    (void)cn_host_conns_bury(h);
}

void cn_host_free(cn_host *h)
{
    if (h == NULL) {
        return;
    }
    h->options.note = NULL;
    h->is_ending = true;
    cn_host_dials_free(h);
    cn_host_waiters_free(h);
    close_all(h);
    cn_host_peering_free(h);
    cn_host_identify_free(h);
    cn_host_ping_free(h);
    cn_host_own_release(h);
    cn_host_addresses_free(h);
    if (h->is_book_own) {
        cn_book_free(h->book);
    }
    cn_slots_release(&h->conns);
    cn_map_release(&h->conns_by_raw);
    cn_slots_release(&h->streams);
    cn_map_release(&h->streams_by_no);
    cn_map_release(&h->peers);
    cn_slots_release(&h->waiters);
    cn_gate_release(&h->gate);
    cn_observed_release(&h->observed);
    cn_backoff_release(&h->backoff);
    cn_tags_release(&h->tags);
    cn_announce_release(&h->announce);
    cn_buf_release(&h->public_key);
    cn_free(h->mem, h->filters);
    cn_free(h->mem, h);
}

cn_err cn_host_add_transport(cn_host *h, cn_transport *t)
{
    if (h->transports_len == HOST_TRANSPORTS_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    h->transports[h->transports_len++] = t;
    return CN_OK;
}

cn_err cn_host_serve(cn_host *h, cn_protocol *p)
{
    if (h->protocols_len == HOST_PROTOCOLS_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    p->self = (cn_id){(uint32_t)h->protocols_len, 1};
    h->protocols[h->protocols_len++].p = p;
    cn_host_identify_changed(h);
    return CN_OK;
}

void cn_host_note_it(
    cn_host *h,
    cn_host_note_kind kind,
    const cn_peer_id *peer,
    cn_slice address,
    const char *sentence)
{
    if (h->options.note != NULL) {
        cn_host_note note = {.kind = kind, .peer = peer, .address = address, .sentence = sentence};
        h->options.note(h->options.note_ctx, &note);
    }
}

const cn_peer_id *cn_host_self(const cn_host *h)
{
    return &h->self;
}

cn_time cn_host_now(const cn_host *h)
{
    return h->now;
}

cn_book *cn_host_book(const cn_host *h)
{
    return h->book;
}

/* --- the loop's side --- */

static void wake_protocols(cn_host *h)
{
    for (size_t i = 0; i < h->protocols_len; i++) {
        cn_protocol *p = h->protocols[i].p;
        if (p->ops->woken != NULL) {
            p->ops->woken(p);
        }
    }
}

void cn_host_take(cn_host *h, const cn_net_event *event)
{
    h->now = cn_rt_now(h->options.net->rt);
    if (event->kind == CN_NET_WOKEN) {
        wake_protocols(h);
        return;
    }
    if (event->kind == CN_NET_RESOLVED && cn_host_names_take(h, event)) {
        return;
    }
    for (size_t i = 0; i < h->transports_len; i++) {
        if (h->transports[i]->ops->take(h->transports[i], event, h->now)) {
            return;
        }
    }
}

cn_time cn_host_deadline(const cn_host *h)
{
    if (h->is_again || h->gone_first != NULL || h->due_first != NULL || h->is_trim_due) {
        return (cn_time){0};
    }
    cn_time at = cn_host_sooner(h->dial_deadline, cn_host_peering_deadline(h));
    at = cn_host_sooner(at, cn_book_deadline(h->book));
    at = cn_host_sooner(at, h->trim_at);
    if (h->negotiating_first != NULL) {
        at = cn_host_sooner(at, h->negotiating_first->deadline);
    }
    for (size_t i = 0; i < h->transports_len; i++) {
        at = cn_host_sooner(at, h->transports[i]->ops->deadline(h->transports[i]));
    }
    for (size_t i = 0; i < h->protocols_len; i++) {
        const cn_protocol *p = h->protocols[i].p;
        if (p->ops->deadline != NULL) {
            at = cn_host_sooner(at, p->ops->deadline(p));
        }
    }
    return at.ns < 0 ? (cn_time){0} : at; /* "at once" is said in more than one way */
}

void cn_host_tick(cn_host *h, cn_time now)
{
    h->now = now;
    for (size_t i = 0; i < h->transports_len; i++) {
        h->transports[i]->ops->tick(h->transports[i], now);
    }
    cn_host_streams_tick(h, now);
    for (size_t i = 0; i < h->protocols_len; i++) {
        cn_protocol *p = h->protocols[i].p;
        if (p->ops->deadline != NULL && p->ops->tick != NULL && p->ops->deadline(p).ns <= now.ns) {
            p->ops->tick(p, now);
        }
    }
    cn_host_peering_tick(h, now);
    if (cn_book_deadline(h->book).ns <= now.ns) {
        cn_book_tick(h->book, now);
    }
}

static void deal_with(cn_host *h, uint32_t no, const cn_conn_event *e)
{
    if (e->kind == CN_CONN_ARRIVED) {
        cn_host_conn_arrived(h, no, e->conn);
        return;
    }
    host_conn *c = cn_host_conn_find(h, no, e->conn);
    if (c == NULL) {
        return;
    }
    if (e->kind == CN_CONN_UP) {
        cn_host_conn_up(h, c);
    } else if (e->kind == CN_CONN_DOWN) {
        cn_host_conn_lost(h, c, e->err, e->sentence);
    } else if (c->is_up) {
        cn_host_take_mux(h, c, &e->mux);
    }
}

/* One pass over everything; false: nothing came of it. Sending makes room, which next tells. */
static bool pass(cn_host *h, cn_time now)
{
    bool any = false;
    cn_conn_event e = {0};
    for (uint32_t i = 0; i < h->transports_len; i++) {
        cn_transport *t = h->transports[i];
        for (int n = 0; n < HOST_EVENTS_MAX && t->ops->next(t, now, &e); n++) {
            any = true;
            deal_with(h, i, &e);
        }
    }
    any = cn_host_conns_bury(h) || any;
    any = cn_host_dials_turn(h) || any;
    if (h->is_trim_due || h->trim_at.ns <= now.ns) {
        cn_host_trim(h);
    }
    cn_host_relieve(h);
    for (size_t i = 0; i < h->transports_len; i++) {
        h->transports[i]->ops->flush(h->transports[i], now);
    }
    return any || h->gone_first != NULL || h->due_first != NULL;
}

void cn_host_turn(cn_host *h, cn_time now)
{
    h->now = now;
    int quiet = 0;
    for (int i = 0; i < HOST_PASSES_MAX && quiet < 2; i++) {
        quiet = pass(h, now) ? 0 : quiet + 1;
    }
    h->is_again = quiet < 2;
}
