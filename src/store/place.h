/*
 * How the index writes a key and a place. Pure functions.
 *
 * A key is a whole multihash. The usual one, sha2-256 of 32 bytes, is written as its 32 bytes of
 * digest; any other as its multihash with zero bytes behind it up to 33 bytes, which loses nothing
 * since a multihash says where it ends.
 */
#pragma once

#include "multiformats/cid.h"
#include "store/store.h"

enum {
    CN_PLACE_BYTES = 16,
    CN_KEY_MAX_BYTES = CN_MULTIHASH_MAX_BYTES,
    CN_PLACE_FORM_OTHER = 0x80,       /* | bytes of version and codec before the multihash */
    CN_SEGMENT_RECORDS_MAX = 1 << 17, /* a sidecar is made in a cn_pending */
};

/* A key as the index has it. */
typedef struct cn_key {
    uint8_t len;
    uint8_t bytes[CN_KEY_MAX_BYTES];
} cn_key;

static inline cn_slice cn_key_slice(const cn_key *k)
{
    return (cn_slice){k->bytes, k->len};
}

/* From a multihash of at most CN_MULTIHASH_MAX_BYTES. Errors: TOO_LARGE, MALFORMED (empty). */
CN_MUST_USE cn_err cn_key_encode(cn_slice multihash, cn_key *ret);

/* Back to the multihash. Errors: MALFORMED. */
CN_MUST_USE cn_err cn_key_decode(cn_slice key, cn_key *ret_multihash);

/* Segment, offset (40 bits), length (24), ordinal (24), form (8), little-endian. */
void cn_place_encode(const cn_place *place, uint8_t out[CN_PLACE_BYTES]);
/* Errors: MALFORMED (not 16 bytes, segment 0). */
CN_MUST_USE cn_err cn_place_decode(cn_slice in, cn_place *ret);
bool cn_place_eq(const cn_place *a, const cn_place *b);

/* How `cid` is written: a number for the usual ones, OTHER plus a length else. */
uint8_t cn_place_form(const cn_cid *cid);

/*
 * The CID of a form and a multihash. Errors: UNSUPPORTED for OTHER: read it from the record, where
 * it begins (form & 0x7f) + multihash.len bytes before the data.
 */
CN_MUST_USE cn_err cn_place_cid(uint8_t form, cn_slice multihash, cn_cid *ret);
