/*
 * Dial plans: which addresses, in which order, at which delay; what is left out; and by chance that
 * every plan is whole and sorted.
 */
#include "p2p/host/rank.h"

#include "base/prng.h"
#include "host_lib.h"

#include <stdio.h>

typedef struct expected_step {
    const char *text;
    int delay_ms;
} expected_step;

static void check_plan(const cn_rank_input *in, const expected_step *steps, size_t len)
{
    static cn_rank_plan plan;
    cn_buf text = {0};
    cn_buf_init(&text, cn_mem_default(), 1000);
    cn_rank_make(in, &plan);
    CHECK_EQ(plan.len, len);
    CHECK_EQ(plan.left_out, in->addresses_len - len);
    for (size_t i = 0; i < len && i < plan.len; i++) {
        cn_buf_reset(&text);
        CHECK_OK(cn_multiaddr_encode_text(plan.steps[i].address, &text));
        CHECK_BYTES(cn_buf_slice(&text), cn_str(steps[i].text));
        CHECK_EQ(plan.steps[i].delay_ns, steps[i].delay_ms * CN_NS_PER_MS);
        CHECK_EQ(plan.steps[i].relayed, strstr(steps[i].text, "p2p-circuit") != NULL);
    }
    cn_buf_release(&text);
}

enum { ADDRESSES_MAX = 20 };

/* The same for addresses of which nothing is known; `expected` names them in their order. */
static void check_plain(const char *const *texts, size_t len, const expected_step *steps, size_t n)
{
    cn_slice addresses[ADDRESSES_MAX];
    for (size_t i = 0; i < len; i++) {
        addresses[i] = address_of(texts[i]);
    }
    check_plan(&(cn_rank_input){.addresses = addresses, .addresses_len = len}, steps, n);
}

#define CHECK_PLAIN(texts, steps) check_plain(texts, CN_LEN(texts), steps, CN_LEN(steps))

static void tcp_of_both_families_is_raced(void)
{
    static const char *const texts[] = {
        "/ip4/1.1.1.1/tcp/4001", "/ip6/2001:db8::2/tcp/4001", "/ip6/2001:db8::1/tcp/9",
        "/ip4/1.1.1.2/tcp/3"};
    static const expected_step steps[] = {
        {"/ip6/2001:db8::1/tcp/9", 0},
        {"/ip4/1.1.1.2/tcp/3", 250},
        {"/ip6/2001:db8::2/tcp/4001", 500},
        {"/ip4/1.1.1.1/tcp/4001", 500}};
    CHECK_PLAIN(texts, steps);
}

static void one_family_alone_waits_for_nobody(void)
{
    static const char *const texts[] = {
        "/ip4/1.1.1.1/tcp/3", "/ip4/1.1.1.1/tcp/1", "/ip4/1.1.1.1/tcp/2"};
    static const expected_step steps[] = {
        {"/ip4/1.1.1.1/tcp/1", 0}, {"/ip4/1.1.1.1/tcp/2", 250}, {"/ip4/1.1.1.1/tcp/3", 250}};
    static const expected_step one[] = {{"/ip4/1.1.1.1/tcp/3", 0}};
    CHECK_PLAIN(texts, steps);
    check_plain(texts, 1, one, 1);
    check_plain(texts, 0, one, 0);
}

static void quic_comes_before_tcp(void)
{
    static const char *const texts[] = {
        "/ip4/1.1.1.1/tcp/1", "/ip6/2001:db8::1/tcp/1", "/ip4/1.1.1.1/udp/1/quic-v1",
        "/ip6/2001:db8::1/udp/1/quic-v1", "/ip4/1.1.1.1/tcp/443/tls/ws"};
    static const expected_step steps[] = {
        {"/ip6/2001:db8::1/udp/1/quic-v1", 0},
        {"/ip4/1.1.1.1/udp/1/quic-v1", 250},
        {"/ip6/2001:db8::1/tcp/1", 500},
        {"/ip4/1.1.1.1/tcp/1", 750},
        {"/ip4/1.1.1.1/tcp/443/tls/ws", 1000}};
    CHECK_PLAIN(texts, steps);
}

static void private_and_public_run_side_by_side(void)
{
    static const char *const texts[] = {
        "/ip4/1.1.1.1/tcp/1", "/ip4/192.168.1.1/tcp/1", "/ip6/fd00::1/tcp/1",
        "/ip4/192.168.1.1/udp/1/quic-v1"};
    static const expected_step steps[] = {
        {"/ip4/192.168.1.1/udp/1/quic-v1", 0},
        {"/ip4/1.1.1.1/tcp/1", 0},
        {"/ip6/fd00::1/tcp/1", 30},
        {"/ip4/192.168.1.1/tcp/1", 60}};
    CHECK_PLAIN(texts, steps);
}

#define RELAY "/p2p/12D3KooWB1b3qZxWJanuhtseF3DmPggHCtG36KZ9ixkqHtdKH9fh/p2p-circuit"

static void relays_and_others_come_last(void)
{
    static const char *const texts[] = {
        "/dns4/example.com/tcp/1", "/ip4/2.2.2.2/tcp/1" RELAY, "/ip6/2001:db8::9/tcp/1" RELAY,
        "/ip4/1.1.1.1/udp/1/webrtc-direct", "/ip4/1.1.1.1/tcp/1"};
    static const expected_step steps[] = {
        {"/ip4/1.1.1.1/tcp/1", 0},
        {"/ip6/2001:db8::9/tcp/1" RELAY, 500},
        {"/ip4/2.2.2.2/tcp/1" RELAY, 750},
        {"/dns4/example.com/tcp/1", 1750},
        {"/ip4/1.1.1.1/udp/1/webrtc-direct", 1750}};
    static const expected_step alone[] = {{"/dns4/example.com/tcp/1", 0}};
    static const char *const local[] = {"/ip4/2.2.2.2/tcp/1" RELAY, "/ip4/10.1.1.1/tcp/1"};
    static const expected_step with_local[] = {
        {"/ip4/10.1.1.1/tcp/1", 0}, {"/ip4/2.2.2.2/tcp/1" RELAY, 0}};
    CHECK_PLAIN(texts, steps);
    check_plain(texts, 1, alone, 1);
    CHECK_PLAIN(local, with_local);
}

static cn_book_state state_of(cn_book_source source, int64_t success_s, int64_t failure_s)
{
    return (cn_book_state){
        .source = source,
        .expires = at_s(1000),
        .last_success = success_s == 0 ? CN_BOOK_NEVER : at_s(success_s),
        .last_failure = failure_s == 0 ? CN_BOOK_NEVER : at_s(failure_s)};
}

static void the_address_that_worked_starts_at_once(void)
{
    const cn_slice addresses[] = {
        address_of("/ip6/2001:db8::1/tcp/1"), address_of("/ip4/1.1.1.1/tcp/1"),
        address_of("/ip4/1.1.1.1/tcp/9"), address_of("/ip4/1.1.1.1/tcp/8"),
        address_of("/ip4/1.1.1.1/tcp/7")};
    const cn_book_state states[] = {
        state_of(CN_BOOK_TOLD, 0, 0), state_of(CN_BOOK_TOLD, 0, 7), state_of(CN_BOOK_TOLD, 5, 4),
        state_of(CN_BOOK_TOLD, 6, 0), state_of(CN_BOOK_TOLD, 8, 9)};
    static const expected_step steps[] = {
        {"/ip4/1.1.1.1/tcp/8", 0},
        {"/ip6/2001:db8::1/tcp/1", 250},
        {"/ip4/1.1.1.1/tcp/9", 500},
        {"/ip4/1.1.1.1/tcp/1", 500},
        {"/ip4/1.1.1.1/tcp/7", 500}};
    check_plan(
        &(cn_rank_input){.addresses = addresses, .states = states, .addresses_len = 5}, steps, 5);
    /* a direct one that worked goes at once even where QUIC would be first */
    const cn_slice two[] = {address_of("/ip4/1.1.1.1/udp/1/quic-v1"), addresses[2]};
    static const expected_step both[] = {
        {"/ip4/1.1.1.1/tcp/9", 0}, {"/ip4/1.1.1.1/udp/1/quic-v1", 0}};
    check_plan(
        &(cn_rank_input){.addresses = two, .states = states + 1, .addresses_len = 2}, both, 2);
}

static bool only_tcp(void *ctx, cn_slice address)
{
    cn_multiaddr_part part = {0};
    ++*(int *)ctx;
    return cn_multiaddr_find(address, CN_MA_TCP, &part);
}

static void some_are_left_out(void)
{
    cn_ip_range filter = {{0}, 0, false};
    int asked = 0;
    CHECK_OK(cn_ip_range_parse(cn_str("1.1.0.0/16"), &filter, NULL));
    const cn_slice own = address_of("/ip4/5.5.5.5/tcp/1");
    const cn_slice addresses[] = {
        address_of("/ip4/1.1.1.1/tcp/1"),         address_of("/ip4/5.5.5.5/tcp/1"),
        address_of("/ip4/5.5.5.5/tcp/2"),         address_of("/ip4/5.5.5.5/tcp/2"),
        address_of("/ip4/6.6.6.6/udp/1/quic-v1"), address_of("/ip4/0.0.0.0/tcp/1"),
        address_of("/ip4/224.0.0.1/tcp/1")};
    static const expected_step steps[] = {{"/ip4/5.5.5.5/tcp/2", 0}};
    check_plan(
        &(cn_rank_input){
            .addresses = addresses,
            .addresses_len = CN_LEN(addresses),
            .filters = &filter,
            .filters_len = 1,
            .own = &own,
            .own_len = 1,
            .can_dial = only_tcp,
            .ctx = &asked},
        steps, 1);
    CHECK(asked > 0);
}

static void loopback_is_dialled_with_reason_only(void)
{
    const cn_slice addresses[] = {
        address_of("/ip4/127.0.0.1/tcp/1"), address_of("/ip4/192.168.1.5/tcp/1")};
    const cn_slice own[] = {
        address_of("/ip4/127.0.0.1/tcp/7"), address_of("/ip4/192.168.1.5/tcp/7")};
    cn_book_state states[] = {state_of(CN_BOOK_TOLD, 0, 0), state_of(CN_BOOK_TOLD, 0, 0)};
    static const expected_step both[] = {
        {"/ip4/127.0.0.1/tcp/1", 0}, {"/ip4/192.168.1.5/tcp/1", 30}};
    static const expected_step without[] = {{"/ip4/192.168.1.5/tcp/1", 0}};
    cn_rank_input in = {.addresses = addresses, .states = states, .addresses_len = 2};
    check_plan(&in, without, 1); /* another machine's */
    in.own = own;
    in.own_len = 1;
    check_plan(&in, without, 1); /* loopback of ours says nothing */
    in.own_len = 2;
    check_plan(&in, both, 2); /* it has an address of ours */
    in.own_len = 0;
    states[0].source = CN_BOOK_GIVEN;
    check_plan(&in, both, 2);
    states[0] = state_of(CN_BOOK_TOLD, 5, 9);
    check_plan(&in, both, 2);
    states[0] = state_of(CN_BOOK_TOLD, 0, 0);
    in.addresses_len = 1;
    check_plan(&in, both, 1); /* nothing but loopback */
}

static void a_full_plan_keeps_the_best(void)
{
    static cn_slice addresses[CN_RANK_MAX + 10];
    static cn_book_state states[CN_RANK_MAX + 10];
    static cn_rank_plan plan;
    char text[200];
    for (size_t i = 0; i < CN_LEN(addresses); i++) {
        (void)snprintf(text, sizeof(text), "/ip4/1.1.1.1/tcp/%zu%s", i + 1, i < 5 ? RELAY : "");
        addresses[i] = address_of(text);
        states[i] = state_of(CN_BOOK_TOLD, i == CN_LEN(addresses) - 1 ? 3 : 0, 0);
    }
    cn_rank_input in = {.addresses = addresses, .states = states, .addresses_len = CN_RANK_MAX};
    cn_rank_make(&in, &plan);
    CHECK_EQ(plan.len, CN_RANK_MAX);
    CHECK_EQ(plan.left_out, 0);
    in.addresses_len = CN_LEN(addresses);
    cn_rank_make(&in, &plan);
    CHECK_EQ(plan.len, CN_RANK_MAX);
    CHECK_EQ(plan.left_out, 10);
    CHECK_BYTES(plan.steps[0].address, addresses[CN_LEN(addresses) - 1]);
    for (size_t i = 0; i < plan.len; i++) {
        CHECK(!plan.steps[i].relayed);
    }
}

static void plans_by_chance_are_whole_and_sorted(void)
{
    static cn_rank_plan plan;
    cn_prng p;
    cn_prng_init(&p, 17);
    for (int round = 0; round < 500; round++) {
        size_t before = host_addresses.len;
        cn_slice addresses[40];
        cn_book_state states[40];
        size_t len = (size_t)cn_prng_below(&p, 40);
        for (size_t i = 0; i < len; i++) {
            char text[200];
            (void)snprintf(
                text, sizeof(text), "/ip%s%x/%s/%d%s%s",
                cn_prng_below(&p, 2) == 0 ? "6/2001:db8::" : "6/fd00::", (unsigned)i,
                cn_prng_below(&p, 2) == 0 ? "udp" : "tcp", (int)cn_prng_below(&p, 100),
                cn_prng_below(&p, 3) == 0 ? "/quic-v1" : "",
                cn_prng_below(&p, 4) == 0 ? RELAY : "");
            addresses[i] = address_of(text);
            states[i] = state_of(
                CN_BOOK_TOLD, (int64_t)cn_prng_below(&p, 3), (int64_t)cn_prng_below(&p, 3));
        }
        const cn_rank_input in = {.addresses = addresses, .states = states, .addresses_len = len};
        cn_rank_make(&in, &plan);
        CHECK_EQ(plan.len, len);
        for (size_t i = 0; i < plan.len; i++) {
            CHECK(i == 0 || plan.steps[i - 1].delay_ns <= plan.steps[i].delay_ns);
            for (size_t k = 0; k < i; k++) {
                CHECK(!cn_slice_eq(plan.steps[i].address, plan.steps[k].address));
            }
        }
        CHECK(plan.len == 0 || plan.steps[0].delay_ns == 0 || plan.steps[0].relayed);
        host_addresses.len = before;
    }
}

int main(void)
{
    TEST(tcp_of_both_families_is_raced);
    TEST(one_family_alone_waits_for_nobody);
    TEST(quic_comes_before_tcp);
    TEST(private_and_public_run_side_by_side);
    TEST(relays_and_others_come_last);
    TEST(the_address_that_worked_starts_at_once);
    TEST(some_are_left_out);
    TEST(loopback_is_dialled_with_reason_only);
    TEST(a_full_plan_keeps_the_best);
    TEST(plans_by_chance_are_whole_and_sorted);
    return host_lib_end();
}
