/*
 * CID: what content is named by. Version, codec, multihash; held in one small value that owns its
 * bytes, so it can be copied by assignment.
 * spec: multiformats/cid
 */
#pragma once

#include "multiformats/multibase.h"
#include "multiformats/multihash.h"

enum {
    CN_CODEC_CIDV1 = 0x01,
    CN_CODEC_CBOR = 0x51,
    CN_CODEC_RAW = 0x55,
    CN_CODEC_DAG_PB = 0x70,
    CN_CODEC_DAG_CBOR = 0x71,
    CN_CODEC_LIBP2P_KEY = 0x72,
    CN_CODEC_GIT_RAW = 0x78,
    CN_CODEC_DAG_JOSE = 0x85,
    CN_CODEC_DAG_JSON = 0x0129,
    CN_CODEC_JSON = 0x0200,

    CN_CID_MAX_BYTES = 160, /* version, codec, multihash with a digest of 128 bytes */
};

typedef struct cn_cid {
    uint8_t len;      /* bytes used; 0: no CID */
    uint8_t mh_start; /* where the multihash begins in `bytes` */
    uint8_t version;  /* 0 or 1 */
    uint64_t codec;
    uint8_t bytes[CN_CID_MAX_BYTES]; /* binary form: v0 is the bare multihash */
} cn_cid;

/*
 * Make a CID. Version 0 needs dag-pb and sha2-256 of 32 bytes (else USAGE).
 * Errors: USAGE, TOO_LARGE (digest over 128 bytes).
 */
CN_MUST_USE cn_err
cn_cid_make(unsigned version, uint64_t codec, const cn_multihash *mh, cn_cid *ret);

/*
 * Read one CID from the front of `in`; *ret_used is how many bytes it took. Errors: MALFORMED,
 * TRUNCATED, TOO_LARGE (digest over 128 bytes).
 */
CN_MUST_USE cn_err cn_cid_decode(cn_slice in, cn_cid *ret, size_t *ret_used);

/* Read a CID that fills `in` exactly. Errors: as above, MALFORMED if bytes are left over. */
CN_MUST_USE cn_err cn_cid_decode_all(cn_slice in, cn_cid *ret);

/*
 * Read text: "Qm..." (46 characters) or a multibase string; a leading "/ipfs/" is not taken here.
 * `why` gets the sentence Kubo's users know. Errors: MALFORMED, UNSUPPORTED (base), TOO_LARGE.
 */
CN_MUST_USE cn_err cn_cid_parse(cn_slice text, cn_cid *ret, cn_why *why);

/* The binary form; its multihash part (the store's key); the multihash read. All borrowed. */
static inline cn_slice cn_cid_bytes(const cn_cid *cid)
{
    return (cn_slice){cid->bytes, cid->len};
}
static inline cn_slice cn_cid_key(const cn_cid *cid)
{
    return (cn_slice){cid->bytes + cid->mh_start, (size_t)(cid->len - cid->mh_start)};
}
cn_multihash cn_cid_multihash(const cn_cid *cid);

/* Same version, codec and multihash? */
bool cn_cid_eq(const cn_cid *a, const cn_cid *b);

/* Is it an identity CID? Then *ret_data (nullable) is the block itself, borrowed from the CID. */
bool cn_cid_is_identity(const cn_cid *cid, cn_slice *ret_data);

/* The same content under version 1. */
cn_cid cn_cid_to_v1(const cn_cid *cid);

/*
 * Append the text in base `base` (a multibase prefix character such as 'b', 'z', 'k'; 0: the usual,
 * base58btc for version 0 and base32 for version 1). A version 0 CID in another base than base58btc
 * becomes version 1. Errors: UNSUPPORTED (base), those of the buffer.
 */
CN_MUST_USE cn_err cn_cid_encode_text(const cn_cid *cid, char base, cn_buf *out);

/*
 * The same for a base of the table, which also reaches those whose prefix is no char. As in Kubo,
 * a version 0 CID in another base than base58btc becomes version 1. Errors: those of the buffer.
 */
CN_MUST_USE cn_err
cn_cid_encode_multibase(const cn_cid *cid, const cn_multibase *base, cn_buf *out);

/* The usual text into a fixed array, for messages and small outputs: NUL-terminated. */
enum { CN_CID_TEXT_BYTES = 280 };
const char *cn_cid_text(const cn_cid *cid, char text[CN_CID_TEXT_BYTES]);
