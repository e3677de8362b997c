/*
 * Reads a window of the file at a time; a record whose head lies in the window costs no read.
 */
#include "store/scan.h"

enum { WINDOW_BYTES = 64 * 1024 };

cn_err cn_scan_init(cn_scan *w, cn_mem *mem, cn_rt *rt, cn_file *file)
{
    *w = (cn_scan){.rt = rt, .file = file, .mem = mem};
    w->window = cn_alloc_dirty(mem, WINDOW_BYTES);
    return w->window == NULL ? CN_ERR_NO_MEMORY : CN_OK;
}

void cn_scan_release(cn_scan *w)
{
    cn_free(w->mem, w->window);
    w->window = NULL;
}

void cn_scan_seek(cn_scan *w, uint64_t offset, uint32_t ordinal, uint64_t end)
{
    w->offset = offset;
    w->ordinal = ordinal;
    w->end = end;
    w->window_len = 0;
}

/* Up to a record head's worth of bytes at w->offset. */
static cn_err look(cn_scan *w, cn_slice *ret)
{
    uint64_t want = CN_MIN(w->end - w->offset, (uint64_t)CN_RECORD_HEAD_MAX_BYTES);
    if (w->offset < w->window_at || w->offset + want > w->window_at + w->window_len) {
        uint64_t room = CN_MIN(w->end - w->offset, (uint64_t)WINDOW_BYTES);
        w->window_len = 0;
        cn_err err =
            cn_file_read_at(w->rt, w->file, w->offset, w->window, (size_t)room, &w->window_len);
        if (err != CN_OK) {
            return err;
        }
        w->window_at = w->offset;
    }
    cn_slice held = {w->window, w->window_len};
    *ret = cn_slice_head(cn_slice_skip(held, (size_t)(w->offset - w->window_at)), (size_t)want);
    return CN_OK;
}

cn_err cn_scan_next(cn_scan *w, cn_cid *ret_cid, cn_place *ret, bool *ret_have)
{
    cn_slice bytes = {0};
    cn_record_head head;
    if (w->offset >= w->end) {
        *ret_have = false;
        return CN_OK;
    }
    cn_err err = look(w, &bytes);
    if (err != CN_OK) {
        return err;
    }
    err = cn_record_head_decode(bytes, &head);
    uint64_t whole = (uint64_t)head.head_bytes + head.data_bytes;
    if (err != CN_OK || whole > w->end - w->offset) {
        return CN_ERR_MALFORMED;
    }
    *ret_cid = head.cid;
    *ret = (cn_place){
        .offset = w->offset + head.head_bytes,
        .len = head.data_bytes,
        .ordinal = w->ordinal,
        .form = cn_place_form(&head.cid),
    };
    w->offset += whole;
    w->ordinal++;
    *ret_have = true;
    return CN_OK;
}

cn_err cn_scan_data(cn_scan *w, const cn_place *place, cn_buf *buf)
{
    size_t got = 0;
    cn_buf_reset(buf);
    cn_err err = cn_buf_reserve(buf, place->len);
    if (err == CN_OK) {
        err = cn_file_read_at(w->rt, w->file, place->offset, buf->data, place->len, &got);
    }
    if (err == CN_OK && got != place->len) {
        err = CN_ERR_MALFORMED;
    }
    if (err == CN_OK) {
        buf->len = got;
    }
    return err;
}
