/*
 * Protocol buffers on the wire: a reader that lends each field in place, and writers onto a cn_buf
 * with the sizes needed to write nested messages without a copy. What the fields mean is the
 * caller's; so are rules such as order, repetition and strictness. The reader moves only over whole
 * fields it has checked and never looks into bytes fields, so there is no recursion. It is inline,
 * because a directory of a million names goes through it link by link.
 * spec: protobuf 'encoding'
 */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "codec/varint.h"

typedef enum cn_pb_wire {
    CN_PB_VARINT = 0,
    CN_PB_FIXED64 = 1,
    CN_PB_BYTES = 2,
    CN_PB_FIXED32 = 5,
} cn_pb_wire;

enum { CN_PB_NUMBER_MAX = (1 << 29) - 1 };

typedef struct cn_pb_field {
    uint32_t number; /* 1 to CN_PB_NUMBER_MAX */
    cn_pb_wire wire;
    uint64_t value; /* VARINT, FIXED64, FIXED32; 0 for BYTES */
    cn_slice bytes; /* BYTES: borrowed from the message; empty for the others */
} cn_pb_field;

/*
 * Read a protobuf integer from the front of `in`: any form of at most 10 bytes that fits into 64
 * bits, as protobuf readers accept. Errors: TRUNCATED, MALFORMED (over 64 bits).
 */
static inline CN_MUST_USE cn_err cn_pb_varint_decode(cn_cur *in, uint64_t *ret)
{
    uint64_t value = 0;
    size_t n = CN_MIN(in->rest.len, (size_t)CN_VARINT64_MAX_BYTES);
    if (n > 0 && in->rest.data[0] < 0x80) { /* keys and most lengths */
        *ret = in->rest.data[0];
        in->rest = (cn_slice){in->rest.data + 1, in->rest.len - 1};
        return CN_OK;
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = in->rest.data[i];
        if (i == CN_VARINT64_MAX_BYTES - 1 && byte > 1) {
            return CN_ERR_MALFORMED;
        }
        value |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80) {
            in->rest = (cn_slice){in->rest.data + i + 1, in->rest.len - i - 1};
            *ret = value;
            return CN_OK;
        }
    }
    return CN_ERR_TRUNCATED;
}

static inline CN_MUST_USE cn_err cn_pb_value_decode(cn_cur *in, cn_pb_field *field)
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

/*
 * The next field of the message `in`, which is not at its end (cn_cur_done). Errors, after which
 * the message must be given up: TRUNCATED (a field runs past the end), MALFORMED (field number 0 or
 * too large, a group, an unknown wire type, an integer over 64 bits).
 */
static inline CN_MUST_USE cn_err cn_pb_next(cn_cur *in, cn_pb_field *ret)
{
    uint64_t key = 0;
    cn_err err = cn_pb_varint_decode(in, &key);
    if (err != CN_OK) {
        return err;
    }
    if (key >> 3 == 0 || key >> 3 > CN_PB_NUMBER_MAX) {
        return CN_ERR_MALFORMED;
    }
    cn_pb_field field = {.number = (uint32_t)(key >> 3), .wire = (cn_pb_wire)(key & 7)};
    err = cn_pb_value_decode(in, &field);
    if (err == CN_OK) {
        *ret = field;
    }
    return err;
}

/* Append a field. Errors: those of cn_buf_append. */
CN_MUST_USE cn_err cn_pb_put_varint(cn_buf *out, uint32_t number, uint64_t value);
CN_MUST_USE cn_err cn_pb_put_fixed64(cn_buf *out, uint32_t number, uint64_t value);
CN_MUST_USE cn_err cn_pb_put_fixed32(cn_buf *out, uint32_t number, uint32_t value);
CN_MUST_USE cn_err cn_pb_put_bytes(cn_buf *out, uint32_t number, cn_slice bytes);
/* Append key and length of a bytes field whose `len` bytes the caller appends next. */
CN_MUST_USE cn_err cn_pb_put_head(cn_buf *out, uint32_t number, size_t len);

/* Sizes in bytes of the same, keys included. */
size_t cn_pb_varint_size(uint32_t number, uint64_t value);
size_t cn_pb_bytes_size(uint32_t number, size_t len);
size_t cn_pb_fixed64_size(uint32_t number);
size_t cn_pb_fixed32_size(uint32_t number);
