/*
 * The SHA-256 block function by ARMv8 crypto instructions, up to four messages at once. As on x86,
 * several messages in turn hide the time each instruction takes.
 */
#include "crypto/sha256_internal.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <sys/auxv.h>

#if defined(__clang__)
#define TARGET __attribute__((target("sha2")))
#else
#define TARGET __attribute__((target("+sha2")))
#endif

enum { HWCAP_BIT_SHA2 = 1 << 6 };

typedef struct lane {
    uint32x4_t abcd;
    uint32x4_t efgh;
    uint32x4_t w[4];
} lane;

static inline TARGET void four_rounds(lane *l, int group)
{
    uint32x4_t *w = l->w;
    if (group >= 4) {
        uint32x4_t sum = vsha256su0q_u32(w[group % 4], w[(group + 1) % 4]);
        w[group % 4] = vsha256su1q_u32(sum, w[(group + 2) % 4], w[(group + 3) % 4]);
    }
    uint32x4_t wk = vaddq_u32(w[group % 4], vld1q_u32(&cn_sha256_constants[4 * group]));
    uint32x4_t abcd = l->abcd;
    l->abcd = vsha256hq_u32(abcd, l->efgh, wk);
    l->efgh = vsha256h2q_u32(l->efgh, abcd, wk);
}

static TARGET void run(uint32_t *const *h, const uint8_t *const *data, size_t blocks, size_t lanes)
{
    lane l[CN_SHA256_LANES_MAX];
    for (size_t i = 0; i < lanes; i++) {
        l[i].abcd = vld1q_u32(h[i]);
        l[i].efgh = vld1q_u32(h[i] + 4);
    }
    for (size_t b = 0; b < blocks; b++) {
        uint32x4_t before[CN_SHA256_LANES_MAX][2];
        for (size_t i = 0; i < lanes; i++) {
            before[i][0] = l[i].abcd;
            before[i][1] = l[i].efgh;
            for (size_t k = 0; k < 4; k++) {
                const uint8_t *at = data[i] + b * CN_SHA256_BLOCK_BYTES + 16 * k;
                l[i].w[k] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(at)));
            }
        }
        for (int group = 0; group < 16; group++) {
            for (size_t i = 0; i < lanes; i++) {
                four_rounds(&l[i], group);
            }
        }
        for (size_t i = 0; i < lanes; i++) {
            l[i].abcd = vaddq_u32(l[i].abcd, before[i][0]);
            l[i].efgh = vaddq_u32(l[i].efgh, before[i][1]);
        }
    }
    for (size_t i = 0; i < lanes; i++) {
        vst1q_u32(h[i], l[i].abcd);
        vst1q_u32(h[i] + 4, l[i].efgh);
    }
}

static const cn_sha256_kernel kernel = {"armv8 sha2", 2, run};

const cn_sha256_kernel *cn_sha256_arm(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_BIT_SHA2) != 0 ? &kernel : NULL;
}

#else

const cn_sha256_kernel *cn_sha256_arm(void)
{
    return NULL;
}

#endif
