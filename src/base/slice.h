/*
 * cn_slice: a borrowed view of bytes, passed by value. It owns nothing; whoever made the bytes says
 * until when they stay.
 */
#pragma once

#include "base/err.h"

#include <string.h>

typedef struct cn_slice {
    const uint8_t *data; /* may be NULL if len is 0 */
    size_t len;
} cn_slice;

/* The bytes of a NUL-terminated string, without the NUL. */
static inline cn_slice cn_str(const char *text)
{
    return (cn_slice){(const uint8_t *)text, text == NULL ? 0 : strlen(text)};
}

static inline cn_slice cn_slice_of(const void *data, size_t len)
{
    return (cn_slice){(const uint8_t *)data, len};
}

static inline bool cn_slice_eq(cn_slice a, cn_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool cn_slice_is(cn_slice a, const char *text)
{
    return cn_slice_eq(a, cn_str(text));
}

/* Order by bytes, a prefix before what it begins: negative, 0 or positive. */
static inline int cn_slice_cmp(cn_slice a, cn_slice b)
{
    size_t common = CN_MIN(a.len, b.len);
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static inline bool cn_slice_starts(cn_slice a, cn_slice prefix)
{
    return a.len >= prefix.len && cn_slice_eq((cn_slice){a.data, prefix.len}, prefix);
}

static inline bool cn_slice_ends(cn_slice a, cn_slice suffix)
{
    return a.len >= suffix.len &&
           cn_slice_eq((cn_slice){a.data + (a.len - suffix.len), suffix.len}, suffix);
}

/* `a` without its first `n` bytes (at most all of them). */
static inline cn_slice cn_slice_skip(cn_slice a, size_t n)
{
    n = CN_MIN(n, a.len);
    return n == 0 ? a : (cn_slice){a.data + n, a.len - n};
}

/* The first `n` bytes of `a` (at most all of them). */
static inline cn_slice cn_slice_head(cn_slice a, size_t n)
{
    return (cn_slice){a.data, CN_MIN(n, a.len)};
}

/* Index of the first `byte` in `a`, or a.len. */
static inline size_t cn_slice_find(cn_slice a, uint8_t byte)
{
    const uint8_t *at = a.len == 0 ? NULL : memchr(a.data, byte, a.len);
    return at == NULL ? a.len : (size_t)(at - a.data);
}
