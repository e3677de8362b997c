/*
 * MurmurHash3_x64_128 with seed 0. Both halves are mixed all the way; only the first is given.
 */
#include "crypto/murmur3.h"

#include "base/le.h"

#define C1 0x87c37b91114253d5u
#define C2 0x4cf5ad432745937fu

static uint64_t turn(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

/* Up to 8 bytes, least significant first. */
static uint64_t load(cn_slice s)
{
    return cn_le_get(s.data, CN_MIN(s.len, (size_t)8));
}

static uint64_t mix_first(uint64_t k)
{
    return turn(k * C1, 31) * C2;
}

static uint64_t mix_second(uint64_t k)
{
    return turn(k * C2, 33) * C1;
}

static uint64_t finish(uint64_t k)
{
    k = (k ^ k >> 33) * 0xff51afd7ed558ccdu;
    k = (k ^ k >> 33) * 0xc4ceb9fe1a85ec53u;
    return k ^ k >> 33;
}

uint64_t cn_murmur3_x64_64(cn_slice in)
{
    uint64_t len = in.len;
    uint64_t h1 = 0;
    uint64_t h2 = 0;
    for (; in.len >= 16; in = cn_slice_skip(in, 16)) {
        h1 ^= mix_first(load(in));
        h1 = (turn(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= mix_second(load(cn_slice_skip(in, 8)));
        h2 = (turn(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    h1 ^= mix_first(load(in)) ^ len;
    h2 ^= mix_second(load(cn_slice_skip(in, 8))) ^ len;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    return h1 + h2;
}
