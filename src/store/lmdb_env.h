/*
 * What the two users of LMDB share: opening an environment with as much address space as the
 * kernel gives, growing it, read transactions from any thread, errors.
 */
#pragma once

#include "rt/trap.h"
#include "rt/lock.h"
#include "rt/rt.h"

#include <lmdb.h>

enum { CN_LMDB_READERS_KEPT = 16 };

typedef struct cn_lmdb {
    MDB_env *env; /* NULL: to be opened again, see cn_lmdb_write */
    cn_mem *mem;
    cn_rt *rt;
    char *path;
    char *aside; /* NULL: a damaged file stays where it is */
    cn_trap *trap;
    atomic_bool damaged; /* found out in this process: nothing is written to it any more */
    unsigned flags;
    size_t map_bytes;              /* of the map, to open it again */
    int (*databases)(void *owner); /* opens those of the owner again; an LMDB result */
    void *owner;
    cn_lock *writing; /* held over a write transaction; before `lock` */
    cn_lock *lock;    /* guards what follows, and `env` against being changed */
    cn_cond *idle;
    size_t readers;                      /* read transactions in use */
    bool growing;                        /* no new readers until it is over */
    MDB_txn *kept[CN_LMDB_READERS_KEPT]; /* reset ones, for the next readers */
    size_t kept_len;
} cn_lmdb;

/* The cn_err of an LMDB result. */
cn_err cn_lmdb_err(int result);

typedef struct cn_lmdb_options {
    const char *path;  /* "-lock" is made beside it, with its room on the disk */
    const char *aside; /* where a damaged file goes, for one that can be made anew; NULL: nowhere */
    unsigned flags;    /* LMDB's */
    size_t map_bytes;  /* of address space, to begin with; 0: 1 TiB */
} cn_lmdb_options;

/* Open or make the file. Errors: CORRUPT, NO_SPACE, IO, ... */
CN_MUST_USE cn_err
cn_lmdb_open(cn_lmdb *l, cn_mem *mem, cn_rt *rt, const cn_lmdb_options *options, cn_why *why);
void cn_lmdb_close(cn_lmdb *l);

/*
 * LMDB trusts the file: garbage in it may send it anywhere. Between enter and leave a fault of this
 * thread is the file's fault (rt/trap.h). cn_lmdb_read and cn_lmdb_read_end do it by themselves.
 */
void cn_lmdb_enter(cn_lmdb *l);
void cn_lmdb_leave(void);

/* The file was found to say what cannot be: it is set aside and not written to any more. */
void cn_lmdb_distrust(cn_lmdb *l);
/* Distrust it if `err` is CORRUPT; returns `err`. */
cn_err cn_lmdb_judge(cn_lmdb *l, cn_err err);

/* A read transaction, to be ended by cn_lmdb_read_end on whichever thread. */
CN_MUST_USE cn_err cn_lmdb_read(cn_lmdb *l, MDB_txn **ret);
void cn_lmdb_read_end(cn_lmdb *l, MDB_txn *txn); /* accepts NULL */

/*
 * A write transaction, or an LMDB result. cn_lmdb_write_end follows in either case, with what came
 * of it, once the transaction has been committed or aborted.
 *
 * After a failed write of its first pages LMDB refuses all work. The environment is then opened
 * again at the end of the write, or at the next one if that fails as well.
 */
CN_MUST_USE int cn_lmdb_write(cn_lmdb *l, MDB_txn **ret);
void cn_lmdb_write_end(cn_lmdb *l, int result);

/* All that was committed is on the disk. */
CN_MUST_USE cn_err cn_lmdb_sync(cn_lmdb *l);

/* Double the map, once all readers have ended. Errors: NO_SPACE (no address space left). */
CN_MUST_USE cn_err cn_lmdb_grow(cn_lmdb *l);

/*
 * Let go of the map's pages that this process has touched; they stay in the kernel's cache. `value`
 * is one that a read transaction gave: it tells where the map lies. Cheap, at any time.
 */
void cn_lmdb_forget_pages(cn_lmdb *l, const void *value);

/* Bytes of the file in use. */
uint64_t cn_lmdb_bytes(cn_lmdb *l);
