/*
 * The TCP transport on loopback: two of them in one loop, with Noise or TLS and yamux. Connections
 * stand, carry streams both ways, end, time out, and an idle one holds next to nothing. A security
 * that is refused gives way to another within the dial.
 */
#include "lib/test.h"
#include "multiformats/multiaddr.h"
#include "p2p/muxer/yamux.h"
#include "p2p/security/noise.h"
#include "p2p/security/tls.h"
#include "p2p/transport/tcp_internal.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"

enum { SIDES = 2 };

typedef struct side {
    cn_mem mem;
    cn_key *key;
    cn_security *securities[2];
    size_t securities_len;
    int arrived;
    char sentence[256];
    cn_transport *t;
    cn_id conn;
    uint64_t got;
    bool is_up;
    bool is_down;
    cn_err err;
    cn_stream_no stream; /* the last one opened by the other side */
    bool is_fin;
    bool echoes;
    bool is_deaf; /* it takes no events: it reads nothing */
} side;

typedef struct world {
    cn_rt *rt;
    cn_net *net;
    side sides[SIDES];
    int64_t stuck_ns; /* options, set before */
    size_t work_per_s;
} world;

static void take(void *ctx, const cn_net_event *event)
{
    world *w = ctx;
    for (int i = 0; i < SIDES; i++) {
        if (!w->sides[i].is_deaf &&
            w->sides[i].t->ops->take(w->sides[i].t, event, cn_rt_now(w->rt))) {
            return;
        }
    }
}

static void side_begin(world *w, int i, const char *securities, int64_t timeout_ns)
{
    static const cn_muxing *const muxings[] = {&cn_yamux};
    side *s = &w->sides[i];
    cn_mem_init(&s->mem, 0);
    CHECK_OK(cn_key_generate(&s->mem, CN_KEY_ED25519, 0, &s->key, NULL));
    for (const char *at = securities; *at != '\0'; at++) {
        CHECK_OK((*at == 't' ? cn_tls_new : cn_noise_new)(
            w->rt, &s->mem, s->key, &s->securities[s->securities_len++], NULL));
    }
    cn_tcp_options o = {
        .mem = &s->mem,
        .net = w->net,
        .securities = s->securities,
        .securities_len = s->securities_len,
        .muxings = muxings,
        .muxings_len = 1,
        .muxer =
            {
                .streams_in_max = 64,
                .streams_out_max = 64,
                .window_max_bytes = 16 << 20,
                .queued_max_bytes = 1 << 20,
                .ping_interval_ns = 30 * CN_NS_PER_S,
                .ping_timeout_ns = 10 * CN_NS_PER_S,
            },
        .mark = (uint8_t)(i + 1),
        .conns_max = 16,
        .upgrade_timeout_ns = timeout_ns,
        .stuck_timeout_ns = w->stuck_ns,
        .work_per_s = w->work_per_s,
    };
    CHECK_OK(cn_tcp_new(&o, &s->t));
}

/* Each letter a security, best first: n for Noise, t for TLS. */
static void world_begin_with(world *w, const char *dials, const char *listens, int64_t timeout_ns)
{
    *w = (world){.stuck_ns = w->stuck_ns, .work_per_s = w->work_per_s};
    CHECK_OK(cn_rt_os_new(1, &w->rt));
    CHECK_OK(cn_rt_os_net_new(w->rt, cn_mem_default(), 64, &w->net, NULL));
    side_begin(w, 0, dials, timeout_ns);
    side_begin(w, 1, listens, timeout_ns);
}

static void world_begin(world *w, int64_t timeout_ns)
{
    world_begin_with(w, "n", "n", timeout_ns);
}

static void world_end(world *w)
{
    for (int i = 0; i < SIDES; i++) {
        side *s = &w->sides[i];
        s->t->ops->free(s->t);
        for (size_t k = 0; k < s->securities_len; k++) {
            s->securities[k]->free(s->securities[k]);
        }
        cn_key_free(s->key);
        CHECK_EQ(s->mem.used_bytes, 0);
    }
    cn_rt_os_net_free(w->net);
    cn_rt_os_free(w->rt);
}

static void echo(side *s, cn_stream_no stream, cn_slice data)
{
    cn_buf copy = {0};
    cn_buf_init(&copy, &s->mem, 1 << 20);
    CHECK_OK(cn_buf_append(&copy, data));
    CHECK_OK(s->t->ops->stream_write(s->t, s->conn, stream, &copy));
    cn_buf_release(&copy);
}

static void deal_with(world *w, side *s, const cn_conn_event *e)
{
    if (e->kind == CN_CONN_UP) {
        s->is_up = true;
        s->conn = e->conn;
    } else if (e->kind == CN_CONN_DOWN) {
        s->is_down = true;
        s->err = e->err;
        cn_slice why = cn_slice_head(cn_str(e->sentence), sizeof(s->sentence) - 1);
        cn_copy(s->sentence, why.data, why.len);
        s->sentence[why.len] = '\0';
    } else if (e->kind == CN_CONN_ARRIVED) {
        s->arrived++;
    } else if (e->kind == CN_CONN_STREAM && e->mux.kind == CN_MUX_OPENED) {
        s->stream = e->mux.stream;
    } else if (e->kind == CN_CONN_STREAM && e->mux.kind == CN_MUX_FIN) {
        s->is_fin = true;
    } else if (e->kind == CN_CONN_STREAM && e->mux.kind == CN_MUX_DATA) {
        s->got += e->mux.data.len;
        if (s->echoes) {
            echo(s, e->mux.stream, e->mux.data);
        }
        s->t->ops->stream_consumed(s->t, e->conn, e->mux.stream, e->mux.data.len, cn_rt_now(w->rt));
    }
}

static void turn(world *w)
{
    cn_time now = cn_rt_now(w->rt);
    cn_time until = cn_time_after(now, 50 * CN_NS_PER_MS);
    for (int i = 0; i < SIDES; i++) {
        cn_time d = w->sides[i].t->ops->deadline(w->sides[i].t);
        until = d.ns < until.ns ? d : until;
    }
    CHECK_OK(cn_rt_os_net_poll(w->net, until, take, w));
    now = cn_rt_now(w->rt);
    for (int i = 0; i < SIDES; i++) {
        side *s = &w->sides[i];
        cn_conn_event e = {0};
        s->t->ops->tick(s->t, now);
        while (s->t->ops->next(s->t, now, &e)) {
            deal_with(w, s, &e);
        }
        s->t->ops->flush(s->t, now);
    }
}

/* Turn until `*flag`, at most 10 s. */
static bool until(world *w, const bool *flag)
{
    cn_time limit = cn_time_after(cn_rt_now(w->rt), 10 * CN_NS_PER_S);
    while (!*flag) {
        turn(w);
        if (cn_rt_now(w->rt).ns > limit.ns) {
            return CHECK(false);
        }
    }
    return true;
}

static void listen_and_dial(world *w, const cn_peer_id *expected)
{
    cn_buf at = {0};
    cn_buf bound = {0};
    cn_id id = CN_ID_NONE;
    cn_buf_init(&at, cn_mem_default(), 256);
    cn_buf_init(&bound, cn_mem_default(), 256);
    CHECK_OK(cn_multiaddr_parse(cn_str("/ip4/127.0.0.1/tcp/0"), &at, NULL));
    CHECK_OK(w->sides[1].t->ops->listen(w->sides[1].t, cn_buf_slice(&at), &id, &bound, NULL));
    CHECK_OK(w->sides[0].t->ops->dial(
        w->sides[0].t, cn_buf_slice(&bound), expected, cn_rt_now(w->rt), &id, NULL));
    cn_buf_release(&at);
    cn_buf_release(&bound);
}

static void join(world *w)
{
    cn_peer_id expected = {0};
    CHECK_OK(cn_peer_id_of_key(w->sides[1].key, &expected));
    listen_and_dial(w, &expected);
    until(w, &w->sides[0].is_up);
    until(w, &w->sides[1].is_up);
}

static void two_ends_meet_and_know_each_other(void)
{
    world w;
    world_begin(&w, 0);
    join(&w);
    for (int i = 0; i < SIDES; i++) {
        cn_conn_info info = {0};
        cn_peer_id other = {0};
        side *s = &w.sides[i];
        CHECK_OK(cn_peer_id_of_key(w.sides[1 - i].key, &other));
        CHECK(s->t->ops->info(s->t, s->conn, &info));
        CHECK(cn_peer_id_eq(&info.peer, &other));
        CHECK_STR(info.security, "/noise");
        CHECK_STR(info.muxer, "/yamux/1.0.0");
        CHECK(info.is_muxer_early);
        CHECK_EQ(info.is_initiator, i == 0);
        CHECK(info.remote.len == 8 && info.local.len == 8);
    }
    world_end(&w);
}

static void bytes_go_both_ways(void)
{
    enum { SENT = 32 << 20 };
    world w;
    world_begin(&w, 0);
    join(&w);
    side *a = &w.sides[0];
    cn_stream_no no = 0;
    uint64_t sent = 0;
    w.sides[1].echoes = true;
    CHECK_OK(a->t->ops->stream_open(a->t, a->conn, &no));
    cn_time limit = cn_time_after(cn_rt_now(w.rt), 20 * CN_NS_PER_S);
    while (a->got < SENT && cn_rt_now(w.rt).ns < limit.ns) {
        while (sent < SENT && a->t->ops->stream_room(a->t, a->conn, no) > 0) {
            cn_buf piece = {0};
            cn_buf_init(&piece, &a->mem, 1 << 20);
            CHECK_OK(cn_buf_reserve(&piece, 1 << 18));
            piece.len = 1 << 18;
            CHECK_OK(a->t->ops->stream_write(a->t, a->conn, no, &piece));
            sent += 1 << 18;
            cn_buf_release(&piece);
        }
        turn(&w);
    }
    CHECK_EQ(w.sides[1].got, SENT);
    CHECK_EQ(a->got, SENT);
    a->t->ops->stream_close(a->t, a->conn, no);
    until(&w, &w.sides[1].is_fin);
    world_end(&w);
}

static void small_when_idle(const char *securities)
{
    world w;
    world_begin_with(&w, securities, securities, 0);
    size_t before = w.sides[0].mem.used_bytes;
    join(&w);
    for (int i = 0; i < 5; i++) {
        turn(&w);
    }
    /* The transport's own sealing buffer is taken with the first connection. */
    size_t taken = w.sides[0].mem.used_bytes - before;
    CHECK(taken < (12 << 10) + (256 << 10) + (64 << 10));
    cn_conn_info info = {0};
    CHECK(w.sides[0].t->ops->info(w.sides[0].t, w.sides[0].conn, &info));
    CHECK(info.held_bytes < 12 << 10);
    world_end(&w);
}

static void an_idle_connection_is_small(void)
{
    small_when_idle("n");
    small_when_idle("t");
}

static void the_end_of_one_is_told_to_the_other(void)
{
    for (int i = 0; i < 2; i++) {
        world w;
        world_begin_with(&w, i == 0 ? "n" : "t", "nt", 0);
        join(&w);
        w.sides[0].t->ops->close(w.sides[0].t, w.sides[0].conn, 0);
        until(&w, &w.sides[1].is_down);
        CHECK_ERR(w.sides[1].err, CN_ERR_CLOSED);
        world_end(&w);
    }
}

static void another_peer_is_not_taken(void)
{
    world w;
    cn_peer_id wrong = {0};
    world_begin(&w, 0);
    CHECK_OK(cn_peer_id_of_key(w.sides[0].key, &wrong));
    listen_and_dial(&w, &wrong);
    until(&w, &w.sides[0].is_down);
    CHECK_ERR(w.sides[0].err, CN_ERR_HASH_MISMATCH);
    CHECK(!w.sides[0].is_up);
    until(&w, &w.sides[1].is_down);
    world_end(&w);
}

static void a_silent_caller_is_hung_up_on(void)
{
    world w;
    cn_buf at = {0};
    cn_buf bound = {0};
    cn_id id = CN_ID_NONE;
    cn_multiaddr_part port = {0};
    world_begin(&w, 100 * CN_NS_PER_MS);
    cn_buf_init(&at, cn_mem_default(), 256);
    cn_buf_init(&bound, cn_mem_default(), 256);
    CHECK_OK(cn_multiaddr_parse(cn_str("/ip4/127.0.0.1/tcp/0"), &at, NULL));
    CHECK_OK(w.sides[1].t->ops->listen(w.sides[1].t, cn_buf_slice(&at), &id, &bound, NULL));
    CHECK(cn_multiaddr_find(cn_buf_slice(&bound), CN_MA_TCP, &port));
    cn_endpoint to = {.ip = {127, 0, 0, 1}};
    to.port = (uint16_t)(port.value.data[0] << 8 | port.value.data[1]);
    CHECK_OK(cn_net_dial(w.net, &to, 0, &id, NULL));
    until(&w, &w.sides[1].is_down);
    CHECK_ERR(w.sides[1].err, CN_ERR_TIMEOUT);
    cn_buf_release(&at);
    cn_buf_release(&bound);
    world_end(&w);
}

static void check_security(world *w, const char *protocol)
{
    for (int i = 0; i < SIDES; i++) {
        cn_conn_info info = {0};
        side *s = &w->sides[i];
        CHECK(s->t->ops->info(s->t, s->conn, &info));
        CHECK_STR(info.security, protocol);
        CHECK(info.is_muxer_early);
        CHECK(!s->is_down || i == 1);
    }
}

/* Both offered are spoken: the dialler's first is taken at once. */
static void the_first_of_the_dialler_is_taken(void)
{
    static const struct {
        const char *dials;
        const char *protocol;
    } cases[] = {{"nt", "/noise"}, {"tn", "/tls/1.0.0"}, {"t", "/tls/1.0.0"}};
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        world w;
        world_begin_with(&w, cases[i].dials, "nt", 0);
        join(&w);
        check_security(&w, cases[i].protocol);
        CHECK_EQ(w.sides[1].arrived, 1);
        world_end(&w);
    }
}

/* One dial, one UP, though the other side is called twice; and once only the next time. */
static void a_refused_security_gives_way(void)
{
    static const struct {
        const char *dials;
        const char *listens;
        const char *protocol;
    } cases[] = {{"tn", "n", "/noise"}, {"nt", "t", "/tls/1.0.0"}};
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        world w;
        cn_buf at = {0};
        cn_id id = CN_ID_NONE;
        cn_conn_info info = {0};
        world_begin_with(&w, cases[i].dials, cases[i].listens, 0);
        join(&w);
        side *a = &w.sides[0];
        check_security(&w, cases[i].protocol);
        CHECK_EQ(w.sides[1].arrived, 2);
        CHECK(!a->is_down);
        CHECK(a->t->ops->info(a->t, a->conn, &info));
        cn_buf_init(&at, cn_mem_default(), 256);
        CHECK_OK(cn_buf_append(&at, info.remote));
        a->is_up = false;
        w.sides[1].is_up = false;
        CHECK_OK(a->t->ops->dial(a->t, cn_buf_slice(&at), NULL, cn_rt_now(w.rt), &id, NULL));
        until(&w, &a->is_up);
        until(&w, &w.sides[1].is_up);
        CHECK(cn_id_eq(id, a->conn));
        check_security(&w, cases[i].protocol);
        CHECK_EQ(w.sides[1].arrived, 3);
        cn_buf_release(&at);
        world_end(&w);
    }
}

static void without_a_common_security_the_dial_fails(void)
{
    world w;
    world_begin_with(&w, "n", "t", 0);
    listen_and_dial(&w, NULL);
    until(&w, &w.sides[0].is_down);
    CHECK_ERR(w.sides[0].err, CN_ERR_UNSUPPORTED);
    CHECK_STR(w.sides[0].sentence, "the peer speaks none of: /noise");
    CHECK(!w.sides[0].is_up);
    world_end(&w);
}

/* Of the deadlines of many, the earliest comes first, whatever moved and went. */
static void the_earliest_deadline_comes_first(void)
{
    enum { CONNS = 500, STEPS = 5000 };
    static tcp_conn conns[CONNS];
    static bool there[CONNS];
    static tcp t;
    uint32_t random = 1;
    t.options.mem = cn_mem_default();
    t.options.conns_max = CONNS;
    for (int i = 0; i < STEPS; i++) {
        random = random * 1664525u + 1013904223u;
        tcp_conn *c = &conns[(random >> 8) % CONNS];
        bool *is_there = &there[(random >> 8) % CONNS];
        if (!*is_there) {
            c->due_at.ns = random % 1000;
            CHECK_OK(cn_tcp_due_add(&t, c));
            *is_there = true;
        } else if (random >> 28 < 4) {
            cn_tcp_due_remove(&t, c);
            *is_there = false;
        } else {
            cn_tcp_due_set(&t, c, (cn_time){random % 1000});
        }
        int64_t least = INT64_MAX;
        size_t count = 0;
        for (int k = 0; k < CONNS; k++) {
            count += there[k] ? 1 : 0;
            least = there[k] ? CN_MIN(least, conns[k].due_at.ns) : least;
        }
        const tcp_conn *first = cn_tcp_due_first(&t);
        CHECK_EQ(t.due_len, count);
        CHECK_EQ(first == NULL ? INT64_MAX : first->due_at.ns, least);
    }
    cn_free(t.options.mem, t.due);
}

static cn_err dial_once(cn_mem *mem)
{
    cn_err err = CN_OK;
    static const cn_muxing *const muxings[] = {&cn_yamux};
    world w = {0};
    cn_transport *t = NULL;
    cn_id id = CN_ID_NONE;
    cn_buf at = {0};
    cn_buf_init(&at, cn_mem_default(), 64);
    world_begin(&w, 0);
    cn_tcp_options o = {
        .mem = mem,
        .net = w.net,
        .securities = w.sides[0].securities,
        .securities_len = 1,
        .muxings = muxings,
        .muxings_len = 1,
        .mark = 9,
        .conns_max = 4,
    };
    CHECK_OK(cn_multiaddr_parse(cn_str("/ip4/127.0.0.1/tcp/9"), &at, NULL));
    CN_TRY(cn_tcp_new(&o, &t));
    CN_TRY(t->ops->dial(t, cn_buf_slice(&at), NULL, cn_rt_now(w.rt), &id, NULL));
out:
    if (t != NULL) {
        t->ops->free(t);
    }
    cn_buf_release(&at);
    world_end(&w);
    return err;
}

static tcp_conn *conn_of(side *s)
{
    return cn_slots_get(&((tcp *)s->t)->conns, s->conn);
}

/* Small writes, each a frame of its own: flushed one by one. */
static void say_small(world *w, size_t frames)
{
    side *a = &w->sides[0];
    cn_stream_no no = 0;
    CHECK_OK(a->t->ops->stream_open(a->t, a->conn, &no));
    for (size_t i = 0; i < frames; i++) {
        cn_buf one = {0};
        cn_buf_init(&one, &a->mem, 16);
        CHECK_OK(cn_buf_text(&one, "x"));
        CHECK_OK(a->t->ops->stream_write(a->t, a->conn, no, &one));
        a->t->ops->flush(a->t, cn_rt_now(w->rt));
    }
}

static void who_makes_too_much_work_is_read_slowly(void)
{
    static world w;
    w = (world){.work_per_s = 200};
    world_begin(&w, 0);
    join(&w);
    cn_time limit = cn_time_after(cn_rt_now(w.rt), 20 * CN_NS_PER_S);
    bool has_rested = false;
    for (int i = 0; i < 5; i++) {
        say_small(&w, 200);
        turn(&w);
    }
    while (w.sides[1].got < 1000 && cn_rt_now(w.rt).ns < limit.ns) {
        turn(&w);
        has_rested = has_rested || conn_of(&w.sides[1])->is_resting;
    }
    CHECK(has_rested);
    CHECK_EQ(w.sides[1].got, 1000); /* nothing is lost */
    world_end(&w);
}

/* The account: one below what is allowed may go on, what overdraws it rests, 20 s of it is enough.
 */
static void the_account_of_work(void)
{
    static world w;
    w = (world){.work_per_s = 1000};
    world_begin(&w, 0);
    join(&w);
    tcp *t = (tcp *)w.sides[1].t;
    tcp_conn *c = conn_of(&w.sides[1]);
    cn_time now = cn_rt_now(w.rt);
    bool allowed = false;
    CHECK_OK(cn_tcp_work_check(t, c, now, &allowed)); /* what joining made is in */
    c->work_left = 1000;
    c->work_at = now;
    cn_tcp_charge(w.sides[1].t, c->id, 999);
    CHECK_OK(cn_tcp_work_check(t, c, now, &allowed));
    CHECK(allowed && !c->is_resting);
    cn_tcp_charge(w.sides[1].t, c->id, 1);
    CHECK_OK(cn_tcp_work_check(t, c, now, &allowed));
    CHECK(!allowed && c->is_resting);
    for (int s = 1; s < 20; s++) {
        now = cn_time_after(now, CN_NS_PER_S);
        cn_tcp_work_resume(t, c);
        cn_tcp_charge(w.sides[1].t, c->id, 2000);
        CHECK_OK(cn_tcp_work_check(t, c, now, &allowed));
        CHECK(!allowed && c->is_resting);
    }
    now = cn_time_after(now, CN_NS_PER_S);
    cn_tcp_work_resume(t, c);
    CHECK_ERR(cn_tcp_work_check(t, c, now, &allowed), CN_ERR_TOO_LARGE);
    CHECK(strstr(cn_why_text(&c->why, CN_ERR_TOO_LARGE), "1000 small things") != NULL);
    c->why = (cn_why){0};
    c->work_left = 400; /* peace: in a second it is full */
    CHECK_OK(cn_tcp_work_check(t, c, cn_time_after(now, CN_NS_PER_S), &allowed));
    CHECK(allowed && !c->is_wearing);
    world_end(&w);
}

static void who_takes_nothing_is_given_up(void)
{
    static world w;
    w = (world){.stuck_ns = 200 * CN_NS_PER_MS};
    world_begin(&w, 0);
    join(&w);
    side *a = &w.sides[0];
    w.sides[1].is_deaf = true;
    for (int i = 0; i < 60; i++) { /* each stream has a window of its own */
        cn_stream_no no = 0;
        cn_buf much = {0};
        cn_buf_init(&much, &a->mem, 1 << 20);
        CHECK_OK(cn_buf_reserve(&much, 256 << 10));
        much.len = 256 << 10;
        memset(much.data, 0, much.len);
        CHECK_OK(a->t->ops->stream_open(a->t, a->conn, &no));
        CHECK_OK(a->t->ops->stream_write(a->t, a->conn, no, &much));
    }
    (void)until(&w, &a->is_down);
    CHECK_ERR(a->err, CN_ERR_TIMEOUT);
    CHECK(strstr(a->sentence, "takes nothing") != NULL);
    world_end(&w);
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(dial_once);
}

int main(void)
{
    TEST(two_ends_meet_and_know_each_other);
    TEST(bytes_go_both_ways);
    TEST(an_idle_connection_is_small);
    TEST(the_end_of_one_is_told_to_the_other);
    TEST(another_peer_is_not_taken);
    TEST(a_silent_caller_is_hung_up_on);
    TEST(the_first_of_the_dialler_is_taken);
    TEST(a_refused_security_gives_way);
    TEST(without_a_common_security_the_dial_fails);
    TEST(the_earliest_deadline_comes_first);
    TEST(who_makes_too_much_work_is_read_slowly);
    TEST(the_account_of_work);
    TEST(who_takes_nothing_is_given_up);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
