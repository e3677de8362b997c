/*
 * BLAKE3 without a key. A longer digest begins with the shorter ones.
 * spec: BLAKE3
 */
#pragma once

#include "base/slice.h"

/* Write `len` bytes of digest, any number. */
void cn_blake3(cn_slice in, uint8_t *ret, size_t len);
