/*
 * What a host lets in and keeps: counts of connections at the limit and one past it, filters,
 * trimming, peering, and peers that vanish.
 */
#include "lib/host_world.h"
#include "lib/test.h"

static world w;

static cn_host_resources held(size_t host)
{
    cn_host_resources r = {0};
    cn_host_resources_of(w.hosts[host].h, &r);
    return r;
}

static void some_turns(void)
{
    for (int i = 0; i < 10; i++) {
        world_turn(&w);
    }
}

/* The dialler may see a connection that is closed again at once: what counts is the other side. */
static void connections_are_bounded_at_the_limit_and_one_past_it(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        cn_host_options o = {.conns_max = 2};
        world_begin(&w, 4, pipes == 1, &o);
        world_join(&w, 0, 3);
        world_join(&w, 1, 3);
        CHECK_EQ(held(3).conns_up, 2);
        CHECK_OK(world_dial(&w, 2, 3));
        (void)world_until(&w, &w.hosts[3].notes[CN_HOST_NOTE_REFUSED], 1);
        some_turns();
        CHECK_EQ(held(3).conns_up, 2);
        CHECK_EQ(held(3).conns, 2);
        CHECK_EQ(held(3).counts.refused_limit, 1);
        CHECK_EQ(w.hosts[3].proto.ups, 2);
        CHECK(!cn_host_is_connected(w.hosts[2].h, &w.hosts[3].id));
        /* One that goes makes room for one. */
        CHECK(cn_host_disconnect(w.hosts[0].h, &w.hosts[3].id));
        (void)world_until(&w, &w.hosts[3].proto.downs, 1);
        cn_slice at = world_address(&w, 3);
        cn_host_forgive(w.hosts[2].h, &w.hosts[3].id, &at, 1);
        world_join(&w, 2, 3);
        world_end(&w);
    }
}

static void no_more_is_dialled_than_allowed(void)
{
    cn_host_options o = {.conns_max = 1};
    world_begin(&w, 3, true, &o);
    world_join(&w, 0, 1);
    CHECK_OK(world_dial(&w, 0, 2));
    (void)world_until(&w, &w.hosts[0].dialled, 2);
    CHECK_ERR(w.hosts[0].err, CN_ERR_TOO_LARGE);
    CHECK_EQ(w.pipes.dials, 1);
    world_end(&w);
}

static void filters_hold_for_callers(void)
{
    cn_ip_range range = {0};
    CHECK_OK(cn_ip_range_parse(cn_str("127.0.0.0/8"), &range, NULL));
    world_begin(&w, 2, false, NULL);
    CHECK_OK(cn_host_filter_add(w.hosts[1].h, &range));
    CHECK_OK(world_dial(&w, 0, 1));
    (void)world_until(&w, &w.hosts[1].notes[CN_HOST_NOTE_REFUSED], 1);
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK(w.hosts[0].err != CN_OK);
    CHECK_EQ(held(1).counts.refused_filter, 1);
    CHECK_EQ(held(1).conns, 0);
    world_end(&w);
}

/* Callers that say nothing: at the limit they wait, and one more makes the oldest go. */
static void silent_callers_make_way(void)
{
    cn_host_options o = {.gate = {.pending_max = 2}};
    cn_endpoint to = {.ip = {127, 0, 0, 1}};
    cn_id silent[3] = {{0}};
    world_begin(&w, 2, false, &o);
    cn_slice at = world_address(&w, 1);
    to.port = (uint16_t)(at.data[at.len - 2] << 8 | at.data[at.len - 1]);
    for (size_t i = 0; i < 2; i++) {
        CHECK_OK(cn_net_dial(w.net, &to, 0, &silent[i], NULL));
    }
    for (int i = 0; i < 200 && held(1).conns_pending < 2; i++) {
        world_turn(&w);
    }
    CHECK_EQ(held(1).conns_pending, 2);
    CHECK_EQ(w.hosts[1].notes[CN_HOST_NOTE_CUT], 0);
    CHECK_OK(cn_net_dial(w.net, &to, 0, &silent[2], NULL));
    (void)world_until(&w, &w.hosts[1].notes[CN_HOST_NOTE_CUT], 1);
    CHECK_EQ(held(1).conns_pending, 2);
    CHECK(strstr(w.hosts[1].note, "too slow") != NULL);
    world_join(&w, 0, 1); /* who speaks comes in */
    CHECK_EQ(held(1).counts.failed_in, 2);
    CHECK_EQ(held(1).conns_pending, 1);
    for (size_t i = 0; i < CN_LEN(silent); i++) {
        cn_net_close(w.net, silent[i]);
    }
    world_end(&w);
}

/* Streams that nobody reads fill the queues of one connection: it goes, the other one stays. */
static void memory_used_up_ends_the_connection_that_holds_most(void)
{
    world_begin(&w, 3, false, NULL);
    world_join(&w, 0, 2);
    world_join(&w, 1, 2);
    some_turns();
    w.hosts[0].proto.keeps = true; /* windows are never given back */
    cn_id stream = world_say(&w, 2, 0, "hello");
    (void)world_until(&w, &w.hosts[0].proto.got_bytes, 5);
    for (int i = 0; i < 6; i++) {
        static uint8_t much[128 << 10];
        world_write(&w, 2, stream, cn_slice_of(much, sizeof(much)));
        world_turn(&w);
    }
    CHECK_EQ(w.hosts[2].notes[CN_HOST_NOTE_CUT], 0);
    w.hosts[2].mem.limit_bytes = w.hosts[2].mem.used_bytes + w.hosts[2].mem.used_bytes / 30;
    (void)world_until(&w, &w.hosts[2].notes[CN_HOST_NOTE_CUT], 1);
    CHECK(strstr(w.hosts[2].note, "memory") != NULL);
    CHECK(!cn_host_is_connected(w.hosts[2].h, &w.hosts[0].id));
    CHECK(cn_host_is_connected(w.hosts[2].h, &w.hosts[1].id));
    CHECK_EQ(held(2).counts.cut_memory, 1);
    w.hosts[2].mem.limit_bytes = 0;
    world_end(&w);
}

/* Who reads its echoes may have as many as it likes, one after the other. */
static void pings_that_are_read_go_on(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 2, pipes == 1, NULL);
        world_join(&w, 0, 1);
        for (size_t i = 1; i <= 5; i++) {
            cn_id id = CN_ID_NONE;
            CHECK_OK(cn_host_ping(
                w.hosts[0].h, &w.hosts[1].id, 20 * CN_NS_PER_S, world_pinged, &w.hosts[0], &id));
            (void)world_until(&w, &w.hosts[0].pings, i);
            CHECK_OK(w.hosts[0].ping_err);
            some_turns();
        }
        CHECK_EQ(w.hosts[1].notes[CN_HOST_NOTE_STREAM], 0);
        world_end(&w);
    }
}

/* 4 KiB of unread echoes may wait, no more. */
static void echoes_that_nobody_reads_are_bounded(void)
{
    static const char *const names[] = {"/ipfs/ping/1.0.0"};
    world_begin(&w, 2, false, NULL);
    world_join(&w, 0, 1);
    cn_id stream = CN_ID_NONE;
    static uint8_t bytes[256 << 10];
    w.hosts[0].proto.keeps = true;
    CHECK_OK(cn_host_stream(w.hosts[0].h, &w.hosts[0].proto.p, &w.hosts[1].id, names, 1, &stream));
    for (int i = 0; i < 4 && w.hosts[0].proto.resets == 0; i++) {
        world_write(&w, 0, stream, cn_slice_of(bytes, sizeof(bytes) / 2));
        some_turns();
    }
    (void)world_until(&w, &w.hosts[0].proto.resets, 1);
    CHECK_EQ(w.hosts[1].notes[CN_HOST_NOTE_STREAM], 1);
    CHECK(cn_host_is_connected(w.hosts[1].h, &w.hosts[0].id));
    world_end(&w);
}

static void memory_near_its_limit_lets_nobody_in(void)
{
    world_begin(&w, 2, false, NULL);
    w.hosts[1].mem.limit_bytes = w.hosts[1].mem.used_bytes + w.hosts[1].mem.used_bytes / 20;
    CHECK_OK(world_dial(&w, 0, 1));
    (void)world_until(&w, &w.hosts[1].notes[CN_HOST_NOTE_REFUSED], 1);
    CHECK_EQ(held(1).counts.refused_memory, 1);
    CHECK(strstr(w.hosts[1].note, "memory") != NULL);
    w.hosts[1].mem.limit_bytes = 0;
    world_end(&w);
}

/* The last to come is spared as too young, so the one without worth is to come before it. */
static void the_worthless_go_when_there_are_too_many(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        cn_host_options o = {
            .conns_low = 2, .conns_high = 2, .grace_ns = 1, .silence_ns = CN_NS_PER_MS};
        world_begin(&w, 4, pipes == 1, &o);
        CHECK_OK(cn_host_tag(w.hosts[3].h, &w.hosts[2].id, "bitswap", 50));
        CHECK_OK(cn_host_protect(w.hosts[3].h, &w.hosts[0].id, "friend"));
        world_join(&w, 0, 3);
        world_join(&w, 1, 3);
        some_turns();
        CHECK_EQ(held(3).counts.trimmed, 0); /* at the mark, not above it */
        CHECK_OK(world_dial(&w, 2, 3));
        (void)world_until(&w, &w.hosts[3].proto.downs, 1);
        some_turns();
        CHECK(cn_host_is_connected(w.hosts[3].h, &w.hosts[0].id));
        CHECK(!cn_host_is_connected(w.hosts[3].h, &w.hosts[1].id));
        CHECK(cn_host_is_connected(w.hosts[3].h, &w.hosts[2].id));
        CHECK_EQ(held(3).counts.trimmed, 1);
        CHECK_EQ(w.hosts[3].notes[CN_HOST_NOTE_TRIMMED], 1);
        world_end(&w);
    }
}

static void no_protected_one_goes_however_many_there_are(void)
{
    cn_host_options o = {.conns_low = 1, .conns_high = 1, .grace_ns = 1, .silence_ns = 1};
    world_begin(&w, 3, true, &o);
    CHECK_OK(cn_host_protect(w.hosts[2].h, &w.hosts[0].id, "friend"));
    CHECK_OK(cn_host_protect(w.hosts[2].h, &w.hosts[1].id, "friend"));
    world_join(&w, 0, 2);
    world_join(&w, 1, 2);
    some_turns();
    CHECK_EQ(held(2).conns_up, 2);
    cn_host_unprotect(w.hosts[2].h, &w.hosts[1].id, "friend");
    (void)world_until(&w, &w.hosts[2].proto.downs, 1);
    CHECK(cn_host_is_connected(w.hosts[2].h, &w.hosts[0].id));
    world_end(&w);
}

static void the_young_are_spared(void)
{
    cn_host_options o = {
        .conns_low = 1, .conns_high = 1, .grace_ns = 3600 * CN_NS_PER_S, .silence_ns = 1};
    world_begin(&w, 3, true, &o);
    world_join(&w, 0, 2);
    world_join(&w, 1, 2);
    some_turns();
    CHECK_EQ(held(2).conns_up, 2);
    world_end(&w);
}

static void peering_comes_back(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 2, pipes == 1, NULL);
        cn_slice at = world_address(&w, 1);
        size_t position = 0;
        cn_host_peered peered = {0};
        CHECK_ERR(cn_host_peering_add(w.hosts[0].h, &w.hosts[0].id, &at, 1), CN_ERR_USAGE);
        CHECK_OK(cn_host_peering_add(w.hosts[0].h, &w.hosts[1].id, &at, 1));
        CHECK(cn_host_peerings(w.hosts[0].h, &position, &peered));
        CHECK(cn_peer_id_eq(&peered.peer, &w.hosts[1].id));
        CHECK_EQ(peered.addresses_len, 1);
        CHECK(!cn_host_peerings(w.hosts[0].h, &position, &peered));
        (void)world_until(&w, &w.hosts[0].proto.ups, 1);
        (void)world_until(&w, &w.hosts[1].proto.ups, 1);
        CHECK(cn_host_disconnect(w.hosts[1].h, &w.hosts[0].id));
        (void)world_until(&w, &w.hosts[0].proto.downs, 1);
        (void)world_until(&w, &w.hosts[0].proto.ups, 2); /* within 5 s */
        (void)world_until(&w, &w.hosts[1].proto.ups, 2);
        CHECK(cn_host_peering_remove(w.hosts[0].h, &w.hosts[1].id));
        CHECK(!cn_host_peering_remove(w.hosts[0].h, &w.hosts[1].id));
        CHECK(cn_host_is_connected(w.hosts[0].h, &w.hosts[1].id));
        CHECK(cn_host_disconnect(w.hosts[1].h, &w.hosts[0].id));
        (void)world_until(&w, &w.hosts[0].proto.downs, 2);
        world_end(&w);
    }
}

static void a_peer_that_vanishes_is_told_to_all_that_it_touches(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 3, pipes == 1, NULL);
        world_join(&w, 0, 2);
        world_join(&w, 1, 2);
        (void)world_say(&w, 0, 2, "x");
        (void)world_say(&w, 1, 2, "x");
        (void)world_until(&w, &w.hosts[2].proto.opened, 2);
        cn_id ping = CN_ID_NONE;
        CHECK_OK(cn_host_ping(
            w.hosts[0].h, &w.hosts[2].id, 10 * CN_NS_PER_S, world_pinged, &w.hosts[0], &ping));
        world_kill(&w, 2);
        for (size_t i = 0; i < 2; i++) {
            (void)world_until(&w, &w.hosts[i].proto.downs, 1);
            CHECK_EQ(w.hosts[i].proto.resets, 1);
            CHECK_EQ(held(i).conns, 0);
            CHECK_EQ(held(i).streams, 0);
            CHECK_EQ(held(i).peers, 0);
        }
        CHECK_EQ(w.hosts[0].pings, 1);
        CHECK(w.hosts[0].ping_err != CN_OK);
        world_end(&w);
    }
}

static void both_dial_at_once(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 2, pipes == 1, NULL);
        CHECK_OK(world_dial(&w, 0, 1));
        CHECK_OK(world_dial(&w, 1, 0));
        for (size_t i = 0; i < 2; i++) {
            (void)world_until(&w, &w.hosts[i].dialled, 1);
            CHECK_OK(w.hosts[i].err);
            CHECK_EQ(w.hosts[i].proto.ups, 1);
        }
        some_turns();
        CHECK(cn_host_disconnect(w.hosts[0].h, &w.hosts[1].id)); /* all of them */
        (void)world_until(&w, &w.hosts[1].proto.downs, 1);
        CHECK_EQ(held(0).conns, 0);
        CHECK_EQ(held(1).conns, 0);
        CHECK(!cn_host_disconnect(w.hosts[0].h, &w.hosts[1].id));
        world_end(&w);
    }
}

/* What one connection costs on both sides together is within twice the bound of one. */
static void an_idle_connection_is_small(void)
{
    enum { IDLE_MAX_BYTES = 12 << 10 };
    world_begin(&w, 4, false, NULL);
    world_join(&w, 0, 3); /* buffers of the transports are taken with the first */
    world_join(&w, 1, 2);
    for (int i = 0; i < 50 && held(3).streams > 0; i++) {
        world_turn(&w);
    }
    size_t before = w.hosts[3].mem.used_bytes;
    world_join(&w, 1, 3);
    for (int i = 0; i < 50 && held(3).streams > 0; i++) {
        world_turn(&w);
    }
    size_t taken = w.hosts[3].mem.used_bytes - before;
    CHECK(taken < IDLE_MAX_BYTES);
    world_end(&w);
}

int main(void)
{
    TEST(connections_are_bounded_at_the_limit_and_one_past_it);
    TEST(no_more_is_dialled_than_allowed);
    TEST(filters_hold_for_callers);
    TEST(silent_callers_make_way);
    TEST(memory_used_up_ends_the_connection_that_holds_most);
    TEST(pings_that_are_read_go_on);
    TEST(echoes_that_nobody_reads_are_bounded);
    TEST(memory_near_its_limit_lets_nobody_in);
    TEST(the_worthless_go_when_there_are_too_many);
    TEST(no_protected_one_goes_however_many_there_are);
    TEST(the_young_are_spared);
    TEST(peering_comes_back);
    TEST(a_peer_that_vanishes_is_told_to_all_that_it_touches);
    TEST(both_dial_at_once);
    TEST(an_idle_connection_is_small);
    return test_end();
}
