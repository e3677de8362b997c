/*
 * The one table. A command that is built has its line here, in order of its path; groups stand
 * between them.
 */
#include "cmd/table.h"

#include "cmd/commands.h"

static const cn_opt root_opts[] = {
    {CN_OPT_STRING, "repo-dir", NULL, NULL, "Folder of the repo."},
    {CN_OPT_STRING, "config-file", NULL, NULL, "Another config file than the repo's own."},
    {CN_OPT_STRING, "config", "c", NULL, NULL},
    {CN_OPT_BOOL, "debug", "D", NULL, "Say more about what is done."},
    {CN_OPT_BOOL, "help", NULL, NULL, "Show the full help of the command."},
    {CN_OPT_BOOL, "h", NULL, NULL, "Show a short help of the command."},
    {CN_OPT_BOOL, "local", "L", NULL, NULL},
    {CN_OPT_BOOL, "offline", NULL, NULL, "Ask no peers."},
    {CN_OPT_STRING, "api", NULL, NULL, "Use the daemon at this multiaddr."},
    {CN_OPT_STRING, "api-auth", NULL, NULL,
     "Say this to the daemon: basic:user:word, bearer:word."},
    {CN_OPT_STRING, "cid-base", NULL, NULL, "Base of printed CIDs (version 0 becomes 1)."},
    {CN_OPT_BOOL, "upgrade-cidv0-in-output", NULL, NULL, NULL},
    {CN_OPT_STRING, "encoding", "enc", "text", "Form of the output: text or json."},
    {CN_OPT_BOOL, "stream-channels", NULL, NULL, NULL},
    {CN_OPT_STRING, "timeout", NULL, NULL, "Give up after this long, e.g. 90s or 1m30s."},
    {.name = NULL},
};

const cn_command cn_command_root = {
    .path = "",
    .summary = "Keep, find and give back content by what it is",
    .opts = root_opts,
};

static const cn_command groups[] = {
    {.path = "bitswap", .summary = "The exchange of blocks with peers"},
    {.path = "block", .summary = "Single blocks, as they are stored"},
    {.path = "cid", .summary = "Read and convert content identifiers"},
    {.path = "commands/completion",
     .summary = "Completion scripts for shells",
     .flags = CN_CMD_NO_REMOTE},
    {.path = "config/profile", .summary = "Sets of configuration made for a purpose"},
    {.path = "multibase", .summary = "Bytes as text in any base, and back"},
    {.path = "pin", .summary = "Keep content from being collected"},
    {.path = "repo", .summary = "The repo that holds blocks and configuration"},
    {.path = "stats", .summary = "Figures of this node"},
    {.path = "swarm", .summary = "Connections to peers"},
    {.path = "swarm/peering", .summary = "Peers that connections are kept to"},
};

static const cn_command *const built[] = {
    &cn_cmd_add,
    &cn_cmd_bitswap_ledger,
    &cn_cmd_bitswap_reprovide,
    &cn_cmd_bitswap_stat,
    &cn_cmd_bitswap_wantlist,
    &cn_cmd_block_get,
    &cn_cmd_block_put,
    &cn_cmd_block_rm,
    &cn_cmd_block_stat,
    &cn_cmd_bootstrap,
    &cn_cmd_bootstrap_add,
    &cn_cmd_bootstrap_list,
    &cn_cmd_bootstrap_rm,
    &cn_cmd_bootstrap_rm_all,
    &cn_cmd_cat,
    &cn_cmd_cid_base32,
    &cn_cmd_cid_bases,
    &cn_cmd_cid_codecs,
    &cn_cmd_cid_format,
    &cn_cmd_cid_hashes,
    &cn_cmd_cid_inspect,
    &cn_cmd_commands,
    &cn_cmd_commands_completion_bash,
    &cn_cmd_commands_completion_fish,
    &cn_cmd_commands_completion_zsh,
    &cn_cmd_config,
    &cn_cmd_config_edit,
    &cn_cmd_config_profile_apply,
    &cn_cmd_config_replace,
    &cn_cmd_config_show,
    &cn_cmd_daemon,
    &cn_cmd_get,
    &cn_cmd_id,
    &cn_cmd_init,
    &cn_cmd_ls,
    &cn_cmd_multibase_decode,
    &cn_cmd_multibase_encode,
    &cn_cmd_multibase_list,
    &cn_cmd_multibase_transcode,
    &cn_cmd_pin_add,
    &cn_cmd_pin_ls,
    &cn_cmd_pin_rm,
    &cn_cmd_pin_update,
    &cn_cmd_pin_verify,
    &cn_cmd_ping,
    &cn_cmd_refs,
    &cn_cmd_refs_local,
    &cn_cmd_repo_gc,
    &cn_cmd_repo_stat,
    &cn_cmd_repo_verify,
    &cn_cmd_repo_version,
    &cn_cmd_resolve,
    &cn_cmd_shutdown,
    &cn_cmd_stats_bitswap,
    &cn_cmd_stats_bw,
    &cn_cmd_swarm_addrs,
    &cn_cmd_swarm_addrs_autonat,
    &cn_cmd_swarm_addrs_listen,
    &cn_cmd_swarm_addrs_local,
    &cn_cmd_swarm_connect,
    &cn_cmd_swarm_disconnect,
    &cn_cmd_swarm_filters,
    &cn_cmd_swarm_filters_add,
    &cn_cmd_swarm_filters_rm,
    &cn_cmd_swarm_peering_add,
    &cn_cmd_swarm_peering_ls,
    &cn_cmd_swarm_peering_rm,
    &cn_cmd_swarm_peers,
    &cn_cmd_swarm_resources,
    &cn_cmd_version,
};

static const cn_command *find_built(cn_slice path)
{
    for (size_t i = 0; i < CN_LEN(built); i++) {
        if (cn_slice_is(path, built[i]->path)) {
            return built[i];
        }
    }
    for (size_t i = 0; i < CN_LEN(groups); i++) {
        if (cn_slice_is(path, groups[i].path)) {
            return &groups[i];
        }
    }
    return path.len == 0 ? &cn_command_root : NULL;
}

const cn_command *cn_command_find(cn_slice path)
{
    const cn_command *found = find_built(path);
    for (size_t i = 0; found == NULL && i < cn_unbuilt_len; i++) {
        if (cn_slice_is(path, cn_unbuilt[i].path)) {
            found = &cn_unbuilt[i];
        }
    }
    return found;
}

const cn_command *cn_command_next(size_t *position)
{
    size_t i = (*position)++;
    if (i < CN_LEN(built)) {
        return built[i];
    }
    i -= CN_LEN(built);
    if (i < CN_LEN(groups)) {
        return &groups[i];
    }
    i -= CN_LEN(groups);
    for (; i < cn_unbuilt_len; i++, (*position)++) {
        if (find_built(cn_str(cn_unbuilt[i].path)) == NULL) {
            return &cn_unbuilt[i];
        }
    }
    return NULL;
}

/* The part of `path` before its last word, without the slash. */
static cn_slice parent_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    return cn_slice_of(path, slash == NULL ? 0 : (size_t)(slash - path));
}

const cn_command *cn_command_parent(const cn_command *command)
{
    return command->path[0] == '\0' ? NULL : cn_command_find(parent_path(command->path));
}

bool cn_command_is_child(const cn_command *command, const cn_command *parent)
{
    return command->path[0] != '\0' && cn_slice_is(parent_path(command->path), parent->path);
}

const char *cn_command_name(const cn_command *command)
{
    const char *slash = strrchr(command->path, '/');
    return slash == NULL ? command->path : slash + 1;
}

const cn_command *cn_command_child(const cn_command *parent, cn_slice word)
{
    char path[128];
    size_t len = strlen(parent->path);
    if (len + 1 + word.len >= sizeof path || word.len == 0 ||
        cn_slice_find(word, '/') != word.len) {
        return NULL;
    }
    cn_copy(path, parent->path, len);
    if (len > 0) {
        path[len++] = '/';
    }
    cn_copy(path + len, word.data, word.len);
    return cn_command_find(cn_slice_of(path, len + word.len));
}
