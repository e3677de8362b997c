/*
 * DAG-JSON for walking: a tokenizer, and on it a check with a number per open map or list, a search
 * for links, and a descent along a path. A link is seen at its opening brace, by the four tokens
 * that follow.
 */
#include "ipld/dagjson.h"

#include "base/num.h"
#include "codec/quote.h"
#include "ipld/dagjson_text.h"
#include "ipld/keys.h"
#include "ipld/path.h"

typedef enum token_kind {
    TOKEN_END,
    TOKEN_PUNCT, /* { } [ ] , : */
    TOKEN_TEXT,  /* `text` between the quotes, escapes and all */
    TOKEN_WORD,  /* number, true, false, null */
} token_kind;

typedef struct token {
    token_kind kind;
    uint8_t punct;
    cn_slice text;
} token;

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Digits from `at` on; how many. */
static size_t digits(cn_slice s, size_t at)
{
    size_t n = 0;
    while (at + n < s.len && s.data[at + n] >= '0' && s.data[at + n] <= '9') {
        n++;
    }
    return n;
}

/* The exponent, as far as it can matter. */
static int64_t exponent_of(cn_slice s)
{
    enum { MOST = 1 << 28 };
    int64_t sum = 0;
    size_t at = s.len > 0 && (s.data[0] == '-' || s.data[0] == '+') ? 1 : 0;
    for (; at < s.len && sum < MOST; at++) {
        sum = sum * 10 + s.data[at] - '0';
    }
    return s.len > 0 && s.data[0] == '-' ? -sum : sum;
}

/* Is there a float of 64 bits for this number, which is written as numbers are? */
static bool is_in_range(cn_slice s)
{
    /* the first digits of what is half a step above the largest: it and what follows has none */
    static const char too_large[] = "1797693134862315807937289714053034150799";
    enum { WHOLE_DIGITS = 309 };
    char first[sizeof too_large - 1];
    size_t len = 0;
    int64_t whole = 0; /* digits before the point, less zeros behind it that come first */
    bool behind = false;
    size_t at = s.data[0] == '-' ? 1 : 0;
    for (; at < s.len && s.data[at] != 'e' && s.data[at] != 'E'; at++) {
        bool lead = len == 0 && s.data[at] == '0';
        if (s.data[at] == '.') {
            behind = true;
            continue;
        }
        whole += behind ? -(int64_t)lead : !lead;
        if (!lead && len < sizeof first) {
            first[len++] = (char)s.data[at];
        }
    }
    whole += at < s.len ? exponent_of(cn_slice_skip(s, at + 1)) : 0;
    if (len == 0 || whole != WHOLE_DIGITS) {
        return len == 0 || whole < WHOLE_DIGITS;
    }
    return cn_slice_cmp(cn_slice_of(first, len), cn_str(too_large)) < 0;
}

static bool is_number(cn_slice s)
{
    size_t at = s.len > 0 && s.data[0] == '-' ? 1 : 0;
    size_t whole = digits(s, at);
    if (whole == 0 || (whole > 1 && s.data[at] == '0')) {
        return false;
    }
    at += whole;
    if (at < s.len && s.data[at] == '.') {
        size_t part = digits(s, at + 1);
        if (part == 0) {
            return false;
        }
        at += 1 + part;
    }
    if (at < s.len && (s.data[at] == 'e' || s.data[at] == 'E')) {
        at++;
        at += at < s.len && (s.data[at] == '+' || s.data[at] == '-') ? 1 : 0;
        size_t part = digits(s, at);
        if (part == 0) {
            return false;
        }
        at += part;
    }
    if (at == whole + (s.data[0] == '-' ? 1u : 0u)) {
        uint64_t number = 0;
        cn_slice unsigned_part = cn_slice_skip(s, s.data[0] == '-' ? 1 : 0);
        return at == s.len && cn_num_u64(unsigned_part, &number) == CN_OK;
    }
    return at == s.len && is_in_range(s);
}

static cn_err next_token(cn_slice *s, token *ret)
{
    while (s->len > 0 && is_space(s->data[0])) {
        *s = cn_slice_skip(*s, 1);
    }
    if (s->len == 0) {
        *ret = (token){.kind = TOKEN_END};
        return CN_OK;
    }
    uint8_t c = s->data[0];
    size_t len = 0;
    if (c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':') {
        *ret = (token){.kind = TOKEN_PUNCT, .punct = c};
        *s = cn_slice_skip(*s, 1);
        return CN_OK;
    }
    if (c == '"') {
        *s = cn_slice_skip(*s, 1);
        cn_err err = cn_json_text_len(*s, &len);
        if (err == CN_OK) {
            *ret = (token){.kind = TOKEN_TEXT, .text = cn_slice_head(*s, len)};
            *s = cn_slice_skip(*s, len + 1);
        }
        return err;
    }
    while (len < s->len && ((s->data[len] >= 'a' && s->data[len] <= 'z') || s->data[len] == '-' ||
                            s->data[len] == '+' || s->data[len] == '.' || s->data[len] == 'E' ||
                            (s->data[len] >= '0' && s->data[len] <= '9'))) {
        len++;
    }
    cn_slice word = cn_slice_head(*s, len);
    *s = cn_slice_skip(*s, len);
    if (!is_number(word) && !cn_slice_is(word, "true") && !cn_slice_is(word, "false") &&
        !cn_slice_is(word, "null")) {
        return CN_ERR_MALFORMED;
    }
    *ret = (token){.kind = TOKEN_WORD, .text = word};
    return CN_OK;
}

static bool is_punct(const token *t, char c)
{
    return t->kind == TOKEN_PUNCT && t->punct == (uint8_t)c;
}

/* Take the next token if it is the character `c`. */
static bool take_punct(cn_slice *s, char c)
{
    cn_slice after = *s;
    token t = {0};
    if (next_token(&after, &t) != CN_OK || !is_punct(&t, c)) {
        return false;
    }
    *s = after;
    return true;
}

/* Take the next token if it is a text; `key`: if it is this one. */
static bool take_text(cn_slice *s, const char *key, cn_slice *ret)
{
    cn_slice after = *s;
    token t = {0};
    if (next_token(&after, &t) != CN_OK || t.kind != TOKEN_TEXT ||
        (key != NULL && !cn_slice_is(t.text, key))) {
        return false;
    }
    *s = after;
    *ret = t.text;
    return true;
}

/* Behind an opening brace: a link? Then *s moves behind the closing one. */
static cn_err take_link(cn_slice *s, cn_cid *ret, bool *ret_is_link)
{
    cn_slice at = *s;
    cn_slice text = {0};
    *ret_is_link = false;
    if (!take_text(&at, "/", &text) || !take_punct(&at, ':') || !take_text(&at, NULL, &text)) {
        return CN_OK;
    }
    cn_cid cid;
    cn_err err = cn_cid_parse(text, &cid, NULL);
    if (err != CN_OK || !take_punct(&at, '}')) {
        return CN_ERR_MALFORMED;
    }
    *s = at;
    *ret = cid;
    *ret_is_link = true;
    return CN_OK;
}

/* Behind an opening brace: bytes? Then *s moves behind the closing one. */
static cn_err take_bytes(cn_slice *s, bool *ret_is_bytes)
{
    cn_slice at = *s;
    cn_slice text = {0};
    *ret_is_bytes = false;
    if (!take_text(&at, "/", &text) || !take_punct(&at, ':') || !take_punct(&at, '{') ||
        !take_text(&at, "bytes", &text) || !take_punct(&at, ':') || !take_text(&at, NULL, &text)) {
        return CN_OK;
    }
    if (!take_punct(&at, '}') || !take_punct(&at, '}') || !cn_json_text_is_base64(text)) {
        return CN_ERR_MALFORMED;
    }
    *s = at;
    *ret_is_bytes = true;
    return CN_OK;
}

/* What a value begins with. */
typedef enum value_kind { VALUE_PLAIN, VALUE_LINK, VALUE_LIST, VALUE_MAP } value_kind;

/* Read a value, or the opening of a list or a map. */
static cn_err take_value(cn_slice *s, value_kind *ret, cn_cid *ret_link)
{
    token t = {0};
    bool is_special = false;
    cn_err err = next_token(s, &t);
    if (err != CN_OK) {
        return err;
    }
    if (is_punct(&t, '[')) {
        *ret = VALUE_LIST;
        return CN_OK;
    }
    if (t.kind == TOKEN_TEXT || t.kind == TOKEN_WORD) {
        *ret = VALUE_PLAIN;
        return CN_OK;
    }
    if (!is_punct(&t, '{')) {
        return t.kind == TOKEN_END ? CN_ERR_TRUNCATED : CN_ERR_MALFORMED;
    }
    err = take_link(s, ret_link, &is_special);
    if (err != CN_OK || is_special) {
        *ret = VALUE_LINK;
        return err;
    }
    err = take_bytes(s, &is_special);
    *ret = is_special ? VALUE_PLAIN : VALUE_MAP;
    return err;
}

/* Pass the key and colon of a map's next pair. */
static cn_err take_key(cn_slice *s, cn_slice *ret)
{
    token t = {0};
    cn_err err = next_token(s, &t);
    if (err != CN_OK) {
        return err;
    }
    if (t.kind != TOKEN_TEXT || !take_punct(s, ':')) {
        return t.kind == TOKEN_END ? CN_ERR_TRUNCATED : CN_ERR_MALFORMED;
    }
    *ret = t.text;
    return CN_OK;
}

/* The maps and lists that are open. */
typedef struct nesting {
    uint32_t map[CN_DAGJSON_DEPTH_MAX]; /* number of the map, from 1; 0: a list */
    size_t depth;
    uint32_t maps; /* begun so far */
    cn_keys *keys; /* notes all keys; NULL: not wanted */
} nesting;

static bool innermost_is_map(const nesting *n)
{
    return n->map[n->depth - 1] != 0;
}

static cn_err open_one(nesting *n, bool is_map)
{
    if (n->depth == CN_DAGJSON_DEPTH_MAX) {
        return CN_ERR_TOO_DEEP;
    }
    n->map[n->depth++] = is_map ? ++n->maps : 0;
    return CN_OK;
}

/* Pass key and colon of the innermost map's next pair. */
static cn_err pass_key(cn_slice *s, nesting *n)
{
    cn_slice key = {0};
    cn_err err = take_key(s, &key);
    bool is_noted = err == CN_OK && n->keys != NULL;
    return is_noted ? cn_keys_add(n->keys, n->map[n->depth - 1], key) : err;
}

/* After a value: close what ends here; then in a map read the next key. */
static cn_err after_value(cn_slice *s, nesting *n)
{
    while (n->depth > 0) {
        bool is_map = innermost_is_map(n);
        if (take_punct(s, ',')) {
            return is_map ? pass_key(s, n) : CN_OK;
        }
        if (!take_punct(s, is_map ? '}' : ']')) {
            return s->len == 0 ? CN_ERR_TRUNCATED : CN_ERR_MALFORMED;
        }
        n->depth--;
    }
    return CN_OK;
}

/* Pass over one whole value; `keys` (nullable) notes the keys in it. */
static cn_err skip_value(cn_slice *s, cn_keys *keys)
{
    nesting n;
    cn_cid link;
    n.depth = 0; /* the rest of it is written before it is read */
    n.maps = 0;
    n.keys = keys;
    do {
        value_kind kind = VALUE_PLAIN;
        cn_err err = take_value(s, &kind, &link);
        if (err == CN_OK && (kind == VALUE_LIST || kind == VALUE_MAP)) {
            bool is_empty = take_punct(s, kind == VALUE_MAP ? '}' : ']');
            if (!is_empty) {
                err = open_one(&n, kind == VALUE_MAP);
                if (err == CN_OK && kind == VALUE_MAP) {
                    err = pass_key(s, &n);
                }
                if (err != CN_OK) {
                    return err;
                }
                continue;
            }
        }
        if (err == CN_OK) {
            err = after_value(s, &n);
        }
        if (err != CN_OK) {
            return err;
        }
    } while (n.depth > 0);
    return CN_OK;
}

cn_err cn_dagjson_check(cn_slice block, cn_why *why)
{
    cn_slice s = block;
    token t = {0};
    cn_keys keys;
    cn_slice key = {0};
    char quoted[CN_QUOTE_TEXT_BYTES];
    cn_keys_init(&keys, cn_mem_default(), block, cn_json_text_order);
    cn_err err = skip_value(&s, &keys);
    if (err == CN_OK) {
        err = next_token(&s, &t);
    }
    if (err == CN_OK && t.kind != TOKEN_END) {
        err = CN_ERR_MALFORMED;
    }
    if (err != CN_OK) {
        (void)cn_why_set(
            why, err, "dag-json: %s at byte %zu", cn_err_sentence(err), block.len - s.len);
    } else if (cn_keys_repeated(&keys, &key)) {
        err = cn_why_set(
            why, CN_ERR_MALFORMED, "cannot repeat map key %s", cn_quote_text(key, quoted));
    }
    cn_keys_release(&keys);
    return err;
}

cn_err cn_dagjson_next_link(cn_slice *rest, cn_cid *ret, bool *ret_have)
{
    *ret_have = false;
    for (;;) {
        token t = {0};
        cn_err err = next_token(rest, &t);
        if (err != CN_OK || t.kind == TOKEN_END) {
            return err;
        }
        if (is_punct(&t, '{')) {
            err = take_link(rest, ret, ret_have);
            if (err != CN_OK || *ret_have) {
                return err;
            }
        }
    }
}

static cn_err no_key(cn_slice segment, cn_why *why)
{
    char quoted[CN_QUOTE_TEXT_BYTES];
    return cn_why_set(why, CN_ERR_NO_LINK, "key not found: %s", cn_quote_text(segment, quoted));
}

/* Move `s`, which stands behind an opening bracket, to the value that `segment` names. */
static cn_err enter(cn_slice *s, bool is_map, cn_slice segment, cn_why *why)
{
    uint64_t wanted = 0;
    if (take_punct(s, is_map ? '}' : ']') || (!is_map && cn_num_u64(segment, &wanted) != CN_OK)) {
        return no_key(segment, why);
    }
    for (uint64_t i = 0;; i++) {
        cn_slice key = {0};
        cn_err err = is_map ? take_key(s, &key) : CN_OK;
        if (err != CN_OK) {
            return err;
        }
        if (is_map ? cn_json_text_is(key, segment) : i == wanted) {
            return CN_OK;
        }
        err = skip_value(s, NULL);
        if (err != CN_OK) {
            return err;
        }
        if (!take_punct(s, ',')) {
            return no_key(segment, why);
        }
    }
}

cn_err
cn_dagjson_find(cn_slice block, cn_slice *rest, cn_cid *ret_link, bool *ret_is_link, cn_why *why)
{
    cn_slice s = block;
    for (;;) {
        value_kind kind = VALUE_PLAIN;
        cn_slice after = *rest;
        cn_slice segment = {0};
        cn_err err = take_value(&s, &kind, ret_link);
        if (err != CN_OK) {
            return err;
        }
        *ret_is_link = kind == VALUE_LINK;
        if (kind == VALUE_LINK || !cn_ipfs_path_next(&after, &segment)) {
            return CN_OK;
        }
        if (kind == VALUE_PLAIN) {
            return cn_why_set(
                why, CN_ERR_NO_LINK, "a path goes on below a value that is not a map or a list");
        }
        err = enter(&s, kind == VALUE_MAP, segment, why);
        if (err != CN_OK) {
            return err;
        }
        *rest = after;
    }
}
