/*
 * Commands run in this process: the node is opened when a command first asks for it.
 */
#include "cli/cli.h"

#include "cli/daemon.h"
#include "cli/editor.h"

#include "node/node.h"
#include "node/repo.h"

#include <stdlib.h>
#include <unistd.h>

static cn_err open_node(cn_call_host *h, struct cn_node **ret, cn_why *why)
{
    cn_local *l = (cn_local *)h;
    if (l->node != NULL) {
        *ret = l->node;
        return CN_OK;
    }
    cn_node_options options = {
        .rt = h->rt,
        .mem = h->mem,
        .repo_path = h->repo_path,
        .config_path = l->config_path,
        .command = h->program,
        .pid = h->pid,
        .offline = l->offline,
    };
    cn_err err = cn_repo_lock_wait(getenv("IPFS_WAIT_REPO_LOCK"), &options.lock_wait_ns, why);
    if (err == CN_OK) {
        err = cn_node_open(&options, &l->node, why);
    }
    if (err == CN_OK) {
        *ret = l->node;
    }
    return err;
}

static cn_err no_daemon(cn_call_host *h, cn_why *why)
{
    cn_err err = cn_repo_check(h->rt, h->repo_path, why);
    return err != CN_OK ? err : cn_why_set(why, CN_ERR_USAGE, "daemon not running");
}

static cn_err edit(cn_call_host *h, const char *path, cn_why *why)
{
    return cn_editor_run(h->mem, getenv("EDITOR"), path, why);
}

static const cn_call_host_ops local_ops = {
    .node = open_node,
    .shutdown = no_daemon,
    .serve = cn_daemon_serve,
    .edit = edit,
};

void cn_local_init(cn_local *l, cn_rt *rt, cn_mem *mem)
{
    *l = (cn_local){
        .host = {
            .ops = &local_ops,
            .rt = rt,
            .mem = mem,
            .pid = getpid(),
            .is_cli = true,
            .has_terminal = isatty(STDERR_FILENO) == 1,
        }};
}

cn_err cn_local_close(cn_local *l, cn_why *why)
{
    struct cn_node *node = l->node;
    l->node = NULL;
    return node == NULL ? CN_OK : cn_node_close(node, why);
}
