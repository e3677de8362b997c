/*
 * Replay of records and tombstones at open.
 */
#include "store/recover.h"

static void note(cn_store *s, cn_tomb_set *set, const cn_tomb *tomb)
{
    if (tomb->ordinal == CN_TOMB_WHOLE) {
        set->whole = true;
    } else if (tomb->ordinal < CN_SEGMENT_RECORDS_MAX) {
        set->bits[tomb->ordinal / 64] |= (uint64_t)1 << tomb->ordinal % 64;
        set->above = CN_MAX(set->above, tomb->ordinal + 1);
    } else {
        s->bad_records++;
    }
}

/* Cut a torn end, so that what is appended later can be read. */
static cn_err cut_log(cn_store *s, const char *path, uint64_t bytes)
{
    cn_file *f = NULL;
    cn_err err = cn_file_open(s->rt, path, CN_FILE_WRITE, &f, NULL);
    if (err == CN_OK) {
        err = cn_file_truncate(s->rt, f, bytes);
        cn_file_close(s->rt, f);
    }
    return err;
}

cn_err cn_tomb_set_read(cn_store *s, uint32_t segment, cn_tomb_set *ret)
{
    cn_store_path path;
    cn_tomb tomb;
    cn_cur cur = {0};
    cn_err err = CN_OK;
    cn_buf_init(&ret->log, s->mem, CN_TOMB_LOG_MAX_BYTES);
    ret->bits = cn_alloc_array(s->mem, CN_SEGMENT_RECORDS_MAX / 64, sizeof(uint64_t));
    CN_TRY(ret->bits == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    (void)cn_segment_file(s, path, segment, CN_STORE_TOMBS);
    CN_TRY(cn_rt_read_file(s->rt, path, &ret->log, NULL));
    cur = cn_cur_of(cn_buf_slice(&ret->log));
    err = cn_tomb_head_decode(segment, &cur);
    if (err == CN_ERR_UNSUPPORTED) {
        goto out;
    }
    if (err != CN_OK) {
        /* torn as it was made, before anything in it counted */
        ret->log.len = 0;
        err = CN_OK;
        goto out;
    }
    while (cn_tomb_decode(segment, &cur, &tomb) == CN_OK) {
        note(s, ret, &tomb);
    }
    ret->log_bytes = ret->log.len - cn_cur_left(&cur);
    if (cn_cur_left(&cur) > 0) {
        CN_TRY(cut_log(s, path, ret->log_bytes));
        ret->log.len = (size_t)ret->log_bytes;
    }
out:
    return err;
}

void cn_tomb_set_release(cn_store *s, cn_tomb_set *set)
{
    cn_free(s->mem, set->bits);
    if (set->log.mem != NULL) {
        cn_buf_release(&set->log);
    }
    *set = (cn_tomb_set){0};
}

bool cn_tomb_set_has(const cn_tomb_set *set, uint32_t ordinal)
{
    return set->bits != NULL && ordinal < CN_SEGMENT_RECORDS_MAX &&
           (set->bits[ordinal / 64] >> ordinal % 64 & 1) != 0;
}

/* Take one record if its bytes are what its CID says. HASH_MISMATCH if not. */
static cn_err take_record(
    cn_store *s,
    cn_segment *seg,
    cn_scan *walk,
    const cn_cid *cid,
    const cn_place *place,
    cn_buf *data)
{
    cn_key key;
    cn_multihash mh = cn_cid_multihash(cid);
    cn_err err = CN_OK;
    CN_TRY(cn_scan_data(walk, place, data));
    CN_TRY(cn_multihash_verify(&mh, cn_buf_slice(data)));
    CN_TRY(cn_key_encode(cn_cid_key(cid), &key));
    seg->written = walk->offset; /* what is adopted lies before it */
    CN_TRY(cn_recover_adopt(s, seg, cn_key_slice(&key), place));
out:
    return err;
}

static bool is_bad_record(cn_err err)
{
    return err == CN_ERR_MALFORMED || err == CN_ERR_HASH_MISMATCH || err == CN_ERR_UNSUPPORTED;
}

cn_err cn_recover_replay(cn_store *s, cn_segment *seg, const cn_tomb_set *tombs, bool known)
{
    cn_segment *held = NULL;
    cn_scan walk = {0};
    cn_buf data;
    cn_cid cid;
    cn_place place;
    bool have = false;
    uint64_t bad = 0;
    uint64_t end = seg->tail;
    cn_err err = CN_OK;
    cn_buf_init(&data, s->mem, CN_STORE_BLOCK_MAX_BYTES);
    err = cn_segment_hold(s, seg->meta.segment, &held);
    if (err == CN_ERR_CORRUPT) {
        s->bad_records++; /* not a segment of ours: left alone */
        seg->closed = true;
        err = CN_OK;
        goto out;
    }
    CN_TRY(err);
    CN_TRY(cn_scan_init(&walk, s->mem, s->rt, held->file));
    cn_scan_seek(&walk, seg->written, seg->meta.records, end);
    while (walk.ordinal < CN_SEGMENT_RECORDS_MAX) {
        err = cn_scan_next(&walk, &cid, &place, &have);
        if (err != CN_OK || !have) {
            break;
        }
        place.segment = seg->meta.segment;
        if (cn_tomb_set_has(tombs, place.ordinal)) {
            seg->written = walk.offset;
        } else {
            err = take_record(s, seg, &walk, &cid, &place, &data);
        }
        if (is_bad_record(err)) {
            bad++; /* its length may still be right: look behind it */
            err = CN_OK;
            continue;
        }
        CN_TRY(err);
        seg->meta.records = place.ordinal + 1;
        s->bad_records += bad;
        bad = 0;
    }
    CN_TRY(is_bad_record(err) ? CN_OK : err);
    seg->dirty = true;
    if (seg->written < end && known) {
        CN_TRY(cn_file_truncate(s->rt, held->file, seg->written));
        s->segment_bytes -= end - seg->written;
        seg->tail = seg->writeback = seg->written;
    }
    /* numbers that a tombstone has used must not be given to new records */
    seg->closed = seg->tail > seg->written || tombs->above > seg->meta.records;
    s->bad_records += seg->tail > seg->written;
out:
    cn_scan_release(&walk);
    if (held != NULL) {
        cn_segment_let(s, held);
    }
    cn_buf_release(&data);
    return err;
}

/* What a tombstone removes, if the index still has it. */
static cn_err
removal_of(cn_store *s, cn_scan *walk, cn_segment *seg, const cn_tomb *tomb, cn_removal *ret)
{
    cn_cid cid;
    cn_place place;
    bool have = false;
    cn_err err = CN_OK;
    cn_scan_seek(walk, tomb->offset, tomb->ordinal, seg->written);
    CN_TRY(cn_scan_next(walk, &cid, &place, &have));
    if (!have) {
        return CN_ERR_NOT_FOUND;
    }
    CN_TRY(cn_key_encode(cn_cid_key(&cid), &ret->key));
    CN_TRY(cn_store_find_key(s, cn_key_slice(&ret->key), &ret->place));
    place.segment = seg->meta.segment;
    if (!cn_place_eq(&place, &ret->place)) {
        return CN_ERR_NOT_FOUND;
    }
out:
    return err;
}

cn_err cn_recover_tombs(cn_store *s, cn_segment *seg, const cn_tomb_set *tombs)
{
    cn_segment *held = NULL;
    cn_scan walk = {0};
    cn_tomb tomb;
    cn_removal removal;
    cn_cur cur = {0};
    size_t seen = CN_MAX((size_t)seg->meta.tomb_bytes, (size_t)CN_TOMB_HEAD_BYTES);
    cn_err err = CN_OK;
    if (tombs->log_bytes <= seg->meta.tomb_bytes) {
        return CN_OK;
    }
    CN_TRY(cn_commit_all(s));
    CN_TRY(cn_segment_hold(s, seg->meta.segment, &held));
    CN_TRY(cn_scan_init(&walk, s->mem, s->rt, held->file));
    cur = cn_cur_of(cn_slice_skip(cn_buf_slice(&tombs->log), seen));
    while (cn_tomb_decode(seg->meta.segment, &cur, &tomb) == CN_OK) {
        err = removal_of(s, &walk, seg, &tomb, &removal);
        if (err == CN_OK) {
            CN_TRY(cn_store_forget(s, seg, &removal, 1));
        }
        CN_TRY(err == CN_ERR_NOT_FOUND || err == CN_ERR_MALFORMED ? CN_OK : err);
    }
    CN_TRY(cn_store_forget(s, seg, NULL, 0));
out:
    cn_scan_release(&walk);
    if (held != NULL) {
        cn_segment_let(s, held);
    }
    return err;
}

cn_err cn_recover_finish_unlink(cn_store *s, uint32_t segment)
{
    cn_index_batch batch = {.gone = &segment, .gone_len = 1};
    cn_segment *seg = cn_segment_of(s, segment);
    if (seg != NULL) {
        cn_err err = cn_index_apply(s->index, &batch);
        if (err != CN_OK) {
            return err;
        }
        s->blocks_len -= seg->meta.live_records;
        s->block_bytes -= seg->meta.live_bytes;
        s->live_whole -= seg->meta.live_whole;
        cn_segment_drop(s, seg);
    }
    cn_store_unlink_files(s, segment);
    return CN_OK;
}
