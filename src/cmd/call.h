/*
 * Calls, from the side of those who run them: the command line and the RPC server. What commands
 * see of a call is in cmd/command.h.
 */
#pragma once

#include "cmd/request.h"

/* Bytes that arrive: standard input, the body of a request. */
typedef struct cn_input cn_input;
typedef struct cn_input_ops {
    /* Up to `len` bytes; *ret_len 0 at the end. Waits. Errors: IO, CANCELLED, CLOSED. */
    cn_err (*read)(cn_input *in, uint8_t *data, size_t len, size_t *ret_len, cn_why *why);
} cn_input_ops;
struct cn_input {
    const cn_input_ops *ops;
};

/* Who runs calls, and what it can give them. Implementations put this first in their struct. */
typedef struct cn_call_host cn_call_host;
typedef struct cn_call_host_ops {
    /* The open node (opened now if need be). */
    cn_err (*node)(cn_call_host *h, struct cn_node **ret, cn_why *why);
    /* Ask the daemon to stop. USAGE ("daemon not running") where there is none. */
    cn_err (*shutdown)(cn_call_host *h, cn_why *why);
    /* Be a daemon for `call` until told to stop; NULL: not here. */
    cn_err (*serve)(cn_call_host *h, cn_call *call);
    /* Let the person change a file in their editor; NULL: nobody is there. */
    cn_err (*edit)(cn_call_host *h, const char *path, cn_why *why);
} cn_call_host_ops;
struct cn_call_host {
    const cn_call_host_ops *ops;
    cn_rt *rt;
    cn_mem *mem;
    const char *repo_path;
    const char *program; /* "cairn" or "ipfs" */
    int64_t pid;         /* of this process; 0: not known */
    bool is_cli;
    bool in_daemon;
    bool has_terminal; /* standard error is one */
    int64_t stall_ns;  /* see cn_call_parts.stalled; 0: 30 s */
};

/* What a call is made of besides its host; all borrowed for as long as the call lasts. */
typedef struct cn_call_parts {
    cn_request *request; /* with its command */
    cn_sink *sink;
    cn_input *input;           /* lines of arguments or the bytes of one file; NULL: none */
    struct cn_source *files;   /* for CN_ARG_FILE; NULL: none */
    const atomic_bool *cancel; /* set from any thread or signal handler; NULL: never */
    /* Has whoever called gone away? Asked while peers are waited for; NULL: no telling. */
    bool (*has_left)(void *ctx);
    void *has_left_ctx;
    /*
     * Peers have sent nothing for `stall_ns`, and again each time that has passed: whom was asked
     * and what they answered, for people. On the call's thread. NULL: nobody is told.
     */
    void (*stalled)(void *ctx, cn_slice report);
    void *stalled_ctx;
} cn_call_parts;

/*
 * Make a call. Reads --timeout and starts its clock. Errors: USAGE (`time: invalid duration "x"`),
 * NO_MEMORY. Free with cn_call_free after cn_call_run or cn_call_end.
 */
CN_MUST_USE cn_err
cn_call_new(cn_call_host *host, const cn_call_parts *parts, cn_call **ret, cn_why *why);
/* Accepts NULL. */
void cn_call_free(cn_call *call);

/*
 * Choose the encoding (`--enc`), then let the command prepare (command line only). The sentence is
 * in the call: on error go to cn_call_end. Errors: USAGE (`invalid encoding: x`), the command's.
 */
CN_MUST_USE cn_err cn_call_prepare(cn_call *call);
/* Run the command and end the output. Returns how it ended; the sink has been told. */
cn_err cn_call_run(cn_call *call);
/* End the output without running, or after another than `run` did the work (a daemon). */
cn_err cn_call_end(cn_call *call, cn_err err);

const cn_request *cn_call_request(const cn_call *call);
/* The encoding the table and --enc lead to, before any call is made: what a client asks for. */
CN_MUST_USE cn_err
cn_request_encoding(const cn_request *r, bool is_cli, cn_encoding *ret, cn_why *why);
int cn_call_status(const cn_call *call);
