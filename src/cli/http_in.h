/*
 * A reader of one HTTP/1.1 response: bytes go in as they arrive, the body comes out through a
 * function. No I/O. Bodies by length, in chunks with trailers, or up to the end of the connection.
 * spec: RFC 9112
 */
#pragma once

#include "base/buf.h"

enum { CN_HTTP_IN_LINE_MAX = 1 << 16 };

typedef enum cn_http_in_state {
    CN_HTTP_IN_STATUS,
    CN_HTTP_IN_HEADER,
    CN_HTTP_IN_BODY, /* `left` bytes, or all of them */
    CN_HTTP_IN_CHUNK_SIZE,
    CN_HTTP_IN_CHUNK,
    CN_HTTP_IN_CHUNK_END,
    CN_HTTP_IN_TRAILER,
    CN_HTTP_IN_DONE,
} cn_http_in_state;

typedef struct cn_http_in cn_http_in;
struct cn_http_in {
    cn_http_in_state state;
    cn_buf line;
    int status;
    bool chunked;
    bool has_length;
    bool is_json;           /* Content-Type: application/json */
    uint64_t left;          /* bytes of the body or chunk still to come */
    uint64_t content_bytes; /* X-Content-Length; UINT64_MAX: not said */
    cn_buf stream_error;    /* X-Stream-Error, from headers or trailers */
    /* Given a piece of the body; an error stops the reading and is returned. */
    cn_err (*body)(void *ctx, cn_slice bytes);
    void *ctx;
};

void cn_http_in_init(
    cn_http_in *h, cn_mem *mem, cn_err (*body)(void *ctx, cn_slice bytes), void *ctx);
void cn_http_in_release(cn_http_in *h);
/* Take bytes. What stands behind the end of the response is ignored. Errors: MALFORMED, TOO_LARGE
 * (a line over 64 KiB), NO_MEMORY, those of `body`. */
CN_MUST_USE cn_err cn_http_in_feed(cn_http_in *h, cn_slice bytes);
/* The connection has ended. TRUNCATED unless the response is complete (or has no length). */
CN_MUST_USE cn_err cn_http_in_end(cn_http_in *h);
