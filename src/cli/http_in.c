/*
 * Response reader. Invariant: between calls `line` holds the part of a line that has arrived, and
 * is empty in the states that read a body.
 */
#include "cli/http_in.h"

#include "base/num.h"

void cn_http_in_init(
    cn_http_in *h, cn_mem *mem, cn_err (*body)(void *ctx, cn_slice bytes), void *ctx)
{
    *h = (cn_http_in){.content_bytes = UINT64_MAX, .body = body, .ctx = ctx};
    cn_buf_init(&h->line, mem, CN_HTTP_IN_LINE_MAX);
    cn_buf_init(&h->stream_error, mem, CN_HTTP_IN_LINE_MAX);
}

void cn_http_in_release(cn_http_in *h)
{
    cn_buf_release(&h->line);
    cn_buf_release(&h->stream_error);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool is_name(cn_slice s, const char *name)
{
    size_t i = 0;
    while (i < s.len && name[i] != '\0' && lower(s.data[i]) == (uint8_t)name[i]) {
        i++;
    }
    return i == s.len && name[i] == '\0';
}

static cn_slice trimmed(cn_slice s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s = cn_slice_skip(s, 1);
    }
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

static cn_err take_status(cn_http_in *h, cn_slice line)
{
    uint64_t status = 0;
    if (!cn_slice_starts(line, cn_str("HTTP/1.")) || line.len < 12 ||
        cn_num_u64(cn_slice_head(cn_slice_skip(line, 9), 3), &status) != CN_OK) {
        return CN_ERR_MALFORMED;
    }
    h->status = (int)status;
    h->state = CN_HTTP_IN_HEADER;
    return CN_OK;
}

static cn_err take_field(cn_http_in *h, cn_slice line)
{
    size_t colon = cn_slice_find(line, ':');
    cn_slice name = cn_slice_head(line, colon);
    cn_slice value = trimmed(cn_slice_skip(line, colon + 1));
    if (colon == line.len) {
        return CN_ERR_MALFORMED;
    }
    if (is_name(name, "transfer-encoding")) {
        h->chunked = is_name(value, "chunked");
    } else if (is_name(name, "content-length")) {
        h->has_length = true;
        return cn_num_u64(value, &h->left);
    } else if (is_name(name, "x-content-length")) {
        return cn_num_u64(value, &h->content_bytes);
    } else if (is_name(name, "content-type")) {
        value = trimmed(cn_slice_head(value, cn_slice_find(value, ';')));
        h->is_json = is_name(value, "application/json");
    } else if (is_name(name, "x-stream-error")) {
        cn_buf_reset(&h->stream_error);
        return cn_buf_append(&h->stream_error, value);
    }
    return CN_OK;
}

/* The empty line behind the headers. */
static void begin_body(cn_http_in *h)
{
    if (h->status >= 100 && h->status < 200) {
        h->state = CN_HTTP_IN_STATUS;
        return;
    }
    h->state = h->chunked                      ? CN_HTTP_IN_CHUNK_SIZE
               : h->has_length && h->left == 0 ? CN_HTTP_IN_DONE
                                               : CN_HTTP_IN_BODY;
}

static cn_err take_chunk_size(cn_http_in *h, cn_slice line)
{
    cn_slice digits = trimmed(cn_slice_head(line, cn_slice_find(line, ';')));
    uint64_t size = 0;
    if (digits.len == 0 || digits.len > 15) {
        return CN_ERR_MALFORMED;
    }
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t c = lower(digits.data[i]);
        bool decimal = c >= '0' && c <= '9';
        if (!decimal && (c < 'a' || c > 'f')) {
            return CN_ERR_MALFORMED;
        }
        size = size * 16 + (uint64_t)(decimal ? c - '0' : c - 'a' + 10);
    }
    h->left = size;
    h->state = size == 0 ? CN_HTTP_IN_TRAILER : CN_HTTP_IN_CHUNK;
    return CN_OK;
}

static cn_err take_line(cn_http_in *h, cn_slice line)
{
    switch (h->state) {
    case CN_HTTP_IN_STATUS:
        return take_status(h, line);
    case CN_HTTP_IN_HEADER:
        if (line.len > 0) {
            return take_field(h, line);
        }
        begin_body(h);
        return CN_OK;
    case CN_HTTP_IN_CHUNK_SIZE:
        return take_chunk_size(h, line);
    case CN_HTTP_IN_CHUNK_END:
        h->state = CN_HTTP_IN_CHUNK_SIZE;
        return line.len == 0 ? CN_OK : CN_ERR_MALFORMED;
    case CN_HTTP_IN_TRAILER:
        if (line.len > 0) {
            return take_field(h, line);
        }
        h->state = CN_HTTP_IN_DONE;
        return CN_OK;
    case CN_HTTP_IN_BODY:
    case CN_HTTP_IN_CHUNK:
    case CN_HTTP_IN_DONE:
    default:
        return CN_ERR_BUG;
    }
}

/* Gather a line from *s; when it is whole, take it. */
static cn_err feed_line(cn_http_in *h, cn_slice *s)
{
    size_t end = cn_slice_find(*s, '\n');
    cn_err err = cn_buf_append(&h->line, cn_slice_head(*s, end));
    bool whole = end < s->len;
    *s = cn_slice_skip(*s, end + 1);
    if (err != CN_OK || !whole) {
        return err;
    }
    cn_slice line = cn_buf_slice(&h->line);
    if (line.len > 0 && line.data[line.len - 1] == '\r') {
        line.len--;
    }
    err = take_line(h, line);
    cn_buf_reset(&h->line);
    return err;
}

static cn_err feed_body(cn_http_in *h, cn_slice *s)
{
    bool bounded = h->state == CN_HTTP_IN_CHUNK || h->has_length;
    cn_slice piece = bounded && h->left < s->len ? cn_slice_head(*s, (size_t)h->left) : *s;
    *s = cn_slice_skip(*s, piece.len);
    if (bounded) {
        h->left -= piece.len;
        if (h->left == 0) {
            h->state = h->state == CN_HTTP_IN_CHUNK ? CN_HTTP_IN_CHUNK_END : CN_HTTP_IN_DONE;
        }
    }
    return h->body(h->ctx, piece);
}

cn_err cn_http_in_feed(cn_http_in *h, cn_slice bytes)
{
    cn_err err = CN_OK;
    while (err == CN_OK && bytes.len > 0 && h->state != CN_HTTP_IN_DONE) {
        bool body = h->state == CN_HTTP_IN_BODY || h->state == CN_HTTP_IN_CHUNK;
        err = body ? feed_body(h, &bytes) : feed_line(h, &bytes);
    }
    return err;
}

cn_err cn_http_in_end(cn_http_in *h)
{
    if (h->state == CN_HTTP_IN_BODY && !h->has_length) {
        h->state = CN_HTTP_IN_DONE;
    }
    return h->state == CN_HTTP_IN_DONE ? CN_OK : CN_ERR_TRUNCATED;
}
