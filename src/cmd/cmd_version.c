/*
 * version: ours, and that of Kubo we keep to. Invoked as `ipfs`, and over RPC, where clients gate
 * on it, the text is Kubo's.
 */
#include "cmd/commands.h"
#include "cmd/version.h"

#include "codec/json_write.h"

#include <string.h>

#if defined(__x86_64__)
#define SYSTEM "amd64/linux"
#elif defined(__aarch64__)
#define SYSTEM "arm64/linux"
#else
#define SYSTEM "unknown/linux"
#endif

static cn_err version_json(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(call);
    CN_UNUSED(value);
    cn_json_writer j;
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_text(&j, "Version", CN_KUBO_VERSION);
    cn_json_put_text(&j, "Commit", "");
    cn_json_put_text(&j, "Repo", CN_KUBO_REPO_VERSION);
    cn_json_put_text(&j, "System", SYSTEM);
    cn_json_put_text(&j, "Golang", "");
    cn_json_put_text(&j, "Cairn", CN_VERSION);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err version_text(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(value);
    bool as_kubo = !cn_call_is_cli(call) || strcmp(cn_call_program(call), "ipfs") == 0;
    const char *number = as_kubo ? CN_KUBO_VERSION : CN_VERSION;
    if (cn_call_flag(call, "repo", NULL) && !cn_call_flag(call, "all", NULL)) {
        return cn_buf_printf(out, "%s\n", CN_KUBO_REPO_VERSION);
    }
    if (cn_call_flag(call, "all", NULL)) {
        return cn_buf_printf(
            out, "%s version: %s\nRepo version: %s\nSystem version: %s\n%s%s version: %s\n",
            as_kubo ? "Kubo" : "Cairn", number, CN_KUBO_REPO_VERSION, SYSTEM,
            as_kubo ? "Golang version: \n" : "", as_kubo ? "Cairn" : "Kubo",
            as_kubo ? CN_VERSION : CN_KUBO_VERSION);
    }
    if (cn_call_flag(call, "number", NULL)) {
        return cn_buf_printf(out, "%s\n", number);
    }
    return cn_buf_printf(out, "%s version %s\n", as_kubo ? "ipfs" : "cairn", number);
}

static const cn_output_type version_output = {"ipfs.VersionInfo", version_json, version_text};

static cn_err run_version(cn_call *call)
{
    return cn_call_emit_once(call, &version_output, "");
}

static const cn_opt version_opts[] = {
    {CN_OPT_BOOL, "number", "n", NULL, "Only the number."},
    {CN_OPT_BOOL, "commit", NULL, NULL, "The commit too, where it is known."},
    {CN_OPT_BOOL, "repo", NULL, NULL, "Only the version of the repo."},
    {CN_OPT_BOOL, "all", NULL, NULL, "All that is known."},
    {.name = NULL},
};

const cn_command cn_cmd_version = {
    .path = "version",
    .summary = "Show the version",
    .opts = version_opts,
    .flags = CN_CMD_NO_REPO,
    .output = &version_output,
    .run = run_version,
};
