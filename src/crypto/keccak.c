/*
 * The Keccak sponge over 25 lanes of 64 bits; input is taken in and output given out in pieces of
 * `rate` bytes.
 */
#include "crypto/keccak.h"

enum { LANES = 25, ROUNDS = 24, STATE_BYTES = 200 };

static const uint64_t round_constants[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

/* The walk of rho and pi: which lane comes next, and by how much it is turned. */
static const uint8_t walk[LANES - 1] = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                        15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};
static const uint8_t turns[LANES - 1] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                         27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};

static uint64_t turn(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void permute(uint64_t a[LANES])
{
    for (size_t round = 0; round < ROUNDS; round++) {
        uint64_t c[5];
        for (size_t x = 0; x < 5; x++) {
            c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
        }
        for (size_t x = 0; x < 5; x++) {
            uint64_t d = c[(x + 4) % 5] ^ turn(c[(x + 1) % 5], 1);
            for (size_t y = 0; y < LANES; y += 5) {
                a[x + y] ^= d;
            }
        }
        uint64_t held = a[1];
        for (size_t i = 0; i < LANES - 1; i++) {
            uint64_t next = a[walk[i]];
            a[walk[i]] = turn(held, turns[i]);
            held = next;
        }
        for (size_t y = 0; y < LANES; y += 5) {
            for (size_t x = 0; x < 5; x++) {
                c[x] = a[x + y];
            }
            for (size_t x = 0; x < 5; x++) {
                a[x + y] = c[x] ^ (~c[(x + 1) % 5] & c[(x + 2) % 5]);
            }
        }
        a[0] ^= round_constants[round];
    }
}

static void mix_in(uint64_t a[LANES], size_t at, uint8_t byte)
{
    a[at / 8] ^= (uint64_t)byte << at % 8 * 8;
}

void cn_keccak(cn_keccak_kind kind, unsigned bits, cn_slice in, uint8_t *ret, size_t len)
{
    CN_ASSERT(bits >= 224 && bits <= 512);
    uint64_t a[LANES] = {0};
    size_t rate = STATE_BYTES - bits / 4;
    for (; in.len >= rate; in = cn_slice_skip(in, rate)) {
        for (size_t i = 0; i < rate; i++) {
            mix_in(a, i, in.data[i]);
        }
        permute(a);
    }
    for (size_t i = 0; i < in.len; i++) {
        mix_in(a, i, in.data[i]);
    }
    mix_in(a, in.len, (uint8_t)kind);
    mix_in(a, rate - 1, 0x80);
    for (size_t i = 0; i < len; i++) {
        if (i % rate == 0) {
            permute(a);
        }
        ret[i] = (uint8_t)(a[i % rate / 8] >> i % rate % 8 * 8);
    }
}
