/*
 * What the files of the gateway share: an ask is one request on its way through it.
 */
#pragma once

#include "gateway/gateway.h"
#include "gateway/header.h"
#include "http/url.h"
#include "ipld/path.h"
#include "rt/lock.h"
#include "unixfs/ahead.h"
#include "unixfs/read.h"
#include "unixfs/resolve.h"

enum {
    CN_GATEWAY_TEXT_MAX = 64 << 20,     /* a listing, built in memory */
    CN_GATEWAY_PIECE_BYTES = 256 << 10, /* asked of a file at once */
    CN_GATEWAY_SMALL_MAX = 128 << 10,   /* files up to this are answered from memory */
    CN_GATEWAY_ENTRIES_MAX = 20000,     /* shown of a directory */
    CN_GATEWAY_AHEAD_MAX = 16,          /* answers that read ahead at once; others do not */
};

typedef struct cn_gw_cache cn_gw_cache;

struct cn_gateway {
    cn_gateway_options options;
    cn_mem *mem;
    cn_gateway_header *headers; /* copies */
    char *root_redirect;
    cn_gw_cache *cache;
    atomic_uint aheads; /* answers that read ahead now */
    atomic_uint waits;  /* requests that lack something, and their answers */
};

/* A request's way to peers; held by the request and by the body of its answer. */
typedef struct cn_gw_wait cn_gw_wait;

typedef struct cn_gw_ask {
    cn_gateway *gateway;
    cn_http_request *request;
    cn_mem *mem;
    cn_gw_wait *wait; /* NULL: what is here alone, so far */
    cn_blocks *blocks;
    bool may_fetch; /* ask peers for what is not here */
    bool is_head;
    bool wants_html; /* for errors */
    bool may_cache;  /* nothing but the target shapes the answer */
    cn_form form;
    bool form_by_accept;
    cn_query query;
    cn_buf path; /* decoded, "/ipfs/CID/a/b/" */
    cn_ipfs_path ipfs;
    cn_resolve resolve;
    cn_buf roots; /* X-Ipfs-Roots */
    cn_buf etag;
    cn_cid cid; /* what is served */
    cn_why why;
    cn_http_response *response;
    size_t cached_bytes; /* of its body */
    unsigned status;
} cn_gw_ask;

/* --- answer.c: one way to make each answer; the response is in the ask until it is sent --- */

/* Add a header, with the CN_TRY style error. `printf` form of the value. */
CN_MUST_USE cn_err cn_gw_header(cn_gw_ask *a, const char *name, const char *format, ...)
    CN_PRINTF(3, 4);
/* The headers that all answers have: CORS and the user's. */
CN_MUST_USE cn_err cn_gw_common_headers(cn_gw_ask *a);
/* X-Ipfs-Path, as asked; control characters percent-encoded. */
CN_MUST_USE cn_err cn_gw_path_header(cn_gw_ask *a);
/* An error as text or page. */
CN_MUST_USE cn_err cn_gw_error(cn_gw_ask *a, unsigned status, const char *format, ...)
    CN_PRINTF(3, 4);
/* 301, 307: to `location`, with the usual line of HTML. */
CN_MUST_USE cn_err cn_gw_redirect(cn_gw_ask *a, unsigned status, const char *location);
/*
 * If-None-Match names the ask's etag: answer 304 and say so. `size_bytes` is what 200 would send;
 * libmicrohttpd cannot leave out the length.
 */
CN_MUST_USE cn_err
cn_gw_not_modified(cn_gw_ask *a, const char *cache_control, uint64_t size_bytes, bool *ret_done);
/* Append with &, <, >, quotes as entities. */
CN_MUST_USE cn_err cn_gw_escape_html(cn_slice text, cn_buf *out);

/* --- redirect.c --- */

/* "?" and the request's query, if it has one. */
CN_MUST_USE cn_err cn_gw_append_query(const cn_gw_ask *a, cn_buf *out);
/* A directory asked for without the slash at its end: send the browser there. */
CN_MUST_USE cn_err cn_gw_redirect_to_slash(cn_gw_ask *a);
/* "/ipfs/ipfs/CID", "/ipfs/ipns/NAME": people paste whole paths behind the gateway's prefix. */
CN_MUST_USE cn_err cn_gw_redirect_doubled(cn_gw_ask *a, bool *ret_done);
/* "?uri=ipfs://CID/path", from a browser that was told to open such addresses here. */
CN_MUST_USE cn_err cn_gw_redirect_uri(cn_gw_ask *a, bool *ret_done);

/* --- body.c: a file, or a part of it --- */

/* The Cache-Control of what never changes. */
extern const char cn_gw_immutable[];

/* Serve the file (or raw block) a->cid, named `name` (for its type). WRONG_TYPE: a directory. */
CN_MUST_USE cn_err cn_gw_serve_file(cn_gw_ask *a, cn_slice name);
/* Serve the block a->cid itself with a media type. */
CN_MUST_USE cn_err cn_gw_serve_block(cn_gw_ask *a, const char *media_type, const char *extension);

/* --- listing.c --- */

CN_MUST_USE cn_err cn_gw_serve_listing(cn_gw_ask *a);

/* --- wait.c: peers --- */

/*
 * A way to peers for the request of `a`, kept with it: what is here is given as before, and peers
 * are asked from the first block on that is not. Errors: NO_MEMORY.
 */
CN_MUST_USE cn_err cn_gw_wait_open(cn_gw_ask *a);
/* That of an earlier call of the handler, if there is one. */
void cn_gw_wait_find(cn_gw_ask *a);
void cn_gw_wait_hold(cn_gw_wait *w);
/* Accepts NULL. */
void cn_gw_wait_drop(cn_gw_wait *w);
cn_http_waker *cn_gw_wait_waker(const cn_gw_wait *w);
/* From now on so long as is waited for peers. */
void cn_gw_wait_begin(cn_gw_wait *w);
/* As many wait as may: what is not here is not asked for. */
bool cn_gw_waits_are_full(cn_gateway *g);
/* 429, with the time after which to come again. */
CN_MUST_USE cn_err cn_gw_too_many(cn_gw_ask *a);
/* 504 with a->why: whom was asked, and what they answered. */
CN_MUST_USE cn_err cn_gw_too_late(cn_gw_ask *a);

/* --- cache.c: answers kept for a second --- */

CN_MUST_USE cn_err cn_gw_cache_new(cn_mem *mem, size_t max_bytes, cn_gw_cache **ret);
void cn_gw_cache_free(cn_gw_cache *c);
/* Answer `r` with what is kept for its target, if anything is. */
bool cn_gw_cache_answer(cn_gw_cache *c, cn_time now, cn_http_request *r);
/*
 * Answer `r` with `resp` (whose body has `bytes` bytes) and keep it. If false is returned nothing
 * was done, and the reference is still the caller's.
 */
bool cn_gw_cache_keep(
    cn_gw_cache *c,
    cn_time now,
    cn_http_request *r,
    unsigned status,
    cn_http_response *resp,
    size_t bytes);
