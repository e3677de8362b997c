/*
 * Sealed bytes that nobody can read or change unnoticed: ChaCha20-Poly1305 and AES-128-GCM, by
 * libcrypto. A cn_aead is one key in one direction; not to be used from two threads at once.
 * spec: RFC 8439, RFC 5116
 */
#pragma once

#include "base/mem.h"
#include "base/slice.h"
#include "base/why.h"

enum { CN_AEAD_KEY_BYTES = 32, CN_AEAD_NONCE_BYTES = 12, CN_AEAD_TAG_BYTES = 16 };

typedef enum cn_aead_kind {
    CN_AEAD_CHACHA20,
    CN_AEAD_AES128, /* takes the first 16 bytes of its key */
} cn_aead_kind;

typedef struct cn_aead cn_aead;

/* A key to seal with, or to open with. Errors: UNSUPPORTED (no libcrypto), NO_MEMORY. */
CN_MUST_USE cn_err cn_aead_new(
    cn_mem *mem,
    cn_aead_kind kind,
    const uint8_t key[CN_AEAD_KEY_BYTES],
    bool is_sealing,
    cn_aead **ret,
    cn_why *why);
/* Wipes the key. Accepts NULL. */
void cn_aead_free(cn_aead *a);

/*
 * Seal the parts, one after the other, to `out`: their sum plus CN_AEAD_TAG_BYTES bytes. A nonce
 * must never come twice under one key. `ad` is bound in and not written. Parts may not overlap
 * `out`. Errors: NO_MEMORY (libcrypto's).
 */
CN_MUST_USE cn_err cn_aead_seal(
    cn_aead *a,
    const uint8_t nonce[CN_AEAD_NONCE_BYTES],
    cn_slice ad,
    const cn_slice *parts,
    size_t parts_len,
    uint8_t *out);

/*
 * Open `len` bytes (tag included) in place; `len` - CN_AEAD_TAG_BYTES are then plain. Errors:
 * MALFORMED (too short, or not sealed so: the bytes are then of no use), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_aead_open(
    cn_aead *a, const uint8_t nonce[CN_AEAD_NONCE_BYTES], cn_slice ad, uint8_t *data, size_t len);
