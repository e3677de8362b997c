/*
 * Percent signs and query strings. A query's names and values lie one after the other in its
 * `text`, each with a NUL behind it; its size is bounded before, so the buffer never moves.
 */
#include "http/url.h"

cn_slice cn_url_path(cn_slice target)
{
    return cn_slice_head(target, cn_slice_find(target, '?'));
}

cn_slice cn_url_query(cn_slice target)
{
    return cn_slice_skip(cn_slice_skip(target, cn_slice_find(target, '?')), 1);
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

cn_err cn_url_decode(cn_slice in, bool plus, cn_buf *out)
{
    cn_err err = cn_buf_reserve(out, in.len);
    for (size_t i = 0; err == CN_OK && i < in.len; i++) {
        uint8_t c = in.data[i];
        if (c == '%') {
            int high = i + 2 < in.len ? hex_value(in.data[i + 1]) : -1;
            int low = i + 2 < in.len ? hex_value(in.data[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return CN_ERR_MALFORMED;
            }
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        err = cn_buf_byte(out, c);
    }
    return err;
}

static bool is_unreserved(uint8_t c)
{
    uint8_t letter = c | 0x20;
    return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '~';
}

static cn_err encode(cn_slice in, const char *also, cn_buf *out)
{
    static const char digits[] = "0123456789ABCDEF";
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < in.len; i++) {
        uint8_t c = in.data[i];
        if (is_unreserved(c) || (c != '\0' && strchr(also, c) != NULL)) {
            err = cn_buf_byte(out, c);
        } else {
            uint8_t triple[] = {'%', (uint8_t)digits[c >> 4], (uint8_t)digits[c & 15]};
            err = cn_buf_append(out, cn_slice_of(triple, sizeof triple));
        }
    }
    return err;
}

cn_err cn_url_encode_path(cn_slice in, cn_buf *out)
{
    return encode(in, "$&+,/:;=@", out);
}

cn_err cn_url_encode_segment(cn_slice in, cn_buf *out)
{
    return encode(in, "$&+:=@", out);
}

cn_err cn_url_encode_component(cn_slice in, cn_buf *out)
{
    return encode(in, "", out);
}

/* One "name=value"; leaves it out if it cannot be read. */
static cn_err add_pair(cn_query *q, cn_slice pair, size_t *cap)
{
    size_t start = q->text.len;
    size_t name_len = cn_slice_find(pair, '=');
    if (pair.len == 0 || cn_slice_find(pair, ';') < pair.len) {
        return CN_OK;
    }
    cn_err err = cn_url_decode(cn_slice_head(pair, name_len), true, &q->text);
    size_t name_end = q->text.len;
    if (err == CN_OK) {
        err = cn_buf_byte(&q->text, 0);
    }
    size_t value_start = q->text.len;
    if (err == CN_OK) {
        err = cn_url_decode(cn_slice_skip(pair, name_len + 1), true, &q->text);
    }
    size_t value_end = q->text.len;
    if (err == CN_OK) {
        err = cn_buf_byte(&q->text, 0);
    }
    if (err == CN_ERR_MALFORMED) {
        q->text.len = start;
        return CN_OK;
    }
    if (err != CN_OK) {
        return err;
    }
    void *params = q->params;
    err = cn_array_grow(q->mem, &params, cap, q->len, CN_QUERY_PARAMS_MAX, sizeof *q->params);
    q->params = params;
    if (err == CN_OK) {
        q->params[q->len++] = (cn_query_param){
            cn_slice_of(q->text.data + start, name_end - start),
            cn_slice_of(q->text.data + value_start, value_end - value_start)};
    }
    return err;
}

cn_err cn_query_parse(cn_slice text, cn_mem *mem, cn_query *ret)
{
    cn_query q = {.mem = mem};
    size_t cap = 0;
    cn_err err = CN_OK;
    cn_buf_init(&q.text, mem, 2 * text.len + 2);
    CN_TRY(text.len == 0 ? CN_OK : cn_buf_reserve(&q.text, 2 * text.len + 2));
    while (text.len > 0) {
        size_t len = cn_slice_find(text, '&');
        CN_TRY(add_pair(&q, cn_slice_head(text, len), &cap));
        text = cn_slice_skip(text, len + 1);
    }
    *ret = q;
    return CN_OK;
out:
    cn_query_release(&q);
    return err;
}

void cn_query_release(cn_query *q)
{
    cn_buf_release(&q->text);
    if (q->mem != NULL) {
        cn_free(q->mem, q->params);
    }
    *q = (cn_query){0};
}

const cn_slice *cn_query_get(const cn_query *q, const char *name)
{
    for (size_t i = 0; i < q->len; i++) {
        if (cn_slice_is(q->params[i].name, name)) {
            return &q->params[i].value;
        }
    }
    return NULL;
}
