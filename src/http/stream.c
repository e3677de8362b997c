/*
 * A stream joins a server thread, which moves bytes between the socket and two rings, and the
 * thread that runs the request. Everything in it is under `lock`.
 *
 * The connection sleeps (suspended) in three places: the body's ring is full; the body is in and
 * the status not known; there is nothing to send. `asleep` says so, and who changes that wakes it.
 * It cannot go away while it sleeps. Two hold the stream: the request and the running thread.
 */
#include "http/internal.h"

enum {
    /*
     * So much of a body must have come, or all of it, before a thread is taken: one that stalls
     * with less costs only its bytes.
     */
    START_BYTES = 64 << 10,
    BODY_STEP_BYTES = 4 << 10, /* the body's ring at first */
};

/* A thread that waits longer for its client leaves its place to another. */
#define PLACE_KEPT_NS (20 * CN_NS_PER_MS)
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

void cn_http_stream_drop(cn_http_stream *s)
{
    cn_lock_take(s->lock);
    bool last = --s->holders == 0;
    cn_lock_give(s->lock);
    if (last) {
        stream_free(s);
    }
}

/* Tell the running thread, if it waits, that something has changed. */
static void notify(cn_http_stream *s)
{
    s->changes++;
    cn_cond_wake_all(s->changed);
}

/* Let a sleeping connection go on. */
static void wake(cn_http_stream *s)
{
    if (s->is_asleep) {
        s->is_asleep = false;
        cn_watched_sleep(s->watched, false);
        s->server->mhd->resume_connection(s->connection);
    }
}

static void go_to_sleep(cn_http_stream *s)
{
    s->is_asleep = true;
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
            notify(s);
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

/* Room in the body's ring for what has come: little while no thread reads it, see START_BYTES. */
static cn_err make_body_room(cn_http_stream *s, size_t len)
{
    size_t cap = CN_MAX(s->body.cap, (size_t)BODY_STEP_BYTES);
    while (cap < CN_HTTP_BODY_RING_BYTES && cap < s->body.len + len) {
        cap *= 2;
    }
    return cn_ring_grow(&s->body, cap);
}

/* Have a thread run it. Called without the lock. */
static enum MHD_Result launch(cn_http_stream *s)
{
    s->is_launched = cn_http_runners_give(&s->server->runners, s) == CN_OK;
    return s->is_launched ? MHD_YES : MHD_NO;
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
        if (make_body_room(s, *size) != CN_OK) {
            result = MHD_NO;
        }
        *size -= cn_ring_put(&s->body, cn_slice_of(data, *size));
        if (*size > 0) {
            go_to_sleep(s);
        }
        if (was_empty || *size > 0) {
            notify(s);
        }
    }
    bool is_due = result == MHD_YES && !s->is_launched && s->body.len >= START_BYTES;
    cn_lock_give(s->lock);
    return is_due ? launch(s) : result;
}

enum MHD_Result cn_http_stream_ready(cn_http_stream *s)
{
    enum MHD_Result result = MHD_YES;
    bool queue = false;
    cn_lock_take(s->lock);
    if (!s->body_ended) {
        s->body_ended = true;
        notify(s);
    }
    cn_lock_give(s->lock);
    if (!s->is_launched && launch(s) == MHD_NO) {
        return MHD_NO;
    }
    cn_lock_take(s->lock);
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
    s->is_asleep = false;
    atomic_store(&s->is_gone, true);
    notify(s);
    cn_lock_give(s->lock);
    if (!s->is_launched) { /* what the client began never became a request */
        cn_http_runners_forget(&s->server->runners, s);
        s->task.discard(s->task.ctx);
        cn_http_stream_drop(s);
    }
    cn_http_stream_drop(s);
}

void cn_http_stream_cut(cn_http_stream *s)
{
    cn_lock_take(s->lock);
    atomic_store(&s->is_gone, true);
    cn_watched_cut(s->watched);
    wake(s);
    notify(s);
    cn_lock_give(s->lock);
}

/* --- on the request's thread --- */

/*
 * Wait until something changes. Who waits for long gives up his place among those that run, so
 * that clients which stall hold back no others.
 */
static void wait_for_client(cn_http_stream *s)
{
    cn_http_runners *w = &s->server->runners;
    unsigned seen = s->changes;
    cn_cond_wait(s->changed, s->lock, PLACE_KEPT_NS);
    if (s->changes != seen) {
        return;
    }
    cn_lock_give(s->lock);
    cn_http_runners_leave(w, s);
    cn_lock_take(s->lock);
    while (s->changes == seen && !atomic_load(&s->is_gone)) {
        cn_cond_wait(s->changed, s->lock, -1);
    }
    cn_lock_give(s->lock);
    cn_http_runners_return(w, s);
    cn_lock_take(s->lock);
}

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
            wait_for_client(s);
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
    wait_for_client(s);
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

bool cn_http_stream_has_left(cn_http_stream *s)
{
    cn_lock_take(s->lock);
    bool left = atomic_load(&s->is_gone) ||
                (s->body_ended && s->watched != NULL && cn_watched_has_left(s->watched));
    cn_lock_give(s->lock);
    return left;
}

const atomic_bool *cn_http_stream_cancel_flag(const cn_http_stream *s)
{
    return &s->is_gone;
}

/* --- the start --- */

cn_err cn_http_stream_start(cn_http_request *r, const cn_http_task *task)
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
    s->task = *task;
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
    if (r->has_body) {
        CN_TRY(cn_http_runners_list(&server->runners, s));
    } else {
        CN_TRY(cn_http_runners_give(&server->runners, s));
        s->is_launched = true;
    }
    r->stream = s;
    r->is_answered = true;
    s = NULL;
out:
    if (s != NULL) {
        stream_free(s);
    }
    return err;
}
