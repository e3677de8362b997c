/*
 * The RPC server: POST /api/v0/... run from the command table, with Kubo's conventions for
 * queries, uploads, headers, streams, trailers and errors.
 */
#pragma once

#include "http/server.h"
#include "node/node.h"
#include "rpc/guard.h"

typedef struct cn_rpc cn_rpc;

typedef struct cn_rpc_options {
    cn_rt *rt;
    cn_mem *mem;
    cn_node *node;
    const cn_config *config;
    const char *repo_path;
    const char *program;         /* "cairn" or "ipfs" */
    int64_t stall_ns;            /* without a block from peers, to tell of it; 0: 30 s */
    void (*shutdown)(void *ctx); /* a client asks the daemon to stop; any thread */
    void *ctx;
} cn_rpc_options;

/* All that `options` points at must outlive it. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_rpc_new(const cn_rpc_options *options, cn_rpc **ret);
/* After the servers that call it have stopped. Accepts NULL. */
void cn_rpc_free(cn_rpc *rpc);
/* Say on which port it will be served, before serving. */
CN_MUST_USE cn_err cn_rpc_allow_port(cn_rpc *rpc, uint16_t port);

/* A cn_http_handler; `rpc` is a cn_rpc. */
void cn_rpc_handle(void *rpc, cn_http_request *r);
