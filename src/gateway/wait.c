/*
 * Waiting for peers: a fetch that never waits itself, and rings the request's waker when something
 * has come. The handler is called again then and finds what it lacked in the store.
 *
 * Everything here but `ready` runs on the connection's own thread.
 */
#include "gateway/internal.h"

enum { REPORT_MAX_BYTES = 128 << 10, AGAIN_S = 60 };

struct cn_gw_wait {
    cn_blocks blocks; /* first: cast back from it */
    cn_gateway *gateway;
    cn_fetch *fetch; /* NULL until something was missing */
    cn_http_waker *waker;
    unsigned holders;
    cn_time deadline; /* of the fetch to come */
};

static void ready(void *ctx)
{
    cn_http_wake(((cn_gw_wait *)ctx)->waker);
}

void cn_gw_wait_hold(cn_gw_wait *w)
{
    w->holders++;
}

void cn_gw_wait_drop(cn_gw_wait *w)
{
    if (w != NULL && --w->holders == 0) {
        cn_fetch_close(w->fetch); /* `ready` is not called any more */
        cn_http_waker_release(w->waker);
        (void)atomic_fetch_sub(&w->gateway->waits, 1);
        cn_free(w->gateway->mem, w);
    }
}

/* --- blocks: those here without asking anybody, from the first that is missing on by the fetch ---
 */

static cn_err open_fetch(cn_gw_wait *w, cn_why *why)
{
    const cn_fetch_options options = {
        .fetcher = w->gateway->options.fetcher,
        .mem = w->gateway->mem,
        .deadline = w->deadline,
        .ready = ready,
        .ctx = w,
    };
    if (w->fetch != NULL) {
        return CN_OK;
    }
    cn_err err = cn_fetch_open(&options, &w->fetch, why);
    /* TOO_LARGE would look like a block that is */
    return err == CN_ERR_TOO_LARGE ? CN_ERR_CLOSED : err;
}

static cn_err get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
{
    cn_gw_wait *w = (cn_gw_wait *)b;
    cn_err err = CN_OK;
    if (w->fetch == NULL) {
        err = cn_blocks_get(w->gateway->options.blocks, cid, ret, why);
        if (err != CN_ERR_NOT_FOUND) {
            return err;
        }
        err = open_fetch(w, why);
    }
    return err == CN_OK ? cn_blocks_get(cn_fetch_blocks(w->fetch), cid, ret, why) : err;
}

static cn_err size(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes)
{
    return cn_blocks_size(((cn_gw_wait *)b)->gateway->options.blocks, cid, ret_bytes);
}

static cn_err put(cn_blocks *b, const cn_cid *cid, cn_slice data, cn_why *why)
{
    return cn_blocks_put(((cn_gw_wait *)b)->gateway->options.blocks, cid, data, why);
}

static void get_many(cn_blocks *b, const cn_cid *cids, size_t len, cn_buf *rets, cn_err *ret_errs)
{
    cn_blocks_get_many(((cn_gw_wait *)b)->gateway->options.blocks, cids, len, rets, ret_errs);
}

static void expect(cn_blocks *b, const cn_cid *cids, size_t len)
{
    cn_gw_wait *w = (cn_gw_wait *)b;
    if (w->fetch != NULL) {
        cn_blocks_expect(cn_fetch_blocks(w->fetch), cids, len);
    }
}

static const cn_blocks_ops blocks_ops = {
    .get = get, .size = size, .put = put, .get_many = get_many, .expect = expect};

/* --- */

static void drop_state(void *state)
{
    cn_gw_wait_drop(state);
}

static cn_time deadline(const cn_gateway *g)
{
    return g->options.retrieval_ns <= 0
               ? CN_TIME_NEVER
               : cn_time_after(cn_rt_now(g->options.rt), g->options.retrieval_ns);
}

static void use(cn_gw_ask *a, cn_gw_wait *w)
{
    a->wait = w;
    a->blocks = &w->blocks;
}

cn_err cn_gw_wait_open(cn_gw_ask *a)
{
    cn_gateway *g = a->gateway;
    cn_err err = CN_OK;
    cn_gw_wait *w = cn_alloc(g->mem, sizeof *w);
    if (w == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    w->blocks.ops = &blocks_ops;
    w->gateway = g;
    (void)atomic_fetch_add(&g->waits, 1);
    w->holders = 1;
    w->deadline = deadline(g);
    CN_TRY(cn_http_waker_new(a->request, &w->waker));
    cn_http_set_state(a->request, w, drop_state);
    use(a, w);
    w = NULL;
out:
    cn_gw_wait_drop(w);
    return err;
}

void cn_gw_wait_find(cn_gw_ask *a)
{
    cn_gw_wait *w = cn_http_state(a->request);
    if (w != NULL) {
        use(a, w);
    }
}

cn_http_waker *cn_gw_wait_waker(const cn_gw_wait *w)
{
    return w->waker;
}

void cn_gw_wait_begin(cn_gw_wait *w)
{
    w->deadline = deadline(w->gateway);
    if (w->fetch != NULL) {
        cn_fetch_set_deadline(w->fetch, w->deadline);
    }
}

cn_err cn_gw_too_late(cn_gw_ask *a)
{
    cn_buf text;
    cn_slice report = {0};
    cn_err err = CN_OK;
    cn_buf_init(&text, a->mem, REPORT_MAX_BYTES);
    if (a->wait != NULL && a->wait->fetch != NULL) {
        CN_TRY(cn_fetch_report_late(a->wait->fetch, &text));
    }
    report = text.len > 0 ? cn_buf_slice(&text) : cn_str(cn_why_text(&a->why, CN_ERR_TIMEOUT));
    while (report.len > 0 && report.data[report.len - 1] == '\n') {
        report.len--;
    }
    CN_TRY(cn_gw_error(
        a, 504, "Unable to retrieve content within timeout period: %.*s", (int)report.len,
        (const char *)report.data));
    CN_TRY(cn_gw_path_header(a));
out:
    cn_buf_release(&text);
    return err;
}

bool cn_gw_waits_are_full(cn_gateway *g)
{
    return g->options.waits_max > 0 && atomic_load(&g->waits) >= g->options.waits_max;
}

cn_err cn_gw_too_many(cn_gw_ask *a)
{
    cn_err err = CN_OK;
    CN_TRY(cn_gw_error(a, 429, "Too many requests. Please retry after %d seconds.", AGAIN_S));
    CN_TRY(cn_gw_header(a, "Retry-After", "%d", AGAIN_S));
    CN_TRY(cn_gw_header(a, "Cache-Control", "no-store"));
out:
    return err;
}
