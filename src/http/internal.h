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

enum {
    CN_HTTP_THREADS_MAX = 16,
    CN_HTTP_DISCARD_MAX_BYTES = 256 << 10,
    CN_HTTP_WAITING_TIMES = 8,
};

/*
 * Threads that run streams: started when needed, gone after a while without work. At most
 * `threads_max` of them work; those that wait for a slow client are counted apart, up to
 * CN_HTTP_WAITING_TIMES as many. When all are taken so, who has waited longest is cut.
 */
typedef struct cn_http_runners {
    cn_lock *lock;
    cn_cond *more;
    cn_http_stream *first; /* waiting for a thread */
    cn_http_stream *last;
    cn_http_stream *active; /* all that have not ended, by next_active */
    unsigned threads;
    unsigned idle;
    unsigned left; /* threads that wait for their client */
    unsigned threads_max;
    int64_t stalled_ns; /* so long a client must have kept a thread waiting to be cut */
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
    cn_lock *wakers_lock; /* of the list, and of each waker in it */
    cn_http_waker *wakers;
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
    cn_http_waker *sleeps_on; /* the handler wants to be called again */
    void *state;
    void (*release_state)(void *state);
    size_t target_len;
    char target[]; /* NUL-terminated */
};

struct cn_http_stream {
    cn_http_server *server;
    cn_mem *mem;
    cn_http_task task;
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
    unsigned changes; /* counts what the running thread may wait for */
    bool is_asleep;   /* the connection */
    bool is_launched; /* given to the threads; the connection's own thread asks */
    bool body_ended;
    bool body_unwanted; /* nobody reads what is left of it */
    bool has_begun;
    bool is_sending; /* the response is queued */
    bool has_ended;
    bool is_aborted;
    atomic_bool is_gone;
    /* of the runners, under their lock */
    cn_http_stream *next;
    cn_http_stream *next_active;
    bool is_listed;
    bool has_left; /* its thread waits for the client, and others run in its place */
    int64_t left_ns;
};

/*
 * Wakers. A request that sleeps, or a response that waits for bytes, sleeps by `connection`, which
 * is NULL once the request has ended.
 */
struct cn_http_waker {
    cn_http_server *server;
    struct MHD_Connection *connection;
    cn_http_request *request;
    cn_watched *watched;
    cn_http_waker *next;
    cn_http_waker *prev;
    unsigned holders; /* the request while it lasts, and who made it */
    bool is_rung;
    bool is_asleep;
    bool has_left; /* the client: there is nobody to answer */
};

/* On the connection's thread: sleep, unless it was rung already; STOPS: end the request, since the
 * server stops or the client has left. */
typedef enum cn_http_slept { CN_HTTP_SLEEPS, CN_HTTP_GOES_ON, CN_HTTP_STOPS } cn_http_slept;
cn_http_slept cn_http_waker_sleep(cn_http_waker *w);
/* The request has ended. */
void cn_http_wakers_end(cn_http_server *s, const cn_http_request *r);
/* The server stops: wake all. */
void cn_http_wakers_ring(cn_http_server *s);
/* End requests that sleep and whose clients have left. Now and then, from any thread. */
void cn_http_wakers_look(cn_http_server *s);

CN_MUST_USE cn_err
cn_http_runners_init(cn_http_runners *w, cn_mem *mem, unsigned threads_max, unsigned stalled_s);
/* Cancel all streams and wait up to `wait_ns` for their threads; false if some still run. */
bool cn_http_runners_stop(cn_http_runners *w, int64_t wait_ns);
void cn_http_runners_release(cn_http_runners *w);
/* Know of a stream, so that stop reaches it, or forget one that was not given. Errors: CLOSED. */
CN_MUST_USE cn_err cn_http_runners_list(cn_http_runners *w, cn_http_stream *s);
void cn_http_runners_forget(cn_http_runners *w, cn_http_stream *s);
/* Run it as soon as there is a place. Errors: BUSY (no thread can be started), CLOSED. */
CN_MUST_USE cn_err cn_http_runners_give(cn_http_runners *w, cn_http_stream *s);
/* The running thread of `s` is about to wait for the client for long, and has done so. */
void cn_http_runners_leave(cn_http_runners *w, cn_http_stream *s);
void cn_http_runners_return(cn_http_runners *w, cn_http_stream *s);

/* From time to time: if requests wait and no thread can be had, cut a stalled client. */
void cn_http_runners_look(void *runners);

/* Let go of one hold. Called without the stream's lock. */
void cn_http_stream_drop(cn_http_stream *s);
/* The client has kept it waiting for too long, or the server stops: as if it were gone. */
void cn_http_stream_cut(cn_http_stream *s);
int64_t cn_http_now_ns(void);

/* Calls of the server's threads for a request with a stream. */
enum MHD_Result cn_http_stream_upload(cn_http_stream *s, const char *data, size_t *size);
enum MHD_Result cn_http_stream_ready(cn_http_stream *s);
void cn_http_stream_detach(cn_http_stream *s);
