/*
 * The list of segments, their files, who holds them. Files open on first use; at most
 * CN_SEGMENTS_OPEN_MAX stay open, but those in use always.
 */
#include "codec/varint.h"
#include "store/internal.h"
#include "store/sidecar.h"

static size_t position_of(const cn_store *s, uint32_t segment)
{
    size_t low = 0;
    size_t high = s->segments_len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->segments[middle]->meta.segment < segment) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

cn_segment *cn_segment_of(cn_store *s, uint32_t segment)
{
    size_t at = position_of(s, segment);
    bool found = at < s->segments_len && s->segments[at]->meta.segment == segment;
    return found ? s->segments[at] : NULL;
}

cn_err cn_segment_add(cn_store *s, const cn_segment_meta *meta, cn_segment **ret)
{
    cn_segment *seg = cn_alloc(s->mem, sizeof *seg);
    cn_err err = seg == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    if (err != CN_OK) {
        return err;
    }
    seg->meta = *meta;
    cn_lock_take(s->lock);
    err = cn_array_grow(
        s->mem, (void **)&s->segments, &s->segments_cap, s->segments_len, CN_SEGMENTS_MAX,
        sizeof(cn_segment *));
    if (err == CN_OK) {
        size_t at = position_of(s, meta->segment);
        cn_move(
            s->segments + at + 1, s->segments + at, (s->segments_len - at) * sizeof(cn_segment *));
        s->segments[at] = seg;
        s->segments_len++;
        s->next_segment = CN_MAX(s->next_segment, meta->segment + 1);
        *ret = seg;
    }
    cn_lock_give(s->lock);
    if (err != CN_OK) {
        cn_free(s->mem, seg);
    }
    return err;
}

static void close_file(cn_store *s, cn_segment *seg)
{
    if (seg->file != NULL) {
        cn_file_close(s->rt, seg->file);
        seg->file = NULL;
        s->files_open--;
    }
}

static void free_segment(cn_store *s, cn_segment *seg)
{
    close_file(s, seg);
    cn_free(s->mem, seg->checked);
    cn_free(s->mem, seg);
}

void cn_segment_note_checked(cn_store *s, cn_segment *seg, uint32_t ordinal, bool is_good)
{
    uint64_t bit = (uint64_t)1 << ordinal % 64;
    if (seg->checked == NULL && is_good) {
        seg->checked = cn_alloc_array(s->mem, CN_SEGMENT_RECORDS_MAX / 64, sizeof(uint64_t));
    }
    if (seg->checked != NULL) {
        uint64_t *word = &seg->checked[ordinal / 64];
        *word = is_good ? *word | bit : *word & ~bit;
    }
}

void cn_segment_drop(cn_store *s, cn_segment *seg)
{
    cn_lock_take(s->lock);
    size_t at = position_of(s, seg->meta.segment);
    CN_ASSERT(at < s->segments_len && s->segments[at] == seg);
    s->segments_len--;
    cn_move(s->segments + at, s->segments + at + 1, (s->segments_len - at) * sizeof(cn_segment *));
    seg->gone = true;
    if (s->open == seg) {
        s->open = NULL;
    }
    if (seg->holds == 0) {
        free_segment(s, seg);
    }
    cn_lock_give(s->lock);
}

void cn_segment_free_all(cn_store *s)
{
    for (size_t i = 0; i < s->segments_len; i++) {
        free_segment(s, s->segments[i]);
    }
    cn_free(s->mem, s->segments);
    s->segments = NULL;
    s->segments_len = 0;
    s->segments_cap = 0;
    s->open = NULL;
}

/* Is this the file it should be? */
static cn_err check_head(cn_store *s, const cn_segment *seg)
{
    uint8_t head[CN_SEGMENT_HEAD_BYTES];
    uint8_t id[CN_SEGMENT_ID_BYTES];
    size_t got = 0;
    uint32_t number = 0;
    cn_err err = cn_file_read_at(s->rt, seg->file, 0, head, sizeof head, &got);
    if (err == CN_OK) {
        err = cn_segment_head_decode((cn_slice){head, got}, &number, id);
        if (err == CN_ERR_UNSUPPORTED) {
            return err;
        }
        if (err != CN_OK || number != seg->meta.segment) {
            err = CN_ERR_CORRUPT;
        }
    }
    return err;
}

/* Make room for one more open file. */
static void close_one_idle(cn_store *s)
{
    for (size_t i = 0; i < s->segments_len && s->files_open >= CN_SEGMENTS_OPEN_MAX; i++) {
        cn_segment *seg = s->segments[i];
        if (seg->holds == 0 && seg != s->open && !seg->dirty) {
            close_file(s, seg);
        }
    }
}

static cn_err open_file(cn_store *s, cn_segment *seg)
{
    cn_store_path path;
    close_one_idle(s);
    (void)cn_segment_file(s, path, seg->meta.segment, CN_STORE_SEGMENT);
    unsigned flags = CN_FILE_READ | (seg->meta.sealed ? 0u : (unsigned)CN_FILE_WRITE);
    cn_err err = cn_file_open(s->rt, path, flags, &seg->file, NULL);
    if (err == CN_OK) {
        s->files_open++;
        err = check_head(s, seg);
        if (err != CN_OK) {
            close_file(s, seg);
        }
    }
    return err;
}

cn_err cn_segment_hold(cn_store *s, uint32_t segment, cn_segment **ret)
{
    cn_err err = CN_OK;
    cn_lock_take(s->lock);
    cn_segment *seg = cn_segment_of(s, segment);
    if (seg == NULL) {
        err = CN_ERR_NOT_FOUND;
    } else if (seg->file == NULL) {
        err = open_file(s, seg);
    }
    if (err == CN_OK) {
        seg->holds++;
        *ret = seg;
    }
    cn_lock_give(s->lock);
    return err;
}

void cn_segment_let(cn_store *s, cn_segment *seg)
{
    cn_lock_take(s->lock);
    CN_ASSERT(seg->holds > 0);
    seg->holds--;
    if (seg->gone && seg->holds == 0) {
        free_segment(s, seg);
    }
    cn_lock_give(s->lock);
}

cn_err cn_segment_create(cn_store *s, cn_why *why)
{
    cn_store_path path;
    uint8_t id[CN_SEGMENT_ID_BYTES];
    uint8_t head[CN_SEGMENT_HEAD_BYTES];
    cn_slice part = {head, sizeof head};
    cn_segment *seg = NULL;
    cn_file *f = NULL;
    cn_err err = CN_OK;
    cn_segment_meta meta = {.segment = s->next_segment, .records = 1};
    if (s->next_segment == UINT32_MAX) {
        return cn_why_set(why, CN_ERR_TOO_LARGE, "the store has used up its segment numbers");
    }
    (void)cn_segment_file(s, path, meta.segment, CN_STORE_SEGMENT);
    unsigned flags = CN_FILE_READ | CN_FILE_WRITE | CN_FILE_CREATE | CN_FILE_TRUNCATE;
    CN_TRY(cn_rt_entropy(s->rt, id, sizeof id));
    cn_segment_head_encode(meta.segment, id, head);
    CN_TRY(cn_file_open(s->rt, path, flags, &f, why));
    CN_TRY(cn_file_write_at(s->rt, f, 0, &part, 1));
    CN_TRY(cn_dir_sync(s->rt, s->dir));
    CN_TRY(cn_segment_add(s, &meta, &seg));
    cn_lock_take(s->lock);
    seg->file = f;
    seg->tail = seg->written = seg->writeback = CN_SEGMENT_HEAD_BYTES;
    s->files_open++;
    s->segment_bytes += CN_SEGMENT_HEAD_BYTES;
    s->open = seg;
    cn_lock_give(s->lock);
    return CN_OK;
out:
    if (f != NULL) {
        cn_file_close(s->rt, f);
        (void)!cn_path_unlink(s->rt, path);
    }
    return err;
}

/* Gather what a whole segment holds, in the order of keys: all its records, live or not. */
static cn_err gather(cn_store *s, cn_segment *seg, cn_pending *all)
{
    cn_scan walk = {0};
    cn_cid cid;
    cn_place place;
    cn_place before;
    cn_key key;
    bool have = false;
    cn_err err = CN_OK;
    CN_TRY(cn_scan_init(&walk, s->mem, s->rt, seg->file));
    cn_scan_seek(&walk, CN_SEGMENT_HEAD_BYTES, 1, seg->written);
    for (;;) {
        CN_TRY(cn_scan_next(&walk, &cid, &place, &have));
        if (!have) {
            break;
        }
        place.segment = seg->meta.segment;
        CN_TRY(cn_key_encode(cn_cid_key(&cid), &key));
        if (!cn_pending_get(all, cn_key_slice(&key), &before)) {
            CN_TRY(cn_pending_add(all, cn_key_slice(&key), &place));
        }
    }
out:
    cn_scan_release(&walk);
    return err;
}

static cn_err encode_sidecar(const cn_segment *seg, const cn_pending *all, cn_buf *out)
{
    uint32_t *order = NULL;
    cn_slice key;
    cn_place place;
    cn_err err = CN_OK;
    cn_sidecar about = {
        .segment = seg->meta.segment,
        .count = (uint32_t)all->len,
        .segment_bytes = seg->written,
    };
    CN_TRY(cn_pending_sort(all, &order));
    CN_TRY(cn_sidecar_begin(&about, out));
    for (size_t i = 0; i < all->len; i++) {
        cn_pending_at(all, order[i], &key, &place);
        CN_TRY(cn_sidecar_entry(key, &place, out));
    }
    CN_TRY(cn_sidecar_end(out));
out:
    cn_free(all->mem, order);
    return err;
}

cn_err cn_segment_write_sidecar(cn_store *s, cn_segment *seg)
{
    cn_store_path path;
    cn_pending all;
    cn_buf out;
    cn_err err = CN_OK;
    cn_pending_init(&all, s->mem);
    cn_buf_init(&out, s->mem, CN_SIDECAR_MAX_BYTES);
    CN_TRY(gather(s, seg, &all));
    CN_TRY(encode_sidecar(seg, &all, &out));
    (void)cn_segment_file(s, path, seg->meta.segment, CN_STORE_SIDECAR);
    CN_TRY(cn_rt_write_file(s->rt, path, cn_buf_slice(&out), NULL));
    cn_lock_take(s->lock);
    s->other_bytes += out.len - seg->sidecar_bytes;
    seg->sidecar_bytes = out.len;
    cn_lock_give(s->lock);
out:
    cn_buf_release(&out);
    cn_pending_release(&all);
    return err;
}

/* Bytes of the CID that stands before a block. */
static size_t cid_bytes(cn_slice key, const cn_place *place)
{
    cn_key mh;
    cn_cid cid;
    if (cn_key_decode(key, &mh) != CN_OK) {
        return 0;
    }
    if ((place->form & CN_PLACE_FORM_OTHER) != 0) {
        return (size_t)mh.len + (place->form & 0x7f);
    }
    return cn_place_cid(place->form, cn_key_slice(&mh), &cid) == CN_OK ? cid.len : 0;
}

uint32_t cn_record_bytes(cn_slice key, const cn_place *place)
{
    size_t cid = cid_bytes(key, place);
    return (uint32_t)(cn_varint_len(cid + place->len) + cid + place->len);
}

uint64_t cn_record_start(cn_slice key, const cn_place *place)
{
    return place->offset + place->len - cn_record_bytes(key, place);
}

void cn_segment_count(cn_store *s, cn_segment *seg, cn_slice key, const cn_place *place, bool in)
{
    uint64_t whole = cn_record_bytes(key, place);
    uint64_t sign = in ? 1 : UINT64_MAX; /* adding -1 times: unsigned numbers wrap as wanted */
    seg->meta.live_records += (uint32_t)sign;
    seg->meta.live_bytes += sign * place->len;
    seg->meta.live_whole += sign * whole;
    s->blocks_len += sign;
    s->block_bytes += sign * place->len;
    s->live_whole += sign * whole;
}
