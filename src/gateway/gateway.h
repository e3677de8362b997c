/*
 * The path gateway: content over HTTP at /ipfs/CID/path, answered on the server's own threads from
 * blocks held here, and where there is a fetcher from those of peers: the connection sleeps until
 * they have come. What does not come in time is answered with 504 and whom was asked. Names (/ipns)
 * are not resolved.
 *
 * Also /version, and a redirect of "/" where the config wants one. Small answers are kept for a
 * second and sent again as they are, so a block just removed may be served that much longer.
 *
 * spec: ipfs/specs http-gateways path-gateway; header values as Kubo 0.43 sends them
 */
#pragma once

#include "exchange/fetch/fetch.h"
#include "http/server.h"
#include "ipld/blocks.h"
#include "rt/rt.h"
#include "store/store.h"

typedef struct cn_gateway cn_gateway;

/* A response header of the user's own; replaces the gateway's of that name. */
typedef struct cn_gateway_header {
    const char *name;
    const char *value;
} cn_gateway_header;

typedef struct cn_gateway_options {
    cn_rt *rt;
    cn_mem *mem;
    cn_blocks *blocks;
    cn_store *store;           /* to send large files straight from it; NULL: by `blocks` alone */
    const char *root_redirect; /* where "/" leads; NULL or empty: 404. Copied */
    const cn_gateway_header *headers; /* copied */
    size_t headers_len;
    size_t cache_bytes;  /* for small answers; 0: 8 MiB */
    cn_fetcher *fetcher; /* NULL: what is not here is not found */
    int64_t
        retrieval_ns;   /* to wait for peers, until the first byte and between bytes; 0: for ever */
    unsigned waits_max; /* requests that wait for peers at once; beyond: 429. 0: the fetcher's */
} cn_gateway_options;

/* All of `options` that is not copied must outlive the gateway. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_gateway_new(const cn_gateway_options *options, cn_gateway **ret);
/* After the server that calls it has stopped. Accepts NULL. */
void cn_gateway_free(cn_gateway *g);

/* A cn_http_handler; `gateway` is a cn_gateway. */
void cn_gateway_handle(void *gateway, cn_http_request *r);
