/*
 * The life of a server and of a request. libmicrohttpd calls on_target when the request line is
 * there (that makes the request), on_request when the headers are, for each piece of the body, and
 * at the request's end; on_completed last.
 */
#include "http/internal.h"

#include <time.h>
#include <unistd.h>

enum {
    DEFAULT_CONNECTIONS = 4096,
    DEFAULT_CONNECTION_BYTES = 32 << 10,
    DEFAULT_IDLE_S = 60,
    DEFAULT_HEADER_S = 30,
    DEFAULT_STREAM_S = 3600,
    DEFAULT_STREAMS = 64,
    DEFAULT_STALLED_S = 10,
    THREAD_STACK_BYTES = 256 << 10,
};

static void on_connection(
    void *ctx,
    struct MHD_Connection *connection,
    void **watched,
    enum MHD_ConnectionNotificationCode code)
{
    cn_http_server *s = ctx;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        cn_watch_remove(&s->watch, *watched);
        *watched = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        s->mhd->get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *watched = info == NULL ? NULL : cn_watch_add(&s->watch, info->connect_fd);
}

static cn_watched *watched_of(const cn_http_server *s, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        s->mhd->get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

static void *on_target(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    cn_http_server *s = ctx;
    cn_slice target = cn_str(uri);
    if (target.len > 0 && target.data[0] != '/') { /* absolute form, as proxies send it */
        cn_slice rest = target;
        while (rest.len > 0 && !cn_slice_starts(rest, cn_str("://"))) {
            rest = cn_slice_skip(rest, 1);
        }
        rest = cn_slice_skip(rest, 3);
        rest = cn_slice_skip(rest, cn_slice_find(rest, '/'));
        target = rest.len > 0 ? rest : target;
    }
    cn_http_request *r = cn_alloc_dirty(s->mem, sizeof *r + target.len + 1);
    if (r == NULL) {
        return NULL;
    }
    *r = (cn_http_request){.server = s, .connection = connection, .target_len = target.len};
    r->watched = watched_of(s, connection);
    cn_watched_enter(&s->watch, r->watched, CN_WATCHED_HEADERS);
    cn_copy(r->target, target.data, target.len);
    r->target[target.len] = '\0';
    (void)atomic_fetch_add_explicit(&s->running, 1, memory_order_relaxed);
    return r;
}

/* Hand the answer that waits to libmicrohttpd. */
static enum MHD_Result queue_pending(cn_http_request *r)
{
    if (r->is_queued) {
        return MHD_YES;
    }
    if (r->is_cut || r->pending == NULL) {
        return MHD_NO;
    }
    r->is_queued = true;
    return r->server->mhd->queue_response(r->connection, r->pending_status, r->pending);
}

/* Commands may wait long for their input, and people for the next page of output. */
static void set_timeout(const cn_http_request *r, unsigned seconds)
{
    (void)r->server->mhd->set_connection_option(
        r->connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

static enum MHD_Result begin(cn_http_request *r)
{
    r->has_begun = true;
    for (bool again = true; again;) {
        r->sleeps_on = NULL;
        r->in_handler = true;
        r->server->options.handle(r->server->options.ctx, r);
        r->in_handler = false;
        if (r->sleeps_on == NULL) {
            break;
        }
        cn_http_slept slept = cn_http_waker_sleep(r->sleeps_on);
        if (slept == CN_HTTP_SLEEPS) {
            r->has_begun = false; /* it is called again when the connection is resumed */
            return MHD_YES;
        }
        again = slept == CN_HTTP_GOES_ON;
    }
    if (r->is_cut || !r->is_answered) {
        return MHD_NO;
    }
    if (r->stream != NULL) {
        set_timeout(r, r->server->options.stream_timeout_s);
    }
    return MHD_YES;
}

static bool is_small_body(const cn_http_request *r)
{
    cn_slice length = cn_http_header(r, "Content-Length");
    return length.len > 0 && length.len <= 5; /* below 100,000 */
}

/* The headers are there. */
static enum MHD_Result on_headers(cn_http_request *r, const char *method)
{
    r->method = method;
    cn_watched_enter(&r->server->watch, r->watched, CN_WATCHED_BODY);
    cn_slice length = cn_http_header(r, "Content-Length");
    r->has_body = cn_http_has_header(r, "Transfer-Encoding") ||
                  !(length.len == 0 || cn_slice_is(length, "0"));
    if (!r->has_body) {
        return MHD_YES; /* the next call follows at once; answering there keeps the connection */
    }
    if (begin(r) == MHD_NO) {
        return MHD_NO;
    }
    if (r->is_queued || (r->stream == NULL && !is_small_body(r))) {
        cn_watched_enter(&r->server->watch, r->watched, CN_WATCHED_ANSWERING);
        return queue_pending(r); /* refused: the rest is not read and the connection closes */
    }
    return MHD_YES;
}

static enum MHD_Result on_request(
    void *ctx,
    struct MHD_Connection *connection,
    const char *url,
    const char *method,
    const char *version,
    const char *upload,
    size_t *upload_size,
    void **request)
{
    CN_UNUSED(ctx);
    CN_UNUSED(connection);
    CN_UNUSED(url);
    CN_UNUSED(version);
    cn_http_request *r = *request;
    if (r == NULL) {
        return MHD_NO; /* no memory for it */
    }
    if (r->method == NULL) {
        return on_headers(r, method);
    }
    if (*upload_size > 0) {
        cn_watched_step(r->watched);
        if (r->stream != NULL) {
            return cn_http_stream_upload(r->stream, upload, upload_size);
        }
        r->discarded_bytes += *upload_size;
        *upload_size = 0;
        return r->discarded_bytes > CN_HTTP_DISCARD_MAX_BYTES ? MHD_NO : MHD_YES;
    }
    cn_watched_enter(&r->server->watch, r->watched, CN_WATCHED_ANSWERING);
    if (!r->has_begun && begin(r) == MHD_NO) {
        return MHD_NO;
    }
    if (!r->has_begun) {
        return MHD_YES; /* asleep */
    }
    return r->stream != NULL ? cn_http_stream_ready(r->stream) : queue_pending(r);
}

static void on_completed(
    void *ctx,
    struct MHD_Connection *connection,
    void **request,
    enum MHD_RequestTerminationCode code)
{
    cn_http_server *s = ctx;
    cn_http_request *r = *request;
    CN_UNUSED(connection);
    CN_UNUSED(code);
    if (r == NULL) {
        return;
    }
    if (r->stream != NULL) {
        cn_http_stream_detach(r->stream);
        set_timeout(r, s->options.idle_timeout_s);
    }
    cn_watched_enter(&s->watch, r->watched, CN_WATCHED_WAITING);
    if (r->pending != NULL) {
        s->mhd->destroy_response(r->pending);
    }
    cn_http_wakers_end(s, r);
    if (r->release_state != NULL) {
        r->release_state(r->state);
    }
    *request = NULL;
    cn_free(s->mem, r);
    (void)atomic_fetch_sub(&s->running, 1);
}

/* Percent signs are left alone: paths are decoded by those who know their rules. */
static size_t unescape(void *ctx, struct MHD_Connection *connection, char *text)
{
    CN_UNUSED(ctx);
    CN_UNUSED(connection);
    return strlen(text);
}

static void no_log(void *ctx, const char *format, va_list args)
{
    CN_UNUSED(ctx);
    CN_UNUSED(format);
    CN_UNUSED(args);
}

static void set_defaults(cn_http_options *o)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (o->threads == 0) {
        o->threads = processors < 1 ? 1 : (unsigned)processors;
    }
    o->threads = CN_MIN(o->threads, (unsigned)CN_HTTP_THREADS_MAX);
    o->connections_max = o->connections_max == 0 ? DEFAULT_CONNECTIONS : o->connections_max;
    o->connection_bytes = o->connection_bytes == 0 ? DEFAULT_CONNECTION_BYTES : o->connection_bytes;
    o->idle_timeout_s = o->idle_timeout_s == 0 ? DEFAULT_IDLE_S : o->idle_timeout_s;
    o->header_timeout_s = o->header_timeout_s == 0 ? DEFAULT_HEADER_S : o->header_timeout_s;
    o->stream_timeout_s = o->stream_timeout_s == 0 ? DEFAULT_STREAM_S : o->stream_timeout_s;
    o->streams_max = o->streams_max == 0 ? DEFAULT_STREAMS : o->streams_max;
    o->stalled_timeout_s = o->stalled_timeout_s == 0 ? DEFAULT_STALLED_S : o->stalled_timeout_s;
    o->connections_max = CN_MAX(o->connections_max, o->threads);
}

static struct MHD_Daemon *start_daemon(cn_http_server *s)
{
    const cn_http_options *o = &s->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO |
                     MHD_USE_ERROR_LOG;
    return s->mhd->start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, s->listen.fd, MHD_OPTION_THREAD_POOL_SIZE, o->threads,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        o->connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->connections_per_address_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->connection_bytes, MHD_OPTION_CONNECTION_TIMEOUT,
        o->idle_timeout_s, MHD_OPTION_URI_LOG_CALLBACK, on_target, s, MHD_OPTION_UNESCAPE_CALLBACK,
        unescape, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, s, MHD_OPTION_END);
}

/* Twice a second while there are connections. */
static void look(void *ctx)
{
    cn_http_server *s = ctx;
    cn_http_runners_look(&s->runners);
    cn_http_wakers_look(s);
}

cn_err cn_http_server_start(
    const cn_http_options *options, cn_listen *listen, cn_http_server **ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_http_server *s = cn_alloc(options->mem, sizeof *s);
    if (s == NULL) {
        cn_listen_close(listen);
        return CN_ERR_NO_MEMORY;
    }
    s->mem = options->mem;
    s->options = *options;
    s->listen = *listen;
    *listen = (cn_listen){.fd = -1};
    set_defaults(&s->options);
    CN_TRY(cn_mhd_load(&s->mhd, why));
    CN_TRY(cn_lock_new(s->mem, &s->wakers_lock));
    CN_TRY(cn_http_runners_init(
        &s->runners, s->mem, s->options.streams_max, s->options.stalled_timeout_s));
    s->watch.look = look;
    s->watch.ctx = s;
    CN_TRY(
        cn_watch_start(&s->watch, s->mem, s->options.header_timeout_s, s->options.idle_timeout_s));
    s->daemon = start_daemon(s);
    if (s->daemon == NULL) {
        err = cn_why_set(why, CN_ERR_IO, "cannot start serving HTTP on %s", s->listen.multiaddr);
        goto out;
    }
    *ret = s;
    s = NULL;
out:
    if (s != NULL) {
        cn_watch_stop(&s->watch);
        cn_http_runners_release(&s->runners);
        cn_lock_free(s->wakers_lock);
        cn_listen_close(&s->listen);
        cn_free(s->mem, s);
    }
    return err;
}

int64_t cn_http_now_ns(void)
{
    struct timespec t = {0};
    CN_ASSERT(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (int64_t)t.tv_sec * CN_NS_PER_S + t.tv_nsec;
}

bool cn_http_server_stop(cn_http_server *s, int64_t grace_ns)
{
    if (s == NULL) {
        return true;
    }
    atomic_store(&s->stopping, true);
    int64_t until = cn_http_now_ns() + grace_ns;
    while (atomic_load(&s->running) > 0 && cn_http_now_ns() < until) {
        (void)usleep(2000);
    }
    cn_http_wakers_ring(s);
    bool ended = cn_http_runners_stop(&s->runners, CN_HTTP_ABANDON_S * CN_NS_PER_S);
    s->mhd->stop_daemon(s->daemon); /* closes the listening socket as well */
    cn_watch_stop(&s->watch);
    s->listen.fd = -1;
    cn_listen_close(&s->listen);
    if (ended) {
        cn_http_runners_release(&s->runners);
        cn_lock_free(s->wakers_lock);
        cn_free(s->mem, s);
    }
    return ended;
}

size_t cn_http_server_running(const cn_http_server *s)
{
    return atomic_load(&s->running);
}

const cn_listen *cn_http_server_listen(const cn_http_server *s)
{
    return &s->listen;
}
