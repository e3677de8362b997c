/*
 * A request's way: cleaned target, method, the few fixed routes, then content: parse the path,
 * resolve it, and serve what lies at its end as a file, a listing or a block.
 */
#include "gateway/internal.h"
#include "http/clean.h"

#include <stdio.h>

/* --- content --- */

/* X-Ipfs-Roots: the root and the CID of each segment. */
static cn_err write_roots(cn_gw_ask *a)
{
    char text[CN_CID_TEXT_BYTES];
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < a->resolve.roots_len; i++) {
        err = cn_buf_printf(
            &a->roots, "%s%s", i == 0 ? "" : ",", cn_cid_text(&a->resolve.roots[i], text));
    }
    return err;
}

static cn_err set_etag(cn_gw_ask *a, const char *prefix, const char *suffix)
{
    char text[CN_CID_TEXT_BYTES];
    cn_buf_reset(&a->etag);
    return cn_buf_printf(&a->etag, "\"%s%s%s\"", prefix, cn_cid_text(&a->cid, text), suffix);
}

/* Walk a parsed path over the blocks held. */
static cn_err resolve(cn_gw_ask *a, const cn_ipfs_path *path, cn_resolve *r)
{
    cn_drive drive;
    cn_pull step = {0};
    cn_drive_init(&drive, a->mem, a->blocks, CN_DRIVE_BLOCK_MAX_BYTES);
    cn_resolve_init(r, a->mem, path);
    cn_err err = cn_drive_next(&drive, &r->pull, &step, &a->why);
    cn_drive_release(&drive);
    return err;
}

/* Serve "index.html" of the directory a->cid, if it has one. */
static cn_err serve_index(cn_gw_ask *a, bool *ret_found)
{
    cn_resolve r = {0};
    cn_ipfs_path path = {.ns = CN_NS_IPFS, .root = a->cid, .rest = cn_str("index.html")};
    cn_err err = resolve(a, &path, &r);
    if (err == CN_OK) {
        cn_cid dir = a->cid;
        a->cid = *cn_resolve_cid(&r);
        err = cn_gw_serve_file(a, cn_str("index.html")); /* with the directory's Etag */
        a->cid = dir;
        *ret_found = err == CN_OK;
        if (err == CN_ERR_WRONG_TYPE) {
            err = CN_OK; /* a directory of that name */
        }
    } else if (err == CN_ERR_NO_LINK || (err == CN_ERR_NOT_FOUND && !a->may_fetch)) {
        err = CN_OK;
    }
    cn_resolve_release(&r);
    return err;
}

static cn_err serve_directory(cn_gw_ask *a)
{
    bool found = false;
    bool done = false;
    cn_err err = CN_OK;
    CN_TRY(cn_gw_not_modified(a, cn_gw_immutable, 0, &done)); /* by the Etag of its CID */
    if (done) {
        goto out;
    }
    if (a->path.data[a->path.len - 1] != '/') {
        return cn_gw_redirect_to_slash(a);
    }
    CN_TRY(serve_index(a, &found));
    if (found) {
        goto out;
    }
    CN_TRY(set_etag(a, "DirIndex-cairn1_CID-", ""));
    CN_TRY(
        cn_gw_not_modified(a, "public, max-age=604800, stale-while-revalidate=2678400", 0, &done));
    if (!done) {
        CN_TRY(cn_gw_serve_listing(a));
    }
out:
    return err;
}

/* The last segment of the path, the CID itself if there is no other. */
static cn_slice last_segment(const cn_gw_ask *a)
{
    cn_slice path = cn_buf_slice(&a->path);
    while (path.len > 0 && path.data[path.len - 1] == '/') {
        path.len--;
    }
    size_t start = path.len;
    while (start > 0 && path.data[start - 1] != '/') {
        start--;
    }
    return cn_slice_skip(path, start);
}

static cn_err serve_default(cn_gw_ask *a)
{
    switch (a->cid.codec) {
    case CN_CODEC_DAG_PB:
    case CN_CODEC_RAW: {
        cn_err err = set_etag(a, "", "");
        if (err == CN_OK) {
            err = cn_gw_serve_file(a, last_segment(a));
        }
        return err == CN_ERR_WRONG_TYPE ? serve_directory(a) : err;
    }
    case CN_CODEC_JSON:
    case CN_CODEC_DAG_JSON: {
        bool dag = a->cid.codec == CN_CODEC_DAG_JSON && a->form != CN_FORM_JSON;
        cn_err err = set_etag(a, "", dag ? ".dag-json" : ".json");
        const char *type = dag ? "application/vnd.ipld.dag-json" : "application/json";
        return err == CN_OK ? cn_gw_serve_block(a, type, "json") : err;
    }
    case CN_CODEC_CBOR:
    case CN_CODEC_DAG_CBOR: {
        bool dag = a->cid.codec == CN_CODEC_DAG_CBOR && a->form != CN_FORM_CBOR;
        cn_err err = set_etag(a, "", dag ? ".dag-cbor" : ".cbor");
        const char *type = dag ? "application/vnd.ipld.dag-cbor" : "application/cbor";
        return err == CN_OK ? cn_gw_serve_block(a, type, "cbor") : err;
    }
    default:
        return cn_gw_error(
            a, 406, "this gateway has no way to show codec 0x%llx",
            (unsigned long long)a->cid.codec);
    }
}

/* The answer in a form other than the default: blocks; the rest is refused. */
static cn_err serve_form(cn_gw_ask *a)
{
    cn_err err = CN_OK;
    const char *name = cn_form_name(a->form);
    if (a->form == CN_FORM_RAW) {
        CN_TRY(set_etag(a, "", ".raw"));
        CN_TRY(cn_gw_serve_block(a, "application/vnd.ipld.raw", "bin"));
        goto out;
    }
    CN_TRY(cn_gw_error(
        a, 406,
        "the form \"%s\" cannot be made of this content by this gateway; ask without it, or for "
        "raw blocks",
        name));
    CN_TRY(cn_gw_path_header(a));
out:
    return err;
}

/* JSON and CBOR asked of a file are the file (IPIP-0524). */
static bool is_default_form(const cn_gw_ask *a)
{
    bool is_unixfs = a->cid.codec == CN_CODEC_DAG_PB || a->cid.codec == CN_CODEC_RAW;
    switch (a->form) {
    case CN_FORM_DEFAULT:
        return true;
    case CN_FORM_JSON:
        return is_unixfs || a->cid.codec == CN_CODEC_JSON || a->cid.codec == CN_CODEC_DAG_JSON;
    case CN_FORM_CBOR:
        return is_unixfs || a->cid.codec == CN_CODEC_CBOR || a->cid.codec == CN_CODEC_DAG_CBOR;
    case CN_FORM_DAG_JSON:
        return a->cid.codec == CN_CODEC_DAG_JSON;
    case CN_FORM_DAG_CBOR:
        return a->cid.codec == CN_CODEC_DAG_CBOR;
    case CN_FORM_RAW:
    case CN_FORM_CAR:
    case CN_FORM_TAR:
    case CN_FORM_IPNS_RECORD:
        break;
    }
    return false;
}

/* Say why a path cannot be resolved. */
static cn_err refuse_path(cn_gw_ask *a, cn_err reason)
{
    unsigned status = 500;
    cn_err err = CN_OK;
    if (reason == CN_ERR_BUSY || (reason == CN_ERR_NOT_FOUND && a->may_fetch && a->wait == NULL)) {
        return reason; /* the handler deals with it */
    }
    if (reason == CN_ERR_TIMEOUT) {
        return cn_gw_too_late(a);
    }
    if (a->wait != NULL && reason == CN_ERR_CLOSED) {
        return cn_gw_too_many(a); /* all of the node together */
    }
    if (reason == CN_ERR_NO_LINK || reason == CN_ERR_NOT_FOUND || reason == CN_ERR_WRONG_TYPE) {
        status = 404;
    } else if (reason == CN_ERR_UNSUPPORTED) {
        status = 406;
    }
    CN_TRY(cn_gw_error(
        a, status, "failed to resolve %.*s: %s", (int)a->path.len, (const char *)a->path.data,
        cn_why_text(&a->why, reason)));
    CN_TRY(cn_gw_path_header(a));
out:
    return err;
}

/* Content-Location: where the form chosen by Accept can be linked to. */
static cn_err content_location(cn_gw_ask *a)
{
    cn_buf text;
    const char *location = NULL;
    cn_err err = CN_OK;
    cn_slice query = cn_url_query(cn_http_target(a->request));
    cn_buf_init(&text, a->mem, 1 << 20);
    CN_TRY(cn_url_encode_path(cn_buf_slice(&a->path), &text));
    CN_TRY(cn_buf_printf(&text, "?format=%s", cn_form_name(a->form)));
    if (query.len > 0) {
        CN_TRY(cn_buf_text(&text, "&"));
        CN_TRY(cn_buf_append(&text, query));
    }
    CN_TRY(cn_buf_cstr(&text, &location));
    CN_TRY(cn_http_response_header(a->response, "Content-Location", location));
out:
    cn_buf_release(&text);
    return err;
}

static void choose_form(cn_gw_ask *a)
{
    const cn_slice *param = cn_query_get(&a->query, "format");
    a->form = param == NULL ? CN_FORM_DEFAULT : cn_form_of_param(*param);
    if (a->form == CN_FORM_DEFAULT) {
        a->form = cn_form_of_accept(cn_http_header(a->request, "Accept"));
        a->form_by_accept = a->form != CN_FORM_DEFAULT;
    }
}

/* Requests that are refused before anything is looked up. */
static cn_err check_before(cn_gw_ask *a, bool *ret_done)
{
    cn_err err = CN_OK;
    bool has_more = a->ipfs.rest.len > 0 || a->path.data[a->path.len - 1] == '/';
    *ret_done = true;
    if (cn_slice_is(cn_http_header(a->request, "Service-Worker"), "script") && !has_more) {
        return cn_gw_error(
            a, 400, "navigator.serviceWorker: registration is not allowed for this scope");
    }
    if (a->form == CN_FORM_IPNS_RECORD) {
        CN_TRY(cn_gw_error(
            a, 400, "%.*s is not an IPNS link", (int)a->path.len, (const char *)a->path.data));
        CN_TRY(cn_gw_path_header(a));
        goto out;
    }
    *ret_done = false;
out:
    return err;
}

static bool only_if_cached(const cn_http_request *r)
{
    return cn_slice_is(cn_http_header(r, "Cache-Control"), "only-if-cached");
}

/* Is only what is here asked for, and is the path or the block at its end not here? */
static bool is_uncached(const cn_gw_ask *a, cn_err resolved)
{
    size_t bytes = 0;
    if (!only_if_cached(a->request)) {
        return false;
    }
    return resolved != CN_OK ||
           cn_blocks_size(a->gateway->options.blocks, cn_resolve_cid(&a->resolve), &bytes) != CN_OK;
}

static cn_err serve_content(cn_gw_ask *a)
{
    bool done = false;
    cn_err err = CN_OK;
    choose_form(a);
    CN_TRY(check_before(a, &done));
    if (done) {
        goto out;
    }
    err = resolve(a, &a->ipfs, &a->resolve);
    if (err != CN_ERR_NO_MEMORY && is_uncached(a, err)) {
        a->wants_html = false;
        return cn_gw_error(
            a, 412, "\"%.*s\" not in local datastore", (int)a->path.len,
            (const char *)a->path.data);
    }
    if (err != CN_OK) {
        return err == CN_ERR_NO_MEMORY ? err : refuse_path(a, err);
    }
    a->cid = *cn_resolve_cid(&a->resolve);
    CN_TRY(write_roots(a));
    if (cn_resolve_remainder(&a->resolve).len > 0) {
        CN_TRY(
            cn_gw_error(a, 501, "the path leads into a block, and what lies there is not a link"));
        CN_TRY(cn_gw_path_header(a));
        goto out;
    }
    err = is_default_form(a) ? serve_default(a) : serve_form(a);
    if (err == CN_ERR_NOT_FOUND || err == CN_ERR_TIMEOUT || err == CN_ERR_MALFORMED ||
        err == CN_ERR_WRONG_TYPE || err == CN_ERR_CORRUPT) {
        return refuse_path(a, err);
    }
    CN_TRY(err);
    if (a->form_by_accept && (a->status == 200 || a->status == 206)) {
        CN_TRY(content_location(a));
    }
out:
    return err;
}

/* --- routes --- */

static cn_err serve_ipfs(cn_gw_ask *a)
{
    bool done = false;
    cn_err err = CN_OK;
    CN_TRY(cn_gw_redirect_doubled(a, &done));
    if (done) {
        goto out;
    }
    err = cn_ipfs_path_parse(cn_buf_slice(&a->path), a->mem, &a->ipfs, &a->why);
    if (err == CN_ERR_NO_MEMORY) {
        goto out;
    }
    if (err != CN_OK) {
        CN_TRY(cn_gw_error(a, 400, "%s", cn_why_text(&a->why, err)));
        goto out;
    }
    CN_TRY(serve_content(a));
out:
    return err;
}

static cn_err serve_version(cn_gw_ask *a)
{
    cn_err err = CN_OK;
    CN_TRY(
        cn_http_response_static(cn_str("Commit: \nClient Version: kubo/0.43.0\n"), &a->response));
    CN_TRY(cn_gw_common_headers(a));
    CN_TRY(cn_http_response_header(a->response, "Content-Type", "text/plain; charset=utf-8"));
    a->status = 200;
out:
    return err;
}

static cn_err redirect_clean(cn_gw_ask *a, bool *ret_done)
{
    cn_slice target = cn_http_target(a->request);
    cn_buf clean;
    const char *text = NULL;
    bool is_clean = true;
    cn_err err = CN_OK;
    cn_buf_init(&clean, a->mem, 1 << 20);
    CN_TRY(cn_http_clean_path(cn_url_path(target), &clean, &is_clean));
    if (is_clean && (cn_slice_is(cn_buf_slice(&clean), "/ipfs") ||
                     cn_slice_is(cn_buf_slice(&clean), "/ipns"))) {
        CN_TRY(cn_buf_byte(&clean, '/'));
        is_clean = false;
    }
    if (!is_clean) {
        CN_TRY(cn_gw_append_query(a, &clean));
        CN_TRY(cn_buf_cstr(&clean, &text));
        CN_TRY(cn_gw_redirect(a, 307, text));
        *ret_done = true;
    }
out:
    cn_buf_release(&clean);
    return err;
}

static cn_err refuse_method(cn_gw_ask *a)
{
    cn_slice method = cn_http_method(a->request);
    cn_err err = CN_OK;
    CN_TRY(cn_gw_error(
        a, 405, "Method %.*s not allowed: read only access", (int)CN_MIN(method.len, (size_t)64),
        (const char *)method.data));
    CN_TRY(cn_http_response_header(a->response, "Allow", "GET"));
    CN_TRY(cn_http_response_header(a->response, "Allow", "HEAD"));
    CN_TRY(cn_http_response_header(a->response, "Allow", "OPTIONS"));
out:
    return err;
}

static cn_err serve_ipns(cn_gw_ask *a)
{
    return cn_gw_error(a, 501, "names (/ipns) cannot be resolved: this node is not on the network");
}

static cn_err route(cn_gw_ask *a)
{
    cn_slice method = cn_http_method(a->request);
    cn_slice path = cn_url_path(cn_http_target(a->request));
    cn_slice decoded = {0};
    bool is_ipfs = false;
    bool is_ipns = false;
    cn_err err = CN_OK;
    bool done = false;
    if (path.len == 0 || path.data[0] != '/' ||
        cn_url_decode(path, false, &a->path) == CN_ERR_MALFORMED ||
        cn_slice_find(cn_buf_slice(&a->path), 0) < a->path.len) {
        return cn_gw_error(a, 400, "400 Bad Request");
    }
    CN_TRY(redirect_clean(a, &done));
    if (done) {
        goto out;
    }
    decoded = cn_buf_slice(&a->path);
    is_ipfs = cn_slice_starts(decoded, cn_str("/ipfs/"));
    is_ipns = cn_slice_starts(decoded, cn_str("/ipns/"));
    if ((is_ipfs || is_ipns) && cn_slice_is(method, "OPTIONS")) {
        CN_TRY(cn_http_response_empty(0, &a->response));
        CN_TRY(cn_gw_common_headers(a));
        a->status = 200;
    } else if ((is_ipfs || is_ipns) && !a->is_head && !cn_slice_is(method, "GET")) {
        CN_TRY(refuse_method(a));
    } else if (is_ipfs || is_ipns) {
        CN_TRY(cn_query_parse(cn_url_query(cn_http_target(a->request)), a->mem, &a->query));
        CN_TRY(cn_gw_redirect_uri(a, &done));
        if (done) {
            goto out;
        }
        CN_TRY(is_ipfs ? serve_ipfs(a) : serve_ipns(a));
    } else if (cn_slice_is(decoded, "/version")) {
        CN_TRY(serve_version(a));
    } else if (cn_slice_is(decoded, "/") && a->gateway->root_redirect != NULL) {
        CN_TRY(cn_gw_redirect(a, 302, a->gateway->root_redirect));
    } else {
        a->wants_html = false;
        CN_TRY(cn_gw_error(a, 404, "404 page not found"));
    }
out:
    return err;
}

/* Nothing but method and target shapes the answer. */
static bool is_plain(const cn_http_request *r)
{
    return cn_slice_is(cn_http_method(r), "GET") && !cn_http_has_body(r) &&
           !cn_http_has_header(r, "Range") && !cn_http_has_header(r, "If-None-Match") &&
           !cn_http_has_header(r, "If-Match") && !cn_http_has_header(r, "Cache-Control") &&
           !cn_http_has_header(r, "Service-Worker") &&
           cn_form_of_accept(cn_http_header(r, "Accept")) == CN_FORM_DEFAULT;
}

static void finish(cn_gw_ask *a, cn_err err)
{
    cn_gateway *g = a->gateway;
    if (err != CN_OK) {
        cn_http_response_free(a->response);
        a->response = NULL;
        err = cn_http_response_static(cn_str("500: out of memory or files\n"), &a->response);
        a->status = 500;
        a->may_cache = false;
    }
    cn_time now = cn_rt_now(g->options.rt);
    if (err == CN_OK && a->may_cache && a->status == 200 &&
        cn_gw_cache_keep(g->cache, now, a->request, a->status, a->response, a->cached_bytes)) {
        return;
    }
    cn_http_answer(a->request, a->status, a->response);
}

/* Give back what `route` made, but the response; it may run again. */
static void release_parts(cn_gw_ask *a)
{
    cn_query_release(&a->query);
    cn_ipfs_path_release(&a->ipfs);
    cn_resolve_release(&a->resolve);
    cn_buf_release(&a->path);
    cn_buf_release(&a->roots);
    cn_buf_release(&a->etag);
    a->query = (cn_query){0};
    a->ipfs = (cn_ipfs_path){0};
    a->resolve = (cn_resolve){0};
}

/* The answer; BUSY: not yet. What is not here is asked of peers when it turns out to be missing. */
static cn_err answer(cn_gw_ask *a)
{
    cn_gw_wait_find(a);
    cn_err err = route(a);
    if (err == CN_ERR_NOT_FOUND && a->may_fetch && a->wait == NULL) {
        release_parts(a);
        cn_http_response_free(a->response);
        a->response = NULL;
        if (cn_gw_waits_are_full(a->gateway)) {
            return cn_gw_too_many(a);
        }
        CN_TRY(cn_gw_wait_open(a));
        err = route(a);
    }
out:
    return err;
}

void cn_gateway_handle(void *gateway, cn_http_request *r)
{
    cn_gateway *g = gateway;
    bool plain = is_plain(r);
    if (plain && cn_gw_cache_answer(g->cache, cn_rt_now(g->options.rt), r)) {
        return;
    }
    cn_gw_ask a = {
        .gateway = g,
        .request = r,
        .mem = g->mem,
        .is_head = cn_slice_is(cn_http_method(r), "HEAD"),
        .wants_html = cn_accepts_html(cn_http_header(r, "Accept")),
        .may_cache = plain,
        .blocks = g->options.blocks,
        .may_fetch = g->options.fetcher != NULL && !only_if_cached(r) && !cn_http_has_body(r),
    };
    cn_buf_init(&a.path, g->mem, 64 << 10);
    cn_buf_init(&a.roots, g->mem, 1 << 20);
    cn_buf_init(&a.etag, g->mem, 1024);
    cn_err err = answer(&a);
    if (err == CN_ERR_BUSY && a.wait != NULL) {
        cn_http_response_free(a.response);
        cn_http_sleep(r, cn_gw_wait_waker(a.wait));
    } else {
        finish(&a, err);
    }
    release_parts(&a);
}
