/*
 * cn_cur: a checked reader over a slice. Each read either succeeds whole or fails with
 * CN_ERR_TRUNCATED and moves nothing.
 */
#pragma once

#include "base/slice.h"

typedef struct cn_cur {
    cn_slice rest;
} cn_cur;

static inline cn_cur cn_cur_of(cn_slice s)
{
    return (cn_cur){s};
}

static inline size_t cn_cur_left(const cn_cur *c)
{
    return c->rest.len;
}

static inline bool cn_cur_done(const cn_cur *c)
{
    return c->rest.len == 0;
}

/* The next `n` bytes, borrowed from the slice under the reader. */
static inline CN_MUST_USE cn_err cn_cur_take(cn_cur *c, size_t n, cn_slice *ret)
{
    if (n > c->rest.len) {
        return CN_ERR_TRUNCATED;
    }
    *ret = cn_slice_head(c->rest, n);
    c->rest = cn_slice_skip(c->rest, n);
    return CN_OK;
}

static inline CN_MUST_USE cn_err cn_cur_byte(cn_cur *c, uint8_t *ret)
{
    if (c->rest.len == 0) {
        return CN_ERR_TRUNCATED;
    }
    *ret = c->rest.data[0];
    c->rest = cn_slice_skip(c->rest, 1);
    return CN_OK;
}

/* A reader over the next `n` bytes, for a length-prefixed region; it must be read to its end. */
static inline CN_MUST_USE cn_err cn_cur_sub(cn_cur *c, size_t n, cn_cur *ret)
{
    return cn_cur_take(c, n, &ret->rest);
}

static inline CN_MUST_USE cn_err cn_cur_le32(cn_cur *c, uint32_t *ret)
{
    cn_slice s = {0};
    cn_err err = cn_cur_take(c, 4, &s);
    if (err == CN_OK) {
        *ret = (uint32_t)s.data[0] | (uint32_t)s.data[1] << 8 | (uint32_t)s.data[2] << 16 |
               (uint32_t)s.data[3] << 24;
    }
    return err;
}

static inline CN_MUST_USE cn_err cn_cur_le64(cn_cur *c, uint64_t *ret)
{
    uint32_t low = 0;
    uint32_t high = 0;
    if (c->rest.len < 8) {
        return CN_ERR_TRUNCATED;
    }
    (void)!cn_cur_le32(c, &low);
    (void)!cn_cur_le32(c, &high);
    *ret = (uint64_t)high << 32 | low;
    return CN_OK;
}
