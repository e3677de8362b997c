/*
 * What the two users of LMDB share: opening an environment with as much address space as the
 * kernel gives, growing it, read transactions from any thread, errors.
 */
#pragma once

#include "rt/lock.h"
#include "rt/rt.h"

#include <lmdb.h>

enum { CN_LMDB_READERS_KEPT = 16 };

typedef struct cn_lmdb {
    MDB_env *env;
    cn_mem *mem;
    cn_rt *rt;
    char *path;
    unsigned flags;
    cn_lock *lock; /* guards what follows */
    cn_cond *idle;
    size_t readers;                      /* read transactions in use */
    bool growing;                        /* no new readers until it is over */
    MDB_txn *kept[CN_LMDB_READERS_KEPT]; /* reset ones, for the next readers */
    size_t kept_len;
} cn_lmdb;

/* The cn_err of an LMDB result. */
cn_err cn_lmdb_err(int result);

/* Open or make the file `path` (and path-lock beside it). `flags` are LMDB's. Errors: CORRUPT, ...
 */
CN_MUST_USE cn_err
cn_lmdb_open(cn_lmdb *l, cn_mem *mem, cn_rt *rt, const char *path, unsigned flags, cn_why *why);
void cn_lmdb_close(cn_lmdb *l);

/* A read transaction, to be ended by cn_lmdb_read_end on whichever thread. */
CN_MUST_USE cn_err cn_lmdb_read(cn_lmdb *l, MDB_txn **ret);
void cn_lmdb_read_end(cn_lmdb *l, MDB_txn *txn); /* accepts NULL */

/* Double the map, once all readers have ended. Errors: NO_SPACE (no address space left). */
CN_MUST_USE cn_err cn_lmdb_grow(cn_lmdb *l);

/*
 * Let go of the map's pages that this process has touched; they stay in the kernel's cache. `value`
 * is one that a read transaction gave: it tells where the map lies. Cheap, at any time.
 */
void cn_lmdb_forget_pages(cn_lmdb *l, const void *value);

/* Bytes of the file in use. */
uint64_t cn_lmdb_bytes(cn_lmdb *l);
