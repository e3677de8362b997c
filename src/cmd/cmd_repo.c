/*
 * `repo version`, `repo stat`.
 */
#include "cmd/commands.h"
#include "cmd/human.h"
#include "cmd/version.h"
#include "codec/json_write.h"
#include "node/node.h"
#include "store/store.h"

static cn_err version_json(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(call);
    CN_UNUSED(value);
    return cn_buf_text(out, "{\"Version\":\"" CN_KUBO_REPO_VERSION "\"}");
}

static cn_err version_text(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(value);
    bool quiet = cn_call_flag(call, "quiet", NULL);
    return cn_buf_printf(
        out, "%sfs-repo@%s\n", quiet ? "" : "ipfs repo version ", CN_KUBO_REPO_VERSION);
}

static const cn_output_type version_output = {"commands.RepoVersion", version_json, version_text};

static cn_err run_version(cn_call *call)
{
    return cn_call_emit_once(call, &version_output, "");
}

static const cn_opt version_opts[] = {
    {CN_OPT_BOOL, "quiet", "q", NULL, "Write as little as possible."},
    {.name = NULL},
};

const cn_command cn_cmd_repo_version = {
    .path = "repo/version",
    .summary = "Show the version of the repo",
    .about = "The one that clients of Kubo expect to hear.",
    .opts = version_opts,
    .flags = CN_CMD_NO_REPO,
    .output = &version_output,
    .run = run_version,
};

typedef struct stat_answer {
    uint64_t repo_bytes;
    uint64_t storage_max;
    uint64_t objects;
    const char *path;
    const char *version;
} stat_answer;

static cn_err stat_json(cn_call *call, cn_buf *out, const void *value)
{
    const stat_answer *s = value;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_uint(&j, "RepoSize", s->repo_bytes);
    cn_json_put_uint(&j, "StorageMax", s->storage_max);
    cn_json_put_uint(&j, "NumObjects", s->objects);
    cn_json_put_text(&j, "RepoPath", s->path);
    cn_json_put_text(&j, "Version", s->version);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err size_line(cn_call *call, cn_buf *out, const char *name, uint64_t bytes)
{
    char human[CN_HUMAN_BYTES];
    if (cn_call_flag(call, "human", NULL)) {
        return cn_buf_printf(out, "%-11s %s\n", name, cn_human_size(bytes, human));
    }
    return cn_buf_printf(out, "%-11s %llu\n", name, (unsigned long long)bytes);
}

static cn_err stat_text(cn_call *call, cn_buf *out, const void *value)
{
    const stat_answer *s = value;
    bool sizes = cn_call_flag(call, "size-only", NULL);
    cn_err err = CN_OK;
    if (!sizes) {
        CN_TRY(cn_buf_printf(out, "NumObjects: %llu\n", (unsigned long long)s->objects));
    }
    CN_TRY(size_line(call, out, "RepoSize:", s->repo_bytes));
    CN_TRY(size_line(call, out, "StorageMax:", s->storage_max));
    if (!sizes) {
        CN_TRY(cn_buf_printf(out, "RepoPath:   %s\nVersion:    %s\n", s->path, s->version));
    }
out:
    return err;
}

static const cn_output_type stat_output = {"corerepo.Stat", stat_json, stat_text};

static cn_err run_stat(cn_call *call)
{
    cn_node *node = NULL;
    cn_store_stats stats = {0};
    stat_answer answer = {.path = "", .version = ""};
    cn_err err = CN_OK;
    CN_TRY(cn_call_node(call, &node));
    err = cn_node_quota(cn_node_config(node), &answer.storage_max, cn_call_why(call));
    if (err == CN_OK) {
        err = cn_store_stat(cn_node_store(node), &stats);
    }
    if (err != CN_OK) {
        return cn_call_fail_why(call, err);
    }
    answer.storage_max = answer.storage_max == 0 ? UINT64_MAX : answer.storage_max;
    answer.repo_bytes = stats.repo_bytes;
    if (!cn_call_flag(call, "size-only", NULL)) {
        answer.objects = stats.blocks;
        answer.path = cn_node_repo_path(node);
        answer.version = "fs-repo@" CN_KUBO_REPO_VERSION;
    }
    err = cn_call_emit_once(call, &stat_output, &answer);
out:
    return err;
}

static const cn_opt stat_opts[] = {
    {CN_OPT_BOOL, "size-only", "s", NULL, "Only sizes."},
    {CN_OPT_BOOL, "human", "H", NULL, "Sizes in units that are easy to read."},
    {.name = NULL},
};

const cn_command cn_cmd_repo_stat = {
    .path = "repo/stat",
    .summary = "Show how much the repo holds",
    .about = "Blocks, bytes on the disk and the most it may grow to (Datastore.StorageMax).",
    .opts = stat_opts,
    .output = &stat_output,
    .run = run_stat,
};
