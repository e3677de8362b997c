/*
 * Whole nodes of the exchange, joined by a host in memory, over real stores and workers.
 */
#include "host_double.h"
#include "nodes.h"

static void a_block_is_fetched_and_stored(void)
{
    nodes_begin(2);
    put_range(0, 0, 1, 1000);
    double_join(0, 1);
    fetch_range(1, 0, 1, 1000);
    CHECK(run_until_done(1));
    check_range(1, 0, 1, 1000);
    nodes_end();
}

static void large_blocks_go(void)
{
    nodes_begin(2);
    put_range(0, 0, 64, 1 << 20);
    double_join(0, 1);
    fetch_range(1, 0, 64, 1 << 20);
    CHECK(run_until_done(1));
    check_range(1, 0, 64, 1 << 20);
    cn_bitswap_stats stats;
    cn_bitswap_stat(nodes[1].bitswap, &stats);
    CHECK_EQ(stats.client.blocks, 64);
    CHECK_EQ(stats.client.duplicates, 0);
    cn_bitswap_stat(nodes[0].bitswap, &stats);
    CHECK_EQ(stats.engine.block_bytes, 64 << 20);
    CHECK_EQ(stats.engine.held_bytes, 0);
    nodes_end();
}

static void many_small_blocks_go(void)
{
    nodes_begin(2);
    put_range(0, 0, 5000, 4096);
    double_join(0, 1);
    fetch_range(1, 0, 5000, 4096);
    CHECK(run_until_done(1));
    check_range(1, 0, 5000, 4096);
    nodes_end();
}

static void five_nodes_share(void)
{
    nodes_begin(5);
    for (size_t i = 0; i < 4; i++) {
        put_range(i, 0, 64, 1 << 20);
        double_join(i, 4);
    }
    fetch_range(4, 0, 64, 1 << 20);
    CHECK(run_until_done(4));
    check_range(4, 0, 64, 1 << 20);
    cn_bitswap_stats stats;
    cn_bitswap_stat(nodes[4].bitswap, &stats);
    CHECK_EQ(stats.client.blocks, 64);
    CHECK_EQ(stats.client.duplicates, 0);
    nodes_end();
}

static void parts_at_different_nodes_are_found(void)
{
    nodes_begin(5);
    for (size_t i = 0; i < 4; i++) {
        put_range(i, 200 * i, 200, 5000);
        double_join(i, 4);
    }
    fetch_range(4, 0, 800, 5000);
    CHECK(run_until_done(4));
    check_range(4, 0, 800, 5000);
    nodes_end();
}

static void a_lost_peer_is_replaced(void)
{
    nodes_begin(3);
    put_range(0, 0, 200, 100 << 10);
    put_range(1, 0, 200, 100 << 10);
    double_join(0, 2);
    double_join(1, 2);
    fetch_range(2, 0, 200, 100 << 10);
    while (nodes[2].arrived < 40) {
        double_turn();
    }
    double_part(0, 2);
    CHECK(run_until_done(2));
    check_range(2, 0, 200, 100 << 10);
    nodes_end();
}

static void what_comes_later_is_served(void)
{
    nodes_begin(2);
    double_join(0, 1);
    fetch_range(1, 0, 10, 3000);
    for (int i = 0; i < 100; i++) {
        double_turn();
    }
    CHECK_EQ(nodes[1].arrived, 0);
    CHECK(nodes[1].idles > 0);
    put_range(0, 0, 10, 3000);
    have_range(0, 0, 10, 3000);
    CHECK(run_until_done(1));
    check_range(1, 0, 10, 3000);
    nodes_end();
}

static void old_versions_are_served(void)
{
    static const char *const names[] = {"/ipfs/bitswap/1.1.0", "/ipfs/bitswap/1.0.0"};
    for (size_t i = 0; i < CN_LEN(names); i++) {
        nodes_begin(2);
        put_range_v0(0, 0, 20, 3000);
        double_hosts[0].speaks = double_hosts[1].speaks = names[i];
        double_join(0, 1);
        fetch_range_v0(1, 0, 20, 3000);
        CHECK(run_until_done(1));
        nodes_end();
    }
}

int main(void)
{
    TEST(a_block_is_fetched_and_stored);
    TEST(large_blocks_go);
    TEST(many_small_blocks_go);
    TEST(five_nodes_share);
    TEST(parts_at_different_nodes_are_found);
    TEST(a_lost_peer_is_replaced);
    TEST(what_comes_later_is_served);
    TEST(old_versions_are_served);
    return test_end();
}
