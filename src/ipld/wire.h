/*
 * The few pieces of protobuf's wire format that DAG-PB and UnixFS need: varints of up to ten bytes
 * (any form on reading, shortest on writing), keys, and sizes known before a byte is written.
 * Inline, because a directory of a million names goes through here link by link.
 */
#pragma once

#include "base/buf.h"
#include "base/cur.h"

enum {
    CN_WIRE_VARINT = 0,
    CN_WIRE_FIXED64 = 1,
    CN_WIRE_BYTES = 2,
    CN_WIRE_FIXED32 = 5,
    CN_WIRE_VARINT_BYTES = 10, /* longest varint */
};

/* One field: its number, its wire type, and its value by type. */
typedef struct cn_wire_field {
    uint64_t number;
    unsigned type;
    uint64_t value; /* VARINT, FIXED32, FIXED64 */
    cn_slice bytes; /* BYTES, borrowed */
} cn_wire_field;

/* Bytes that `value` takes as a varint. */
static inline size_t cn_wire_varint_bytes(uint64_t value)
{
    size_t bits = 64 - (size_t)__builtin_clzll(value | 1);
    return (bits + 6) / 7;
}

/* Write `value` at `to`, which has room; returns how many bytes it took. */
static inline size_t cn_wire_varint_put(uint8_t *to, uint64_t value)
{
    size_t n = 0;
    while (value >= 0x80) {
        to[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    to[n++] = (uint8_t)value;
    return n;
}

/* Errors: TRUNCATED; MALFORMED if it does not fit 64 bits. */
static inline CN_MUST_USE cn_err cn_wire_varint(cn_cur *c, uint64_t *ret)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < CN_WIRE_VARINT_BYTES; i++) {
        uint8_t byte = 0;
        cn_err err = cn_cur_byte(c, &byte);
        if (err != CN_OK) {
            return err;
        }
        if (i == CN_WIRE_VARINT_BYTES - 1 && byte > 1) {
            return CN_ERR_MALFORMED;
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *ret = value;
            return CN_OK;
        }
    }
    return CN_ERR_MALFORMED;
}

/* The next field. Groups and unknown wire types are MALFORMED, as is field number 0. */
static inline CN_MUST_USE cn_err cn_wire_next(cn_cur *c, cn_wire_field *ret)
{
    cn_wire_field f = {0};
    uint64_t key = 0;
    uint32_t low = 0;
    cn_err err = cn_wire_varint(c, &key);
    if (err != CN_OK) {
        return err;
    }
    f.number = key >> 3;
    f.type = (unsigned)(key & 7);
    if (f.number == 0) {
        return CN_ERR_MALFORMED;
    }
    switch (f.type) {
    case CN_WIRE_VARINT:
        err = cn_wire_varint(c, &f.value);
        break;
    case CN_WIRE_FIXED64:
        err = cn_cur_le64(c, &f.value);
        break;
    case CN_WIRE_BYTES:
        err = cn_wire_varint(c, &f.value);
        if (err == CN_OK) {
            err = cn_cur_take(c, (size_t)f.value, &f.bytes);
        }
        break;
    case CN_WIRE_FIXED32:
        err = cn_cur_le32(c, &low);
        f.value = low;
        break;
    default:
        err = CN_ERR_MALFORMED;
        break;
    }
    if (err == CN_OK) {
        *ret = f;
    }
    return err;
}
