/*
 * A table of blocks in memory, as a cn_blocks for tests; filled by hand or from a CAR fixture. It
 * counts what is asked of it.
 */
#pragma once

#include "base/map.h"
#include "ipld/blocks.h"
#include "ipld/car.h"
#include "lib/test.h"

typedef struct test_table {
    cn_blocks blocks;
    cn_map at;    /* multihash to place */
    cn_buf bytes; /* all blocks */
    size_t gets;
    cn_cid roots[8];
    size_t roots_len;
} test_table;

typedef struct test_place {
    size_t offset;
    size_t len;
} test_place;

static inline cn_err test_table_get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
{
    test_table *t = (test_table *)b;
    const test_place *place = cn_map_get(&t->at, cn_cid_key(cid));
    char text[CN_CID_TEXT_BYTES];
    t->gets++;
    if (place == NULL) {
        return cn_why_set(why, CN_ERR_NOT_FOUND, "not in the table: %s", cn_cid_text(cid, text));
    }
    cn_buf_reset(ret);
    return cn_buf_append(ret, cn_slice_of(t->bytes.data + place->offset, place->len));
}

static inline cn_err test_table_size(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes)
{
    const test_place *place = cn_map_get(&((test_table *)b)->at, cn_cid_key(cid));
    if (place != NULL) {
        *ret_bytes = place->len;
    }
    return place == NULL ? CN_ERR_NOT_FOUND : CN_OK;
}

static inline cn_err test_table_put(cn_blocks *b, const cn_cid *cid, cn_slice data, cn_why *why)
{
    test_table *t = (test_table *)b;
    void *value = NULL;
    bool is_new = false;
    CN_UNUSED(why);
    cn_err err = cn_map_put(&t->at, cn_cid_key(cid), &value, &is_new);
    if (err != CN_OK || !is_new) {
        return err;
    }
    *(test_place *)value = (test_place){t->bytes.len, data.len};
    return cn_buf_append(&t->bytes, data);
}

static inline void test_table_init(test_table *t)
{
    static const cn_blocks_ops ops = {
        .get = test_table_get, .size = test_table_size, .put = test_table_put};
    *t = (test_table){.blocks = {&ops}};
    cn_map_init(&t->at, cn_mem_default(), sizeof(test_place), 1 << 22, 0);
    cn_buf_init(&t->bytes, cn_mem_default(), (size_t)1 << 31);
}

static inline void test_table_release(test_table *t)
{
    cn_map_release(&t->at);
    cn_buf_release(&t->bytes);
}

/* Put a block under the CIDv1 of its sha2-256. */
static inline cn_cid test_table_add(test_table *t, uint64_t codec, cn_slice data)
{
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    cn_cid cid = {0};
    CHECK_OK(cn_multihash_sum(CN_MH_SHA2_256, 0, data, digest, &len));
    cn_multihash mh = {CN_MH_SHA2_256, cn_slice_of(digest, len)};
    CHECK_OK(cn_cid_make(1, codec, &mh, &cid));
    CHECK_OK(test_table_put(&t->blocks, &cid, data, NULL));
    return cid;
}

/* Initialise the table with the blocks of a CAR fixture; false if the test is skipped. */
static inline bool test_table_load(test_table *t, const char *fixture)
{
    cn_buf file;
    cn_car car;
    cn_car_event event = {0};
    cn_err err = CN_OK;
    test_table_init(t);
    if (!test_fixture(fixture, &file)) {
        return false;
    }
    cn_slice in = cn_buf_slice(&file);
    cn_car_init(&car, cn_mem_default(), 64 << 20);
    while (err == CN_OK && in.len > 0) {
        err = cn_car_next(&car, &in, &event, NULL);
        if (err == CN_OK && event.kind == CN_CAR_BLOCK) {
            err = test_table_put(&t->blocks, &event.cid, event.data, NULL);
        }
    }
    CHECK_OK(err);
    CHECK_OK(cn_car_finish(&car, NULL));
    for (size_t i = 0; i < car.roots_len && i < CN_LEN(t->roots); i++) {
        t->roots[t->roots_len++] = car.roots[i];
    }
    cn_car_release(&car);
    cn_buf_release(&file);
    return true;
}

/* The CID that a text stands for. */
static inline cn_cid test_cid(const char *text)
{
    cn_cid cid = {0};
    CHECK_OK(cn_cid_parse(cn_str(text), &cid, NULL));
    return cid;
}
