/*
 * Peer ids: the multihash of a public key message; a short message is held as it is (identity).
 * spec: libp2p/peer-ids
 */
#pragma once

#include "crypto/key.h"
#include "multiformats/cid.h"

enum {
    CN_PEER_ID_INLINE_MAX_BYTES = 42, /* longest public key message that is held as it is */
    CN_PEER_ID_MAX_BYTES = CN_MULTIHASH_MAX_BYTES,
};

typedef struct cn_peer_id {
    uint8_t len; /* 0: none */
    uint8_t bytes[CN_PEER_ID_MAX_BYTES];
} cn_peer_id;

static inline cn_slice cn_peer_id_bytes(const cn_peer_id *id)
{
    return (cn_slice){id->bytes, id->len};
}

static inline bool cn_peer_id_eq(const cn_peer_id *a, const cn_peer_id *b)
{
    return cn_slice_eq(cn_peer_id_bytes(a), cn_peer_id_bytes(b));
}

/* The id of a key, or of a public key message. Errors: NO_MEMORY (the first). */
CN_MUST_USE cn_err cn_peer_id_of_key(const cn_key *key, cn_peer_id *ret);
cn_peer_id cn_peer_id_of_message(cn_slice public_message);

/* From its bytes: any multihash of at most 128 bytes of digest. Errors: MALFORMED, TRUNCATED,
 * TOO_LARGE. */
CN_MUST_USE cn_err cn_peer_id_decode(cn_slice bytes, cn_peer_id *ret);

/*
 * From text: base58btc ("12D3Koo...", "Qm...") or a CID of codec libp2p-key in any base. Errors:
 * MALFORMED, TRUNCATED, TOO_LARGE, UNSUPPORTED (base), WRONG_TYPE (a CID of something else).
 */
CN_MUST_USE cn_err cn_peer_id_parse(cn_slice text, cn_peer_id *ret, cn_why *why);

/*
 * Append the text: a CID in base `base` (a multibase prefix such as 'k' or 'b'), or for 0 base58btc
 * without prefix. Errors: UNSUPPORTED (base), those of the buffer.
 */
CN_MUST_USE cn_err cn_peer_id_encode_text(const cn_peer_id *id, char base, cn_buf *out);

/* The id as a CID of version 1. Needs an id that is not empty. */
cn_cid cn_peer_id_to_cid(const cn_peer_id *id);

/* Does the id hold its public key message? Then *ret (nullable) is it, borrowed from the id. */
bool cn_peer_id_public(const cn_peer_id *id, cn_slice *ret);
