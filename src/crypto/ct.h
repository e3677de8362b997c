/*
 * Comparing without telling by the time taken where two secrets differ.
 */
#pragma once

#include "base/slice.h"

/* Same bytes? The time depends on the lengths alone. */
static inline bool cn_ct_eq(cn_slice a, cn_slice b)
{
    volatile uint8_t different = a.len == b.len ? 0 : 1;
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        different = (uint8_t)(different | (a.data[i] ^ b.data[i]));
    }
    return different == 0;
}
