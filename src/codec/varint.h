/*
 * Unsigned varints as the multiformats use them: 7 bits a byte, least significant group first, in
 * the shortest form, at most 9 bytes (63 bits).
 * spec: multiformats/unsigned-varint
 */
#pragma once

#include "base/buf.h"
#include "base/cur.h"

enum {
    CN_VARINT_MAX_BYTES = 9,    /* longest that is read */
    CN_VARINT64_MAX_BYTES = 10, /* longest that is written: a number of 64 bits */
};

/* Bytes that `value` takes: 1 to 10. These two are inline: directories are made of them. */
static inline size_t cn_varint_len(uint64_t value)
{
    size_t bits = 64 - (size_t)__builtin_clzll(value | 1);
    return (bits + 6) / 7;
}

/*
 * Write `value` to `out`, which has room for cn_varint_len(value); returns its length. Values above
 * 2^63-1 take 10 bytes.
 */
static inline size_t cn_varint_encode(uint64_t value, uint8_t *out)
{
    size_t n = 0;
    while (value >= 0x80) {
        out[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[n++] = (uint8_t)value;
    return n;
}

/* Append `value`. Errors: those of cn_buf_append. */
CN_MUST_USE cn_err cn_varint_append(cn_buf *out, uint64_t value);

/*
 * Read one from the front of `in`, which moves past it. Errors, with `in` and *ret untouched:
 * TRUNCATED (no last byte), MALFORMED (not the shortest form), TOO_LARGE (more than 9 bytes).
 */
CN_MUST_USE cn_err cn_varint_decode(cn_cur *in, uint64_t *ret);

/* The sentence Kubo's users know for an error of cn_varint_decode. */
const char *cn_varint_sentence(cn_err err);
