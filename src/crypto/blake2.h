/*
 * BLAKE2b and BLAKE2s without a key. Each digest length is a hash of its own, not a cut of a longer
 * one.
 * spec: RFC 7693
 */
#pragma once

#include "base/slice.h"

/* `len` is 1 to 64 bytes. */
void cn_blake2b(cn_slice in, uint8_t *ret, size_t len);
/* `len` is 1 to 32 bytes. */
void cn_blake2s(cn_slice in, uint8_t *ret, size_t len);
