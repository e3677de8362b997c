/*
 * Mark and sweep. Marks are bits by segment and ordinal, so memory is one bit a block. The sweep
 * goes over the segments twice: first removing what is not marked (a segment that is then empty is
 * unlinked, which needs next to no space), then rewriting the sparse ones.
 *
 * Each step ends in a state that open accepts: a removal is a synced tombstone before the index
 * forgets; a copy is committed before its source is unlinked.
 */
#include "store/gc.h"

#include "base/map.h"
#include "store/internal.h"

enum {
    REMOVE_AT_ONCE = 4096,
    LIVE_PERCENT_MIN = 60, /* below it a segment is rewritten */
};

typedef enum phase {
    PHASE_REMOVE,
    PHASE_REWRITE,
    PHASE_DONE,
} phase;

struct cn_gc {
    cn_store *store;
    cn_map marks; /* segment number to its bits */
    phase phase;
    uint32_t position; /* segments up to this number have been looked at in this phase */
    uint32_t last;     /* newest segment when the sweep began */
    cn_gc_stats stats;
};

cn_err cn_gc_new(cn_store *s, cn_gc **ret, cn_why *why)
{
    cn_gc *g = NULL;
    cn_lock_take(s->writer);
    cn_err err = cn_commit_all(s);
    if (err == CN_ERR_NO_SPACE && cn_store_relieve(s)) {
        err = cn_commit_all(s);
    }
    CN_TRY(err);
    g = cn_alloc(s->mem, sizeof *g);
    CN_TRY(g == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    g->store = s;
    g->last = s->next_segment - 1;
    cn_map_init(&g->marks, s->mem, sizeof(uint64_t *), CN_SEGMENTS_MAX, 0);
    *ret = g;
out:
    cn_lock_give(s->writer);
    if (err != CN_OK) {
        (void)cn_why_set(why, err, "cannot begin a collection: %s", cn_err_sentence(err));
    }
    return err;
}

void cn_gc_free(cn_gc *g)
{
    size_t at = 0;
    cn_slice key;
    void *value = NULL;
    if (g == NULL) {
        return;
    }
    while (cn_map_next(&g->marks, &at, &key, &value)) {
        cn_free(g->store->mem, *(uint64_t **)value);
    }
    cn_map_release(&g->marks);
    cn_store_make_reserve(g->store);
    cn_free(g->store->mem, g);
}

static uint64_t *bits_of(const cn_gc *g, uint32_t segment)
{
    uint64_t **bits = cn_map_get(&g->marks, cn_slice_of(&segment, sizeof segment));
    return bits == NULL ? NULL : *bits;
}

static bool is_marked(const cn_gc *g, const cn_place *place)
{
    const uint64_t *bits = bits_of(g, place->segment);
    return bits != NULL && (bits[place->ordinal / 64] >> place->ordinal % 64 & 1) != 0;
}

cn_err cn_gc_mark(cn_gc *g, const cn_cid *cid, bool *ret_new)
{
    cn_place place;
    void *value = NULL;
    bool fresh = false;
    uint64_t **bits = NULL;
    cn_err err = CN_OK;
    if (cn_cid_is_identity(cid, NULL)) {
        goto out;
    }
    CN_TRY(cn_store_find(g->store, cn_cid_key(cid), &place));
    CN_TRY(place.ordinal >= CN_SEGMENT_RECORDS_MAX ? CN_ERR_CORRUPT : CN_OK);
    CN_TRY(cn_map_put(&g->marks, cn_slice_of(&place.segment, sizeof place.segment), &value, NULL));
    bits = value;
    if (*bits == NULL) {
        *bits = cn_alloc_array(g->store->mem, CN_SEGMENT_RECORDS_MAX / 64, sizeof **bits);
        CN_TRY(*bits == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    }
    fresh = !is_marked(g, &place);
    (*bits)[place.ordinal / 64] |= (uint64_t)1 << place.ordinal % 64;
out:
    if (err == CN_OK && ret_new != NULL) {
        *ret_new = fresh;
    }
    return err;
}

/* A step over the records of one segment. */
typedef struct sweep {
    cn_gc *gc;
    cn_segment *seg; /* held */
    cn_scan walk;
    cn_removal *list; /* of REMOVE_AT_ONCE */
    cn_cid *cids;
    size_t len;
    cn_gc_removed removed;
    void *ctx;
} sweep;

static cn_err sweep_init(sweep *w, cn_gc *g, cn_segment *seg)
{
    cn_store *s = g->store;
    cn_err err = CN_OK;
    *w = (sweep){.gc = g};
    CN_TRY(cn_segment_hold(s, seg->meta.segment, &w->seg));
    CN_TRY(cn_scan_init(&w->walk, s->mem, s->rt, seg->file));
    cn_scan_seek(&w->walk, CN_SEGMENT_HEAD_BYTES, 1, seg->written);
    w->list = cn_alloc_array(s->mem, REMOVE_AT_ONCE, sizeof *w->list);
    w->cids = cn_alloc_array(s->mem, REMOVE_AT_ONCE, sizeof *w->cids);
    CN_TRY(w->list == NULL || w->cids == NULL ? CN_ERR_NO_MEMORY : CN_OK);
out:
    return err;
}

static void sweep_release(sweep *w)
{
    cn_store *s = w->gc->store;
    if (w->walk.mem != NULL) {
        cn_scan_release(&w->walk);
    }
    cn_free(s->mem, w->list);
    cn_free(s->mem, w->cids);
    if (w->seg != NULL) {
        cn_segment_let(s, w->seg);
    }
}

/* The next record that the index points at. *ret_have false: no more (or none can be read). */
static cn_err next_live(sweep *w, cn_cid *ret_cid, cn_removal *ret, bool *ret_have)
{
    cn_place place;
    for (;;) {
        cn_err err = cn_scan_next(&w->walk, ret_cid, &place, ret_have);
        if (err == CN_ERR_MALFORMED) {
            *ret_have = false;
            return CN_OK;
        }
        if (err != CN_OK || !*ret_have) {
            return err;
        }
        place.segment = w->seg->meta.segment;
        err = cn_key_encode(cn_cid_key(ret_cid), &ret->key);
        if (err == CN_OK) {
            err = cn_store_find_key(w->gc->store, cn_key_slice(&ret->key), &ret->place);
        }
        if (err == CN_OK && cn_place_eq(&place, &ret->place)) {
            return CN_OK;
        }
        if (err != CN_OK && err != CN_ERR_NOT_FOUND) {
            return err;
        }
    }
}

/* Remove what has been gathered, then say so. */
static cn_err remove_gathered(sweep *w)
{
    cn_gc *g = w->gc;
    cn_err err = CN_OK;
    size_t len = w->len;
    if (len == 0) {
        return CN_OK;
    }
    w->len = 0;
    CN_TRY(cn_store_remove(g->store, w->seg, w->list, len));
    for (size_t i = 0; i < len; i++) {
        g->stats.removed_blocks++;
        g->stats.removed_bytes += w->list[i].place.len;
        if (w->removed != NULL && err == CN_OK) {
            err = w->removed(w->ctx, &w->cids[i], w->list[i].place.len);
        }
    }
out:
    return err;
}

static cn_err remove_unmarked(sweep *w)
{
    bool have = false;
    cn_err err = CN_OK;
    for (;;) {
        CN_TRY(next_live(w, &w->cids[w->len], &w->list[w->len], &have));
        if (!have) {
            break;
        }
        if (!is_marked(w->gc, &w->list[w->len].place)) {
            w->len++;
        }
        if (w->len == REMOVE_AT_ONCE) {
            CN_TRY(remove_gathered(w));
        }
    }
    CN_TRY(remove_gathered(w));
out:
    return err;
}

static cn_err unlink_empty(cn_gc *g, cn_segment *seg)
{
    uint64_t bytes = seg->tail + seg->sidecar_bytes + seg->tombs_bytes;
    cn_err err = cn_store_unlink(g->store, seg);
    if (err == CN_OK) {
        g->stats.freed_bytes += bytes;
        g->stats.segments_unlinked++;
    }
    return err;
}

static cn_err remove_step(cn_gc *g, cn_segment *seg, cn_gc_removed removed, void *ctx)
{
    sweep w;
    cn_err err = sweep_init(&w, g, seg);
    w.removed = removed;
    w.ctx = ctx;
    if (err == CN_OK) {
        err = remove_unmarked(&w);
    }
    sweep_release(&w);
    if (err == CN_OK && seg->meta.live_records == 0 && seg->meta.records > 1) {
        err = unlink_empty(g, seg);
    }
    return err;
}

/* Copy the live records of a sparse segment to the open one. */
static cn_err move_live(sweep *w, cn_buf *data)
{
    cn_store *s = w->gc->store;
    cn_cid cid;
    cn_removal live;
    bool have = false;
    cn_err err = CN_OK;
    for (;;) {
        CN_TRY(next_live(w, &cid, &live, &have));
        if (!have) {
            break;
        }
        cn_multihash mh = cn_cid_multihash(&cid);
        CN_TRY(cn_scan_data(&w->walk, &live.place, data));
        CN_TRY(cn_multihash_verify(&mh, cn_buf_slice(data)));
        cn_store_put item = {&cid, cn_buf_slice(data)};
        CN_TRY(cn_store_append(s, &item, 1, true, NULL));
        cn_lock_take(s->lock);
        cn_segment_count(s, w->seg, cn_key_slice(&live.key), &live.place, false);
        w->seg->dirty = true;
        cn_lock_give(s->lock);
        if (s->fresh.len >= CN_COMMIT_SLICE || s->pending_bytes >= s->options.group_bytes) {
            CN_TRY(cn_commit_all(s));
        }
    }
    CN_TRY(cn_commit_all(s));
out:
    return err;
}

static cn_err rewrite_step(cn_gc *g, cn_segment *seg)
{
    cn_store *s = g->store;
    sweep w;
    cn_buf data;
    cn_buf_init(&data, s->mem, CN_STORE_BLOCK_MAX_BYTES);
    if (s->open == seg) {
        s->open = NULL;
    }
    cn_err err = sweep_init(&w, g, seg);
    if (err == CN_OK) {
        err = move_live(&w, &data);
    }
    sweep_release(&w);
    cn_buf_release(&data);
    if (err == CN_OK && seg->meta.live_records == 0) {
        err = unlink_empty(g, seg);
        g->stats.segments_rewritten += err == CN_OK;
        g->stats.segments_unlinked -= err == CN_OK;
        return err;
    }
    /* a damaged record, or no room: what is left of the segment stays as it is */
    if (err == CN_ERR_NO_SPACE || err == CN_ERR_HASH_MISMATCH || err == CN_ERR_MALFORMED) {
        return cn_commit_all(s);
    }
    return err;
}

static bool is_sparse(const cn_segment *seg)
{
    return seg->meta.live_whole * 100 < (seg->tail - CN_SEGMENT_HEAD_BYTES) * LIVE_PERCENT_MIN;
}

/* The next segment of this phase, or NULL. */
static cn_segment *next_segment(cn_gc *g)
{
    cn_store *s = g->store;
    for (size_t i = 0; i < s->segments_len; i++) {
        cn_segment *seg = s->segments[i];
        uint32_t number = seg->meta.segment;
        if (number > g->position && number <= g->last &&
            (g->phase == PHASE_REMOVE || is_sparse(seg))) {
            return seg;
        }
    }
    return NULL;
}

cn_err cn_gc_sweep(cn_gc *g, cn_gc_removed removed, void *ctx, bool *ret_done, cn_why *why)
{
    cn_store *s = g->store;
    cn_err err = CN_OK;
    cn_lock_take(s->writer);
    cn_segment *seg = next_segment(g);
    if (seg == NULL) {
        g->phase = g->phase == PHASE_REMOVE ? PHASE_REWRITE : PHASE_DONE;
        g->position = 0;
        if (s->open != NULL && is_sparse(s->open)) {
            s->open = NULL; /* it will be rewritten itself: take no copies */
        }
    } else {
        g->position = seg->meta.segment;
        err = g->phase == PHASE_REMOVE ? remove_step(g, seg, removed, ctx) : rewrite_step(g, seg);
        /* a segment whose head is damaged stays as it is; it was reported at open */
        err = err == CN_ERR_CORRUPT && seg->meta.live_records == 0 ? CN_OK : err;
    }
    cn_lock_give(s->writer);
    if (err != CN_OK) {
        return cn_why_set(why, err, "the collection stopped: %s", cn_err_sentence(err));
    }
    *ret_done = g->phase == PHASE_DONE;
    return CN_OK;
}

cn_gc_stats cn_gc_stat(const cn_gc *g)
{
    return g->stats;
}
