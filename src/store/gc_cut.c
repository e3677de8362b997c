/*
 * Freeing a segment from its end, where the disk has no room for a copy of all that lives in it:
 * the live blocks of a last piece are copied, the index learns where they lie now and that the
 * segment is shorter, and then the file is. Each piece makes the room for the next.
 *
 * A crash in between leaves a file that is longer than its checkpoint says, whose end holds blocks
 * that lie elsewhere too: open accepts that of a sealed segment.
 */
#include "store/gc_internal.h"

/* Where the piece begins. */
typedef struct cut {
    uint64_t offset;
    uint32_t ordinal;
} cut;

/* The first record from where on no more than `room` bytes live. Goes over the whole segment. */
static cn_err find_cut(cn_gc *g, uint64_t room, cut *ret)
{
    cn_scan *scan = &g->walk.scan;
    const cn_segment *seg = g->walk.seg;
    uint64_t left = seg->meta.live_whole;
    cn_removal live;
    cn_cid cid;
    bool have = true;
    cn_err err = CN_OK;
    cn_scan_seek(scan, CN_SEGMENT_HEAD_BYTES, 1, seg->written);
    *ret = (cut){scan->offset, scan->ordinal};
    while (left > room) {
        CN_TRY(cn_gc_next_live(g, &cid, &live, &have));
        if (!have) {
            break;
        }
        left -= cn_record_bytes(cn_key_slice(&live.key), &live.place);
        *ret = (cut){scan->offset, scan->ordinal};
    }
    /* a record that cannot be read lies before what we wanted to reach */
    err = left > room ? CN_ERR_MALFORMED : CN_OK;
out:
    return err;
}

static cn_err move_piece(cn_gc *g, const cut *from)
{
    cn_segment *seg = g->walk.seg;
    bool have = true;
    cn_err err = CN_OK;
    cn_scan_seek(&g->walk.scan, from->offset, from->ordinal, seg->written);
    while (have && err == CN_OK) {
        err = cn_gc_move_some(g, &have);
        cn_err committed = cn_gc_commit(g->store);
        err = err == CN_OK ? committed : err;
    }
    return err == CN_OK && g->walk.scan.offset != seg->written ? CN_ERR_MALFORMED : err;
}

/* The index must say that the segment is shorter, for good, before it is. */
static cn_err tell_index(cn_store *s, cn_segment *seg, const cut *at)
{
    cn_index_batch batch = {.metas_len = 1};
    cn_lock_take(s->lock);
    seg->closed = true;
    cn_segment_meta meta = seg->meta;
    cn_lock_give(s->lock);
    meta.checkpoint = at->offset;
    meta.records = at->ordinal;
    meta.sealed = true;
    batch.metas = &meta;
    cn_err err = cn_index_apply(s->index, &batch);
    if (err == CN_OK) {
        err = cn_index_checkpoint(s->index);
    }
    if (err == CN_OK) {
        cn_lock_take(s->lock);
        seg->meta = meta;
        cn_lock_give(s->lock);
    }
    return err;
}

/* Cut the file, unless somebody reads from it; readers that come now find the blocks elsewhere. */
static cn_err cut_file(cn_store *s, cn_segment *seg, uint64_t end, uint64_t *ret_freed)
{
    cn_store_path path;
    cn_file *f = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_file_open(
        s->rt, cn_segment_file(s, path, seg->meta.segment, CN_STORE_SEGMENT), CN_FILE_WRITE, &f,
        NULL));
    /* it lists what is cut off */
    (void)cn_segment_file(s, path, seg->meta.segment, CN_STORE_SIDECAR);
    err = cn_path_unlink(s->rt, path);
    CN_TRY(err == CN_ERR_NOT_FOUND ? CN_OK : err);
    cn_lock_take(s->lock);
    s->other_bytes -= seg->sidecar_bytes;
    seg->sidecar_bytes = 0;
    err = seg->holds > 1 ? CN_ERR_BUSY : cn_file_truncate(s->rt, f, end);
    if (err == CN_OK) {
        *ret_freed = seg->tail - end;
        s->segment_bytes -= *ret_freed;
        seg->tail = seg->written = seg->writeback = end;
    }
    cn_lock_give(s->lock);
out:
    cn_file_close(s->rt, f);
    return err;
}

static void count_stuck(cn_gc *g, const cn_segment *seg)
{
    g->stats.stuck_bytes += seg->tail - CN_SEGMENT_HEAD_BYTES - seg->meta.live_whole;
}

cn_err cn_gc_walk_cut(cn_gc *g, uint64_t room, bool *ret_end)
{
    cn_store *s = g->store;
    cn_segment *seg = g->walk.seg;
    uint64_t freed = 0;
    cut at = {0};
    cn_err err = find_cut(g, room, &at);
    if (err == CN_OK) {
        err = move_piece(g, &at);
    }
    if (err == CN_OK && seg->meta.live_records == 0) {
        *ret_end = true;
        CN_TRY(cn_gc_unlink_empty(g, seg));
        g->stats.segments_rewritten++;
        g->stats.segments_unlinked--;
        goto out;
    }
    if (err == CN_OK && at.offset < seg->tail) {
        err = tell_index(s, seg, &at);
        if (err == CN_OK) {
            err = cut_file(s, seg, at.offset, &freed);
        }
        g->stats.freed_bytes += freed;
    }
    CN_TRY(cn_gc_stays(err) || err == CN_ERR_BUSY ? CN_OK : err);
    *ret_end = freed == 0 || seg->tail - CN_SEGMENT_HEAD_BYTES == seg->meta.live_whole;
    if (*ret_end) {
        count_stuck(g, seg);
        (void)!cn_segment_write_sidecar(s, seg); /* only saves time later */
    }
    err = CN_OK;
out:
    return err;
}
