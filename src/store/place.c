/*
 * Keys and places as bytes. Both are fixed formats: docs/store.md.
 */
#include "store/place.h"

#include "base/le.h"

enum { SHA256_KEY_BYTES = 32, OTHER_KEY_MIN_BYTES = 33 };

/* The usual ways a CID is written; the form is the position. Never reorder. */
static const struct {
    unsigned version;
    uint64_t codec;
} forms[] = {
    {0, CN_CODEC_DAG_PB},   {1, CN_CODEC_RAW},      {1, CN_CODEC_DAG_PB}, {1, CN_CODEC_DAG_CBOR},
    {1, CN_CODEC_DAG_JSON}, {1, CN_CODEC_JSON},     {1, CN_CODEC_CBOR},   {1, CN_CODEC_LIBP2P_KEY},
    {1, CN_CODEC_GIT_RAW},  {1, CN_CODEC_DAG_JOSE},
};

cn_err cn_key_encode(cn_slice mh, cn_key *ret)
{
    if (mh.len == 0 || mh.len > CN_KEY_MAX_BYTES) {
        return mh.len == 0 ? CN_ERR_MALFORMED : CN_ERR_TOO_LARGE;
    }
    if (mh.len == 2 + SHA256_KEY_BYTES && mh.data[0] == CN_MH_SHA2_256 &&
        mh.data[1] == SHA256_KEY_BYTES) {
        ret->len = SHA256_KEY_BYTES;
        cn_copy(ret->bytes, mh.data + 2, SHA256_KEY_BYTES);
        return CN_OK;
    }
    *ret = (cn_key){.len = (uint8_t)CN_MAX(mh.len, (size_t)OTHER_KEY_MIN_BYTES)};
    cn_copy(ret->bytes, mh.data, mh.len);
    return CN_OK;
}

/* How many bytes the multihash at the front of `in` takes. */
static cn_err multihash_bytes(cn_slice in, size_t *ret)
{
    size_t at = 0;
    for (int numbers = 0; numbers < 2; numbers++) {
        size_t start = at;
        while (at < in.len && at - start < 9 && (in.data[at] & 0x80) != 0) {
            at++;
        }
        if (at >= in.len) {
            return CN_ERR_MALFORMED;
        }
        at++;
        if (numbers == 1) {
            size_t len = in.data[start] & 0x7f;
            if (at - start > 1) {
                len |= (size_t)in.data[start + 1] << 7;
            }
            if (at - start > 2 || len > in.len - at) {
                return CN_ERR_MALFORMED;
            }
            at += len;
        }
    }
    *ret = at;
    return CN_OK;
}

cn_err cn_key_decode(cn_slice key, cn_key *ret)
{
    size_t used = 0;
    if (key.len == SHA256_KEY_BYTES) {
        ret->len = 2 + SHA256_KEY_BYTES;
        ret->bytes[0] = CN_MH_SHA2_256;
        ret->bytes[1] = SHA256_KEY_BYTES;
        cn_copy(ret->bytes + 2, key.data, SHA256_KEY_BYTES);
        return CN_OK;
    }
    if (key.len < OTHER_KEY_MIN_BYTES || key.len > CN_KEY_MAX_BYTES ||
        multihash_bytes(key, &used) != CN_OK) {
        return CN_ERR_MALFORMED;
    }
    if (key.len != CN_MAX(used, (size_t)OTHER_KEY_MIN_BYTES)) {
        return CN_ERR_MALFORMED;
    }
    for (size_t i = used; i < key.len; i++) {
        if (key.data[i] != 0) {
            return CN_ERR_MALFORMED;
        }
    }
    ret->len = (uint8_t)used;
    cn_copy(ret->bytes, key.data, used);
    return CN_OK;
}

void cn_place_encode(const cn_place *p, uint8_t out[CN_PLACE_BYTES])
{
    cn_le_put(out, p->segment, 4);
    cn_le_put(out + 4, p->offset, 5);
    cn_le_put(out + 9, p->len, 3);
    cn_le_put(out + 12, p->ordinal, 3);
    out[15] = p->form;
}

cn_err cn_place_decode(cn_slice in, cn_place *ret)
{
    if (in.len != CN_PLACE_BYTES || cn_le_get(in.data, 4) == 0) {
        return CN_ERR_MALFORMED;
    }
    *ret = (cn_place){
        .segment = (uint32_t)cn_le_get(in.data, 4),
        .offset = cn_le_get(in.data + 4, 5),
        .len = (uint32_t)cn_le_get(in.data + 9, 3),
        .ordinal = (uint32_t)cn_le_get(in.data + 12, 3),
        .form = in.data[15],
    };
    return CN_OK;
}

bool cn_place_eq(const cn_place *a, const cn_place *b)
{
    return a->segment == b->segment && a->offset == b->offset && a->len == b->len;
}

uint8_t cn_place_form(const cn_cid *cid)
{
    for (size_t i = 0; i < CN_LEN(forms); i++) {
        if (forms[i].version == cid->version && forms[i].codec == cid->codec) {
            return (uint8_t)i;
        }
    }
    return (uint8_t)(CN_PLACE_FORM_OTHER | cid->mh_start);
}

cn_err cn_place_cid(uint8_t form, cn_slice multihash, cn_cid *ret)
{
    cn_multihash mh;
    if (form >= CN_LEN(forms)) {
        return CN_ERR_UNSUPPORTED;
    }
    cn_err err = cn_multihash_decode(multihash, &mh);
    return err != CN_OK ? err : cn_cid_make(forms[form].version, forms[form].codec, &mh, ret);
}
