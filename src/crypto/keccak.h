/*
 * Keccak, and what is made of it: SHA-3, SHAKE and the older Keccak of Ethereum.
 * spec: FIPS 202
 */
#pragma once

#include "base/slice.h"

typedef enum cn_keccak_kind {
    CN_KECCAK_OLD = 0x01, /* before the standard added its padding bits */
    CN_KECCAK_SHA3 = 0x06,
    CN_KECCAK_SHAKE = 0x1f,
} cn_keccak_kind;

/*
 * Hash `in` at a security of `bits` (224, 256, 384, 512; SHAKE-256 is 256), writing `len` bytes:
 * bits/8 for the hashes, any number for SHAKE.
 */
void cn_keccak(cn_keccak_kind kind, unsigned bits, cn_slice in, uint8_t *ret, size_t len);
