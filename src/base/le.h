/*
 * Numbers as bytes, least significant first, of any width: the form of every fixed format here.
 * Unchecked: the caller has the bytes (cn_cur is the checked reader). Inline, so that a width that
 * is a constant becomes one load or store.
 */
#pragma once

#include "base/macros.h"

/* Write the low `bytes` (1 to 8) bytes of `value` to `out`. */
static inline void cn_le_put(uint8_t *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(value >> 8 * i);
    }
}

/* The number in the `bytes` (0 to 8) bytes at `in`. */
static inline uint64_t cn_le_get(const uint8_t *in, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value |= (uint64_t)in[i] << 8 * i;
    }
    return value;
}
