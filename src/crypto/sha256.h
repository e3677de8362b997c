/*
 * SHA-256: the hash nearly every block has. Uses the machine's SHA instructions where it has them
 * (asked at run time). One message at a time waits for each instruction's result; several at a time
 * fill those waits, so where there are several messages cn_sha256_many is about twice as fast.
 * Nothing here fails or takes memory. Any thread.
 * spec: FIPS 180-4
 */
#pragma once

#include "base/slice.h"

enum {
    CN_SHA256_BYTES = 32,
    CN_SHA256_BLOCK_BYTES = 64,
    CN_SHA256_LANES = 4, /* messages worth collecting for one cn_sha256_many */
};

/* The digest of one message. */
void cn_sha256(cn_slice in, uint8_t ret[CN_SHA256_BYTES]);

/*
 * The digests of `n` messages of any lengths. Fastest where lengths are about equal and `n` is a
 * multiple of CN_SHA256_LANES or large.
 */
void cn_sha256_many(const cn_slice *in, uint8_t (*ret)[CN_SHA256_BYTES], size_t n);

/* A message that comes in pieces: init, update any number of times, final once. */
typedef struct cn_sha256_state {
    uint32_t h[8];
    uint64_t bytes;                      /* given so far */
    uint8_t held[CN_SHA256_BLOCK_BYTES]; /* the part of the last block that is there */
} cn_sha256_state;

void cn_sha256_init(cn_sha256_state *s);
void cn_sha256_update(cn_sha256_state *s, cn_slice in);
void cn_sha256_final(cn_sha256_state *s, uint8_t ret[CN_SHA256_BYTES]);
