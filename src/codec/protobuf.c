/*
 * Protobuf fields, written. The reader is inline in the header.
 */
#include "codec/protobuf.h"

#include "base/le.h"

static uint64_t key_of(uint32_t number, cn_pb_wire wire)
{
    CN_ASSERT(number > 0 && number <= CN_PB_NUMBER_MAX);
    return (uint64_t)number << 3 | (uint64_t)wire;
}

cn_err cn_pb_put_varint(cn_buf *out, uint32_t number, uint64_t value)
{
    uint8_t bytes[2 * CN_VARINT64_MAX_BYTES];
    size_t n = cn_varint_encode(key_of(number, CN_PB_VARINT), bytes);
    n += cn_varint_encode(value, bytes + n);
    return cn_buf_append(out, (cn_slice){bytes, n});
}

static cn_err put_fixed(cn_buf *out, uint64_t key, uint64_t value, size_t width)
{
    uint8_t bytes[CN_VARINT64_MAX_BYTES + 8];
    size_t n = cn_varint_encode(key, bytes);
    cn_le_put(bytes + n, value, width);
    return cn_buf_append(out, (cn_slice){bytes, n + width});
}

cn_err cn_pb_put_fixed64(cn_buf *out, uint32_t number, uint64_t value)
{
    return put_fixed(out, key_of(number, CN_PB_FIXED64), value, 8);
}

cn_err cn_pb_put_fixed32(cn_buf *out, uint32_t number, uint32_t value)
{
    return put_fixed(out, key_of(number, CN_PB_FIXED32), value, 4);
}

cn_err cn_pb_put_head(cn_buf *out, uint32_t number, size_t len)
{
    uint8_t bytes[2 * CN_VARINT64_MAX_BYTES];
    size_t n = cn_varint_encode(key_of(number, CN_PB_BYTES), bytes);
    n += cn_varint_encode(len, bytes + n);
    return cn_buf_append(out, (cn_slice){bytes, n});
}

cn_err cn_pb_put_bytes(cn_buf *out, uint32_t number, cn_slice bytes)
{
    size_t before = out->len;
    cn_err err = cn_pb_put_head(out, number, bytes.len);
    if (err == CN_OK) {
        err = cn_buf_append(out, bytes);
    }
    if (err != CN_OK) {
        out->len = before;
    }
    return err;
}

size_t cn_pb_varint_size(uint32_t number, uint64_t value)
{
    return cn_varint_len(key_of(number, CN_PB_VARINT)) + cn_varint_len(value);
}

size_t cn_pb_bytes_size(uint32_t number, size_t len)
{
    return cn_varint_len(key_of(number, CN_PB_BYTES)) + cn_varint_len(len) + len;
}

size_t cn_pb_fixed64_size(uint32_t number)
{
    return cn_varint_len(key_of(number, CN_PB_FIXED64)) + 8;
}

size_t cn_pb_fixed32_size(uint32_t number)
{
    return cn_varint_len(key_of(number, CN_PB_FIXED32)) + 4;
}
