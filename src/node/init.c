/*
 * Making a repo. The lock is taken before anything else is written, so of two at once one fails;
 * the config comes last and is what says that the repo is there.
 */
#include "node/init.h"

#include "node/config_file.h"
#include "node/empty.h"
#include "node/profile.h"
#include "node/repo.h"
#include "node/schema.h"
#include "store/pin.h"
#include "store/store.h"

#include <stdio.h>

enum { PATH_MAX_BYTES = 64 * 1024, TREE_MAX_BYTES = 256 << 20 };

static cn_err config_exists(cn_rt *rt, const char *repo, bool *ret)
{
    cn_buf buf;
    cn_path_stat st = {0};
    const char *path = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&buf, cn_mem_default(), PATH_MAX_BYTES);
    CN_TRY(cn_repo_file(repo, "config", &buf));
    CN_TRY(cn_buf_cstr(&buf, &path));
    err = cn_path_stat_of(rt, path, &st);
    *ret = err == CN_OK;
    err = err == CN_ERR_NOT_FOUND ? CN_OK : err;
out:
    cn_buf_release(&buf);
    return err;
}

cn_err cn_init_check(cn_rt *rt, const char *repo_path, cn_why *why)
{
    cn_repo_kind kind = CN_REPO_NONE;
    bool configured = false;
    cn_path_stat place = {0};
    cn_err err = CN_OK;
    CN_TRY(config_exists(rt, repo_path, &configured));
    if (configured) {
        return cn_why_set(
            why, CN_ERR_EXISTS,
            "ipfs configuration file already exists!\nReinitializing would overwrite your keys\n");
    }
    if (cn_path_stat_of(rt, repo_path, &place) == CN_OK && place.kind != CN_PATH_DIR &&
        place.kind != CN_PATH_SYMLINK) {
        return cn_why_set(why, CN_ERR_WRONG_TYPE, "%s is not a folder", repo_path);
    }
    CN_TRY(cn_repo_probe(rt, repo_path, &kind, why));
    if (kind != CN_REPO_NONE && kind != CN_REPO_OURS) {
        err = cn_repo_check(rt, repo_path, why);
    }
out:
    return err;
}

cn_err cn_init_check_config(const cn_init_options *o, cn_why *why)
{
    cn_config *c = NULL;
    cn_err err = cn_config_parse(o->mem, o->config, &c, why);
    cn_config_free(c);
    return err;
}

/* A file of the repo, written as a whole (mode 0600). */
static cn_err write_file(const cn_init_options *o, const char *name, cn_slice data, cn_why *why)
{
    cn_buf buf;
    const char *path = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&buf, o->mem, PATH_MAX_BYTES);
    CN_TRY(cn_repo_file(o->repo_path, name, &buf));
    CN_TRY(cn_buf_cstr(&buf, &path));
    CN_TRY(cn_rt_write_file(o->rt, path, data, why));
out:
    cn_buf_release(&buf);
    return err;
}

static cn_err apply_profiles(const cn_init_options *o, cn_json_doc *d, cn_json *root, cn_why *why)
{
    cn_slice rest = cn_str(o->profiles);
    while (rest.len > 0) {
        size_t len = cn_slice_find(rest, ',');
        cn_slice name = cn_slice_head(rest, len);
        bool last = len == rest.len;
        rest = cn_slice_skip(rest, len + 1);
        if (!cn_profile_exists(name)) {
            return cn_why_set(
                why, CN_ERR_NOT_FOUND, "invalid configuration profile: %.*s",
                (int)CN_MIN(name.len, (size_t)200), name.len == 0 ? "" : (const char *)name.data);
        }
        cn_err err = cn_profile_apply(o->rt, d, root, name, why);
        if (err != CN_OK) {
            return err;
        }
        if (!last && rest.len == 0) {
            return cn_why_set(why, CN_ERR_NOT_FOUND, "invalid configuration profile: ");
        }
    }
    return CN_OK;
}

/* The text of the config file, in the order of Kubo's own. */
static cn_err make_config(const cn_init_options *o, cn_buf *out, cn_why *why)
{
    cn_json_doc d;
    cn_json *root = NULL;
    cn_json *raw = NULL;
    cn_err err = CN_OK;
    cn_json_doc_init(&d, o->mem, TREE_MAX_BYTES);
    if (o->config.len > 0) {
        CN_TRY(cn_json_parse(&d, o->config, CN_JSON_FIRST, &raw, why));
        CN_TRY(cn_schema_check(&cn_schema_config, raw, why));
        CN_TRY(cn_schema_shape(&d, &cn_schema_config, raw, &root));
    } else {
        CN_TRY(cn_profile_skeleton(&d, cn_str(o->peer_id), &root));
    }
    CN_TRY(apply_profiles(o, &d, root, why));
    CN_TRY(cn_schema_shape(&d, &cn_schema_config, root, &root));
    CN_TRY(cn_json_dump(root, CN_JSON_INDENT | CN_JSON_GO_NUMBERS, out));
out:
    cn_json_doc_release(&d);
    return err;
}

static cn_err write_key(const cn_init_options *o, cn_why *why)
{
    cn_buf text;
    cn_err err = CN_OK;
    cn_buf_init(&text, o->mem, 4 * CN_KEY_PRIVATE_MAX_BYTES);
    CN_TRY(cn_identity_key_text(o->key, &text));
    CN_TRY(cn_buf_byte(&text, '\n'));
    CN_TRY(write_file(o, CN_REPO_KEY_FILE, cn_buf_slice(&text), why));
out:
    cn_key_wipe(&text);
    return err;
}

static cn_err make_store(const cn_init_options *o, cn_why *why)
{
    cn_buf buf;
    cn_cid empty = {0};
    cn_store *store = NULL;
    cn_pins *pins = NULL;
    cn_err err = CN_OK;
    cn_store_options options = {.mem = o->mem, .rt = o->rt, .holder = o->command};
    cn_buf_init(&buf, o->mem, PATH_MAX_BYTES);
    CN_TRY(cn_repo_file(o->repo_path, CN_REPO_STORE_DIR, &buf));
    CN_TRY(cn_buf_cstr(&buf, &options.dir));
    CN_TRY(cn_store_open(&options, &store, why));
    CN_TRY(cn_pins_open(store, &pins, why));
    CN_TRY(cn_empty_dir_cid(&empty));
    CN_TRY(cn_blocks_put(cn_store_blocks(store), &empty, cn_empty_dir_block(), why));
    CN_TRY(cn_store_flush(store, why));
    CN_TRY(cn_pins_set(pins, &empty, CN_PIN_RECURSIVE, (cn_slice){0}, why));
out:
    cn_pins_close(pins);
    cn_store_close(store);
    cn_buf_release(&buf);
    return err;
}

static void take_back(const cn_init_options *o)
{
    cn_buf buf;
    const char *path = NULL;
    cn_buf_init(&buf, o->mem, PATH_MAX_BYTES);
    if (cn_repo_file(o->repo_path, "config", &buf) == CN_OK && cn_buf_cstr(&buf, &path) == CN_OK) {
        (void)!cn_path_unlink(o->rt, path);
    }
    cn_buf_release(&buf);
}

cn_err cn_init_repo(const cn_init_options *o, cn_why *why)
{
    cn_buf config;
    cn_file *lock = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&config, o->mem, CN_CONFIG_MAX_BYTES);
    err = cn_path_mkdir(o->rt, o->repo_path, 0755);
    if (err != CN_OK && err != CN_ERR_EXISTS) {
        bool parent = err == CN_ERR_NOT_FOUND;
        err = cn_why_set(
            why, err, "mkdir %s: %s", o->repo_path,
            parent ? "no such file or directory" : cn_err_sentence(err));
        goto out;
    }
    CN_TRY(cn_init_check(o->rt, o->repo_path, why));
    CN_TRY(make_config(o, &config, why));
    CN_TRY(cn_repo_lock(o->rt, o->repo_path, o->pid, o->command, 0, &lock, why));
    CN_TRY(cn_init_check(o->rt, o->repo_path, why));
    CN_TRY(cn_repo_write_version(o->rt, o->repo_path, why));
    if (o->key != NULL) {
        CN_TRY(write_key(o, why));
    }
    CN_TRY(make_store(o, why));
    err = write_file(o, "config", cn_buf_slice(&config), why);
    if (err != CN_OK) {
        take_back(o); /* it may be there, though not for certain: then the repo would be made */
    }
out:
    cn_file_close(o->rt, lock);
    if (config.data != NULL) {
        cn_wipe(config.data, config.len);
    }
    cn_buf_release(&config);
    return err;
}
