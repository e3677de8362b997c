/*
 * What peers want. The heap of a peer is ordered by priority and then by arrival; each want knows
 * its place in it, so that a cancel finds it.
 */
#include "exchange/bitswap/engine_internal.h"

enum {
    PRESENCES_MAX_BYTES = 256 << 10,
    LACKING_MAX = 1 << 18,
};

#define NOWHERE SIZE_MAX

cn_err cn_engine_new(const cn_engine_options *options, cn_engine **ret)
{
    cn_engine *e = cn_alloc(options->mem, sizeof *e);
    if (e == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    e->options = *options;
    if (e->options.max_bytes == 0) {
        e->options.max_bytes = CN_ENGINE_MAX_BYTES;
    }
    if (e->options.wants_max == 0) {
        e->options.wants_max = CN_ENGINE_WANTS_TOTAL;
    }
    cn_err err = cn_lock_new(options->mem, &e->lock);
    if (err != CN_OK) {
        cn_free(options->mem, e);
        return err;
    }
    cn_map_init(&e->lacking, options->mem, sizeof(cn_served *), LACKING_MAX, options->seed);
    cn_slots_init(&e->peers, options->mem, CN_ENGINE_PEERS_MAX);
    cn_ring_init(&e->active);
    cn_ring_init(&e->hungry);
    cn_ring_init(&e->jobs);
    *ret = e;
    return CN_OK;
}

void cn_engine_free(cn_engine *e)
{
    size_t at = 0;
    cn_id id = CN_ID_NONE;
    if (e == NULL) {
        return;
    }
    for (cn_engine_peer *p; (p = cn_slots_next(&e->peers, &at, &id)) != NULL;) {
        cn_engine_peer_down(e, p);
    }
    while (!cn_ring_is_empty(&e->jobs)) {
        cn_read_job *job = CN_CONTAINER(e->jobs.next, cn_read_job, node);
        cn_rt_work_wait(e->options.rt, &job->work);
        cn_engine_job_free(e, job);
    }
    cn_slots_release(&e->peers);
    cn_map_release(&e->lacking);
    cn_lock_free(e->lock);
    cn_free(e->options.mem, e);
}

cn_err cn_engine_peer_up(cn_engine *e, void *owner, cn_engine_peer **ret)
{
    cn_mem *mem = e->options.mem;
    cn_engine_peer *p = cn_alloc(mem, sizeof *p);
    if (p == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_err err = cn_slots_add(&e->peers, p, &p->id);
    if (err != CN_OK) {
        cn_free(mem, p);
        return err;
    }
    p->owner = owner;
    p->turn_bytes = e->turn_floor;
    cn_ring_init(&p->active);
    cn_ring_init(&p->ready);
    cn_map_init(&p->wants, mem, sizeof(cn_served *), CN_ENGINE_WANTS_MAX, e->options.seed);
    cn_buf_init(&p->presences, mem, PRESENCES_MAX_BYTES);
    *ret = p;
    return CN_OK;
}

void *cn_engine_owner(const cn_engine_peer *p)
{
    return p->owner;
}

void cn_engine_peer_bare(cn_engine_peer *p, bool bare)
{
    p->is_bare = bare;
}

void cn_engine_activate(cn_engine *e, cn_engine_peer *p)
{
    if (cn_ring_is_empty(&p->active) || p->is_hungry) {
        p->is_hungry = false;
        /* who was idle does not save up turns */
        p->turn_bytes = CN_MAX(p->turn_bytes, e->turn_floor);
        cn_ring_push(&e->active, &p->active);
    }
}

cn_engine_peer *cn_engine_next_active(cn_engine *e)
{
    cn_engine_peer *best = NULL;
    for (cn_ring *r = e->active.next; r != &e->active; r = r->next) {
        cn_engine_peer *p = CN_CONTAINER(r, cn_engine_peer, active);
        best = best == NULL || p->turn_bytes < best->turn_bytes ? p : best;
    }
    if (best != NULL) {
        cn_ring_remove(&best->active);
        e->turn_floor = CN_MAX(e->turn_floor, best->turn_bytes);
    }
    return best;
}

/* --- the heap --- */

static bool is_before(const cn_served *a, const cn_served *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->seq < b->seq;
}

static void place(cn_engine_peer *p, size_t at, cn_served *w)
{
    p->heap[at] = w;
    w->heap_at = at;
}

static void sift(cn_engine_peer *p, size_t at)
{
    cn_served *w = p->heap[at];
    while (at > 0 && is_before(w, p->heap[(at - 1) / 2])) {
        place(p, at, p->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= p->heap_len) {
            break;
        }
        child += child + 1 < p->heap_len && is_before(p->heap[child + 1], p->heap[child]);
        if (!is_before(p->heap[child], w)) {
            break;
        }
        place(p, at, p->heap[child]);
        at = child;
    }
    place(p, at, w);
}

static cn_err heap_add(cn_engine *e, cn_engine_peer *p, cn_served *w)
{
    void *heap = p->heap;
    cn_err err = cn_array_grow(
        e->options.mem, &heap, &p->heap_cap, p->heap_len, CN_ENGINE_WANTS_MAX, sizeof(cn_served *));
    p->heap = heap;
    if (err == CN_OK) {
        place(p, p->heap_len++, w);
        sift(p, w->heap_at);
    }
    return err;
}

static void heap_remove(cn_engine_peer *p, cn_served *w)
{
    size_t at = w->heap_at;
    cn_served *last = p->heap[--p->heap_len];
    w->heap_at = NOWHERE;
    if (last != w) {
        place(p, at, last);
        sift(p, at);
    }
}

const cn_served *cn_engine_top(const cn_engine_peer *p)
{
    return p->heap_len == 0 ? NULL : p->heap[0];
}

cn_served *cn_engine_pop(cn_engine_peer *p)
{
    cn_served *w = p->heap_len == 0 ? NULL : p->heap[0];
    if (w != NULL) {
        heap_remove(p, w);
        (void)cn_map_remove(&p->wants, cn_cid_bytes(&w->cid));
    }
    return w;
}

/* --- chains of what we lack --- */

static cn_err chain_add(cn_engine *e, cn_served *w)
{
    void *value = NULL;
    cn_err err = cn_map_put(&e->lacking, cn_cid_key(&w->cid), &value, NULL);
    if (err == CN_OK) {
        w->next = *(cn_served **)value;
        *(cn_served **)value = w;
    }
    return err;
}

static void chain_remove(cn_engine *e, cn_served *w)
{
    cn_served **first = cn_map_get(&e->lacking, cn_cid_key(&w->cid));
    CN_ASSERT(first != NULL);
    cn_served **at = first;
    while (*at != w) {
        at = &(*at)->next;
    }
    *at = w->next;
    if (*first == NULL) {
        (void)cn_map_remove(&e->lacking, cn_cid_key(&w->cid));
    }
}

/* --- wants --- */

static void free_served(cn_engine *e, cn_served *w)
{
    e->stats.kept--;
    cn_free(e->options.mem, w);
}

static void forget(cn_engine *e, cn_served *w)
{
    if (w->heap_at != NOWHERE) {
        heap_remove(w->peer, w);
    } else {
        chain_remove(e, w);
    }
    (void)cn_map_remove(&w->peer->wants, cn_cid_bytes(&w->cid));
    free_served(e, w);
}

static void forget_all(cn_engine *e, cn_engine_peer *p)
{
    size_t at = 0;
    cn_slice key = {0};
    void *value = NULL;
    while (cn_map_next(&p->wants, &at, &key, &value)) {
        forget(e, *(cn_served **)value);
    }
}

void cn_engine_peer_down(cn_engine *e, cn_engine_peer *p)
{
    forget_all(e, p);
    cn_engine_peer_drop(e, p);
    (void)cn_slots_remove(&e->peers, p->id);
    cn_ring_remove(&p->active);
    cn_buf_release(&p->presences);
    cn_map_release(&p->wants);
    cn_free(e->options.mem, p->heap);
    cn_free(e->options.mem, p);
}

/* Say HAVE or DONT_HAVE. What does not fit is dropped: the peer does not read. */
static void tell(cn_engine *e, cn_engine_peer *p, const cn_cid *cid, bool has)
{
    if (cn_message_put_presence(&p->presences, cid, has) == CN_OK) {
        e->stats.haves += has;
        e->stats.dont_haves += !has;
        cn_engine_activate(e, p);
    }
}

/* May one more want of this peer be kept? */
static bool has_place(const cn_engine *e, const cn_engine_peer *p)
{
    size_t share = e->options.wants_max / CN_MAX(e->peers.len, (size_t)1);
    return e->stats.kept < e->options.wants_max / 2 ||
           p->wants.len < CN_MAX(share, (size_t)CN_ENGINE_WANTS_SHARE_MIN);
}

static cn_served *make_served(cn_engine *e, cn_engine_peer *p, const cn_message_item *item)
{
    void *value = NULL;
    cn_served *w = has_place(e, p) ? cn_alloc(e->options.mem, sizeof *w) : NULL;
    if (w == NULL || cn_map_put(&p->wants, cn_cid_bytes(&item->cid), &value, NULL) != CN_OK) {
        cn_free(e->options.mem, w);
        e->stats.dropped++;
        return NULL;
    }
    *(cn_served **)value = w;
    e->stats.kept++;
    *w = (cn_served){
        .peer = p,
        .cid = item->cid,
        .seq = e->seq++,
        .heap_at = NOWHERE,
        .priority = item->priority,
        .is_have = item->is_have,
        .send_dont_have = item->send_dont_have,
    };
    return w;
}

/* Keep the want: to be read, or until the block comes. */
static void
keep(cn_engine *e, cn_engine_peer *p, const cn_message_item *item, bool is_here, size_t size)
{
    cn_served *w = make_served(e, p, item);
    if (w == NULL) {
        return;
    }
    w->size_bytes = (uint32_t)CN_MIN(size, (size_t)UINT32_MAX);
    if ((is_here ? heap_add(e, p, w) : chain_add(e, w)) != CN_OK) {
        (void)cn_map_remove(&p->wants, cn_cid_bytes(&w->cid));
        free_served(e, w);
        e->stats.dropped++;
    } else if (is_here) {
        cn_engine_activate(e, p);
    }
}

/* Gives whether it asked for nothing that is here. */
static bool take_want(cn_engine *e, cn_engine_peer *p, const cn_message_item *item)
{
    size_t size = 0;
    cn_served **old = cn_map_get(&p->wants, cn_cid_bytes(&item->cid));
    if (old != NULL) {
        forget(e, *old);
    }
    if (item->is_cancel || cn_cid_is_identity(&item->cid, NULL)) {
        return true;
    }
    e->stats.wants++;
    bool is_here =
        cn_blocks_size(e->options.blocks, &item->cid, &size) == CN_OK && size <= CN_BLOCK_MAX_BYTES;
    if (is_here && item->is_have && size > CN_ENGINE_HAVE_MAX_BYTES) {
        tell(e, p, &item->cid, true);
        return true;
    }
    if (!is_here && item->send_dont_have) {
        tell(e, p, &item->cid, false);
    }
    keep(e, p, item, is_here, size);
    return !is_here;
}

size_t cn_engine_take(cn_engine *e, cn_engine_peer *p, const cn_message *m)
{
    size_t vain = 0;
    size_t wants = 0;
    cn_message_iter it = cn_message_items(m);
    cn_message_item item;
    if (m->is_full) {
        forget_all(e, p);
    }
    while (cn_message_next(&it, &item)) {
        if (item.kind != CN_MESSAGE_WANT) {
            continue;
        }
        wants += item.is_cancel ? 0 : 1;
        if (wants > CN_ENGINE_MESSAGE_WANTS_MAX && !item.is_cancel) {
            e->stats.dropped++;
        } else {
            vain += take_want(e, p, &item) ? 1 : 0;
        }
    }
    return vain;
}

static void have_one(cn_engine *e, const cn_cid *cid)
{
    cn_served **first = cn_map_get(&e->lacking, cn_cid_key(cid));
    size_t size = 0;
    if (first == NULL || cn_blocks_size(e->options.blocks, cid, &size) != CN_OK) {
        return;
    }
    cn_served *next = *first;
    (void)cn_map_remove(&e->lacking, cn_cid_key(cid));
    while (next != NULL) {
        cn_served *w = next;
        cn_engine_peer *p = w->peer;
        next = w->next;
        w->size_bytes = (uint32_t)CN_MIN(size, (size_t)UINT32_MAX);
        bool is_told = w->is_have && size > CN_ENGINE_HAVE_MAX_BYTES;
        if (is_told) {
            tell(e, p, &w->cid, true);
        }
        if (is_told || heap_add(e, p, w) != CN_OK) {
            (void)cn_map_remove(&p->wants, cn_cid_bytes(&w->cid));
            free_served(e, w);
        } else {
            cn_engine_activate(e, p);
        }
    }
}

void cn_engine_have(cn_engine *e, const cn_cid *cids, size_t len)
{
    for (size_t i = 0; i < len && e->lacking.len > 0; i++) {
        have_one(e, &cids[i]);
    }
}

void cn_engine_stat(const cn_engine *e, cn_engine_stats *ret)
{
    *ret = e->stats;
}

void cn_engine_peer_stat(const cn_engine_peer *p, cn_engine_peer_stats *ret)
{
    *ret = p->stats;
    ret->wants = p->wants.len;
}

bool cn_engine_wants(const cn_engine_peer *p, size_t *position, const cn_cid **ret)
{
    cn_slice key = {0};
    void *value = NULL;
    if (!cn_map_next(&p->wants, position, &key, &value)) {
        return false;
    }
    *ret = &(*(cn_served **)value)->cid;
    return true;
}
