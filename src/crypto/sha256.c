/*
 * SHA-256 around the block functions: padding, pieces, and the sharing out of messages to lanes.
 *
 * A lane works through two runs of blocks: the whole blocks of its message in place, then the one
 * or two of its tail (rest, 0x80, zeros, length), which lie in the lane. All lanes advance together
 * by the shortest run among them; a lane that is done takes the next message, and when there is
 * none the others go on with fewer lanes.
 */
#include "crypto/sha256_internal.h"

#include "base/mem.h"

#include <stdatomic.h>

static const uint32_t first_h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

const uint32_t cn_sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

const cn_sha256_kernel *cn_sha256_best(void)
{
    static _Atomic(const cn_sha256_kernel *) best;
    const cn_sha256_kernel *kernel = atomic_load_explicit(&best, memory_order_relaxed);
    if (kernel == NULL) {
        kernel = cn_sha256_x86();
        kernel = kernel == NULL ? cn_sha256_arm() : kernel;
        kernel = kernel == NULL ? &cn_sha256_portable : kernel;
        atomic_store_explicit(&best, kernel, memory_order_relaxed);
    }
    return kernel;
}

/* The last blocks of a message of `bytes` bytes whose `rest_len` last ones lie in `tail`. */
static size_t pad(uint8_t tail[2 * CN_SHA256_BLOCK_BYTES], size_t rest_len, uint64_t bytes)
{
    size_t blocks = rest_len < CN_SHA256_BLOCK_BYTES - 8 ? 1 : 2;
    size_t end = blocks * CN_SHA256_BLOCK_BYTES;
    tail[rest_len] = 0x80;
    for (size_t i = rest_len + 1; i < end - 8; i++) {
        tail[i] = 0;
    }
    for (size_t i = 0; i < 8; i++) {
        tail[end - 1 - i] = (uint8_t)(bytes * 8 >> 8 * i);
    }
    return blocks;
}

static void put_digest(const uint32_t h[8], uint8_t ret[CN_SHA256_BYTES])
{
    for (size_t i = 0; i < 8; i++) {
        ret[4 * i] = (uint8_t)(h[i] >> 24);
        ret[4 * i + 1] = (uint8_t)(h[i] >> 16);
        ret[4 * i + 2] = (uint8_t)(h[i] >> 8);
        ret[4 * i + 3] = (uint8_t)h[i];
    }
}

typedef struct lane {
    uint32_t h[8];
    const uint8_t *at;  /* next block */
    size_t blocks;      /* left in this run, 1 or more */
    size_t tail_blocks; /* 0: this run is the tail */
    size_t message;
    uint8_t tail[2 * CN_SHA256_BLOCK_BYTES];
} lane;

static void enter_tail(lane *l)
{
    l->at = l->tail;
    l->blocks = l->tail_blocks;
    l->tail_blocks = 0;
}

static void start(lane *l, cn_slice in, size_t message)
{
    size_t rest_len = in.len % CN_SHA256_BLOCK_BYTES;
    cn_copy(l->h, first_h, sizeof first_h);
    l->at = in.data;
    l->blocks = in.len / CN_SHA256_BLOCK_BYTES;
    l->message = message;
    cn_copy(l->tail, cn_slice_skip(in, in.len - rest_len).data, rest_len);
    l->tail_blocks = pad(l->tail, rest_len, in.len);
    if (l->blocks == 0) {
        enter_tail(l);
    }
}

/* Run all lanes to the end of the shortest run. */
static void advance(const cn_sha256_kernel *kernel, lane *const *lanes, size_t n)
{
    uint32_t *h[CN_SHA256_LANES_MAX];
    const uint8_t *data[CN_SHA256_LANES_MAX];
    size_t blocks = lanes[0]->blocks;
    for (size_t i = 0; i < n; i++) {
        h[i] = lanes[i]->h;
        data[i] = lanes[i]->at;
        blocks = CN_MIN(blocks, lanes[i]->blocks);
    }
    kernel->run(h, data, blocks, n);
    for (size_t i = 0; i < n; i++) {
        lanes[i]->at += blocks * CN_SHA256_BLOCK_BYTES;
        lanes[i]->blocks -= blocks;
    }
}

void cn_sha256_many_with(
    const cn_sha256_kernel *kernel,
    size_t lanes,
    const cn_slice *in,
    uint8_t (*ret)[CN_SHA256_BYTES],
    size_t n)
{
    CN_ASSERT(lanes >= 1 && lanes <= CN_SHA256_LANES_MAX);
    lane all[CN_SHA256_LANES_MAX];
    lane *busy[CN_SHA256_LANES_MAX];
    size_t busy_len = 0;
    size_t next = 0;
    while (busy_len < lanes && next < n) {
        busy[busy_len] = &all[busy_len];
        start(busy[busy_len++], in[next], next);
        next++;
    }
    while (busy_len > 0) {
        advance(kernel, busy, busy_len);
        for (size_t i = busy_len; i-- > 0;) {
            lane *l = busy[i];
            if (l->blocks > 0) {
                continue;
            }
            if (l->tail_blocks > 0) {
                enter_tail(l);
                continue;
            }
            put_digest(l->h, ret[l->message]);
            if (next < n) {
                start(l, in[next], next);
                next++;
            } else {
                busy[i] = busy[--busy_len];
            }
        }
    }
}

void cn_sha256_many(const cn_slice *in, uint8_t (*ret)[CN_SHA256_BYTES], size_t n)
{
    const cn_sha256_kernel *kernel = cn_sha256_best();
    cn_sha256_many_with(kernel, kernel->lanes, in, ret, n);
}

void cn_sha256(cn_slice in, uint8_t ret[CN_SHA256_BYTES])
{
    uint8_t digest[1][CN_SHA256_BYTES];
    cn_sha256_many_with(cn_sha256_best(), 1, &in, digest, 1);
    cn_copy(ret, digest[0], CN_SHA256_BYTES);
}

void cn_sha256_init(cn_sha256_state *s)
{
    *s = (cn_sha256_state){.bytes = 0};
    cn_copy(s->h, first_h, sizeof first_h);
}

static void run_one(cn_sha256_state *s, const uint8_t *data, size_t blocks)
{
    uint32_t *h = s->h;
    cn_sha256_best()->run(&h, &data, blocks, 1);
}

void cn_sha256_update(cn_sha256_state *s, cn_slice in)
{
    size_t held_len = s->bytes % CN_SHA256_BLOCK_BYTES;
    s->bytes += in.len;
    if (held_len > 0) {
        cn_slice part = cn_slice_head(in, CN_SHA256_BLOCK_BYTES - held_len);
        cn_copy(s->held + held_len, part.data, part.len);
        in = cn_slice_skip(in, part.len);
        if (held_len + part.len < CN_SHA256_BLOCK_BYTES) {
            return;
        }
        run_one(s, s->held, 1);
    }
    size_t blocks = in.len / CN_SHA256_BLOCK_BYTES;
    if (blocks > 0) {
        run_one(s, in.data, blocks);
    }
    in = cn_slice_skip(in, blocks * CN_SHA256_BLOCK_BYTES);
    cn_copy(s->held, in.data, in.len);
}

void cn_sha256_final(cn_sha256_state *s, uint8_t ret[CN_SHA256_BYTES])
{
    uint8_t tail[2 * CN_SHA256_BLOCK_BYTES];
    size_t rest_len = s->bytes % CN_SHA256_BLOCK_BYTES;
    cn_copy(tail, s->held, rest_len);
    run_one(s, tail, pad(tail, rest_len, s->bytes));
    put_digest(s->h, ret);
}
