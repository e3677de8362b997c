/*
 * Signed envelopes: a payload with its type, the key and a signature over all that and a domain,
 * so that bytes signed for one purpose mean nothing for another. Peer records, relay vouchers and
 * others are payloads.
 * spec: libp2p RFC 0002
 */
#pragma once

#include "crypto/key.h"
#include "multiformats/peerid.h"

enum {
    CN_ENVELOPE_MAX_BYTES = 64 << 10,
    CN_ENVELOPE_DOMAIN_MAX_BYTES = 128,
};

typedef struct cn_envelope {
    cn_peer_id signer; /* of the key that signed; whether that is who it must be is the caller's */
    cn_slice public_key; /* message; the slices are borrowed from the bytes opened */
    cn_slice payload_type;
    cn_slice payload;
} cn_envelope;

/*
 * Append an envelope of `payload` for `domain`, signed with `key` (private). Errors: USAGE (key
 * without a private half), TOO_LARGE, NO_MEMORY, those of the buffer (then it is as before).
 */
CN_MUST_USE cn_err cn_envelope_seal(
    cn_mem *mem,
    const cn_key *key,
    cn_slice domain,
    cn_slice payload_type,
    cn_slice payload,
    cn_buf *out);

/*
 * Open an envelope and verify its signature for `domain`. Cost: a signature's verification (50 us
 * and more). Errors: MALFORMED, TRUNCATED (protobuf, a field missing), TOO_LARGE, HASH_MISMATCH
 * (the signature does not verify), UNSUPPORTED (key type), NO_MEMORY; why says which.
 */
CN_MUST_USE cn_err
cn_envelope_open(cn_mem *mem, cn_slice bytes, cn_slice domain, cn_envelope *ret, cn_why *why);
