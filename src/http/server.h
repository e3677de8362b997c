/*
 * An HTTP/1.1 server: a face of libmicrohttpd. It runs on threads of its own that wait with epoll;
 * the handler is called on them once per request, when the headers are there, and must not wait
 * for anything but the local disk. It ends with exactly one of
 *   cn_http_answer   a response: bytes, or a reader that is asked for bytes
 *   cn_http_stream   a thread of its own for this request, see http/stream.h
 *   cn_http_sleep    not yet: the handler is called again, from its beginning, when woken
 */
#pragma once

#include "base/mem.h"
#include "base/slice.h"
#include "base/why.h"
#include "http/listen.h"

typedef struct cn_http_server cn_http_server;
typedef struct cn_http_request cn_http_request;
typedef struct cn_http_stream cn_http_stream;
typedef struct MHD_Response cn_http_response;

enum { CN_HTTP_ABANDON_S = 10 };

typedef void (*cn_http_handler)(void *ctx, cn_http_request *r);

typedef struct cn_http_options {
    cn_http_handler handle;
    void *ctx;
    cn_mem *mem;
    unsigned threads;                     /* that serve; 0: one per processor, at most 16 */
    unsigned connections_max;             /* 0: 4096 */
    unsigned connections_per_address_max; /* 0: no limit */
    size_t connection_bytes;              /* memory of one: bounds headers; 0: 32 KiB */
    unsigned idle_timeout_s;              /* 0: 60; without bytes either way */
    unsigned header_timeout_s;            /* 0: 30; for all of a request's header */
    unsigned stream_timeout_s;            /* 0: 3600; without bytes, for cn_http_stream */
    unsigned streams_max;                 /* threads of cn_http_stream; 0: 64; others queue */
} cn_http_options;

/*
 * Serve what comes in on `listen`, which the server takes (it is left closed, also on failure).
 * Errors: UNSUPPORTED (no libmicrohttpd), NO_MEMORY, IO.
 */
CN_MUST_USE cn_err cn_http_server_start(
    const cn_http_options *options, cn_listen *listen, cn_http_server **ret, cn_why *why);

/*
 * Stop: take no more, give requests that run `grace_ns` to end, cut the others, release all.
 * Accepts NULL. False where a stream's thread does not end within CN_HTTP_ABANDON_S: it and the
 * server's memory are left behind, and what the handler uses must stay until the process ends.
 */
bool cn_http_server_stop(cn_http_server *s, int64_t grace_ns);

/* Requests begun and not ended. */
size_t cn_http_server_running(const cn_http_server *s);
/* What is listened on. */
const cn_listen *cn_http_server_listen(const cn_http_server *s);

/* --- the request; what is lent stays until the request ends --- */

cn_slice cn_http_method(const cn_http_request *r);
/* Path and query as sent, "/ipfs/a%20b?x=y"; scheme and host of an absolute target are cut. */
cn_slice cn_http_target(const cn_http_request *r);
/* The first header of that name (any case of letters), without spaces around; empty if none. */
cn_slice cn_http_header(const cn_http_request *r, const char *name);
bool cn_http_has_header(const cn_http_request *r, const char *name);
/* Will a body follow? */
bool cn_http_has_body(const cn_http_request *r);

/* --- responses: reference counted, may answer any number of requests on any threads --- */

enum { CN_HTTP_SIZE_UNKNOWN = -1 };

typedef struct cn_http_pull {
    int64_t size_bytes; /* or CN_HTTP_SIZE_UNKNOWN: sent chunked */
    size_t piece_bytes; /* how much to ask for at once */
    void *ctx;
    /*
     * Fill up to `max` (1 or more) bytes; 0: the end. An error cuts the connection. One thread at a
     * time; never again after an error or the end.
     */
    cn_err (*read)(void *ctx, uint8_t *data, size_t max, size_t *ret_len);
    void (*free)(void *ctx); /* NULL: nothing to release */
    /*
     * Not NULL: `read` may say BUSY, after having seen to it that this waker is rung; the
     * connection sleeps meanwhile. Borrowed as long as the response lives.
     */
    struct cn_http_waker *waker;
} cn_http_pull;

/* A copy of `body`. All give NO_MEMORY. */
CN_MUST_USE cn_err cn_http_response_bytes(cn_slice body, cn_http_response **ret);
/* `body` must stay for ever. */
CN_MUST_USE cn_err cn_http_response_static(cn_slice body, cn_http_response **ret);
/* For one request only. `pull->free` is called also if this fails. */
CN_MUST_USE cn_err
cn_http_response_pull(cn_mem *mem, const cn_http_pull *pull, cn_http_response **ret);
/* Only size and headers, for HEAD and 304. */
CN_MUST_USE cn_err cn_http_response_empty(int64_t size_bytes, cn_http_response **ret);

/* Add a header; the same name may be added again. Errors: NO_MEMORY, MALFORMED (line breaks). */
CN_MUST_USE cn_err
cn_http_response_header(cn_http_response *resp, const char *name, const char *value);
void cn_http_response_free(cn_http_response *resp); /* accepts NULL */

/* --- waiting without a thread --- */

/* A bell at one request: it may be rung from any thread, also when the request has ended. */
typedef struct cn_http_waker cn_http_waker;

/* From the handler: a waker for this request. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_http_waker_new(cn_http_request *r, cn_http_waker **ret);
/* Accepts NULL. */
void cn_http_waker_release(cn_http_waker *w);
/* Ring: who sleeps goes on, who is about to sleep does not. */
void cn_http_wake(cn_http_waker *w);
/* From the handler, instead of an answer: sleep until `w`, of this request, is rung. Requests with
 * a body cannot. */
void cn_http_sleep(cn_http_request *r, cn_http_waker *w);

/* What the handler keeps for this request between its calls: `release` is called at its end. */
void *cn_http_state(const cn_http_request *r);
void cn_http_set_state(cn_http_request *r, void *state, void (*release)(void *state));

/* Answer `r`; the caller's reference to `resp` is taken. With NULL the connection is cut. */
void cn_http_answer(cn_http_request *r, unsigned status, cn_http_response *resp);
/* The same with a response that is used again: the caller keeps its reference. */
void cn_http_answer_shared(cn_http_request *r, unsigned status, cn_http_response *resp);
