/*
 * How the block functions of SHA-256 plug in. Only for sha256*.c, their test and benchmark.
 */
#pragma once

#include "crypto/sha256.h"

enum { CN_SHA256_LANES_MAX = 4 };

typedef struct cn_sha256_kernel {
    const char *name;
    size_t lanes; /* messages taken at a time for best speed; all take 1 to CN_SHA256_LANES_MAX */
    /* Advance `lanes` states by `blocks` blocks each; data[i] belongs to h[i]. */
    void (*run)(uint32_t *const *h, const uint8_t *const *data, size_t blocks, size_t lanes);
} cn_sha256_kernel;

extern const uint32_t cn_sha256_constants[64];

/* Plain C; works everywhere. */
extern const cn_sha256_kernel cn_sha256_portable;
/* The machine's own instructions, or NULL where it lacks them. Asks the CPU: not free. */
const cn_sha256_kernel *cn_sha256_x86(void);
const cn_sha256_kernel *cn_sha256_arm(void);
/* The best one; remembered. */
const cn_sha256_kernel *cn_sha256_best(void);

/* cn_sha256_many by a given kernel, with `lanes` messages at a time. */
void cn_sha256_many_with(
    const cn_sha256_kernel *kernel,
    size_t lanes,
    const cn_slice *in,
    uint8_t (*ret)[CN_SHA256_BYTES],
    size_t n);
