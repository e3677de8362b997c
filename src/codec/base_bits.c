/*
 * Bases whose size is a power of two: a stream of bits cut into digits, most significant first. The
 * last digit is filled with zero bits; base2 text of odd length is filled with zeros at its front.
 */
#include "codec/base_internal.h"

cn_err cn_base_bits_encode(const cn_alphabet *a, cn_slice in, cn_buf *out)
{
    if (in.len > SIZE_MAX / 8 - 8) {
        return CN_ERR_TOO_LARGE;
    }
    size_t digits = (in.len * 8 + a->bits - 1) / a->bits;
    size_t group = a->pad_group == 0 ? 1 : a->pad_group;
    size_t total = (digits + group - 1) / group * group;
    cn_err err = cn_buf_reserve(out, total);
    if (err != CN_OK) {
        return err;
    }
    uint8_t *at = out->data + out->len;
    unsigned held = 0;
    unsigned held_bits = 0;
    unsigned mask = (1u << a->bits) - 1;
    for (size_t i = 0; i < in.len; i++) {
        held = held << 8 | in.data[i];
        held_bits += 8;
        while (held_bits >= a->bits) {
            held_bits -= a->bits;
            *at++ = (uint8_t)a->digits[held >> held_bits & mask];
        }
    }
    if (held_bits > 0) {
        *at++ = (uint8_t)a->digits[held << (a->bits - held_bits) & mask];
    }
    for (size_t i = digits; i < total; i++) {
        *at++ = '=';
    }
    out->len += total;
    return CN_OK;
}

/* Is this Latin-1 character one that Go prints as itself? */
static bool printable(uint8_t byte)
{
    return (byte >= 0x20 && byte < 0x7f) || (byte > 0xa0 && byte != 0xad);
}

static cn_err bad_hex(uint8_t byte, cn_why *why)
{
    if (!printable(byte)) {
        return cn_why_set(why, CN_ERR_MALFORMED, "encoding/hex: invalid byte: U+%04X", byte);
    }
    char utf8[3] = {(char)byte, '\0', '\0'};
    if (byte >= 0x80) {
        utf8[0] = (char)(0xc0 | byte >> 6);
        utf8[1] = (char)(0x80 | (byte & 0x3f));
    }
    return cn_why_set(why, CN_ERR_MALFORMED, "encoding/hex: invalid byte: U+%04X '%s'", byte, utf8);
}

static cn_err bad_digit(const cn_alphabet *a, cn_slice text, size_t i, cn_why *why)
{
    if (a->bits == 4) {
        return bad_hex(text.data[i], why);
    }
    if (a->bits == 1) {
        return cn_why_set(
            why, CN_ERR_MALFORMED,
            "error while conversion: strconv.ParseInt: parsing \"%.*s\": invalid syntax",
            (int)CN_MIN(text.len - i / 8 * 8, (size_t)8), (const char *)text.data + i / 8 * 8);
    }
    return cn_why_set(why, CN_ERR_MALFORMED, "illegal %s data at input byte %zu", a->name, i);
}

/* How a text ended: digits and fill signs seen, bits left over from the last digit. */
static cn_err
check_end(const cn_alphabet *a, cn_slice text, size_t digits, size_t pads, cn_why *why)
{
    size_t left_bits = digits * a->bits % 8;
    bool good = left_bits < a->bits;
    if (a->pad_group > 0) {
        size_t missing = (a->pad_group - digits % a->pad_group) % a->pad_group;
        good = good && pads == missing;
    }
    if (good) {
        return CN_OK;
    }
    if (a->bits == 4) {
        return cn_why_set(why, CN_ERR_MALFORMED, "encoding/hex: odd length hex string");
    }
    return cn_why_set(
        why, CN_ERR_MALFORMED, "illegal %s data at input byte %zu", a->name, text.len);
}

cn_err cn_base_bits_decode(const cn_alphabet *a, cn_slice text, cn_buf *out, cn_why *why)
{
    uint8_t value_of[256];
    cn_alphabet_reverse(a, value_of);
    cn_err err = cn_buf_reserve(out, text.len / 8 * a->bits + (text.len % 8 * a->bits + 7) / 8);
    if (err != CN_OK) {
        return err;
    }
    size_t digits = 0;
    size_t pads = 0;
    unsigned held = 0;
    unsigned held_bits = a->bits == 1 ? (unsigned)(8 - text.len % 8) % 8 : 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        if (a->skips_newlines && (byte == '\r' || byte == '\n')) {
            continue;
        }
        if (a->pad_group > 0 && byte == '=') {
            pads++;
            continue;
        }
        if (value_of[byte] == 0xff || pads > 0) {
            return bad_digit(a, text, i, why);
        }
        digits++;
        held = held << a->bits | value_of[byte];
        held_bits += a->bits;
        if (held_bits >= 8) {
            held_bits -= 8;
            out->data[out->len++] = (uint8_t)(held >> held_bits);
        }
    }
    return a->bits == 1 ? CN_OK : check_end(a, text, digits, pads, why);
}
