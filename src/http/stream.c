/*
 * A stream joins a server thread, which moves bytes between the socket and two rings, and the
 * thread that runs the request. Everything in it is under `lock`.
 *
 * The connection sleeps (suspended) in three places: the body's ring is full; the body is in and
 * the status not known; there is nothing to send. `asleep` says so, and who changes that wakes it.
 * It cannot go away while it sleeps. Two hold the stream: the request and the running thread.
 */
#include "http/internal.h"

typedef enum { AWAKE, ASLEEP } sleep_state;

struct cn_http_stream {
    cn_http_server *server;
    cn_mem *mem;
    cn_http_run run;
    void *ctx;
    cn_lock *lock;
    cn_cond *changed;
    struct MHD_Connection *connection; /* NULL once the request has ended */
    cn_watched *watched;
    struct MHD_Response *response; /* ours; the connection takes its own reference */
    cn_ring body;
    cn_ring answer;
    char *trailer; /* name and value, each with a NUL behind it */
    unsigned holders;
    unsigned status;
    sleep_state sleep;
    bool body_ended;
    bool body_unwanted; /* nobody reads what is left of it */
    bool has_begun;
    bool is_sending; /* the response is queued */
    bool has_ended;
    bool is_aborted;
    atomic_bool is_gone;
    cn_http_stream *next;
    cn_http_stream *next_active;
};

static void stream_free(cn_http_stream *s)
{
    if (s->response != NULL) {
        s->server->mhd->destroy_response(s->response);
    }
    cn_ring_release(&s->body);
    cn_ring_release(&s->answer);
    cn_free(s->mem, s->trailer);
    cn_cond_free(s->changed);
    cn_lock_free(s->lock);
    cn_free(s->mem, s);
}

/* Let go of one hold. Called without the lock. */
static void drop(cn_http_stream *s)
{
    cn_lock_take(s->lock);
    bool last = --s->holders == 0;
    cn_lock_give(s->lock);
    if (last) {
        stream_free(s);
    }
}

static void wake(cn_http_stream *s)
{
    if (s->sleep == ASLEEP) {
        s->sleep = AWAKE;
        cn_watched_sleep(s->watched, false);
        s->server->mhd->resume_connection(s->connection);
    }
}

static void go_to_sleep(cn_http_stream *s)
{
    s->sleep = ASLEEP;
    cn_watched_sleep(s->watched, true);
    s->server->mhd->suspend_connection(s->connection);
}

/* --- on the server's thread --- */

static void add_trailer(cn_http_stream *s)
{
    if (s->trailer != NULL) {
        const char *value = s->trailer + strlen(s->trailer) + 1;
        (void)s->server->mhd->add_response_footer(s->response, s->trailer, value);
        cn_free(s->mem, s->trailer);
        s->trailer = NULL;
    }
}

static ssize_t send_some(void *ctx, uint64_t position, char *data, size_t max)
{
    cn_http_stream *s = ctx;
    ssize_t result = 0;
    CN_UNUSED(position);
    cn_lock_take(s->lock);
    if (s->is_aborted || atomic_load(&s->is_gone)) {
        result = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (s->answer.len > 0) {
        bool was_full = s->answer.len > CN_HTTP_ANSWER_RING_BYTES / 2;
        result = (ssize_t)cn_ring_take(&s->answer, (uint8_t *)data, max);
        if (was_full && s->answer.len <= CN_HTTP_ANSWER_RING_BYTES / 2) {
            cn_cond_wake_all(s->changed);
        }
    } else if (s->has_ended) {
        add_trailer(s);
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        go_to_sleep(s);
    }
    cn_lock_give(s->lock);
    return result;
}

enum MHD_Result cn_http_stream_upload(cn_http_stream *s, const char *data, size_t *size)
{
    enum MHD_Result result = MHD_YES;
    cn_lock_take(s->lock);
    if (atomic_load(&s->is_gone)) {
        result = MHD_NO;
    } else if (s->body_unwanted) {
        *size = 0;
    } else {
        bool was_empty = s->body.len == 0;
        if (cn_ring_grow(&s->body, CN_HTTP_BODY_RING_BYTES) != CN_OK) {
            result = MHD_NO;
        }
        *size -= cn_ring_put(&s->body, cn_slice_of(data, *size));
        if (*size > 0) {
            go_to_sleep(s);
        }
        if (was_empty || *size > 0) {
            cn_cond_wake_all(s->changed);
        }
    }
    cn_lock_give(s->lock);
    return result;
}

enum MHD_Result cn_http_stream_ready(cn_http_stream *s)
{
    enum MHD_Result result = MHD_YES;
    bool queue = false;
    cn_lock_take(s->lock);
    if (!s->body_ended) {
        s->body_ended = true;
        cn_cond_wake_all(s->changed);
    }
    if (s->is_aborted || atomic_load(&s->is_gone)) {
        result = MHD_NO;
    } else if (s->has_begun) {
        s->is_sending = true;
        queue = true;
    } else {
        go_to_sleep(s);
    }
    cn_lock_give(s->lock);
    /* libmicrohttpd locks the response, as it does around send_some: not under our lock. */
    if (queue) {
        result = s->server->mhd->queue_response(s->connection, s->status, s->response);
    }
    return result;
}

void cn_http_stream_detach(cn_http_stream *s)
{
    cn_lock_take(s->lock);
    s->connection = NULL;
    s->watched = NULL;
    s->sleep = AWAKE;
    atomic_store(&s->is_gone, true);
    cn_cond_wake_all(s->changed);
    cn_lock_give(s->lock);
    drop(s);
}

/* --- on the request's thread --- */

cn_err cn_http_stream_read(cn_http_stream *s, uint8_t *data, size_t len, size_t *ret_len)
{
    size_t done = 0;
    cn_lock_take(s->lock);
    while (done < len && !atomic_load(&s->is_gone)) {
        done += cn_ring_take(&s->body, data + done, len - done);
        if (s->body.len <= CN_HTTP_BODY_RING_BYTES / 2 && !s->body_ended) {
            wake(s);
        }
        if (done == len || (s->body_ended && s->body.len == 0)) {
            break;
        }
        if (s->body.len == 0) {
            cn_cond_wait(s->changed, s->lock, -1);
        }
    }
    bool gone = atomic_load(&s->is_gone);
    cn_lock_give(s->lock);
    if (gone) {
        return CN_ERR_CLOSED;
    }
    *ret_len = done;
    return CN_OK;
}

bool cn_http_stream_body_done(cn_http_stream *s)
{
    cn_lock_take(s->lock);
    bool done = s->body_ended && s->body.len == 0;
    cn_lock_give(s->lock);
    return done;
}

cn_http_response *cn_http_stream_response(cn_http_stream *s)
{
    return s->has_begun ? NULL : s->response;
}

void cn_http_stream_begin(cn_http_stream *s, unsigned status)
{
    cn_lock_take(s->lock);
    s->status = status;
    s->has_begun = true;
    if (s->body_ended) {
        wake(s);
    }
    cn_lock_give(s->lock);
}

/* Room for one byte or more; waits, or grows while the body is still coming. */
static cn_err make_room(cn_http_stream *s, size_t wanted)
{
    if (s->answer.cap == 0) {
        return cn_ring_grow(
            &s->answer, CN_MAX(CN_MIN(wanted, (size_t)CN_HTTP_ANSWER_RING_BYTES), (size_t)4096));
    }
    if (s->answer.cap < CN_HTTP_ANSWER_RING_BYTES) {
        return cn_ring_grow(&s->answer, CN_HTTP_ANSWER_RING_BYTES);
    }
    if (!s->body_ended) {
        if (s->answer.cap >= CN_HTTP_HELD_MAX_BYTES) {
            return CN_ERR_TOO_LARGE;
        }
        return cn_ring_grow(&s->answer, s->answer.cap * 2);
    }
    cn_cond_wait(s->changed, s->lock, -1);
    return CN_OK;
}

cn_err cn_http_stream_write(cn_http_stream *s, cn_slice bytes)
{
    cn_err err = CN_OK;
    cn_lock_take(s->lock);
    CN_ASSERT(s->has_begun && !s->has_ended);
    while (bytes.len > 0) {
        if (atomic_load(&s->is_gone)) {
            err = CN_ERR_CLOSED;
            break;
        }
        size_t put = cn_ring_put(&s->answer, bytes);
        bytes = cn_slice_skip(bytes, put);
        if (put > 0 && s->body_ended) {
            wake(s);
        }
        if (bytes.len > 0) {
            err = make_room(s, bytes.len);
            if (err != CN_OK) {
                break;
            }
        }
    }
    cn_lock_give(s->lock);
    return err;
}

/* Nothing more comes from the running thread. */
static void finish(cn_http_stream *s, bool aborted)
{
    s->has_ended = true;
    s->is_aborted = s->is_aborted || aborted;
    s->body_unwanted = true;
    wake(s);
}

void cn_http_stream_end(cn_http_stream *s, const char *trailer, const char *value)
{
    cn_lock_take(s->lock);
    if (trailer != NULL) {
        size_t name_len = strlen(trailer);
        size_t value_len = strlen(value);
        s->trailer = cn_alloc(s->mem, name_len + value_len + 2);
        if (s->trailer != NULL) { /* without memory for it the answer ends all the same */
            cn_copy(s->trailer, trailer, name_len);
            cn_copy(s->trailer + name_len + 1, value, value_len);
        }
    }
    finish(s, false);
    cn_lock_give(s->lock);
}

void cn_http_stream_abort(cn_http_stream *s)
{
    cn_lock_take(s->lock);
    finish(s, true);
    cn_lock_give(s->lock);
}

const atomic_bool *cn_http_stream_cancel_flag(const cn_http_stream *s)
{
    return &s->is_gone;
}

/* --- threads --- */

enum { RUNNER_STACK_BYTES = 512 << 10, IDLE_S = 10 };

cn_err cn_http_runners_init(cn_http_runners *w, cn_mem *mem, unsigned threads_max)
{
    cn_err err = CN_OK;
    *w = (cn_http_runners){.threads_max = threads_max};
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

static void unlist_active(cn_http_runners *w, const cn_http_stream *s)
{
    cn_http_stream **at = &w->active;
    while (*at != s) {
        at = &(*at)->next_active;
    }
    *at = s->next_active;
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
        s->run(s->ctx, s);
        cn_lock_take(s->lock);
        CN_ASSERT(s->has_ended);
        cn_lock_give(s->lock);
        cn_lock_take(w->lock);
        unlist_active(w, s);
        drop(s);
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

static cn_err enqueue(cn_http_runners *w, cn_http_stream *s)
{
    cn_err err = CN_OK;
    cn_lock_take(w->lock);
    bool busy = w->idle == 0 || w->first != NULL;
    if (busy && w->threads < w->threads_max && !start_thread(w) && w->threads == 0) {
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
        s->next_active = w->active;
        w->active = s;
        cn_cond_wake_all(w->more);
    }
    cn_lock_give(w->lock);
    return err;
}

bool cn_http_runners_stop(cn_http_runners *w, int64_t wait_ns)
{
    enum { STEP_NS = 5000000 };
    cn_lock_take(w->lock);
    w->stopping = true;
    for (cn_http_stream *s = w->active; s != NULL; s = s->next_active) {
        cn_lock_take(s->lock);
        atomic_store(&s->is_gone, true);
        wake(s);
        cn_cond_wake_all(s->changed);
        cn_lock_give(s->lock);
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

cn_err cn_http_stream_start(cn_http_request *r, cn_http_run run, void *ctx)
{
    cn_http_server *server = r->server;
    cn_err err = CN_OK;
    CN_ASSERT(r->in_handler && !r->is_answered);
    cn_http_stream *s = cn_alloc(server->mem, sizeof *s);
    if (s == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    s->server = server;
    s->mem = server->mem;
    s->run = run;
    s->ctx = ctx;
    s->connection = r->connection;
    s->watched = r->watched;
    s->holders = 2;
    s->body_ended = !r->has_body;
    cn_ring_init(&s->body, s->mem);
    cn_ring_init(&s->answer, s->mem);
    CN_TRY(cn_lock_new(s->mem, &s->lock));
    CN_TRY(cn_cond_new(s->mem, &s->changed));
    s->response =
        server->mhd->create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, send_some, s, NULL);
    CN_TRY(s->response == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    CN_TRY(enqueue(&server->runners, s));
    r->stream = s;
    r->is_answered = true;
    s = NULL;
out:
    if (s != NULL) {
        stream_free(s);
    }
    return err;
}
