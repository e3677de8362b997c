/*
 * gzip through zlib's streaming interface. The library is not linked: its few functions are looked
 * up by name once, and its stream struct, whose layout has not changed since 1.2, is declared here.
 */
#include "codec/gzip.h"

#include <dlfcn.h>

enum { Z_NO_FLUSH_ = 0, Z_FINISH_ = 4, Z_OK_ = 0, Z_STREAM_END_ = 1, Z_BUF_ERROR_ = -5 };
enum { DEFLATED = 8, WINDOW_GZIP = 15 + 16, MEMORY_LEVEL = 8, OUT_BYTES = 32 << 10 };

typedef struct z_stream_ {
    const uint8_t *next_in;
    unsigned avail_in;
    unsigned long total_in;
    uint8_t *next_out;
    unsigned avail_out;
    unsigned long total_out;
    const char *msg;
    void *state;
    void *(*zalloc)(void *opaque, unsigned items, unsigned size);
    void (*zfree)(void *opaque, void *address);
    void *opaque;
    int data_type;
    unsigned long adler;
    unsigned long reserved;
} z_stream_;

typedef struct zlib {
    int (*init)(
        z_stream_ *,
        int level,
        int method,
        int window,
        int memory,
        int strategy,
        const char *,
        int);
    int (*deflate)(z_stream_ *, int flush);
    int (*end)(z_stream_ *);
} zlib;

struct cn_gzip {
    cn_mem *mem;
    zlib z;
    z_stream_ stream;
    bool is_open;
};

static void *take(void *opaque, unsigned items, unsigned size)
{
    return cn_alloc_array(opaque, items, size);
}

static void give_back(void *opaque, void *address)
{
    cn_free(opaque, address);
}

/* Look the functions up; false where the library is missing. It stays open. */
static bool find_zlib(zlib *ret)
{
    void *library = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return false;
    }
    void *init = dlsym(library, "deflateInit2_");
    void *deflate = dlsym(library, "deflate");
    void *end = dlsym(library, "deflateEnd");
    if (init == NULL || deflate == NULL || end == NULL) {
        return false;
    }
    cn_copy(&ret->init, &init, sizeof init);
    cn_copy(&ret->deflate, &deflate, sizeof deflate);
    cn_copy(&ret->end, &end, sizeof end);
    return true;
}

cn_err cn_gzip_new(cn_mem *mem, int level, cn_gzip **ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_gzip *g = cn_alloc(mem, sizeof *g);
    if (g == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    g->mem = mem;
    g->stream.zalloc = take;
    g->stream.zfree = give_back;
    g->stream.opaque = mem;
    if (!find_zlib(&g->z)) {
        err = cn_why_set(why, CN_ERR_UNSUPPORTED, "compression needs libz.so.1 (zlib1g)");
    } else if (
        g->z.init(
            &g->stream, level == 0 ? -1 : level, DEFLATED, WINDOW_GZIP, MEMORY_LEVEL, 0, "1.2.11",
            (int)sizeof g->stream) != Z_OK_) {
        err = CN_ERR_NO_MEMORY;
    } else {
        g->is_open = true;
        *ret = g;
        g = NULL;
    }
    cn_gzip_free(g);
    return err;
}

void cn_gzip_free(cn_gzip *g)
{
    if (g != NULL) {
        if (g->is_open) {
            (void)g->z.end(&g->stream);
        }
        cn_free(g->mem, g);
    }
}

/* Let zlib work until it has used its input and, at the end, said all. */
static cn_err pump(cn_gzip *g, int flush, cn_buf *out)
{
    int result = Z_OK_;
    do {
        cn_err err = cn_buf_reserve(out, OUT_BYTES);
        if (err != CN_OK) {
            return err;
        }
        g->stream.next_out = out->data + out->len;
        g->stream.avail_out = OUT_BYTES;
        result = g->z.deflate(&g->stream, flush);
        if (result != Z_OK_ && result != Z_STREAM_END_ && result != Z_BUF_ERROR_) {
            return CN_ERR_BUG;
        }
        out->len += OUT_BYTES - g->stream.avail_out;
    } while (g->stream.avail_out == 0 || (flush == Z_FINISH_ && result != Z_STREAM_END_));
    return CN_OK;
}

cn_err cn_gzip_write(cn_gzip *g, cn_slice in, cn_buf *out)
{
    while (in.len > 0) {
        size_t n = CN_MIN(in.len, (size_t)1 << 30);
        g->stream.next_in = in.data;
        g->stream.avail_in = (unsigned)n;
        cn_err err = pump(g, Z_NO_FLUSH_, out);
        if (err != CN_OK) {
            return err;
        }
        in = cn_slice_skip(in, n);
    }
    return CN_OK;
}

cn_err cn_gzip_finish(cn_gzip *g, cn_buf *out)
{
    return pump(g, Z_FINISH_, out);
}
