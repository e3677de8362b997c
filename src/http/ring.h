/*
 * A ring of bytes that may grow up to a bound. Not safe from two threads at once.
 */
#pragma once

#include "base/mem.h"
#include "base/slice.h"

typedef struct cn_ring {
    uint8_t *data;
    size_t cap;
    size_t start;
    size_t len;
    cn_mem *mem;
} cn_ring;

/* Takes no memory yet. */
void cn_ring_init(cn_ring *r, cn_mem *mem);
void cn_ring_release(cn_ring *r); /* accepts a zeroed one */
/* Make the ring hold `cap` bytes or more in all. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_ring_grow(cn_ring *r, size_t cap);
static inline size_t cn_ring_room(const cn_ring *r)
{
    return r->cap - r->len;
}
/* Put in as much of `s` as there is room for; says how much. */
size_t cn_ring_put(cn_ring *r, cn_slice s);
/* Take out up to `len` bytes; says how many. */
size_t cn_ring_take(cn_ring *r, uint8_t *data, size_t len);
