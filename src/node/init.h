/*
 * Making a repo.
 */
#pragma once

#include "node/identity.h"
#include "rt/rt.h"

typedef struct cn_init_options {
    cn_rt *rt;
    cn_mem *mem;
    const char *repo_path; /* its parent folder must be there */
    const char *profiles;  /* names between commas; NULL or "": none */
    cn_slice config;       /* a whole configuration instead of the usual; empty: the usual */
    const char *peer_id;   /* for the usual configuration; NULL with `config` */
    const cn_key *key;     /* private, goes into its own file; NULL with `config` */
    int64_t pid;           /* for the lock, as in cn_node_options */
    const char *command;
} cn_init_options;

/* May a repo be made there? Errors: EXISTS, UNSUPPORTED (a repo of Kubo), PERMISSION, IO. */
CN_MUST_USE cn_err cn_init_check(cn_rt *rt, const char *repo_path, cn_why *why);

/* Can options->config be read as a configuration? Errors: MALFORMED, TRUNCATED, WRONG_TYPE. */
CN_MUST_USE cn_err cn_init_check_config(const cn_init_options *options, cn_why *why);

/*
 * Make it: folder, version, key, store with the empty directory pinned, and the config as the last,
 * so that an interrupted try can be made again. Errors: EXISTS ("ipfs configuration file already
 * exists!"), UNSUPPORTED, BUSY, NOT_FOUND (no parent folder; or "invalid configuration profile"),
 * MALFORMED, WRONG_TYPE (config), NO_SPACE, IO, PERMISSION.
 */
CN_MUST_USE cn_err cn_init_repo(const cn_init_options *options, cn_why *why);
