/*
 * Records of TLS 1.3 after the handshake: one direction's keys, sealing and opening under them, and
 * going on to the next keys.
 * spec: RFC 8446 chapters 5 and 7
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"
#include "crypto/aead.h"
#include "crypto/sha256.h"

enum {
    CN_TLS_HEAD_BYTES = 5,
    CN_TLS_PLAIN_MAX_BYTES = 16384,
    CN_TLS_SEALED_MAX_BYTES = CN_TLS_PLAIN_MAX_BYTES + 256, /* behind the head */
    CN_TLS_RECORDS_PER_KEY = 1 << 24, /* AES-GCM may seal some more under one key */
};

/* Kinds of records. */
enum {
    CN_TLS_CHANGE_CIPHER = 20, /* means nothing any more */
    CN_TLS_ALERT = 21,
    CN_TLS_HANDSHAKE = 22,
    CN_TLS_DATA = 23,
};

typedef struct cn_tls_way {
    cn_mem *mem;
    cn_aead *aead; /* NULL: not open */
    cn_aead_kind kind;
    bool is_sealing;
    uint64_t number; /* of the next record */
    uint8_t secret[CN_SHA256_BYTES];
    uint8_t iv[CN_AEAD_NONCE_BYTES];
} cn_tls_way;

/* Begin with a secret of the handshake. Errors: UNSUPPORTED, NO_MEMORY. */
CN_MUST_USE cn_err cn_tls_way_open(
    cn_tls_way *w,
    cn_mem *mem,
    cn_aead_kind kind,
    bool is_sealing,
    const uint8_t secret[CN_SHA256_BYTES]);
/* Has it sealed as much under its keys as it should? Then the next ones are due. */
static inline bool cn_tls_way_is_spent(const cn_tls_way *w)
{
    return w->number >= CN_TLS_RECORDS_PER_KEY;
}
/* Go on to the next keys (a key update). Errors: NO_MEMORY; the way is then of no use. */
CN_MUST_USE cn_err cn_tls_way_next(cn_tls_way *w);
/* Wipes. Accepts a zeroed one. */
void cn_tls_way_release(cn_tls_way *w);

/*
 * Append one record of kind `type`: the parts, `bytes` in all (at most CN_TLS_PLAIN_MAX_BYTES, in
 * at most CN_PARTS_RECORD_MAX parts). Errors: the buffer's, TOO_LARGE (no numbers left), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_tls_record_seal(
    cn_tls_way *w,
    uint8_t type,
    const cn_slice *parts,
    size_t parts_len,
    size_t bytes,
    cn_buf *out);

/*
 * Open the whole record of `len` bytes at `record` (head included) in place. Errors: MALFORMED (it
 * does not open, holds nothing, or too much), TOO_LARGE, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_tls_record_open(
    cn_tls_way *w, uint8_t *record, size_t len, uint8_t *ret_type, cn_slice *ret_plain);
