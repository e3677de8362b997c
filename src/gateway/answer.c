/*
 * Headers, errors and redirects.
 */
#include "gateway/internal.h"

#include <stdio.h>

static const cn_gateway_header cors[] = {
    {"Access-Control-Allow-Headers", "Content-Type"},
    {"Access-Control-Allow-Headers", "Range"},
    {"Access-Control-Allow-Headers", "User-Agent"},
    {"Access-Control-Allow-Headers", "X-Requested-With"},
    {"Access-Control-Allow-Methods", "GET"},
    {"Access-Control-Allow-Methods", "HEAD"},
    {"Access-Control-Allow-Methods", "OPTIONS"},
    {"Access-Control-Allow-Origin", "*"},
    {"Access-Control-Expose-Headers", "Content-Length"},
    {"Access-Control-Expose-Headers", "Content-Range"},
    {"Access-Control-Expose-Headers", "X-Chunked-Output"},
    {"Access-Control-Expose-Headers", "X-Ipfs-Path"},
    {"Access-Control-Expose-Headers", "X-Ipfs-Roots"},
    {"Access-Control-Expose-Headers", "X-Stream-Output"},
};

cn_err cn_gw_header(cn_gw_ask *a, const char *name, const char *format, ...)
{
    cn_buf value;
    const char *text = NULL;
    va_list args;
    cn_buf_init(&value, a->mem, 1 << 20);
    va_start(args, format);
    cn_err err = cn_buf_vprintf(&value, format, args);
    va_end(args);
    if (err == CN_OK) {
        err = cn_buf_cstr(&value, &text);
    }
    if (err == CN_OK) {
        err = cn_http_response_header(a->response, name, text);
    }
    cn_buf_release(&value);
    return err;
}

static bool is_replaced(const cn_gateway *g, const char *name)
{
    for (size_t i = 0; i < g->options.headers_len; i++) {
        if (strcasecmp(g->headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

cn_err cn_gw_common_headers(cn_gw_ask *a)
{
    const cn_gateway *g = a->gateway;
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < CN_LEN(cors); i++) {
        if (g->options.headers_len == 0 || !is_replaced(g, cors[i].name)) {
            err = cn_http_response_header(a->response, cors[i].name, cors[i].value);
        }
    }
    for (size_t i = 0; err == CN_OK && i < g->options.headers_len; i++) {
        err = cn_http_response_header(a->response, g->headers[i].name, g->headers[i].value);
    }
    return err;
}

/* The path with control characters as %XX, which a header cannot hold. */
cn_err cn_gw_path_header(cn_gw_ask *a)
{
    cn_buf text;
    const char *value = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&text, a->mem, 1 << 20);
    for (size_t i = 0; i < a->path.len; i++) {
        uint8_t c = a->path.data[i];
        bool is_control = c < 0x20 || c == 0x7f;
        CN_TRY(is_control ? cn_buf_printf(&text, "%%%02X", c) : cn_buf_byte(&text, c));
    }
    CN_TRY(cn_buf_cstr(&text, &value));
    CN_TRY(cn_http_response_header(a->response, "X-Ipfs-Path", value));
out:
    cn_buf_release(&text);
    return err;
}

cn_err cn_gw_escape_html(cn_slice text, cn_buf *out)
{
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < text.len; i++) {
        switch (text.data[i]) {
        case '&':
            err = cn_buf_text(out, "&amp;");
            break;
        case '<':
            err = cn_buf_text(out, "&lt;");
            break;
        case '>':
            err = cn_buf_text(out, "&gt;");
            break;
        case '"':
            err = cn_buf_text(out, "&#34;");
            break;
        case '\'':
            err = cn_buf_text(out, "&#39;");
            break;
        default:
            err = cn_buf_byte(out, text.data[i]);
            break;
        }
    }
    return err;
}

static const char *status_text(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } texts[] = {
        {301, "Moved Permanently"},
        {307, "Temporary Redirect"},
        {400, "Bad Request"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {416, "Requested Range Not Satisfiable"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
    };
    for (size_t i = 0; i < CN_LEN(texts); i++) {
        if (texts[i].status == status) {
            return texts[i].text;
        }
    }
    return "Error";
}

static cn_err error_page(unsigned status, cn_slice message, cn_buf *out)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_printf(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>%u %s</title>\n<style>\n"
        ":root{color-scheme:light dark}\n"
        "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:12vh auto 0;padding:0 "
        "1.5rem}\n"
        "h1{font-size:1.4rem}p{overflow-wrap:anywhere}small{opacity:.7}\n"
        "</style>\n</head>\n<body>\n<h1>%u %s</h1>\n<p>",
        status, status_text(status), status, status_text(status)));
    CN_TRY(cn_gw_escape_html(message, out));
    CN_TRY(cn_buf_text(out, "</p>\n"));
    if (status == 404) {
        CN_TRY(cn_buf_text(
            out, "<p><small>This node serves what it holds itself. Check the address, or add the "
                 "content to the node first.</small></p>\n"));
    }
    CN_TRY(cn_buf_text(out, "</body>\n</html>\n"));
out:
    return err;
}

cn_err cn_gw_error(cn_gw_ask *a, unsigned status, const char *format, ...)
{
    cn_buf message;
    cn_buf body;
    va_list args;
    cn_err err = CN_OK;
    cn_http_response_free(a->response);
    a->response = NULL;
    cn_buf_init(&message, a->mem, 1 << 20);
    cn_buf_init(&body, a->mem, 8 << 20);
    va_start(args, format);
    err = cn_buf_vprintf(&message, format, args);
    va_end(args);
    CN_TRY(err);
    if (a->wants_html) {
        CN_TRY(error_page(status, cn_buf_slice(&message), &body));
    } else {
        CN_TRY(cn_buf_append(&body, cn_buf_slice(&message)));
        CN_TRY(cn_buf_byte(&body, '\n'));
    }
    CN_TRY(cn_http_response_bytes(cn_buf_slice(&body), &a->response));
    CN_TRY(cn_gw_common_headers(a));
    if (a->wants_html) {
        CN_TRY(cn_gw_header(a, "Content-Type", "text/html"));
    } else {
        CN_TRY(cn_gw_header(a, "Content-Type", "text/plain; charset=utf-8"));
        CN_TRY(cn_gw_header(a, "X-Content-Type-Options", "nosniff"));
    }
    a->status = status;
    a->may_cache = false;
out:
    cn_buf_release(&message);
    cn_buf_release(&body);
    return err;
}

cn_err cn_gw_redirect(cn_gw_ask *a, unsigned status, const char *location)
{
    cn_buf body;
    cn_err err = CN_OK;
    cn_buf_init(&body, a->mem, 1 << 20);
    CN_TRY(cn_buf_text(&body, "<a href=\""));
    CN_TRY(cn_gw_escape_html(cn_str(location), &body));
    CN_TRY(cn_buf_printf(&body, "\">%s</a>.\n\n", status_text(status)));
    CN_TRY(cn_http_response_bytes(cn_buf_slice(&body), &a->response));
    CN_TRY(cn_gw_common_headers(a));
    CN_TRY(cn_gw_header(a, "Content-Type", "text/html; charset=utf-8"));
    CN_TRY(cn_gw_header(a, "Location", "%s", location));
    a->status = status;
out:
    cn_buf_release(&body);
    return err;
}

cn_err
cn_gw_not_modified(cn_gw_ask *a, const char *cache_control, uint64_t size_bytes, bool *ret_done)
{
    cn_err err = CN_OK;
    const char *etag = NULL;
    cn_slice listed = cn_http_header(a->request, "If-None-Match");
    bool same = cn_etag_listed(listed, cn_buf_slice(&a->etag));
    if (same) {
        CN_TRY(cn_http_response_empty((int64_t)size_bytes, &a->response));
        CN_TRY(cn_gw_common_headers(a));
        CN_TRY(cn_gw_header(a, "Cache-Control", "%s", cache_control));
        CN_TRY(cn_buf_cstr(&a->etag, &etag));
        CN_TRY(cn_gw_header(a, "Etag", "%s", etag));
        CN_TRY(cn_gw_path_header(a));
        a->status = 304;
    }
    *ret_done = same;
out:
    return err;
}
