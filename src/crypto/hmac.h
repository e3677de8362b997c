/*
 * HMAC-SHA256, and the two outputs of HKDF that key schedules take.
 * spec: RFC 2104, RFC 5869, Noise 'HKDF'
 */
#pragma once

#include "crypto/sha256.h"

void cn_hmac_sha256(cn_slice key, cn_slice message, uint8_t ret[CN_SHA256_BYTES]);

/* Two keys from a chaining key and new material, as Noise's HKDF with two outputs. */
void cn_hkdf2_sha256(
    cn_slice chain,
    cn_slice material,
    uint8_t ret_first[CN_SHA256_BYTES],
    uint8_t ret_second[CN_SHA256_BYTES]);
