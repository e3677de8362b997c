/*
 * JSON writer. Invariant: while `failed` is CN_OK, `out` holds a prefix of one JSON value; a comma
 * or line break is written when the element behind it comes, never before.
 */
#include "codec/json_write.h"

#include "base/num.h"
#include "codec/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void cn_json_init(cn_json_writer *j, cn_buf *out, const char *indent)
{
    *j = (cn_json_writer){.out = out, .indent = indent, .empty = true};
}

cn_err cn_json_finish(const cn_json_writer *j)
{
    CN_ASSERT(j->failed != CN_OK || (j->depth == 0 && !j->after_key));
    return j->failed;
}

static void put(cn_json_writer *j, cn_slice s)
{
    if (j->failed == CN_OK) {
        j->failed = cn_buf_append(j->out, s);
    }
}

static void put_text(cn_json_writer *j, const char *text)
{
    put(j, cn_str(text));
}

static void line_break(cn_json_writer *j)
{
    if (j->indent == NULL) {
        return;
    }
    put_text(j, "\n");
    for (unsigned i = 0; i < j->depth; i++) {
        put_text(j, j->indent);
    }
}

/* What stands before an element: comma and line break in an object or list, nothing behind a key.
 */
static void lead(cn_json_writer *j)
{
    if (j->after_key) {
        j->after_key = false;
        return;
    }
    if (j->depth > 0) {
        if (!j->empty) {
            put_text(j, ",");
        }
        line_break(j);
    }
    j->empty = false;
}

static void open_with(cn_json_writer *j, const char *bracket)
{
    lead(j);
    put_text(j, bracket);
    if (j->depth == CN_JSON_DEPTH_MAX && j->failed == CN_OK) {
        j->failed = CN_ERR_TOO_DEEP;
    }
    j->depth++;
    j->empty = true;
}

static void close_with(cn_json_writer *j, const char *bracket)
{
    CN_ASSERT(j->depth > 0 && !j->after_key);
    j->depth--;
    if (!j->empty) {
        line_break(j);
    }
    put_text(j, bracket);
    j->empty = false;
}

void cn_json_object(cn_json_writer *j)
{
    open_with(j, "{");
}

void cn_json_object_end(cn_json_writer *j)
{
    close_with(j, "}");
}

void cn_json_list(cn_json_writer *j)
{
    open_with(j, "[");
}

void cn_json_list_end(cn_json_writer *j)
{
    close_with(j, "]");
}

/* The escape of an ASCII character, or NULL if it stands for itself. */
static const char *ascii_escape(const cn_json_writer *j, uint8_t c, char held[8])
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        break;
    }
    if (c < 0x20 || (!j->keep_html && (c == '<' || c == '>' || c == '&'))) {
        (void)snprintf(held, 8, "\\u%04x", (unsigned)c);
        return held;
    }
    return NULL;
}

static void put_quoted(cn_json_writer *j, cn_slice text)
{
    put_text(j, "\"");
    size_t plain = 0; /* bytes at the front of `text` that stand for themselves */
    while (plain < text.len && j->failed == CN_OK) {
        cn_slice rest = cn_slice_skip(text, plain);
        size_t len = cn_utf8_len(rest);
        char held[8];
        const char *escape = len == 0 ? "\\ufffd" : NULL;
        if (len == 1) {
            escape = ascii_escape(j, rest.data[0], held);
        } else if (len == 3 && rest.data[0] == 0xe2 && rest.data[1] == 0x80) {
            escape = rest.data[2] == 0xa8 ? "\\u2028" : rest.data[2] == 0xa9 ? "\\u2029" : NULL;
        }
        if (escape == NULL) {
            plain += len;
            continue;
        }
        put(j, cn_slice_head(text, plain));
        put_text(j, escape);
        text = cn_slice_skip(rest, CN_MAX(len, 1));
        plain = 0;
    }
    put(j, text);
    put_text(j, "\"");
}

void cn_json_key(cn_json_writer *j, const char *key)
{
    CN_ASSERT(j->depth > 0 && !j->after_key);
    lead(j);
    put_quoted(j, cn_str(key));
    put_text(j, j->indent == NULL ? ":" : ": ");
    j->after_key = true;
}

void cn_json_string(cn_json_writer *j, cn_slice text)
{
    lead(j);
    put_quoted(j, text);
}

void cn_json_text(cn_json_writer *j, const char *text)
{
    cn_json_string(j, cn_str(text));
}

void cn_json_int(cn_json_writer *j, int64_t value)
{
    char held[32];
    lead(j);
    (void)snprintf(held, sizeof held, "%lld", (long long)value);
    put_text(j, held);
}

void cn_json_uint(cn_json_writer *j, uint64_t value)
{
    char held[32];
    lead(j);
    (void)snprintf(held, sizeof held, "%llu", (unsigned long long)value);
    put_text(j, held);
}

/* The fewest digits that read back as `value`, as "d.ddde+XX". */
static void shortest(double value, char held[40])
{
    for (int digits = 0; digits <= 17; digits++) {
        (void)snprintf(held, 40, "%.*e", digits, value);
        if (strtod(held, NULL) == value) {
            return;
        }
    }
}

void cn_json_float(cn_json_writer *j, double value)
{
    char held[40];
    char plain[64];
    lead(j);
    if (!isfinite(value)) {
        j->failed = j->failed == CN_OK ? CN_ERR_USAGE : j->failed;
        return;
    }
    shortest(value, held);
    char *mark = strchr(held, 'e');
    int64_t exponent = 0;
    CN_ASSERT(cn_num_i64(cn_str(mark + 1), &exponent) == CN_OK);
    if (value == 0 || (fabs(value) >= 1e-6 && fabs(value) < 1e21)) {
        size_t point = strcspn(held, ".e");
        int64_t digits = held[point] == '.' ? (mark - held) - (int64_t)point - 1 : 0;
        (void)snprintf(plain, sizeof plain, "%.*f", (int)CN_MAX(digits - exponent, 0), value);
    } else {
        *mark = '\0';
        (void)snprintf(
            plain, sizeof plain, exponent >= 0 ? "%se+%02lld" : "%se%lld", held,
            (long long)exponent);
    }
    put_text(j, plain);
}

void cn_json_bool(cn_json_writer *j, bool value)
{
    lead(j);
    put_text(j, value ? "true" : "false");
}

void cn_json_null(cn_json_writer *j)
{
    lead(j);
    put_text(j, "null");
}

void cn_json_raw(cn_json_writer *j, cn_slice json)
{
    lead(j);
    put(j, json);
}

void cn_json_put_text(cn_json_writer *j, const char *key, const char *text)
{
    cn_json_key(j, key);
    cn_json_text(j, text);
}

void cn_json_put_string(cn_json_writer *j, const char *key, cn_slice text)
{
    cn_json_key(j, key);
    cn_json_string(j, text);
}

void cn_json_put_int(cn_json_writer *j, const char *key, int64_t value)
{
    cn_json_key(j, key);
    cn_json_int(j, value);
}

void cn_json_put_uint(cn_json_writer *j, const char *key, uint64_t value)
{
    cn_json_key(j, key);
    cn_json_uint(j, value);
}

void cn_json_put_bool(cn_json_writer *j, const char *key, bool value)
{
    cn_json_key(j, key);
    cn_json_bool(j, value);
}
