/*
 * Nodes for tests: a store, bitswap and a session each, over whichever host the test includes.
 * Blocks are made from numbers.
 */
#pragma once

#include "base/prng.h"
#include "crypto/sha256.h"
#include "exchange/bitswap/bitswap.h"
#include "store/store.h"

#include <stdio.h>

typedef struct node {
    cn_exchange_sink sink; /* first: cast back from it */
    cn_mem mem;
    cn_store *store;
    cn_blocks *blocks;
    cn_bitswap *bitswap;
    cn_exchange *x;
    cn_id session;
    size_t arriving_bytes; /* the bound; 0: usual */
    size_t wanted;
    size_t arrived;
    size_t idles;
    size_t failures;
} node;

static node nodes[DOUBLE_NODES];
static uint8_t block_room[1 << 20];

/* Block `n` of `len` bytes (8 or more) in `room`, and its CID. */
static cn_slice block_in(uint8_t *room, uint64_t n, size_t len, unsigned version, cn_cid *ret)
{
    cn_prng prng;
    uint8_t digest[CN_SHA256_BYTES];
    cn_prng_init(&prng, n);
    for (size_t i = 0; i + 8 <= len; i += 8) {
        uint64_t v = cn_prng_u64(&prng);
        cn_copy(room + i, &v, 8);
    }
    cn_slice data = {room, len / 8 * 8};
    cn_sha256(data, digest);
    cn_multihash mh = {CN_MH_SHA2_256, {digest, sizeof digest}};
    CN_ASSERT(
        cn_cid_make(version, version == 0 ? CN_CODEC_DAG_PB : CN_CODEC_RAW, &mh, ret) == CN_OK);
    return data;
}

static inline cn_slice block_of(uint64_t n, size_t len, unsigned version, cn_cid *ret)
{
    return block_in(block_room, n, len, version, ret);
}

static void on_arrived(cn_exchange_sink *s, const cn_cid *cid, cn_slice block)
{
    CN_UNUSED(cid);
    CN_UNUSED(block);
    ((node *)s)->arrived++;
}

static void on_idle(cn_exchange_sink *s, const cn_cid *cid)
{
    CN_UNUSED(cid);
    ((node *)s)->idles++;
}

static void on_failed(cn_exchange_sink *s, const cn_cid *cid, cn_err err, const char *sentence)
{
    CN_UNUSED(cid);
    CN_UNUSED(err);
    CN_UNUSED(sentence);
    ((node *)s)->failures++;
}

static const cn_exchange_sink_ops sink_ops = {on_arrived, on_idle, on_failed};

static void node_begin(size_t i)
{
    node *n = &nodes[i];
    char dir[256];
    *n = (node){.sink = {&sink_ops}};
    cn_mem_init(&n->mem, 0);
    CN_ASSERT(snprintf(dir, sizeof dir, "%s/%zu", test_temp_dir(), i) > 0);
    cn_store_options o = {
        .mem = cn_mem_default(), .rt = double_rt, .dir = dir, .map_bytes = (size_t)1 << 30};
    CHECK_OK(cn_store_open(&o, &n->store, NULL));
    n->blocks = cn_store_blocks(n->store);
}

static void node_join_exchange(size_t i)
{
    node *n = &nodes[i];
    cn_bitswap_options b = {
        .mem = &n->mem,
        .net = &double_hosts[i].net,
        .host = &double_hosts[i],
        .blocks = n->blocks,
        .seed = i + 1,
        .serve = true,
        .arriving_bytes = n->arriving_bytes,
    };
    CHECK_OK(cn_bitswap_new(&b, &n->bitswap));
    double_hosts[i].protocol = cn_bitswap_protocol(n->bitswap);
    n->x = cn_bitswap_exchange(n->bitswap);
    CHECK_OK(n->x->ops->session_open(n->x, &n->sink, &n->session));
}

static void nodes_begin(size_t len)
{
    double_begin(len);
    for (size_t i = 0; i < len; i++) {
        node_begin(i);
        node_join_exchange(i);
    }
}

static void nodes_end(void)
{
    double_end();
    for (size_t i = 0; i < double_len; i++) {
        cn_bitswap_free(nodes[i].bitswap);
        CHECK_EQ(nodes[i].mem.used_bytes, 0);
        cn_store_close(nodes[i].store);
    }
}

static inline void put_one(size_t node_no, uint64_t n, size_t len, unsigned version)
{
    cn_cid cid;
    cn_slice data = block_of(n, len, version, &cid);
    CHECK_OK(cn_blocks_put(cn_store_blocks(nodes[node_no].store), &cid, data, NULL));
}

static inline void put_range(size_t node_no, uint64_t from, size_t len, size_t bytes)
{
    for (uint64_t n = from; n < from + len; n++) {
        put_one(node_no, n, bytes, 1);
    }
}

static inline void put_range_v0(size_t node_no, uint64_t from, size_t len, size_t bytes)
{
    for (uint64_t n = from; n < from + len; n++) {
        put_one(node_no, n, bytes, 0);
    }
}

static inline void want_one(size_t node_no, uint64_t n, size_t bytes, unsigned version)
{
    node *x = &nodes[node_no];
    cn_cid cid;
    (void)block_of(n, bytes, version, &cid);
    CHECK_OK(x->x->ops->want(x->x, x->session, &cid, 1));
    x->wanted++;
}

static inline void fetch_range(size_t node_no, uint64_t from, size_t len, size_t bytes)
{
    for (uint64_t n = from; n < from + len; n++) {
        want_one(node_no, n, bytes, 1);
    }
}

static inline void fetch_range_v0(size_t node_no, uint64_t from, size_t len, size_t bytes)
{
    for (uint64_t n = from; n < from + len; n++) {
        want_one(node_no, n, bytes, 0);
    }
}

static inline void have_range(size_t node_no, uint64_t from, size_t len, size_t bytes)
{
    node *x = &nodes[node_no];
    for (uint64_t n = from; n < from + len; n++) {
        cn_cid cid;
        (void)block_of(n, bytes, 1, &cid);
        x->x->ops->have(x->x, &cid, 1);
    }
}

static inline void check_range(size_t node_no, uint64_t from, size_t len, size_t bytes)
{
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), CN_BLOCK_MAX_BYTES);
    for (uint64_t n = from; n < from + len; n++) {
        cn_cid cid;
        cn_slice data = block_of(n, bytes, 1, &cid);
        cn_err err = cn_blocks_get(cn_store_blocks(nodes[node_no].store), &cid, &b, NULL);
        if (err != CN_OK || !cn_slice_eq(cn_buf_slice(&b), data)) {
            CHECK_OK(err);
            FAIL("a block is missing or not what it was");
            break;
        }
    }
    cn_buf_release(&b);
}

/* Turn until the node has all it wanted; 30 s at most. */
static inline bool run_until_done(size_t node_no)
{
    cn_time limit = cn_time_after(cn_rt_now(double_rt), 30 * CN_NS_PER_S);
    while (nodes[node_no].arrived < nodes[node_no].wanted) {
        double_turn();
        if (cn_rt_now(double_rt).ns > limit.ns) {
            return false;
        }
    }
    return true;
}
