/*
 * The walk over the records of one segment: removing what is not marked, moving what is live. It
 * stops after a bounded piece and goes on with the next step.
 *
 * Each piece ends in a state that open accepts: a removal is a synced tombstone before the index
 * forgets; a copy is committed before its source is unlinked.
 */
#include "store/gc_internal.h"

enum {
    REMOVE_AT_ONCE = 4096,
    REMOVE_AT_LEAST = 8, /* a removal is cut down to so many blocks when room is short */
    MOVE_BYTES = 64 << 20,
};

cn_err cn_gc_walk_init(cn_gc *g, cn_segment *seg)
{
    cn_store *s = g->store;
    cn_gc_walk *w = &g->walk;
    cn_err err = CN_OK;
    *w = (cn_gc_walk){.whole_dead = cn_gc_bits(g, seg->meta.segment) == NULL};
    cn_buf_init(&w->data, s->mem, CN_STORE_BLOCK_MAX_BYTES);
    w->expected = seg->meta.live_records;
    CN_TRY(cn_segment_hold(s, seg->meta.segment, &w->seg));
    CN_TRY(cn_scan_init(&w->scan, s->mem, s->rt, seg->file));
    cn_scan_seek(&w->scan, CN_SEGMENT_HEAD_BYTES, 1, seg->written);
    w->list = cn_alloc_array(s->mem, REMOVE_AT_ONCE, sizeof *w->list);
    w->cids = cn_alloc_array(s->mem, REMOVE_AT_ONCE, sizeof *w->cids);
    CN_TRY(w->list == NULL || w->cids == NULL ? CN_ERR_NO_MEMORY : CN_OK);
out:
    if (err != CN_OK) {
        cn_gc_walk_release(g);
    }
    return err;
}

void cn_gc_walk_release(cn_gc *g)
{
    cn_store *s = g->store;
    cn_gc_walk *w = &g->walk;
    if (w->scan.mem != NULL) {
        cn_scan_release(&w->scan);
    }
    cn_free(s->mem, w->list);
    cn_free(s->mem, w->cids);
    if (w->data.mem != NULL) {
        cn_buf_release(&w->data);
    }
    if (w->seg != NULL) {
        cn_segment_let(s, w->seg);
    }
    *w = (cn_gc_walk){0};
}

static bool is_same(const cn_place *a, const cn_place *b)
{
    return a->len == b->len && a->ordinal == b->ordinal && a->form == b->form;
}

cn_err cn_gc_next_live(cn_gc *g, cn_cid *ret_cid, cn_removal *ret, bool *ret_have)
{
    cn_gc_walk *w = &g->walk;
    cn_place place;
    for (;;) {
        cn_err err = cn_scan_next(&w->scan, ret_cid, &place, ret_have);
        if (err == CN_ERR_MALFORMED) {
            w->expected = w->met; /* what lies behind it is not known */
            *ret_have = false;
            return CN_OK;
        }
        if (err != CN_OK || !*ret_have) {
            return err;
        }
        place.segment = w->seg->meta.segment;
        err = cn_key_encode(cn_cid_key(ret_cid), &ret->key);
        if (err == CN_OK) {
            err = cn_store_find_key(g->store, cn_key_slice(&ret->key), &ret->place);
        }
        if (err == CN_OK && ret->place.segment == place.segment &&
            ret->place.offset == place.offset) {
            w->met++;
            /* its number is what marks and tombstones go by */
            return is_same(&place, &ret->place) ? CN_OK : CN_ERR_CORRUPT;
        }
        if (err != CN_OK && err != CN_ERR_NOT_FOUND) {
            return err;
        }
    }
}

/*
 * Remove as many at once as there is room for: the index copies the pages that it changes. Where
 * nothing of the segment is kept it will be unlinked at once, so that without room for tombstones
 * it goes without: should that be cut off in the middle, garbage comes back as garbage.
 */
static cn_err remove_some(cn_gc *g, const cn_removal *list, size_t len, size_t *ret_removed)
{
    cn_gc_walk *w = &g->walk;
    cn_err err = CN_OK;
    size_t n = len;
    for (;;) {
        err = cn_store_remove(g->store, w->seg, list, n);
        if (err != CN_ERR_NO_SPACE || n <= REMOVE_AT_LEAST) {
            break;
        }
        n = CN_MAX(n / 4, (size_t)REMOVE_AT_LEAST);
    }
    if (err == CN_ERR_NO_SPACE && w->whole_dead && g->store->broken == CN_OK) {
        err = cn_store_forget(g->store, w->seg, list, n);
    }
    *ret_removed = n;
    return err;
}

/* Remove what has been gathered, then say so. */
static cn_err remove_gathered(cn_gc *g, size_t len, cn_gc_removed removed, void *ctx)
{
    const cn_gc_walk *w = &g->walk;
    size_t n = 0;
    cn_err err = CN_OK;
    cn_err told = CN_OK;
    for (size_t from = 0; from < len; from += n) {
        CN_TRY(remove_some(g, w->list + from, len - from, &n));
        for (size_t i = from; i < from + n; i++) {
            g->stats.removed_blocks++;
            g->stats.removed_bytes += w->list[i].place.len;
            if (removed != NULL && told == CN_OK) {
                told = removed(ctx, &w->cids[i], w->list[i].place.len);
            }
        }
    }
out:
    return err != CN_OK ? err : told;
}

cn_err cn_gc_unlink_empty(cn_gc *g, cn_segment *seg)
{
    uint64_t bytes = seg->tail + seg->sidecar_bytes + seg->tombs_bytes;
    cn_err err = cn_store_unlink(g->store, seg);
    if (err == CN_OK) {
        g->stats.freed_bytes += bytes;
        g->stats.segments_unlinked++;
    }
    return err;
}

static bool is_marked(const cn_gc *g, const cn_place *place)
{
    const uint64_t *bits = cn_gc_bits(g, place->segment);
    return bits != NULL && (bits[place->ordinal / 64] >> place->ordinal % 64 & 1) != 0;
}

cn_err cn_gc_walk_remove(cn_gc *g, cn_gc_removed removed, void *ctx, bool *ret_end)
{
    cn_gc_walk *w = &g->walk;
    cn_segment *seg = w->seg;
    size_t len = 0;
    bool have = true;
    cn_err err = CN_OK;
    while (len < REMOVE_AT_ONCE) {
        CN_TRY(cn_gc_next_live(g, &w->cids[len], &w->list[len], &have));
        if (!have) {
            break;
        }
        len += !is_marked(g, &w->list[len].place);
    }
    CN_TRY(remove_gathered(g, len, removed, ctx));
    /* each live record is met once: else the index does not say where some blocks lie */
    CN_TRY(!have && w->met != w->expected ? CN_ERR_CORRUPT : CN_OK);
    if (!have && seg->meta.live_records == 0 && seg->meta.records > 1) {
        CN_TRY(cn_gc_unlink_empty(g, seg));
    }
    *ret_end = !have;
out:
    return err;
}

/* Copy one live record to the open segment. */
static cn_err move_one(cn_gc *g, const cn_cid *cid, const cn_removal *live)
{
    cn_store *s = g->store;
    cn_gc_walk *w = &g->walk;
    cn_multihash mh = cn_cid_multihash(cid);
    cn_store_put item = {cid, {NULL, 0}};
    cn_err err = CN_OK;
    CN_TRY(cn_scan_data(&w->scan, &live->place, &w->data));
    CN_TRY(cn_multihash_verify(&mh, cn_buf_slice(&w->data)));
    item.data = cn_buf_slice(&w->data);
    CN_TRY(cn_store_append(s, &item, 1, true, NULL));
    cn_lock_take(s->lock);
    cn_segment_count(s, w->seg, cn_key_slice(&live->key), &live->place, false);
    w->seg->dirty = true;
    cn_lock_give(s->lock);
out:
    return err;
}

cn_err cn_gc_move_some(cn_gc *g, bool *ret_have)
{
    cn_store *s = g->store;
    cn_cid cid;
    cn_removal live;
    uint64_t moved_bytes = 0;
    cn_err err = CN_OK;
    while (moved_bytes < MOVE_BYTES && s->fresh.len < CN_COMMIT_SLICE) {
        CN_TRY(cn_gc_next_live(g, &cid, &live, ret_have));
        if (!*ret_have) {
            break;
        }
        CN_TRY(move_one(g, &cid, &live));
        moved_bytes += live.place.len;
    }
out:
    return err;
}

cn_err cn_gc_commit(cn_store *s)
{
    cn_err err = cn_commit_all(s);
    return err == CN_ERR_NO_SPACE && cn_store_relieve(s) ? cn_commit_all(s) : err;
}

/* A damaged record, or no room: what is left of the segment stays as it is. */
bool cn_gc_stays(cn_err err)
{
    return err == CN_ERR_NO_SPACE || err == CN_ERR_HASH_MISMATCH || err == CN_ERR_MALFORMED;
}

cn_err cn_gc_walk_move(cn_gc *g, bool *ret_end)
{
    cn_store *s = g->store;
    cn_segment *seg = g->walk.seg;
    bool have = true;
    cn_err err = cn_gc_move_some(g, &have);
    bool stays = cn_gc_stays(err);
    CN_TRY(stays ? CN_OK : err);
    CN_TRY(cn_gc_commit(s));
    if (!stays && !have && seg->meta.live_records == 0) {
        CN_TRY(cn_gc_unlink_empty(g, seg));
        g->stats.segments_rewritten++;
        g->stats.segments_unlinked--;
    }
    *ret_end = stays || !have;
out:
    return err;
}
