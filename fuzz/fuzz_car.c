/* Property: however an archive is cut, the same roots and blocks and the same verdict come out. */
#include "ipld/car.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint64_t fold(uint64_t h, cn_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        h = h * 31 + s.data[i];
    }
    return h * 31 + s.len;
}

static uint64_t digest(cn_slice in, size_t step)
{
    cn_car c;
    uint64_t h = 1;
    cn_err err = CN_OK;
    cn_car_init(&c, cn_mem_default(), 4096);
    while (in.len > 0 && err == CN_OK) {
        cn_slice piece = cn_slice_head(in, step);
        in = cn_slice_skip(in, piece.len);
        while (piece.len > 0 && err == CN_OK) {
            cn_car_event e = {0};
            err = cn_car_next(&c, &piece, &e, NULL);
            if (err == CN_OK && e.kind == CN_CAR_BLOCK) {
                h = fold(fold(h, cn_cid_bytes(&e.cid)), e.data);
            }
        }
    }
    err = err == CN_OK ? cn_car_finish(&c, NULL) : err;
    h = h * 31 + c.roots_len;
    cn_car_release(&c);
    return h * 31 + (uint64_t)(int64_t)err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice in = {data, len};
    uint64_t whole = digest(in, len + 1);
    for (size_t step = 1; step < 6; step++) {
        CN_ASSERT(digest(in, step) == whole);
    }
    return 0;
}
