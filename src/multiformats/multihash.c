/*
 * Multihash on the wire and the rules of which may be used. The functions themselves are chosen in
 * multihash_sum.c.
 */
#include "multiformats/multihash.h"

#include "codec/varint.h"
#include "multiformats/multicodec.h"

enum { DIGEST_BYTES_MAX = INT32_MAX };

static cn_err take_varint(cn_cur *in, uint64_t *ret, cn_why *why)
{
    cn_err err = cn_varint_decode(in, ret);
    if (err == CN_OK) {
        return CN_OK;
    }
    const char *sentence = cn_varint_sentence(err);
    return cn_why_set(why, err == CN_ERR_TOO_LARGE ? CN_ERR_MALFORMED : err, "%s", sentence);
}

cn_err cn_multihash_take(cn_cur *in, cn_multihash *ret, cn_why *why)
{
    cn_cur at = *in;
    cn_multihash mh = {0};
    uint64_t len = 0;
    if (cn_cur_left(&at) < 2) {
        return cn_why_set(why, CN_ERR_TRUNCATED, "multihash too short. must be >= 2 bytes");
    }
    cn_err err = take_varint(&at, &mh.code, why);
    if (err == CN_OK) {
        err = take_varint(&at, &len, why);
    }
    if (err != CN_OK) {
        return err;
    }
    if (len > DIGEST_BYTES_MAX) {
        return cn_why_set(why, CN_ERR_MALFORMED, "digest too long, supporting only <= 2^31-1");
    }
    if (len > cn_cur_left(&at)) {
        return cn_why_set(
            why, CN_ERR_TRUNCATED, "length greater than remaining number of bytes in buffer");
    }
    err = cn_cur_take(&at, (size_t)len, &mh.digest);
    if (err == CN_OK) {
        *in = at;
        *ret = mh;
    }
    return err;
}

cn_err cn_multihash_decode(cn_slice in, cn_multihash *ret)
{
    cn_cur at = cn_cur_of(in);
    cn_multihash mh = {0};
    cn_err err = cn_multihash_take(&at, &mh, NULL);
    if (err == CN_OK && !cn_cur_done(&at)) {
        err = CN_ERR_MALFORMED;
    }
    if (err == CN_OK) {
        *ret = mh;
    }
    return err;
}

cn_err cn_multihash_encode(const cn_multihash *mh, cn_buf *out)
{
    uint8_t head[2 * CN_VARINT64_MAX_BYTES];
    size_t len = cn_varint_encode(mh->code, head);
    len += cn_varint_encode(mh->digest.len, head + len);
    cn_err err = cn_buf_reserve(out, len + mh->digest.len);
    if (err == CN_OK) {
        err = cn_buf_append(out, (cn_slice){head, len});
    }
    return err == CN_OK ? cn_buf_append(out, mh->digest) : err;
}

/* The hash functions that Kubo accepts in CIDs: boxo's allow-list. */
static bool listed(uint64_t code)
{
    bool family = (code >= CN_MH_SHA1 && code <= CN_MH_SHA3_224) ||
                  (code >= CN_MH_SHAKE_256 && code <= CN_MH_BLAKE3);
    bool blake2b = code >= CN_MH_BLAKE2B_8 + CN_DIGEST_MIN_BYTES - 1 && code <= CN_MH_BLAKE2B_512;
    bool blake2s = code >= CN_MH_BLAKE2S_8 + CN_DIGEST_MIN_BYTES - 1 && code <= CN_MH_BLAKE2S_256;
    return family || blake2b || blake2s || code == CN_MH_IDENTITY || code == CN_MH_DBL_SHA2_256;
}

cn_err cn_multihash_allowed(const cn_multihash *mh, cn_why *why)
{
    if (!listed(mh->code)) {
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED, "potentially insecure hash functions not allowed");
    }
    size_t min = mh->code == CN_MH_IDENTITY ? 0 : CN_DIGEST_MIN_BYTES;
    if (mh->digest.len < min) {
        return cn_why_set(
            why, CN_ERR_MALFORMED, "digest too small: %s digest got %zu bytes, minimum %zu",
            cn_multihash_name(mh->code), mh->digest.len, min);
    }
    if (mh->digest.len > CN_DIGEST_MAX_BYTES) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "digest too large: %s digest got %zu bytes, maximum %d",
            cn_multihash_name(mh->code), mh->digest.len, (int)CN_DIGEST_MAX_BYTES);
    }
    return CN_OK;
}

/* Codes that Go's multihash registry names besides the allow-list. */
static const uint64_t only_named[] = {0x18 /* shake-128 */, 0x22 /* murmur3-x64-64 */,
                                      0xd5 /* md5 */,       0x1012 /* sha2-256-trunc254-padded */,
                                      0x1100 /* x11 */,     0xb401 /* poseidon */};

static bool named(uint64_t code)
{
    bool blake2 = code >= CN_MH_BLAKE2B_8 && code <= CN_MH_BLAKE2S_256;
    for (size_t i = 0; i < CN_LEN(only_named); i++) {
        if (only_named[i] == code) {
            return true;
        }
    }
    return blake2 || listed(code);
}

const char *cn_multihash_name(uint64_t code)
{
    const cn_multicodec *found = named(code) ? cn_multicodec_by_code(code) : NULL;
    return found == NULL ? NULL : found->name;
}

cn_err cn_multihash_code(cn_slice name, uint64_t *ret, cn_why *why)
{
    char lower[64];
    size_t len = CN_MIN(name.len, sizeof lower);
    for (size_t i = 0; i < len; i++) {
        bool upper = name.data[i] >= 'A' && name.data[i] <= 'Z';
        lower[i] = (char)(upper ? name.data[i] | 0x20 : name.data[i]);
    }
    cn_slice text = cn_slice_of(lower, len);
    const cn_multicodec *found = cn_multicodec_by_name(text);
    if (cn_slice_is(text, "sha3")) { /* an alias of Go's registry */
        *ret = CN_MH_SHA3_512;
        return CN_OK;
    }
    if (name.len > sizeof lower || found == NULL || !named(found->code)) {
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED, "unrecognized hash function: %.*s",
            (int)CN_MIN(name.len, (size_t)200), (const char *)name.data);
    }
    *ret = found->code;
    return CN_OK;
}
