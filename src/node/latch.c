/*
 * Counts under one lock, which is never held for long. `alone` excludes `sharers`: at any moment
 * one of the two is zero or false.
 */
#include "node/latch.h"

#include "rt/lock.h"

#define ASK_EVERY_NS (20 * CN_NS_PER_MS)

struct cn_latch {
    cn_rt *rt;
    cn_mem *mem;
    cn_lock *lock;
    cn_cond *changed;
    size_t sharers;
    size_t waiting;  /* to be alone */
    uint64_t rounds; /* of being alone */
    bool alone;
};

cn_err cn_latch_new(cn_rt *rt, cn_mem *mem, cn_latch **ret)
{
    cn_err err = CN_OK;
    cn_latch *g = cn_alloc(mem, sizeof *g);
    CN_TRY(g == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    g->rt = rt;
    g->mem = mem;
    CN_TRY(cn_lock_new(mem, &g->lock));
    CN_TRY(cn_cond_new(mem, &g->changed));
    *ret = g;
    g = NULL;
out:
    cn_latch_free(g);
    return err;
}

void cn_latch_free(cn_latch *g)
{
    if (g != NULL) {
        CN_ASSERT(g->sharers == 0 && g->waiting == 0 && !g->alone);
        cn_cond_free(g->changed);
        cn_lock_free(g->lock);
        cn_free(g->mem, g);
    }
}

/* Sleep a little with the lock given up. The check is asked without it: it may do anything. */
static cn_err wait_once(cn_latch *g, const cn_latch_wait *wait)
{
    cn_err err = CN_OK;
    cn_cond_wait(g->changed, g->lock, ASK_EVERY_NS);
    if (wait != NULL && wait->check != NULL) {
        cn_lock_give(g->lock);
        err = wait->check(wait->ctx);
        cn_lock_take(g->lock);
    }
    return err;
}

cn_err cn_latch_share(cn_latch *g, const cn_latch_wait *wait, cn_latch_hold *ret)
{
    cn_err err = CN_OK;
    cn_time yield_end = cn_time_after(cn_rt_now(g->rt), CN_LATCH_YIELD_NS);
    cn_lock_take(g->lock);
    while (err == CN_OK && (g->alone || (g->waiting > 0 && cn_rt_now(g->rt).ns < yield_end.ns))) {
        err = wait_once(g, wait);
    }
    if (err == CN_OK) {
        g->sharers++;
        *ret = (cn_latch_hold){.latch = g, .alone = false};
    }
    cn_lock_give(g->lock);
    return err;
}

cn_err cn_latch_exclude(cn_latch *g, const cn_latch_wait *wait, cn_latch_hold *ret)
{
    cn_err err = CN_OK;
    cn_lock_take(g->lock);
    g->waiting++;
    while (err == CN_OK && (g->alone || g->sharers > 0)) {
        err = wait_once(g, wait);
    }
    g->waiting--;
    if (err == CN_OK) {
        g->alone = true;
        g->rounds++;
        *ret = (cn_latch_hold){.latch = g, .alone = true};
    } else {
        cn_cond_wake_all(g->changed); /* those who let us go first need not any more */
    }
    cn_lock_give(g->lock);
    return err;
}

void cn_latch_give(cn_latch_hold *hold)
{
    cn_latch *g = hold->latch;
    if (g == NULL) {
        return;
    }
    cn_lock_take(g->lock);
    CN_ASSERT(hold->alone ? g->alone : g->sharers > 0);
    if (hold->alone) {
        g->alone = false;
    } else {
        g->sharers--;
    }
    cn_cond_wake_all(g->changed);
    cn_lock_give(g->lock);
    *hold = (cn_latch_hold){0};
}

bool cn_latch_is_wanted(cn_latch *g)
{
    cn_lock_take(g->lock);
    bool wanted = g->waiting > 0;
    cn_lock_give(g->lock);
    return wanted;
}

uint64_t cn_latch_rounds(cn_latch *g)
{
    cn_lock_take(g->lock);
    uint64_t rounds = g->rounds;
    cn_lock_give(g->lock);
    return rounds;
}
