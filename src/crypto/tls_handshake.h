/*
 * The handshake of TLS 1.3 between two ends that show each other a certificate of their own making:
 * bytes in, bytes out, and at the end the two secrets that the records are sealed under. By libssl,
 * opened on first use; what comes after the handshake is not its affair, so an open channel costs
 * none of its memory.
 *
 * One suite of two: AES-128-GCM or ChaCha20-Poly1305, both with SHA-256.
 * spec: RFC 8446, RFC 7301
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"
#include "crypto/aead.h"
#include "crypto/certificate.h"
#include "crypto/sha256.h"

enum { CN_TLS_PROTOCOLS_MAX = 8 };

/* What all handshakes of a process share. One thread at a time. */
typedef struct cn_tls_context cn_tls_context;

/* `own` is signed and borrowed. Errors: UNSUPPORTED (no libssl, or one without
 * TLS 1.3 and our suites), NO_MEMORY. */
CN_MUST_USE cn_err
cn_tls_context_new(cn_mem *mem, const cn_certificate *own, cn_tls_context **ret, cn_why *why);
/* After all its handshakes. Accepts NULL. */
void cn_tls_context_free(cn_tls_context *c);

typedef struct cn_tls_handshake_options {
    cn_mem *mem;
    bool is_client;
    const char *const *protocols; /* ALPN, best first; borrowed */
    size_t protocols_len;         /* at most CN_TLS_PROTOCOLS_MAX, of at most 255 bytes */
    /* Is this certificate (DER) good? Called once, within a step; an error refuses the peer. */
    cn_err (*check)(void *ctx, cn_slice certificate);
    void *ctx;
} cn_tls_handshake_options;

typedef struct cn_tls_handshake cn_tls_handshake;

/* Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_tls_handshake_new(
    cn_tls_context *c, const cn_tls_handshake_options *options, cn_tls_handshake **ret);
/* Wipes secrets. Accepts NULL. */
void cn_tls_handshake_free(cn_tls_handshake *h);

/*
 * Go on with one record of the other side (nothing, at a client's beginning); what is to be said is
 * appended to `out`, also when an error is returned. *ret_done: both sides have shown who they are.
 * Errors: those of `check`, MALFORMED (why), NO_MEMORY, the buffer's; then it is over.
 */
CN_MUST_USE cn_err cn_tls_handshake_step(
    cn_tls_handshake *h, cn_slice record, cn_buf *out, bool *ret_done, cn_why *why);

typedef struct cn_tls_result {
    uint8_t client[CN_SHA256_BYTES]; /* the first secret of what the client seals */
    uint8_t server[CN_SHA256_BYTES];
    cn_aead_kind kind;
    const char *protocol; /* one of ours; NULL: none was agreed on */
} cn_tls_result;

/* What a handshake that is done has come to. Wipe it. Errors: BUG (not done). */
CN_MUST_USE cn_err cn_tls_handshake_result(const cn_tls_handshake *h, cn_tls_result *ret);

/* The name of an alert of the wire, e.g. "bad certificate". */
const char *cn_tls_alert_name(uint8_t alert);
