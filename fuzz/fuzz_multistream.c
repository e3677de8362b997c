/* Properties: both ends take any bytes, cut anywhere, and agree only on what was asked for. */
#include "p2p/stack/multistream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *match(void *ctx, cn_slice name)
{
    CN_UNUSED(ctx);
    return cn_slice_is(name, "/b/1") ? "/b/1" : NULL;
}

static void feed(cn_multistream *m, const uint8_t *data, size_t len, cn_buf *out)
{
    size_t cut = len > 0 ? data[0] % 17 + 1 : 1;
    cn_slice rest = cn_slice_of(data, len);
    cn_why why = {{0}};
    while (rest.len > 0 && !m->is_done) {
        cn_slice in = cn_slice_head(rest, cut);
        size_t before = in.len;
        if (cn_multistream_take(m, &in, out, &why) != CN_OK) {
            break;
        }
        CN_ASSERT(m->is_done || in.len == 0);
        rest = cn_slice_skip(rest, before - in.len);
    }
    CN_ASSERT(!m->is_done || m->chosen != NULL);
    cn_multistream_release(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const names[] = {"/a/1", "/b/1"};
    cn_multistream m;
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), 1 << 20);
    cn_multistream_answer(&m, cn_mem_default(), match, NULL);
    feed(&m, data, len, &out);
    CN_ASSERT(cn_multistream_open(&m, cn_mem_default(), names, 2, &out) == CN_OK);
    feed(&m, data, len, &out);
    cn_buf_release(&out);
    return 0;
}
