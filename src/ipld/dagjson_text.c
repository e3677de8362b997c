/*
 * Escapes are undone character by character, so nothing is built in memory.
 */
#include "ipld/dagjson_text.h"

enum { ESCAPE_DIGITS = 4 };

/* The value of four hexadecimal digits, or -1. */
static int32_t hex4(cn_slice s)
{
    int32_t value = 0;
    if (s.len < 4) {
        return -1;
    }
    for (size_t i = 0; i < 4; i++) {
        uint8_t c = s.data[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value;
}

/* How many bytes the escape takes whose backslash stands before `s`. */
static cn_err escape_len(cn_slice s, size_t *ret)
{
    if (s.len == 0) {
        return CN_ERR_TRUNCATED;
    }
    if (s.data[0] == 'u') {
        *ret = 1 + ESCAPE_DIGITS;
        if (s.len < *ret) {
            return CN_ERR_TRUNCATED;
        }
        return hex4(cn_slice_skip(s, 1)) < 0 ? CN_ERR_MALFORMED : CN_OK;
    }
    *ret = 1;
    return cn_slice_find(cn_str("\"\\/bfnrt"), s.data[0]) < 8 ? CN_OK : CN_ERR_MALFORMED;
}

cn_err cn_json_text_len(cn_slice s, size_t *ret)
{
    for (size_t i = 0; i < s.len; i++) {
        size_t more = 0;
        if (s.data[i] == '"') {
            *ret = i;
            return CN_OK;
        }
        cn_err err = s.data[i] < 0x20 ? CN_ERR_MALFORMED : CN_OK;
        if (s.data[i] == '\\') {
            err = escape_len(cn_slice_skip(s, i + 1), &more);
        }
        if (err != CN_OK) {
            return err;
        }
        i += more;
    }
    return CN_ERR_TRUNCATED;
}

/* One character of a text with escapes, as UTF-8 in `out`; *used bytes of `s`, its length back. */
static size_t unescape(cn_slice s, uint8_t out[4], size_t *used)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    *used = 1;
    out[0] = s.data[0];
    if (s.data[0] != '\\' || s.len < 2) {
        return 1;
    }
    *used = 2;
    out[0] = s.data[1];
    size_t letter = cn_slice_find(cn_str(from), s.data[1]);
    if (letter < 5) {
        out[0] = (uint8_t)to[letter];
        return 1;
    }
    if (s.data[1] != 'u') {
        return 1;
    }
    int32_t high = hex4(cn_slice_skip(s, 2));
    uint32_t rune = high < 0 ? 0xfffd : (uint32_t)high;
    *used = CN_MIN((size_t)6, s.len);
    if (rune >= 0xd800 && rune < 0xdc00 && s.len >= 12 && s.data[6] == '\\' && s.data[7] == 'u') {
        int32_t low = hex4(cn_slice_skip(s, 8));
        if (low >= 0xdc00 && low < 0xe000) {
            rune = 0x10000 + ((rune - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
            *used = 12;
        }
    }
    size_t len = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i-- > 1; rune >>= 6) {
        out[i] = (uint8_t)(0x80 | (rune & 0x3f));
    }
    out[0] = (uint8_t)(lead[len] | rune);
    return len;
}

/* A text of the block read byte by byte, without its escapes. */
typedef struct plain_text {
    cn_slice rest;
    uint8_t bytes[4];
    size_t len;
    size_t at;
} plain_text;

/* The next byte, or -1 at the end. */
static int plain_next(plain_text *t)
{
    if (t->at == t->len) {
        size_t used = 0;
        if (t->rest.len == 0) {
            return -1;
        }
        t->len = unescape(t->rest, t->bytes, &used);
        t->at = 0;
        t->rest = cn_slice_skip(t->rest, used);
    }
    return t->bytes[t->at++];
}

bool cn_json_text_is(cn_slice text, cn_slice plain)
{
    while (text.len > 0) {
        uint8_t bytes[4] = {0};
        size_t used = 0;
        size_t len = unescape(text, bytes, &used);
        if (!cn_slice_starts(plain, cn_slice_of(bytes, len))) {
            return false;
        }
        plain = cn_slice_skip(plain, len);
        text = cn_slice_skip(text, used);
    }
    return plain.len == 0;
}

int cn_json_text_order(cn_slice a, cn_slice b)
{
    plain_text x = {.rest = a};
    plain_text y = {.rest = b};
    for (;;) {
        int left = plain_next(&x);
        int right = plain_next(&y);
        if (left != right || left < 0) {
            return left - right;
        }
    }
}

static bool is_base64(int c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

bool cn_json_text_is_base64(cn_slice text)
{
    plain_text t = {.rest = text};
    size_t len = 0;
    size_t pads = 0;
    int c = plain_next(&t);
    for (; c >= 0 && is_base64(c); c = plain_next(&t)) {
        len++;
    }
    for (; c == '='; c = plain_next(&t)) {
        pads++;
    }
    return c < 0 && len % 4 != 1 && (pads == 0 || (len + pads) % 4 == 0) && pads < 3;
}
