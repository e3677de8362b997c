/*
 * Opening and closing, in this order: what lies there, config, lock, store; pins and identity when
 * first asked for, under `lazy`. Whatever is opened later is closed earlier.
 */
#include "node/node.h"

#include "node/empty.h"
#include "node/repo.h"
#include "rt/lock.h"
#include "store/pin.h"
#include "store/store.h"

#include <stdio.h>

enum { PATH_MAX_BYTES = 64 * 1024 };

struct cn_node {
    cn_rt *rt;
    cn_mem *mem;
    char *repo_path;
    char *config_path;
    bool offline;
    cn_config *config;
    cn_file *lock;
    cn_store *store;
    cn_lock *lazy; /* guards the two below, until they are set */
    cn_pins *pins;
    cn_identity *identity;
    cn_lock *config_lock;
    cn_latch *latch;
    cn_network *network; /* not ours */
};

static cn_err copy_paths(cn_node *n, const cn_node_options *o)
{
    cn_buf path;
    const char *name = NULL;
    cn_path_stat given = {0};
    cn_err err = CN_OK;
    cn_buf_init(&path, n->mem, PATH_MAX_BYTES);
    n->repo_path = cn_strdup(n->mem, o->repo_path, strlen(o->repo_path));
    CN_TRY(n->repo_path == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    /* a config file that is not there is passed over, as Kubo does */
    if (o->config_path == NULL ||
        cn_path_stat_of(o->rt, o->config_path, &given) == CN_ERR_NOT_FOUND) {
        CN_TRY(cn_repo_file(o->repo_path, "config", &path));
    } else {
        CN_TRY(cn_buf_text(&path, o->config_path));
    }
    CN_TRY(cn_buf_cstr(&path, &name));
    n->config_path = cn_strdup(n->mem, name, path.len);
    CN_TRY(n->config_path == NULL ? CN_ERR_NO_MEMORY : CN_OK);
out:
    cn_buf_release(&path);
    return err;
}

cn_err cn_node_quota(const cn_config *config, uint64_t *ret_bytes, cn_why *why)
{
    if (cn_config_string(config, "Datastore.StorageMax", "").len == 0) {
        *ret_bytes = 0;
        return CN_OK;
    }
    return cn_config_bytes(config, "Datastore.StorageMax", 0, ret_bytes, why);
}

static cn_err open_store(cn_node *n, const cn_node_options *o, cn_why *why)
{
    char holder[256];
    cn_buf dir;
    cn_err err = CN_OK;
    cn_store_options options = {.mem = n->mem, .rt = n->rt, .holder = holder};
    cn_buf_init(&dir, n->mem, PATH_MAX_BYTES);
    (void)snprintf(
        holder, sizeof holder, "pid %lld (%.200s)", (long long)o->pid,
        o->command == NULL ? "" : o->command);
    CN_TRY(cn_repo_lock(n->rt, n->repo_path, o->pid, o->command, o->lock_wait_ns, &n->lock, why));
    CN_TRY(cn_repo_file(n->repo_path, CN_REPO_STORE_DIR, &dir));
    CN_TRY(cn_buf_cstr(&dir, &options.dir));
    CN_TRY(cn_node_quota(n->config, &options.quota_bytes, why));
    options.policy = cn_config_bool(n->config, "Datastore.HashOnRead", false) ? CN_STORE_EVERY_READ
                                                                              : CN_STORE_FIRST_READ;
    CN_TRY(cn_store_open(&options, &n->store, why));
out:
    cn_buf_release(&dir);
    return err;
}

static void free_node(cn_node *n)
{
    if (n == NULL) {
        return;
    }
    cn_pins_close(n->pins);
    cn_store_close(n->store);
    cn_file_close(n->rt, n->lock);
    cn_config_free(n->config);
    cn_free(n->mem, n->identity);
    cn_lock_free(n->lazy);
    cn_lock_free(n->config_lock);
    cn_latch_free(n->latch);
    cn_free(n->mem, n->repo_path);
    cn_free(n->mem, n->config_path);
    cn_free(n->mem, n);
}

cn_err cn_node_open(const cn_node_options *options, cn_node **ret, cn_why *why)
{
    cn_mem *mem = options->mem == NULL ? cn_mem_default() : options->mem;
    cn_err err = CN_OK;
    cn_node *n = cn_alloc(mem, sizeof *n);
    if (n == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    n->mem = mem;
    n->rt = options->rt;
    n->offline = options->offline;
    CN_TRY(copy_paths(n, options));
    CN_TRY(cn_lock_new(mem, &n->lazy));
    CN_TRY(cn_lock_new(mem, &n->config_lock));
    CN_TRY(cn_latch_new(n->rt, mem, &n->latch));
    CN_TRY(cn_repo_check(n->rt, n->repo_path, why));
    CN_TRY(cn_config_load(n->rt, mem, n->config_path, &n->config, why));
    if (!options->without_store) {
        CN_TRY(open_store(n, options, why));
    }
    *ret = n;
    n = NULL;
out:
    free_node(n);
    return err;
}

cn_err cn_node_close(cn_node *n, cn_why *why)
{
    cn_err err = n != NULL && n->store != NULL ? cn_store_flush(n->store, why) : CN_OK;
    free_node(n);
    return err;
}

cn_blocks *cn_node_blocks(cn_node *n)
{
    return n->store == NULL ? NULL : cn_store_blocks(n->store);
}

cn_store *cn_node_store(cn_node *n)
{
    return n->store;
}

cn_err cn_node_pins(cn_node *n, cn_pins **ret, cn_why *why)
{
    cn_err err = CN_OK;
    if (n->store == NULL) {
        return cn_why_set(why, CN_ERR_USAGE, "the repo was opened without its store");
    }
    cn_lock_take(n->lazy);
    if (n->pins == NULL) {
        err = cn_pins_open(n->store, &n->pins, why);
    }
    if (err == CN_OK) {
        *ret = n->pins;
    }
    cn_lock_give(n->lazy);
    return err;
}

cn_latch *cn_node_latch(cn_node *n)
{
    return n->latch;
}

cn_network *cn_node_network(const cn_node *n)
{
    return n->network;
}

void cn_node_set_network(cn_node *n, cn_network *network)
{
    n->network = network;
}

const cn_config *cn_node_config(const cn_node *n)
{
    return n->config;
}

cn_err cn_node_identity(cn_node *n, const cn_identity **ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_identity *made = NULL;
    cn_lock_take(n->lazy);
    if (n->identity == NULL) {
        made = cn_alloc(n->mem, sizeof *made);
        CN_TRY(made == NULL ? CN_ERR_NO_MEMORY : CN_OK);
        CN_TRY(cn_identity_load(n->rt, n->repo_path, n->config, made, why));
        n->identity = made;
        made = NULL;
    }
    *ret = n->identity;
out:
    cn_lock_give(n->lazy);
    cn_free(n->mem, made);
    return err;
}

const char *cn_node_repo_path(const cn_node *n)
{
    return n->repo_path;
}

const char *cn_node_config_path(const cn_node *n)
{
    return n->config_path;
}

bool cn_node_is_offline(const cn_node *n)
{
    return n->offline;
}

cn_rt *cn_node_rt(const cn_node *n)
{
    return n->rt;
}

cn_mem *cn_node_mem(const cn_node *n)
{
    return n->mem;
}

void cn_node_config_lock(cn_node *n)
{
    cn_lock_take(n->config_lock);
}

void cn_node_config_unlock(cn_node *n)
{
    cn_lock_give(n->config_lock);
}

cn_err cn_node_mfs_root(cn_node *n, cn_cid *ret, cn_why *why)
{
    cn_pins *pins = NULL;
    cn_err err = cn_node_pins(n, &pins, why);
    if (err == CN_OK) {
        err = cn_pins_root_get(pins, ret, why);
    }
    if (err == CN_ERR_NOT_FOUND) {
        if (why != NULL) {
            why->text[0] = '\0';
        }
        err = cn_empty_dir_cid(ret);
    }
    return err;
}
