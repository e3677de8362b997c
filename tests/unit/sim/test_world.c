/*
 * The world itself: the same seed is the same run, and what breaks a rule is caught.
 */
#include "lib/test.h"
#include "sim/barter.h"
#include "sim/peer.h"
#include "sim/plaintext.h"
#include "sim/scenario.h"
#include "sim/swarm.h"

static uint64_t run(uint64_t seed, size_t nodes)
{
    sim_options o = {.seed = seed, .nodes = nodes, .mix = SIM_MIX_ALL};
    sim_result r = {0};
    const sim_swarm swarm = {.program = &sim_barter, .blocks = 40};
    sim_swarm_run(&swarm, &o, &r);
    CHECK_STR(r.failed.text, "");
    CHECK(r.events > 1000);
    return r.digest;
}

static void a_seed_is_a_run(void)
{
    uint64_t digest = run(1, 6);
    CHECK_EQ(run(1, 6), digest);
    CHECK(run(2, 6) != digest);
    CHECK(run(1, 7) != digest);
}

static int64_t told[8];
static size_t told_len;

static void tell(sim *w, sim_node *n, uint64_t arg)
{
    CN_UNUSED(n);
    told[told_len++] = w->now.ns * 10 + (int64_t)arg;
}

static void events_come_by_time_then_by_number(void)
{
    sim_plan plan = {0};
    sim_plan_calm(&plan);
    sim *w = sim_new(1, &plan);
    told_len = 0;
    sim_after(w, 5, tell, NULL, 0);
    sim_after(w, 3, tell, NULL, 1);
    sim_after(w, 5, tell, NULL, 2);
    sim_after(w, 3, tell, NULL, 3);
    sim_after(w, 9, tell, NULL, 4);
    CHECK(sim_run(w, (cn_time){8}));
    CHECK_EQ(w->now.ns, 8);
    CHECK_EQ(told_len, 4);
    const int64_t expected[] = {31, 33, 50, 52};
    for (size_t i = 0; i < CN_LEN(expected); i++) {
        CHECK_EQ(told[i], expected[i]);
    }
    sim_free(w);
}

/* A program that forgets 100 bytes. */
static void *lost;

static cn_err start(sim_node *n, void **ret_self, cn_why *why)
{
    CN_UNUSED(why);
    lost = cn_alloc(&n->mem, 100);
    *ret_self = n;
    return CN_OK;
}

static void take(void *self, const cn_net_event *event)
{
    CN_UNUSED(self);
    CN_UNUSED(event);
}

static cn_time deadline(const void *self)
{
    CN_UNUSED(self);
    return CN_TIME_NEVER;
}

static void turn(void *self, cn_time now)
{
    CN_UNUSED(self);
    CN_UNUSED(now);
}

static void stop(void *self)
{
    CN_UNUSED(self);
}

static const char *complain(const void *self)
{
    CN_UNUSED(self);
    return "a rule";
}

static sim_program forgetful = {
    .name = "forgetful",
    .start = start,
    .take = take,
    .deadline = deadline,
    .turn = turn,
    .stop = stop};

static void what_a_node_leaves_behind_is_seen(void)
{
    sim_plan plan = {0};
    sim_plan_calm(&plan);
    sim *w = sim_new(1, &plan);
    sim_node *n = sim_add(w, &forgetful, NULL, 0);
    sim_start(n);
    CHECK(sim_run(w, (cn_time){1000}));
    sim_stop(n);
    CHECK_STR(w->failed.text, "node 0 held 100 bytes when it had ended");
    cn_free(&n->mem, lost);
    sim_free(w);
}

static void a_broken_rule_ends_the_run(void)
{
    sim_plan plan = {0};
    sim_plan_calm(&plan);
    sim *w = sim_new(1, &plan);
    forgetful.check = complain;
    sim_node *n = sim_add(w, &forgetful, NULL, 0);
    sim_start(n);
    CHECK(!sim_run(w, (cn_time){1000}));
    CHECK_STR(w->failed.text, "node 0: a rule");
    cn_free(&n->mem, lost);
    sim_free(w);
    forgetful.check = NULL;
}

static void a_block_that_does_not_match_is_seen(void)
{
    sim_plan plan = {0};
    sim_shelf shelf = {0};
    sim_plan_calm(&plan);
    sim *w = sim_new(1, &plan);
    sim_shelf_init(&shelf, w);
    cn_cid cid = sim_shelf_add(&shelf, CN_CODEC_RAW, cn_str("good"));
    CHECK_STR(w->failed.text, "");
    CHECK_OK(cn_blocks_put(&shelf.blocks, &cid, cn_str("evil"), NULL));
    CHECK_STR(w->failed.text, "a block of 4 bytes that does not match its hash was kept");
    sim_shelf_release(&shelf);
    sim_free(w);
}

static void mixes_are_read(void)
{
    unsigned mix = 0;
    cn_why why = {{0}};
    CHECK_OK(sim_plan_parse_mix("loss,crash", &mix, &why));
    CHECK_EQ(mix, 1u << SIM_FAULT_LOSS | 1u << SIM_FAULT_CRASH);
    CHECK_OK(sim_plan_parse_mix("none", &mix, &why));
    CHECK_EQ(mix, 0);
    CHECK_OK(sim_plan_parse_mix("all", &mix, &why));
    CHECK_EQ(mix, SIM_MIX_ALL);
    CHECK_ERR(sim_plan_parse_mix("loss,rain", &mix, &why), CN_ERR_USAGE);
    CHECK(why.text[0] != '\0');
}

/* Two ends of plaintext, by hand: they know each other, and a lie is refused. */
static void plaintext_believes_only_what_fits(void)
{
    sim_plan plan = {0};
    sim_peer peers[2];
    cn_security *kinds[2] = {NULL, NULL};
    cn_secure *ends[2] = {NULL, NULL};
    cn_buf out[2] = {{0}, {0}};
    cn_slice plain = {0};
    size_t used = 0;
    cn_why why = {{0}};
    sim_plan_calm(&plan);
    sim *w = sim_new(1, &plan);
    for (int i = 0; i < 2; i++) {
        cn_secure_options o = {.mem = cn_mem_default(), .is_initiator = i == 0};
        sim_peer_init(&peers[i], w);
        cn_buf_init(&out[i], cn_mem_default(), 4096);
        CHECK_OK(sim_plaintext_new(cn_mem_default(), peers[i].key, &kinds[i]));
        CHECK_OK(cn_secure_open(kinds[i], &o, &ends[i], &why));
        CHECK_OK(cn_secure_begin(ends[i], &out[i], &why));
    }
    CHECK_OK(cn_secure_take(ends[0], out[1].data, 10, &used, &plain, &out[0], &why));
    CHECK_EQ(used, 0);
    CHECK_OK(cn_secure_take(ends[0], out[1].data, out[1].len, &used, &plain, &out[0], &why));
    CHECK_EQ(used, out[1].len);
    CHECK(ends[0]->is_established && cn_peer_id_eq(&ends[0]->peer, &peers[1].id));
    out[0].data[20] ^= 1; /* in the id */
    CHECK_ERR(
        cn_secure_take(ends[1], out[0].data, out[0].len, &used, &plain, &out[1], &why),
        CN_ERR_MALFORMED);
    CHECK(!ends[1]->is_established);
    for (int i = 0; i < 2; i++) {
        cn_secure_free(ends[i]);
        kinds[i]->free(kinds[i]);
        cn_buf_release(&out[i]);
        sim_peer_release(&peers[i]);
    }
    sim_free(w);
}

int main(void)
{
    TEST(a_seed_is_a_run);
    TEST(events_come_by_time_then_by_number);
    TEST(what_a_node_leaves_behind_is_seen);
    TEST(a_broken_rule_ends_the_run);
    TEST(a_block_that_does_not_match_is_seen);
    TEST(mixes_are_read);
    TEST(plaintext_believes_only_what_fits);
    return test_end();
}
