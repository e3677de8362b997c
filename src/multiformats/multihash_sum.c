/*
 * From a hash code to the function. A row makes the digest of its default length, or a longer one
 * up to `max`; where a shorter one is wanted it is cut, as Go's registry does. (Of BLAKE3 and SHAKE
 * the shorter digest is the cut longer one; of BLAKE2 each length has its own code.)
 */
#include "multiformats/multihash.h"

#include "base/mem.h"
#include "crypto/blake2.h"
#include "crypto/blake3.h"
#include "crypto/keccak.h"
#include "crypto/sha1_sha512.h"
#include "crypto/sha256.h"

typedef struct row {
    uint64_t
        first; /* codes of the row, one per digest length from 1 byte up if there are several */
    uint64_t last;
    size_t bytes; /* default length; 0: code - first + 1 */
    size_t max;   /* longest that can be asked for; 0: the default */
    /* Write `len` bytes of digest. */
    cn_err (*sum)(cn_slice data, size_t len, uint8_t *digest);
} row;

static cn_err sum_sha256(cn_slice data, size_t len, uint8_t *digest)
{
    CN_UNUSED(len);
    cn_sha256(data, digest);
    return CN_OK;
}

static cn_err sum_double_sha256(cn_slice data, size_t len, uint8_t *digest)
{
    CN_UNUSED(len);
    uint8_t once[CN_SHA256_BYTES];
    cn_sha256(data, once);
    cn_sha256((cn_slice){once, sizeof once}, digest);
    return CN_OK;
}

static cn_err sum_sha1(cn_slice data, size_t len, uint8_t *digest)
{
    CN_UNUSED(len);
    return cn_sha1(data, digest);
}

static cn_err sum_sha512(cn_slice data, size_t len, uint8_t *digest)
{
    CN_UNUSED(len);
    return cn_sha512(data, digest);
}

static cn_err sum_sha3(cn_slice data, size_t len, uint8_t *digest)
{
    cn_keccak(CN_KECCAK_SHA3, (unsigned)len * 8, data, digest, len);
    return CN_OK;
}

static cn_err sum_keccak(cn_slice data, size_t len, uint8_t *digest)
{
    cn_keccak(CN_KECCAK_OLD, (unsigned)len * 8, data, digest, len);
    return CN_OK;
}

static cn_err sum_shake256(cn_slice data, size_t len, uint8_t *digest)
{
    cn_keccak(CN_KECCAK_SHAKE, 256, data, digest, len);
    return CN_OK;
}

static cn_err sum_blake3(cn_slice data, size_t len, uint8_t *digest)
{
    cn_blake3(data, digest, len);
    return CN_OK;
}

static cn_err sum_blake2b(cn_slice data, size_t len, uint8_t *digest)
{
    cn_blake2b(data, digest, len);
    return CN_OK;
}

static cn_err sum_blake2s(cn_slice data, size_t len, uint8_t *digest)
{
    cn_blake2s(data, digest, len);
    return CN_OK;
}

static const row rows[] = {
    {CN_MH_SHA2_256, CN_MH_SHA2_256, 32, 0, sum_sha256},
    {CN_MH_SHA1, CN_MH_SHA1, 20, 0, sum_sha1},
    {CN_MH_SHA2_512, CN_MH_SHA2_512, 64, 0, sum_sha512},
    {CN_MH_SHA3_512, CN_MH_SHA3_512, 64, 0, sum_sha3},
    {CN_MH_SHA3_384, CN_MH_SHA3_384, 48, 0, sum_sha3},
    {CN_MH_SHA3_256, CN_MH_SHA3_256, 32, 0, sum_sha3},
    {CN_MH_SHA3_224, CN_MH_SHA3_224, 28, 0, sum_sha3},
    {CN_MH_SHAKE_256, CN_MH_SHAKE_256, 64, 0, sum_shake256},
    {CN_MH_KECCAK_224, CN_MH_KECCAK_224, 28, 0, sum_keccak},
    {CN_MH_KECCAK_256, CN_MH_KECCAK_256, 32, 0, sum_keccak},
    {CN_MH_KECCAK_384, CN_MH_KECCAK_384, 48, 0, sum_keccak},
    {CN_MH_KECCAK_512, CN_MH_KECCAK_512, 64, 0, sum_keccak},
    {CN_MH_BLAKE3, CN_MH_BLAKE3, 32, CN_DIGEST_MAX_BYTES, sum_blake3},
    {CN_MH_DBL_SHA2_256, CN_MH_DBL_SHA2_256, 32, 0, sum_double_sha256},
    {CN_MH_BLAKE2B_8, CN_MH_BLAKE2B_512, 0, 0, sum_blake2b},
    {CN_MH_BLAKE2S_8, CN_MH_BLAKE2S_256, 0, 0, sum_blake2s},
};

static const row *row_of(uint64_t code)
{
    for (size_t i = 0; i < CN_LEN(rows); i++) {
        if (code >= rows[i].first && code <= rows[i].last) {
            return &rows[i];
        }
    }
    return NULL;
}

static size_t default_bytes(const row *r, uint64_t code)
{
    return r->bytes == 0 ? (size_t)(code - r->first) + 1 : r->bytes;
}

size_t cn_multihash_default_bytes(uint64_t code)
{
    const row *r = row_of(code);
    return r == NULL ? 0 : default_bytes(r, code);
}

static cn_err sum_identity(size_t len, cn_slice data, uint8_t *digest, size_t *ret_len)
{
    if (data.len > CN_DIGEST_MAX_BYTES) {
        return CN_ERR_TOO_LARGE;
    }
    if (len != 0 && len != data.len) {
        return CN_ERR_USAGE;
    }
    cn_copy(digest, data.data, data.len);
    *ret_len = data.len;
    return CN_OK;
}

cn_err cn_multihash_sum(uint64_t code, size_t len, cn_slice data, uint8_t *digest, size_t *ret_len)
{
    if (code == CN_MH_IDENTITY) {
        return sum_identity(len, data, digest, ret_len);
    }
    const row *r = row_of(code);
    if (r == NULL) {
        return CN_ERR_UNSUPPORTED;
    }
    size_t natural = default_bytes(r, code);
    size_t wanted = len == 0 ? natural : len;
    if (wanted > CN_MAX(natural, r->max)) {
        return CN_ERR_TOO_LARGE;
    }
    uint8_t made[CN_DIGEST_MAX_BYTES];
    cn_err err = r->sum(data, CN_MAX(natural, wanted), made);
    if (err == CN_OK) {
        cn_copy(digest, made, wanted);
        *ret_len = wanted;
    }
    return err;
}

cn_err cn_multihash_verify(const cn_multihash *mh, cn_slice data)
{
    if (mh->code == CN_MH_IDENTITY) {
        return cn_slice_eq(mh->digest, data) ? CN_OK : CN_ERR_HASH_MISMATCH;
    }
    if (mh->digest.len == 0) {
        return CN_ERR_UNSUPPORTED; /* such a hash says nothing */
    }
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    cn_err err = cn_multihash_sum(mh->code, mh->digest.len, data, digest, &len);
    if (err == CN_ERR_TOO_LARGE) {
        return CN_ERR_HASH_MISMATCH; /* longer than the function can make */
    }
    if (err == CN_OK && !cn_slice_eq(mh->digest, (cn_slice){digest, len})) {
        err = CN_ERR_HASH_MISMATCH;
    }
    return err;
}
