/*
 * The threads of streams. Who waits for a slow client for long leaves its place, so `threads -
 * left` threads work at most, `threads_max` of them but for those that have just come back. Locks:
 * the runners' is taken before a stream's, never within.
 */
#include "http/internal.h"

enum { RUNNER_STACK_BYTES = 512 << 10, IDLE_S = 10 };

cn_err
cn_http_runners_init(cn_http_runners *w, cn_mem *mem, unsigned threads_max, unsigned stalled_s)
{
    cn_err err = CN_OK;
    *w = (cn_http_runners){
        .threads_max = threads_max, .stalled_ns = (int64_t)stalled_s * CN_NS_PER_S};
    CN_TRY(cn_lock_new(mem, &w->lock));
    CN_TRY(cn_cond_new(mem, &w->more));
out:
    if (err != CN_OK) {
        cn_http_runners_release(w);
    }
    return err;
}

void cn_http_runners_release(cn_http_runners *w)
{
    cn_cond_free(w->more);
    cn_lock_free(w->lock);
    *w = (cn_http_runners){0};
}

static void list(cn_http_runners *w, cn_http_stream *s)
{
    if (!s->is_listed) {
        s->is_listed = true;
        s->next_active = w->active;
        w->active = s;
    }
}

static void unlist(cn_http_runners *w, cn_http_stream *s)
{
    cn_http_stream **at = &w->active;
    while (*at != s) {
        at = &(*at)->next_active;
    }
    *at = s->next_active;
    s->is_listed = false;
}

static void *serve(void *arg)
{
    cn_http_runners *w = arg;
    cn_lock_take(w->lock);
    for (;;) {
        if (w->first == NULL && !w->stopping) {
            w->idle++;
            cn_cond_wait(w->more, w->lock, IDLE_S * CN_NS_PER_S);
            w->idle--;
        }
        cn_http_stream *s = w->first;
        if (s == NULL) {
            break;
        }
        w->first = s->next;
        cn_lock_give(w->lock);
        s->task.run(s->task.ctx, s);
        cn_lock_take(s->lock);
        CN_ASSERT(s->has_ended);
        cn_lock_give(s->lock);
        cn_lock_take(w->lock);
        unlist(w, s);
        cn_http_stream_drop(s);
    }
    w->threads--;
    cn_cond_wake_all(w->more);
    cn_lock_give(w->lock);
    return NULL;
}

static bool start_thread(cn_http_runners *w)
{
    pthread_attr_t attr;
    pthread_t thread;
    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    bool good = pthread_attr_setstacksize(&attr, RUNNER_STACK_BYTES) == 0 &&
                pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
                pthread_create(&thread, &attr, serve, w) == 0;
    (void)pthread_attr_destroy(&attr);
    w->threads += good ? 1 : 0;
    return good;
}

static bool is_full(const cn_http_runners *w)
{
    return w->threads >= w->threads_max * (1 + CN_HTTP_WAITING_TIMES);
}

/* May one more thread work now? */
static bool has_place(const cn_http_runners *w)
{
    return !is_full(w) && w->threads - w->left < w->threads_max;
}

/* No thread can be had: take that of the client which has kept one waiting longest. */
static void cut_stalled(cn_http_runners *w)
{
    cn_http_stream *longest = NULL;
    for (cn_http_stream *s = w->active; s != NULL; s = s->next_active) {
        bool is_longer = longest == NULL || s->left_ns < longest->left_ns;
        longest = s->has_left && is_longer ? s : longest;
    }
    if (longest != NULL && cn_http_now_ns() - longest->left_ns >= w->stalled_ns) {
        cn_http_stream_cut(longest);
    }
}

void cn_http_runners_look(void *runners)
{
    cn_http_runners *w = runners;
    cn_lock_take(w->lock);
    if (w->first != NULL && w->idle == 0 && is_full(w)) {
        cut_stalled(w);
    }
    cn_lock_give(w->lock);
}

cn_err cn_http_runners_list(cn_http_runners *w, cn_http_stream *s)
{
    cn_lock_take(w->lock);
    cn_err err = w->stopping ? CN_ERR_CLOSED : CN_OK;
    if (err == CN_OK) {
        list(w, s);
    }
    cn_lock_give(w->lock);
    return err;
}

void cn_http_runners_forget(cn_http_runners *w, cn_http_stream *s)
{
    cn_lock_take(w->lock);
    unlist(w, s);
    cn_lock_give(w->lock);
}

cn_err cn_http_runners_give(cn_http_runners *w, cn_http_stream *s)
{
    cn_err err = CN_OK;
    cn_lock_take(w->lock);
    bool busy = w->idle == 0 || w->first != NULL;
    if (busy && has_place(w) && !start_thread(w) && w->threads == 0) {
        err = CN_ERR_BUSY;
    }
    if (w->stopping) {
        err = CN_ERR_CLOSED;
    }
    if (err == CN_OK) {
        if (w->first == NULL) {
            w->first = s;
        } else {
            w->last->next = s;
        }
        w->last = s;
        list(w, s);
        cn_cond_wake_all(w->more);
    }
    cn_lock_give(w->lock);
    return err;
}

void cn_http_runners_leave(cn_http_runners *w, cn_http_stream *s)
{
    cn_lock_take(w->lock);
    s->has_left = true;
    s->left_ns = cn_http_now_ns();
    w->left++;
    if (w->first != NULL && w->idle == 0 && has_place(w)) {
        (void)start_thread(w); /* without one, the next to end or to start takes it */
    }
    cn_lock_give(w->lock);
}

void cn_http_runners_return(cn_http_runners *w, cn_http_stream *s)
{
    cn_lock_take(w->lock);
    s->has_left = false;
    w->left--;
    cn_lock_give(w->lock);
}

bool cn_http_runners_stop(cn_http_runners *w, int64_t wait_ns)
{
    enum { STEP_NS = 5000000 };
    cn_lock_take(w->lock);
    w->stopping = true;
    for (cn_http_stream *s = w->active; s != NULL; s = s->next_active) {
        cn_http_stream_cut(s);
    }
    cn_cond_wake_all(w->more);
    while (w->threads > 0 && wait_ns > 0) {
        cn_cond_wait(w->more, w->lock, STEP_NS);
        wait_ns -= STEP_NS;
    }
    bool ended = w->threads == 0;
    cn_lock_give(w->lock);
    return ended;
}
