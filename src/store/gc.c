/*
 * Mark and sweep. Marks are bits by segment and ordinal, so memory is one bit a block. The sweep
 * goes over the segments twice, those with the least left in them first: removing what is not
 * marked (a segment that is then empty is unlinked, which needs next to no room and makes some for
 * the rest), then copying what is left out of the sparse ones. gc_walk.c does that to one segment.
 */
#include "store/gc.h"

#include "store/gc_internal.h"

#include <stdlib.h>

enum {
    LIVE_PERCENT_MIN = 60,       /* below it a segment is rewritten */
    LIVE_PERCENT_MIN_SHORT = 95, /* the same when quota or disk are nearly used up */
    ROOM_SHORT_BYTES = 64 << 20, /* a disk with less is nearly used up */
    ROOM_SPARE_BYTES = 1 << 20,  /* to be left by a copy: the index grows, too */
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
    cn_gc_walk_release(g);
    while (cn_map_next(&g->marks, &at, &key, &value)) {
        cn_free(g->store->mem, *(uint64_t **)value);
    }
    cn_map_release(&g->marks);
    cn_free(g->store->mem, g->turns);
    cn_store_make_reserve(g->store);
    cn_free(g->store->mem, g);
}

const uint64_t *cn_gc_bits(const cn_gc *g, uint32_t segment)
{
    uint64_t **bits = cn_map_get(&g->marks, cn_slice_of(&segment, sizeof segment));
    return bits == NULL ? NULL : *bits;
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
    fresh = ((*bits)[place.ordinal / 64] >> place.ordinal % 64 & 1) == 0;
    (*bits)[place.ordinal / 64] |= (uint64_t)1 << place.ordinal % 64;
out:
    if (err == CN_OK && ret_new != NULL) {
        *ret_new = fresh;
    }
    return err;
}

static uint64_t marks_in(const cn_gc *g, uint32_t segment)
{
    const uint64_t *bits = cn_gc_bits(g, segment);
    uint64_t sum = 0;
    for (size_t i = 0; bits != NULL && i < CN_SEGMENT_RECORDS_MAX / 64; i++) {
        sum += (uint64_t)__builtin_popcountll(bits[i]);
    }
    return sum;
}

static uint64_t free_bytes(cn_store *s)
{
    uint64_t room = 0;
    return cn_path_free_bytes(s->rt, s->dir, &room) == CN_OK ? room : UINT64_MAX;
}

/* Is what may still be added little against what is there? Then each dead byte counts. */
static bool is_short_of_room(cn_store *s)
{
    cn_store_stats stats = {0};
    uint64_t quota = s->options.quota_bytes;
    if (cn_store_stat(s, &stats) != CN_OK) {
        return false;
    }
    return (quota != 0 && stats.repo_bytes / 9 >= quota / 10) ||
           free_bytes(s) < CN_MAX(stats.repo_bytes / 8, (uint64_t)ROOM_SHORT_BYTES);
}

static bool is_sparse(const cn_segment *seg, uint64_t percent)
{
    return seg->meta.live_whole * 100 < (seg->tail - CN_SEGMENT_HEAD_BYTES) * percent;
}

static int by_weight(const void *a, const void *b)
{
    const cn_gc_turn *x = a;
    const cn_gc_turn *y = b;
    if (x->weight != y->weight) {
        return x->weight < y->weight ? -1 : 1;
    }
    return (x->segment > y->segment) - (x->segment < y->segment);
}

/* Whose turn it is in this phase, and in what order. */
static cn_err order_turns(cn_gc *g)
{
    cn_store *s = g->store;
    uint64_t percent = is_short_of_room(s) ? LIVE_PERCENT_MIN_SHORT : LIVE_PERCENT_MIN;
    cn_free(s->mem, g->turns);
    g->turns_len = g->turns_at = 0;
    g->turns = cn_alloc_array(s->mem, s->segments_len + 1, sizeof *g->turns);
    if (g->turns == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < s->segments_len; i++) {
        const cn_segment *seg = s->segments[i];
        uint32_t number = seg->meta.segment;
        if (number > g->last || (g->phase == CN_GC_REWRITE && !is_sparse(seg, percent))) {
            continue;
        }
        if (g->phase == CN_GC_REWRITE && s->open == seg) {
            s->open = NULL; /* it will be rewritten itself: take no copies */
        }
        uint64_t weight = g->phase == CN_GC_REMOVE ? marks_in(g, number) : seg->meta.live_whole;
        g->turns[g->turns_len++] = (cn_gc_turn){weight, number};
    }
    qsort(g->turns, g->turns_len, sizeof *g->turns, by_weight);
    g->ordered = true;
    return CN_OK;
}

/* Room for copies, `need` bytes if they can be had: the reserve is given up for that. */
static uint64_t room_for(cn_store *s, uint64_t need)
{
    uint64_t room = free_bytes(s);
    if (room < need + ROOM_SPARE_BYTES && cn_store_relieve(s)) {
        room = free_bytes(s);
    }
    return room < ROOM_SPARE_BYTES ? 0 : room - ROOM_SPARE_BYTES;
}

/* Begin with the next segment whose turn it is; at the end of the turns comes the next phase. */
static cn_err begin_next(cn_gc *g)
{
    cn_store *s = g->store;
    cn_err err = g->ordered ? CN_OK : order_turns(g);
    while (err == CN_OK && g->walk.seg == NULL && g->turns_at < g->turns_len) {
        cn_segment *seg = cn_segment_of(s, g->turns[g->turns_at++].segment);
        if (seg == NULL) {
            continue;
        }
        uint64_t live = seg->meta.live_whole;
        err = cn_gc_walk_init(g, seg);
        g->walk.cutting = err == CN_OK && g->phase == CN_GC_REWRITE && room_for(s, live) < live;
        /* a segment whose head is damaged stays as it is; it was reported at open */
        err = err == CN_ERR_CORRUPT && seg->meta.live_records == 0 ? CN_OK : err;
    }
    if (err == CN_OK && g->walk.seg == NULL) {
        g->phase = g->phase == CN_GC_REMOVE ? CN_GC_REWRITE : CN_GC_DONE;
        g->ordered = false;
    }
    return err;
}

static cn_err step(cn_gc *g, cn_gc_removed removed, void *ctx, bool *ret_end)
{
    if (g->phase == CN_GC_REMOVE) {
        return cn_gc_walk_remove(g, removed, ctx, ret_end);
    }
    return g->walk.cutting
               ? cn_gc_walk_cut(g, room_for(g->store, g->walk.seg->meta.live_whole), ret_end)
               : cn_gc_walk_move(g, ret_end);
}

cn_err cn_gc_sweep(cn_gc *g, cn_gc_removed removed, void *ctx, bool *ret_done, cn_why *why)
{
    cn_store *s = g->store;
    bool end = false;
    cn_err err = CN_OK;
    cn_lock_take(s->writer);
    if (g->walk.seg == NULL && g->phase != CN_GC_DONE) {
        CN_TRY(begin_next(g));
    }
    if (g->walk.seg != NULL) {
        err = step(g, removed, ctx, &end);
        if (end || err != CN_OK) {
            cn_gc_walk_release(g);
        }
    }
out:
    cn_lock_give(s->writer);
    if (err == CN_ERR_NO_SPACE) {
        return cn_why_set(
            why, err,
            "the collection stopped: the disk of %s is full to the last byte, and there must be "
            "room to note what is removed: free a megabyte there and collect again",
            s->dir);
    }
    if (err == CN_ERR_CORRUPT) {
        cn_index_distrust(s->index);
        return cn_why_set(
            why, err,
            "the collection stopped: the index in %s is damaged; it is made anew when the store is "
            "opened again",
            s->dir);
    }
    if (err != CN_OK) {
        return cn_why_set(why, err, "the collection stopped: %s", cn_err_sentence(err));
    }
    *ret_done = g->phase == CN_GC_DONE;
    return CN_OK;
}

cn_gc_stats cn_gc_stat(const cn_gc *g)
{
    return g->stats;
}
