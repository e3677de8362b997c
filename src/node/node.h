/*
 * cn_node: one open repo and what works on it. It holds the repo's lock, its configuration as it
 * was when the node was opened, its identity, and (unless told not to) its store of blocks. The
 * command line makes one for each command, a daemon one for its life.
 *
 * All functions but open and close may be called from any thread.
 */
#pragma once

#include "ipld/blocks.h"
#include "node/config.h"
#include "node/latch.h"
#include "node/identity.h"
#include "rt/rt.h"

typedef struct cn_node cn_node;
typedef struct cn_store cn_store;     /* store/store.h */
typedef struct cn_pins cn_pins;       /* store/pin.h */
typedef struct cn_network cn_network; /* node/network.h */

typedef struct cn_node_options {
    cn_rt *rt;               /* kept by the node */
    cn_mem *mem;             /* kept by the node; NULL: cn_mem_default() */
    const char *repo_path;   /* folder of the repo (cn_repo_path); copied */
    const char *config_path; /* another config file than the repo's own; NULL: <repo>/config */
    const char *command;     /* what others are told holds the repo: "cairn daemon"; copied */
    int64_t pid;             /* this process, for the same sentence */
    int64_t lock_wait_ns;    /* how long to wait for a held lock (IPFS_WAIT_REPO_LOCK); 0: not */
    bool offline;            /* ask no peers */
    bool without_store;      /* config and identity only: no lock is taken, no store opened */
} cn_node_options;

/*
 * Open the repo at `repo_path`. Reads the config and takes the lock; the store is opened, the
 * pins only when first asked for, the private key never unless asked for.
 *
 * Errors, each with a sentence:
 *   NOT_FOUND    no repo there: init first
 *   UNSUPPORTED  a repo of Kubo or of a later version: left as it is
 *   BUSY         another process holds it (pid and command are named)
 *   MALFORMED, WRONG_TYPE  the config: which key, which type
 *   CORRUPT, NO_SPACE, IO, PERMISSION, NO_MEMORY
 * Close with cn_node_close.
 */
CN_MUST_USE cn_err cn_node_open(const cn_node_options *options, cn_node **ret, cn_why *why);

/* Flush and close everything. Accepts NULL. An error means that something is not on the disk. */
CN_MUST_USE cn_err cn_node_close(cn_node *n, cn_why *why);

/* Blocks, from the store. NULL after without_store. Lives as long as the node. */
cn_blocks *cn_node_blocks(cn_node *n);
/* The store itself: flush, listing, gc, statistics. NULL after without_store. */
cn_store *cn_node_store(cn_node *n);
/* Pins, opened at the first call. Errors: USAGE (without_store), CORRUPT, IO, NO_MEMORY. */
CN_MUST_USE cn_err cn_node_pins(cn_node *n, cn_pins **ret, cn_why *why);

/*
 * What those who put, pin or delete hold shared, and a collection alone: node/latch.h. Never NULL.
 */
cn_latch *cn_node_latch(cn_node *n);

/*
 * The network over this node, NULL: none. Set by who makes it, before other threads use the node,
 * and set to NULL before it is freed.
 */
cn_network *cn_node_network(const cn_node *n);
void cn_node_set_network(cn_node *n, cn_network *network);

/* The configuration as it was at open; commands that change the file do not change this. */
const cn_config *cn_node_config(const cn_node *n);

/*
 * The identity: peer id and public key. Opened at the first call; the private key is read from its
 * file only by cn_identity_private. Borrowed as long as the node lives.
 * Errors: MALFORMED (Identity.PeerID), NOT_FOUND, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_node_identity(cn_node *n, const cn_identity **ret, cn_why *why);

/* Folder of the repo, as given; and the config file in use. */
const char *cn_node_repo_path(const cn_node *n);
const char *cn_node_config_path(const cn_node *n);
bool cn_node_is_offline(const cn_node *n);
cn_rt *cn_node_rt(const cn_node *n);
cn_mem *cn_node_mem(const cn_node *n);

/* The quota that a configuration sets, 0: none. Errors: MALFORMED (Datastore.StorageMax). */
CN_MUST_USE cn_err cn_node_quota(const cn_config *config, uint64_t *ret_bytes, cn_why *why);

/* Held by those who change the config file of a node that is open (a daemon's). */
void cn_node_config_lock(cn_node *n);
void cn_node_config_unlock(cn_node *n);

/*
 * The root of MFS ("/" of `files`), the empty directory where there is none yet. Counts as pinned.
 */
CN_MUST_USE cn_err cn_node_mfs_root(cn_node *n, cn_cid *ret, cn_why *why);
