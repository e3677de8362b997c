/*
 * Quoting as Go does it. One rule per character; UTF-8 is read strictly (no overlong forms, no
 * surrogates), and a byte that does not fit is one \x escape.
 */
#include "codec/quote.h"

#include "codec/utf8.h"

#include <stdio.h>

/* Read one character; its length in bytes, or 0 if the bytes are not UTF-8. */
static size_t utf8_take(cn_slice s, uint32_t *ret)
{
    size_t len = cn_utf8_len(s);
    if (len == 0) {
        return 0;
    }
    uint32_t rune = len == 1 ? s.data[0] : (uint32_t)(s.data[0] & (0x7f >> len));
    for (size_t i = 1; i < len; i++) {
        rune = rune << 6 | (s.data[i] & 0x3fu);
    }
    *ret = rune;
    return len;
}

/* Ranges above ASCII that do not print: controls, spaces, format characters, private use. */
static bool prints(uint32_t rune)
{
    static const uint32_t hidden[][2] = {{0x7f, 0xa0},     {0xad, 0xad},       {0x600, 0x605},
                                         {0x61c, 0x61c},   {0x6dd, 0x6dd},     {0x70f, 0x70f},
                                         {0x1680, 0x1680}, {0x180e, 0x180e},   {0x2000, 0x200f},
                                         {0x2028, 0x202f}, {0x205f, 0x206f},   {0x3000, 0x3000},
                                         {0xe000, 0xf8ff}, {0xfeff, 0xfeff},   {0xfff0, 0xfffb},
                                         {0xfffe, 0xffff}, {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff}};
    if (rune < 0x20) {
        return false;
    }
    for (size_t i = 0; i < CN_LEN(hidden); i++) {
        if (rune >= hidden[i][0] && rune <= hidden[i][1]) {
            return false;
        }
    }
    return true;
}

/* Write the escape of one character that is valid UTF-8; "" if it stands for itself. */
static void escape_of(uint32_t rune, char out[12])
{
    static const char letters[] = "abtnvfr"; /* 7 to 13 */
    if (rune == '"' || rune == '\\') {
        (void)snprintf(out, 12, "\\%c", (char)rune);
    } else if (prints(rune)) {
        out[0] = '\0';
    } else if (rune >= 7 && rune <= 13) {
        (void)snprintf(out, 12, "\\%c", letters[rune - 7]);
    } else if (rune < 0x80) {
        (void)snprintf(out, 12, "\\x%02x", rune);
    } else if (rune < 0x10000) {
        (void)snprintf(out, 12, "\\u%04x", rune);
    } else {
        (void)snprintf(out, 12, "\\U%08x", rune);
    }
}

/* One character from the front of `s`: what to write for it, and how many bytes it took. */
static cn_slice quoted_char(cn_slice s, char escape[12], size_t *ret_used)
{
    uint32_t rune = 0;
    size_t len = utf8_take(s, &rune);
    if (len == 0) {
        (void)snprintf(escape, 12, "\\x%02x", (unsigned)s.data[0]);
        *ret_used = 1;
        return cn_str(escape);
    }
    escape_of(rune, escape);
    *ret_used = len;
    return escape[0] == '\0' ? cn_slice_head(s, len) : cn_str(escape);
}

cn_err cn_quote_append(cn_slice text, cn_buf *out)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_byte(out, '"'));
    while (text.len > 0) {
        char escape[12];
        size_t used = 0;
        CN_TRY(cn_buf_append(out, quoted_char(text, escape, &used)));
        text = cn_slice_skip(text, used);
    }
    CN_TRY(cn_buf_byte(out, '"'));
out:
    return err;
}

const char *cn_quote_text(cn_slice text, char out[CN_QUOTE_TEXT_BYTES])
{
    size_t len = 0;
    out[len++] = '"';
    while (text.len > 0) {
        char escape[12];
        size_t used = 0;
        cn_slice piece = quoted_char(text, escape, &used);
        if (len + piece.len + 2 > CN_QUOTE_TEXT_BYTES) {
            break;
        }
        cn_copy(out + len, piece.data, piece.len);
        len += piece.len;
        text = cn_slice_skip(text, used);
    }
    out[len++] = '"';
    out[len] = '\0';
    return out;
}

static bool needs_escape(cn_slice text)
{
    while (text.len > 0) {
        uint32_t rune = 0;
        size_t len = utf8_take(text, &rune);
        if (len > 0 && (rune == '\\' || !prints(rune))) {
            return true;
        }
        text = cn_slice_skip(text, CN_MAX(len, (size_t)1));
    }
    return false;
}

cn_err cn_quote_nonprint(cn_slice name, cn_buf *out)
{
    if (!needs_escape(name)) {
        return cn_buf_append(out, name);
    }
    cn_err err = CN_OK;
    while (name.len > 0) {
        char escape[12];
        size_t used = 0;
        cn_slice piece = quoted_char(name, escape, &used);
        CN_TRY(cn_buf_append(out, cn_slice_is(piece, "\\\"") ? cn_str("\"") : piece));
        name = cn_slice_skip(name, used);
    }
out:
    return err;
}
