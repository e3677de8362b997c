/*
 * What the files of rpc share.
 */
#pragma once

#include "cmd/call.h"
#include "http/stream.h"
#include "http/url.h"
#include "rpc/rpc.h"
#include "rpc/intake.h"
#include "rpc/stall.h"

struct cn_rpc {
    cn_call_host host; /* first: commands are given it */
    cn_rpc_options options;
    cn_guard *guard;
    cn_stalls stalls;
};

/* A request that a thread runs. Owned by that thread once it is started. */
typedef struct cn_job {
    cn_sink sink;
    cn_input body;
    cn_input lines; /* the bytes of the first part, for arguments that come line by line */
    cn_rpc *rpc;
    cn_http_stream *stream;
    cn_request request;
    cn_buf content_type; /* of the request's body */
    cn_buf origin;       /* to be named in the answer; empty: none */
    bool credentials;
    cn_encoding encoding;
    cn_intake upload;
    bool has_upload;
    bool lines_begun;
    cn_stall stall;
} cn_job;

/* The two of a cn_http_task, `job` is a cn_job: run it and free it, and free it. Accepts NULL. */
void cn_job_run(void *job, cn_http_stream *s);
void cn_job_free(void *job);

/* Headers of all answers of the API, and those that the config adds. */
CN_MUST_USE cn_err
cn_rpc_common_headers(const cn_rpc *rpc, cn_http_response *resp, cn_slice origin, bool credentials);
