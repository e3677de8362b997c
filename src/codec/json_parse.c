/*
 * Reading JSON: a loop over "what may stand here", with the open containers linked through their
 * parents instead of a stack. Sentences are Go's, since configuration tools show them.
 */
#include "codec/json.h"

#include "codec/utf8.h"

#include <stdio.h>

typedef enum state {
    AT_VALUE,        /* a value must follow */
    AT_VALUE_OR_END, /* the same, or the ] of an empty array */
    AT_KEY,          /* a member's name must follow */
    AT_KEY_OR_END,   /* the same, or the } of an empty object */
    AFTER_VALUE,     /* , or an end */
    DONE,
} state;

typedef struct reader {
    cn_json_doc *doc;
    cn_slice rest;
    cn_json_end end;
    cn_json *root;
    cn_json *open; /* the container that values go into; NULL at the top */
    size_t depth;
    cn_slice key; /* the name read for the next value */
    cn_buf scratch;
    cn_why *why;
} reader;

/* The character as Go quotes it in its messages. */
static void quote(uint8_t c, char text[16])
{
    static const struct {
        char c;
        const char *text;
    } named[] = {{'\'', "'\\''"}, {'"', "'\"'"},   {'\\', "'\\\\'"}, {'\n', "'\\n'"},
                 {'\t', "'\\t'"}, {'\r', "'\\r'"}, {'\b', "'\\b'"},  {'\a', "'\\a'"},
                 {'\f', "'\\f'"}, {'\v', "'\\v'"}};
    for (size_t i = 0; i < CN_LEN(named); i++) {
        if ((char)c == named[i].c) {
            (void)snprintf(text, 16, "%s", named[i].text);
            return;
        }
    }
    if (c < 0x20 || c == 0x7f) {
        (void)snprintf(text, 16, "'\\x%02x'", c);
    } else if (c < 0x80) {
        (void)snprintf(text, 16, "'%c'", c);
    } else if (c < 0xa0) {
        (void)snprintf(text, 16, "'\\u%04x'", c);
    } else {
        (void)snprintf(text, 16, "'%c%c'", (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)));
    }
}

static cn_err bad(const reader *r, const char *where)
{
    char text[16];
    if (r->rest.len == 0) {
        return cn_why_set(
            r->why, CN_ERR_TRUNCATED,
            r->end == CN_JSON_WHOLE ? "unexpected end of JSON input" : "unexpected EOF");
    }
    quote(r->rest.data[0], text);
    return cn_why_set(r->why, CN_ERR_MALFORMED, "invalid character %s %s", text, where);
}

static bool next_is(const reader *r, char c)
{
    return r->rest.len > 0 && r->rest.data[0] == (uint8_t)c;
}

static bool next_is_digit(const reader *r)
{
    return r->rest.len > 0 && r->rest.data[0] >= '0' && r->rest.data[0] <= '9';
}

static void skip(reader *r, size_t n)
{
    r->rest = cn_slice_skip(r->rest, n);
}

static void skip_space(reader *r)
{
    while (next_is(r, ' ') || next_is(r, '\t') || next_is(r, '\n') || next_is(r, '\r')) {
        skip(r, 1);
    }
}

static cn_err digits(reader *r, const char *where)
{
    if (!next_is_digit(r)) {
        return bad(r, where);
    }
    while (next_is_digit(r)) {
        skip(r, 1);
    }
    return CN_OK;
}

static cn_err read_number(reader *r, cn_slice *ret)
{
    cn_slice start = r->rest;
    cn_err err = CN_OK;
    skip(r, next_is(r, '-') ? 1 : 0);
    if (next_is(r, '0')) {
        skip(r, 1);
    } else {
        err = digits(r, "in numeric literal");
    }
    if (err == CN_OK && next_is(r, '.')) {
        skip(r, 1);
        err = digits(r, "after decimal point in numeric literal");
    }
    if (err == CN_OK && (next_is(r, 'e') || next_is(r, 'E'))) {
        skip(r, 1);
        skip(r, next_is(r, '-') || next_is(r, '+') ? 1 : 0);
        err = digits(r, "in exponent of numeric literal");
    }
    if (err == CN_OK) {
        *ret = cn_slice_head(start, start.len - r->rest.len);
    }
    return err;
}

static cn_err append_rune(cn_buf *b, uint32_t rune)
{
    uint8_t bytes[4];
    size_t len = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i > 1; i--) {
        bytes[i - 1] = (uint8_t)(0x80 | (rune & 0x3f));
        rune >>= 6;
    }
    bytes[0] = (uint8_t)(lead[len] | rune);
    return cn_buf_append(b, cn_slice_of(bytes, len));
}

enum { RUNE_BAD = 0xfffd };

/* Four hexadecimal digits. */
static cn_err read_hex(reader *r, uint32_t *ret)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = r->rest.len == 0 ? 0 : r->rest.data[0];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 16;
        if (digit == 16) {
            return bad(r, "in \\u hexadecimal character escape");
        }
        value = value << 4 | digit;
        skip(r, 1);
    }
    *ret = value;
    return CN_OK;
}

/* Behind "\u": one character, or two escapes that make one. A half without its other is U+FFFD. */
static cn_err read_unicode(reader *r)
{
    uint32_t rune = 0;
    uint32_t low = 0;
    cn_err err = read_hex(r, &rune);
    if (err != CN_OK || rune < 0xd800 || rune > 0xdfff) {
        return err != CN_OK ? err : append_rune(&r->scratch, rune);
    }
    cn_slice before = r->rest;
    if (rune < 0xdc00 && cn_slice_starts(r->rest, cn_str("\\u"))) {
        skip(r, 2);
        err = read_hex(r, &low);
        if (err != CN_OK) {
            return err;
        }
        if (low >= 0xdc00 && low <= 0xdfff) {
            return append_rune(&r->scratch, 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00));
        }
        r->rest = before;
    }
    return append_rune(&r->scratch, RUNE_BAD);
}

static cn_err read_escape(reader *r)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (next_is(r, 'u')) {
        skip(r, 1);
        return read_unicode(r);
    }
    for (size_t i = 0; i < sizeof from - 1; i++) {
        if (next_is(r, from[i])) {
            skip(r, 1);
            return cn_buf_byte(&r->scratch, (uint8_t)to[i]);
        }
    }
    return bad(r, "in string escape code");
}

/* Behind the opening quote; leaves the text in `scratch`. */
static cn_err read_string(reader *r)
{
    cn_err err = CN_OK;
    cn_buf_reset(&r->scratch);
    while (err == CN_OK) {
        if (r->rest.len == 0 || r->rest.data[0] < 0x20) {
            return bad(r, "in string literal");
        }
        if (next_is(r, '"')) {
            skip(r, 1);
            return CN_OK;
        }
        if (next_is(r, '\\')) {
            skip(r, 1);
            err = read_escape(r);
            continue;
        }
        size_t len = cn_utf8_len(r->rest);
        err = len == 0 ? append_rune(&r->scratch, RUNE_BAD)
                       : cn_buf_append(&r->scratch, cn_slice_head(r->rest, len));
        skip(r, len == 0 ? 1 : len);
    }
    return err;
}

static cn_err read_literal(reader *r, const char *name)
{
    char where[64];
    for (const char *c = name; *c != '\0'; c++) {
        if (!next_is(r, *c)) {
            (void)snprintf(where, sizeof where, "in literal %s (expecting '%c')", name, *c);
            return bad(r, where);
        }
        skip(r, 1);
    }
    return CN_OK;
}

/* Put a value where it belongs; its key has been read. */
static cn_err place(reader *r, cn_json *value)
{
    value->key = r->key;
    r->key = (cn_slice){0};
    if (r->open == NULL) {
        r->root = value;
    } else {
        cn_json_append(r->open, value);
    }
    return CN_OK;
}

static cn_err open_container(reader *r, cn_json_kind kind, state *ret_state)
{
    cn_json *j = NULL;
    if (r->depth == CN_JSON_MAX_DEPTH) {
        return cn_why_set(r->why, CN_ERR_TOO_DEEP, "exceeded max depth");
    }
    cn_err err = cn_json_new(r->doc, kind, &j);
    if (err == CN_OK) {
        skip(r, 1);
        err = place(r, j);
        r->open = j;
        r->depth++;
        *ret_state = kind == CN_JSON_ARRAY ? AT_VALUE_OR_END : AT_KEY_OR_END;
    }
    return err;
}

static void close_container(reader *r, state *ret_state)
{
    skip(r, 1);
    r->open = r->open->parent;
    r->depth--;
    *ret_state = r->open == NULL ? DONE : AFTER_VALUE;
}

/* A value that holds no others. */
static cn_err read_scalar(reader *r, cn_json **ret)
{
    cn_slice number = {0};
    cn_err err = CN_OK;
    if (next_is(r, '"')) {
        skip(r, 1);
        err = read_string(r);
        return err != CN_OK ? err : cn_json_new_string(r->doc, cn_buf_slice(&r->scratch), ret);
    }
    if (next_is(r, 't') || next_is(r, 'f')) {
        bool truth = next_is(r, 't');
        err = read_literal(r, truth ? "true" : "false");
        return err != CN_OK ? err : cn_json_new_bool(r->doc, truth, ret);
    }
    if (next_is(r, 'n')) {
        err = read_literal(r, "null");
        return err != CN_OK ? err : cn_json_new(r->doc, CN_JSON_NULL, ret);
    }
    if (!next_is(r, '-') && !next_is_digit(r)) {
        return bad(r, "looking for beginning of value");
    }
    err = read_number(r, &number);
    if (err == CN_OK) {
        err = cn_json_new_string(r->doc, number, ret);
    }
    if (err == CN_OK) {
        (*ret)->kind = CN_JSON_NUMBER;
    }
    return err;
}

static cn_err read_value(reader *r, state *ret_state)
{
    cn_json *j = NULL;
    if (*ret_state == AT_VALUE_OR_END && next_is(r, ']')) {
        close_container(r, ret_state);
        return CN_OK;
    }
    if (next_is(r, '{') || next_is(r, '[')) {
        return open_container(r, next_is(r, '{') ? CN_JSON_OBJECT : CN_JSON_ARRAY, ret_state);
    }
    cn_err err = read_scalar(r, &j);
    if (err == CN_OK) {
        err = place(r, j);
        *ret_state = r->open == NULL ? DONE : AFTER_VALUE;
    }
    return err;
}

static cn_err read_key(reader *r, state *ret_state)
{
    cn_json *holder = NULL;
    if (*ret_state == AT_KEY_OR_END && next_is(r, '}')) {
        close_container(r, ret_state);
        return CN_OK;
    }
    if (!next_is(r, '"')) {
        return bad(r, "looking for beginning of object key string");
    }
    skip(r, 1);
    cn_err err = read_string(r);
    if (err == CN_OK) {
        err = cn_json_new_string(r->doc, cn_buf_slice(&r->scratch), &holder);
    }
    if (err != CN_OK) {
        return err;
    }
    r->key = holder->text;
    skip_space(r);
    if (!next_is(r, ':')) {
        return bad(r, "after object key");
    }
    skip(r, 1);
    *ret_state = AT_VALUE;
    return CN_OK;
}

static cn_err read_after(reader *r, state *ret_state)
{
    bool array = r->open->kind == CN_JSON_ARRAY;
    if (next_is(r, ',')) {
        skip(r, 1);
        *ret_state = array ? AT_VALUE : AT_KEY;
        return CN_OK;
    }
    if (next_is(r, array ? ']' : '}')) {
        close_container(r, ret_state);
        return CN_OK;
    }
    return bad(r, array ? "after array element" : "after object key:value pair");
}

static cn_err step(reader *r, state *ret_state)
{
    switch (*ret_state) {
    case AT_VALUE:
    case AT_VALUE_OR_END:
        return read_value(r, ret_state);
    case AT_KEY:
    case AT_KEY_OR_END:
        return read_key(r, ret_state);
    case AFTER_VALUE:
        return read_after(r, ret_state);
    case DONE:
        break;
    }
    return CN_ERR_BUG;
}

cn_err cn_json_parse(cn_json_doc *d, cn_slice text, cn_json_end end, cn_json **ret, cn_why *why)
{
    reader r = {.doc = d, .rest = text, .end = end, .why = why};
    state at = AT_VALUE;
    cn_err err = CN_OK;
    cn_buf_init(&r.scratch, d->mem, text.len + 8);
    skip_space(&r);
    if (r.rest.len == 0 && end == CN_JSON_FIRST) {
        return cn_why_set(why, CN_ERR_TRUNCATED, "EOF");
    }
    while (at != DONE) {
        CN_TRY(step(&r, &at));
        if (at != DONE) {
            skip_space(&r);
        }
    }
    if (end == CN_JSON_WHOLE) {
        skip_space(&r);
        CN_TRY(r.rest.len == 0 ? CN_OK : bad(&r, "after top-level value"));
    }
    *ret = r.root;
out:
    cn_wipe(r.scratch.data, r.scratch.len);
    cn_buf_release(&r.scratch);
    return err;
}
