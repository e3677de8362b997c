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

static void run_all(void)
{
    TEST(two_meet_and_know_each_other);
    TEST(streams_carry_bytes_both_ways);
    TEST(a_ping_comes_back);
}

int main(void)
{
    run_all();
    over_pipes = true;
    run_all();
    return test_end();
}
