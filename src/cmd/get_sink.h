/*
 * Where the bytes of `get` go on the command line: into an archive, or taken apart into files and
 * folders. The same for a daemon's answer and for what this process makes itself.
 *
 * Files are never written through a symbolic link nor outside of the target, and names that could
 * lead there are refused.
 */
#pragma once

#include "cmd/command.h"

typedef struct cn_get_sink cn_get_sink;

/* Decide by the call's options where to write, say so on standard output, and begin. */
CN_MUST_USE cn_err cn_get_sink_open(cn_call *call, cn_get_sink **ret);
/* More bytes. */
CN_MUST_USE cn_err cn_get_sink_bytes(cn_get_sink *s, cn_slice bytes);
/* The bytes have ended, with `result`; CN_OK if all was well and is written. Accepts NULL. */
CN_MUST_USE cn_err cn_get_sink_close(cn_get_sink *s, cn_err result);

/* The level asked for: 0 none, -1 the usual, else 1 to 9. Errors: USAGE (said). */
CN_MUST_USE cn_err cn_get_level(cn_call *call, int *ret);
