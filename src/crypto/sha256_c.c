/*
 * The SHA-256 block function in plain C, for machines without SHA instructions.
 */
#include "crypto/sha256_internal.h"

#include "base/mem.h"

static uint32_t turn(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static void expand(const uint8_t *data, uint32_t w[64])
{
    for (size_t i = 0; i < 16; i++) {
        w[i] = (uint32_t)data[4 * i] << 24 | (uint32_t)data[4 * i + 1] << 16 |
               (uint32_t)data[4 * i + 2] << 8 | data[4 * i + 3];
    }
    for (size_t i = 16; i < 64; i++) {
        uint32_t s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

static void block(uint32_t h[8], const uint8_t *data)
{
    uint32_t w[64];
    uint32_t s[8]; /* a to h of the standard */
    expand(data, w);
    cn_copy(s, h, sizeof s);
    for (size_t i = 0; i < 64; i++) {
        uint32_t e1 = turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25);
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t t1 = s[7] + e1 + choice + cn_sha256_constants[i] + w[i];
        uint32_t e0 = turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22);
        uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        s[7] = s[6];
        s[6] = s[5];
        s[5] = s[4];
        s[4] = s[3] + t1;
        s[3] = s[2];
        s[2] = s[1];
        s[1] = s[0];
        s[0] = t1 + e0 + majority;
    }
    for (size_t i = 0; i < 8; i++) {
        h[i] += s[i];
    }
}

static void run(uint32_t *const *h, const uint8_t *const *data, size_t blocks, size_t lanes)
{
    for (size_t i = 0; i < lanes; i++) {
        for (size_t b = 0; b < blocks; b++) {
            block(h[i], data[i] + b * CN_SHA256_BLOCK_BYTES);
        }
    }
}

const cn_sha256_kernel cn_sha256_portable = {"portable", 1, run};
