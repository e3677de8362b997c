/*
 * Holding the store with others or alone: exclusion, limits, and that a collection beside threads
 * that add and unpin never takes what is pinned.
 */
#include "lib/test.h"
#include "multiformats/multihash.h"
#include "node/latch.h"
#include "rt_os/rt_os.h"
#include "store/gc.h"
#include "store/pin.h"
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>

static cn_rt *rt;

typedef struct limit {
    atomic_int asked;
    int most;
    cn_err then;
} limit;

static cn_err ask(void *ctx)
{
    limit *l = ctx;
    return atomic_fetch_add(&l->asked, 1) + 1 >= l->most ? l->then : CN_OK;
}

static cn_latch *fresh(void)
{
    cn_latch *g = NULL;
    CHECK_OK(cn_latch_new(rt, cn_mem_default(), &g));
    return g;
}

static void many_share_and_one_is_alone(void)
{
    cn_latch *g = fresh();
    cn_latch_hold a = {0};
    cn_latch_hold b = {0};
    cn_latch_hold c = {0};
    limit l = {.most = 2, .then = CN_ERR_TIMEOUT};
    const cn_latch_wait wait = {ask, &l};
    CHECK_OK(cn_latch_share(g, NULL, &a));
    CHECK_OK(cn_latch_share(g, &wait, &b));
    CHECK_ERR(cn_latch_exclude(g, &wait, &c), CN_ERR_TIMEOUT);
    CHECK(c.latch == NULL);
    CHECK_EQ(l.asked, 2);
    cn_latch_give(&a);
    cn_latch_give(&a); /* nothing any more */
    l = (limit){.most = 1, .then = CN_ERR_CANCELLED};
    CHECK_ERR(cn_latch_exclude(g, &wait, &c), CN_ERR_CANCELLED);
    cn_latch_give(&b);
    CHECK_EQ(cn_latch_rounds(g), 0);
    CHECK_OK(cn_latch_exclude(g, &wait, &c));
    CHECK_EQ(cn_latch_rounds(g), 1);
    CHECK(!cn_latch_is_wanted(g));
    l = (limit){.most = 1, .then = CN_ERR_TIMEOUT};
    CHECK_ERR(cn_latch_share(g, &wait, &a), CN_ERR_TIMEOUT);
    CHECK_ERR(cn_latch_exclude(g, &wait, &a), CN_ERR_TIMEOUT);
    cn_latch_give(&c);
    CHECK_OK(cn_latch_share(g, &wait, &a));
    cn_latch_give(&a);
    cn_latch_free(g);
}

typedef struct waiter {
    cn_latch *latch;
    atomic_bool got;
    atomic_bool stop;
} waiter;

static cn_err until_stopped(void *ctx)
{
    return atomic_load(&((waiter *)ctx)->stop) ? CN_ERR_CANCELLED : CN_OK;
}

static void *wait_alone(void *ctx)
{
    waiter *w = ctx;
    cn_latch_hold hold = {0};
    const cn_latch_wait wait = {until_stopped, w};
    atomic_store(&w->got, cn_latch_exclude(w->latch, &wait, &hold) == CN_OK);
    cn_latch_give(&hold);
    return NULL;
}

/* One that never gives its hold back keeps the collection out, but other writers only a while. */
static void a_stuck_writer_stops_no_other(void)
{
    waiter w = {.latch = fresh()};
    cn_latch_hold stuck = {0};
    cn_latch_hold other = {0};
    pthread_t thread;
    limit l = {.most = 3, .then = CN_ERR_TIMEOUT};
    const cn_latch_wait wait = {ask, &l};
    CHECK_OK(cn_latch_share(w.latch, NULL, &stuck));
    CHECK_EQ(pthread_create(&thread, NULL, wait_alone, &w), 0);
    while (cn_latch_share(w.latch, &wait, &other) == CN_OK) { /* until it waits */
        cn_latch_give(&other);
    }
    CHECK(cn_latch_is_wanted(w.latch));
    CHECK_EQ(l.asked, 3); /* the one who waits goes first */
    cn_time before = cn_rt_now(rt);
    CHECK_OK(cn_latch_share(w.latch, NULL, &other));
    CHECK(cn_rt_now(rt).ns - before.ns >= CN_LATCH_YIELD_NS);
    CHECK(!atomic_load(&w.got));
    cn_latch_give(&other);
    cn_latch_give(&stuck);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(atomic_load(&w.got));
    cn_latch_free(w.latch);
}

/* What a command does that waits for a block: the other goes first, and that can be seen. */
static void one_who_steps_aside_lets_it_by(void)
{
    waiter w = {.latch = fresh()};
    cn_latch_hold held = {0};
    pthread_t thread;
    CHECK_OK(cn_latch_share(w.latch, NULL, &held));
    CHECK_EQ(pthread_create(&thread, NULL, wait_alone, &w), 0);
    while (cn_latch_rounds(w.latch) == 0) {
        if (cn_latch_is_wanted(w.latch)) {
            cn_latch_give(&held);
            CHECK_OK(cn_latch_share(w.latch, NULL, &held));
        }
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(atomic_load(&w.got));
    CHECK_EQ(cn_latch_rounds(w.latch), 1);
    cn_latch_give(&held);
    cn_latch_free(w.latch);
}

static void one_who_gives_up_lets_others_on(void)
{
    waiter w = {.latch = fresh()};
    cn_latch_hold held = {0};
    cn_latch_hold other = {0};
    pthread_t thread;
    CHECK_OK(cn_latch_share(w.latch, NULL, &held));
    CHECK_EQ(pthread_create(&thread, NULL, wait_alone, &w), 0);
    atomic_store(&w.stop, true);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    bool at_once = false; /* a busy machine may stop us for so long, but not each time */
    for (int i = 0; i < 5 && !at_once; i++) {
        cn_time before = cn_rt_now(rt);
        CHECK_OK(cn_latch_share(w.latch, NULL, &other));
        at_once = cn_rt_now(rt).ns - before.ns < CN_LATCH_YIELD_NS;
        cn_latch_give(&other);
    }
    CHECK(at_once);
    cn_latch_give(&held);
    cn_latch_free(w.latch);
}

enum { WRITERS = 3, ROUNDS = 60, COLLECTIONS = 30 };

typedef struct shared_store {
    cn_latch *latch;
    cn_store *store;
    cn_pins *pins;
    atomic_int lost;
    atomic_int failed;
} shared_store;

typedef struct writer {
    shared_store *s;
    unsigned number;
} writer;

static void made(unsigned writer_number, unsigned round, uint8_t data[64], cn_cid *ret)
{
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    for (size_t i = 0; i < 64; i++) {
        data[i] = 0;
    }
    (void)snprintf((char *)data, 64, "block %u of writer %u", round, writer_number);
    CN_ASSERT(cn_multihash_sum(CN_MH_SHA2_256, 0, cn_slice_of(data, 64), digest, &len) == CN_OK);
    const cn_multihash mh = {CN_MH_SHA2_256, cn_slice_of(digest, len)};
    CN_ASSERT(cn_cid_make(1, CN_CODEC_RAW, &mh, ret) == CN_OK);
}

static cn_err keep(shared_store *s, const cn_cid *cid, cn_slice data)
{
    cn_latch_hold hold = {0};
    cn_err err = CN_OK;
    const cn_store_put put = {cid, data};
    CN_TRY(cn_latch_share(s->latch, NULL, &hold));
    CN_TRY(cn_store_put_many(s->store, &put, 1, NULL));
    CN_TRY(cn_store_flush(s->store, NULL));
    CN_TRY(cn_pins_set(s->pins, cid, CN_PIN_DIRECT, cn_str(""), NULL));
out:
    cn_latch_give(&hold);
    return err;
}

static cn_err drop(shared_store *s, const cn_cid *cid)
{
    cn_latch_hold hold = {0};
    cn_err err = cn_latch_share(s->latch, NULL, &hold);
    CN_TRY(err);
    err = cn_pins_remove(s->pins, cid, CN_PIN_ANY, NULL);
out:
    cn_latch_give(&hold);
    return err;
}

/* Keep blocks, look for each at once and later, let go of every other one and keep it again. */
static void *write_blocks(void *ctx)
{
    writer *w = ctx;
    uint8_t data[64];
    cn_cid cid;
    bool has = false;
    for (unsigned i = 0; i < ROUNDS; i++) {
        made(w->number, i, data, &cid);
        bool good = keep(w->s, &cid, cn_slice_of(data, 64)) == CN_OK;
        if (i % 2 == 0) {
            good = good && drop(w->s, &cid) == CN_OK;
            good = good && keep(w->s, &cid, cn_slice_of(data, 64)) == CN_OK;
        }
        good = good && cn_store_has(w->s->store, &cid, &has) == CN_OK;
        atomic_fetch_add(&w->s->failed, good ? 0 : 1);
        atomic_fetch_add(&w->s->lost, good && !has ? 1 : 0);
        if (i % 3 == 0) {
            atomic_fetch_add(&w->s->failed, drop(w->s, &cid) == CN_OK ? 0 : 1);
        }
    }
    return NULL;
}

static cn_err mark(void *ctx, const cn_pin *pin)
{
    return cn_gc_mark(ctx, &pin->cid, NULL);
}

static cn_err collect(shared_store *s)
{
    cn_latch_hold hold = {0};
    cn_gc *gc = NULL;
    bool done = false;
    cn_err err = CN_OK;
    CN_TRY(cn_latch_exclude(s->latch, NULL, &hold));
    CN_TRY(cn_gc_new(s->store, &gc, NULL));
    CN_TRY(cn_pins_each(s->pins, CN_PIN_ANY, mark, gc, NULL));
    while (!done) {
        CN_TRY(cn_gc_sweep(gc, NULL, NULL, &done, NULL));
    }
out:
    cn_gc_free(gc);
    cn_latch_give(&hold);
    return err;
}

static void nothing_pinned_is_collected(void)
{
    shared_store s = {.latch = fresh()};
    pthread_t threads[WRITERS];
    writer writers[WRITERS];
    uint8_t data[64];
    cn_cid cid;
    bool has = false;
    char dir[256];
    (void)snprintf(dir, sizeof dir, "%s/s", test_temp_dir());
    const cn_store_options options = {
        .mem = cn_mem_default(), .rt = rt, .dir = dir, .reserve_bytes = UINT64_MAX};
    if (!CHECK_OK(cn_store_open(&options, &s.store, NULL)) ||
        !CHECK_OK(cn_pins_open(s.store, &s.pins, NULL))) {
        return;
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (writer){&s, i};
        CHECK_EQ(pthread_create(&threads[i], NULL, write_blocks, &writers[i]), 0);
    }
    for (unsigned i = 0; i < COLLECTIONS; i++) {
        CHECK_OK(collect(&s));
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    }
    CHECK_OK(collect(&s));
    CHECK_EQ(s.failed, 0);
    CHECK_EQ(s.lost, 0);
    for (unsigned i = 0; i < WRITERS * ROUNDS; i++) {
        made(i / ROUNDS, i % ROUNDS, data, &cid);
        CHECK_OK(cn_store_has(s.store, &cid, &has));
        CHECK_EQ(has, i % ROUNDS % 3 != 0);
    }
    cn_pins_close(s.pins);
    cn_store_close(s.store);
    cn_latch_free(s.latch);
}

static cn_err attempt(cn_mem *mem)
{
    cn_latch *g = NULL;
    cn_err err = cn_latch_new(rt, mem, &g);
    cn_latch_free(err == CN_OK ? g : NULL);
    return err;
}

static void out_of_memory(void)
{
    test_out_of_memory(attempt);
}

int main(void)
{
    CHECK_OK(cn_rt_os_new(0, &rt));
    TEST(many_share_and_one_is_alone);
    TEST(a_stuck_writer_stops_no_other);
    TEST(one_who_gives_up_lets_others_on);
    TEST(one_who_steps_aside_lets_it_by);
    TEST(nothing_pinned_is_collected);
    TEST(out_of_memory);
    cn_rt_os_free(rt);
    return test_end();
}
