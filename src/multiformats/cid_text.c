/*
 * CIDs as text. Text longer than any CID we could hold is refused before it is decoded, so all work
 * is done in fixed arrays and no memory is taken.
 */
#include "multiformats/cid_internal.h"

#include "base/mem.h"

enum {
    V0_TEXT_BYTES = 46,
    TEXT_MAX_BYTES = 8 + 4 * CN_CID_MAX_BYTES, /* emoji take up to 4 bytes a byte */
    TEXT_MAX_BITS = 8 + 8 * CN_CID_MAX_BYTES,  /* base2 */
    DECODED_BYTES = TEXT_MAX_BYTES + 8,
};

/* A buffer over a fixed array: it never grows, so its memory is never asked for. */
static cn_buf fixed_buf(uint8_t *array, size_t size)
{
    return (cn_buf){.data = array, .cap = size, .max = size, .mem = cn_mem_default()};
}

static bool is_v0_text(cn_slice text)
{
    return text.len == V0_TEXT_BYTES && text.data[0] == 'Q' && text.data[1] == 'm';
}

static cn_err parse_v0(cn_slice text, cn_cid *ret, cn_why *why)
{
    uint8_t array[DECODED_BYTES];
    cn_buf bytes = fixed_buf(array, sizeof array);
    cn_cur at = {0};
    cn_multihash mh = {0};
    if (cn_base_n_decode(CN_BASE58_BTC, text, &bytes, NULL) != CN_OK) {
        return cn_why_set(why, CN_ERR_MALFORMED, "invalid cid: input isn't valid multihash");
    }
    at = cn_cur_of(cn_buf_slice(&bytes));
    cn_err err = cn_multihash_take(&at, &mh, why);
    if (err != CN_OK) {
        return cn_why_wrap(why, err, "invalid cid: ");
    }
    if (!cn_cur_done(&at)) {
        return cn_why_set(
            why, CN_ERR_MALFORMED,
            "invalid cid: multihash length inconsistent: expected %zu; got %zu", mh.digest.len,
            bytes.len - cn_cur_left(&at));
    }
    err = cn_cid_make(0, CN_CODEC_DAG_PB, &mh, ret);
    if (err != CN_OK) {
        return cn_why_set(
            why, CN_ERR_MALFORMED, "invalid cid: invalid hash for cidv0 %llu-%zu",
            (unsigned long long)mh.code, mh.digest.len);
    }
    return CN_OK;
}

/* Bytes that fill the whole of what a text stood for. */
static cn_err cast(cn_slice bytes, cn_cid *ret, cn_why *why)
{
    cn_cur at = cn_cur_of(bytes);
    cn_cid cid = {0};
    cn_err err = cn_cid_take(&at, &cid, why);
    if (err == CN_ERR_TOO_LARGE) {
        return err;
    }
    if (err != CN_OK) {
        return cn_why_wrap(why, err, "invalid cid: ");
    }
    if (!cn_cur_done(&at)) {
        return cn_why_set(
            why, CN_ERR_MALFORMED, "invalid cid: trailing bytes in data buffer passed to cid Cast");
    }
    *ret = cid;
    return CN_OK;
}

cn_err cn_cid_parse(cn_slice text, cn_cid *ret, cn_why *why)
{
    if (text.len < 2) {
        return cn_why_set(why, CN_ERR_MALFORMED, "invalid cid: cid too short");
    }
    if (is_v0_text(text)) {
        return parse_v0(text, ret, why);
    }
    const cn_multibase *base = cn_multibase_of_text(text);
    if (base == NULL || !base->in_kubo) {
        return cn_why_set(why, CN_ERR_UNSUPPORTED, "invalid cid: selected encoding not supported");
    }
    size_t max = base->base == CN_BASE2 ? (size_t)TEXT_MAX_BITS : (size_t)TEXT_MAX_BYTES;
    if (text.len > max) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "invalid cid: text of %zu bytes, no CID has more than %zu",
            text.len, max);
    }
    uint8_t array[DECODED_BYTES];
    cn_buf bytes = fixed_buf(array, sizeof array);
    cn_err err = cn_base_n_decode(base->base, cn_slice_skip(text, base->prefix_len), &bytes, why);
    if (err != CN_OK) {
        return cn_why_wrap(why, err, "invalid cid: ");
    }
    return cast(cn_buf_slice(&bytes), ret, why);
}

cn_err cn_cid_encode_multibase(const cn_cid *cid, const cn_multibase *base, cn_buf *out)
{
    if (cid->version == 0 && base->base == CN_BASE58_BTC) {
        return cn_base_n_encode(CN_BASE58_BTC, cn_cid_bytes(cid), out);
    }
    cn_cid v1 = cn_cid_to_v1(cid);
    return cn_multibase_encode(base, cn_cid_bytes(&v1), out);
}

cn_err cn_cid_encode_text(const cn_cid *cid, char base, cn_buf *out)
{
    char usual = cid->version == 0 ? 'z' : 'b';
    uint8_t code = (uint8_t)(base == '\0' ? usual : base);
    const cn_multibase *found = cn_multibase_by_code(code);
    if (found == NULL || !found->in_kubo) {
        return CN_ERR_UNSUPPORTED;
    }
    return cn_cid_encode_multibase(cid, found, out);
}

const char *cn_cid_text(const cn_cid *cid, char text[CN_CID_TEXT_BYTES])
{
    uint8_t array[CN_CID_TEXT_BYTES - 1];
    cn_buf out = fixed_buf(array, sizeof array);
    cn_err err = cn_cid_encode_text(cid, '\0', &out);
    CN_ASSERT(err == CN_OK);
    cn_copy(text, out.data, out.len);
    text[out.len] = '\0';
    return text;
}
