/*
 * Reading ahead. A batch is free when the machine has been given all of it, or wants nothing of it
 * any more. Invariant: a batch that is running is touched by its worker alone.
 */
#include "unixfs/ahead.h"

static void read_batch(cn_work *w)
{
    cn_ahead_batch *b = (cn_ahead_batch *)w;
    cn_blocks_get_many(b->blocks, b->cids, b->len, b->bufs, b->errs);
}

void cn_ahead_init(cn_ahead *a, cn_rt *rt, cn_mem *mem, cn_blocks *blocks, size_t block_max_bytes)
{
    *a = (cn_ahead){.rt = rt};
    cn_drive_init(&a->drive, mem, blocks, block_max_bytes);
    for (size_t i = 0; i < CN_AHEAD_BATCHES; i++) {
        a->batches[i].work.run = read_batch;
        a->batches[i].blocks = blocks;
        for (size_t k = 0; k < CN_AHEAD_BATCH; k++) {
            cn_buf_init(&a->batches[i].bufs[k], mem, block_max_bytes);
        }
    }
}

static void wait_for(cn_ahead *a, cn_ahead_batch *b)
{
    if (b->running) {
        cn_rt_work_wait(a->rt, &b->work);
        b->running = false;
    }
}

void cn_ahead_release(cn_ahead *a)
{
    for (size_t i = 0; i < CN_AHEAD_BATCHES; i++) {
        wait_for(a, &a->batches[i]);
        for (size_t k = 0; k < CN_AHEAD_BATCH; k++) {
            cn_buf_release(&a->batches[i].bufs[k]);
        }
    }
    cn_drive_release(&a->drive);
    a->lent = NULL;
}

/* The batch that holds `cid` and has not given it yet, and where in it. */
static cn_ahead_batch *find(cn_ahead *a, const cn_cid *cid, size_t *ret_at)
{
    for (size_t i = 0; i < CN_AHEAD_BATCHES; i++) {
        cn_ahead_batch *b = &a->batches[i];
        for (size_t k = 0; k < b->len; k++) {
            if (!b->used[k] && cn_cid_eq(&b->cids[k], cid)) {
                *ret_at = k;
                return b;
            }
        }
    }
    return NULL;
}

static bool is_wanted(const cn_ahead_batch *b, const cn_pull *want)
{
    for (size_t k = 0; k < b->len; k++) {
        for (size_t i = 0; !b->used[k] && i < want->wants_len; i++) {
            if (cn_cid_eq(&b->cids[k], &want->wants[i])) {
                return true;
            }
        }
    }
    return false;
}

static cn_ahead_batch *free_batch(cn_ahead *a, const cn_pull *want)
{
    for (size_t i = 0; i < CN_AHEAD_BATCHES; i++) {
        cn_ahead_batch *b = &a->batches[i];
        if (b != a->lent && !is_wanted(b, want)) {
            wait_for(a, b);
            b->len = 0;
            return b;
        }
    }
    return NULL;
}

/* Send the workers for wants that nobody has been sent for, in whole batches where possible. */
static void send_workers(cn_ahead *a, const cn_pull *want)
{
    size_t next = 0;
    for (;;) {
        cn_ahead_batch *b = next < want->wants_len ? free_batch(a, want) : NULL;
        if (b == NULL) {
            return;
        }
        for (; next < want->wants_len && b->len < CN_AHEAD_BATCH; next++) {
            size_t at = 0;
            if (find(a, &want->wants[next], &at) == NULL) {
                b->cids[b->len] = want->wants[next];
                b->used[b->len++] = false;
            }
        }
        if (b->len == 0) {
            return;
        }
        b->running = true;
        cn_rt_work_submit(a->rt, &b->work);
    }
}

/* Answer the want from a batch; *ret_done says whether there was one that has the block. */
static cn_err
give_from_batch(cn_ahead *a, cn_pull_machine *m, const cn_cid *cid, bool *ret_done, cn_why *why)
{
    size_t at = 0;
    cn_ahead_batch *b = find(a, cid, &at);
    *ret_done = false;
    if (b == NULL) {
        return CN_OK;
    }
    wait_for(a, b);
    b->used[at] = true;
    if (b->errs[at] != CN_OK) {
        return CN_OK; /* asked for once more the plain way, which has the sentence */
    }
    *ret_done = true;
    a->lent = b;
    return cn_pull_give(m, cid, cn_buf_slice(&b->bufs[at]), why);
}

cn_err cn_ahead_next(cn_ahead *a, cn_pull_machine *m, cn_pull *ret, cn_why *why)
{
    for (;;) {
        bool done = false;
        cn_err err = cn_pull_next(m, ret, why);
        if (err != CN_OK || ret->kind != CN_PULL_WANT) {
            return err;
        }
        a->lent = NULL;
        if (ret->wants_len > 1) {
            send_workers(a, ret);
        }
        err = give_from_batch(a, m, &ret->wants[0], &done, why);
        if (err != CN_OK) {
            return err;
        }
        if (!done) {
            return cn_drive_next(&a->drive, m, ret, why);
        }
    }
}
