/*
 * What the tests of the store share: blocks made from a number, a store in a fresh folder.
 */
#pragma once

#include "base/prng.h"
#include "crypto/sha256.h"
#include "lib/test.h"
#include "rt_os/rt_os.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_ROOM = 1 << 20 };

static cn_rt *rt;
static _Thread_local uint8_t block_room[BLOCK_ROOM];

/* Block number `n` of `len` bytes (8 or more) and its CID (raw, version 1). */
static inline cn_slice block_of(uint64_t n, size_t len, cn_cid *ret)
{
    cn_prng prng;
    uint8_t digest[CN_SHA256_BYTES];
    cn_prng_init(&prng, n);
    for (size_t i = 0; i + 8 <= len; i += 8) {
        uint64_t v = cn_prng_u64(&prng);
        cn_copy(block_room + i, &v, 8);
    }
    cn_slice data = {block_room, len / 8 * 8};
    cn_sha256(data, digest);
    cn_multihash mh = {CN_MH_SHA2_256, {digest, sizeof digest}};
    cn_err err = cn_cid_make(1, CN_CODEC_RAW, &mh, ret);
    CN_ASSERT(err == CN_OK);
    return data;
}

static inline cn_err put_block(cn_store *s, uint64_t n, size_t len)
{
    cn_cid cid;
    cn_slice data = block_of(n, len, &cid);
    return cn_blocks_put(cn_store_blocks(s), &cid, data, NULL);
}

/* CN_OK if block `n` is held and whole. */
static inline cn_err get_block(cn_store *s, uint64_t n, size_t len)
{
    cn_cid cid;
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), BLOCK_ROOM);
    cn_slice data = block_of(n, len, &cid);
    cn_err err = cn_blocks_get(cn_store_blocks(s), &cid, &b, NULL);
    if (err == CN_OK && !cn_slice_eq(data, cn_buf_slice(&b))) {
        err = CN_ERR_BUG;
    }
    cn_buf_release(&b);
    return err;
}

static inline cn_err delete_block(cn_store *s, uint64_t n, size_t len)
{
    cn_cid cid;
    (void)block_of(n, len, &cid);
    return cn_store_delete(s, &cid, NULL);
}

static inline cn_store_options options_for(const char *dir)
{
    return (cn_store_options){
        .mem = cn_mem_default(),
        .rt = rt,
        .dir = dir,
        .holder = "pid 1 (test)",
        .reserve_bytes = 1 << 16,
        .segment_max_bytes = 1 << 20,
    };
}

static inline cn_store *open_store(const char *dir)
{
    cn_store *s = NULL;
    cn_why why = {0};
    cn_store_options options = options_for(dir);
    if (!CHECK_OK(cn_store_open(&options, &s, &why))) {
        printf("  %s\n", why.text);
        exit(1);
    }
    return s;
}

/* A fresh folder whose name stays for the whole program. */
static inline const char *fresh_dir(void)
{
    static char names[256][96];
    static unsigned used;
    CN_ASSERT(used < 256);
    (void)snprintf(names[used], sizeof names[used], "%.90s", test_temp_dir());
    return names[used++];
}

static inline const char *file_in(const char *dir, const char *name)
{
    static char paths[4][192];
    static unsigned turn;
    char *p = paths[turn++ % 4];
    (void)snprintf(p, sizeof paths[0], "%s/%s", dir, name);
    return p;
}
