/*
 * X.509 certificates that sign themselves and are trusted for one extension that they carry, as
 * libp2p's are: making one for this process, and reading one of somebody else's. No authority, name
 * or usage means anything here.
 *
 * By libcrypto, as crypto/key.h. A finished certificate may be used from several threads at once.
 * spec: RFC 5280, libp2p/tls
 */
#pragma once

#include "base/buf.h"
#include "base/time.h"
#include "base/why.h"

enum { CN_CERTIFICATE_MAX_BYTES = 16384 };

/* A certificate with its private key (P-256). */
typedef struct cn_certificate cn_certificate;

/*
 * A new key, without a certificate yet: its public half goes into the extension. Errors:
 * UNSUPPORTED (no libcrypto), NO_MEMORY. Free with cn_certificate_free.
 */
CN_MUST_USE cn_err cn_certificate_new(cn_mem *mem, cn_certificate **ret, cn_why *why);
/* Wipes the key. Accepts NULL. */
void cn_certificate_free(cn_certificate *c);

/* Append the key's public half: SubjectPublicKeyInfo in DER. */
CN_MUST_USE cn_err cn_certificate_put_public(const cn_certificate *c, cn_buf *out);

/*
 * Make the certificate: `value` as the extension `oid` ("1.2.3"), not critical and the only one;
 * valid from an hour before `now` for a hundred years. Once. Errors: NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_certificate_sign(cn_certificate *c, const char *oid, cn_slice value, cn_wall now);
/* Append the certificate in DER; needs cn_certificate_sign (else USAGE). */
CN_MUST_USE cn_err cn_certificate_encode(const cn_certificate *c, cn_buf *out);

/*
 * Read a certificate (DER, nothing behind it) that must carry the extension `oid` once, critical or
 * not. Its value and the public key (SubjectPublicKeyInfo) are appended to the two buffers.
 * Checked: valid at `now`, signed by its own key with at least SHA-256, no other critical
 * extension, a key of a kind in use (P-256, P-384, P-521, Ed25519, RSA of 2,048 to 8,192 bits).
 * Errors: MALFORMED with the reason, UNSUPPORTED (no libcrypto), those of the buffers.
 */
CN_MUST_USE cn_err cn_certificate_read(
    cn_slice der, const char *oid, cn_wall now, cn_buf *ret_value, cn_buf *ret_public, cn_why *why);
