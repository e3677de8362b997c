/*
 * One program with or without an exchange, which is asked for blocks or for whole DAGs. A neighbour
 * that is not connected is dialled again a second after the last attempt has ended; the host's own
 * back-off stands above that.
 *
 * Rules that are checked: a dial and a ping end once; a peer is told up and down in turns; at the
 * end no stream, dial or ping is open, and an idle connection holds next to nothing.
 */
#include "sim/hosted.h"

#include "exchange/bitswap/bitswap.h"
#include "multiformats/multiaddr.h"
#include "p2p/host/book_file.h"
#include "p2p/host/host.h"
#include "sim/follow.h"
#include "sim/net_sim.h"

enum { IDLE_CONN_MAX_BYTES = 12 << 10, PEERS_MAX = 1 << 14 };

static const int64_t REDIAL_NS = 1000000000LL;
static const int64_t DIAL_TIMEOUT_NS = 15 * 1000000000LL;
static const int64_t PING_EVERY_NS = 10 * 1000000000LL;
static const int64_t SAVE_EVERY_NS = 5 * 1000000000LL;

static const char BOOK[] = "/repo/book";

typedef struct hosted hosted;

typedef struct neighbour {
    hosted *owner;
    cn_peer_id id;
    const sim_node *node;
    bool is_dialling;
    bool is_pinging;
    cn_id dialling; /* with is_dialling; likewise pinging */
    cn_id pinging;
    cn_time dial_at;
    cn_time ping_at;
} neighbour;

struct hosted {
    cn_protocol watch; /* no names: only hears of peers; first: cast back from it */
    cn_exchange_sink sink;
    sim_node *n;
    sim_peer *peer;
    cn_security *security;
    cn_transport *t;
    cn_book *book; /* kept on the disk */
    cn_time save_at;
    cn_host *h;
    cn_bitswap *bitswap; /* NULL: none */
    sim_follow *follow;  /* NULL: blocks are wanted one by one, in the session */
    cn_id session;
    size_t wanted; /* of the peer's wants, so many were asked for */
    cn_map up;     /* peer ids that are connected */
    neighbour neighbours[SIM_NEIGHBOURS_MAX];
    cn_time next;
    const char *broken;
};

static cn_time now_of(const hosted *s)
{
    return s->n->world->now;
}

static void note_next(hosted *s, cn_time at)
{
    s->next = at.ns < s->next.ns ? at : s->next;
}

static neighbour *neighbour_of(hosted *s, const cn_peer_id *peer)
{
    for (size_t i = 0; i < s->peer->neighbours_len; i++) {
        if (cn_peer_id_eq(&s->neighbours[i].id, peer)) {
            return &s->neighbours[i];
        }
    }
    return NULL;
}

/* --- what the host tells --- */

static cn_err opened(cn_protocol *p, cn_id stream, const cn_peer_id *peer, const char *name)
{
    CN_UNUSED(p);
    CN_UNUSED(stream);
    CN_UNUSED(peer);
    CN_UNUSED(name);
    return CN_ERR_UNSUPPORTED;
}

static cn_err data(cn_protocol *p, cn_id stream, cn_slice bytes)
{
    CN_UNUSED(p);
    CN_UNUSED(stream);
    CN_UNUSED(bytes);
    return CN_ERR_UNSUPPORTED;
}

static void ended(cn_protocol *p, cn_id stream, cn_stream_end how, const char *sentence)
{
    CN_UNUSED(p);
    CN_UNUSED(stream);
    CN_UNUSED(how);
    CN_UNUSED(sentence);
}

static void peer_up(cn_protocol *p, const cn_peer_id *peer)
{
    hosted *s = (hosted *)p;
    void *value = NULL;
    bool is_new = false;
    sim_must(cn_map_put(&s->up, cn_peer_id_bytes(peer), &value, &is_new));
    s->broken = is_new ? s->broken : "a peer that is up was told up";
    sim_say(s->n, "up: a peer is connected");
}

static void peer_down(cn_protocol *p, const cn_peer_id *peer)
{
    hosted *s = (hosted *)p;
    neighbour *to = neighbour_of(s, peer);
    bool was_up = cn_map_remove(&s->up, cn_peer_id_bytes(peer));
    s->broken = was_up ? s->broken : "a peer that is not up was told down";
    s->peer->downs++;
    sim_say(s->n, "down: the peer is gone");
    if (to != NULL) {
        note_next(s, now_of(s));
    }
}

static void identified(cn_protocol *p, const cn_peer_id *peer)
{
    hosted *s = (hosted *)p;
    cn_host_peer known = {0};
    bool good =
        cn_host_peer_of(s->h, peer, &known) && cn_host_speaks(s->h, peer, "/ipfs/ping/1.0.0") == 1;
    s->broken = good ? s->broken : "a peer was identified and nothing is known of it";
    sim_say(
        s->n, "identified: %.*s, %zu protocols, %zu addresses", (int)known.agent.len,
        (const char *)known.agent.data, known.protocols_len, known.addresses_len);
}

/* Before the next dial: as long as the other side rests, which may dial us too, or a while more. */
static void rest(neighbour *to)
{
    hosted *s = to->owner;
    uint64_t any_ns = cn_prng_below(&s->n->chance, (uint64_t)REDIAL_NS);
    int64_t more_ns = s->peer->is_in_step ? 0 : (int64_t)any_ns;
    to->dial_at = cn_time_after(now_of(s), REDIAL_NS + more_ns);
    note_next(s, to->dial_at);
}

static void dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    neighbour *to = ctx;
    CN_UNUSED(peer);
    to->owner->broken = to->is_dialling ? to->owner->broken : "a dial ended twice";
    to->is_dialling = false;
    rest(to);
    sim_say(to->owner->n, "dialled: %s", err == CN_OK ? "connected" : sentence);
}

static void pinged(void *ctx, cn_err err, int64_t rtt_ns, const char *sentence)
{
    neighbour *to = ctx;
    CN_UNUSED(sentence);
    to->owner->broken = to->is_pinging ? to->owner->broken : "a ping ended twice";
    to->is_pinging = false;
    if (err == CN_OK) {
        to->owner->peer->pings++;
        sim_say(to->owner->n, "ping answered after %lld us", (long long)(rtt_ns / 1000));
    }
}

/* --- what the exchange tells --- */

static hosted *of_sink(cn_exchange_sink *sink)
{
    return CN_CONTAINER(sink, hosted, sink);
}

static void arrived(cn_exchange_sink *sink, const cn_cid *cid, cn_slice block)
{
    hosted *s = of_sink(sink);
    bool is_here = sim_shelf_has(&s->peer->shelf, cid);
    s->broken = is_here ? s->broken : "a block was told arrived and is not in the store";
    s->peer->fetched++;
    sim_say(s->n, "block of %zu bytes arrived", block.len);
}

static void idle(cn_exchange_sink *sink, const cn_cid *cid)
{
    CN_UNUSED(sink);
    CN_UNUSED(cid);
}

static void failed(cn_exchange_sink *sink, const cn_cid *cid, cn_err err, const char *sentence)
{
    CN_UNUSED(cid);
    CN_UNUSED(err);
    CN_UNUSED(sentence);
    of_sink(sink)->broken = "a block could not be kept";
}

/* --- what it does --- */

static void dial(hosted *s, neighbour *to)
{
    cn_buf at = {0};
    cn_buf_init(&at, &s->n->mem, CN_MULTIADDR_MAX_BYTES);
    sim_peer_address(to->node, &at);
    cn_slice address = cn_buf_slice(&at);
    to->is_dialling = true;
    cn_err err = cn_host_connect(
        s->h, &to->id, &address, 1, DIAL_TIMEOUT_NS, dialled, to, &to->dialling, NULL);
    if (err != CN_OK) {
        to->is_dialling = false;
        rest(to);
    }
    cn_buf_release(&at);
}

static void ping(hosted *s, neighbour *to)
{
    to->is_pinging = true;
    if (cn_host_ping(s->h, &to->id, DIAL_TIMEOUT_NS, pinged, to, &to->pinging) != CN_OK) {
        to->is_pinging = false;
    }
    to->ping_at = cn_time_after(now_of(s), PING_EVERY_NS);
}

static void want_all(hosted *s)
{
    bool is_alone = s->bitswap == NULL || s->follow != NULL;
    cn_exchange *x = is_alone ? NULL : cn_bitswap_exchange(s->bitswap);
    for (; x != NULL && s->wanted < s->peer->wants_len; s->wanted++) {
        const cn_cid *want = &s->peer->wants[s->wanted];
        if (!sim_shelf_has(&s->peer->shelf, want)) {
            sim_must(x->ops->want(x, s->session, want, 1));
        }
    }
}

/* Wants are taken back, one or all with their session, and asked for again. */
static void want_otherwise(hosted *s, cn_exchange *x)
{
    size_t one = (size_t)cn_prng_below(&s->n->chance, s->wanted + 1);
    if (one < s->wanted) {
        x->ops->cancel(x, s->session, &s->peer->wants[one], 1);
    } else {
        x->ops->session_close(x, s->session);
        sim_must(x->ops->session_open(x, &s->sink, &s->session));
    }
    s->wanted = 0;
}

/* A change of mind: whatever was begun may be given up, and nothing of it is told any more. */
static void whim(hosted *s)
{
    neighbour *to = s->neighbours;
    if (s->peer->neighbours_len > 0) {
        to += cn_prng_below(&s->n->chance, s->peer->neighbours_len);
    }
    uint64_t which = cn_prng_below(&s->n->chance, 4);
    if (which == 0 && s->follow != NULL) {
        sim_follow_give_up(s->follow);
    } else if (which == 0 && s->bitswap != NULL) {
        want_otherwise(s, cn_bitswap_exchange(s->bitswap));
    } else if (which == 1) {
        (void)cn_host_disconnect(s->h, &to->id);
    } else if (which == 2 && to->is_dialling) {
        cn_host_connect_cancel(s->h, to->dialling);
        to->is_dialling = false;
        rest(to);
    } else if (which == 3 && to->is_pinging) {
        cn_host_ping_cancel(s->h, to->pinging);
        to->is_pinging = false;
        note_next(s, now_of(s));
    }
}

static void save_book(hosted *s)
{
    cn_err err = cn_book_file_save(s->book, &s->n->rt, &s->n->mem, BOOK, NULL);
    s->broken = err == CN_OK ? s->broken : "the address book cannot be written";
    s->save_at = cn_time_after(now_of(s), SAVE_EVERY_NS);
}

/* Whatever a crash did to the disk, the book is one that was once written. */
static cn_err load_book(hosted *s, cn_why *why)
{
    cn_err err = CN_OK;
    const cn_book_limits limits = {.seed = cn_prng_u64(&s->n->chance)};
    CN_TRY(cn_book_new(&s->n->mem, &limits, &s->book));
    CN_TRY(cn_book_file_load(s->book, &s->n->rt, &s->n->mem, BOOK, why));
out:
    return err;
}

static void drive(hosted *s)
{
    cn_time now = now_of(s);
    if (now.ns >= s->save_at.ns && !s->peer->is_quiet) {
        save_book(s);
    }
    if (s->n->world->is_faulty && sim_chance(&s->n->chance, s->n->world->plan.whim_ppm)) {
        whim(s);
    }
    want_all(s);
    if (now.ns < s->next.ns) {
        return;
    }
    s->next = s->peer->is_quiet ? CN_TIME_NEVER : s->save_at;
    for (size_t i = 0; i < s->peer->neighbours_len; i++) {
        neighbour *to = &s->neighbours[i];
        bool is_up = cn_host_is_connected(s->h, &to->id);
        if (!is_up && !to->is_dialling && now.ns >= to->dial_at.ns) {
            dial(s, to);
        }
        if (is_up && !s->peer->is_quiet && !to->is_pinging && now.ns >= to->ping_at.ns) {
            ping(s, to);
        }
        if (!is_up && !to->is_dialling) {
            note_next(s, to->dial_at);
        } else if (is_up && !s->peer->is_quiet) {
            note_next(
                s, CN_MAX(to->ping_at.ns, now.ns) > now.ns ? to->ping_at
                                                           : cn_time_after(now, REDIAL_NS));
        }
    }
}

typedef enum hosted_kind { ALONE, WANTS, FOLLOWS } hosted_kind;

static cn_err open_exchange(hosted *s, hosted_kind kind)
{
    static const cn_exchange_sink_ops sink = {arrived, idle, failed};
    cn_err err = CN_OK;
    sim_node *n = s->n;
    cn_exchange *x = NULL;
    const cn_bitswap_options b = {
        .mem = &n->mem,
        .net = sim_net_of(n),
        .host = s->h,
        .blocks = &s->peer->shelf.blocks,
        .seed = cn_prng_u64(&n->chance),
        .serve = true,
    };
    s->sink.ops = &sink;
    CN_TRY(cn_bitswap_new(&b, &s->bitswap));
    CN_TRY(cn_host_serve(s->h, cn_bitswap_protocol(s->bitswap)));
    x = cn_bitswap_exchange(s->bitswap);
    if (kind == FOLLOWS) {
        CN_TRY(sim_follow_new(n, x, &s->follow));
    } else {
        CN_TRY(x->ops->session_open(x, &s->sink, &s->session));
    }
out:
    return err;
}

static cn_err open_host(hosted *s, hosted_kind kind, cn_why *why)
{
    static const cn_protocol_ops watch = {
        .opened = opened,
        .data = data,
        .ended = ended,
        .peer_up = peer_up,
        .peer_down = peer_down,
        .identified = identified,
    };
    cn_err err = CN_OK;
    sim_node *n = s->n;
    const cn_host_options o = {
        .mem = &n->mem,
        .book = s->book,
        .net = sim_net_of(n),
        .key = s->peer->key,
        .agent = "cairn-sim",
        .seed = cn_prng_u64(&n->chance),
    };
    CN_TRY(sim_peer_transport(n, &s->security, &s->t, why));
    CN_TRY(cn_host_new(&o, &s->h, why));
    CN_TRY(cn_host_add_transport(s->h, s->t));
    s->watch.ops = &watch;
    CN_TRY(cn_host_serve(s->h, &s->watch));
    if (kind != ALONE) {
        CN_TRY(open_exchange(s, kind));
    }
out:
    return err;
}

static cn_err start_with(sim_node *n, hosted_kind kind, void **ret_self, cn_why *why)
{
    cn_buf at = {0};
    hosted *s = cn_alloc(&n->mem, sizeof(*s));
    CN_ASSERT(s != NULL);
    s->n = n;
    s->peer = n->setup;
    cn_map_init(&s->up, &n->mem, 0, PEERS_MAX, 0);
    for (size_t i = 0; i < s->peer->neighbours_len; i++) {
        const sim_node *there = n->world->nodes[s->peer->neighbours[i]];
        s->neighbours[i] =
            (neighbour){.owner = s, .node = there, .id = ((const sim_peer *)there->setup)->id};
    }
    *ret_self = s;
    cn_err err = load_book(s, why);
    err = err == CN_OK ? open_host(s, kind, why) : err;
    if (err == CN_OK) {
        cn_buf_init(&at, &n->mem, CN_MULTIADDR_MAX_BYTES);
        sim_peer_address(n, &at);
        err = cn_host_listen(s->h, cn_buf_slice(&at), why);
        cn_buf_release(&at);
    }
    return err;
}

static cn_err start_host(sim_node *n, void **ret_self, cn_why *why)
{
    return start_with(n, ALONE, ret_self, why);
}

static cn_err start_bitswap(sim_node *n, void **ret_self, cn_why *why)
{
    return start_with(n, WANTS, ret_self, why);
}

static cn_err start_follow(sim_node *n, void **ret_self, cn_why *why)
{
    return start_with(n, FOLLOWS, ret_self, why);
}

static void take(void *self, const cn_net_event *event)
{
    cn_host_take(((hosted *)self)->h, event);
}

static cn_time deadline(const void *self)
{
    const hosted *s = self;
    cn_time at = cn_host_deadline(s->h);
    cn_time walk = s->follow == NULL ? CN_TIME_NEVER : sim_follow_deadline(s->follow);
    at = walk.ns < at.ns ? walk : at;
    return at.ns < s->next.ns ? at : s->next;
}

static void turn(void *self, cn_time now)
{
    hosted *s = self;
    cn_host_tick(s->h, now);
    drive(s);
    if (s->follow != NULL) {
        sim_follow_turn(s->follow, now);
    }
    cn_host_turn(s->h, now);
}

static void stop(void *self)
{
    hosted *s = self;
    sim_node *n = s->n;
    cn_bitswap_stats stats = {0};
    if (s->bitswap != NULL) {
        cn_bitswap_stat(s->bitswap, &stats);
        s->peer->wrong += stats.client.wrong;
    }
    sim_follow_free(s->follow);
    cn_host_free(s->h);
    cn_book_free(s->book);
    cn_bitswap_free(s->bitswap);
    if (s->t != NULL) {
        s->t->ops->free(s->t);
    }
    if (s->security != NULL) {
        s->security->free(s->security);
    }
    cn_map_release(&s->up);
    cn_free(&n->mem, s);
}

static const char *check(const void *self)
{
    const hosted *s = self;
    const char *walk = s->follow == NULL ? NULL : sim_follow_check(s->follow);
    return s->broken == NULL ? walk : s->broken;
}

static const char *check_quiet(const void *self)
{
    const hosted *s = self;
    cn_host_resources held = {0};
    cn_host_conn conn = {0};
    size_t position = 0;
    cn_host_resources_of(s->h, &held);
    while (cn_host_conns(s->h, &position, &conn)) {
        /* Bitswap keeps a stream open each way to say what changes. */
        if (s->bitswap == NULL && conn.streams_len > 0) {
            return "a stream is open that nobody uses";
        }
        if (s->bitswap == NULL && conn.info.held_bytes > IDLE_CONN_MAX_BYTES) {
            return "an idle connection holds more than 12 KiB";
        }
    }
    for (size_t i = 0; i < s->peer->neighbours_len; i++) {
        if (s->neighbours[i].is_pinging || s->neighbours[i].is_dialling) {
            return "a ping or a dial has not ended";
        }
    }
    return held.conns_pending > 0 || held.dialling > 0 ? "a dial or a caller is pending" : NULL;
}

static size_t missing(const void *self)
{
    const hosted *s = self;
    size_t sum = s->bitswap == NULL ? 0 : sim_peer_missing(s->peer);
    sum += s->follow == NULL ? 0 : sim_follow_missing(s->follow);
    for (size_t i = 0; i < s->peer->neighbours_len; i++) {
        const cn_peer_id *id = &s->neighbours[i].id;
        const sim_peer *there = s->neighbours[i].node->setup; /* liars are shown the door */
        /* Nobody speaks it: 0 where that was told on a connection of now, else not known. */
        bool is_known = cn_host_is_connected(s->h, id) && cn_host_speaks(s->h, id, "/nobody") == 0;
        sum += is_known || there->shelf.is_lying ? 0 : 1;
    }
    return sum;
}

#define SIM_HOSTED(name_, start_)                                                                  \
    {                                                                                              \
        .name = (name_), .start = (start_), .take = take, .deadline = deadline, .turn = turn,      \
        .stop = stop, .check = check, .check_quiet = check_quiet, .missing = missing,              \
    }

const sim_program sim_host = SIM_HOSTED("host", start_host);
const sim_program sim_bitswap = SIM_HOSTED("bitswap", start_bitswap);
const sim_program sim_fetch = SIM_HOSTED("fetch", start_follow);
