/*
 * CIDs as bytes. Invariant of a cn_cid that any function here has filled: `bytes` holds one valid
 * CID of `len` bytes, whose multihash starts at `mh_start` and has a digest of at most 128 bytes.
 */
#include "multiformats/cid.h"

#include "base/mem.h"
#include "codec/varint.h"
#include "multiformats/cid_internal.h"

enum { SHA256_MULTIHASH_BYTES = 34 };

static bool fits_v0(uint64_t codec, const cn_multihash *mh)
{
    return codec == CN_CODEC_DAG_PB && mh->code == CN_MH_SHA2_256 && mh->digest.len == 32;
}

cn_err cn_cid_make(unsigned version, uint64_t codec, const cn_multihash *mh, cn_cid *ret)
{
    if (version > 1 || (version == 0 && !fits_v0(codec, mh)) || codec > INT64_MAX ||
        mh->code > INT64_MAX) {
        return CN_ERR_USAGE;
    }
    if (mh->digest.len > CN_DIGEST_MAX_BYTES) {
        return CN_ERR_TOO_LARGE;
    }
    cn_cid cid = {.version = (uint8_t)version, .codec = codec};
    size_t len = 0;
    if (version == 1) {
        cid.bytes[len++] = 1;
        len += cn_varint_encode(codec, cid.bytes + len);
    }
    cid.mh_start = (uint8_t)len;
    len += cn_varint_encode(mh->code, cid.bytes + len);
    len += cn_varint_encode(mh->digest.len, cid.bytes + len);
    cn_copy(cid.bytes + len, mh->digest.data, mh->digest.len);
    cid.len = (uint8_t)(len + mh->digest.len);
    *ret = cid;
    return CN_OK;
}

static cn_err take_varint(cn_cur *in, uint64_t *ret, cn_why *why)
{
    cn_err err = cn_varint_decode(in, ret);
    if (err == CN_OK) {
        return CN_OK;
    }
    const char *sentence = cn_varint_sentence(err);
    return cn_why_set(
        why, err == CN_ERR_TOO_LARGE ? CN_ERR_MALFORMED : err, "invalid cid: %s", sentence);
}

/* Bytes that begin as sha2-256 with 32 bytes of digest are version 0: no version has number 18. */
static bool begins_as_v0(cn_slice in)
{
    return in.len > 2 && in.data[0] == CN_MH_SHA2_256 && in.data[1] == 32;
}

static cn_err take_v0(cn_cur *in, cn_cid *ret, cn_why *why)
{
    cn_slice whole = {0};
    cn_multihash mh = {0};
    if (cn_cur_take(in, SHA256_MULTIHASH_BYTES, &whole) != CN_OK) {
        return cn_why_set(why, CN_ERR_TRUNCATED, "invalid cid: not enough bytes for cid v0");
    }
    cn_err err = cn_multihash_decode(whole, &mh);
    return err == CN_OK ? cn_cid_make(0, CN_CODEC_DAG_PB, &mh, ret) : err;
}

cn_err cn_cid_take(cn_cur *in, cn_cid *ret, cn_why *why)
{
    cn_cur at = *in;
    uint64_t version = 0;
    uint64_t codec = 0;
    cn_multihash mh = {0};
    cn_err err = CN_OK;
    if (begins_as_v0(at.rest)) {
        CN_TRY(take_v0(&at, ret, why));
        *in = at;
        return CN_OK;
    }
    CN_TRY(take_varint(&at, &version, why));
    if (version != 1) {
        return cn_why_set(
            why, CN_ERR_MALFORMED, "invalid cid: expected 1 as the cid version number, got: %llu",
            (unsigned long long)version);
    }
    CN_TRY(take_varint(&at, &codec, why));
    err = cn_multihash_take(&at, &mh, why);
    if (err != CN_OK) {
        return cn_why_wrap(why, err, "invalid cid: ");
    }
    if (mh.digest.len > CN_DIGEST_MAX_BYTES) {
        const char *name = cn_multihash_name(mh.code);
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "digest too large: %s digest got %zu bytes, maximum %d",
            name == NULL ? "unknown" : name, mh.digest.len, (int)CN_DIGEST_MAX_BYTES);
    }
    CN_TRY(cn_cid_make(1, codec, &mh, ret));
    *in = at;
out:
    return err;
}

cn_err cn_cid_decode(cn_slice in, cn_cid *ret, size_t *ret_used)
{
    cn_cur at = cn_cur_of(in);
    cn_err err = cn_cid_take(&at, ret, NULL);
    if (err == CN_OK) {
        *ret_used = in.len - cn_cur_left(&at);
    }
    return err;
}

cn_err cn_cid_decode_all(cn_slice in, cn_cid *ret)
{
    cn_cid cid = {0};
    size_t used = 0;
    cn_err err = cn_cid_decode(in, &cid, &used);
    if (err == CN_OK && used != in.len) {
        err = CN_ERR_MALFORMED;
    }
    if (err == CN_OK) {
        *ret = cid;
    }
    return err;
}

cn_multihash cn_cid_multihash(const cn_cid *cid)
{
    cn_multihash mh = {0};
    cn_err err = cn_multihash_decode(cn_cid_key(cid), &mh);
    CN_ASSERT(err == CN_OK);
    return mh;
}

bool cn_cid_eq(const cn_cid *a, const cn_cid *b)
{
    return cn_slice_eq(cn_cid_bytes(a), cn_cid_bytes(b));
}

bool cn_cid_is_identity(const cn_cid *cid, cn_slice *ret_data)
{
    if (cid->len == 0 || cid->bytes[cid->mh_start] != CN_MH_IDENTITY) {
        return false;
    }
    if (ret_data != NULL) {
        *ret_data = cn_cid_multihash(cid).digest;
    }
    return true;
}

cn_cid cn_cid_to_v1(const cn_cid *cid)
{
    cn_cid v1 = *cid;
    if (cid->len > 0 && cid->version == 0) {
        cn_multihash mh = cn_cid_multihash(cid);
        cn_err err = cn_cid_make(1, cid->codec, &mh, &v1);
        CN_ASSERT(err == CN_OK);
    }
    return v1;
}
