/*
 * shutdown: ask the daemon to stop. Without one the command line runs it and says so.
 */
#include "cmd/commands.h"

static cn_err run_shutdown(cn_call *call)
{
    return cn_call_shutdown(call);
}

const cn_command cn_cmd_shutdown = {
    .path = "shutdown",
    .summary = "Stop the daemon",
    .run = run_shutdown,
};
