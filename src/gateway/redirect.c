/*
 * Requests that are sent to another address: where the content really lies, or what a browser's
 * protocol handler was asked for.
 */
#include "gateway/internal.h"

cn_err cn_gw_append_query(const cn_gw_ask *a, cn_buf *out)
{
    cn_slice query = cn_url_query(cn_http_target(a->request));
    cn_err err = query.len > 0 ? cn_buf_byte(out, '?') : CN_OK;
    return err == CN_OK ? cn_buf_append(out, query) : err;
}

cn_err cn_gw_redirect_to_slash(cn_gw_ask *a)
{
    cn_buf location;
    const char *text = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&location, a->mem, 1 << 20);
    CN_TRY(cn_url_encode_path(cn_buf_slice(&a->path), &location));
    CN_TRY(cn_buf_text(&location, "/"));
    CN_TRY(cn_gw_append_query(a, &location));
    CN_TRY(cn_buf_cstr(&location, &text));
    CN_TRY(cn_gw_redirect(a, 301, text));
    CN_TRY(cn_gw_path_header(a));
    CN_TRY(cn_buf_cstr(&a->roots, &text));
    CN_TRY(cn_gw_header(a, "X-Ipfs-Roots", "%s", text));
out:
    cn_buf_release(&location);
    return err;
}

cn_err cn_gw_redirect_doubled(cn_gw_ask *a, bool *ret_done)
{
    cn_slice path = cn_buf_slice(&a->path);
    cn_buf location;
    cn_ipfs_path inner = {0};
    const char *text = NULL;
    cn_err err = CN_OK;
    bool is_name = cn_slice_starts(path, cn_str("/ipfs/ipns/")) && path.len > 11;
    if (!is_name && !cn_slice_starts(path, cn_str("/ipfs/ipfs/"))) {
        return CN_OK;
    }
    path = cn_slice_skip(path, 5);
    if (!is_name && cn_ipfs_path_parse(path, a->mem, &inner, NULL) != CN_OK) {
        return CN_OK;
    }
    cn_ipfs_path_release(&inner);
    cn_buf_init(&location, a->mem, 1 << 20);
    CN_TRY(cn_url_encode_path(path, &location));
    CN_TRY(cn_gw_append_query(a, &location));
    CN_TRY(cn_buf_cstr(&location, &text));
    CN_TRY(cn_gw_redirect(a, 301, text));
    *ret_done = true;
out:
    cn_buf_release(&location);
    return err;
}

/* "ipfs" or "ipns" in any case of letters, with "://" behind; empty if it is neither. */
static cn_slice scheme_of(cn_slice uri)
{
    static const char *const schemes[] = {"ipfs", "ipns"};
    for (size_t i = 0; i < CN_LEN(schemes); i++) {
        if (uri.len > 7 && cn_slice_starts(cn_slice_skip(uri, 4), cn_str("://")) &&
            strncasecmp((const char *)uri.data, schemes[i], 4) == 0) {
            return cn_str(schemes[i]);
        }
    }
    return (cn_slice){0};
}

/* "/ipfs/CID/path?query" of "ipfs://CID/path?query#fragment"; MALFORMED as cn_url_decode. */
static cn_err write_location(cn_gw_ask *a, cn_slice scheme, cn_slice rest, cn_buf *out)
{
    cn_buf path;
    cn_err err = CN_OK;
    cn_buf_init(&path, a->mem, 64 << 10);
    rest = cn_slice_head(rest, cn_slice_find(rest, '#'));
    CN_TRY(cn_url_decode(cn_url_path(rest), false, &path));
    CN_TRY(cn_buf_byte(out, '/'));
    CN_TRY(cn_buf_append(out, scheme));
    CN_TRY(cn_buf_byte(out, '/'));
    CN_TRY(cn_url_encode_path(cn_buf_slice(&path), out));
    if (cn_url_query(rest).len > 0) {
        CN_TRY(cn_buf_byte(out, '?'));
        CN_TRY(cn_url_encode_segment(cn_url_query(rest), out));
    }
out:
    cn_buf_release(&path);
    return err;
}

cn_err cn_gw_redirect_uri(cn_gw_ask *a, bool *ret_done)
{
    const cn_slice *uri = cn_query_get(&a->query, "uri");
    cn_buf location;
    const char *text = NULL;
    cn_err err = CN_OK;
    if (uri == NULL || uri->len == 0) {
        return CN_OK;
    }
    *ret_done = true;
    cn_slice scheme = scheme_of(*uri);
    if (scheme.len == 0) {
        return cn_gw_error(a, 400, "uri query parameter scheme must be ipfs or ipns");
    }
    cn_buf_init(&location, a->mem, 1 << 20);
    err = write_location(a, scheme, cn_slice_skip(*uri, 7), &location);
    if (err == CN_ERR_MALFORMED) {
        err = cn_gw_error(a, 400, "failed to parse uri query parameter");
        goto out;
    }
    CN_TRY(err);
    CN_TRY(cn_buf_cstr(&location, &text));
    CN_TRY(cn_gw_redirect(a, 301, text));
out:
    cn_buf_release(&location);
    return err;
}
