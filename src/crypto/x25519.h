/*
 * X25519: a secret that two ends share from each other's public halves. By libcrypto.
 * spec: RFC 7748
 */
#pragma once

#include "base/slice.h"
#include "base/why.h"

enum { CN_X25519_BYTES = 32 };

/* The public half of `secret` (32 random bytes). Errors: UNSUPPORTED (no libcrypto), NO_MEMORY. */
CN_MUST_USE cn_err
cn_x25519_public(const uint8_t secret[CN_X25519_BYTES], uint8_t ret[CN_X25519_BYTES], cn_why *why);

/*
 * What both ends get: from our `secret` and their `public_half`. Wipe after use. Errors: MALFORMED
 * (a public half that gives no secret: all zero), UNSUPPORTED, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_x25519_shared(
    const uint8_t secret[CN_X25519_BYTES],
    const uint8_t public_half[CN_X25519_BYTES],
    uint8_t ret[CN_X25519_BYTES],
    cn_why *why);
