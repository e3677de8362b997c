/*
 * From an HTTP request to a command: routes, the guard, the query; then a thread runs it (job.c).
 * The order of checks is Kubo's: version guard, authorization, CORS preflight, method, origin,
 * path, query.
 */
#include "rpc/internal.h"

#include "cmd/version.h"
#include "http/clean.h"

#include <stdio.h>

static cn_err host_node(cn_call_host *h, struct cn_node **ret, cn_why *why)
{
    cn_rpc *rpc = (cn_rpc *)h;
    CN_UNUSED(why);
    *ret = rpc->options.node;
    return CN_OK;
}

static cn_err host_shutdown(cn_call_host *h, cn_why *why)
{
    cn_rpc *rpc = (cn_rpc *)h;
    CN_UNUSED(why);
    rpc->options.shutdown(rpc->options.ctx);
    return CN_OK;
}

static const cn_call_host_ops host_ops = {.node = host_node, .shutdown = host_shutdown};

cn_err cn_rpc_new(const cn_rpc_options *options, cn_rpc **ret)
{
    cn_rpc *rpc = cn_alloc(options->mem, sizeof *rpc);
    if (rpc == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    rpc->options = *options;
    rpc->host = (cn_call_host){
        .ops = &host_ops,
        .rt = options->rt,
        .mem = options->mem,
        .repo_path = options->repo_path,
        .program = options->program,
        .in_daemon = true,
        .stall_ns = options->stall_ns,
    };
    cn_err err = cn_guard_new(options->mem, options->config, &rpc->guard);
    if (err == CN_OK) {
        err = cn_stalls_init(&rpc->stalls, options->mem);
    }
    if (err != CN_OK) {
        cn_rpc_free(rpc);
        return err;
    }
    *ret = rpc;
    return CN_OK;
}

void cn_rpc_free(cn_rpc *rpc)
{
    if (rpc != NULL) {
        cn_guard_free(rpc->guard);
        cn_stalls_release(&rpc->stalls);
        cn_free(rpc->options.mem, rpc);
    }
}

cn_err cn_rpc_allow_port(cn_rpc *rpc, uint16_t port)
{
    return cn_guard_allow_port(rpc->guard, port);
}

/* The config's API.HTTPHeaders but for the CORS ones, which the guard reads. */
static cn_err config_headers(const cn_rpc *rpc, cn_http_response *resp)
{
    const cn_json *headers = cn_config_get(rpc->options.config, "API.HTTPHeaders");
    cn_buf text;
    cn_err err = CN_OK;
    if (headers == NULL || headers->kind != CN_JSON_OBJECT) {
        return CN_OK;
    }
    cn_buf_init(&text, rpc->options.mem, 64 << 10);
    for (const cn_json *h = headers->first; err == CN_OK && h != NULL; h = h->next) {
        if (cn_slice_starts(h->key, cn_str("Access-Control-")) || h->kind != CN_JSON_ARRAY) {
            continue;
        }
        for (const cn_json *v = h->first; err == CN_OK && v != NULL; v = v->next) {
            cn_buf_reset(&text);
            CN_TRY(cn_buf_append(&text, h->key));
            CN_TRY(cn_buf_byte(&text, 0));
            CN_TRY(cn_buf_append(&text, v->text));
            CN_TRY(cn_buf_byte(&text, 0));
            const char *name = (const char *)text.data;
            err = cn_http_response_header(resp, name, name + h->key.len + 1);
        }
    }
out:
    cn_buf_release(&text);
    return err;
}

static cn_err
origin_headers(const cn_rpc *rpc, cn_http_response *resp, cn_slice origin, bool credentials)
{
    char text[1024];
    cn_err err = CN_OK;
    CN_UNUSED(rpc);
    if (origin.len > 0 && origin.len < sizeof text) {
        cn_copy(text, origin.data, origin.len);
        text[origin.len] = '\0';
        err = cn_http_response_header(resp, "Access-Control-Allow-Origin", text);
        if (err == CN_OK && credentials) {
            err = cn_http_response_header(resp, "Access-Control-Allow-Credentials", "true");
        }
    }
    return err;
}

cn_err
cn_rpc_common_headers(const cn_rpc *rpc, cn_http_response *resp, cn_slice origin, bool credentials)
{
    cn_err err = config_headers(rpc, resp);
    return err == CN_OK ? origin_headers(rpc, resp, origin, credentials) : err;
}

typedef struct ask {
    cn_rpc *rpc;
    cn_http_request *request;
    cn_guard_ask guard;
    cn_slice origin; /* to be named in the answer: the page's own, "*", or nothing */
    cn_buf path;     /* decoded */
    bool is_inside;  /* past authorization: the config's headers and those for pages are due */
    bool bad_encoding;
    bool is_broken;  /* not a request that any route was asked for */
    bool no_command; /* the config's headers are those of commands */
    cn_http_response *response;
} ask;

/* An answer of plain text. */
static cn_err plain(ask *a, unsigned status, const char *text)
{
    cn_err err = CN_OK;
    CN_TRY(cn_http_response_bytes(cn_str(text), &a->response));
    if (a->is_inside) {
        CN_TRY((a->no_command ? origin_headers : cn_rpc_common_headers)(
            a->rpc, a->response, a->origin, cn_guard_allows_credentials(a->rpc->guard)));
        CN_TRY(cn_http_response_header(a->response, "Vary", "Origin"));
    }
    CN_TRY(cn_http_response_header(a->response, "Content-Type", "text/plain; charset=utf-8"));
    if (status >= 400 && !a->is_broken) {
        CN_TRY(cn_http_response_header(a->response, "X-Content-Type-Options", "nosniff"));
    }
    if (a->bad_encoding) {
        CN_TRY(cn_http_response_header(a->response, "Server", "kubo/" CN_KUBO_VERSION));
    }
    if (status == 405) {
        CN_TRY(cn_http_response_header(a->response, "Allow", "OPTIONS, POST"));
    }
    cn_http_answer(a->request, status, a->response);
    a->response = NULL;
out:
    return err;
}

static cn_err redirect(ask *a, cn_slice to)
{
    cn_slice method = cn_http_method(a->request);
    cn_err err = cn_http_response_redirect(
        a->rpc->options.mem, method, "Temporary Redirect", to, &a->response);
    if (err == CN_OK) {
        cn_http_answer(a->request, 307, a->response);
        a->response = NULL;
    }
    return err;
}

/* A path that is not clean is answered with the one that is. */
static cn_err redirect_clean(ask *a, bool *ret_done)
{
    cn_slice target = cn_http_target(a->request);
    cn_slice query = cn_url_query(target);
    cn_buf clean;
    bool is_clean = false;
    cn_err err = CN_OK;
    cn_buf_init(&clean, a->rpc->options.mem, 1 << 20);
    CN_TRY(cn_http_clean_path(cn_url_path(target), &clean, &is_clean));
    if (!is_clean) {
        CN_TRY(query.len == 0 ? CN_OK : cn_buf_byte(&clean, '?'));
        CN_TRY(cn_buf_append(&clean, query));
        CN_TRY(redirect(a, cn_buf_slice(&clean)));
    }
    *ret_done = !is_clean;
out:
    cn_buf_release(&clean);
    return err;
}

/* An answer without body or headers of its own. */
static cn_err bare(ask *a, unsigned status)
{
    cn_err err = cn_http_response_empty(0, &a->response);
    if (err == CN_OK) {
        cn_http_answer(a->request, status, a->response);
        a->response = NULL;
    }
    return err;
}

static bool is_named(cn_slice name, const char *wanted)
{
    size_t i = 0;
    while (i < name.len && name.data[i] == ' ') {
        i++;
    }
    for (; i < name.len && *wanted != '\0'; i++, wanted++) {
        uint8_t c = name.data[i];
        if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != (uint8_t)*wanted) {
            return false;
        }
    }
    return i == name.len && *wanted == '\0';
}

/* May a page send these headers? Those that Kubo lets through when the config names none. */
static bool are_usual(cn_slice headers)
{
    static const char *const usual[] = {"origin", "accept", "content-type", "x-requested-with"};
    while (headers.len > 0) {
        size_t len = cn_slice_find(headers, ',');
        cn_slice one = cn_slice_head(headers, len);
        bool found = one.len == 0;
        headers = cn_slice_skip(headers, len + 1);
        for (size_t i = 0; i < CN_LEN(usual); i++) {
            found = found || is_named(one, usual[i]);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

/* OPTIONS: what a page may do. */
static cn_err preflight(ask *a)
{
    static const char vary[] =
        "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    cn_slice method = cn_http_header(a->request, "Access-Control-Request-Method");
    cn_slice headers = cn_http_header(a->request, "Access-Control-Request-Headers");
    char text[2048];
    cn_err err = CN_OK;
    CN_TRY(cn_http_response_empty(0, &a->response));
    if (method.len == 0) {
        CN_TRY(cn_http_response_header(a->response, "Allow", "OPTIONS, POST"));
        CN_TRY(cn_http_response_header(a->response, "Vary", "Origin"));
        CN_TRY(origin_headers(
            a->rpc, a->response, a->origin, cn_guard_allows_credentials(a->rpc->guard)));
    } else {
        CN_TRY(cn_http_response_header(a->response, "Vary", vary));
        if (a->origin.len > 0 && cn_guard_allows_method(a->rpc->guard, method) &&
            are_usual(headers)) {
            (void)snprintf(
                text, sizeof text, "%.*s", (int)CN_MIN(method.len, (size_t)64),
                (const char *)method.data);
            CN_TRY(cn_http_response_header(a->response, "Access-Control-Allow-Methods", text));
            (void)snprintf(
                text, sizeof text, "%.*s", (int)CN_MIN(headers.len, sizeof text - 1),
                (const char *)headers.data);
            CN_TRY(cn_http_response_header(a->response, "Access-Control-Allow-Headers", text));
            CN_TRY(origin_headers(
                a->rpc, a->response, a->origin, cn_guard_allows_credentials(a->rpc->guard)));
        }
    }
    cn_http_answer(a->request, 204, a->response);
    a->response = NULL;
out:
    return err;
}

/* 400 with the sentence, as Kubo ends it with a line break. */
static cn_err refuse(ask *a, unsigned status, const char *sentence)
{
    cn_buf text;
    const char *cstr = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&text, a->rpc->options.mem, 64 << 10);
    CN_TRY(cn_buf_printf(&text, "%s\n", sentence));
    CN_TRY(cn_buf_cstr(&text, &cstr));
    CN_TRY(plain(a, status, cstr));
out:
    cn_buf_release(&text);
    return err;
}

/* Read the request and start its thread; answers what cannot be run. */
static cn_err start(ask *a, cn_slice path)
{
    cn_rpc *rpc = a->rpc;
    cn_why why = {0};
    cn_slice boundary = {0};
    cn_err err = CN_OK;
    cn_slice type = cn_http_header(a->request, "Content-Type");
    cn_job *j = cn_alloc(rpc->options.mem, sizeof *j);
    if (j == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    j->rpc = rpc;
    cn_request_init(&j->request, rpc->options.mem);
    cn_buf_init(&j->content_type, rpc->options.mem, 4096);
    cn_buf_init(&j->origin, rpc->options.mem, 4096);
    j->credentials = cn_guard_allows_credentials(rpc->guard);
    bool has_files = cn_multipart_boundary(type, &boundary) == CN_OK;
    const char *refusal = has_files ? NULL : cn_multipart_refusal(type);
    cn_slice query = cn_url_query(cn_http_target(a->request));
    err = cn_request_from_query(&j->request, path, query, has_files || refusal != NULL, &why);
    if (err == CN_OK && refusal != NULL) {
        err = cn_why_set(&why, CN_ERR_USAGE, "%s", refusal);
    }
    bool read = err == CN_OK;
    if (read) {
        err = cn_request_encoding(&j->request, false, &j->encoding, &why);
    }
    if (err == CN_ERR_NOT_FOUND) {
        a->no_command = true;
        err = plain(a, 404, "404 page not found\n");
        goto out;
    }
    if (err == CN_ERR_NO_MEMORY) {
        goto out;
    }
    if (err != CN_OK) {
        a->bad_encoding = read;
        err = refuse(a, 400, cn_why_text(&why, err));
        goto out;
    }
    CN_TRY(cn_buf_append(&j->content_type, has_files ? type : (cn_slice){0}));
    CN_TRY(cn_buf_append(&j->origin, a->origin));
    cn_stall_begin(
        &j->stall, &rpc->stalls, rpc->options.mem, cn_http_header(a->request, CN_STALL_HEADER));
    CN_TRY(cn_http_stream_start(a->request, &(cn_http_task){cn_job_run, cn_job_free, j}));
    j = NULL;
out:
    cn_job_free(j);
    return err;
}

/* What the call that the header names has to say to those who wait for it. */
static cn_err serve_waiting(ask *a)
{
    cn_buf report;
    cn_slice name = cn_http_header(a->request, CN_STALL_HEADER);
    cn_err err = CN_OK;
    cn_buf_init(&report, a->rpc->options.mem, CN_STALL_REPORT_MAX_BYTES);
    CN_TRY(cn_stalls_take(&a->rpc->stalls, name, &report));
    CN_TRY(cn_http_response_bytes(cn_buf_slice(&report), &a->response));
    CN_TRY(cn_http_response_header(a->response, "Content-Type", "text/plain; charset=utf-8"));
    cn_http_answer(a->request, 200, a->response);
    a->response = NULL;
out:
    cn_buf_release(&report);
    return err;
}

/* A command, or what one that runs has to say. */
static cn_err serve_api(ask *a, cn_slice path)
{
    cn_slice method = cn_http_method(a->request);
    cn_why why = {0};
    cn_guard *guard = a->rpc->guard;
    if (cn_guard_version(&a->guard, &why) != CN_OK) {
        return refuse(a, 400, why.text);
    }
    if (cn_guard_authorize(guard, &a->guard) != CN_OK) {
        return refuse(
            a, 403,
            "Kubo RPC Access Denied: Please provide a valid authorization token as defined in the "
            "API.Authorizations configuration.");
    }
    a->is_inside = true;
    if (cn_slice_is(method, "OPTIONS")) {
        return preflight(a);
    }
    if (!cn_slice_is(method, "POST")) {
        return plain(a, 405, "405 - Method Not Allowed\n");
    }
    if (cn_guard_check(guard, &a->guard) != CN_OK) {
        return plain(a, 403, "403 - Forbidden\n");
    }
    return cn_slice_is(a->guard.path, CN_STALL_PATH) ? serve_waiting(a) : start(a, path);
}

/* Does the path as sent begin with the segments "api" and "v0", each maybe with escapes in it? */
static bool is_api(cn_slice raw, cn_slice path)
{
    static const char prefix[] = "/api/v0/";
    size_t slashes = 0;
    size_t len = 0;
    for (size_t i = 0; i < raw.len && slashes < 3; i++) {
        slashes += raw.data[i] == '/' ? 1 : 0;
        len += raw.data[i] == '%' ? -(size_t)1 : 1; /* a triple is one byte */
    }
    return slashes == 3 && len == sizeof prefix - 1 && cn_slice_starts(path, cn_str(prefix));
}

static cn_err route(ask *a)
{
    cn_slice raw = cn_url_path(cn_http_target(a->request));
    cn_slice prefix = cn_str("/api/v0/");
    cn_slice path = {0};
    bool done = false;
    if (cn_slice_is(cn_http_method(a->request), "CONNECT")) {
        return bare(a, 200); /* Kubo says so; there is no tunnel */
    }
    if (cn_slice_is(cn_http_target(a->request), "*")) {
        return bare(a, cn_slice_is(cn_http_method(a->request), "OPTIONS") ? 200 : 400);
    }
    if (!cn_slice_starts(raw, cn_str("/")) || cn_url_decode(raw, false, &a->path) != CN_OK) {
        a->is_broken = true;
        return plain(a, 400, "400 Bad Request");
    }
    cn_err err = redirect_clean(a, &done);
    if (err != CN_OK || done) {
        return err;
    }
    path = cn_buf_slice(&a->path);
    a->guard.path = path;
    if (is_api(raw, path)) {
        return serve_api(a, cn_slice_skip(path, prefix.len));
    }
    if (cn_slice_is(path, CN_STALL_PATH)) {
        return serve_api(a, (cn_slice){0});
    }
    if (cn_slice_is(path, "/api/v0")) {
        return redirect(a, prefix);
    }
    if (cn_slice_is(path, "/version")) {
        return plain(a, 200, "Commit: \nClient Version: kubo/" CN_KUBO_VERSION "\n");
    }
    if (cn_slice_is(path, "/webui")) {
        return redirect(a, cn_str("/webui/"));
    }
    if (cn_slice_starts(path, cn_str("/webui/"))) {
        return plain(
            a, 503,
            "The web UI is not on this node: it is content of its own that has to be fetched from "
            "the network, which is not built yet.\n");
    }
    return plain(a, 404, "404 page not found\n");
}

void cn_rpc_handle(void *rpc, cn_http_request *r)
{
    bool any = false;
    ask a = {
        .rpc = rpc,
        .request = r,
        .guard =
            {
                .has_origin = cn_http_has_header(r, "Origin"),
                .origin = cn_http_header(r, "Origin"),
                .has_referer = cn_http_has_header(r, "Referer"),
                .referer = cn_http_header(r, "Referer"),
                .user_agent = cn_http_header(r, "User-Agent"),
                .authorization = cn_http_header(r, "Authorization"),
            },
    };
    if (a.guard.origin.len > 0 && cn_guard_allows_origin(a.rpc->guard, a.guard.origin, &any)) {
        a.origin = any && !cn_guard_allows_credentials(a.rpc->guard) ? cn_str("*") : a.guard.origin;
    }
    cn_buf_init(&a.path, a.rpc->options.mem, 64 << 10);
    cn_err err = route(&a);
    if (err != CN_OK) {
        cn_http_response_free(a.response);
        cn_http_answer(r, 500, NULL);
    }
    cn_buf_release(&a.path);
}
