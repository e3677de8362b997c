/*
 * The extension of a certificate that says which peer it is: the identity's public key, and its
 * signature of the certificate's key.
 * spec: libp2p/tls 'Peer Authentication'
 */
#pragma once

#include "base/time.h"
#include "crypto/certificate.h"
#include "multiformats/key.h"
#include "multiformats/peerid.h"

extern const char CN_TLS_EXTENSION[]; /* the object identifier, in text */

/*
 * Append the extension's value for a certificate whose key is `public_key` (SubjectPublicKeyInfo).
 * Errors: USAGE (no private key), those of the buffer.
 */
CN_MUST_USE cn_err
cn_tls_identity_encode(cn_mem *mem, const cn_key *key, cn_slice public_key, cn_buf *out);

/* Slices are borrowed from what was decoded. */
typedef struct cn_tls_identity {
    cn_slice public_key; /* the identity's: a public key message */
    cn_slice signature;
} cn_tls_identity;

/* Errors: MALFORMED, TRUNCATED. */
CN_MUST_USE cn_err cn_tls_identity_decode(cn_slice value, cn_tls_identity *ret);

/*
 * Whose certificate is this (DER)? It is checked as cn_certificate_read says, and the identity's
 * signature. *ret_key is the identity; free with cn_key_free. Errors: MALFORMED and TRUNCATED with
 * the reason, UNSUPPORTED, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_tls_identity_verify(
    cn_mem *mem,
    cn_slice certificate,
    cn_wall now,
    cn_key **ret_key,
    cn_peer_id *ret_id,
    cn_why *why);
