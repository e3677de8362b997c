/*
 * The gate: each limit at it and one past it, by address and by network, what is exempt, and the
 * pace of new connections.
 */
#include "p2p/host/gate.h"

#include "base/prng.h"
#include "host_lib.h"

#include <stdio.h>

static cn_err enter_at(
    cn_gate *g, cn_slice remote, bool inbound, int64_t now_ns, cn_gate_pass *ret, const char *says)
{
    cn_why why = {{0}};
    cn_err err = cn_gate_enter(g, remote, inbound, (cn_time){now_ns}, ret, &why);
    CHECK((err == CN_OK) == (why.text[0] == '\0'));
    if (says != NULL && !CHECK(strstr(why.text, says) != NULL)) {
        printf("  %s\n", why.text);
    }
    return err;
}

enum { TEXT_BYTES = 64 };

/* `pattern` with a number in the place of its '#'. */
static void put_number(const char *pattern, unsigned number, char text[TEXT_BYTES])
{
    size_t at = cn_slice_find(cn_str(pattern), '#');
    (void)snprintf(text, TEXT_BYTES, "%.*s%u%s", (int)at, pattern, number, pattern + at + 1);
}

/* `n` go in, one more does not; then all leave and one goes in again. */
static void check_limit(
    const cn_gate_limits *limits, const char *pattern, size_t n, bool inbound, const char *says)
{
    cn_gate g;
    cn_gate_pass passes[20] = {0};
    cn_gate_pass more = {0};
    char text[TEXT_BYTES];
    cn_gate_init(&g, cn_mem_default(), limits);
    for (size_t i = 0; i < n; i++) {
        put_number(pattern, (unsigned)i + 1, text);
        CHECK_OK(enter_at(&g, address_of(text), inbound, 0, &passes[i], NULL));
    }
    put_number(pattern, (unsigned)n + 1, text);
    CHECK_ERR(enter_at(&g, address_of(text), inbound, 0, &more, says), CN_ERR_TOO_LARGE);
    CHECK(!more.held);
    CHECK_EQ(g.total, n);
    for (size_t i = 0; i < n; i++) {
        cn_gate_leave(&g, &passes[i]);
        cn_gate_leave(&g, &passes[i]);
    }
    CHECK_EQ(g.total + g.inbound + g.pending + g.addresses.len + g.networks.len, 0);
    CHECK_OK(enter_at(&g, address_of(text), inbound, 0, &more, NULL));
    cn_gate_leave(&g, &more);
    cn_gate_release(&g);
}

static void limits_hold_to_the_one(void)
{
    const cn_gate_limits by_total = {.total_max = 3};
    const cn_gate_limits by_inbound = {.inbound_max = 3};
    const cn_gate_limits by_pending = {.pending_max = 3};
    const cn_gate_limits by_address = {.address_max = 3};
    const cn_gate_limits by_network = {.network_max = 3};
    check_limit(&by_total, "/ip4/9.0.#.1/tcp/1", 3, true, "3 connections are open");
    check_limit(&by_total, "/ip4/127.0.0.#/tcp/1", 3, false, "3 connections are open");
    check_limit(&by_inbound, "/ip4/9.0.#.1/tcp/1", 3, true, "3 inbound");
    check_limit(&by_pending, "/ip4/9.0.#.1/tcp/1", 3, true, "being set up");
    check_limit(&by_address, "/ip4/9.0.0.1/tcp/#", 3, true, "with this address");
    check_limit(&by_address, "/ip4/9.0.0.1/tcp/#", 3, false, "with this address");
    check_limit(&by_address, "/ip6/2001:db8:0:70#::1/tcp/1", 3, true, "/56");
    check_limit(&by_address, "/ip6/::ffff:9.0.0.1/tcp/#", 3, true, "with this address");
    check_limit(&by_network, "/ip4/9.0.0.#/tcp/1", 3, true, "/24");
    check_limit(&by_network, "/ip6/2001:db8:0:#00::1/tcp/1", 3, true, "/48");
    check_limit(NULL, "/ip4/9.0.0.1/tcp/#", 8, true, "8 connections with this address");
}

static void other_networks_are_not_counted_together(void)
{
    static const char *const apart[] = {
        "/ip4/9.0.0.1/tcp/1",      "/ip4/9.0.1.1/tcp/1", "/ip6/900:1:2:3::1/tcp/1",
        "/ip6/900:1:3:3::1/tcp/1", "/ip6/fe80::1/tcp/1", "/ip6zone/eth0/ip6/fe80:0:1::1/tcp/1"};
    const cn_gate_limits limits = {.network_max = 1, .address_max = 1};
    cn_gate g;
    cn_gate_pass pass = {0};
    cn_gate_init(&g, cn_mem_default(), &limits);
    for (size_t i = 0; i < CN_LEN(apart); i++) {
        CHECK_OK(enter_at(&g, address_of(apart[i]), true, 0, &pass, NULL));
        CHECK_ERR(enter_at(&g, address_of(apart[i]), true, 0, &pass, NULL), CN_ERR_TOO_LARGE);
    }
    cn_gate_release(&g);
}

static void some_are_exempt(void)
{
    static const char *const exempt[] = {
        "/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/1", "/ip4/10.7.0.1/tcp/1", "/dns4/example.com/tcp/1",
        "/ip4/9.0.0.1/tcp/1/p2p/12D3KooWB1b3qZxWJanuhtseF3DmPggHCtG36KZ9ixkqHtdKH9fh/p2p-circuit"};
    cn_ip_range allow = {{0}, 0, false};
    cn_ip_range deny = {{0}, 0, false};
    CHECK_OK(cn_ip_range_parse(cn_str("10.7.0.0/16"), &allow, NULL));
    CHECK_OK(cn_ip_range_parse(cn_str("/ip4/9.9.0.0/ipcidr/16"), &deny, NULL));
    const cn_gate_limits limits = {
        .address_max = 1,
        .burst = 1,
        .allow = &allow,
        .allow_len = 1,
        .deny = &deny,
        .deny_len = 1,
        .pending_max = 1000};
    cn_gate g;
    cn_gate_pass pass = {0};
    cn_gate_init(&g, cn_mem_default(), &limits);
    for (size_t i = 0; i < CN_LEN(exempt); i++) {
        for (int n = 0; n < 40; n++) {
            CHECK_OK(enter_at(&g, address_of(exempt[i]), true, 0, &pass, NULL));
        }
    }
    CHECK_EQ(g.total, 40 * CN_LEN(exempt));
    CHECK_EQ(g.addresses.len, 0);
    cn_slice denied = address_of("/ip4/9.9.1.1/tcp/1");
    CHECK_ERR(enter_at(&g, denied, true, 0, &pass, "Swarm.AddrFilters"), CN_ERR_PERMISSION);
    CHECK_ERR(enter_at(&g, denied, false, 0, &pass, "Swarm.AddrFilters"), CN_ERR_PERMISSION);
    CHECK(cn_gate_denies(&g, denied) && !cn_gate_denies(&g, address_of("/ip4/9.8.1.1/tcp/1")));
    CHECK(cn_gate_denies(&g, address_of("/ip6/::ffff:9.9.1.1/tcp/1")));
    cn_gate_release(&g);
}

static void settled_ones_are_not_pending(void)
{
    const cn_gate_limits limits = {.pending_max = 1};
    cn_gate g;
    cn_gate_pass one = {0};
    cn_gate_pass two = {0};
    cn_gate_init(&g, cn_mem_default(), &limits);
    CHECK_OK(enter_at(&g, address_of("/ip4/9.0.0.1/tcp/1"), true, 0, &one, NULL));
    CHECK_ERR(
        enter_at(&g, address_of("/ip4/9.0.0.2/tcp/1"), true, 0, &two, NULL), CN_ERR_TOO_LARGE);
    CHECK_OK(enter_at(&g, address_of("/ip4/9.0.0.2/tcp/1"), false, 0, &two, NULL));
    cn_gate_settle(&g, &two); /* never was pending */
    cn_gate_leave(&g, &two);
    CHECK_EQ(g.pending, 1);
    cn_gate_settle(&g, &one);
    cn_gate_settle(&g, &one);
    CHECK_EQ(g.pending, 0);
    CHECK_OK(enter_at(&g, address_of("/ip4/9.0.0.2/tcp/1"), true, 0, &two, NULL));
    CHECK_EQ(g.inbound, 2);
    cn_gate_leave(&g, &one);
    CHECK_EQ(g.pending, 1);
    cn_gate_leave(&g, &two);
    CHECK_EQ(g.pending + g.inbound + g.total, 0);
    cn_gate_release(&g);
}

static void new_ones_of_one_address_are_paced(void)
{
    const cn_gate_limits limits = {.burst = 3, .refill_ns = 1000};
    cn_gate g;
    cn_gate_pass pass = {0};
    cn_slice remote = address_of("/ip4/9.0.0.1/tcp/1");
    static const struct {
        int64_t now;
        bool in;
    } steps[] = {{0, true},    {0, true},    {0, true},     {0, false},
                 {999, false}, {1000, true}, {1000, false}, {9000, true},
                 {9000, true}, {9000, true}, {9999, false}, {10000, true}};
    cn_gate_init(&g, cn_mem_default(), &limits);
    for (size_t i = 0; i < CN_LEN(steps); i++) {
        cn_err expected = steps[i].in ? CN_OK : CN_ERR_BUSY;
        CHECK_ERR(
            enter_at(&g, remote, true, steps[i].now, &pass, steps[i].in ? NULL : "too many new"),
            expected);
        if (steps[i].in) {
            cn_gate_leave(&g, &pass);
        }
        CHECK_EQ(g.addresses.len, 0);
    }
    CHECK_OK(enter_at(&g, remote, false, 10000, &pass, NULL)); /* ours are not paced */
    CHECK_OK(enter_at(&g, address_of("/ip4/9.0.0.2/tcp/1"), true, 10000, &pass, NULL));
    cn_gate_release(&g);
}

/* However many addresses call: handshakes have a rate, and who is exempt is counted too. */
static void new_ones_of_all_addresses_are_paced(void)
{
    const cn_gate_limits limits = {.all_burst = 3, .all_refill_ns = 1000};
    cn_gate g;
    cn_gate_pass pass = {0};
    cn_gate_init(&g, cn_mem_default(), &limits);
    CHECK_OK(enter_at(&g, address_of("/ip4/9.0.0.1/tcp/1"), true, 5000, &pass, NULL));
    CHECK_OK(enter_at(&g, address_of("/ip4/9.1.0.1/tcp/1"), true, 5000, &pass, NULL));
    CHECK_OK(enter_at(&g, address_of("/ip4/127.0.0.1/tcp/1"), true, 5000, &pass, NULL));
    cn_slice next = address_of("/ip4/9.3.0.1/tcp/1");
    CHECK_ERR(enter_at(&g, next, true, 5999, &pass, "from all addresses"), CN_ERR_BUSY);
    CHECK_EQ(g.total, 3);
    CHECK_OK(enter_at(&g, next, false, 5999, &pass, NULL)); /* ours are not paced */
    CHECK_OK(enter_at(&g, next, true, 6000, &pass, NULL));
    CHECK_ERR(enter_at(&g, next, true, 6000, &pass, "from all addresses"), CN_ERR_BUSY);
    cn_gate_release(&g);
}

/* An attacker with very many addresses fills no memory. */
static void buckets_are_bounded(void)
{
    const cn_gate_limits limits = {.burst = 1, .all_burst = 30000};
    cn_gate g;
    cn_gate_pass pass = {0};
    uint8_t address[8] = {4, 9, 0, 0, 0, 6, 0, 1};
    cn_gate_init(&g, cn_mem_default(), &limits);
    for (unsigned i = 0; i < 30000; i++) {
        address[2] = (uint8_t)(i >> 16);
        address[3] = (uint8_t)(i >> 8);
        address[4] = (uint8_t)i;
        CHECK_OK(enter_at(&g, cn_slice_of(address, 8), true, 0, &pass, NULL));
        cn_gate_leave(&g, &pass);
    }
    CHECK(g.buckets.len <= 8192);
    CHECK_ERR(enter_at(&g, cn_slice_of(address, 8), true, 0, &pass, NULL), CN_ERR_BUSY);
    cn_gate_release(&g);
}

static void counts_agree_with_what_is_held(void)
{
    const cn_gate_limits limits = {
        .total_max = 30, .address_max = 4, .network_max = 10, .pending_max = 9};
    cn_gate g;
    cn_prng p;
    cn_gate_pass held[40] = {0};
    cn_prng_init(&p, 3);
    cn_gate_init(&g, cn_mem_default(), &limits);
    for (int round = 0; round < 20000; round++) {
        size_t i = (size_t)cn_prng_below(&p, CN_LEN(held));
        size_t count = 0;
        uint8_t address[8] = {4, 9, 0, (uint8_t)cn_prng_below(&p, 3), (uint8_t)cn_prng_below(&p, 9),
                              6, 0, 1};
        if (held[i].held) {
            if (cn_prng_below(&p, 2) == 0) {
                cn_gate_settle(&g, &held[i]);
            } else {
                cn_gate_leave(&g, &held[i]);
            }
        } else {
            (void)!cn_gate_enter(
                &g, cn_slice_of(address, 8), cn_prng_below(&p, 2) == 0, at_s(round), &held[i],
                NULL);
        }
        for (size_t k = 0; k < CN_LEN(held); k++) {
            count += held[k].held;
        }
        if (count != g.total || g.total > 30 || g.pending > 9 || g.pending > g.inbound) {
            FAIL("counts are off");
            break;
        }
    }
    for (size_t k = 0; k < CN_LEN(held); k++) {
        cn_gate_leave(&g, &held[k]);
    }
    CHECK_EQ(g.total + g.inbound + g.pending + g.addresses.len + g.networks.len, 0);
    cn_gate_release(&g);
}

static cn_err enter_with(cn_mem *mem)
{
    cn_err err = CN_OK;
    cn_gate g;
    cn_gate_pass pass = {0};
    cn_gate_init(&g, mem, NULL);
    err = cn_gate_enter(&g, address_of("/ip4/9.0.0.1/tcp/1"), true, at_s(0), &pass, NULL);
    CHECK_EQ(g.total, err == CN_OK);
    cn_gate_leave(&g, &pass);
    CHECK_EQ(g.addresses.len + g.networks.len, 0);
    cn_gate_release(&g);
    return err;
}

static void running_out_of_memory_is_an_error(void)
{
    test_out_of_memory(enter_with);
}

int main(void)
{
    TEST(limits_hold_to_the_one);
    TEST(other_networks_are_not_counted_together);
    TEST(some_are_exempt);
    TEST(settled_ones_are_not_pending);
    TEST(new_ones_of_one_address_are_paced);
    TEST(new_ones_of_all_addresses_are_paced);
    TEST(buckets_are_bounded);
    TEST(counts_agree_with_what_is_held);
    TEST(running_out_of_memory_is_an_error);
    return host_lib_end();
}
