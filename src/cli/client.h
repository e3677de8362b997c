/*
 * The thin client: asks a daemon to run a command, sends it files or standard input, and shows its
 * answer. One request on one connection; both directions at once, so that a daemon which answers
 * while it reads never waits for us.
 */
#pragma once

#include "cli/cli.h"

typedef enum cn_client_kind {
    CN_CLIENT_NONE, /* no daemon */
    CN_CLIENT_TCP,
    CN_CLIENT_UNIX,
} cn_client_kind;

enum { CN_CLIENT_HOST_BYTES = 256 };

typedef struct cn_client_target {
    cn_client_kind kind;
    char host[CN_CLIENT_HOST_BYTES]; /* or the path of the socket */
    uint16_t port;
    bool required;    /* --api: no falling back */
    const char *auth; /* --api-auth, or NULL */
} cn_client_target;

/*
 * Read a multiaddr: /ip4|ip6|dns|dns4|dns6/x/tcp/n, /unix/path. Errors: USAGE (the sentence of
 * Kubo), UNSUPPORTED (TLS).
 */
CN_MUST_USE cn_err
cn_client_target_parse(const char *multiaddr, cn_client_target *ret, cn_why *why);
/* Append the header that --api-auth asks for; nothing without. Errors: USAGE, those of the buffer.
 */
CN_MUST_USE cn_err cn_client_put_auth(const cn_client_target *target, cn_buf *head, cn_why *why);
/* What the file `api` in the repo says; NONE if there is none. */
CN_MUST_USE cn_err cn_client_target_read(
    cn_rt *rt, cn_mem *mem, const char *repo_path, cn_client_target *ret, cn_why *why);

/* A request; all borrowed. */
typedef struct cn_client_parts {
    cn_rt *rt;
    cn_mem *mem;
    const cn_client_target *target;
    cn_call *call; /* prepared; for its encoding, deadline and client hooks */
    const cn_request *request;
    const cn_command *command;
    cn_stdout *out;
    struct cn_source *source; /* files to send; NULL: none */
    cn_input *input;          /* lines of arguments to send, if the request says so */
} cn_client_parts;

/*
 * Run it. *ret_reached: the daemon was connected to. Errors: CLOSED (not reached), those of the
 * daemon as USAGE with its sentence, CANCELLED, TIMEOUT, IO.
 */
CN_MUST_USE cn_err cn_client_run(const cn_client_parts *parts, bool *ret_reached, cn_why *why);
