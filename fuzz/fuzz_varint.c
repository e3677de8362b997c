/* Property: what is read is written back as the same bytes. */
#include "codec/varint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice all = {data, len};
    cn_cur in = cn_cur_of(all);
    uint64_t value = 0;
    while (!cn_cur_done(&in)) {
        cn_slice before = in.rest;
        uint8_t again[CN_VARINT64_MAX_BYTES];
        if (cn_varint_decode(&in, &value) != CN_OK) {
            CN_ASSERT(in.rest.len == before.len);
            break;
        }
        size_t n = cn_varint_encode(value, again);
        CN_ASSERT(n == before.len - in.rest.len && n == cn_varint_len(value));
        CN_ASSERT(cn_slice_eq(cn_slice_head(before, n), (cn_slice){again, n}));
    }
    return 0;
}
