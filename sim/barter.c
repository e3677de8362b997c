/*
 * A request is a stream: the CID, then our end; the answer is one byte (1: the block follows, 0:
 * no), then their end. A ping is a stream too, of one round.
 *
 * Rules that are checked: a connection that is up is told once, and its id is not told again before
 * it is down; a stream number is opened once and says nothing after its end; an echo is what was
 * sent; no block is kept that does not match its hash (the shelf sees to that).
 */
#include "sim/barter.h"

#include "multiformats/multiaddr.h"
#include "p2p/stack/multistream.h"
#include "sim/net_sim.h"

enum {
    CONNS_MAX = 128,
    STREAMS_MAX = 1024,
    ASKING_MAX = 4, /* requests on one connection */
    ANSWER_MAX_BYTES = CN_BLOCK_MAX_BYTES + 1,
    PING_BYTES = 32,
};

static const char PING[] = "/ipfs/ping/1.0.0";
static const char BLOCK[] = "/cairn/sim/block/1.0.0";

static const int64_t ASK_TIMEOUT_NS = 60 * 1000000000LL; /* without a byte */
static const int64_t REST_NS = 500 * 1000000LL;          /* after a round of noes; between dials */
static const int64_t PING_EVERY_NS = 10 * 1000000000LL;

typedef struct trade {
    cn_id conn;
    cn_stream_no no; /* 0: free */
    cn_multistream names;
    bool is_ours;
    bool is_ping;
    cn_cid want;
    cn_buf in;
    uint8_t sent[PING_BYTES];
    cn_time limit;
} trade;

typedef struct link {
    cn_id id; /* NONE: free */
    bool is_up;
    size_t next_want;
    size_t asking;
    cn_time rests_until;
    cn_time ping_at;
    cn_stream_no last_in;
} link;

typedef struct neighbour {
    cn_id conn; /* dialling, or up */
    cn_time dial_at;
} neighbour;

typedef struct barter {
    sim_node *n;
    sim_peer *peer;
    cn_security *security;
    cn_transport *t;
    link links[CONNS_MAX];
    trade trades[STREAMS_MAX];
    size_t trades_len;
    neighbour neighbours[SIM_NEIGHBOURS_MAX];
    cn_time next; /* when drive has something to do */
    const char *broken;
} barter;

static cn_time now_of(const barter *b)
{
    return b->n->world->now;
}

static void note_next(barter *b, cn_time at)
{
    b->next = at.ns < b->next.ns ? at : b->next;
}

static link *link_of(barter *b, cn_id conn)
{
    for (size_t i = 0; i < CONNS_MAX; i++) {
        if (cn_id_eq(b->links[i].id, conn) && !cn_id_is_none(conn)) {
            return &b->links[i];
        }
    }
    return NULL;
}

static trade *trade_of(barter *b, cn_id conn, cn_stream_no no)
{
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (b->trades[i].no == no && cn_id_eq(b->trades[i].conn, conn)) {
            return &b->trades[i];
        }
    }
    return NULL;
}

static trade *trade_add(barter *b, cn_id conn, cn_stream_no no)
{
    trade *t = trade_of(b, CN_ID_NONE, 0);
    if (t != NULL) {
        *t = (trade){.conn = conn, .no = no, .limit = cn_time_after(now_of(b), ASK_TIMEOUT_NS)};
        cn_buf_init(&t->in, &b->n->mem, ANSWER_MAX_BYTES);
        note_next(b, t->limit);
        b->trades_len++;
    }
    return t;
}

static void trade_drop(barter *b, trade *t)
{
    link *l = link_of(b, t->conn);
    if (l != NULL && t->is_ours && !t->is_ping) {
        l->asking--;
        note_next(b, now_of(b));
    }
    cn_multistream_release(&t->names);
    cn_buf_release(&t->in);
    *t = (trade){0};
    b->trades_len--;
}

/* Queue bytes; what they were for ends with the connection if that is gone. */
static void say(barter *b, trade *t, cn_slice one, cn_slice two)
{
    cn_buf out = {0};
    cn_buf_init(&out, &b->n->mem, ANSWER_MAX_BYTES + 4096);
    sim_must(cn_buf_append(&out, one));
    sim_must(cn_buf_append(&out, two));
    (void)!b->t->ops->stream_write(b->t, t->conn, t->no, &out);
    cn_buf_release(&out);
}

static bool begin(barter *b, link *l, const char *const *name, cn_slice bytes, trade **ret)
{
    cn_stream_no no = 0;
    cn_buf out = {0};
    if (b->t->ops->stream_open(b->t, l->id, &no) != CN_OK) {
        return false;
    }
    trade *t = trade_add(b, l->id, no);
    if (t == NULL) {
        b->t->ops->stream_reset(b->t, l->id, no, 0);
        return false;
    }
    t->is_ours = true;
    cn_buf_init(&out, &b->n->mem, 4096);
    sim_must(cn_multistream_open(&t->names, &b->n->mem, name, 1, &out));
    say(b, t, cn_buf_slice(&out), bytes);
    b->t->ops->stream_close(b->t, l->id, no);
    cn_buf_release(&out);
    *ret = t;
    return true;
}

static void begin_ping(barter *b, link *l)
{
    static const char *const names[] = {PING};
    uint8_t bytes[PING_BYTES];
    trade *t = NULL;
    sim_must(cn_rt_entropy(&b->n->rt, bytes, sizeof(bytes)));
    if (begin(b, l, names, cn_slice_of(bytes, sizeof(bytes)), &t)) {
        t->is_ping = true;
        cn_copy(t->sent, bytes, sizeof(bytes));
    }
    l->ping_at = cn_time_after(now_of(b), PING_EVERY_NS);
}

static bool is_asked(const barter *b, const cn_cid *want)
{
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (b->trades[i].no != 0 && b->trades[i].is_ours && cn_cid_eq(&b->trades[i].want, want)) {
            return true;
        }
    }
    return false;
}

/* Ask for the next wants that nobody is being asked for; after a round, rest. */
static void ask(barter *b, link *l)
{
    static const char *const names[] = {BLOCK};
    while (l->asking < ASKING_MAX && now_of(b).ns >= l->rests_until.ns) {
        if (l->next_want >= b->peer->wants_len) {
            /* Not all at once: what one is asked for is not asked of the others meanwhile. */
            l->next_want = 0;
            l->rests_until =
                cn_time_after(now_of(b), REST_NS + (int64_t)cn_prng_below(&b->n->chance, REST_NS));
            break;
        }
        const cn_cid *want = &b->peer->wants[l->next_want++];
        trade *t = NULL;
        if (sim_shelf_has(&b->peer->shelf, want) || is_asked(b, want)) {
            continue;
        }
        if (!begin(b, l, names, cn_cid_bytes(want), &t)) {
            l->rests_until = cn_time_after(now_of(b), REST_NS);
            break;
        }
        t->want = *want;
        l->asking++;
    }
    if (l->rests_until.ns > now_of(b).ns) {
        note_next(b, l->rests_until);
    }
}

static void dial(barter *b, size_t i)
{
    cn_buf at = {0};
    neighbour *to = &b->neighbours[i];
    const sim_node *there = b->n->world->nodes[b->peer->neighbours[i]];
    cn_buf_init(&at, &b->n->mem, CN_MULTIADDR_MAX_BYTES);
    sim_peer_address(there, &at);
    if (b->t->ops->dial(
            b->t, cn_buf_slice(&at), &((const sim_peer *)there->setup)->id, now_of(b), &to->conn,
            NULL) != CN_OK) {
        to->dial_at = cn_time_after(now_of(b), REST_NS);
        note_next(b, to->dial_at);
    }
    cn_buf_release(&at);
}

/* What is due by time, or because something changed. */
static void drive(barter *b)
{
    cn_time now = now_of(b);
    if (now.ns < b->next.ns) {
        return;
    }
    b->next = CN_TIME_NEVER;
    for (size_t i = 0; i < b->peer->neighbours_len; i++) {
        neighbour *to = &b->neighbours[i];
        if (cn_id_is_none(to->conn) && now.ns >= to->dial_at.ns) {
            dial(b, i);
        } else if (cn_id_is_none(to->conn)) {
            note_next(b, to->dial_at);
        }
    }
    for (size_t i = 0; i < STREAMS_MAX && b->trades_len > 0; i++) {
        trade *t = &b->trades[i];
        if (t->no != 0 && now.ns >= t->limit.ns) {
            b->t->ops->stream_reset(b->t, t->conn, t->no, 0);
            trade_drop(b, t);
        } else if (t->no != 0) {
            note_next(b, t->limit);
        }
    }
    for (size_t i = 0; i < CONNS_MAX && !b->peer->is_quiet; i++) {
        link *l = &b->links[i];
        if (!l->is_up) {
            continue;
        }
        if (now.ns >= l->ping_at.ns) {
            begin_ping(b, l);
        }
        note_next(b, l->ping_at);
        ask(b, l);
    }
}

static void say_up(barter *b, cn_id conn)
{
    cn_conn_info info = {0};
    bool good = b->t->ops->info(b->t, conn, &info);
    sim_say(
        b->n, "up: %s, %s chosen %s, %s", info.security, info.muxer,
        info.is_muxer_early ? "in the handshake" : "by multistream",
        good && info.is_initiator ? "dialled" : "accepted");
}

static void take_up(barter *b, cn_id conn)
{
    if (link_of(b, conn) != NULL) {
        b->broken = "a connection was told up a second time";
        return;
    }
    for (size_t i = 0; i < CONNS_MAX; i++) {
        if (cn_id_is_none(b->links[i].id)) {
            b->links[i] = (link){.id = conn, .is_up = true, .ping_at = now_of(b)};
            say_up(b, conn);
            note_next(b, now_of(b));
            return;
        }
    }
    b->t->ops->close(b->t, conn, 0);
}

static void take_down(barter *b, const cn_conn_event *e)
{
    link *l = link_of(b, e->conn);
    sim_say(b->n, "down: %s", e->sentence == NULL ? cn_err_sentence(e->err) : e->sentence);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (b->trades[i].no != 0 && cn_id_eq(b->trades[i].conn, e->conn)) {
            trade_drop(b, &b->trades[i]);
        }
    }
    if (l != NULL) {
        *l = (link){0};
        b->peer->downs++;
    }
    for (size_t i = 0; i < b->peer->neighbours_len; i++) {
        if (cn_id_eq(b->neighbours[i].conn, e->conn)) {
            b->neighbours[i] = (neighbour){.dial_at = cn_time_after(now_of(b), REST_NS)};
        }
    }
    note_next(b, now_of(b));
}

static const char *match(void *ctx, cn_slice name)
{
    CN_UNUSED(ctx);
    return cn_slice_is(name, PING) ? PING : cn_slice_is(name, BLOCK) ? BLOCK : NULL;
}

static void take_opened(barter *b, cn_id conn, cn_stream_no no)
{
    link *l = link_of(b, conn);
    if (l == NULL || no <= l->last_in) {
        b->broken = "a stream was opened twice, or on a connection that is not up";
        return;
    }
    l->last_in = no;
    trade *t = trade_add(b, conn, no);
    if (t == NULL) {
        b->t->ops->stream_reset(b->t, conn, no, 0);
        return;
    }
    cn_multistream_answer(&t->names, &b->n->mem, match, NULL);
}

static void take_data(barter *b, trade *t, cn_slice bytes)
{
    cn_buf out = {0};
    cn_why why = {{0}};
    cn_err err = CN_OK;
    cn_buf_init(&out, &b->n->mem, 1 << 16);
    if (!t->names.is_done) {
        err = cn_multistream_take(&t->names, &bytes, &out, &why);
        if (out.len > 0) {
            say(b, t, cn_buf_slice(&out), (cn_slice){0});
        }
    }
    cn_buf_release(&out);
    err = err == CN_OK ? cn_buf_append(&t->in, bytes) : err;
    t->limit = cn_time_after(now_of(b), ASK_TIMEOUT_NS);
    if (err != CN_OK) {
        b->broken = "a stream of a good peer is not understood";
    }
}

/* A caller has said all: answer. */
static void answer(barter *b, trade *t)
{
    cn_slice in = cn_buf_slice(&t->in);
    cn_cid cid = {0};
    if (t->names.chosen == PING) {
        say(b, t, in, (cn_slice){0});
    } else if (t->names.chosen == BLOCK && cn_cid_decode_all(in, &cid) == CN_OK) {
        bool has = sim_shelf_has(&b->peer->shelf, &cid);
        say(b, t, cn_slice_of(has ? "\1" : "\0", 1), sim_shelf_get(&b->peer->shelf, &cid));
    } else {
        b->broken = "a request arrived damaged";
    }
    b->t->ops->stream_close(b->t, t->conn, t->no);
}

static void take_answer(barter *b, trade *t)
{
    cn_slice in = cn_buf_slice(&t->in);
    if (t->is_ping) {
        bool good = cn_slice_eq(in, cn_slice_of(t->sent, sizeof(t->sent)));
        b->broken = good ? b->broken : "another echo than what was sent";
        b->peer->pings++;
        sim_say(b->n, "ping answered");
    } else if (in.len == 0) {
        b->broken = "an answer without a byte";
    } else if (in.data[0] == 1) {
        sim_must(cn_blocks_put(&b->peer->shelf.blocks, &t->want, cn_slice_skip(in, 1), NULL));
        b->peer->fetched++;
        sim_say(b->n, "block of %zu bytes arrived", in.len - 1);
    }
}

static void take_mux(barter *b, cn_id conn, const cn_mux_event *e)
{
    trade *t = e->kind == CN_MUX_RTT ? NULL : trade_of(b, conn, e->stream);
    if (e->kind == CN_MUX_OPENED) {
        take_opened(b, conn, e->stream);
    } else if (e->kind == CN_MUX_DATA) {
        b->t->ops->stream_consumed(b->t, conn, e->stream, e->data.len, now_of(b));
        if (t == NULL) {
            b->broken = "bytes of a stream that is over";
            return;
        }
        take_data(b, t, e->data);
    } else if (t != NULL && e->kind == CN_MUX_FIN) {
        t->is_ours ? take_answer(b, t) : answer(b, t);
        trade_drop(b, t);
    } else if (t != NULL && e->kind == CN_MUX_RESET) {
        trade_drop(b, t);
    }
}

static cn_err listen_here(barter *b, cn_why *why)
{
    cn_buf at = {0};
    cn_buf bound = {0};
    cn_id id = CN_ID_NONE;
    cn_buf_init(&at, &b->n->mem, CN_MULTIADDR_MAX_BYTES);
    cn_buf_init(&bound, &b->n->mem, CN_MULTIADDR_MAX_BYTES);
    sim_peer_address(b->n, &at);
    cn_err err = b->t->ops->listen(b->t, cn_buf_slice(&at), &id, &bound, why);
    cn_buf_release(&at);
    cn_buf_release(&bound);
    return err;
}

static cn_err start(sim_node *n, void **ret_self, cn_why *why)
{
    barter *b = cn_alloc(&n->mem, sizeof(*b));
    if (b == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    b->n = n;
    b->peer = n->setup;
    cn_err err = sim_peer_transport(n, &b->security, &b->t, why);
    if (err != CN_OK) {
        cn_free(&n->mem, b);
        return err;
    }
    *ret_self = b;
    return listen_here(b, why);
}

static void take(void *self, const cn_net_event *event)
{
    barter *b = self;
    (void)b->t->ops->take(b->t, event, now_of(b));
}

static cn_time deadline(const void *self)
{
    const barter *b = self;
    cn_time at = b->t->ops->deadline(b->t);
    return at.ns < b->next.ns ? at : b->next;
}

static void turn(void *self, cn_time now)
{
    barter *b = self;
    cn_conn_event e = {0};
    b->t->ops->tick(b->t, now);
    while (b->t->ops->next(b->t, now, &e)) {
        if (e.kind == CN_CONN_UP) {
            take_up(b, e.conn);
        } else if (e.kind == CN_CONN_DOWN) {
            take_down(b, &e);
        } else if (e.kind == CN_CONN_STREAM) {
            take_mux(b, e.conn, &e.mux);
        }
    }
    drive(b);
    b->t->ops->flush(b->t, now);
}

static void stop(void *self)
{
    barter *b = self;
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (b->trades[i].no != 0) {
            trade_drop(b, &b->trades[i]);
        }
    }
    b->t->ops->free(b->t);
    b->security->free(b->security);
    cn_free(&b->n->mem, b);
}

/* At quiescence no stream is open and a connection holds nothing. */
static const char *check_quiet(const void *self)
{
    const barter *b = self;
    for (size_t i = 0; i < CONNS_MAX; i++) {
        cn_conn_info info = {0};
        if (b->links[i].is_up && b->t->ops->info(b->t, b->links[i].id, &info) &&
            info.held_bytes > 12 << 10) {
            return "an idle connection holds more than 12 KiB";
        }
    }
    return b->trades_len > 0 ? "a stream is open that nobody uses" : NULL;
}

static const char *check(const void *self)
{
    const barter *b = self;
    return b->broken;
}

static size_t missing(const void *self)
{
    return sim_peer_missing(((const barter *)self)->peer);
}

const sim_program sim_barter = {
    .name = "barter",
    .start = start,
    .take = take,
    .deadline = deadline,
    .turn = turn,
    .stop = stop,
    .check = check,
    .check_quiet = check_quiet,
    .missing = missing,
};
