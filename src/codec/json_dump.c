/*
 * Writing JSON the way Go's encoding/json does, byte for byte.
 */
#include "codec/json.h"

#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>

static cn_err dump_char(uint8_t c, cn_buf *out)
{
    switch (c) {
    case '"':
        return cn_buf_text(out, "\\\"");
    case '\\':
        return cn_buf_text(out, "\\\\");
    case '\b':
        return cn_buf_text(out, "\\b");
    case '\f':
        return cn_buf_text(out, "\\f");
    case '\n':
        return cn_buf_text(out, "\\n");
    case '\r':
        return cn_buf_text(out, "\\r");
    case '\t':
        return cn_buf_text(out, "\\t");
    default:
        return cn_buf_printf(out, "\\u%04x", c);
    }
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0xe2;
}

cn_err cn_json_dump_string(cn_slice text, cn_buf *out)
{
    cn_err err = cn_buf_byte(out, '"');
    while (err == CN_OK && text.len > 0) {
        size_t plain = 0;
        while (plain < text.len && is_plain(text.data[plain])) {
            plain++;
        }
        err = cn_buf_append(out, cn_slice_head(text, plain));
        text = cn_slice_skip(text, plain);
        if (err != CN_OK || text.len == 0) {
            break;
        }
        /* U+2028 and U+2029 end a line in JavaScript. */
        bool line_end = text.len >= 3 && text.data[0] == 0xe2 && text.data[1] == 0x80 &&
                        (text.data[2] == 0xa8 || text.data[2] == 0xa9);
        if (line_end) {
            err = cn_buf_text(out, text.data[2] == 0xa8 ? "\\u2028" : "\\u2029");
        } else if (text.data[0] == 0xe2) {
            err = cn_buf_byte(out, 0xe2);
        } else {
            err = dump_char(text.data[0], out);
        }
        text = cn_slice_skip(text, line_end ? 3 : 1);
    }
    return err != CN_OK ? err : cn_buf_byte(out, '"');
}

/* Cut "e-07" to "e-7", as Go does. */
static void trim_exponent(char *text)
{
    char *e = strchr(text, 'e');
    if (e != NULL && e[1] != '\0' && e[2] == '0' && e[3] != '\0') {
        e[2] = e[3];
        e[3] = '\0';
    }
}

/* The shortest digits that give the same float64; plain unless very large or small. */
static cn_err dump_float(cn_slice digits, cn_buf *out)
{
    char text[64];
    char shown[400];
    double value = 0;
    int precision = 0;
    if (digits.len >= sizeof text) {
        return cn_buf_append(out, digits);
    }
    cn_copy(text, digits.data, digits.len);
    text[digits.len] = '\0';
    value = strtod(text, NULL);
    double size = value < 0 ? -value : value;
    if (!(size <= 1.7976931348623157e308)) {
        return cn_buf_append(out, digits);
    }
    do {
        (void)snprintf(shown, sizeof shown, "%.*e", precision++, value);
    } while (precision < 18 && (strtod(shown, NULL) < value || strtod(shown, NULL) > value));
    if (size > 0 && (size < 1e-6 || size >= 1e21)) {
        trim_exponent(shown);
        return cn_buf_text(out, shown);
    }
    int64_t exponent = 0;
    if (cn_num_i64(cn_str(strchr(shown, 'e') + 1), &exponent) != CN_OK) {
        return CN_ERR_BUG; /* "%e" always writes a sign and digits */
    }
    int places = CN_MAX(precision - 1 - (int)exponent, 0);
    (void)snprintf(shown, sizeof shown, "%.*f", places, value);
    return cn_buf_text(out, shown);
}

static cn_err dump_number(cn_slice digits, unsigned flags, cn_buf *out)
{
    bool whole = true;
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t c = digits.data[i];
        whole = whole && c != '.' && c != 'e' && c != 'E';
    }
    return whole || (flags & CN_JSON_GO_NUMBERS) == 0 ? cn_buf_append(out, digits)
                                                      : dump_float(digits, out);
}

static cn_err dump_scalar(const cn_json *j, unsigned flags, cn_buf *out)
{
    switch (j->kind) {
    case CN_JSON_NULL:
        return cn_buf_text(out, "null");
    case CN_JSON_BOOL:
        return cn_buf_text(out, j->truth ? "true" : "false");
    case CN_JSON_NUMBER:
        return dump_number(j->text, flags, out);
    case CN_JSON_STRING:
        return cn_json_dump_string(j->text, out);
    case CN_JSON_ARRAY:
        return cn_buf_text(out, "[]");
    case CN_JSON_OBJECT:
        return cn_buf_text(out, "{}");
    }
    return CN_ERR_BUG;
}

static cn_err new_line(unsigned flags, size_t depth, cn_buf *out)
{
    cn_err err = (flags & CN_JSON_INDENT) != 0 ? cn_buf_byte(out, '\n') : CN_OK;
    for (size_t i = 0; err == CN_OK && (flags & CN_JSON_INDENT) != 0 && i < depth; i++) {
        err = cn_buf_text(out, "  ");
    }
    return err;
}

/* The name, and the value up to where its children begin. */
static cn_err dump_front(const cn_json *j, bool named, unsigned flags, cn_buf *out)
{
    cn_err err = CN_OK;
    if (named) {
        CN_TRY(cn_json_dump_string(j->key, out));
        CN_TRY(cn_buf_text(out, (flags & CN_JSON_INDENT) != 0 ? ": " : ":"));
    }
    if (j->first != NULL) {
        CN_TRY(cn_buf_byte(out, j->kind == CN_JSON_ARRAY ? '[' : '{'));
    } else {
        CN_TRY(dump_scalar(j, flags, out));
    }
out:
    return err;
}

cn_err cn_json_dump(const cn_json *root, unsigned flags, cn_buf *out)
{
    cn_err err = CN_OK;
    size_t depth = 0;
    const cn_json *at = root;
    CN_TRY(dump_front(at, false, flags, out));
    while (true) {
        if (at->first != NULL) {
            at = at->first;
            depth++;
        } else {
            for (; at != root && at->next == NULL; at = at->parent) {
                depth--;
                CN_TRY(new_line(flags, depth, out));
                CN_TRY(cn_buf_byte(out, at->parent->kind == CN_JSON_ARRAY ? ']' : '}'));
            }
            if (at == root) {
                break;
            }
            at = at->next;
            CN_TRY(cn_buf_byte(out, ','));
        }
        CN_TRY(new_line(flags, depth, out));
        CN_TRY(dump_front(at, at->parent->kind == CN_JSON_OBJECT, flags, out));
    }
out:
    return err;
}
