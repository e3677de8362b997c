/*
 * Protocol buffers on the wire: a reader that lends each field in place, and writers onto a cn_buf
 * with the sizes needed to write nested messages without a copy. What the fields mean is the
 * caller's; so are rules such as order, repetition and strictness.
 * spec: protobuf 'encoding'
 */
#pragma once

#include "base/buf.h"
#include "base/cur.h"

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
 * The next field of the message `in`; *ret_have is false, and *ret untouched, at its end. Integers
 * may have any form of at most 10 bytes that fits into 64 bits, as protobuf readers accept.
 * Errors, after which the message must be given up: TRUNCATED (a field runs past the end),
 * MALFORMED (field number 0 or too large, a group, an unknown wire type, an integer over 64 bits).
 */
CN_MUST_USE cn_err cn_pb_next(cn_cur *in, cn_pb_field *ret, bool *ret_have);

/* Read a protobuf integer from the front of `in`. Errors: TRUNCATED, MALFORMED (over 64 bits). */
CN_MUST_USE cn_err cn_pb_varint_decode(cn_cur *in, uint64_t *ret);

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
