/*
 * What the tests of the public API share: bytes to add, a fresh repo, and checks of sentences.
 */
#pragma once

#include "base/mem.h"
#include "cairn/repo.h"
#include "lib/test.h"

#include <stdio.h>

enum { MIB = 1 << 20 };

static cairn_message said;

/* Bytes that a test gives to cairn_add, at most `step` at a time. */
typedef struct given {
    uint8_t *data;
    size_t len;
    size_t at;
    size_t step;
    size_t calls;
    cairn_result fail;    /* said at the end instead of it */
    size_t lie_bytes;     /* claim so many more than there is room for */
    cairn_cancel *cancel; /* cancelled at the second call */
} given;

static inline cairn_result give(void *ctx, void *data, size_t cap, size_t *ret_len)
{
    given *g = ctx;
    size_t n = CN_MIN(CN_MIN(g->len - g->at, cap), g->step);
    g->calls++;
    if (g->calls == 2) {
        cairn_cancel_now(g->cancel);
    }
    if (n == 0 && g->fail != CAIRN_OK) {
        return g->fail;
    }
    cn_copy(data, g->data + g->at, n);
    g->at += n;
    *ret_len = g->lie_bytes > 0 ? cap + g->lie_bytes : n;
    return CAIRN_OK;
}

/* `len` bytes that do not repeat within a leaf. */
static inline given bytes_of(size_t len)
{
    given g = {.len = len, .step = SIZE_MAX};
    uint32_t x = 1;
    g.data = cn_alloc_dirty(cn_mem_default(), len + 1);
    for (size_t i = 0; g.data != NULL && i < len; i++) {
        x = x * 1664525 + 1013904223;
        g.data[i] = (uint8_t)(x >> 24);
    }
    return g;
}

static inline void drop(given *g)
{
    cn_free(cn_mem_default(), g->data);
    g->data = NULL;
}

/* `dir` and a name below it, static until the fourth next call. */
static inline const char *below(const char *dir, const char *name)
{
    static char paths[4][1024];
    static size_t next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static inline cairn_repo *open_repo(const char *path)
{
    cairn_open_options options = CAIRN_INIT(cairn_open_options);
    cairn_repo *r = NULL;
    options.path = path;
    options.create = 1;
    if (!CHECK_EQ(cairn_repo_open(&options, NULL, &r, &said), CAIRN_OK)) {
        printf("  %s\n", said.text);
    }
    return r;
}

static inline cairn_repo *fresh_repo(void)
{
    return open_repo(below(test_temp_dir(), "repo"));
}

static inline void close_repo(cairn_repo *r)
{
    CHECK_EQ(cairn_repo_close(r, &said), CAIRN_OK);
    CHECK_STR(said.text, "");
}

static inline void add(cairn_repo *r, given *g, char cid[CAIRN_CID_TEXT_BYTES])
{
    g->at = 0;
    if (!CHECK_EQ(cairn_add(r, NULL, give, g, NULL, cid, &said), CAIRN_OK)) {
        printf("  %s\n", said.text);
    }
    CHECK_STR(said.text, "");
}

/* A call failed as it should, with a sentence. */
#define CHECK_SAYS(call, result, sentence)                                                         \
    do {                                                                                           \
        said = (cairn_message){"stale"};                                                           \
        CHECK_EQ(call, result);                                                                    \
        if (!CHECK(strstr(said.text, sentence) != NULL)) {                                         \
            printf("  it says: %s\n", said.text);                                                  \
        }                                                                                          \
    } while (0)

/* Read the rest of a reader; the result that ended it. */
static inline cairn_result read_rest(cairn_reader *reader, cn_buf *out)
{
    for (;;) {
        const void *data = NULL;
        size_t len = 0;
        cairn_result result = cairn_reader_next(reader, &data, &len, &said);
        if (result != CAIRN_OK || len == 0) {
            CHECK(data == NULL);
            return result;
        }
        CHECK_OK(cn_buf_append(out, cn_slice_of(data, len)));
    }
}

static inline cairn_result
cat(cairn_repo *r, const char *path, const cairn_cat_options *options, cn_buf *out)
{
    cairn_reader *reader = NULL;
    cn_buf_reset(out);
    cairn_result result = cairn_cat(r, path, options, NULL, &reader, &said);
    if (result == CAIRN_OK) {
        result = read_rest(reader, out);
    }
    cairn_reader_close(reader);
    return result;
}
