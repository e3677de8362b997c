/* Property: however an archive is cut, the same entries and bytes and the same verdict come out. */
#include "unixfs/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint64_t fold(uint64_t h, cn_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        h = h * 31 + s.data[i];
    }
    return h;
}

static uint64_t digest(cn_slice in, size_t step)
{
    cn_untar u;
    uint64_t h = 1;
    cn_err err = CN_OK;
    cn_untar_init(&u, cn_mem_default());
    while (in.len > 0 && err == CN_OK) {
        cn_slice piece = cn_slice_head(in, step);
        in = cn_slice_skip(in, piece.len);
        while (piece.len > 0 && err == CN_OK) {
            cn_untar_event e = {0};
            err = cn_untar_next(&u, &piece, &e, NULL);
            if (err == CN_OK && e.kind != CN_UNTAR_MORE) {
                h = fold(fold(fold(h, e.entry.path), e.entry.target), e.data);
            }
        }
    }
    err = err == CN_OK ? cn_untar_finish(&u, NULL) : err;
    cn_untar_release(&u);
    return h * 31 + (uint64_t)(int64_t)err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice in = {data, len};
    uint64_t whole = digest(in, len + 1);
    CN_ASSERT(digest(in, 1) == whole);
    CN_ASSERT(digest(in, 300) == whole);
    return 0;
}
