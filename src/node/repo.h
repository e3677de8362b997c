/*
 * The repo: a folder with `version`, `config`, the identity's key file, `repo.lock`, the store's
 * files, and while a daemon runs `api` and `gateway`.
 *
 *     version       "cairn 1\n"   Kubo reads a number here and refuses
 *     config        Kubo's JSON, mode 0600, without the private key
 *     identity.key  the private key, mode 0600
 *     store/        blocks and pins (store/store.h)
 *     peers         what is known of peers (p2p/host/book_file.h)
 *     repo.lock     held while a process has the repo open; says whose it is
 */
#pragma once

#include "rt/rt.h"

enum { CN_REPO_VERSION = 1, CN_REPO_FS_VERSION = 18 /* what `repo version` answers, as Kubo */ };

#define CN_REPO_STORE_DIR "store"
#define CN_REPO_KEY_FILE "identity.key"

/* Where a repo may be said to be; each NULL if not given. */
typedef struct cn_repo_env {
    const char *option;     /* --repo-dir */
    const char *cairn_path; /* $CAIRN_PATH */
    const char *ipfs_path;  /* $IPFS_PATH */
    const char *home;       /* $HOME */
} cn_repo_env;

/*
 * Append the repo's path: the first that is given and not empty, else "~/.cairn"; a leading "~/"
 * means the home. Errors: USAGE (nothing given and no home), those of the buffer.
 */
CN_MUST_USE cn_err cn_repo_path(const cn_repo_env *env, cn_buf *ret, cn_why *why);

/* Append "<repo>/<name>". Errors: those of the buffer. */
CN_MUST_USE cn_err cn_repo_file(const char *repo, const char *name, cn_buf *ret);

typedef enum cn_repo_kind {
    CN_REPO_NONE,  /* nothing that looks like a repo */
    CN_REPO_OURS,  /* of this version */
    CN_REPO_LATER, /* of a later version of this program */
    CN_REPO_KUBO,  /* Kubo's */
    CN_REPO_BROKEN /* a version file that says neither */
} cn_repo_kind;

/* What lies at `repo`? Changes nothing. Errors: PERMISSION, IO, NO_MEMORY. */
CN_MUST_USE cn_err cn_repo_probe(cn_rt *rt, const char *repo, cn_repo_kind *ret, cn_why *why);

/* CN_OK if `repo` is ours, else NOT_FOUND or UNSUPPORTED with the sentence that people see. */
CN_MUST_USE cn_err cn_repo_check(cn_rt *rt, const char *repo, cn_why *why);

/* Write the version file of a new repo: the last step of making one. Errors: NO_SPACE, IO. */
CN_MUST_USE cn_err cn_repo_write_version(cn_rt *rt, const char *repo, cn_why *why);

/*
 * IPFS_WAIT_REPO_LOCK, a Go duration: "30s", "1m30s"; 0 or less: for ever. NULL or "": not at all.
 * Errors: USAGE.
 */
CN_MUST_USE cn_err cn_repo_lock_wait(const char *text, int64_t *ret_ns, cn_why *why);

/*
 * Take the repo for this process; wait up to `wait_ns`. The holder's pid and command are written
 * into the file for others to read. Give back by closing the file.
 * Errors: BUSY (says who holds it), IO, PERMISSION.
 */
CN_MUST_USE cn_err cn_repo_lock(
    cn_rt *rt,
    const char *repo,
    int64_t pid,
    const char *command,
    int64_t wait_ns,
    cn_file **ret,
    cn_why *why);

/*
 * Does another process hold the lock right now? *ret_pid (nullable) is what its file says, 0 if
 * nothing. For `api` files left behind. Errors: IO, NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_repo_is_locked(cn_rt *rt, const char *repo, bool *ret_locked, int64_t *ret_pid);
