/*
 * What the files of http share.
 */
#pragma once

#include "http/mhd.h"
#include "http/ring.h"
#include "http/stream.h"
#include "http/watch.h"
#include "rt/lock.h"

#include <pthread.h>

enum { CN_HTTP_THREADS_MAX = 16, CN_HTTP_DISCARD_MAX_BYTES = 256 << 10 };

/* Threads that run streams: started when needed, gone after a while without work. */
typedef struct cn_http_runners {
    cn_lock *lock;
    cn_cond *more;
    cn_http_stream *first; /* waiting for a thread */
    cn_http_stream *last;
    cn_http_stream *active; /* all that have not ended, by next_active */
    unsigned threads;
    unsigned idle;
    unsigned threads_max;
    bool stopping;
} cn_http_runners;

struct cn_http_server {
    const cn_mhd *mhd;
    cn_http_options options;
    cn_listen listen;
    struct MHD_Daemon *daemon;
    cn_mem *mem;
    atomic_size_t running;
    atomic_bool stopping;
    cn_http_runners runners;
    cn_watch watch;
};

struct cn_http_request {
    cn_http_server *server;
    struct MHD_Connection *connection;
    cn_watched *watched; /* or NULL */
    const char *method;
    cn_http_stream *stream;       /* if served by a thread */
    struct MHD_Response *pending; /* answered, to be queued when the body is in */
    unsigned pending_status;
    uint64_t discarded_bytes;
    bool has_begun; /* the handler was called */
    bool has_body;
    bool in_handler;  /* the handler runs now */
    bool is_answered; /* by cn_http_answer or a stream */
    bool is_queued;   /* libmicrohttpd has the response */
    bool is_cut;
    size_t target_len;
    char target[]; /* NUL-terminated */
};

CN_MUST_USE cn_err cn_http_runners_init(cn_http_runners *w, cn_mem *mem, unsigned threads_max);
/* Cancel all streams and wait up to `wait_ns` for their threads; false if some still run. */
bool cn_http_runners_stop(cn_http_runners *w, int64_t wait_ns);
void cn_http_runners_release(cn_http_runners *w);

/* Calls of the server's threads for a request with a stream. */
enum MHD_Result cn_http_stream_upload(cn_http_stream *s, const char *data, size_t *size);
enum MHD_Result cn_http_stream_ready(cn_http_stream *s);
void cn_http_stream_detach(cn_http_stream *s);
