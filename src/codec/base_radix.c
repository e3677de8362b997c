/*
 * Number bases 10, 36 and 58: the bytes are one big-endian number, and each leading zero byte is
 * one leading zero digit. The number is held in limbs of 32 bits, most significant first when
 * dividing and least significant first when multiplying; several digits are moved at a time. Short
 * input (every CID and key) is worked on the stack.
 */
#include "codec/base_internal.h"

enum { STACK_LIMBS = 64, STACK_DIGITS = 680, BASE_MIN = 10 };

/* The number base and how many of its digits are moved at once: the largest power in 32 bits. */
typedef struct radix {
    uint32_t base;
    unsigned chunk_digits;
    uint32_t chunk;
} radix;

static radix radix_of(const cn_alphabet *a)
{
    radix r = {(uint32_t)strlen(a->digits), 0, 1};
    while ((uint64_t)r.chunk * r.base <= UINT32_MAX) {
        r.chunk *= r.base;
        r.chunk_digits++;
    }
    return r;
}

static size_t leading(cn_slice s, uint8_t byte)
{
    size_t n = 0;
    while (n < s.len && s.data[n] == byte) {
        n++;
    }
    return n;
}

/* Divide `limbs` by `divisor` in place; returns the remainder. */
static uint32_t divide(uint32_t *limbs, size_t n, uint32_t divisor)
{
    uint64_t rest = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t value = rest << 32 | limbs[i];
        limbs[i] = (uint32_t)(value / divisor);
        rest = value % divisor;
    }
    return (uint32_t)rest;
}

/* Fill `digits` from its end with those of the number; returns how many, without leading zeros. */
static size_t
to_digits(const cn_alphabet *a, uint32_t *limbs, size_t n, uint8_t *digits, size_t digits_len)
{
    radix r = radix_of(a);
    size_t at = digits_len;
    size_t start = 0;
    while (start < n) {
        uint32_t rest = divide(limbs + start, n - start, r.chunk);
        while (start < n && limbs[start] == 0) {
            start++;
        }
        for (unsigned i = 0; i < r.chunk_digits && (start < n || rest > 0); i++) {
            digits[--at] = (uint8_t)a->digits[rest % r.base];
            rest /= r.base;
        }
    }
    return digits_len - at;
}

cn_err cn_base_radix_encode(const cn_alphabet *a, cn_slice in, cn_buf *out)
{
    uint32_t stack_limbs[STACK_LIMBS] = {0};
    uint8_t stack_digits[STACK_DIGITS];
    uint32_t *limbs = stack_limbs;
    uint8_t *digits = stack_digits;
    size_t zeros = leading(in, 0);
    cn_slice number = cn_slice_skip(in, zeros);
    size_t n = (number.len + 3) / 4;
    size_t digits_max = STACK_DIGITS;
    size_t len = 0;
    size_t before = out->len;
    cn_err err = CN_OK;
    if (n > STACK_LIMBS) {
        digits_max = number.len / 2 * 5 + 32; /* base 10 needs 2.41 digits a byte */
        limbs = cn_alloc_array(out->mem, n, sizeof *limbs);
        digits = cn_alloc_dirty(out->mem, digits_max);
        if (limbs == NULL || digits == NULL) {
            err = CN_ERR_NO_MEMORY;
            goto out;
        }
    }
    for (size_t i = 0; i < number.len; i++) {
        size_t from_end = number.len - 1 - i;
        limbs[n - 1 - from_end / 4] |= (uint32_t)number.data[i] << from_end % 4 * 8;
    }
    len = to_digits(a, limbs, n, digits, digits_max);
    for (size_t i = 0; i < zeros; i++) {
        CN_TRY(cn_buf_byte(out, (uint8_t)a->digits[0]));
    }
    CN_TRY(cn_buf_append(out, (cn_slice){digits + digits_max - len, len}));
out:
    if (err != CN_OK) {
        out->len = before;
    }
    if (limbs != stack_limbs) {
        cn_free(out->mem, limbs);
        cn_free(out->mem, digits);
    }
    return err;
}

static cn_err bad_digit(const cn_alphabet *a, cn_slice rest, cn_why *why)
{
    bool base58 = a->digits[0] == '1';
    uint8_t byte = rest.data[0];
    char shown[8] = {(char)byte, '\0'};
    if (byte >= 0x80 && base58) {
        return cn_why_set(why, CN_ERR_MALFORMED, "high-bit set on invalid digit");
    }
    if (byte == '\'' || byte == '\\') {
        shown[0] = '\\';
        shown[1] = (char)byte;
    } else if (byte == '\n' || byte == '\r' || byte == '\t') {
        shown[0] = '\\';
        shown[1] = byte == '\n' ? 'n' : byte == '\r' ? 'r' : 't';
    } else if (byte < 0x20 || byte == 0x7f) {
        const char *hex = "0123456789abcdef";
        cn_copy(shown, "\\x", 2);
        shown[2] = hex[byte >> 4];
        shown[3] = hex[byte & 15];
    } else if (byte >= 0x80) {
        size_t len = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
        cn_copy(shown, rest.data, CN_MIN(len, rest.len));
    }
    if (base58) {
        return cn_why_set(why, CN_ERR_MALFORMED, "invalid %s digit ('%s')", a->name, shown);
    }
    return cn_why_set(why, CN_ERR_MALFORMED, "invalid %s character ('%s')", a->name, shown);
}

/* *limbs = *limbs * factor + add; *n limbs are used, there is room for one more. */
static void multiply_add(uint32_t *limbs, size_t *n, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;
    for (size_t i = 0; i < *n; i++) {
        carry += (uint64_t)limbs[i] * factor;
        limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry > 0) {
        limbs[(*n)++] = (uint32_t)carry;
    }
}

static cn_err
from_digits(const cn_alphabet *a, cn_slice text, uint32_t *limbs, size_t *ret_n, cn_why *why)
{
    uint8_t value_of[256];
    cn_alphabet_reverse(a, value_of);
    radix r = radix_of(a);
    uint32_t held = 0;
    uint32_t factor = 1;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t value = value_of[text.data[i]];
        if (value == 0xff) {
            return bad_digit(a, cn_slice_skip(text, i), why);
        }
        held = held * r.base + value;
        factor *= r.base;
        if (factor == r.chunk || i + 1 == text.len) {
            multiply_add(limbs, ret_n, factor, held);
            held = 0;
            factor = 1;
        }
    }
    return CN_OK;
}

/* Append `zeros` zero bytes and the number, its bytes most significant first. */
static cn_err put_number(const uint32_t *limbs, size_t n, size_t zeros, cn_buf *out)
{
    size_t bytes = n * 4;
    if (n > 0) {
        bytes -= (size_t)__builtin_clz(limbs[n - 1]) / 8;
    }
    cn_err err = cn_buf_reserve(out, zeros + bytes);
    if (err != CN_OK) {
        return err;
    }
    for (size_t i = 0; i < zeros; i++) {
        out->data[out->len++] = 0;
    }
    for (size_t i = bytes; i-- > 0;) {
        out->data[out->len++] = (uint8_t)(limbs[i / 4] >> i % 4 * 8);
    }
    return CN_OK;
}

cn_err cn_base_radix_decode(const cn_alphabet *a, cn_slice text, cn_buf *out, cn_why *why)
{
    if (text.len == 0 && strlen(a->digits) > BASE_MIN) {
        bool base58 = a->digits[0] == '1';
        return cn_why_set(
            why, CN_ERR_MALFORMED,
            base58 ? "zero length string" : "can not decode zero-length string");
    }
    uint32_t stack_limbs[STACK_LIMBS] = {0};
    uint32_t *limbs = stack_limbs;
    size_t zeros = leading(text, (uint8_t)a->digits[0]);
    size_t limbs_max = text.len / 5 + 2; /* a digit has less than 6 bits */
    size_t n = 0;
    cn_err err = CN_OK;
    if (limbs_max > STACK_LIMBS) {
        limbs = cn_alloc_array(out->mem, limbs_max, sizeof *limbs);
        if (limbs == NULL) {
            return CN_ERR_NO_MEMORY;
        }
    }
    CN_TRY(from_digits(a, cn_slice_skip(text, zeros), limbs, &n, why));
    CN_TRY(put_number(limbs, n, zeros, out));
out:
    if (limbs != stack_limbs) {
        cn_free(out->mem, limbs);
    }
    return err;
}
