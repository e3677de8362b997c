/*
 * Opening the config file for the config commands. In a daemon its node's lock keeps changes
 * apart; without one it is the lock of the repo, as for everything else.
 */
#include "cmd/config_common.h"

#include "node/node.h"
#include "node/repo.h"

enum { PATH_MAX_BYTES = 64 * 1024 };

cn_err cn_config_edit_path(cn_call *call, cn_buf *ret)
{
    const char *given = cn_call_string(call, "config-file", NULL);
    if (given == NULL || given[0] == '\0') {
        return cn_repo_file(cn_call_repo_path(call), "config", ret);
    }
    return strchr(given, '/') != NULL ? cn_buf_text(ret, given)
                                      : cn_repo_file(cn_call_repo_path(call), given, ret);
}

cn_err cn_config_edit_begin(cn_call *call, bool change, cn_config_edit *ret)
{
    const char *path = NULL;
    const char *repo = cn_call_repo_path(call);
    struct cn_node *node = NULL;
    cn_err err = CN_OK;
    *ret = (cn_config_edit){.rt = cn_call_rt(call)};
    cn_buf_init(&ret->path, cn_call_mem(call), PATH_MAX_BYTES);
    CN_TRY(cn_config_edit_path(call, &ret->path));
    CN_TRY(cn_buf_cstr(&ret->path, &path));
    CN_TRY(cn_repo_check(ret->rt, repo, cn_call_why(call)));
    if (change && cn_call_in_daemon(call)) {
        CN_TRY(cn_call_node(call, &node));
        cn_node_config_lock(node);
        ret->node = node;
    } else if (change) {
        CN_TRY(cn_repo_lock(
            ret->rt, repo, cn_call_pid(call), "config", 0, &ret->lock, cn_call_why(call)));
    }
    CN_TRY(cn_config_file_open(ret->rt, cn_call_mem(call), path, &ret->file, cn_call_why(call)));
out:
    return err == CN_OK ? err : cn_call_fail_why(call, err);
}

void cn_config_edit_end(cn_config_edit *e)
{
    cn_config_file_release(&e->file);
    cn_file_close(e->rt, e->lock);
    if (e->node != NULL) {
        cn_node_config_unlock(e->node);
    }
    cn_buf_release(&e->path);
}
