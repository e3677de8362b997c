/*
 * The SHA-256 block function by x86 SHA instructions, one to four messages at once.
 *
 * sha256rnds2 does two rounds but its result comes four or more cycles later, and each needs the
 * one before; with several messages in turn the unit is busy in between. The number of lanes is a
 * constant where `blocks_of` is inlined, so each count gets straight-line code. Beyond two lanes
 * the words live in memory, which costs little: one Zen core does 2.1, 3.0, 3.4 and 3.8 GB/s.
 */
#include "crypto/sha256_internal.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))

typedef struct lane {
    __m128i abef;
    __m128i cdgh;
    __m128i w[4]; /* the last 16 words of the message schedule */
} lane;

/* Four rounds of one lane; `group` is 0 to 15. */
static inline __attribute__((always_inline)) TARGET void
four_rounds(lane *l, const int group, const __m128i constants)
{
    if (group >= 4) {
        __m128i w16 = l->w[group % 4];
        __m128i w12 = l->w[(group + 1) % 4];
        __m128i w8 = l->w[(group + 2) % 4];
        __m128i w4 = l->w[(group + 3) % 4];
        __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w16, w12), _mm_alignr_epi8(w4, w8, 4));
        l->w[group % 4] = _mm_sha256msg2_epu32(sum, w4);
    }
    __m128i wk = _mm_add_epi32(l->w[group % 4], constants);
    l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, wk);
    l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

static inline __attribute__((always_inline)) TARGET void load_words(lane *l, const uint8_t *data)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    for (int i = 0; i < 4; i++) {
        l->w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i_u *)(data + 16 * i)), swap);
    }
}

/* From words a..h to the pairs the instructions want, and back. */
static inline __attribute__((always_inline)) TARGET void load_state(lane *l, const uint32_t *h)
{
    __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i_u *)h), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i_u *)(h + 4)), 0x1b);
    l->abef = _mm_alignr_epi8(cdab, efgh, 8);
    l->cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
}

static inline __attribute__((always_inline)) TARGET void store_state(const lane *l, uint32_t *h)
{
    __m128i feba = _mm_shuffle_epi32(l->abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(l->cdgh, 0xb1);
    _mm_storeu_si128((__m128i_u *)h, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i_u *)(h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* `work` for each of the lanes; `lanes` is a constant after inlining. */
#define EACH_LANE(work)                                                                            \
    do {                                                                                           \
        work(0);                                                                                   \
        if (lanes > 1) {                                                                           \
            work(1);                                                                               \
        }                                                                                          \
        if (lanes > 2) {                                                                           \
            work(2);                                                                               \
        }                                                                                          \
        if (lanes > 3) {                                                                           \
            work(3);                                                                               \
        }                                                                                          \
    } while (0)

#define LOAD_STATE(i) load_state(&l[i], h[i])
#define STORE_STATE(i) store_state(&l[i], h[i])
#define LOAD_WORDS(i)                                                                              \
    before[i][0] = l[i].abef;                                                                      \
    before[i][1] = l[i].cdgh;                                                                      \
    load_words(&l[i], data[i] + offset)
#define ADD_BEFORE(i)                                                                              \
    l[i].abef = _mm_add_epi32(l[i].abef, before[i][0]);                                            \
    l[i].cdgh = _mm_add_epi32(l[i].cdgh, before[i][1])
#define ROUNDS(i) four_rounds(&l[i], group, k)
#define GROUP(n)                                                                                   \
    do {                                                                                           \
        const int group = (n);                                                                     \
        const __m128i k = _mm_loadu_si128((const __m128i_u *)&cn_sha256_constants[4 * (n)]);       \
        EACH_LANE(ROUNDS);                                                                         \
    } while (0)

static inline __attribute__((always_inline)) TARGET void
blocks_of(uint32_t *const *h, const uint8_t *const *data, size_t blocks, const int lanes)
{
    lane l[CN_SHA256_LANES_MAX];
    __m128i before[CN_SHA256_LANES_MAX][2];
    EACH_LANE(LOAD_STATE);
    for (size_t offset = 0; offset < blocks * CN_SHA256_BLOCK_BYTES;
         offset += CN_SHA256_BLOCK_BYTES) {
        EACH_LANE(LOAD_WORDS);
        GROUP(0);
        GROUP(1);
        GROUP(2);
        GROUP(3);
        GROUP(4);
        GROUP(5);
        GROUP(6);
        GROUP(7);
        GROUP(8);
        GROUP(9);
        GROUP(10);
        GROUP(11);
        GROUP(12);
        GROUP(13);
        GROUP(14);
        GROUP(15);
        EACH_LANE(ADD_BEFORE);
    }
    EACH_LANE(STORE_STATE);
}

static TARGET void one(uint32_t *const *h, const uint8_t *const *data, size_t blocks)
{
    blocks_of(h, data, blocks, 1);
}

static TARGET void two(uint32_t *const *h, const uint8_t *const *data, size_t blocks)
{
    blocks_of(h, data, blocks, 2);
}

static TARGET void three(uint32_t *const *h, const uint8_t *const *data, size_t blocks)
{
    blocks_of(h, data, blocks, 3);
}

static TARGET void four(uint32_t *const *h, const uint8_t *const *data, size_t blocks)
{
    blocks_of(h, data, blocks, 4);
}

static void run(uint32_t *const *h, const uint8_t *const *data, size_t blocks, size_t lanes)
{
    static void (*const by_lanes[])(uint32_t *const *, const uint8_t *const *, size_t) = {
        one, two, three, four};
    CN_ASSERT(lanes >= 1 && lanes <= CN_LEN(by_lanes));
    by_lanes[lanes - 1](h, data, blocks);
}

static const cn_sha256_kernel kernel = {"x86 sha", CN_SHA256_LANES, run};

const cn_sha256_kernel *cn_sha256_x86(void)
{
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    bool sse = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSSE3) != 0 && (c & bit_SSE4_1) != 0;
    bool sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
    return sse && sha ? &kernel : NULL;
}

#else

const cn_sha256_kernel *cn_sha256_x86(void)
{
    return NULL;
}

#endif
