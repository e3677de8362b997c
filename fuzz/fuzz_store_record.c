/* Property: a record head that is read is written back to the same bytes. Covers cn_record_*. */
#include "store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice in = {data, len};
    cn_record_head head;
    uint8_t out[CN_RECORD_HEAD_MAX_BYTES];
    uint8_t id[CN_SEGMENT_ID_BYTES];
    uint8_t again[CN_SEGMENT_HEAD_BYTES];
    uint32_t segment = 0;
    if (cn_record_head_decode(in, &head) == CN_OK) {
        size_t made = cn_record_head_encode(&head.cid, head.data_bytes, out);
        CN_ASSERT(made == head.head_bytes);
        CN_ASSERT(cn_slice_eq(cn_slice_of(out, made), cn_slice_head(in, made)));
    }
    if (cn_segment_head_decode(in, &segment, id) == CN_OK) {
        cn_segment_head_encode(segment, id, again);
        CN_ASSERT(cn_slice_eq(cn_slice_of(again, sizeof again), cn_slice_head(in, sizeof again)));
    }
    return 0;
}
