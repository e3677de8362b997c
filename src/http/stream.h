/*
 * A request served by a thread of its own, for what may take long: it reads the body and writes the
 * answer as if both were files. Behind it are two bounded rings; the connection sleeps while there
 * is nothing to move.
 *
 * A client that stalls holds back no others: a thread is taken only when a good part of the body
 * is there, and one that waits for its client for long leaves its place to others. There are
 * several times as many threads for such waiting; when those are used up as well, the client
 * that has stalled longest is cut.
 *
 * HTTP/1.1 clients read the answer when they have sent the body, and libmicrohttpd sends it only
 * then: until the body has come in whole, what is written is held (at most
 * CN_HTTP_HELD_MAX_BYTES).
 */
#pragma once

#include "http/server.h"

enum {
    CN_HTTP_BODY_RING_BYTES = 512 << 10,
    CN_HTTP_ANSWER_RING_BYTES = 256 << 10,
    CN_HTTP_HELD_MAX_BYTES = 64 << 20,
};

/*
 * What a request is to do. `ctx` holds what is needed of the request's headers: they must not be
 * read on the thread. Exactly one of the two is called, and takes `ctx`.
 */
typedef struct cn_http_task {
    void (*run)(void *ctx, cn_http_stream *s); /* on the thread */
    void (*discard)(void *ctx);                /* the client went before a thread was taken */
    void *ctx;
} cn_http_task;

/*
 * From the handler: run the task on a thread as soon as one is free and enough of the body has
 * come, or all of it. `task` is copied; on failure `ctx` stays the caller's.
 * Errors: NO_MEMORY, BUSY (cannot start a thread), CLOSED (the server stops).
 */
CN_MUST_USE cn_err cn_http_stream_start(cn_http_request *r, const cn_http_task *task);

/* Up to `len` bytes of the body; fewer only at its end. Errors: CLOSED (client gone). */
CN_MUST_USE cn_err
cn_http_stream_read(cn_http_stream *s, uint8_t *data, size_t len, size_t *ret_len);
/* Has all of the body been read by us? */
bool cn_http_stream_body_done(cn_http_stream *s);

/* The response, to add headers to before `begin`. NULL after it. */
cn_http_response *cn_http_stream_response(cn_http_stream *s);
/* The status is known; nothing is sent before. Once. */
void cn_http_stream_begin(cn_http_stream *s, unsigned status);
/*
 * Send `bytes`, waiting while the client is slow. Errors: CLOSED (client gone or server stopping),
 * TOO_LARGE (held more than may be before the body's end), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_http_stream_write(cn_http_stream *s, cn_slice bytes);
/* The answer is complete, with an optional trailer (NULL: none); both are copied. */
void cn_http_stream_end(cn_http_stream *s, const char *trailer, const char *value);
/* Cut the connection instead: something went wrong that cannot be said. */
void cn_http_stream_abort(cn_http_stream *s);

/*
 * Has the client ended its side, or gone? It may still read, but whoever waits long for it may as
 * well stop, as Go's servers do. Asks the socket: not for each block.
 */
bool cn_http_stream_has_left(cn_http_stream *s);
/* True once the client has gone or the server stops. Valid until the run function returns. */
const atomic_bool *cn_http_stream_cancel_flag(const cn_http_stream *s);
