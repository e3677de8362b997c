/*
 * The table of bases, and which family each belongs to. Readers append to the caller's buffer;
 * whatever they appended before they failed is taken back here.
 */
#include "codec/base_internal.h"

#define DIGITS_16 "0123456789abcdef"
#define DIGITS_16_UPPER "0123456789ABCDEF"
#define DIGITS_32 "abcdefghijklmnopqrstuvwxyz234567"
#define DIGITS_32_UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
#define DIGITS_32_HEX "0123456789abcdefghijklmnopqrstuv"
#define DIGITS_32_HEX_UPPER "0123456789ABCDEFGHIJKLMNOPQRSTUV"
#define DIGITS_36 "0123456789abcdefghijklmnopqrstuvwxyz"
#define DIGITS_36_UPPER "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS_58_BTC "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
#define DIGITS_58_FLICKR "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
#define DIGITS_62 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const cn_alphabet alphabets[CN_BASE_COUNT] = {
    [CN_BASE2] = {"01", "base2", 1, 0, false, false},
    [CN_BASE8] = {"01234567", "base8", 3, 0, false, false},
    [CN_BASE10] = {"0123456789", "base10", 0, 0, false, false},
    [CN_BASE16] = {DIGITS_16, "base16", 4, 0, true, false},
    [CN_BASE16_UPPER] = {DIGITS_16_UPPER, "base16", 4, 0, true, false},
    [CN_BASE32] = {DIGITS_32, "base32", 5, 0, true, true},
    [CN_BASE32_UPPER] = {DIGITS_32_UPPER, "base32", 5, 0, true, true},
    [CN_BASE32_PAD] = {DIGITS_32, "base32", 5, 8, true, true},
    [CN_BASE32_PAD_UPPER] = {DIGITS_32_UPPER, "base32", 5, 8, true, true},
    [CN_BASE32_HEX] = {DIGITS_32_HEX, "base32", 5, 0, true, true},
    [CN_BASE32_HEX_UPPER] = {DIGITS_32_HEX_UPPER, "base32", 5, 0, true, true},
    [CN_BASE32_HEX_PAD] = {DIGITS_32_HEX, "base32", 5, 8, true, true},
    [CN_BASE32_HEX_PAD_UPPER] = {DIGITS_32_HEX_UPPER, "base32", 5, 8, true, true},
    [CN_BASE32_Z] = {"ybndrfg8ejkmcpqxot1uwisza345h769", "base32z", 5, 0, false, false},
    [CN_BASE36] = {DIGITS_36, "base36", 0, 0, true, false},
    [CN_BASE36_UPPER] = {DIGITS_36_UPPER, "base36", 0, 0, true, false},
    [CN_BASE58_BTC] = {DIGITS_58_BTC, "base58", 0, 0, false, false},
    [CN_BASE58_FLICKR] = {DIGITS_58_FLICKR, "base58", 0, 0, false, false},
    [CN_BASE64] = {DIGITS_62 "+/", "base64", 6, 0, false, true},
    [CN_BASE64_PAD] = {DIGITS_62 "+/", "base64", 6, 4, false, true},
    [CN_BASE64_URL] = {DIGITS_62 "-_", "base64", 6, 0, false, true},
    [CN_BASE64_URL_PAD] = {DIGITS_62 "-_", "base64", 6, 4, false, true},
};

void cn_alphabet_reverse(const cn_alphabet *a, uint8_t ret[256])
{
    for (size_t i = 0; i < 256; i++) {
        ret[i] = 0xff;
    }
    for (size_t i = 0; a->digits[i] != '\0'; i++) {
        uint8_t digit = (uint8_t)a->digits[i];
        ret[digit] = (uint8_t)i;
        bool letter = (digit | 0x20) >= 'a' && (digit | 0x20) <= 'z';
        if (a->fold && letter) {
            ret[digit ^ 0x20] = (uint8_t)i;
        }
    }
}

cn_err cn_base_n_encode(cn_base base, cn_slice in, cn_buf *out)
{
    if (base == CN_BASE_IDENTITY) {
        return cn_buf_append(out, in);
    }
    if (base == CN_BASE45) {
        return cn_base45_encode(in, out);
    }
    if (base == CN_BASE256_EMOJI) {
        return cn_base256_encode(in, out);
    }
    CN_ASSERT(base < CN_BASE_COUNT);
    const cn_alphabet *a = &alphabets[base];
    return a->bits > 0 ? cn_base_bits_encode(a, in, out) : cn_base_radix_encode(a, in, out);
}

static cn_err decode(cn_base base, cn_slice text, cn_buf *out, cn_why *why)
{
    if (base == CN_BASE_IDENTITY) {
        return cn_buf_append(out, text);
    }
    if (base == CN_BASE45) {
        return cn_base45_decode(text, out, why);
    }
    if (base == CN_BASE256_EMOJI) {
        return cn_base256_decode(text, out, why);
    }
    CN_ASSERT(base < CN_BASE_COUNT);
    const cn_alphabet *a = &alphabets[base];
    return a->bits > 0 ? cn_base_bits_decode(a, text, out, why)
                       : cn_base_radix_decode(a, text, out, why);
}

cn_err cn_base_n_decode(cn_base base, cn_slice text, cn_buf *out, cn_why *why)
{
    size_t before = out->len;
    cn_err err = decode(base, text, out, why);
    if (err != CN_OK) {
        out->len = before;
    }
    return err;
}
