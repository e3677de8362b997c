/* Property: the fields that are read, written again and read again, are the same. */
#include "codec/protobuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static cn_err put(cn_buf *out, const cn_pb_field *f)
{
    switch (f->wire) {
    case CN_PB_VARINT:
        return cn_pb_put_varint(out, f->number, f->value);
    case CN_PB_FIXED64:
        return cn_pb_put_fixed64(out, f->number, f->value);
    case CN_PB_BYTES:
        return cn_pb_put_bytes(out, f->number, f->bytes);
    case CN_PB_FIXED32:
        return cn_pb_put_fixed32(out, f->number, (uint32_t)f->value);
    }
    return CN_ERR_BUG;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_cur in = cn_cur_of((cn_slice){data, len});
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 4 * len + 32);
    while (!cn_cur_done(&in)) {
        cn_pb_field field = {0};
        cn_pb_field again = {0};
        if (cn_pb_next(&in, &field) != CN_OK) {
            break;
        }
        cn_buf_reset(&out);
        CN_ASSERT(put(&out, &field) == CN_OK);
        cn_cur back = cn_cur_of(cn_buf_slice(&out));
        CN_ASSERT(cn_pb_next(&back, &again) == CN_OK && cn_cur_done(&back));
        CN_ASSERT(again.number == field.number && again.wire == field.wire);
        CN_ASSERT(again.value == field.value && cn_slice_eq(again.bytes, field.bytes));
    }
    cn_buf_release(&out);
    return 0;
}
