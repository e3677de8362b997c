/*
 * Trimming: when, how many, and who goes first; by chance that the order is that of a plain sort
 * and that nobody goes who must stay.
 */
#include "p2p/host/trim.h"

#include "base/prng.h"
#include "host_lib.h"

static const cn_trim_policy KUBO = {32, 96, 20 * CN_NS_PER_S, 10 * CN_NS_PER_S};

static void it_is_due_above_high_water_and_after_a_silence(void)
{
    CHECK(!cn_trim_due(&KUBO, 96, at_s(0), at_s(1000)));
    CHECK(cn_trim_due(&KUBO, 97, at_s(0), at_s(1000)));
    CHECK(!cn_trim_due(&KUBO, 97, at_s(991), at_s(1000)));
    CHECK(cn_trim_due(&KUBO, 97, at_s(990), at_s(1000)));
    const cn_trim_policy never = {0, 0, 0, 0};
    CHECK(!cn_trim_due(&never, 100000, at_s(0), at_s(1000)));
    CHECK_EQ(cn_trim_count(&never, NULL, 100000, at_s(0)), 0);
}

static void it_closes_down_to_low_water(void)
{
    static cn_trim_conn conns[97];
    for (size_t i = 0; i < CN_LEN(conns); i++) {
        conns[i].opened = at_s(0);
    }
    CHECK_EQ(cn_trim_count(&KUBO, conns, 96, at_s(100)), 0);
    CHECK_EQ(cn_trim_count(&KUBO, conns, 97, at_s(100)), 65);
    CHECK_EQ(cn_trim_count(&KUBO, conns, 97, (cn_time){at_s(20).ns - 1}), 0); /* all young */
    CHECK_EQ(cn_trim_count(&KUBO, conns, 97, at_s(20)), 65);
    for (size_t i = 0; i < 90; i++) {
        conns[i].is_protected = true;
    }
    CHECK_EQ(cn_trim_count(&KUBO, conns, 97, at_s(100)), 7); /* low water is not reached */
    conns[96].opened = at_s(99);
    CHECK_EQ(cn_trim_count(&KUBO, conns, 97, at_s(100)), 6);
}

/* 32 of use that were there before 200 newcomers stay; a 33rd goes, and who is of no use. */
static void newcomers_do_not_drive_out_who_is_of_use(void)
{
    static cn_trim_conn conns[233];
    for (size_t i = 0; i < CN_LEN(conns); i++) {
        conns[i].opened = i < 33 ? at_s(0) : at_s(90);
        conns[i].worth = i < 16 ? 1 : 0;
        conns[i].streams = i >= 16 && i < 32 ? 1 : 0;
    }
    CHECK_EQ(cn_trim_count(&KUBO, conns, CN_LEN(conns), at_s(100)), 1 + 1); /* of 33 settled */
    conns[32].opened = at_s(90);
    CHECK_EQ(cn_trim_count(&KUBO, conns, CN_LEN(conns), at_s(100)), 0);
    conns[0].worth = 0;
    CHECK_EQ(cn_trim_count(&KUBO, conns, CN_LEN(conns), at_s(100)), 1);
    CHECK_EQ(cn_trim_count(&KUBO, conns, CN_LEN(conns), at_s(110)), CN_LEN(conns) - 32);
}

static void who_is_worth_least_goes_first(void)
{
    /* in the order they go */
    const cn_trim_conn conns[] = {
        {.temporary = true, .worth = 9, .streams = 0},
        {.temporary = true, .worth = -1, .streams = 9},
        {.temporary = true, .worth = 9, .streams = 9},
        {.worth = -5, .streams = 0},
        {.worth = 0, .streams = 0, .idle_since = {3}},
        {.worth = 0, .streams = 0, .idle_since = {4}, .opened = {1}},
        {.worth = 0, .streams = 0, .idle_since = {4}, .opened = {2}},
        {.worth = 0, .streams = 0, .idle_since = {4}, .opened = {2}},
        {.worth = 8, .streams = 0},
        {.worth = -6, .streams = 1},
        {.worth = 3, .streams = 1},
        {.worth = 3, .streams = 2},
        {.worth = 4, .streams = 1},
    };
    const cn_trim_policy p = {.low = 1, .high = 2};
    enum { CONNS = CN_LEN(conns) };
    cn_trim_conn turned[CONNS];
    size_t order[CONNS];
    CHECK_EQ(cn_trim_count(&p, conns, CONNS, at_s(1)), CONNS - 1);
    cn_trim_choose(&p, conns, CONNS, at_s(1), order);
    for (size_t i = 0; i < CONNS; i++) {
        CHECK_EQ(order[i], i);
        turned[i] = conns[(i * 5 + 3) % CONNS];
    }
    cn_trim_choose(&p, turned, CONNS, at_s(1), order);
    for (size_t i = 0; i < CONNS; i++) {
        size_t was = (order[i] * 5 + 3) % CONNS;
        CHECK(was == i || ((was == 6 || was == 7) && (i == 6 || i == 7)));
    }
}

static void those_who_must_stay_do(void)
{
    cn_prng p;
    cn_prng_init(&p, 8);
    for (int round = 0; round < 300; round++) {
        cn_trim_conn conns[60] = {{.worth = 0}};
        size_t order[60];
        bool seen[60] = {false};
        size_t len = (size_t)cn_prng_below(&p, 60);
        const cn_trim_policy policy = {
            .low = (size_t)cn_prng_below(&p, 20), .high = 20, .grace_ns = CN_NS_PER_S};
        for (size_t i = 0; i < len; i++) {
            conns[i] = (cn_trim_conn){
                .is_protected = cn_prng_below(&p, 4) == 0,
                .worth = (int64_t)cn_prng_below(&p, 5),
                .opened = at_s((int64_t)cn_prng_below(&p, 4))};
        }
        size_t n = cn_trim_count(&policy, conns, len, at_s(3));
        cn_trim_choose(&policy, conns, len, at_s(3), order);
        CHECK(n == 0 || len - n >= policy.low);
        for (size_t i = 0; i < n; i++) {
            const cn_trim_conn *c = &conns[order[i]];
            CHECK(!seen[order[i]] && !c->is_protected && c->opened.ns <= at_s(2).ns);
            CHECK(i == 0 || conns[order[i - 1]].worth <= c->worth);
            seen[order[i]] = true;
        }
    }
}

int main(void)
{
    TEST(it_is_due_above_high_water_and_after_a_silence);
    TEST(it_closes_down_to_low_water);
    TEST(newcomers_do_not_drive_out_who_is_of_use);
    TEST(who_is_worth_least_goes_first);
    TEST(those_who_must_stay_do);
    return host_lib_end();
}
