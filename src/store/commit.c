/*
 * Making a group durable: sync the segments it lies in, then put its places and the segments'
 * checkpoints into the index in one transaction. Runs on a thread of the pool while the next group
 * is gathered, or in place for a flush.
 *
 * If a sync fails, what the kernel kept of the file is unknown. The tail behind the checkpoint is
 * given up: its blocks are read back, checked and written to another segment, and the caller is
 * told. Syncing the same file again and believing it would be wrong.
 */
#include "store/internal.h"

/* Entries of one transaction: they touch as many pages of the index at most, held in memory. */
typedef struct slice_of_group {
    const cn_pending *pending;
    uint32_t *order;
    size_t from, end;
} slice_of_group;

static bool next_change(void *ctx, size_t i, cn_index_change *ret)
{
    const slice_of_group *in = ctx;
    if (i >= in->end - in->from) {
        return false;
    }
    cn_pending_at(in->pending, in->order[in->from + i], &ret->key, &ret->place);
    return true;
}

/*
 * The group goes into the index in slices, in the order of keys; the checkpoints come with the last
 * one. After a crash in between, replay finds the first ones in the index at their own places.
 */
static cn_err apply_group(cn_store *s, const cn_commit *c, slice_of_group *in)
{
    cn_index_batch batch = {.changes = next_change, .ctx = in};
    cn_err err = CN_OK;
    do {
        in->end = CN_MIN(in->from + CN_COMMIT_SLICE, in->pending->len);
        if (in->end == in->pending->len) {
            batch.metas = c->metas;
            batch.metas_len = c->len;
        }
        err = cn_index_apply(s->index, &batch);
        in->from = in->end;
    } while (err == CN_OK && in->from < in->pending->len);
    return err;
}

static void run(cn_work *w)
{
    cn_commit *c = (cn_commit *)w;
    cn_store *s = c->store;
    slice_of_group in = {.pending = &s->leaving};
    cn_err err = CN_OK;
    for (size_t i = 0; i < c->len; i++) {
        err = cn_file_sync(s->rt, c->segments[i]->file);
        if (err != CN_OK) {
            c->sync_failed = true;
            goto out;
        }
    }
    CN_TRY(cn_pending_sort(&s->leaving, &in.order));
    CN_TRY(apply_group(s, c, &in));
out:
    cn_free(s->mem, in.order);
    c->err = err;
}

static void forget(cn_store *s)
{
    cn_commit *c = &s->commit;
    for (size_t i = 0; i < c->len; i++) {
        cn_segment_let(s, c->segments[i]);
    }
    cn_free(s->mem, c->segments);
    cn_free(s->mem, c->metas);
    *c = (cn_commit){.store = s};
}

/* Which segments have news, and what the index shall know of them. */
static cn_err collect(cn_store *s)
{
    cn_commit *c = &s->commit;
    size_t dirty = 0;
    cn_err err = CN_OK;
    *c = (cn_commit){.store = s};
    for (size_t i = 0; i < s->segments_len; i++) {
        dirty += s->segments[i]->dirty;
    }
    c->segments = cn_alloc_array(s->mem, dirty + 1, sizeof *c->segments);
    c->metas = cn_alloc_array(s->mem, dirty + 1, sizeof *c->metas);
    if (c->segments == NULL || c->metas == NULL) {
        err = CN_ERR_NO_MEMORY;
        goto out;
    }
    for (size_t i = 0; i < s->segments_len; i++) {
        if (s->segments[i]->dirty) {
            CN_TRY(cn_segment_hold(s, s->segments[i]->meta.segment, &c->segments[c->len]));
            c->metas[c->len] = c->segments[c->len]->meta;
            c->metas[c->len].checkpoint = c->segments[c->len]->written;
            c->len++;
        }
    }
out:
    if (err != CN_OK) {
        forget(s);
    }
    return err;
}

cn_err cn_commit_begin(cn_store *s, bool in_place)
{
    CN_ASSERT(!s->commit.running && s->leaving.len == 0);
    cn_err err = s->broken != CN_OK ? s->broken : collect(s);
    if (err != CN_OK) {
        return err;
    }
    cn_lock_take(s->lock);
    cn_pending spare = s->leaving;
    s->leaving = s->fresh;
    s->fresh = spare;
    for (size_t i = 0; i < s->commit.len; i++) {
        s->commit.segments[i]->dirty = false;
    }
    cn_lock_give(s->lock);
    s->pending_bytes = 0;
    s->commit.running = true;
    s->commit.work.run = run;
    if (in_place) {
        run(&s->commit.work);
    } else {
        cn_rt_work_submit(s->rt, &s->commit.work);
    }
    return CN_OK;
}

/* Put one block of a lost tail into another segment, if its bytes can still be had. */
static cn_err rescue_one(cn_store *s, cn_slice key, const cn_place *place, cn_buf *data)
{
    cn_segment *seg = NULL;
    cn_key mh;
    cn_multihash hash;
    cn_cid cid;
    cn_scan walk = {.rt = s->rt};
    cn_store_put item = {&cid, {NULL, 0}};
    cn_err err = CN_OK;
    CN_TRY(cn_segment_hold(s, place->segment, &seg));
    walk.file = seg->file;
    CN_TRY(cn_scan_data(&walk, place, data));
    CN_TRY(cn_key_decode(key, &mh));
    CN_TRY(cn_multihash_decode(cn_key_slice(&mh), &hash));
    CN_TRY(cn_multihash_verify(&hash, cn_buf_slice(data)));
    if (cn_place_cid(place->form, cn_key_slice(&mh), &cid) != CN_OK) {
        CN_TRY(cn_cid_make(1, CN_CODEC_RAW, &hash, &cid));
    }
    item.data = cn_buf_slice(data);
    CN_TRY(cn_store_append(s, &item, 1, true, NULL));
    cn_lock_take(s->lock);
    cn_segment_count(s, seg, key, place, false);
    cn_lock_give(s->lock);
out:
    if (seg != NULL) {
        cn_segment_let(s, seg);
    }
    return err;
}

/* Blocks of `from` that lie in a segment that was given up go elsewhere; the rest is kept. */
static cn_err rescue(cn_store *s, cn_pending *from, uint32_t last_good)
{
    cn_buf data;
    cn_slice key;
    cn_place place;
    cn_place other;
    cn_err err = CN_OK;
    cn_buf_init(&data, s->mem, CN_STORE_BLOCK_MAX_BYTES);
    for (size_t i = 0; i < from->len; i++) {
        cn_pending_at(from, i, &key, &place);
        if (place.segment > last_good || cn_pending_get(&s->fresh, key, &other)) {
            continue;
        }
        CN_TRY(rescue_one(s, key, &place, &data));
    }
out:
    cn_buf_release(&data);
    return err;
}

/* The blocks lie elsewhere now: what a later sync would falsely call durable goes. */
static void cut_tails(cn_store *s, uint32_t last_good)
{
    for (size_t i = 0; i < s->segments_len; i++) {
        cn_segment *seg = s->segments[i];
        uint64_t end = CN_MAX(seg->meta.checkpoint, (uint64_t)CN_SEGMENT_HEAD_BYTES);
        if (seg->meta.segment > last_good || seg->meta.sealed || seg->file == NULL ||
            seg->tail <= end || cn_file_truncate(s->rt, seg->file, end) != CN_OK) {
            continue;
        }
        cn_lock_take(s->lock);
        s->segment_bytes -= seg->tail - end;
        seg->tail = seg->written = seg->writeback = end;
        cn_lock_give(s->lock);
    }
}

/* The sync of a segment failed: give up the tails, write their blocks elsewhere. */
static void give_up_tails(cn_store *s)
{
    cn_pending old = s->fresh;
    cn_pending leaving = s->leaving;
    uint32_t last_good = s->next_segment - 1;
    cn_lock_take(s->lock);
    s->open = NULL; /* never append to it again */
    cn_pending_init(&s->fresh, s->mem);
    cn_pending_init(&s->leaving, s->mem);
    for (size_t i = 0; i < s->segments_len; i++) {
        s->segments[i]->dirty = false;
        s->segments[i]->closed = true;
    }
    cn_lock_give(s->lock);
    cn_err err = rescue(s, &leaving, last_good);
    if (err == CN_OK) {
        err = rescue(s, &old, last_good);
    }
    if (err == CN_OK) {
        cut_tails(s, last_good);
    }
    cn_pending_release(&old);
    cn_pending_release(&leaving);
    cn_lock_take(s->lock);
    s->broken = err;
    cn_lock_give(s->lock);
}

/* The index refused: keep the places for the next try. */
static void take_back(cn_store *s)
{
    cn_slice key;
    cn_place place;
    cn_err err = CN_OK;
    cn_lock_take(s->lock);
    for (size_t i = 0; i < s->commit.len; i++) {
        s->commit.segments[i]->dirty = true;
    }
    for (size_t i = 0; i < s->leaving.len && err == CN_OK; i++) {
        cn_pending_at(&s->leaving, i, &key, &place);
        err = cn_pending_add(&s->fresh, key, &place);
    }
    cn_pending_release(&s->leaving);
    s->broken = err; /* too many to keep: their bytes are replayed at the next open */
    cn_lock_give(s->lock);
}

cn_err cn_commit_end(cn_store *s)
{
    cn_commit *c = &s->commit;
    if (!c->running) {
        return CN_OK;
    }
    if (atomic_load(&c->work.state) != 0) {
        cn_rt_work_wait(s->rt, &c->work);
    }
    c->running = false;
    cn_err err = c->err;
    if (err == CN_OK) {
        cn_lock_take(s->lock);
        for (size_t i = 0; i < c->len; i++) {
            c->segments[i]->meta.checkpoint = c->metas[i].checkpoint;
        }
        cn_pending_release(&s->leaving);
        cn_lock_give(s->lock);
        forget(s);
        return CN_OK;
    }
    bool sync_failed = c->sync_failed;
    if (!sync_failed) {
        take_back(s);
    }
    forget(s);
    if (sync_failed) {
        give_up_tails(s);
    }
    return err;
}

cn_err cn_commit_all(cn_store *s)
{
    cn_err err = cn_commit_end(s);
    bool dirty = s->fresh.len > 0;
    /* blocks have been lost sight of: a checkpoint now would pass over them */
    err = err == CN_OK ? s->broken : err;
    for (size_t i = 0; i < s->segments_len && !dirty; i++) {
        dirty = s->segments[i]->dirty;
    }
    if (err == CN_OK && dirty) {
        err = cn_commit_begin(s, true);
        if (err == CN_OK) {
            err = cn_commit_end(s);
        }
    }
    return err;
}

static cn_err seal_one(cn_store *s, cn_segment *seg)
{
    cn_segment_meta meta;
    cn_segment *held = NULL;
    cn_index_batch batch = {.metas = &meta, .metas_len = 1};
    cn_err err = CN_OK;
    CN_TRY(cn_segment_hold(s, seg->meta.segment, &held));
    CN_TRY(cn_segment_write_sidecar(s, seg));
    meta = seg->meta;
    meta.sealed = true;
    CN_TRY(cn_index_apply(s->index, &batch));
    cn_lock_take(s->lock);
    seg->meta.sealed = true;
    cn_lock_give(s->lock);
out:
    if (held != NULL) {
        cn_segment_let(s, held);
    }
    return err;
}

cn_err cn_store_seal_closed(cn_store *s)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < s->segments_len; i++) {
        cn_segment *seg = s->segments[i];
        if (seg->closed && !seg->meta.sealed && !seg->dirty && seg->file != NULL) {
            CN_TRY(seal_one(s, seg));
        }
    }
out:
    return err;
}
