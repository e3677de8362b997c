/*
 * `init` makes a repo. The lines come as the work goes on, as Kubo's do.
 */
#include "cmd/commands.h"
#include "node/config_file.h"
#include "node/init.h"
#include "node/repo.h"

typedef struct algorithm {
    const char *name;
    cn_key_type type;
} algorithm;

static const algorithm algorithms[] = {
    {"ed25519", CN_KEY_ED25519},
    {"rsa", CN_KEY_RSA},
    {"secp256k1", CN_KEY_SECP256K1},
    {"ecdsa", CN_KEY_ECDSA},
};

static cn_err say(cn_call *call, const char *format, ...) CN_PRINTF(2, 3);

static cn_err say(cn_call *call, const char *format, ...)
{
    cn_buf line;
    va_list args;
    cn_buf_init(&line, cn_call_mem(call), 1 << 16);
    va_start(args, format);
    cn_err err = cn_buf_vprintf(&line, format, args);
    va_end(args);
    if (err == CN_OK) {
        err = cn_call_write(call, cn_buf_slice(&line));
    }
    cn_buf_release(&line);
    return err;
}

/* Which algorithm, and is the size one it can have? */
static cn_err choose(cn_call *call, const algorithm **ret, unsigned *ret_bits)
{
    const char *name = cn_call_string(call, "algorithm", NULL);
    bool given = false;
    int64_t bits = cn_call_int(call, "bits", &given);
    const algorithm *found = NULL;
    for (size_t i = 0; i < CN_LEN(algorithms); i++) {
        found = cn_slice_is(cn_str(name), algorithms[i].name) ? &algorithms[i] : found;
    }
    if (found == NULL) {
        return cn_call_fail(
            call, CN_ERR_UNSUPPORTED, "unrecognized key type: %s", name == NULL ? "" : name);
    }
    if (given && found->type != CN_KEY_RSA && bits != 256) {
        return cn_call_fail(
            call, CN_ERR_USAGE, "invalid key size %lld: %s keys are always 256 bits",
            (long long)bits, name);
    }
    *ret = found;
    *ret_bits = given && bits >= 0 && bits <= INT32_MAX ? (unsigned)bits : CN_KEY_RSA_MIN_BITS;
    return CN_OK;
}

static cn_err make_key(cn_call *call, cn_key **ret, cn_identity *ret_identity)
{
    const algorithm *a = NULL;
    unsigned bits = 0;
    cn_peer_id id = {0};
    cn_key *key = NULL;
    cn_err err = CN_OK;
    CN_TRY(choose(call, &a, &bits));
    if (a->type == CN_KEY_RSA) {
        CN_TRY(say(call, "generating %u-bit RSA keypair...", bits));
        if (bits < CN_KEY_RSA_MIN_BITS) {
            err = cn_call_fail(
                call, CN_ERR_USAGE, "rsa keys must be >= %d bits to be useful",
                CN_KEY_RSA_MIN_BITS);
            goto out;
        }
    } else {
        const char *shown = a->type == CN_KEY_ED25519 ? "ED25519" : a->name;
        CN_TRY(say(call, "generating %s keypair...", shown));
    }
    err = cn_key_generate(cn_call_mem(call), a->type, bits, &key, cn_call_why(call));
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
        goto out;
    }
    CN_TRY(cn_peer_id_of_key(key, &id));
    CN_TRY(cn_identity_of(&id, ret_identity));
    CN_TRY(say(call, "done\npeer identity: %s\n", ret_identity->peer_id));
    *ret = key;
    key = NULL;
out:
    cn_key_free(key);
    return err;
}

/*
 * Nothing is said of a key where no repo can be: no folder, or one that a process works in. That
 * there is a repo already is said later, as Kubo does.
 */
static cn_err check_place(cn_call *call)
{
    bool locked = false;
    int64_t pid = 0;
    const char *repo = cn_call_repo_path(call);
    cn_err err = cn_init_check(cn_call_rt(call), repo, cn_call_why(call));
    if (err == CN_ERR_EXISTS) {
        err = cn_repo_is_locked(cn_call_rt(call), repo, &locked, &pid);
        if (err == CN_OK && locked && pid != 0) {
            return cn_call_fail(
                call, CN_ERR_BUSY, "process %lld works in the repo at %s", (long long)pid, repo);
        }
        return err == CN_OK && locked
                   ? cn_call_fail(call, CN_ERR_BUSY, "a process works in the repo at %s", repo)
                   : err;
    }
    return err;
}

static cn_err run_init(cn_call *call)
{
    cn_buf config;
    cn_key *key = NULL;
    cn_identity identity = {0};
    bool given = false;
    bool as_kubo = strcmp(cn_call_program(call), "ipfs") == 0;
    cn_init_options o = {
        .rt = cn_call_rt(call),
        .mem = cn_call_mem(call),
        .repo_path = cn_call_repo_path(call),
        .pid = cn_call_pid(call),
        .command = "init",
    };
    cn_err err = CN_OK;
    cn_buf_init(&config, cn_call_mem(call), CN_CONFIG_MAX_BYTES);
    o.profiles = cn_call_string(call, "profile", &given);
    o.profiles = given || as_kubo ? o.profiles : "unixfs-v1-2025";
    if (!cn_call_flag(call, "empty-repo", NULL)) {
        err = cn_call_fail(
            call, CN_ERR_UNSUPPORTED,
            "there are no sample files to put in: leave --empty-repo as it is");
        goto out;
    }
    if (cn_call_files(call) != NULL) {
        CN_TRY(cn_call_read_file(call, &config));
        o.config = cn_buf_slice(&config);
        if (config.len == 0) {
            err = cn_call_fail(call, CN_ERR_MALFORMED, "EOF");
            goto out;
        }
        CN_TRY(cn_init_check_config(&o, cn_call_why(call)));
    } else {
        CN_TRY(check_place(call));
        CN_TRY(make_key(call, &key, &identity));
        o.key = key;
        o.peer_id = identity.peer_id;
    }
    CN_TRY(say(call, "initializing IPFS node at %s\n", o.repo_path));
    err = cn_init_repo(&o, cn_call_why(call));
out:
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
    }
    cn_key_free(key);
    cn_key_wipe(&config);
    return err;
}

static const cn_arg init_args[] = {
    {"default-config", CN_ARG_FILE | CN_ARG_OPTIONAL, "A configuration to begin with."},
    {.name = NULL},
};

static const cn_opt init_opts[] = {
    {CN_OPT_STRING, "algorithm", "a", "ed25519",
     "Of the identity's key: ed25519, rsa, secp256k1 or ecdsa."},
    {CN_OPT_INT, "bits", "b", NULL, "Size of an RSA key."},
    {CN_OPT_BOOL, "empty-repo", "e", "true", "Put no sample files in."},
    {CN_OPT_STRING, "profile", "p", NULL, "Profiles to apply, with commas between."},
    {.name = NULL},
};

const cn_command cn_cmd_init = {
    .path = "init",
    .summary = "Make a repo",
    .about = "Makes the folder of the repo with an identity and a configuration. Unless told\n"
             "otherwise by --profile, the profile unixfs-v1-2025 is applied; as `ipfs`, none.",
    .args = init_args,
    .opts = init_opts,
    .flags = CN_CMD_NO_REMOTE | CN_CMD_NO_API | CN_CMD_TAKES_UNINIT,
    .run = run_init,
};
