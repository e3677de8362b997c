/*
 * Protobuf fields. The reader moves only over whole fields it has checked; it never looks into
 * bytes fields, so there is no recursion.
 */
#include "codec/protobuf.h"

#include "codec/varint.h"

cn_err cn_pb_varint_decode(cn_cur *in, uint64_t *ret)
{
    uint64_t value = 0;
    size_t n = CN_MIN(in->rest.len, (size_t)CN_VARINT64_MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = in->rest.data[i];
        if (i == CN_VARINT64_MAX_BYTES - 1 && byte > 1) {
            return CN_ERR_MALFORMED;
        }
        value |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80) {
            in->rest = cn_slice_skip(in->rest, i + 1);
            *ret = value;
            return CN_OK;
        }
    }
    return CN_ERR_TRUNCATED;
}

static cn_err read_value(cn_cur *in, cn_pb_field *field)
{
    uint64_t len = 0;
    uint32_t low = 0;
    cn_err err = CN_OK;
    switch (field->wire) {
    case CN_PB_VARINT:
        return cn_pb_varint_decode(in, &field->value);
    case CN_PB_FIXED64:
        return cn_cur_le64(in, &field->value);
    case CN_PB_BYTES:
        err = cn_pb_varint_decode(in, &len);
        if (err == CN_OK && len > cn_cur_left(in)) {
            err = CN_ERR_TRUNCATED;
        }
        return err == CN_OK ? cn_cur_take(in, (size_t)len, &field->bytes) : err;
    case CN_PB_FIXED32:
        err = cn_cur_le32(in, &low);
        field->value = low;
        return err;
    }
    return CN_ERR_MALFORMED;
}

cn_err cn_pb_next(cn_cur *in, cn_pb_field *ret, bool *ret_have)
{
    if (cn_cur_done(in)) {
        *ret_have = false;
        return CN_OK;
    }
    uint64_t key = 0;
    cn_err err = cn_pb_varint_decode(in, &key);
    if (err != CN_OK) {
        return err;
    }
    unsigned wire = (unsigned)(key & 7);
    if (key >> 3 == 0 || key >> 3 > CN_PB_NUMBER_MAX || wire == 3 || wire == 4 || wire > 5) {
        return CN_ERR_MALFORMED;
    }
    cn_pb_field field = {.number = (uint32_t)(key >> 3), .wire = (cn_pb_wire)wire};
    err = read_value(in, &field);
    if (err == CN_OK) {
        *ret = field;
        *ret_have = true;
    }
    return err;
}

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
    for (size_t i = 0; i < width; i++) {
        bytes[n++] = (uint8_t)(value >> 8 * i);
    }
    return cn_buf_append(out, (cn_slice){bytes, n});
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
