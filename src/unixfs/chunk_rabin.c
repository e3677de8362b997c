/*
 * Rabin fingerprints over a sliding window of 16 bytes, in the field of the polynomial that Kubo
 * uses. A chunk ends where, from min_bytes on, the masked fingerprint is 0. The first 16 bytes
 * before min_bytes warm the window up; what lies before them is not looked at.
 */
#include "unixfs/chunk_internal.h"

enum { WINDOW_BYTES = 16, DEGREE = 53, SHIFT = DEGREE - 8 };

#define POLYNOMIAL UINT64_C(17437180132763653)

/* The remainder of `value` by the polynomial. */
static uint64_t reduce(uint64_t value)
{
    for (int bit = 63; bit >= DEGREE; bit--) {
        if ((value >> bit & 1) != 0) {
            value ^= POLYNOMIAL << (bit - DEGREE);
        }
    }
    return value;
}

void cn_chunk_rabin_init(cn_chunker *c)
{
    for (uint64_t b = 0; b < 256; b++) {
        uint64_t hash = reduce(b);
        for (int i = 0; i < WINDOW_BYTES - 1; i++) {
            hash = reduce(hash << 8);
        }
        c->rabin_out[b] = hash;
        c->rabin_mod[b] = reduce(b << DEGREE) | b << DEGREE;
    }
}

static uint64_t append(const cn_chunker *c, uint64_t digest, uint8_t byte)
{
    return (digest << 8 | byte) ^ c->rabin_mod[digest >> SHIFT & 0xff];
}

size_t cn_chunk_rabin(const cn_chunker *c, cn_slice window)
{
    if (window.len <= c->min_bytes) {
        return window.len;
    }
    /* Each chunk starts as if the window held a byte 1 and 15 zeros, which it then forgets. */
    const uint8_t *data = window.data;
    uint64_t digest = append(c, 0, 1);
    size_t i = c->min_bytes - WINDOW_BYTES;
    for (; i < c->min_bytes - 1; i++) {
        digest = append(c, digest, data[i]);
    }
    digest = append(c, digest ^ c->rabin_out[1], data[i++]);
    while ((digest & c->mask) != 0 && i < window.len) {
        digest = append(c, digest ^ c->rabin_out[data[i - WINDOW_BYTES]], data[i]);
        i++;
    }
    return i;
}
