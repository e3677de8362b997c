/*
 * The key schedule of Noise XX with X25519, ChaCha20-Poly1305 and SHA-256: what is mixed in, what
 * is sealed, and the two keys at the end. The messages themselves are noise.c.
 * spec: noiseprotocol.org revision 34, chapters 5 and 7.5
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"
#include "crypto/aead.h"
#include "crypto/hmac.h"
#include "crypto/x25519.h"

typedef struct cn_noise_pair {
    uint8_t secret[CN_X25519_BYTES];
    uint8_t public_half[CN_X25519_BYTES];
} cn_noise_pair;

typedef struct cn_noise_state {
    cn_mem *mem;
    uint8_t chain[CN_SHA256_BYTES];
    uint8_t hash[CN_SHA256_BYTES];
    uint8_t key[CN_SHA256_BYTES];
    uint64_t nonce;
    bool has_key;
} cn_noise_state;

void cn_noise_state_init(cn_noise_state *s, cn_mem *mem, cn_slice prologue);
void cn_noise_state_wipe(cn_noise_state *s);

void cn_noise_mix_hash(cn_noise_state *s, cn_slice bytes);
void cn_noise_mix_key(cn_noise_state *s, const uint8_t shared[CN_X25519_BYTES]);
/* Mix in what `secret` and `public_half` share. Errors: those of cn_x25519_shared. */
CN_MUST_USE cn_err cn_noise_mix_shared(
    cn_noise_state *s, const uint8_t *secret, const uint8_t *public_half, cn_why *why);

/* Append `plain`, sealed once there is a key, and mix it in. Errors: buffer's, UNSUPPORTED. */
CN_MUST_USE cn_err cn_noise_seal_hash(cn_noise_state *s, cn_slice plain, cn_buf *out, cn_why *why);
/*
 * Open `len` bytes in place (plain where there is no key yet) and mix them in; *ret is what they
 * say. Errors: MALFORMED (does not open), TRUNCATED, UNSUPPORTED, NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_noise_open_hash(cn_noise_state *s, uint8_t *data, size_t len, cn_slice *ret, cn_why *why);

/* The two keys: of what the initiator sends, and of what the responder sends. */
void cn_noise_split(
    const cn_noise_state *s,
    uint8_t ret_initiator[CN_SHA256_BYTES],
    uint8_t ret_responder[CN_SHA256_BYTES]);

/* The nonce of record `number`: 32 zero bits, then the number, little-endian. */
void cn_noise_nonce(uint64_t number, uint8_t ret[CN_AEAD_NONCE_BYTES]);

/*
 * One end's three messages. A pair for the handshake and the lasting one are set by the caller
 * before the first message; the other side's halves are known when they have come.
 */
typedef struct cn_noise_xx {
    cn_noise_state state;
    cn_noise_pair lasting;
    cn_noise_pair passing;
    uint8_t their_lasting[CN_X25519_BYTES];
    uint8_t their_passing[CN_X25519_BYTES];
    bool is_initiator;
} cn_noise_xx;

/*
 * Append message `number` (1, 2 or 3; the initiator writes 1 and 3) with its payload. Errors:
 * buffer's, MALFORMED (their half gives no secret), UNSUPPORTED, NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_noise_write(cn_noise_xx *x, int number, cn_slice payload, cn_buf *out, cn_why *why);
/* Read message `number`, opening it in place; *ret is its payload. Errors: MALFORMED, as above. */
CN_MUST_USE cn_err
cn_noise_read(cn_noise_xx *x, int number, uint8_t *data, size_t len, cn_slice *ret, cn_why *why);
