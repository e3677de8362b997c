/*
 * The loop's side of a request: wants go to the exchange as far as its bounds allow - those that
 * somebody waits for always, then links to be followed, then what is expected - and what comes back
 * is told to the thread.
 */
#include "exchange/fetch/fetch_internal.h"

enum {
    WANT_AT_ONCE = 64,
    TURN_MAX = 4096, /* links looked at in one go, so that the loop is not held up */
    BLOCK_GUESS = 256 << 10,
};

/* Wants collected to be given to the exchange together. */
typedef struct batch {
    size_t len;
    cn_cid cids[WANT_AT_ONCE];
} batch;

static cn_fetch *of_sink(cn_exchange_sink *s)
{
    return CN_CONTAINER(s, cn_fetch, sink);
}

/* --- settling --- */

/* Call `ready` outside the lock, which is held; close waits for it. */
static void call_ready(cn_fetch *f)
{
    f->is_calling = true;
    cn_lock_give(f->hub->lock);
    f->options.ready(f->options.ctx);
    cn_lock_take(f->hub->lock);
    f->is_calling = false;
    cn_cond_wake_all(f->cond);
}

void cn_fetch_settle(cn_fetch *f, const cn_cid *cid, cn_err err, const char *sentence, size_t bytes)
{
    cn_lock_take(f->hub->lock);
    cn_fetch_entry *e = cn_map_get(&f->entries, cn_cid_bytes(cid));
    if (e == NULL) {
        cn_lock_give(f->hub->lock);
        return;
    }
    f->open_len -= e->is_open;
    e->is_open = false;
    f->progress = cn_rt_now(f->rt);
    bool is_awaited = f->has_awaited && cn_cid_eq(&f->awaited, cid);
    if (err != CN_OK) {
        e->state = CN_FETCH_FAILED;
        e->err = err;
        (void)cn_why_set(&f->failed, err, "%s", sentence);
    } else if (is_awaited || e->is_asked || f->options.follow) {
        (void)cn_map_remove(&f->entries, cn_cid_bytes(cid));
    } else {
        e->state = CN_FETCH_HERE;
        e->bytes = (uint32_t)bytes;
        f->ahead_bytes += bytes;
    }
    if (is_awaited) {
        f->has_awaited = false;
        cn_cond_wake_all(f->cond);
    }
    if (is_awaited && f->options.ready != NULL && !f->is_closed) {
        call_ready(f);
    }
    cn_lock_give(f->hub->lock);
}

static void arrived(cn_exchange_sink *s, const cn_cid *cid, cn_slice block)
{
    cn_fetch *f = of_sink(s);
    if (block.len > 0) {
        atomic_fetch_add(&f->blocks_in, 1);
        atomic_fetch_add(&f->bytes_in, block.len);
    }
    if (f->options.follow && cn_fetch_has_links(cid) && !cn_fetch_is_seen(f, cid)) {
        cn_fetch_follow(f, cid, block);
    }
    cn_fetch_settle(f, cid, CN_OK, NULL, block.len);
    cn_lock_take(f->hub->lock);
    cn_fetch_dirty(f); /* there is room for more */
    cn_lock_give(f->hub->lock);
}

static void failed(cn_exchange_sink *s, const cn_cid *cid, cn_err err, const char *sentence)
{
    cn_fetch_settle(of_sink(s), cid, err, sentence, 0);
}

/* Nobody known has it: ask who has, one question at a time. */
static void idle(cn_exchange_sink *s, const cn_cid *cid)
{
    cn_fetch *f = of_sink(s);
    cn_router *r = f->fetcher->options.router;
    if (r != NULL && !f->has_query) {
        f->has_query = r->ops->find_providers(r, cid, &f->asker, &f->query) == CN_OK;
        f->searches += f->has_query;
    }
}

const cn_exchange_sink_ops cn_fetch_sink_ops = {arrived, idle, failed};

static void found(
    cn_router_asker *a,
    cn_id query,
    const cn_peer_id *peer,
    const cn_slice *addresses,
    size_t addresses_len)
{
    cn_fetch *f = CN_CONTAINER(a, cn_fetch, asker);
    cn_exchange *x = f->fetcher->options.exchange;
    CN_UNUSED(query);
    f->providers++;
    if (f->has_session) {
        x->ops->provider(x, f->session, peer, addresses, addresses_len);
    }
}

static void ended(cn_router_asker *a, cn_id query, cn_err err, const char *sentence)
{
    cn_fetch *f = CN_CONTAINER(a, cn_fetch, asker);
    CN_UNUSED(query);
    CN_UNUSED(err);
    CN_UNUSED(sentence);
    f->has_query = false;
}

const cn_router_asker_ops cn_fetch_asker_ops = {found, ended};

/* --- wanting --- */

static void want_batch(cn_fetch *f, batch *b)
{
    cn_exchange *x = f->fetcher->options.exchange;
    cn_err err = CN_OK;
    if (b->len == 0) {
        return;
    }
    if (!f->has_session) {
        err = x->ops->session_open(x, &f->sink, &f->session);
        f->has_session = err == CN_OK;
    }
    if (err == CN_OK) {
        err = x->ops->want(x, f->session, b->cids, b->len);
    }
    for (size_t i = 0; err != CN_OK && i < b->len; i++) {
        cn_fetch_settle(f, &b->cids[i], err, cn_err_sentence(err), 0);
    }
    b->len = 0;
}

static void add(cn_fetch *f, batch *b, const cn_cid *cid)
{
    b->cids[b->len++] = *cid;
    if (b->len == WANT_AT_ONCE) {
        want_batch(f, b);
    }
}

/* Count the CID as open; false: it is already, or there is no room or memory. */
static bool open_entry(cn_fetch *f, const cn_cid *cid)
{
    void *value = NULL;
    bool is_new = false;
    cn_lock_take(f->hub->lock);
    if (cn_map_put(&f->entries, cn_cid_bytes(cid), &value, &is_new) == CN_OK) {
        cn_fetch_entry *e = value;
        is_new = is_new || (e->state == CN_FETCH_ASKED && !e->is_open);
        if (is_new) {
            e->state = CN_FETCH_ASKED;
            e->is_open = true;
            f->open_len++;
        }
    }
    cn_lock_give(f->hub->lock);
    return is_new;
}

static bool is_here(cn_fetch *f, const cn_cid *cid)
{
    size_t size = 0;
    return cn_blocks_size(f->store, cid, &size) == CN_OK;
}

/* Those that the thread waits for: at once, and before all others. */
static void want_urgent(cn_fetch *f, cn_pile *urgent)
{
    batch b = {.len = 0};
    cn_cid cid;
    while (cn_pile_pop(urgent, &cid)) {
        (void)open_entry(f, &cid);
        if (is_here(f, &cid)) {
            cn_fetch_settle(f, &cid, CN_OK, NULL, 0); /* it came meanwhile */
        } else {
            add(f, &b, &cid);
        }
    }
    want_batch(f, &b);
}

/* Nodes that are here are looked through by a worker; the rest is wanted. */
static void consider(cn_fetch *f, batch *b, const cn_cid *cid)
{
    if (cn_cid_is_identity(cid, NULL)) {
        return;
    }
    if (!is_here(f, cid)) {
        if (open_entry(f, cid)) {
            add(f, b, cid);
        }
    } else if (f->options.follow && cn_fetch_has_links(cid) && !cn_fetch_is_seen(f, cid)) {
        (void)!cn_pile_push(&f->to_look, cid);
    }
}

static bool has_room(cn_fetch *f, bool is_ahead)
{
    const cn_fetcher_options *o = &f->fetcher->options;
    uint64_t blocks = atomic_load(&f->blocks_in);
    uint64_t usual = blocks == 0 ? BLOCK_GUESS : atomic_load(&f->bytes_in) / blocks;
    cn_lock_take(f->hub->lock);
    bool has = f->open_len < o->inflight_max;
    if (is_ahead && !f->options.follow) {
        has = has && f->ahead_bytes + f->open_len * usual < o->ahead_max_bytes;
    }
    cn_lock_give(f->hub->lock);
    return has;
}

static bool next_expected(cn_fetch *f, cn_cid *ret)
{
    cn_lock_take(f->hub->lock);
    bool have = cn_pile_pop(&f->soon, ret);
    cn_lock_give(f->hub->lock);
    return have;
}

static void want_more(cn_fetch *f)
{
    batch b = {.len = 0};
    cn_cid cid;
    size_t looked = 0;
    while (looked < TURN_MAX && has_room(f, false) && cn_pile_pop(&f->pile, &cid)) {
        consider(f, &b, &cid);
        looked++;
    }
    while (looked < TURN_MAX && has_room(f, true) && next_expected(f, &cid)) {
        consider(f, &b, &cid);
        looked++;
    }
    want_batch(f, &b);
    if (looked == TURN_MAX) {
        cn_lock_take(f->hub->lock);
        cn_fetch_dirty(f);
        cn_lock_give(f->hub->lock);
        cn_net_wake(f->net);
    }
}

/* The sentence of an error is short; who wants all of it asks for this. */
static void keep_late(cn_fetch *f, cn_slice report)
{
    cn_lock_take(f->hub->lock);
    cn_buf_reset(&f->late);
    (void)!cn_buf_append(&f->late, report);
    cn_lock_give(f->hub->lock);
}

/* One that does not wait has waited too long: the sentence is the report. */
static void end_late(cn_fetch *f, cn_time now)
{
    const char *sentence = NULL;
    cn_buf report;
    cn_lock_take(f->hub->lock);
    bool is_waiting = f->options.ready != NULL && f->has_awaited;
    cn_cid cid = f->awaited;
    int64_t waited_ns = now.ns - f->awaited_since.ns;
    if (is_waiting && f->options.deadline.ns < f->fetcher->deadline.ns) {
        f->fetcher->deadline = f->options.deadline;
    }
    bool is_late = is_waiting && f->options.deadline.ns <= now.ns;
    cn_lock_give(f->hub->lock);
    if (!is_late) {
        return;
    }
    cn_buf_init(&report, f->options.mem, CN_FETCH_REPORT_MAX_BYTES);
    if (cn_fetch_report_write(f, &cid, waited_ns, &report) != CN_OK ||
        cn_buf_cstr(&report, &sentence) != CN_OK) {
        sentence = "the block did not come from any peer in time";
    }
    keep_late(f, cn_buf_slice(&report));
    cn_fetch_settle(f, &cid, CN_ERR_TIMEOUT, sentence, 0);
    cn_buf_release(&report);
}

void cn_fetch_turn(cn_fetch *f, cn_time now)
{
    cn_pile urgent = {0};
    cn_pile_init(&urgent, f->options.mem, CN_FETCH_SOON_BYTES);
    cn_lock_take(f->hub->lock);
    cn_pile_take(&urgent, &f->urgent);
    cn_pile_turn_over(&f->pile, &f->links);
    bool wants_report = f->report != NULL && !f->is_reported;
    cn_lock_give(f->hub->lock);
    want_urgent(f, &urgent);
    cn_pile_release(&urgent);
    cn_fetch_look_turn(f);
    want_more(f);
    cn_fetch_look_turn(f);
    end_late(f, now);
    if (wants_report) {
        cn_fetch_report_fill(f, now);
    }
}
