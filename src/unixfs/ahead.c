/*
 * Reading ahead. A batch is free when the machine has been given all of it, or wants nothing of it
 * any more. A block that could not be read ahead is asked for once more when its turn comes, on the
 * caller's thread, which may wait and has the sentence.
 *
 * Invariants: a batch that is running is touched by its worker alone; the block given last stays
 * where it is until the machine wants another.
 */
#include "unixfs/ahead.h"

struct cn_ahead_batch {
    cn_work work; /* first: cast back from it */
    cn_blocks *blocks;
    size_t len;
    bool running; /* submitted, not waited for yet */
    cn_cid cids[CN_AHEAD_BATCH];
    cn_buf bufs[CN_AHEAD_BATCH];
    cn_err errs[CN_AHEAD_BATCH];
    bool used[CN_AHEAD_BATCH]; /* given to the machine */
};

static void read_batch(cn_work *w)
{
    cn_ahead_batch *b = (cn_ahead_batch *)w;
    cn_blocks_get_many(b->blocks, b->cids, b->len, b->bufs, b->errs);
}

void cn_ahead_init(cn_ahead *a, const cn_ahead_options *options)
{
    *a = (cn_ahead){.options = *options};
    if (a->options.block_max_bytes == 0) {
        a->options.block_max_bytes = CN_DRIVE_BLOCK_MAX_BYTES;
    }
    cn_buf_init(&a->plain, options->mem, a->options.block_max_bytes);
}

static cn_err make_batches(cn_ahead *a)
{
    const cn_ahead_options *o = &a->options;
    a->batches = cn_alloc_array(o->mem, CN_AHEAD_BATCHES, sizeof *a->batches);
    if (a->batches == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < CN_AHEAD_BATCHES; i++) {
        a->batches[i].work.run = read_batch;
        a->batches[i].blocks = o->blocks;
        for (size_t k = 0; k < CN_AHEAD_BATCH; k++) {
            cn_buf_init(&a->batches[i].bufs[k], o->mem, o->block_max_bytes);
        }
    }
    return CN_OK;
}

static void wait_for(cn_ahead *a, cn_ahead_batch *b)
{
    if (b->running) {
        cn_rt_work_wait(a->options.rt, &b->work);
        b->running = false;
    }
}

void cn_ahead_release(cn_ahead *a)
{
    for (size_t i = 0; a->batches != NULL && i < CN_AHEAD_BATCHES; i++) {
        wait_for(a, &a->batches[i]);
        for (size_t k = 0; k < CN_AHEAD_BATCH; k++) {
            cn_buf_release(&a->batches[i].bufs[k]);
        }
    }
    if (a->batches != NULL) {
        cn_free(a->options.mem, a->batches);
    }
    cn_buf_release(&a->plain);
    *a = (cn_ahead){0};
}

/* The batch that holds `cid` and has not given it yet, and where in it. */
static cn_ahead_batch *find(const cn_ahead *a, const cn_cid *cid, size_t *ret_at)
{
    for (size_t i = 0; a->batches != NULL && i < CN_AHEAD_BATCHES; i++) {
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

bool cn_ahead_has(const cn_ahead *a, const cn_cid *cid)
{
    size_t at = 0;
    return find(a, cid, &at) != NULL;
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

/* Tell the source of the wants behind the one that it was told last, or of all. */
static void tell_source(cn_ahead *a, const cn_pull *want)
{
    size_t from = want->wants_len;
    while (from > 0 && !cn_cid_eq(&want->wants[from - 1], &a->told)) {
        from--;
    }
    if (from < want->wants_len) {
        cn_blocks_expect(a->options.blocks, want->wants + from, want->wants_len - from);
        a->told = want->wants[want->wants_len - 1];
    }
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
        cn_rt_work_submit(a->options.rt, &b->work);
    }
}

/* The block `cid` as it was read ahead; false if it was not, or could not be. */
static bool take_from_batch(cn_ahead *a, const cn_cid *cid, cn_slice *ret)
{
    size_t at = 0;
    cn_ahead_batch *b = find(a, cid, &at);
    if (b == NULL) {
        return false;
    }
    wait_for(a, b);
    b->used[at] = true;
    if (b->errs[at] != CN_OK) {
        return false;
    }
    a->lent = b;
    a->lent_at = at;
    *ret = cn_buf_slice(&b->bufs[at]);
    return true;
}

/*
 * Not where the wanted block is at hand: the workers would only fill many buffers, which costs the
 * processor's caches more than it gains.
 */
static cn_err read_ahead(cn_ahead *a, const cn_pull *want)
{
    cn_err err = CN_OK;
    if (!cn_ahead_has(a, &want->wants[0]) &&
        cn_blocks_is_at_hand(a->options.blocks, &want->wants[0])) {
        return CN_OK;
    }
    if (a->batches == NULL) {
        CN_TRY(make_batches(a));
    }
    send_workers(a, want);
out:
    return err;
}

/* Find the block that is wanted: in hand already, read ahead, or got now. */
static cn_err find_block(cn_ahead *a, const cn_pull *want, cn_slice *ret, cn_why *why)
{
    const cn_cid *cid = &want->wants[0];
    cn_err err = CN_OK;
    if (a->lent != NULL && cn_cid_eq(&a->lent->cids[a->lent_at], cid)) {
        *ret = cn_buf_slice(&a->lent->bufs[a->lent_at]); /* content that repeats */
        return CN_OK;
    }
    a->lent = NULL;
    if (want->wants_len > 1) {
        tell_source(a, want);
        CN_TRY(read_ahead(a, want));
    }
    if (take_from_batch(a, cid, ret)) {
        return CN_OK;
    }
    CN_TRY(cn_blocks_get(a->options.blocks, cid, &a->plain, why));
    *ret = cn_buf_slice(&a->plain);
out:
    return err;
}

cn_err cn_ahead_next(cn_ahead *a, cn_pull_machine *m, cn_pull *ret, cn_why *why)
{
    for (;;) {
        cn_slice block = {0};
        cn_why missing = {0};
        cn_err err = cn_pull_next(m, ret, why);
        if (err != CN_OK || ret->kind != CN_PULL_WANT) {
            return err;
        }
        err = a->options.check == NULL ? CN_OK : a->options.check(a->options.ctx);
        if (err != CN_OK) {
            return err;
        }
        err = find_block(a, ret, &block, &missing);
        if (err == CN_OK) {
            err = cn_pull_give(m, &ret->wants[0], block, why);
        } else if (err != CN_ERR_BUSY) {
            err = cn_pull_fail(m, err, &missing);
        }
        if (err != CN_OK) {
            return missing.text[0] == '\0' ? err : cn_why_set(why, err, "%s", missing.text);
        }
    }
}
