/*
 * The thread's side: a cn_blocks that looks into the store, then asks the loop and waits, or says
 * BUSY. Reads ahead of it are hints that the loop deals with.
 */
#include "exchange/fetch/fetch_internal.h"

enum { AGAIN_MAX = 3 }; /* a block that came and was collected at once is fetched again */

static const int64_t check_ns = 100 * CN_NS_PER_MS;
static const int64_t tell_ns = CN_NS_PER_S;

static cn_fetch *of(cn_blocks *b)
{
    return (cn_fetch *)b;
}

static void ring(cn_fetch *f)
{
    if (f->fetcher != NULL) {
        cn_fetch_dirty(f);
        cn_net_wake(f->net);
    }
}

/* What was read ahead is used: there is room for more. Lock held. */
static void use(cn_fetch *f, const cn_cid *cid)
{
    cn_fetch_entry *e = cn_map_get(&f->entries, cn_cid_bytes(cid));
    if (e == NULL || e->state != CN_FETCH_HERE) {
        if (e != NULL) {
            e->is_asked = true; /* in the store already, the loop is about to say so */
        }
        return;
    }
    f->ahead_bytes -= e->bytes;
    (void)cn_map_remove(&f->entries, cn_cid_bytes(cid));
    if (!cn_pile_is_empty(&f->soon)) {
        ring(f);
    }
}

static void use_all(cn_fetch *f, const cn_cid *cids, size_t len, const cn_err *errs)
{
    cn_lock_take(f->hub->lock);
    for (size_t i = 0; i < len && f->entries.len > 0; i++) {
        if (errs[i] == CN_OK) {
            use(f, &cids[i]);
        }
    }
    cn_lock_give(f->hub->lock);
}

/* --- following what is here --- */

static void mail_links(cn_fetch *f, cn_pile *links)
{
    if (cn_pile_is_empty(links)) {
        return;
    }
    cn_lock_take(f->hub->lock);
    cn_pile_turn_over(&f->links, links);
    ring(f);
    cn_lock_give(f->hub->lock);
}

static void look_through(cn_fetch *f, const cn_cid *cid, cn_slice block)
{
    cn_pile links = {0};
    cn_pile_init(&links, f->options.mem, CN_FETCH_PILE_BYTES);
    cn_fetch_links_missing(f->store, cid, block, &links);
    mail_links(f, &links);
    cn_pile_release(&links);
}

/*
 * A node that is here has been read. Until something is missing nothing is looked for: most
 * requests find all they want here.
 */
static void note_here(cn_fetch *f, const cn_cid *cid, cn_slice block)
{
    if (!f->options.follow || !cn_fetch_has_links(cid)) {
        return;
    }
    if (f->has_missed) {
        look_through(f, cid, block);
    } else {
        f->recent[f->recent_len++ % CN_FETCH_RECENT] = *cid;
    }
}

/* The first that is missing: nodes met just before may have more links that are. */
static void note_missing(cn_fetch *f)
{
    cn_buf block = {0};
    if (f->has_missed || !f->options.follow) {
        return;
    }
    f->has_missed = true;
    cn_buf_init(&block, f->options.mem, CN_BLOCK_MAX_BYTES);
    for (size_t i = 0; i < CN_MIN(f->recent_len, (size_t)CN_FETCH_RECENT); i++) {
        if (cn_blocks_get(f->store, &f->recent[i], &block, NULL) == CN_OK) {
            look_through(f, &f->recent[i], cn_buf_slice(&block));
        }
    }
    cn_buf_release(&block);
}

/* --- waiting --- */

/* Ask the loop for the block, if that was not done. Lock held. */
static cn_err ask(cn_fetch *f, const cn_cid *cid)
{
    void *value = NULL;
    bool is_new = false;
    cn_err err = cn_map_put(&f->entries, cn_cid_bytes(cid), &value, &is_new);
    if (err != CN_OK) {
        return err;
    }
    cn_fetch_entry *e = value;
    if (!e->is_asked) {
        err = cn_pile_push(&f->urgent, cid);
        e->is_asked = err == CN_OK;
        if (err != CN_OK && is_new) {
            (void)cn_map_remove(&f->entries, cn_cid_bytes(cid));
            return err;
        }
    }
    f->awaited = *cid;
    f->awaited_since = cn_rt_now(f->rt);
    f->has_awaited = true;
    ring(f);
    return CN_OK;
}

/* Did it end? Then *ret_err says how, and it is forgotten. Lock held. */
static bool has_ended(cn_fetch *f, const cn_cid *cid, cn_err *ret_err, cn_why *why)
{
    const cn_fetch_entry *e = cn_map_get(&f->entries, cn_cid_bytes(cid));
    if (f->fetcher == NULL) {
        *ret_err = cn_why_set(why, CN_ERR_CLOSED, "the network is being shut down");
        return true;
    }
    if (e == NULL || e->state == CN_FETCH_ASKED) {
        *ret_err = CN_OK;
        return e == NULL;
    }
    if (e->state == CN_FETCH_HERE) {
        use(f, cid);
        *ret_err = CN_OK;
        return true;
    }
    *ret_err = cn_why_set(why, e->err, "%s", cn_why_text(&f->failed, e->err));
    (void)cn_map_remove(&f->entries, cn_cid_bytes(cid));
    return true;
}

/* Forget a want that nobody waits for any more; the exchange goes on meanwhile. Lock held. */
static void give_up(cn_fetch *f, const cn_cid *cid)
{
    cn_fetch_entry *e = cn_map_get(&f->entries, cn_cid_bytes(cid));
    f->has_awaited = false;
    if (e != NULL) {
        e->is_asked = false;
    }
}

/* Between two waits, without the lock: is it time to end, or to say something? */
static cn_err between(cn_fetch *f, const cn_cid *cid, cn_time *told, cn_time progress, cn_why *why)
{
    const cn_fetch_options *o = &f->options;
    char text[CN_CID_TEXT_BYTES];
    cn_time now = cn_rt_now(f->rt);
    if (now.ns >= o->deadline.ns) {
        return cn_why_set(
            why, CN_ERR_TIMEOUT, "block %s did not come from any peer in time",
            cn_cid_text(cid, text));
    }
    if (o->waiting != NULL && now.ns - told->ns >= tell_ns) {
        *told = now;
        o->waiting(o->ctx, now.ns - progress.ns);
    }
    return o->check == NULL ? CN_OK : o->check(o->ctx);
}

/* How long to wait before looking again. */
static int64_t nap_ns(const cn_fetch *f)
{
    const cn_fetch_options *o = &f->options;
    int64_t left = o->deadline.ns == INT64_MAX ? -1 : o->deadline.ns - cn_rt_now(f->rt).ns;
    bool looks = o->check != NULL || o->waiting != NULL;
    if (left < 0 && o->deadline.ns != INT64_MAX) {
        return 0;
    }
    return looks && (left < 0 || left > check_ns) ? check_ns : left;
}

/* Until the block is here. BUSY: this request does not wait. */
static cn_err wait_for(cn_fetch *f, const cn_cid *cid, cn_why *why)
{
    cn_err err = CN_OK;
    cn_time told = cn_rt_now(f->rt);
    bool is_over = false;
    note_missing(f);
    cn_lock_take(f->hub->lock);
    if (f->fetcher == NULL || cn_map_get(&f->entries, cn_cid_bytes(cid)) != NULL) {
        is_over = has_ended(f, cid, &err, why);
    }
    if (!is_over) {
        err = ask(f, cid);
    }
    while (!is_over && err == CN_OK) {
        if (f->options.ready != NULL) {
            err = CN_ERR_BUSY;
            break;
        }
        cn_cond_wait(f->cond, f->hub->lock, nap_ns(f));
        is_over = has_ended(f, cid, &err, why);
        if (!is_over) {
            cn_time progress =
                f->progress.ns > f->awaited_since.ns ? f->progress : f->awaited_since;
            cn_lock_give(f->hub->lock);
            err = between(f, cid, &told, progress, why);
            cn_lock_take(f->hub->lock);
        }
    }
    if (err != CN_ERR_BUSY) {
        give_up(f, cid);
    }
    cn_lock_give(f->hub->lock);
    return err;
}

/* --- cn_blocks --- */

static cn_err get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
{
    cn_fetch *f = of(b);
    cn_err err = f->store->ops->get(f->store, cid, ret, why);
    if (err == CN_OK) {
        use_all(f, cid, 1, &err);
        note_here(f, cid, cn_buf_slice(ret));
        return CN_OK;
    }
    for (int i = 0; err == CN_ERR_NOT_FOUND && i < AGAIN_MAX; i++) {
        err = wait_for(f, cid, why);
        if (err == CN_OK) {
            err = f->store->ops->get(f->store, cid, ret, why);
        }
    }
    return err;
}

static cn_err size(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes)
{
    cn_fetch *f = of(b);
    cn_err err = f->store->ops->size(f->store, cid, ret_bytes);
    for (int i = 0; err == CN_ERR_NOT_FOUND && i < AGAIN_MAX; i++) {
        err = wait_for(f, cid, NULL);
        if (err == CN_OK) {
            err = f->store->ops->size(f->store, cid, ret_bytes);
        }
    }
    return err;
}

static cn_err put(cn_blocks *b, const cn_cid *cid, cn_slice data, cn_why *why)
{
    return cn_blocks_put(of(b)->store, cid, data, why);
}

static cn_err put_many(cn_blocks *b, const cn_blocks_item *items, size_t len, cn_why *why)
{
    return cn_blocks_put_many(of(b)->store, items, len, why);
}

static void get_many(cn_blocks *b, const cn_cid *cids, size_t len, cn_buf *rets, cn_err *ret_errs)
{
    cn_fetch *f = of(b);
    cn_blocks_get_many(f->store, cids, len, rets, ret_errs);
    use_all(f, cids, len, ret_errs);
}

static void expect(cn_blocks *b, const cn_cid *cids, size_t len)
{
    cn_fetch *f = of(b);
    cn_pile more = {0};
    size_t bytes = 0;
    cn_pile_init(&more, f->options.mem, CN_FETCH_SOON_BYTES);
    for (size_t i = 0; i < len; i++) {
        if (cn_blocks_size(f->store, &cids[i], &bytes) == CN_ERR_NOT_FOUND) {
            (void)!cn_pile_push(&more, &cids[i]);
        }
    }
    if (!cn_pile_is_empty(&more)) {
        cn_lock_take(f->hub->lock);
        /* what was expected before stays on top: it is needed sooner */
        cn_pile older = {0};
        cn_pile_init(&older, f->options.mem, CN_FETCH_SOON_BYTES);
        cn_pile_turn_over(&older, &f->soon);
        cn_pile_turn_over(&f->soon, &more);
        cn_pile_turn_over(&f->soon, &older);
        cn_pile_release(&older);
        ring(f);
        cn_lock_give(f->hub->lock);
    }
    cn_pile_release(&more);
}

const cn_blocks_ops cn_fetch_blocks_ops = {
    .get = get,
    .size = size,
    .put = put,
    .get_many = get_many,
    .put_many = put_many,
    .expect = expect,
};
