/*
 * Waiting for peers: a fetch that never waits itself, and rings the request's waker when something
 * has come. The handler is called again then and finds what it lacked in the store.
 *
 * Everything here but `ready` runs on the connection's own thread.
 */
#include "gateway/internal.h"

struct cn_gw_wait {
    cn_gateway *gateway;
    cn_fetch *fetch;
    cn_http_waker *waker;
    unsigned holders;
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
        cn_free(w->gateway->mem, w);
    }
}

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
    a->blocks = cn_fetch_blocks(w->fetch);
}

cn_err cn_gw_wait_open(cn_gw_ask *a)
{
    cn_gateway *g = a->gateway;
    cn_fetch_options options = {
        .fetcher = g->options.fetcher, .mem = g->mem, .deadline = deadline(g), .ready = ready};
    cn_err err = CN_OK;
    cn_gw_wait *w = cn_alloc(g->mem, sizeof *w);
    if (w == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    w->gateway = g;
    w->holders = 1;
    options.ctx = w;
    CN_TRY(cn_http_waker_new(a->request, &w->waker));
    CN_TRY(cn_fetch_open(&options, &w->fetch, &a->why));
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
    cn_fetch_set_deadline(w->fetch, deadline(w->gateway));
}

cn_err cn_gw_too_late(cn_gw_ask *a)
{
    cn_slice report = cn_str(cn_why_text(&a->why, CN_ERR_TIMEOUT));
    cn_err err = CN_OK;
    while (report.len > 0 && report.data[report.len - 1] == '\n') {
        report.len--;
    }
    CN_TRY(cn_gw_error(
        a, 504, "Unable to retrieve content within timeout period: %.*s", (int)report.len,
        (const char *)report.data));
    CN_TRY(cn_gw_path_header(a));
out:
    return err;
}
