/*
 * Multihash: a hash function's code, a length, a digest. Blocks are keyed by it.
 * spec: multiformats/multihash
 */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/why.h"

enum {
    CN_MH_IDENTITY = 0x00,
    CN_MH_SHA1 = 0x11,
    CN_MH_SHA2_256 = 0x12,
    CN_MH_SHA2_512 = 0x13,
    CN_MH_SHA3_512 = 0x14,
    CN_MH_SHA3_384 = 0x15,
    CN_MH_SHA3_256 = 0x16,
    CN_MH_SHA3_224 = 0x17,
    CN_MH_SHAKE_256 = 0x19,
    CN_MH_KECCAK_224 = 0x1a,
    CN_MH_KECCAK_256 = 0x1b,
    CN_MH_KECCAK_384 = 0x1c,
    CN_MH_KECCAK_512 = 0x1d,
    CN_MH_BLAKE3 = 0x1e,
    CN_MH_DBL_SHA2_256 = 0x56,
    CN_MH_BLAKE2B_8 = 0xb201, /* .. BLAKE2B_512 = 0xb240, one code per byte of length */
    CN_MH_BLAKE2B_256 = 0xb220,
    CN_MH_BLAKE2B_512 = 0xb240,
    CN_MH_BLAKE2S_8 = 0xb241, /* .. BLAKE2S_256 = 0xb260 */
    CN_MH_BLAKE2S_256 = 0xb260,

    CN_DIGEST_MAX_BYTES = 128,    /* longest that may be read or written (IPIP-0512) */
    CN_DIGEST_MIN_BYTES = 20,     /* shortest that Kubo accepts, but for identity */
    CN_MULTIHASH_MAX_BYTES = 140, /* encoded */
};

/* A multihash as a view: the digest is borrowed. */
typedef struct cn_multihash {
    uint64_t code;
    cn_slice digest;
} cn_multihash;

/*
 * Read one multihash that fills `in`. The digest may have any length here; whether it may be used
 * is cn_multihash_allowed's question. Errors: MALFORMED, TRUNCATED.
 */
CN_MUST_USE cn_err cn_multihash_decode(cn_slice in, cn_multihash *ret);

/* Append its bytes. Errors: those of cn_buf_append. */
CN_MUST_USE cn_err cn_multihash_encode(const cn_multihash *mh, cn_buf *out);

/*
 * Is it one that Kubo reads and writes: a code of its allow-list, a digest of 20 to 128 bytes
 * (identity 0 to 128)? Errors: UNSUPPORTED (code), TOO_LARGE, MALFORMED (too short); `why` says it.
 */
CN_MUST_USE cn_err cn_multihash_allowed(const cn_multihash *mh, cn_why *why);

/* The default digest length in bytes of a hash code; 0 if unknown or (identity) without one. */
size_t cn_multihash_default_bytes(uint64_t code);

/*
 * Hash `data`. `len` is the digest length in bytes wanted, 0 for the default; a shorter one cuts
 * (sha2) or parametrises (blake2, blake3, shake), as Go's multihash registry does. `digest` must
 * have room for CN_DIGEST_MAX_BYTES; *ret_len is the length made. Identity copies and refuses more
 * than 128. Errors: UNSUPPORTED, TOO_LARGE.
 */
CN_MUST_USE cn_err
cn_multihash_sum(uint64_t code, size_t len, cn_slice data, uint8_t *digest, size_t *ret_len);

/*
 * Do these bytes have this hash? CN_OK or HASH_MISMATCH, UNSUPPORTED. Any thread.
 */
CN_MUST_USE cn_err cn_multihash_verify(const cn_multihash *mh, cn_slice data);

/*
 * Read one multihash from the front of `in`, which moves past it; like cn_multihash_decode without
 * the rule that it fills `in`. `why` gets the sentence Kubo's users know.
 */
CN_MUST_USE cn_err cn_multihash_take(cn_cur *in, cn_multihash *ret, cn_why *why);

/* The name of a hash code ("sha2-256"), or NULL if it is none that Kubo names. */
const char *cn_multihash_name(uint64_t code);

/* The hash code of a name as users write it (any case). Errors: UNSUPPORTED. */
CN_MUST_USE cn_err cn_multihash_code(cn_slice name, uint64_t *ret, cn_why *why);
