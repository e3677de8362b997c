/*
 * The daemon: one open node, its RPC server and its gateway.
 */
#pragma once

#include "cmd/call.h"

/*
 * Serve until SIGINT, SIGTERM or a shutdown over RPC; a second signal ends the process at once.
 * Prints the lines that tools wait for, and keeps the files `api` and `gateway` in the repo while
 * it serves. A `serve` of cn_call_host_ops; the sentence of an error is in the call.
 */
CN_MUST_USE cn_err cn_daemon_serve(cn_call_host *h, cn_call *call);
