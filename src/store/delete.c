/*
 * Removing: the tombstone is synced first, then the index forgets the key. A crash in between is
 * made good at open, which applies tombstones that the index has not seen.
 */
#include "store/internal.h"

/* Append to the tombstone log of a segment and sync it; makes the log with its first entry. */
static cn_err write_tombs(cn_store *s, cn_segment *seg, cn_slice entries)
{
    cn_store_path path;
    cn_file *f = NULL;
    cn_buf head;
    cn_slice parts[2] = {{NULL, 0}, entries};
    cn_err err = CN_OK;
    bool first = seg->tombs_bytes == 0;
    unsigned flags = CN_FILE_WRITE | (first ? CN_FILE_CREATE | CN_FILE_TRUNCATE : 0);
    cn_buf_init(&head, s->mem, CN_TOMB_HEAD_BYTES);
    if (first) {
        CN_TRY(cn_tomb_head_encode(seg->meta.segment, &head));
    }
    parts[0] = cn_buf_slice(&head);
    (void)cn_segment_file(s, path, seg->meta.segment, CN_STORE_TOMBS);
    CN_TRY(cn_file_open(s->rt, path, flags, &f, NULL));
    CN_TRY(cn_file_write_at(s->rt, f, seg->tombs_bytes, parts, CN_LEN(parts)));
    CN_TRY(cn_file_sync(s->rt, f));
    if (first) {
        CN_TRY(cn_dir_sync(s->rt, s->dir));
    }
    cn_lock_take(s->lock);
    seg->tombs_bytes += head.len + entries.len;
    s->other_bytes += head.len + entries.len;
    cn_lock_give(s->lock);
out:
    cn_file_close(s->rt, f);
    cn_buf_release(&head);
    return err;
}

/*
 * A removal failed: what was written of its tombstones must not come true at the next open, when
 * the block may have been put again. If the log cannot be cut nothing more is promised.
 */
static void cut_tombs(cn_store *s, cn_segment *seg, uint64_t bytes)
{
    cn_store_path path;
    cn_file *f = NULL;
    (void)cn_segment_file(s, path, seg->meta.segment, CN_STORE_TOMBS);
    cn_err err = cn_file_open(s->rt, path, CN_FILE_WRITE, &f, NULL);
    if (err == CN_ERR_NOT_FOUND) {
        return;
    }
    CN_TRY(err);
    CN_TRY(cn_file_truncate(s->rt, f, bytes));
    CN_TRY(cn_file_sync(s->rt, f));
out:
    cn_file_close(s->rt, f);
    cn_lock_take(s->lock);
    s->other_bytes -= seg->tombs_bytes - bytes;
    seg->tombs_bytes = bytes;
    s->broken = err;
    cn_lock_give(s->lock);
}

static cn_err write_tombs_or_relieve(cn_store *s, cn_segment *seg, cn_slice entries)
{
    cn_err err = write_tombs(s, seg, entries);
    if (err == CN_ERR_NO_SPACE && cn_store_relieve(s)) {
        err = write_tombs(s, seg, entries);
    }
    if (err != CN_OK) {
        cut_tombs(s, seg, seg->tombs_bytes);
    }
    return err;
}

typedef struct removals {
    const cn_removal *list;
    size_t len;
} removals;

static bool next_removal(void *ctx, size_t i, cn_index_change *ret)
{
    const removals *r = ctx;
    if (i >= r->len) {
        return false;
    }
    *ret = (cn_index_change){.key = cn_key_slice(&r->list[i].key)};
    return true;
}

cn_err cn_store_forget(cn_store *s, cn_segment *seg, const cn_removal *list, size_t len)
{
    removals r = {list, len};
    cn_lock_take(s->lock);
    for (size_t i = 0; i < len; i++) {
        cn_segment_count(s, seg, cn_key_slice(&list[i].key), &list[i].place, false);
    }
    cn_segment_meta meta = seg->meta;
    meta.tomb_bytes = seg->tombs_bytes;
    cn_lock_give(s->lock);
    cn_index_batch batch = {.changes = next_removal, .ctx = &r, .metas = &meta, .metas_len = 1};
    cn_err err = cn_index_apply(s->index, &batch);
    if (err == CN_ERR_NO_SPACE && cn_store_relieve(s)) {
        err = cn_index_apply(s->index, &batch);
    }
    cn_lock_take(s->lock);
    if (err == CN_OK) {
        seg->meta.tomb_bytes = meta.tomb_bytes;
    } else {
        for (size_t i = 0; i < len; i++) {
            cn_segment_count(s, seg, cn_key_slice(&list[i].key), &list[i].place, true);
        }
    }
    cn_lock_give(s->lock);
    return err;
}

cn_err cn_store_remove(cn_store *s, cn_segment *seg, const cn_removal *list, size_t len)
{
    cn_buf entries;
    uint64_t before = seg->tombs_bytes;
    cn_err err = CN_OK;
    cn_buf_init(&entries, s->mem, CN_TOMB_LOG_MAX_BYTES);
    for (size_t i = 0; i < len; i++) {
        cn_tomb tomb = {
            .offset = cn_record_start(cn_key_slice(&list[i].key), &list[i].place),
            .ordinal = list[i].place.ordinal,
        };
        CN_TRY(cn_tomb_encode(seg->meta.segment, &tomb, &entries));
    }
    CN_TRY(write_tombs_or_relieve(s, seg, cn_buf_slice(&entries)));
    err = cn_store_forget(s, seg, list, len);
    if (err != CN_OK) {
        cut_tombs(s, seg, before);
    }
out:
    cn_buf_release(&entries);
    return err;
}

void cn_store_unlink_files(cn_store *s, uint32_t segment)
{
    cn_store_path path;
    cn_err err = cn_path_unlink(s->rt, cn_segment_file(s, path, segment, CN_STORE_SEGMENT));
    bool gone = err == CN_OK || err == CN_ERR_NOT_FOUND;
    (void)!cn_path_unlink(s->rt, cn_segment_file(s, path, segment, CN_STORE_SIDECAR));
    /* the tombstones last, once the rest has surely gone: else open must try again */
    if (gone && cn_dir_sync(s->rt, s->dir) == CN_OK) {
        (void)!cn_path_unlink(s->rt, cn_segment_file(s, path, segment, CN_STORE_TOMBS));
    }
}

cn_err cn_store_unlink(cn_store *s, cn_segment *seg)
{
    cn_tomb whole = {.ordinal = CN_TOMB_WHOLE};
    uint32_t segment = seg->meta.segment;
    cn_index_batch batch = {.gone = &segment, .gone_len = 1};
    cn_buf entry;
    cn_err err = CN_OK;
    cn_buf_init(&entry, s->mem, CN_TOMB_BYTES);
    cn_lock_take(s->lock);
    seg->closed = true; /* once marked nothing may be put there, whatever fails behind it */
    if (s->open == seg) {
        s->open = NULL;
    }
    cn_lock_give(s->lock);
    CN_TRY(cn_tomb_encode(segment, &whole, &entry));
    err = write_tombs_or_relieve(s, seg, cn_buf_slice(&entry));
    /* no room for the mark: if we are killed before the unlink, dead blocks come back as such */
    CN_TRY(err == CN_ERR_NO_SPACE && s->broken == CN_OK ? CN_OK : err);
    err = cn_index_apply(s->index, &batch);
    if (err == CN_ERR_NO_SPACE && cn_store_relieve(s)) {
        err = cn_index_apply(s->index, &batch);
    }
    CN_TRY(err);
    cn_lock_take(s->lock);
    s->segment_bytes -= seg->tail;
    s->other_bytes -= seg->sidecar_bytes + seg->tombs_bytes;
    cn_lock_give(s->lock);
    cn_segment_drop(s, seg);
    cn_store_unlink_files(s, segment);
out:
    cn_buf_release(&entry);
    return err;
}

cn_err cn_store_delete(cn_store *s, const cn_cid *cid, cn_why *why)
{
    cn_removal removal;
    cn_segment *seg = NULL;
    cn_err err = CN_OK;
    if (cn_cid_is_identity(cid, NULL)) {
        return CN_ERR_NOT_FOUND;
    }
    cn_lock_take(s->writer);
    err = cn_commit_all(s);
    if (err == CN_ERR_NO_SPACE && cn_store_relieve(s)) {
        err = cn_commit_all(s);
    }
    CN_TRY(err);
    CN_TRY(cn_key_encode(cn_cid_key(cid), &removal.key));
    CN_TRY(cn_index_get(s->index, cn_key_slice(&removal.key), &removal.place));
    seg = cn_segment_of(s, removal.place.segment);
    CN_TRY(seg == NULL ? CN_ERR_CORRUPT : CN_OK);
    CN_TRY(cn_store_remove(s, seg, &removal, 1));
out:
    cn_lock_give(s->writer);
    if (err != CN_OK && err != CN_ERR_NOT_FOUND) {
        char text[CN_CID_TEXT_BYTES];
        (void)cn_why_set(
            why, err, "cannot remove block %s: %s", cn_cid_text(cid, text), cn_err_sentence(err));
    }
    return err;
}
