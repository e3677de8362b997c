/*
 * daemon: serve this repo over HTTP until told to stop. The work is done by whoever hosts the call.
 */
#include "cmd/commands.h"

static cn_err run_daemon(cn_call *call)
{
    return cn_call_serve(call);
}

static const cn_opt daemon_opts[] = {
    {CN_OPT_BOOL, "init", NULL, NULL, "Make a repo first if there is none."},
    {CN_OPT_STRING, "init-config", NULL, NULL, "With --init: a configuration to begin with."},
    {CN_OPT_STRING, "init-profile", NULL, NULL, "With --init: profiles to apply."},
    {CN_OPT_STRING, "routing", NULL, NULL, "Has no meaning yet."},
    {CN_OPT_BOOL, "mount", NULL, NULL, "Not built yet."},
    {CN_OPT_STRING, "mount-ipfs", NULL, NULL, NULL},
    {CN_OPT_STRING, "mount-ipns", NULL, NULL, NULL},
    {CN_OPT_STRING, "mount-mfs", NULL, NULL, NULL},
    {CN_OPT_BOOL, "unrestricted-api", NULL, NULL, "Has no meaning yet."},
    {CN_OPT_BOOL, "disable-transport-encryption", NULL, NULL, "Has no meaning."},
    {CN_OPT_BOOL, "enable-gc", NULL, NULL, "Not built yet: collect by `repo gc`."},
    {CN_OPT_BOOL, "manage-fdlimit", NULL, "true", "Raise the limit of open files."},
    {CN_OPT_BOOL, "migrate", NULL, NULL, "Has no meaning: there is nothing to migrate."},
    {CN_OPT_BOOL, "enable-pubsub-experiment", NULL, NULL, NULL},
    {CN_OPT_BOOL, "enable-namesys-pubsub", NULL, NULL, NULL},
    {CN_OPT_BOOL, "enable-mplex-experiment", NULL, NULL, NULL},
    {CN_OPT_STRING, "agent-version-suffix", NULL, NULL, "Put behind the name that peers are told."},
    {.name = NULL},
};

const cn_command cn_cmd_daemon = {
    .path = "daemon",
    .summary = "Serve this repo over HTTP: RPC and gateway",
    .about = "Runs until SIGINT, SIGTERM or the command shutdown. The addresses are those of the\n"
             "configuration: Addresses.API and Addresses.Gateway.",
    .opts = daemon_opts,
    .flags = CN_CMD_NO_REMOTE | CN_CMD_NO_API | CN_CMD_TAKES_UNINIT,
    .run = run_daemon,
};
