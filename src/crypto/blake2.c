/*
 * BLAKE2 in its two word sizes. The last block is filled with zeros and marked; empty input is one
 * such block.
 */
#include "crypto/blake2.h"

#include "base/le.h"
#include "base/mem.h"

static const uint64_t iv64[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                 0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
static const uint32_t iv32[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* Which words of the block each round takes; rounds 10 and 11 of BLAKE2b are 0 and 1 again. */
static const uint8_t sigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

/* The four words of v that each of the eight steps of a round mixes. */
static const uint8_t quads[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14}, {3, 7, 11, 15},
                                    {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},  {3, 4, 9, 14}};

static uint64_t turn64(uint64_t x, unsigned n)
{
    return x >> n | x << (64 - n);
}

static uint32_t turn32(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static void mix64(uint64_t v[16], const uint8_t q[4], uint64_t x, uint64_t y)
{
    v[q[0]] += v[q[1]] + x;
    v[q[3]] = turn64(v[q[3]] ^ v[q[0]], 32);
    v[q[2]] += v[q[3]];
    v[q[1]] = turn64(v[q[1]] ^ v[q[2]], 24);
    v[q[0]] += v[q[1]] + y;
    v[q[3]] = turn64(v[q[3]] ^ v[q[0]], 16);
    v[q[2]] += v[q[3]];
    v[q[1]] = turn64(v[q[1]] ^ v[q[2]], 63);
}

static void mix32(uint32_t v[16], const uint8_t q[4], uint32_t x, uint32_t y)
{
    v[q[0]] += v[q[1]] + x;
    v[q[3]] = turn32(v[q[3]] ^ v[q[0]], 16);
    v[q[2]] += v[q[3]];
    v[q[1]] = turn32(v[q[1]] ^ v[q[2]], 12);
    v[q[0]] += v[q[1]] + y;
    v[q[3]] = turn32(v[q[3]] ^ v[q[0]], 8);
    v[q[2]] += v[q[3]];
    v[q[1]] = turn32(v[q[1]] ^ v[q[2]], 7);
}

static void block64(uint64_t h[8], const uint8_t *data, uint64_t bytes_so_far, bool last)
{
    uint64_t m[16];
    uint64_t v[16];
    for (size_t i = 0; i < 16; i++) {
        m[i] = cn_le_get(data + 8 * i, 8);
        v[i] = i < 8 ? h[i] : iv64[i - 8];
    }
    v[12] ^= bytes_so_far;
    v[14] ^= last ? UINT64_MAX : 0;
    for (size_t round = 0; round < 12; round++) {
        const uint8_t *s = sigma[round % 10];
        for (size_t i = 0; i < 8; i++) {
            mix64(v, quads[i], m[s[2 * i]], m[s[2 * i + 1]]);
        }
    }
    for (size_t i = 0; i < 8; i++) {
        h[i] ^= v[i] ^ v[i + 8];
    }
}

static void block32(uint32_t h[8], const uint8_t *data, uint64_t bytes_so_far, bool last)
{
    uint32_t m[16];
    uint32_t v[16];
    for (size_t i = 0; i < 16; i++) {
        m[i] = (uint32_t)cn_le_get(data + 4 * i, 4);
        v[i] = i < 8 ? h[i] : iv32[i - 8];
    }
    v[12] ^= (uint32_t)bytes_so_far;
    v[13] ^= (uint32_t)(bytes_so_far >> 32);
    v[14] ^= last ? UINT32_MAX : 0;
    for (size_t round = 0; round < 10; round++) {
        const uint8_t *s = sigma[round];
        for (size_t i = 0; i < 8; i++) {
            mix32(v, quads[i], m[s[2 * i]], m[s[2 * i + 1]]);
        }
    }
    for (size_t i = 0; i < 8; i++) {
        h[i] ^= v[i] ^ v[i + 8];
    }
}

void cn_blake2b(cn_slice in, uint8_t *ret, size_t len)
{
    enum { BLOCK_BYTES = 128 };
    CN_ASSERT(len >= 1 && len <= 64);
    uint64_t h[8];
    uint64_t done = 0;
    uint8_t last[BLOCK_BYTES] = {0};
    cn_copy(h, iv64, sizeof h);
    h[0] ^= 0x01010000 ^ len;
    for (; in.len > BLOCK_BYTES; in = cn_slice_skip(in, BLOCK_BYTES)) {
        done += BLOCK_BYTES;
        block64(h, in.data, done, false);
    }
    cn_copy(last, in.data, in.len);
    block64(h, last, done + in.len, true);
    for (size_t i = 0; i < len; i++) {
        ret[i] = (uint8_t)(h[i / 8] >> i % 8 * 8);
    }
}

void cn_blake2s(cn_slice in, uint8_t *ret, size_t len)
{
    enum { BLOCK_BYTES = 64 };
    CN_ASSERT(len >= 1 && len <= 32);
    uint32_t h[8];
    uint64_t done = 0;
    uint8_t last[BLOCK_BYTES] = {0};
    cn_copy(h, iv32, sizeof h);
    h[0] ^= 0x01010000 ^ (uint32_t)len;
    for (; in.len > BLOCK_BYTES; in = cn_slice_skip(in, BLOCK_BYTES)) {
        done += BLOCK_BYTES;
        block32(h, in.data, done, false);
    }
    cn_copy(last, in.data, in.len);
    block32(h, last, done + in.len, true);
    for (size_t i = 0; i < len; i++) {
        ret[i] = (uint8_t)(h[i / 4] >> i % 4 * 8);
    }
}
