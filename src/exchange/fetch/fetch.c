/*
 * Fetchers and requests: how they begin and end. A request is known to its fetcher from open until
 * the loop has met its end; when the fetcher goes first, requests live on without it and answer
 * CLOSED.
 */
#include "exchange/fetch/fetch_internal.h"

cn_err cn_fetcher_new(const cn_fetcher_options *options, cn_fetcher **ret)
{
    cn_mem *mem = options->mem;
    cn_fetcher *f = cn_alloc(mem, sizeof *f);
    cn_fetch_hub *hub = cn_alloc(mem, sizeof *hub);
    cn_err err = f == NULL || hub == NULL ? CN_ERR_NO_MEMORY : cn_lock_new(mem, &hub->lock);
    if (err != CN_OK) {
        cn_free(mem, f);
        cn_free(mem, hub);
        return err;
    }
    hub->mem = mem;
    hub->refs = 1;
    f->options = *options;
    f->hub = hub;
    f->deadline = CN_TIME_NEVER;
    f->options.fetches_max = options->fetches_max == 0 ? CN_FETCHES_MAX : options->fetches_max;
    f->options.inflight_max =
        options->inflight_max == 0 ? CN_FETCH_INFLIGHT_MAX : options->inflight_max;
    f->options.ahead_max_bytes =
        options->ahead_max_bytes == 0 ? CN_FETCH_AHEAD_BYTES : options->ahead_max_bytes;
    *ret = f;
    return CN_OK;
}

void cn_fetch_hub_leave(cn_fetch_hub *hub)
{
    cn_lock_take(hub->lock);
    bool is_last = --hub->refs == 0;
    cn_lock_give(hub->lock);
    if (is_last) {
        cn_lock_free(hub->lock);
        cn_free(hub->mem, hub);
    }
}

/* What the request has at exchange and router, and with a worker, ends. */
static void let_loose(cn_fetch *f)
{
    cn_exchange *x = f->fetcher->options.exchange;
    cn_router *r = f->fetcher->options.router;
    if (f->has_session) {
        x->ops->session_close(x, f->session);
        f->has_session = false;
    }
    if (f->has_query) {
        r->ops->cancel(r, f->query);
        f->has_query = false;
    }
    if (f->look.is_running) {
        cn_rt_work_wait(f->rt, &f->look.work);
        f->look.is_running = false;
    }
}

void cn_fetcher_free(cn_fetcher *f)
{
    if (f == NULL) {
        return;
    }
    cn_lock_take(f->hub->lock);
    f->hub->is_ended = true;
    cn_fetch *fetch = f->first;
    cn_lock_give(f->hub->lock);
    while (fetch != NULL) {
        /* after is_ended none is added; closed ones are the loop's to free, the others' owners
         * free them, who are only told once nothing here touches them any more */
        cn_fetch *next = fetch->next;
        let_loose(fetch);
        cn_lock_take(f->hub->lock);
        bool is_closed = fetch->is_closed;
        fetch->fetcher = NULL;
        void (*ready)(void *ctx) = is_closed || !fetch->has_awaited ? NULL : fetch->options.ready;
        fetch->is_calling = ready != NULL;
        cn_cond_wake_all(fetch->cond);
        cn_lock_give(f->hub->lock);
        if (ready != NULL) {
            ready(fetch->options.ctx);
            cn_lock_take(f->hub->lock);
            fetch->is_calling = false;
            cn_cond_wake_all(fetch->cond);
            cn_lock_give(f->hub->lock);
        }
        if (is_closed) {
            cn_fetch_free(fetch);
        }
        fetch = next;
    }
    cn_fetch_hub_leave(f->hub);
    cn_free(f->options.mem, f);
}

void cn_fetch_dirty(cn_fetch *f)
{
    if (!f->is_dirty && f->fetcher != NULL) {
        f->is_dirty = true;
        f->next_dirty = f->fetcher->first_dirty;
        f->fetcher->first_dirty = f;
    }
}

void cn_fetch_free(cn_fetch *f)
{
    cn_mem *mem = f->options.mem;
    cn_pile *const piles[] = {&f->urgent, &f->soon,    &f->links,
                              &f->pile,   &f->to_look, &f->look.links};
    for (size_t i = 0; i < CN_LEN(piles); i++) {
        cn_pile_release(piles[i]);
    }
    cn_buf_release(&f->late);
    cn_map_release(&f->entries);
    cn_map_release(&f->seen);
    cn_cond_free(f->cond);
    if (f->hub != NULL) {
        cn_fetch_hub_leave(f->hub);
    }
    cn_free(mem, f);
}

static void init(cn_fetch *f, const cn_fetch_options *options)
{
    cn_mem *mem = options->mem;
    cn_fetcher *fetcher = options->fetcher;
    f->blocks.ops = &cn_fetch_blocks_ops;
    f->sink.ops = &cn_fetch_sink_ops;
    f->asker.ops = &cn_fetch_asker_ops;
    f->options = *options;
    cn_buf_init(&f->late, mem, CN_FETCH_REPORT_MAX_BYTES);
    f->store = fetcher->options.store;
    f->net = fetcher->options.net;
    f->rt = f->net->rt;
    f->progress = cn_rt_now(f->rt);
    cn_map_init(&f->entries, mem, sizeof(cn_fetch_entry), CN_FETCH_ENTRIES_MAX, 0);
    cn_map_init(&f->seen, mem, 0, CN_FETCH_SEEN_MAX, 0);
    cn_pile_init(&f->urgent, mem, CN_FETCH_SOON_BYTES);
    cn_pile_init(&f->soon, mem, CN_FETCH_SOON_BYTES);
    cn_pile_init(&f->links, mem, CN_FETCH_PILE_BYTES);
    cn_pile_init(&f->pile, mem, CN_FETCH_PILE_BYTES);
    cn_pile_init(&f->to_look, mem, CN_FETCH_PILE_BYTES);
    cn_pile_init(&f->look.links, mem, CN_FETCH_PILE_BYTES);
    f->look.fetch = f;
}

/* Make the request known to its fetcher. */
static cn_err enter(cn_fetch *f, cn_fetcher *fetcher, cn_fetch_hub *hub)
{
    cn_err err = CN_OK;
    cn_lock_take(hub->lock);
    if (hub->is_ended) {
        err = CN_ERR_CLOSED;
    } else if (fetcher->len >= fetcher->options.fetches_max) {
        err = CN_ERR_TOO_LARGE;
    } else {
        f->fetcher = fetcher;
        f->hub = hub;
        hub->refs++;
        fetcher->len++;
        f->next = fetcher->first;
        fetcher->first = f;
    }
    cn_lock_give(hub->lock);
    return err;
}

cn_err cn_fetch_open(const cn_fetch_options *options, cn_fetch **ret, cn_why *why)
{
    cn_fetcher *fetcher = options->fetcher;
    cn_fetch *f = cn_alloc(options->mem, sizeof *f);
    if (f == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    init(f, options);
    cn_err err = cn_cond_new(options->mem, &f->cond);
    if (err == CN_OK) {
        err = enter(f, fetcher, fetcher->hub);
    }
    if (err != CN_OK) {
        cn_fetch_free(f);
        return cn_why_set(
            why, err, "%s",
            err == CN_ERR_TOO_LARGE ? "too many requests are fetching from peers already; try again"
                                    : cn_err_sentence(err));
    }
    *ret = f;
    return CN_OK;
}

void cn_fetch_set_deadline(cn_fetch *f, cn_time deadline)
{
    cn_lock_take(f->hub->lock);
    bool is_sooner = deadline.ns < f->options.deadline.ns;
    f->options.deadline = deadline;
    if (is_sooner && !f->hub->is_ended) {
        cn_fetch_dirty(f); /* a later one is looked at when the old one has come */
        cn_net_wake(f->net);
    }
    cn_lock_give(f->hub->lock);
}

void cn_fetch_close(cn_fetch *f)
{
    if (f == NULL) {
        return;
    }
    cn_fetch_hub *hub = f->hub;
    cn_lock_take(hub->lock);
    f->has_awaited = false;
    while (f->is_calling) {
        cn_cond_wait(f->cond, hub->lock, -1);
    }
    f->is_closed = true;
    bool is_alone = f->fetcher == NULL;
    cn_net *net = f->net;
    cn_fetch_dirty(f);
    /* under the lock: once the fetcher has ended, the loop's bell may be gone */
    if (!is_alone) {
        cn_net_wake(net);
    }
    cn_lock_give(hub->lock);
    if (is_alone) {
        cn_fetch_free(f);
    }
}

cn_blocks *cn_fetch_blocks(cn_fetch *f)
{
    return &f->blocks;
}

void cn_fetch_counts(const cn_fetch *f, uint64_t *ret_blocks, uint64_t *ret_bytes)
{
    *ret_blocks = atomic_load(&f->blocks_in);
    *ret_bytes = atomic_load(&f->bytes_in);
}

/* Off the list of those to be looked at. Lock held. */
static void clean(cn_fetcher *f, const cn_fetch *fetch)
{
    cn_fetch **at = &f->first_dirty;
    while (*at != NULL && *at != fetch) {
        at = &(*at)->next_dirty;
    }
    if (*at != NULL) {
        *at = fetch->next_dirty;
    }
}

static void forget(cn_fetcher *f, cn_fetch *fetch)
{
    cn_lock_take(f->hub->lock);
    cn_fetch **at = &f->first;
    while (*at != fetch) {
        at = &(*at)->next;
    }
    *at = fetch->next;
    f->len--;
    cn_lock_give(f->hub->lock);
    let_loose(fetch);
    cn_lock_take(f->hub->lock);
    clean(f, fetch); /* the worker that was waited for has put it there */
    cn_lock_give(f->hub->lock);
    cn_fetch_free(fetch);
}

/* Requests that do not wait are told when their time is over. */
static void look_at_deadlines(cn_fetcher *f, cn_time now)
{
    if (now.ns < f->deadline.ns) {
        return;
    }
    f->deadline = CN_TIME_NEVER;
    cn_lock_take(f->hub->lock);
    for (cn_fetch *fetch = f->first; fetch != NULL; fetch = fetch->next) {
        bool counts = fetch->options.ready != NULL && fetch->has_awaited && !fetch->is_closed;
        if (counts && fetch->options.deadline.ns <= now.ns) {
            cn_fetch_dirty(fetch);
        } else if (counts && fetch->options.deadline.ns < f->deadline.ns) {
            f->deadline = fetch->options.deadline;
        }
    }
    cn_lock_give(f->hub->lock);
}

void cn_fetcher_turn(cn_fetcher *f, cn_time now)
{
    look_at_deadlines(f, now);
    for (;;) {
        cn_lock_take(f->hub->lock);
        cn_fetch *fetch = f->first_dirty;
        bool is_closed = false;
        if (fetch != NULL) {
            f->first_dirty = fetch->next_dirty;
            fetch->is_dirty = false;
            is_closed = fetch->is_closed;
        }
        cn_lock_give(f->hub->lock);
        if (fetch == NULL) {
            return;
        }
        if (is_closed) {
            forget(f, fetch);
        } else {
            cn_fetch_turn(fetch, now);
        }
    }
}

cn_time cn_fetcher_deadline(const cn_fetcher *f)
{
    return f->deadline;
}
