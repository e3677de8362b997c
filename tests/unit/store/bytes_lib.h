/*
 * What the tests of the store's formats share: a copy of exactly as many bytes as are decoded, so
 * that the sanitizer sees a read past the end, and CIDs of any hash.
 */
#pragma once

#include "lib/test.h"
#include "multiformats/cid.h"

#include <stdio.h>

/* A copy with nothing behind it; give back with cn_free and cn_mem_default(). */
static inline uint8_t *exact_copy(cn_slice s)
{
    uint8_t *copy = cn_alloc(cn_mem_default(), s.len);
    CN_ASSERT(copy != NULL);
    cn_copy(copy, s.data, s.len);
    return copy;
}

/* Run `decode` on every proper beginning of `whole`; `expected` of each, given its length. */
static inline void each_cut(cn_slice whole, cn_err (*decode)(cn_slice cut), cn_err expected)
{
    for (size_t len = 0; len < whole.len; len++) {
        uint8_t *cut = exact_copy(cn_slice_head(whole, len));
        if (!CHECK_ERR(decode((cn_slice){cut, len}), expected)) {
            printf("  cut to %zu bytes\n", len);
        }
        cn_free(cn_mem_default(), cut);
    }
}

/* Run `decode` with every single bit of `whole` turned over; how many were refused. */
static inline size_t each_flip(cn_slice whole, cn_err (*decode)(cn_slice flipped))
{
    size_t refused = 0;
    uint8_t *bytes = exact_copy(whole);
    for (size_t bit = 0; bit < 8 * whole.len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        refused += decode((cn_slice){bytes, whole.len}) != CN_OK;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cn_free(cn_mem_default(), bytes);
    return refused;
}

/* A CID whose digest of `digest_len` bytes is `seed`, `seed` + 1, ... */
static inline cn_cid
cid_with(unsigned version, uint64_t codec, uint64_t hash, size_t digest_len, uint8_t seed)
{
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    cn_cid cid = {0};
    CN_ASSERT(digest_len <= sizeof digest);
    for (size_t i = 0; i < digest_len; i++) {
        digest[i] = (uint8_t)(seed + i);
    }
    cn_multihash mh = {hash, {digest, digest_len}};
    CHECK_OK(cn_cid_make(version, codec, &mh, &cid));
    return cid;
}
