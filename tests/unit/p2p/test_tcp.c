/*
 * The TCP transport on loopback: two of them in one loop, with Noise and yamux. Connections stand,
 * carry streams both ways, end, time out, and an idle one holds next to nothing.
 */
#include "lib/test.h"
#include "multiformats/multiaddr.h"
#include "p2p/muxer/yamux.h"
#include "p2p/security/noise.h"
#include "p2p/transport/tcp.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"

enum { SIDES = 2, SEEN_MAX = 256 };

typedef struct side {
    cn_mem mem;
    cn_key *key;
    cn_security *noise;
    cn_transport *t;
    cn_id conn;
    uint64_t got;
    bool is_up;
    bool is_down;
    cn_err err;
    cn_stream_no stream; /* the last one opened by the other side */
    bool is_fin;
    bool echoes;
} side;

typedef struct world {
    cn_rt *rt;
    cn_net *net;
    side sides[SIDES];
} world;

static void take(void *ctx, const cn_net_event *event)
{
    world *w = ctx;
    for (int i = 0; i < SIDES; i++) {
        if (w->sides[i].t->ops->take(w->sides[i].t, event, cn_rt_now(w->rt))) {
            return;
        }
    }
}

static void world_begin(world *w, int64_t timeout_ns)
{
    static const cn_muxing *const muxings[] = {&cn_yamux};
    *w = (world){0};
    CHECK_OK(cn_rt_os_new(1, &w->rt));
    CHECK_OK(cn_rt_os_net_new(w->rt, cn_mem_default(), 64, &w->net, NULL));
    for (int i = 0; i < SIDES; i++) {
        side *s = &w->sides[i];
        cn_mem_init(&s->mem, 0);
        CHECK_OK(cn_key_generate(&s->mem, CN_KEY_ED25519, 0, &s->key, NULL));
        CHECK_OK(cn_noise_new(w->rt, &s->mem, s->key, &s->noise, NULL));
        cn_tcp_options o = {
            .mem = &s->mem,
            .net = w->net,
            .securities = &s->noise,
            .securities_len = 1,
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
        };
        CHECK_OK(cn_tcp_new(&o, &s->t));
    }
}

static void world_end(world *w)
{
    for (int i = 0; i < SIDES; i++) {
        side *s = &w->sides[i];
        s->t->ops->free(s->t);
        s->noise->free(s->noise);
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

static void an_idle_connection_is_small(void)
{
    world w;
    world_begin(&w, 0);
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

static void the_end_of_one_is_told_to_the_other(void)
{
    world w;
    world_begin(&w, 0);
    join(&w);
    w.sides[0].t->ops->close(w.sides[0].t, w.sides[0].conn, 0);
    until(&w, &w.sides[1].is_down);
    CHECK_ERR(w.sides[1].err, CN_ERR_CLOSED);
    world_end(&w);
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

int main(void)
{
    TEST(two_ends_meet_and_know_each_other);
    TEST(bytes_go_both_ways);
    TEST(an_idle_connection_is_small);
    TEST(the_end_of_one_is_told_to_the_other);
    TEST(another_peer_is_not_taken);
    TEST(a_silent_caller_is_hung_up_on);
    return test_end();
}
