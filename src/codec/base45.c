/*
 * base45: two bytes are three digits, least significant first; a single last byte is two.
 * spec: RFC 9285
 */
#include "codec/base_internal.h"

static const cn_alphabet alphabet = {
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", "base45", 0, 0, false, false};

cn_err cn_base45_encode(cn_slice in, cn_buf *out)
{
    cn_err err = in.len > SIZE_MAX / 2 ? CN_ERR_TOO_LARGE
                                       : cn_buf_reserve(out, in.len / 2 * 3 + in.len % 2 * 2);
    for (size_t i = 0; i < in.len && err == CN_OK; i += 2) {
        bool pair = i + 1 < in.len;
        unsigned value = pair ? (unsigned)in.data[i] << 8 | in.data[i + 1] : in.data[i];
        for (int digit = 0; digit < (pair ? 3 : 2); digit++) {
            out->data[out->len++] = (uint8_t)alphabet.digits[value % 45];
            value /= 45;
        }
    }
    return err;
}

cn_err cn_base45_decode(cn_slice text, cn_buf *out, cn_why *why)
{
    uint8_t value_of[256];
    cn_alphabet_reverse(&alphabet, value_of);
    for (size_t i = 0; i < text.len; i += 3) {
        unsigned value = 0;
        unsigned scale = 1;
        size_t digits = CN_MIN(text.len - i, (size_t)3);
        for (size_t d = 0; d < digits; d++) {
            uint8_t digit = value_of[text.data[i + d]];
            if (digit == 0xff) {
                return cn_why_set(
                    why, CN_ERR_MALFORMED, "illegal base45 data at input byte %zu", i + d);
            }
            value += digit * scale;
            scale *= 45;
        }
        if (digits == 1 || value > (digits == 3 ? 0xffff : 0xff)) {
            return cn_why_set(why, CN_ERR_MALFORMED, "illegal base45 data at input byte %zu", i);
        }
        uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
        cn_err err = cn_buf_append(out, (cn_slice){bytes + (digits == 3 ? 0 : 1), digits - 1});
        if (err != CN_OK) {
            return err;
        }
    }
    return CN_OK;
}
