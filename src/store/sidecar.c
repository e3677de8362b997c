/*
 * Sidecars as bytes: head, entries (length of key, key, place), SHA-256 of all before it.
 */
#include "store/sidecar.h"

#include "base/cur.h"
#include "base/le.h"
#include "crypto/sha256.h"

enum { SIDECAR_VERSION = 1, MAGIC_BYTES = 9 };

static const uint8_t magic[MAGIC_BYTES] = {'c', 'a', 'i', 'r', 'n', '-', 'm', 'a', 'p'};

cn_err cn_sidecar_begin(const cn_sidecar *about, cn_buf *out)
{
    uint8_t head[CN_SIDECAR_HEAD_BYTES] = {0};
    cn_copy(head, magic, MAGIC_BYTES);
    head[MAGIC_BYTES] = SIDECAR_VERSION;
    cn_le_put(head + 12, about->segment, 4);
    cn_le_put(head + 16, about->segment_bytes, 8);
    cn_le_put(head + 24, about->count, 4);
    return cn_buf_append(out, cn_slice_of(head, sizeof head));
}

cn_err cn_sidecar_entry(cn_slice key, const cn_place *place, cn_buf *out)
{
    uint8_t bytes[CN_PLACE_BYTES];
    cn_err err = CN_OK;
    cn_place_encode(place, bytes);
    CN_TRY(cn_buf_byte(out, (uint8_t)key.len));
    CN_TRY(cn_buf_append(out, key));
    CN_TRY(cn_buf_append(out, cn_slice_of(bytes, sizeof bytes)));
out:
    return err;
}

cn_err cn_sidecar_end(cn_buf *out)
{
    uint8_t sum[CN_SIDECAR_SUM_BYTES];
    cn_sha256(cn_buf_slice(out), sum);
    return cn_buf_append(out, cn_slice_of(sum, sizeof sum));
}

cn_err cn_sidecar_decode(cn_slice whole, cn_sidecar *ret, cn_cur *ret_entries)
{
    uint8_t sum[CN_SIDECAR_SUM_BYTES];
    cn_sidecar about = {0};
    cn_err err = CN_OK;
    if (whole.len < CN_SIDECAR_HEAD_BYTES + CN_SIDECAR_SUM_BYTES) {
        return CN_ERR_TRUNCATED;
    }
    cn_slice body = cn_slice_head(whole, whole.len - CN_SIDECAR_SUM_BYTES);
    if (!cn_slice_starts(body, cn_slice_of(magic, MAGIC_BYTES))) {
        return CN_ERR_MALFORMED;
    }
    if (body.data[MAGIC_BYTES] != SIDECAR_VERSION) {
        return CN_ERR_UNSUPPORTED;
    }
    cn_sha256(body, sum);
    if (!cn_slice_eq(cn_slice_skip(whole, body.len), cn_slice_of(sum, sizeof sum))) {
        return CN_ERR_HASH_MISMATCH;
    }
    cn_cur cur = cn_cur_of(cn_slice_skip(body, 12));
    uint32_t zero = 0;
    CN_TRY(cn_cur_le32(&cur, &about.segment));
    CN_TRY(cn_cur_le64(&cur, &about.segment_bytes));
    CN_TRY(cn_cur_le32(&cur, &about.count));
    CN_TRY(cn_cur_le32(&cur, &zero));
    if (about.count > CN_SEGMENT_RECORDS_MAX || zero != 0) {
        return CN_ERR_MALFORMED;
    }
    *ret = about;
    *ret_entries = cur;
out:
    return err;
}

cn_err cn_sidecar_next(const cn_sidecar *about, cn_cur *entries, cn_slice *ret_key, cn_place *ret)
{
    cn_cur cur = *entries;
    uint8_t len = 0;
    cn_slice key = {0};
    cn_slice bytes = {0};
    cn_place place;
    cn_err err = CN_OK;
    CN_TRY(cn_cur_byte(&cur, &len));
    CN_TRY(cn_cur_take(&cur, len, &key));
    CN_TRY(cn_cur_take(&cur, CN_PLACE_BYTES, &bytes));
    CN_TRY(cn_place_decode(bytes, &place));
    if (place.segment != about->segment || key.len == 0 || key.len > CN_KEY_MAX_BYTES ||
        place.offset + place.len > about->segment_bytes ||
        place.ordinal >= CN_SEGMENT_RECORDS_MAX) {
        return CN_ERR_MALFORMED;
    }
    *ret_key = key;
    *ret = place;
    *entries = cur;
out:
    return err;
}
