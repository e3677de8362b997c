/*
 * A small seeded generator (PCG-XSH-RR 64/32) for jitter, sampling and tests. Never for secrets.
 */
#pragma once

#include "base/macros.h"

typedef struct cn_prng {
    uint64_t state;
} cn_prng;

static inline uint32_t cn_prng_u32(cn_prng *p)
{
    uint64_t old = p->state;
    p->state = old * 6364136223846793005u + 1442695040888963407u;
    uint32_t mixed = (uint32_t)((old >> 18 ^ old) >> 27);
    uint32_t turn = (uint32_t)(old >> 59);
    return mixed >> turn | mixed << (-turn & 31u);
}

static inline void cn_prng_init(cn_prng *p, uint64_t seed)
{
    p->state = seed + 1442695040888963407u;
    (void)cn_prng_u32(p);
}

static inline uint64_t cn_prng_u64(cn_prng *p)
{
    uint64_t high = cn_prng_u32(p);
    return high << 32 | cn_prng_u32(p);
}

/* A number below `bound` (1 or more). */
static inline uint64_t cn_prng_below(cn_prng *p, uint64_t bound)
{
    return cn_prng_u64(p) % bound;
}
