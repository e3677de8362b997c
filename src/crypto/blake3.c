/*
 * BLAKE3: chunks of 1024 bytes are the leaves of a binary tree that is filled from the left. The
 * stack holds the roots of the complete subtrees so far, the largest first; there is one for each
 * bit set in the number of chunks.
 */
#include "crypto/blake3.h"

#include "base/le.h"
#include "base/mem.h"

enum {
    CHUNK_BYTES = 1024,
    BLOCK_BYTES = 64,
    STACK_MAX = 54, /* 2^64 bytes of input */
    CHUNK_START = 1,
    CHUNK_END = 2,
    PARENT = 4,
    ROOT = 8,
};

/* What is hashed to make one node: kept uncompressed while it may turn out to be the root. */
typedef struct node {
    uint32_t cv[8]; /* chaining value that goes in */
    uint32_t words[16];
    uint64_t counter;
    uint32_t block_len;
    uint32_t flags;
} node;

static const uint32_t iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
static const uint8_t permutation[16] = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};
static const uint8_t quads[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14}, {3, 7, 11, 15},
                                    {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},  {3, 4, 9, 14}};

static uint32_t turn(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static void mix(uint32_t v[16], const uint8_t q[4], uint32_t x, uint32_t y)
{
    v[q[0]] += v[q[1]] + x;
    v[q[3]] = turn(v[q[3]] ^ v[q[0]], 16);
    v[q[2]] += v[q[3]];
    v[q[1]] = turn(v[q[1]] ^ v[q[2]], 12);
    v[q[0]] += v[q[1]] + y;
    v[q[3]] = turn(v[q[3]] ^ v[q[0]], 8);
    v[q[2]] += v[q[3]];
    v[q[1]] = turn(v[q[1]] ^ v[q[2]], 7);
}

static void compress(const node *n, uint32_t ret[16])
{
    uint32_t v[16];
    uint32_t m[16];
    for (size_t i = 0; i < 8; i++) {
        v[i] = n->cv[i];
        v[i + 8] = iv[i];
    }
    v[12] = (uint32_t)n->counter;
    v[13] = (uint32_t)(n->counter >> 32);
    v[14] = n->block_len;
    v[15] = n->flags;
    cn_copy(m, n->words, sizeof m);
    for (size_t round = 0; round < 7; round++) {
        uint32_t next[16];
        for (size_t i = 0; i < 8; i++) {
            mix(v, quads[i], m[2 * i], m[2 * i + 1]);
        }
        for (size_t i = 0; i < 16; i++) {
            next[i] = m[permutation[i]];
        }
        cn_copy(m, next, sizeof m);
    }
    for (size_t i = 0; i < 8; i++) {
        ret[i] = v[i] ^ v[i + 8];
        ret[i + 8] = v[i + 8] ^ n->cv[i];
    }
}

static void chaining_value(const node *n, uint32_t ret[8])
{
    uint32_t out[16];
    compress(n, out);
    cn_copy(ret, out, 8 * sizeof out[0]);
}

static void load_block(node *n, cn_slice block)
{
    uint8_t bytes[BLOCK_BYTES] = {0};
    cn_copy(bytes, block.data, block.len);
    for (size_t i = 0; i < 16; i++) {
        n->words[i] = (uint32_t)cn_le_get(bytes + 4 * i, 4);
    }
    n->block_len = (uint32_t)block.len;
}

/* The last block of a chunk (at most CHUNK_BYTES), all blocks before it compressed. */
static node chunk_node(cn_slice chunk, uint64_t counter)
{
    node n = {.counter = counter, .flags = CHUNK_START};
    cn_copy(n.cv, iv, sizeof n.cv);
    while (chunk.len > BLOCK_BYTES) {
        load_block(&n, cn_slice_head(chunk, BLOCK_BYTES));
        chaining_value(&n, n.cv);
        n.flags = 0;
        chunk = cn_slice_skip(chunk, BLOCK_BYTES);
    }
    load_block(&n, chunk);
    n.flags |= CHUNK_END;
    return n;
}

static node parent_node(const uint32_t left[8], const uint32_t right[8])
{
    node n = {.block_len = BLOCK_BYTES, .flags = PARENT};
    cn_copy(n.cv, iv, sizeof n.cv);
    cn_copy(n.words, left, 8 * sizeof left[0]);
    cn_copy(n.words + 8, right, 8 * sizeof right[0]);
    return n;
}

static void put_root(node *root, uint8_t *ret, size_t len)
{
    uint32_t out[16] = {0};
    root->flags |= ROOT;
    for (size_t i = 0; i < len; i++) {
        if (i % BLOCK_BYTES == 0) {
            root->counter = i / BLOCK_BYTES;
            compress(root, out);
        }
        ret[i] = (uint8_t)(out[i % BLOCK_BYTES / 4] >> i % 4 * 8);
    }
}

void cn_blake3(cn_slice in, uint8_t *ret, size_t len)
{
    uint32_t stack[STACK_MAX][8];
    uint32_t cv[8];
    size_t depth = 0;
    uint64_t chunks = 0;
    for (; in.len > CHUNK_BYTES; in = cn_slice_skip(in, CHUNK_BYTES)) {
        node n = chunk_node(cn_slice_head(in, CHUNK_BYTES), chunks++);
        chaining_value(&n, cv);
        for (uint64_t whole = chunks; whole % 2 == 0; whole /= 2) {
            n = parent_node(stack[--depth], cv);
            chaining_value(&n, cv);
        }
        cn_copy(stack[depth++], cv, sizeof cv);
    }
    node root = chunk_node(in, chunks);
    while (depth > 0) {
        chaining_value(&root, cv);
        root = parent_node(stack[--depth], cv);
    }
    put_root(&root, ret, len);
}
