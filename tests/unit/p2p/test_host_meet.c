/*
 * Hosts that meet: over TCP on loopback with Noise and yamux, and over a transport, security and
 * muxer of the tests' own, each case the same for both.
 */
#include "lib/host_world.h"
#include "lib/test.h"

static bool over_pipes;
static world w;

static void begin(size_t hosts, const cn_host_options *options)
{
    world_begin(&w, hosts, over_pipes, options);
}

static void two_meet_and_know_each_other(void)
{
    begin(2, NULL);
    world_join(&w, 0, 1);
    for (size_t i = 0; i < 2; i++) {
        world_host *x = &w.hosts[i];
        cn_host_peer peer = {0};
        CHECK(cn_host_is_connected(x->h, &w.hosts[1 - i].id));
        CHECK_EQ(x->proto.ups, 1);
        CHECK_EQ(x->notes[CN_HOST_NOTE_UP], 1);
        CHECK(cn_host_peer_of(x->h, &w.hosts[1 - i].id, &peer));
        CHECK(cn_slice_is(peer.agent, "cairn-test/1"));
        CHECK(cn_slice_is(peer.protocol_version, "ipfs/0.1.0"));
        CHECK_EQ(peer.protocols_len, 5); /* identify, push, ping, the tests' two */
        CHECK_EQ(cn_host_speaks(x->h, &w.hosts[1 - i].id, "/ipfs/ping/1.0.0"), 1);
        CHECK_EQ(cn_host_speaks(x->h, &w.hosts[1 - i].id, "/nothing/1.0.0"), 0);
        CHECK_EQ(peer.addresses_len, 1);
        CHECK_BYTES(peer.addresses[0], world_address(&w, 1 - i));
    }
    world_end(&w);
}

static void streams_carry_bytes_both_ways(void)
{
    begin(2, NULL);
    world_join(&w, 0, 1);
    w.hosts[1].proto.echoes = true;
    cn_id stream = world_say(&w, 0, 1, "hello");
    (void)world_until(&w, &w.hosts[0].proto.got_bytes, 5);
    CHECK_BYTES(cn_slice_of(w.hosts[0].proto.first, 5), cn_str("hello"));
    CHECK_STR(w.hosts[0].proto.name, world_names[0]);
    CHECK_STR(w.hosts[1].proto.name, world_names[0]);
    w.hosts[1].proto.closes = true;
    cn_host_close_stream(w.hosts[0].h, stream);
    (void)world_until(&w, &w.hosts[0].proto.fins, 1);
    CHECK_EQ(w.hosts[1].proto.fins, 1);
    CHECK_EQ(w.hosts[0].proto.resets + w.hosts[1].proto.resets, 0);
    CHECK_ERR(cn_host_write(w.hosts[0].h, stream, &(cn_buf){0}), CN_ERR_CLOSED);
    world_end(&w);
}

static void a_ping_comes_back(void)
{
    begin(2, NULL);
    world_host *a = &w.hosts[0];
    cn_id ping = CN_ID_NONE;
    CHECK_ERR(
        cn_host_ping(a->h, &w.hosts[1].id, CN_NS_PER_S, world_pinged, a, &ping), CN_ERR_NOT_FOUND);
    world_join(&w, 0, 1);
    CHECK_OK(cn_host_ping(a->h, &w.hosts[1].id, 10 * CN_NS_PER_S, world_pinged, a, &ping));
    CHECK_EQ(a->pings, 0);
    (void)world_until(&w, &a->pings, 1);
    CHECK_OK(a->ping_err);
    CHECK(a->rtt_ns > 0);
    world_end(&w);
}

static size_t streams_held(size_t host)
{
    cn_host_resources r = {0};
    cn_host_resources_of(w.hosts[host].h, &r);
    return r.streams;
}

/* Others allow few streams of ping: all go over one, which is given back when it is not used. */
static void pings_share_a_stream(void)
{
    begin(2, NULL);
    world_host *a = &w.hosts[0];
    world_join(&w, 0, 1);
    for (int i = 0; i < 50 && streams_held(0) > 0; i++) {
        world_turn(&w); /* identify's end */
    }
    cn_id ids[6] = {{0}};
    for (int i = 0; i < 6; i++) {
        CHECK_OK(cn_host_ping(a->h, &w.hosts[1].id, 10 * CN_NS_PER_S, world_pinged, a, &ids[i]));
    }
    CHECK_EQ(streams_held(0), 1);
    cn_host_ping_cancel(a->h, ids[2]);
    (void)world_until(&w, &a->pings, 5);
    CHECK_OK(a->ping_err);
    CHECK_OK(cn_host_ping(a->h, &w.hosts[1].id, 10 * CN_NS_PER_S, world_pinged, a, &ids[0]));
    CHECK_EQ(streams_held(0), 1);
    (void)world_until(&w, &a->pings, 6);
    CHECK_EQ(a->pings, 6); /* the one cancelled is not told */
    cn_host_tick(a->h, cn_time_after(cn_rt_now(w.rt), 11 * CN_NS_PER_S));
    for (int i = 0; i < 50 && streams_held(0) + streams_held(1) > 0; i++) {
        world_turn(&w);
    }
    CHECK_EQ(streams_held(0) + streams_held(1), 0);
    world_end(&w);
}

/* The muxer of the one connection of host 0. */
static const char *muxer_in_use(void)
{
    size_t position = 0;
    cn_host_conn c = {0};
    return cn_host_conns(w.hosts[0].h, &position, &c) ? c.info.muxer : "";
}

static void one_host_has_several_transports(void)
{
    world_begin(&w, 2, false, NULL);
    cn_mem mem;
    cn_transport *more[2] = {NULL};
    cn_buf at = {0};
    cn_id id = CN_ID_NONE;
    cn_mem_init(&mem, 0);
    cn_buf_init(&at, cn_mem_default(), 64);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(pipe_transport_new(&w.pipes, &mem, w.hosts[i].key, &more[i]));
        CHECK_OK(cn_host_add_transport(w.hosts[i].h, more[i]));
    }
    CHECK_OK(cn_multiaddr_parse(cn_str("/ip4/127.0.0.1/udp/7"), &at, NULL));
    CHECK_OK(cn_host_listen(w.hosts[1].h, cn_buf_slice(&at), NULL));
    cn_slice address = cn_buf_slice(&at);
    CHECK_OK(cn_host_connect(
        w.hosts[0].h, &w.hosts[1].id, &address, 1, 0, world_dialled, &w.hosts[0], &id, NULL));
    (void)world_until(&w, &w.hosts[0].proto.identified, 1);
    CHECK_STR(muxer_in_use(), "/pipes");
    CHECK(cn_host_disconnect(w.hosts[0].h, &w.hosts[1].id));
    (void)world_until(&w, &w.hosts[0].proto.downs, 1);
    CHECK(cn_book_forget(cn_host_book(w.hosts[0].h), &w.hosts[1].id));
    world_join(&w, 0, 1);
    CHECK_STR(muxer_in_use(), "/yamux/1.0.0");
    world_end(&w);
    for (int i = 0; i < 2; i++) {
        more[i]->ops->free(more[i]);
    }
    CHECK_EQ(mem.used_bytes, 0);
    cn_buf_release(&at);
}

static void run_all(void)
{
    TEST(two_meet_and_know_each_other);
    TEST(streams_carry_bytes_both_ways);
    TEST(a_ping_comes_back);
    TEST(pings_share_a_stream);
}

int main(void)
{
    run_all();
    over_pipes = true;
    run_all();
    TEST(one_host_has_several_transports);
    return test_end();
}
