/*
 * rt: the world as an interface - clocks, entropy, files, work on other threads. Everything above
 * reaches the machine through it, so that a simulator can stand in. rt_os implements it on Linux;
 * tests wrap it to inject faults. Streams, datagrams and names join it when the network comes.
 *
 * All functions may be called from any thread. Paths are NUL-terminated, bytes as the kernel takes
 * them. A call that fails says what and where in `why` (nullable).
 */
#pragma once

#include "base/buf.h"
#include "base/slice.h"
#include "base/time.h"
#include "base/why.h"

typedef struct cn_rt cn_rt;
typedef struct cn_file cn_file;
typedef struct cn_work cn_work;

enum {
    CN_FILE_READ = 1,
    CN_FILE_WRITE = 2,
    CN_FILE_CREATE = 4,    /* make it if it is not there (mode 0600 before umask) */
    CN_FILE_EXCLUSIVE = 8, /* with CREATE: CN_ERR_EXISTS if it is there */
    CN_FILE_TRUNCATE = 16,
    CN_FILE_NOFOLLOW = 32, /* refuse a symbolic link */
};

typedef enum cn_path_kind {
    CN_PATH_FILE,
    CN_PATH_DIR,
    CN_PATH_SYMLINK,
    CN_PATH_OTHER, /* FIFO, socket, device */
} cn_path_kind;

typedef struct cn_path_stat {
    cn_path_kind kind;
    uint64_t size_bytes;
    uint32_t mode; /* permission bits, 12 of them */
    int64_t mtime_s;
    uint32_t mtime_ns;
} cn_path_stat;

/* Called for each name in a folder except . and ..; an error stops the listing and is returned. */
typedef cn_err (*cn_dir_visit)(void *ctx, const char *name, cn_path_kind kind);

/*
 * A piece of work for another thread: set `run`, submit, wait. The memory belongs to the caller and
 * must stay until cn_rt_work_wait has returned. `run` must not submit and wait for more work.
 */
struct cn_work {
    void (*run)(cn_work *w);
    cn_work *next;    /* the pool's */
    atomic_int state; /* the pool's: 0 idle, 1 queued or running, 2 done */
};

typedef struct cn_rt_ops {
    cn_time (*now)(cn_rt *rt);
    cn_wall (*wall)(cn_rt *rt);
    cn_err (*entropy)(cn_rt *rt, uint8_t *data, size_t len);

    cn_err (*file_open)(cn_rt *rt, const char *path, unsigned flags, cn_file **ret, cn_why *why);
    void (*file_close)(cn_rt *rt, cn_file *f);
    cn_err (*file_read_at)(
        cn_rt *rt, cn_file *f, uint64_t offset, uint8_t *data, size_t len, size_t *ret_len);
    cn_err (*file_write_at)(
        cn_rt *rt, cn_file *f, uint64_t offset, const cn_slice *parts, size_t parts_len);
    cn_err (*file_sync)(cn_rt *rt, cn_file *f);
    void (*file_writeback)(cn_rt *rt, cn_file *f, uint64_t offset, uint64_t len); /* may be NULL */
    cn_err (*file_truncate)(cn_rt *rt, cn_file *f, uint64_t size_bytes);
    cn_err (*file_size)(cn_rt *rt, cn_file *f, uint64_t *ret_bytes);
    cn_err (*file_allocate)(cn_rt *rt, cn_file *f, uint64_t size_bytes);
    cn_err (*file_lock)(cn_rt *rt, cn_file *f);
    int (*file_fd)(cn_rt *rt, cn_file *f);

    void (*map_forget)(cn_rt *rt, const void *map, size_t len); /* may be NULL */

    cn_err (*path_stat)(cn_rt *rt, const char *path, cn_path_stat *ret);
    cn_err (*path_rename)(cn_rt *rt, const char *from, const char *to);
    cn_err (*path_unlink)(cn_rt *rt, const char *path);
    cn_err (*path_mkdir)(cn_rt *rt, const char *path, unsigned mode);
    cn_err (*path_symlink)(cn_rt *rt, const char *path, const char *target);
    cn_err (*path_touch)(cn_rt *rt, const char *path, const cn_path_stat *as);
    cn_err (*path_free_bytes)(cn_rt *rt, const char *path, uint64_t *ret_bytes);
    cn_err (*dir_sync)(cn_rt *rt, const char *path);
    cn_err (*dir_list)(cn_rt *rt, const char *path, cn_dir_visit visit, void *ctx);

    unsigned (*work_threads)(cn_rt *rt);
    void (*work_submit)(cn_rt *rt, cn_work *w);
    void (*work_wait)(cn_rt *rt, cn_work *w);
} cn_rt_ops;

/* Implementations put this first in their own struct. */
struct cn_rt {
    const cn_rt_ops *ops;
};

/* Now on the clock that never jumps; and by the calendar. */
cn_time cn_rt_now(cn_rt *rt);
cn_wall cn_rt_wall(cn_rt *rt);

/* Fill `data` with `len` bytes fit for secrets. Fails only if the system has none to give. */
CN_MUST_USE cn_err cn_rt_entropy(cn_rt *rt, uint8_t *data, size_t len);

/*
 * Open a file (CN_FILE_* flags); close with cn_file_close. Errors: NOT_FOUND, EXISTS, PERMISSION,
 * WRONG_TYPE (a folder, or a link under NOFOLLOW), NO_SPACE, IO.
 */
CN_MUST_USE cn_err
cn_file_open(cn_rt *rt, const char *path, unsigned flags, cn_file **ret, cn_why *why);
/* Accepts NULL. */
void cn_file_close(cn_rt *rt, cn_file *f);

/* Read up to `len` bytes at `offset`; short only at the end of the file. Errors: IO. */
CN_MUST_USE cn_err
cn_file_read_at(cn_rt *rt, cn_file *f, uint64_t offset, uint8_t *data, size_t len, size_t *ret_len);

/* Write all parts one after the other at `offset`, whole. Errors: NO_SPACE, IO; then unknown how
 * far. */
CN_MUST_USE cn_err
cn_file_write_at(cn_rt *rt, cn_file *f, uint64_t offset, const cn_slice *parts, size_t parts_len);

/* Data on the disk when this returns (fdatasync). After an error never trust what was written
 * since. */
CN_MUST_USE cn_err cn_file_sync(cn_rt *rt, cn_file *f);
/* A hint to begin writing this part to the disk, so that a later sync has less to wait for. */
void cn_file_writeback(cn_rt *rt, cn_file *f, uint64_t offset, uint64_t len);
CN_MUST_USE cn_err cn_file_truncate(cn_rt *rt, cn_file *f, uint64_t size_bytes);
CN_MUST_USE cn_err cn_file_size(cn_rt *rt, cn_file *f, uint64_t *ret_bytes);
/* Reserve disk space up to `size_bytes` and grow the file to it. Errors: NO_SPACE, UNSUPPORTED, IO.
 */
CN_MUST_USE cn_err cn_file_allocate(cn_rt *rt, cn_file *f, uint64_t size_bytes);
/* Take the file for this process alone, until it is closed. BUSY if another has it. */
CN_MUST_USE cn_err cn_file_lock(cn_rt *rt, cn_file *f);
/* The descriptor, for sendfile; -1 where there is none (simulator). */
int cn_file_fd(cn_rt *rt, cn_file *f);

/* A hint: the pages of a mapped file at `map` (its beginning) need not stay in this process. */
void cn_rt_map_forget(cn_rt *rt, const void *map, size_t len);

/* About a path itself (links are not followed). Errors: NOT_FOUND, PERMISSION, IO. */
CN_MUST_USE cn_err cn_path_stat_of(cn_rt *rt, const char *path, cn_path_stat *ret);
CN_MUST_USE cn_err cn_path_rename(cn_rt *rt, const char *from, const char *to);
CN_MUST_USE cn_err cn_path_unlink(cn_rt *rt, const char *path); /* a file, or an empty folder */
CN_MUST_USE cn_err cn_path_mkdir(cn_rt *rt, const char *path, unsigned mode); /* EXISTS */
/* Make a symbolic link at `path`. EXISTS. */
CN_MUST_USE cn_err cn_path_symlink(cn_rt *rt, const char *path, const char *target);
/* Give `path` the mode (but a symbolic link) and the time of `as`; links are not followed. */
CN_MUST_USE cn_err cn_path_touch(cn_rt *rt, const char *path, const cn_path_stat *as);
CN_MUST_USE cn_err cn_path_free_bytes(cn_rt *rt, const char *path, uint64_t *ret_bytes);
/* The names in a folder are on the disk when this returns. */
CN_MUST_USE cn_err cn_dir_sync(cn_rt *rt, const char *path);
CN_MUST_USE cn_err cn_dir_list(cn_rt *rt, const char *path, cn_dir_visit visit, void *ctx);

/* How many pieces of work run at once (1 or more). */
unsigned cn_rt_work_threads(cn_rt *rt);
/* Run `w` on another thread; and wait until it has run. Each submitted work is waited for once. */
void cn_rt_work_submit(cn_rt *rt, cn_work *w);
void cn_rt_work_wait(cn_rt *rt, cn_work *w);

/*
 * Conveniences over the above.
 * Append a whole file to `ret`, an initialised buffer whose bound is the limit (TOO_LARGE).
 */
CN_MUST_USE cn_err cn_rt_read_file(cn_rt *rt, const char *path, cn_buf *ret, cn_why *why);
/* Replace a file as a whole: temporary file beside it, sync, rename, sync of the folder. */
CN_MUST_USE cn_err cn_rt_write_file(cn_rt *rt, const char *path, cn_slice data, cn_why *why);
