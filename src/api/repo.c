/*
 * Opening, making and closing a repo through the public API.
 */
#include "api/internal_repo.h"
#include "node/init.h"
#include "node/repo.h"
#include "rt_os/rt_os.h"

#include <stdlib.h>

enum { PATH_MAX_BYTES = 4096 };
#define ASK_EVERY_NS (50 * CN_NS_PER_MS)
static const char *const holder = "a program with libcairn";

static cn_err find_path(const cairn_open_options *options, cn_buf *ret, cn_why *why)
{
    const cn_repo_env env = {
        .option = options->path,
        .cairn_path = getenv("CAIRN_PATH"),
        .ipfs_path = getenv("IPFS_PATH"),
        .home = getenv("HOME"),
    };
    return cn_repo_path(&env, ret, why);
}

/* Make a repo with a new Ed25519 identity and the profile that `cairn init` takes. */
static cn_err make_repo(cn_rt *rt, const char *path, cn_why *why)
{
    cn_mem *mem = cn_mem_default();
    cn_key *key = NULL;
    cn_peer_id id = {0};
    cn_identity identity = {0};
    cn_err err = CN_OK;
    cn_init_options options = {
        .rt = rt,
        .mem = mem,
        .repo_path = path,
        .profiles = "unixfs-v1-2025",
        .command = holder,
    };
    CN_TRY(cn_key_generate(mem, CN_KEY_ED25519, 0, &key, why));
    CN_TRY(cn_peer_id_of_key(key, &id));
    CN_TRY(cn_identity_of(&id, &identity));
    options.peer_id = identity.peer_id;
    options.key = key;
    err = cn_init_repo(&options, why);
out:
    cn_key_free(key);
    return err;
}

/* Open the node; while another process holds the repo, ask now and then if the call may go on. */
static cn_err open_within(
    cairn_repo *r, cn_node_options *how, int64_t lock_wait_ns, const cn_api_wait *wait, cn_why *why)
{
    const cn_time end = cn_time_after(cn_rt_now(r->rt), lock_wait_ns);
    for (;;) {
        int64_t left = end.ns - cn_rt_now(r->rt).ns;
        how->lock_wait_ns = left > ASK_EVERY_NS ? ASK_EVERY_NS : left > 0 ? left : 0;
        cn_err err = cn_node_open(how, &r->node, why);
        if (err != CN_ERR_BUSY || left <= 0) {
            return err;
        }
        err = cn_api_wait_check(wait);
        if (err != CN_OK) {
            return cn_why_set(why, err, "%s", cn_err_sentence(err));
        }
    }
}

static cn_err open_node(
    cairn_repo *r,
    const cairn_open_options *options,
    const char *path,
    const cn_api_wait *wait,
    cn_why *why)
{
    cn_node_options how = {
        .rt = r->rt,
        .repo_path = path,
        .command = holder,
        .pid = cn_rt_os_pid(),
        .offline = true,
    };
    cn_repo_kind kind = CN_REPO_NONE;
    cn_err err = CN_OK;
    CN_TRY(cn_api_wait_check(wait));
    if (options->create != 0) {
        CN_TRY(cn_repo_probe(r->rt, path, &kind, why));
        if (kind == CN_REPO_NONE) {
            CN_TRY(make_repo(r->rt, path, why));
        }
    }
    CN_TRY(open_within(r, &how, options->lock_wait_ns, wait, why));
out:
    return err;
}

cairn_result cairn_repo_open(
    const cairn_open_options *options,
    const cairn_wait *wait,
    cairn_repo **ret,
    cairn_message *message)
{
    cn_buf path = {0};
    const char *path_text = NULL;
    cairn_repo *r = NULL;
    cairn_open_options how;
    cn_api_wait limits;
    cn_why why = {0};
    cn_err err = CN_OK;
    cn_buf_init(&path, cn_mem_default(), PATH_MAX_BYTES);
    CN_TRY(cn_api_given(ret, "place for the repo", &why));
    CN_TRY(cn_api_options(&how, sizeof how, options, &why));
    if (how.lock_wait_ns < 0) {
        CN_TRY(cn_why_set(&why, CN_ERR_USAGE, "lock_wait_ns is negative"));
    }
    r = cn_alloc(cn_mem_default(), sizeof *r);
    CN_TRY(r == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    CN_TRY(cn_rt_os_new(0, &r->rt));
    CN_TRY(cn_api_wait_init(&limits, r->rt, wait, &why));
    CN_TRY(find_path(&how, &path, &why));
    CN_TRY(cn_buf_cstr(&path, &path_text));
    CN_TRY(open_node(r, &how, path_text, &limits, &why));
    *ret = r;
    r = NULL;
out:
    if (r != NULL) {
        cn_rt_os_free(r->rt);
        cn_free(cn_mem_default(), r);
    }
    cn_buf_release(&path);
    return cn_api_result(err, &why, message);
}

cairn_result cairn_repo_close(cairn_repo *r, cairn_message *message)
{
    cn_why why = {0};
    cn_err err = CN_OK;
    if (r != NULL && atomic_load(&r->readers) > 0) {
        err = cn_why_set(
            &why, CN_ERR_USAGE, "%u readers of this repo are still open: close them first",
            atomic_load(&r->readers));
    } else if (r != NULL) {
        err = cn_node_close(r->node, &why);
        cn_rt_os_free(r->rt);
        cn_free(cn_mem_default(), r);
    }
    return cn_api_result(err, &why, message);
}
