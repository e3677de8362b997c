/*
 * Segments are taken as sent, before decoding: "%2e%2e" is a name like others.
 */
#include "http/clean.h"

enum { REDIRECT_MAX_BYTES = 1 << 20 };

cn_err cn_http_clean_path(cn_slice path, cn_buf *clean, bool *ret_is_clean)
{
    size_t start = clean->len;
    cn_slice rest = cn_slice_skip(path, path.len > 0 && path.data[0] == '/' ? 1 : 0);
    cn_err err = cn_buf_byte(clean, '/');
    while (err == CN_OK && rest.len > 0) {
        size_t len = cn_slice_find(rest, '/');
        cn_slice segment = cn_slice_head(rest, len);
        bool has_slash = len < rest.len;
        rest = cn_slice_skip(rest, len + 1);
        if (segment.len == 0 || cn_slice_is(segment, ".")) {
            continue;
        }
        if (cn_slice_is(segment, "..")) {
            clean->len -= clean->len > start + 1 ? 1 : 0;
            while (clean->len > start + 1 && clean->data[clean->len - 1] != '/') {
                clean->len--;
            }
            continue;
        }
        err = cn_buf_append(clean, segment);
        if (err == CN_OK && has_slash) {
            err = cn_buf_byte(clean, '/');
        }
    }
    /* "." and ".." at the end leave no slash behind them */
    bool ends_so = path.len > 0 && path.data[path.len - 1] != '/';
    if (err == CN_OK && ends_so && clean->len > start + 1 && clean->data[clean->len - 1] == '/') {
        clean->len--;
    }
    *ret_is_clean = cn_slice_eq(path, cn_slice_skip(cn_buf_slice(clean), start));
    return err;
}

/* The location as a header can carry it. */
static cn_err escape_url(cn_slice in, cn_buf *out)
{
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < in.len; i++) {
        uint8_t c = in.data[i];
        bool is_odd = c <= ' ' || c >= 0x7f;
        err = is_odd ? cn_buf_printf(out, "%%%02X", (unsigned)c) : cn_buf_byte(out, c);
    }
    return err;
}

static cn_err escape_html(cn_slice in, cn_buf *out)
{
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < in.len; i++) {
        uint8_t c = in.data[i];
        const char *entity = c == '&'    ? "&amp;"
                             : c == '<'  ? "&lt;"
                             : c == '>'  ? "&gt;"
                             : c == '"'  ? "&#34;"
                             : c == '\'' ? "&#39;"
                                         : NULL;
        err = entity != NULL ? cn_buf_text(out, entity) : cn_buf_byte(out, c);
    }
    return err;
}

cn_err cn_http_response_redirect(
    cn_mem *mem, cn_slice method, const char *reason, cn_slice location, cn_http_response **ret)
{
    cn_buf url;
    cn_buf page;
    const char *text = NULL;
    cn_http_response *resp = NULL;
    bool has_page = cn_slice_is(method, "GET") || cn_slice_is(method, "HEAD");
    cn_err err = CN_OK;
    cn_buf_init(&url, mem, REDIRECT_MAX_BYTES);
    cn_buf_init(&page, mem, REDIRECT_MAX_BYTES);
    CN_TRY(escape_url(location, &url));
    CN_TRY(cn_buf_cstr(&url, &text));
    if (has_page) {
        CN_TRY(cn_buf_text(&page, "<a href=\""));
        CN_TRY(escape_html(cn_buf_slice(&url), &page));
        CN_TRY(cn_buf_printf(&page, "\">%s</a>.\n\n", reason));
        CN_TRY(cn_http_response_bytes(cn_buf_slice(&page), &resp));
    } else {
        CN_TRY(cn_http_response_empty(0, &resp));
    }
    CN_TRY(cn_http_response_header(resp, "Location", text));
    if (has_page) {
        CN_TRY(cn_http_response_header(resp, "Content-Type", "text/html; charset=utf-8"));
    }
    *ret = resp;
    resp = NULL;
out:
    cn_http_response_free(resp);
    cn_buf_release(&url);
    cn_buf_release(&page);
    return err;
}
