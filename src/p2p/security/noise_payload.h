/*
 * What a Noise handshake carries: who the peer is, the proof, and the muxers it speaks.
 * spec: libp2p/noise 'The libp2p Handshake Payload'
 */
#pragma once

#include "p2p/stack/secure.h"

enum {
    CN_NOISE_PAYLOAD_MAX_BYTES = 16384,
    CN_NOISE_MUXERS_MAX = 100, /* names of the other side; a longer list counts as none */
};

/* Append the payload's identity and signature of the Noise key `lasting` (32 bytes). */
CN_MUST_USE cn_err
cn_noise_payload_identity(cn_mem *mem, const cn_key *key, cn_slice lasting, cn_buf *out);
/* Append the list of muxers, where there are any. */
CN_MUST_USE cn_err
cn_noise_payload_muxers(cn_mem *mem, const char *const *muxers, size_t muxers_len, cn_buf *out);

/* What a payload said; slices are borrowed from it. */
typedef struct cn_noise_payload {
    cn_slice identity_key;
    cn_slice signature;
    cn_slice muxers[CN_NOISE_MUXERS_MAX];
    size_t muxers_len; /* 0: none told */
} cn_noise_payload;

/* Errors: MALFORMED, TRUNCATED. Unknown fields are passed over. */
CN_MUST_USE cn_err cn_noise_payload_decode(cn_slice in, cn_noise_payload *ret, cn_why *why);

/*
 * Is the signature the identity's, over the Noise key `lasting`? *ret_key is the identity; free
 * with cn_key_free. Errors: MALFORMED (key or signature), UNSUPPORTED, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_noise_payload_verify(
    cn_mem *mem,
    const cn_noise_payload *p,
    cn_slice lasting,
    cn_key **ret_key,
    cn_peer_id *ret_id,
    cn_why *why);
