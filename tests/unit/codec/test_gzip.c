/*
 * What is written is read back by zlib itself, from a file.
 */
#include "codec/gzip.h"

#include "base/prng.h"
#include "lib/test.h"

#include <dlfcn.h>
#include <stdio.h>

enum { OUT_MAX = 4 << 20, DATA_BYTES = 1 << 20 };

static uint8_t data[DATA_BYTES];
static uint8_t back[DATA_BYTES + 1];

/* Bytes that compress to about half. */
static void fill(void)
{
    cn_prng prng;
    cn_prng_init(&prng, 5);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(cn_prng_u32(&prng) & 0x0f);
    }
}

/* Compress the first `len` bytes in pieces of `piece`. */
static cn_err compress(cn_mem *mem, int level, size_t len, size_t piece, cn_buf *out)
{
    cn_gzip *g = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_gzip_new(mem, level, &g, NULL));
    for (cn_slice in = {data, len}; in.len > 0; in = cn_slice_skip(in, piece)) {
        CN_TRY(cn_gzip_write(g, cn_slice_head(in, piece), out));
    }
    CN_TRY(cn_gzip_finish(g, out));
out:
    cn_gzip_free(g);
    return err;
}

/* Read gzip bytes with zlib; how many came out, or -1. */
static int unpack(cn_slice packed)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%.200s/a.gz", test_temp_dir());
    FILE *f = fopen(path, "wb");
    bool good = f != NULL && fwrite(packed.data, 1, packed.len, f) == packed.len;
    CHECK(f != NULL && fclose(f) == 0 && good);
    void *library = dlopen("libz.so.1", RTLD_NOW);
    union {
        void *symbol;
        void *(*call)(const char *, const char *);
    } open = {.symbol = dlsym(library, "gzopen")};
    union {
        void *symbol;
        int (*call)(void *, void *, unsigned);
    } read = {.symbol = dlsym(library, "gzread")};
    union {
        void *symbol;
        int (*call)(void *);
    } close = {.symbol = dlsym(library, "gzclose_r")};
    void *file = open.call(path, "rb");
    int len = read.call(file, back, sizeof back);
    return close.call(file) == 0 ? len : -1;
}

static void bytes_come_back(void)
{
    static const size_t lengths[] = {0, 1, 100, 32768, 32769, DATA_BYTES};
    static const size_t pieces[] = {1000, 65536, DATA_BYTES};
    fill();
    for (int level = 0; level <= 9; level++) {
        for (size_t i = 0; i < CN_LEN(lengths); i++) {
            cn_buf out;
            cn_buf_init(&out, cn_mem_default(), OUT_MAX);
            size_t piece = pieces[(size_t)level % CN_LEN(pieces)];
            CHECK_OK(compress(cn_mem_default(), level, lengths[i], piece, &out));
            CHECK_EQ(unpack(cn_buf_slice(&out)), lengths[i]);
            CHECK_BYTES(cn_slice_of(back, lengths[i]), cn_slice_of(data, lengths[i]));
            CHECK(lengths[i] < 1000 || out.len < lengths[i] * 3 / 4);
            cn_buf_release(&out);
        }
    }
}

static void what_is_cut_is_not_whole(void)
{
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), OUT_MAX);
    CHECK_OK(compress(cn_mem_default(), 6, 1000, 1000, &out));
    CHECK_EQ(unpack(cn_buf_slice(&out)), 1000);
    for (size_t len = 1; len < out.len; len += 37) {
        CHECK(unpack(cn_slice_head(cn_buf_slice(&out), len)) != 1000);
    }
    cn_buf_release(&out);
}

static void a_full_buffer_is_an_error(void)
{
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 100);
    CHECK_ERR(compress(cn_mem_default(), 6, DATA_BYTES, 65536, &out), CN_ERR_TOO_LARGE);
    CHECK(out.len <= 100);
    cn_buf_release(&out);
    cn_gzip_free(NULL);
}

static cn_err compress_some(cn_mem *mem)
{
    cn_buf out;
    cn_buf_init(&out, mem, OUT_MAX);
    cn_err err = compress(mem, 6, 200000, 50000, &out);
    cn_buf_release(&out);
    return err;
}

static void out_of_memory(void)
{
    test_out_of_memory(compress_some);
}

static void there_is_no_zlib(void)
{
    cn_gzip *g = NULL;
    test_skip("libz.so.1 is not on this machine");
    CHECK_ERR(cn_gzip_new(cn_mem_default(), 6, &g, NULL), CN_ERR_UNSUPPORTED);
}

int main(void)
{
    if (dlopen("libz.so.1", RTLD_NOW) == NULL) {
        TEST(there_is_no_zlib);
        return test_end();
    }
    TEST(bytes_come_back);
    TEST(what_is_cut_is_not_whole);
    TEST(a_full_buffer_is_an_error);
    TEST(out_of_memory);
    return test_end();
}
