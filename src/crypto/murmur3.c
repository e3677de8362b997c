#include "crypto/murmur3.h"
static uint64_t rotl(uint64_t x, int r) { return x << r | x >> (64 - r); }
static uint64_t fmix(uint64_t k) { k ^= k >> 33; k *= 0xff51afd7ed558ccdULL; k ^= k >> 33; k *= 0xc4ceb9fe1a85ec53ULL; k ^= k >> 33; return k; }
static uint64_t load(const uint8_t *p, size_t n) { uint64_t v = 0; for (size_t i = n; i-- > 0;) v = v << 8 | p[i]; return v; }
uint64_t cn_murmur3_x64_64(cn_slice d)
{
    const uint64_t c1 = 0x87c37b91114253d5ULL, c2 = 0x4cf5ad432745937fULL;
    uint64_t h1 = 0, h2 = 0; size_t n = d.len / 16;
    for (size_t i = 0; i < n; i++) {
        uint64_t k1 = load(d.data + i * 16, 8), k2 = load(d.data + i * 16 + 8, 8);
        h1 ^= rotl(k1 * c1, 31) * c2; h1 = (rotl(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= rotl(k2 * c2, 33) * c1; h2 = (rotl(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    const uint8_t *t = d.data + n * 16; size_t r = d.len % 16;
    if (r > 8) h2 ^= rotl(load(t + 8, r - 8) * c2, 33) * c1;
    if (r > 0) h1 ^= rotl(load(t, r > 8 ? 8 : r) * c1, 31) * c2;
    h1 ^= d.len; h2 ^= d.len; h1 += h2; h2 += h1; h1 = fmix(h1); h2 = fmix(h2);
    return h1 + h2;
}
