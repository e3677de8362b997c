/*
 * Whole nodes of the exchange, joined by a host in memory, over real stores and workers.
 */
#include "host_double.h"
#include "nodes.h"

#include "exchange/bitswap/bitswap_internal.h"

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

/* A store whose disk is slow, or full, or which gives wrong bytes. */
typedef struct odd_blocks {
    cn_blocks blocks; /* first: cast back from it */
    cn_blocks *inner;
    bool is_slow;
    bool is_full;
    bool is_wrong;
} odd_blocks;

static cn_err odd_get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
{
    const odd_blocks *o = (const odd_blocks *)b;
    cn_err err = cn_blocks_get(o->inner, cid, ret, why);
    if (err == CN_OK && o->is_wrong) {
        ret->data[0] ^= 1;
    }
    return err;
}

static cn_err odd_size(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes)
{
    return cn_blocks_size(((const odd_blocks *)b)->inner, cid, ret_bytes);
}

static cn_err odd_put(cn_blocks *b, const cn_cid *cid, cn_slice data, cn_why *why)
{
    const odd_blocks *o = (const odd_blocks *)b;
    if (o->is_slow) {
        (void)usleep(20000);
    }
    return o->is_full ? cn_why_set(why, CN_ERR_NO_SPACE, "full")
                      : cn_blocks_put(o->inner, cid, data, why);
}

static const cn_blocks_ops odd_ops = {.get = odd_get, .size = odd_size, .put = odd_put};
static odd_blocks odd[2];

/* As nodes_begin, with node `i` over an odd store. */
static void begin_odd(size_t len, size_t i)
{
    double_begin(len);
    for (size_t k = 0; k < len; k++) {
        node_begin(k);
        if (k == i) {
            odd[0] = (odd_blocks){.blocks = {&odd_ops}, .inner = nodes[k].blocks};
            nodes[k].blocks = &odd[0].blocks;
            nodes[k].arriving_bytes = 1 << 20;
        }
        node_join_exchange(k);
    }
}

static void a_slow_disk_slows_the_sender(void)
{
    enum { BYTES = 256 << 10, BLOCKS = 100 };
    size_t most = 0;
    begin_odd(2, 1);
    odd[0].is_slow = true;
    put_range(0, 0, BLOCKS, BYTES);
    double_join(0, 1);
    fetch_range(1, 0, BLOCKS, BYTES);
    cn_time limit = cn_time_after(cn_rt_now(double_rt), 60 * CN_NS_PER_S);
    while (nodes[1].arrived < BLOCKS && cn_rt_now(double_rt).ns < limit.ns) {
        cn_bitswap_stats stats;
        double_turn();
        cn_bitswap_stat(nodes[1].bitswap, &stats);
        most = CN_MAX(most, stats.arriving_bytes);
    }
    CHECK_EQ(nodes[1].arrived, BLOCKS);
    /* the bound, and what one window and one message let in beyond it */
    CHECK(most < (1 << 20) + DOUBLE_WINDOW + (1 << 20));
    check_range(1, 0, BLOCKS, BYTES);
    nodes_end();
}

static void a_full_disk_is_told(void)
{
    begin_odd(2, 1);
    odd[0].is_full = true;
    put_range(0, 0, 3, 5000);
    double_join(0, 1);
    fetch_range(1, 0, 3, 5000);
    cn_time limit = cn_time_after(cn_rt_now(double_rt), 30 * CN_NS_PER_S);
    while (nodes[1].failures < 3 && cn_rt_now(double_rt).ns < limit.ns) {
        double_turn();
    }
    CHECK_EQ(nodes[1].failures, 3);
    CHECK_EQ(nodes[1].arrived, 0);
    nodes_end();
}

static void a_liar_does_no_harm(void)
{
    begin_odd(3, 0);
    odd[0].is_wrong = true;
    for (size_t i = 0; i < 2; i++) {
        put_range(i, 0, 50, 5000);
        double_join(i, 2);
    }
    fetch_range(2, 0, 50, 5000);
    CHECK(run_until_done(2));
    check_range(2, 0, 50, 5000);
    CHECK(double_hosts[2].disconnects <= 1);
    nodes_end();
}

/* A message of `bytes` is begun and not ended. */
static cn_id begin_message(size_t from, size_t to, size_t bytes)
{
    static uint8_t piece[64 << 10];
    static const uint8_t length[] = {0xff, 0xff, 0xff, 1}; /* 4 MiB but one */
    cn_protocol *p = double_hosts[to].protocol;
    cn_id id = CN_ID_NONE;
    CHECK_OK(cn_host_stream(&double_hosts[from], NULL, &double_hosts[to].id, cn_bs_names, 1, &id));
    CHECK_OK(p->ops->opened(p, id, &double_hosts[from].id, cn_bs_names[0]));
    double_of(id)->is_opened = true;
    double_of(id)->unconsumed = (size_t)16 << 20; /* windows are not looked at here */
    CHECK_OK(p->ops->data(p, id, cn_slice_of(length, sizeof length)));
    for (size_t sent = 0; sent < bytes; sent += sizeof piece) {
        CHECK_OK(p->ops->data(p, id, cn_slice_of(piece, sizeof piece)));
    }
    return id;
}

static bool is_alive(cn_id id)
{
    return cn_bs_stream_of(nodes[1].bitswap, id) != NULL;
}

/* All may hold 64 MiB: one peer fills it, and it is that one that begins again. */
static void messages_that_never_end_are_bounded(void)
{
    cn_id first[20] = {{0}};
    size_t alive = 0;
    nodes_begin(3);
    double_join(0, 1);
    double_join(2, 1);
    cn_id honest = begin_message(2, 1, 3900 << 10); /* longer than any other */
    for (size_t i = 0; i < CN_LEN(first); i++) {
        first[i] = begin_message(0, 1, 3500 << 10);
        alive += is_alive(first[i]) ? 1 : 0;
        CHECK(nodes[1].bitswap->inbox_bytes <= CN_BS_INBOX_MAX_BYTES);
    }
    CHECK_EQ(alive, CN_LEN(first)); /* each as it came */
    alive = 0;
    for (size_t i = 0; i < CN_LEN(first); i++) {
        alive += is_alive(first[i]) ? 1 : 0;
    }
    CHECK(alive < CN_LEN(first) && alive > CN_LEN(first) / 2);
    CHECK(is_alive(honest));
    nodes_end();
}

static void a_reset_stream_is_opened_again(void)
{
    begin_odd(2, 1);
    put_range(0, 0, 200, 50000);
    double_join(0, 1);
    fetch_range(1, 0, 200, 50000);
    for (size_t i = 0; nodes[1].arrived < 100; i++) {
        double_turn();
        for (size_t k = 0; k < DOUBLE_STREAMS && i % 50 == 49; k++) {
            if (double_streams[k].is_used && double_streams[k].from == &double_hosts[1]) {
                cn_id id = double_id(&double_streams[k]);
                double_free(&double_streams[k]);
                double_hosts[1].protocol->ops->ended(
                    double_hosts[1].protocol, id, CN_STREAM_RESET, "idle");
                double_hosts[0].protocol->ops->ended(
                    double_hosts[0].protocol, id, CN_STREAM_RESET, "idle");
            }
        }
    }
    CHECK(run_until_done(1));
    check_range(1, 0, 200, 50000);
    nodes_end();
}

static void figures_are_kept(void)
{
    cn_bitswap_ledger ledger;
    size_t at = 0;
    const cn_cid *cid = NULL;
    cn_peer_id peer;
    nodes_begin(2);
    put_range(0, 0, 10, 3000);
    double_join(0, 1);
    fetch_range(1, 0, 11, 3000); /* one is nowhere */
    cn_time limit = cn_time_after(cn_rt_now(double_rt), 30 * CN_NS_PER_S);
    while (nodes[1].arrived < 10 && cn_rt_now(double_rt).ns < limit.ns) {
        double_turn();
    }
    CHECK(cn_bitswap_ledger_of(nodes[0].bitswap, &double_hosts[1].id, &ledger));
    CHECK_EQ(ledger.sent_blocks, 10);
    CHECK_EQ(ledger.sent_bytes, 30000);
    CHECK(cn_bitswap_ledger_of(nodes[1].bitswap, &double_hosts[0].id, &ledger));
    CHECK_EQ(ledger.received_bytes, 30000);
    CHECK_EQ(ledger.exchanged, 10);
    CHECK(cn_bitswap_wants(nodes[1].bitswap, &at, &cid));
    CHECK(!cn_bitswap_wants(nodes[1].bitswap, &at, &cid));
    at = 0;
    CHECK(cn_bitswap_wants_of(nodes[0].bitswap, &double_hosts[1].id, &at, &cid));
    at = 0;
    CHECK(cn_bitswap_peers(nodes[0].bitswap, &at, &peer));
    CHECK(cn_peer_id_eq(&peer, &double_hosts[1].id));
    CHECK(!cn_bitswap_ledger_of(nodes[0].bitswap, &double_hosts[0].id, &ledger));
    nodes_end();
}

/* Both nodes of an exchange, of which the fetching one may run out of memory anywhere. */
static void running_out_of_memory_ends_nothing_else(void)
{
    for (long long n = 1; n < 400; n += n < 60 ? 1 : 7) {
        double_begin(2);
        for (size_t i = 0; i < 2; i++) {
            node_begin(i);
        }
        put_range(0, 0, 3, 40000);
        node_join_exchange(0);
        node_join_exchange(1);
        double_join(0, 1);
        atomic_store(&nodes[1].mem.fail_after, n);
        for (uint64_t k = 0; k < 3; k++) {
            cn_cid cid;
            (void)block_of(k, 40000, 1, &cid);
            (void)!nodes[1].x->ops->want(nodes[1].x, nodes[1].session, &cid, 1);
        }
        for (int i = 0; i < 60; i++) {
            double_turn();
        }
        atomic_store(&nodes[1].mem.fail_after, 0);
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
    TEST(a_slow_disk_slows_the_sender);
    TEST(a_full_disk_is_told);
    TEST(a_liar_does_no_harm);
    TEST(messages_that_never_end_are_bounded);
    TEST(a_reset_stream_is_opened_again);
    TEST(figures_are_kept);
    TEST(running_out_of_memory_ends_nothing_else);
    return test_end();
}
