/*
 * Bytes as text in a base: the RFC 4648 family, number bases, base45 and one of emoji. No multibase
 * prefix here (multiformats/multibase.h adds it).
 * spec: RFC 4648, RFC 9285 (base45), multiformats/multibase
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"

typedef enum cn_base {
    CN_BASE_IDENTITY, /* the bytes themselves */
    CN_BASE2,
    CN_BASE8,
    CN_BASE10,
    CN_BASE16,
    CN_BASE16_UPPER,
    CN_BASE32,
    CN_BASE32_UPPER,
    CN_BASE32_PAD,
    CN_BASE32_PAD_UPPER,
    CN_BASE32_HEX,
    CN_BASE32_HEX_UPPER,
    CN_BASE32_HEX_PAD,
    CN_BASE32_HEX_PAD_UPPER,
    CN_BASE32_Z,
    CN_BASE36,
    CN_BASE36_UPPER,
    CN_BASE45,
    CN_BASE58_BTC,
    CN_BASE58_FLICKR,
    CN_BASE64,
    CN_BASE64_PAD,
    CN_BASE64_URL,
    CN_BASE64_URL_PAD,
    CN_BASE256_EMOJI,
    CN_BASE_COUNT,
} cn_base;

/*
 * Append `in` in base `base`. Cost: linear; for 10, 36 and 58 the square of the length, which the
 * caller bounds. Errors: those of the buffer.
 */
CN_MUST_USE cn_err cn_base_n_encode(cn_base base, cn_slice in, cn_buf *out);

/*
 * Append the bytes that `text` stands for. Bases 16, 32 and 36 read both cases. As Go's readers do,
 * bases 32 and 64 pass over CR and LF and do not look at the unused bits of the last character;
 * text whose last character adds no byte at all is refused. Errors: MALFORMED, with the sentence
 * Kubo's users know in `why`; those of the buffer. Nothing is appended on error.
 */
CN_MUST_USE cn_err cn_base_n_decode(cn_base base, cn_slice text, cn_buf *out, cn_why *why);

/* Hexadecimal digits, lower case. Same errors as above. */
static inline CN_MUST_USE cn_err cn_hex_encode(cn_slice in, cn_buf *out)
{
    return cn_base_n_encode(CN_BASE16, in, out);
}
