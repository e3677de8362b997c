/*
 * Observed addresses: four observers make one believed, households count once, three per listen
 * address, what closed connections said runs out, and what is of no use is passed over.
 */
#include "p2p/host/observed.h"

#include "host_lib.h"

#include <stdio.h>

static const char LISTEN[] = "/ip4/10.0.0.5/tcp/4001";

static cn_id conn_of(unsigned number)
{
    return (cn_id){number, 1};
}

static void report(
    cn_observed *o, unsigned number, const char *listen, const char *remote, const char *observed)
{
    CHECK_OK(cn_observed_add(
        o,
        &(cn_observed_report){
            conn_of(number), address_of(listen), address_of(remote), address_of(observed)},
        at_s(0)));
}

/* A report of connection `number` by an observer with that number in its address. */
static void report_from(cn_observed *o, unsigned number, const char *observed)
{
    char remote[64];
    (void)snprintf(remote, sizeof(remote), "/ip4/9.%u.%u.1/tcp/1", number / 256, number % 256);
    report(o, number, LISTEN, remote, observed);
}

static void check_list(const cn_observed *o, int64_t now, const char *const *texts, size_t len)
{
    cn_slice got[10];
    size_t n = cn_observed_list(o, at_s(now), got, CN_LEN(got));
    CHECK_EQ(n, len);
    for (size_t i = 0; i < len && i < n; i++) {
        CHECK_BYTES(got[i], address_of(texts[i]));
    }
}

static const char *const SEEN[] = {"/ip4/5.5.5.5/tcp/4001"};

static void four_observers_make_one_believed(void)
{
    cn_observed o;
    cn_observed_init(&o, cn_mem_default());
    for (unsigned i = 0; i < 3; i++) {
        report_from(&o, i, SEEN[0]);
        check_list(&o, 0, NULL, 0);
    }
    report(&o, 50, LISTEN, "/ip4/9.0.2.1/tcp/77", SEEN[0]); /* the third once more */
    check_list(&o, 0, NULL, 0);
    CHECK_EQ(cn_observed_count(&o, address_of(LISTEN), address_of(SEEN[0]), at_s(0)), 3);
    report_from(&o, 3, SEEN[0]);
    check_list(&o, 0, SEEN, 1);
    CHECK_EQ(cn_observed_count(&o, address_of(LISTEN), address_of(SEEN[0]), at_s(0)), 4);
    report_from(&o, 3, "/ip4/5.5.5.6/tcp/4001"); /* changed its mind */
    check_list(&o, 0, NULL, 0);
    cn_observed_release(&o);
}

static void one_household_is_one_observer(void)
{
    static const char *const households[] = {"2001:db8:0:100", "2001:db8:0:200", "2001:db8:0:300"};
    static const char *const seen[] = {"/ip6/2001:db9::1/tcp/4001"};
    char remote[64];
    cn_observed o;
    cn_observed_init(&o, cn_mem_default());
    for (unsigned i = 0; i < 30; i++) {
        (void)snprintf(remote, sizeof(remote), "/ip6/%s::%x/tcp/1", households[i % 3], i + 1);
        report(&o, i, "/ip6/fd00::1/tcp/4001", remote, seen[0]);
    }
    check_list(&o, 0, NULL, 0);
    report(&o, 30, "/ip6/fd00::1/tcp/4001", "/ip6/2001:db8:0:4ff::1/tcp/1", seen[0]);
    check_list(&o, 0, seen, 1);
    cn_observed_release(&o);
}

static void three_per_listen_address_the_best_first(void)
{
    static const char *const best[] = {
        "/ip4/5.5.5.4/tcp/1", "/ip4/5.5.5.3/tcp/1", "/ip4/5.5.5.2/tcp/1"};
    cn_observed o;
    cn_slice got[2];
    unsigned number = 0;
    char observed[64];
    cn_observed_init(&o, cn_mem_default());
    for (unsigned which = 0; which < 5; which++) {
        for (unsigned i = 0; i < 4 + which; i++) {
            (void)snprintf(observed, sizeof(observed), "/ip4/5.5.5.%u/tcp/1", which);
            report_from(&o, number++, observed);
        }
    }
    check_list(&o, 0, best, 3);
    CHECK_EQ(cn_observed_list(&o, at_s(0), got, 2), 2);
    CHECK_EQ(cn_observed_list(&o, at_s(0), got, 0), 0);
    for (unsigned i = 0; i < 4; i++) { /* another listen address, the same observed: no repeat */
        char remote[64];
        (void)snprintf(remote, sizeof(remote), "/ip4/9.9.%u.1/tcp/1", i);
        report(&o, 100 + i, "/ip4/10.0.0.5/tcp/4002", remote, best[0]);
        report(&o, 200 + i, "/ip4/10.0.0.5/tcp/4003", remote, "/ip4/5.5.5.9/tcp/1");
    }
    static const char *const both[] = {
        "/ip4/5.5.5.4/tcp/1", "/ip4/5.5.5.3/tcp/1", "/ip4/5.5.5.2/tcp/1", "/ip4/5.5.5.9/tcp/1"};
    check_list(&o, 0, both, 4);
    cn_observed_release(&o);
}

static void closed_connections_run_out(void)
{
    cn_observed o;
    cn_observed_init(&o, cn_mem_default());
    for (unsigned i = 0; i < 4; i++) {
        report_from(&o, i, SEEN[0]);
    }
    check_list(&o, 1000000, SEEN, 1); /* open: holds */
    cn_observed_closed(&o, conn_of(2), at_s(100));
    cn_observed_closed(&o, conn_of(99), at_s(100));
    check_list(&o, 699, SEEN, 1);
    check_list(&o, 700, NULL, 0);
    report(&o, 60, LISTEN, "/ip4/9.0.2.1/tcp/5", SEEN[0]); /* the same observer again */
    check_list(&o, 700, SEEN, 1);
    cn_observed_release(&o);
}

static void what_is_of_no_use_is_passed_over(void)
{
    static const char *const cases[][3] = {
        {LISTEN, "/ip4/9.9.9.9/tcp/1", "/ip4/192.168.1.1/tcp/1"},
        {LISTEN, "/ip4/192.168.1.9/tcp/1", "/ip4/5.5.5.5/tcp/1"},
        {LISTEN, "/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/1"},
        {LISTEN, "/ip4/9.9.9.9/tcp/1", "/ip4/127.0.0.1/tcp/1"},
        {LISTEN, "/ip4/9.9.9.9/tcp/1", "/ip4/0.0.0.0/tcp/1"},
        {LISTEN, "/ip4/9.9.9.9/tcp/1", "/ip6/2001:db8::1/tcp/1"},
        {LISTEN, "/ip4/9.9.9.9/tcp/1", "/ip4/5.5.5.5/udp/1/quic-v1"},
        {LISTEN, "/ip4/9.9.9.9/tcp/1", "/ip4/5.5.5.5/tcp/1/ws"},
        {LISTEN, "/dns4/example.com/tcp/1", "/ip4/5.5.5.5/tcp/1"},
        {LISTEN,
         "/ip4/9.9.9.9/tcp/1/p2p/12D3KooWB1b3qZxWJanuhtseF3DmPggHCtG36KZ9ixkqHtdKH9fh/p2p-circuit",
         "/ip4/5.5.5.5/tcp/1"}};
    cn_observed o;
    cn_observed_init(&o, cn_mem_default());
    for (unsigned i = 0; i < CN_LEN(cases); i++) {
        report(&o, i, cases[i][0], cases[i][1], cases[i][2]);
        CHECK_EQ(o.len, 0);
    }
    report(&o, 1, LISTEN, "/ip4/192.168.1.9/tcp/1", "/ip4/192.168.1.5/tcp/1");
    report(
        &o, 2, "/ip4/10.0.0.5/udp/1/quic-v1", "/ip4/9.9.9.9/udp/1/quic-v1",
        "/ip4/5.5.5.5/udp/7/quic-v1");
    CHECK_EQ(o.len, 2);
    cn_observed_release(&o);
}

static void reports_are_bounded(void)
{
    cn_observed o;
    cn_observed_init(&o, cn_mem_default());
    for (unsigned i = 0; i < CN_OBSERVED_MAX; i++) {
        report_from(&o, i, SEEN[0]);
    }
    CHECK_EQ(o.len, CN_OBSERVED_MAX);
    report_from(&o, 5000, "/ip4/6.6.6.6/tcp/1"); /* all are open: the new one is not taken */
    CHECK_EQ(o.len, CN_OBSERVED_MAX);
    CHECK_EQ(
        cn_observed_count(&o, address_of(LISTEN), address_of("/ip4/6.6.6.6/tcp/1"), at_s(0)), 0);
    cn_observed_closed(&o, conn_of(7), at_s(0));
    report_from(&o, 5000, "/ip4/6.6.6.6/tcp/1");
    CHECK_EQ(o.len, CN_OBSERVED_MAX);
    CHECK_EQ(
        cn_observed_count(&o, address_of(LISTEN), address_of("/ip4/6.6.6.6/tcp/1"), at_s(0)), 1);
    check_list(&o, 0, SEEN, 1);
    cn_observed_release(&o);
}

static cn_err add_with(cn_mem *mem)
{
    cn_err err = CN_OK;
    cn_observed o;
    cn_observed_init(&o, mem);
    CN_TRY(cn_observed_add(
        &o,
        &(cn_observed_report){
            conn_of(1), address_of(LISTEN), address_of("/ip4/9.9.9.9/tcp/1"), address_of(SEEN[0])},
        at_s(0)));
    CHECK_EQ(o.len, 1);
out:
    cn_observed_release(&o);
    return err;
}

static void running_out_of_memory_is_an_error(void)
{
    test_out_of_memory(add_with);
}

int main(void)
{
    TEST(four_observers_make_one_believed);
    TEST(one_household_is_one_observer);
    TEST(three_per_listen_address_the_best_first);
    TEST(closed_connections_run_out);
    TEST(what_is_of_no_use_is_passed_over);
    TEST(reports_are_bounded);
    TEST(running_out_of_memory_is_an_error);
    return host_lib_end();
}
