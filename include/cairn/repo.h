/*
 * A repo: the folder that a node keeps its content in. The same folder that the program `cairn`
 * uses; one process has it open at a time.
 */
#ifndef CAIRN_REPO_H
#define CAIRN_REPO_H

#include "cairn/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cairn_repo cairn_repo;

/* Longest text of a CID that this API gives, with its NUL. */
#define CAIRN_CID_TEXT_BYTES 280

typedef struct cairn_open_options {
    size_t struct_size;
    const char *path;     /* folder of the repo; NULL: $CAIRN_PATH, $IPFS_PATH or ~/.cairn */
    int create;           /* not 0: make a repo there if there is none (profile unixfs-v1-2025) */
    int64_t lock_wait_ns; /* how long to wait for another process to let go; 0: not */
} cairn_open_options;

/*
 * Open a repo. `options` (copied) and `wait` may be NULL; `wait` also ends the waiting for another
 * process. *ret is given; close it by cairn_repo_close. A repo is held by one cairn_repo at a time,
 * in this process too.
 *
 * Errors:
 *   NOT_FOUND  no repo there, and `create` is 0
 *   BUSY       it is held; by whom is said
 *   USE        a repo of Kubo or of a later version, left as it is; options that make no sense
 *   INPUT      its config cannot be read: which key is said
 *   DISK, MEMORY; TIMEOUT, CANCELLED
 */
CAIRN_API cairn_result cairn_repo_open(
    const cairn_open_options *options,
    const cairn_wait *wait,
    cairn_repo **ret,
    cairn_message *message);

/*
 * Flush and close. No call may be running. With readers open nothing is closed, and the result is
 * USE; after all other results `r` is gone. DISK means that something added may not be safely on
 * the disk. Accepts NULL.
 */
CAIRN_API cairn_result cairn_repo_close(cairn_repo *r, cairn_message *message);

/*
 * Gives the next bytes of what is being added: 1 to `cap` bytes into `data`, how many into
 * *ret_len, 0 at the end (where it begins). Anything but CAIRN_OK ends the add with that result;
 * more than `cap` ends it with USE. Called on the thread that adds; it may use the repo.
 */
typedef cairn_result (*cairn_read_fn)(void *ctx, void *data, size_t cap, size_t *ret_len);

typedef struct cairn_add_options {
    size_t struct_size;
    int unpinned;  /* not 0: do not pin the root */
    int only_hash; /* not 0: compute the CID, keep nothing */
    int hidden;    /* not 0: also names below a folder that begin with a dot (cairn_add_path) */
} cairn_add_options;

/*
 * Add one file whose bytes `read` gives; `ctx` is handed to it. Chunks, layout and CID version are
 * those of the repo's Import settings. On CAIRN_OK the file and its pin are on the disk, and its
 * root is in `ret_cid`. `options` and `wait` may be NULL. After an error blocks may be left that
 * nothing pins, to be collected. Memory: a few MiB, whatever the file's size.
 *
 * Errors: what `read` said; DISK (also: the quota), MEMORY, TIMEOUT, CANCELLED, USE.
 */
CAIRN_API cairn_result cairn_add(
    cairn_repo *r,
    const cairn_add_options *options,
    cairn_read_fn read,
    void *ctx,
    const cairn_wait *wait,
    char ret_cid[CAIRN_CID_TEXT_BYTES],
    cairn_message *message);

/*
 * Add a file, or a folder with all that is in it, from the disk. Symbolic links are added as links,
 * `path` itself too. `ret_cid` is the root of the file or folder, without its name. Otherwise as
 * cairn_add. Memory: a few MiB, and the names of the folders that are open.
 *
 * Errors: as cairn_add; NOT_FOUND (no such path), USE (a FIFO, socket or device).
 */
CAIRN_API cairn_result cairn_add_path(
    cairn_repo *r,
    const cairn_add_options *options,
    const char *path,
    const cairn_wait *wait,
    char ret_cid[CAIRN_CID_TEXT_BYTES],
    cairn_message *message);

/*
 * Where a path leads: "/ipfs/CID/a/b", "CID/a/b" or "ipfs://CID/a/b". `ret_cid` is the CID of what
 * lies there. `wait` may be NULL.
 *
 * Errors: INPUT (no path; a block on the way breaks its format), NOT_FOUND (a block that is not
 * here, no such name), USE (it ends inside a block, or leads through a file); DISK, MEMORY,
 * TIMEOUT, CANCELLED.
 */
CAIRN_API cairn_result cairn_resolve(
    cairn_repo *r,
    const char *path,
    const cairn_wait *wait,
    char ret_cid[CAIRN_CID_TEXT_BYTES],
    cairn_message *message);

/*
 * The bytes of one block, checked against its hash. `cid` is the text of a CID; `wait` may be NULL.
 * *ret_data, never NULL, is given; free it by cairn_free.
 *
 * Errors: INPUT (no CID), NOT_FOUND, DISK (also: damaged), MEMORY, TIMEOUT, CANCELLED.
 */
CAIRN_API cairn_result cairn_block_get(
    cairn_repo *r,
    const char *cid,
    const cairn_wait *wait,
    void **ret_data,
    size_t *ret_len,
    cairn_message *message);

/* Free what a call gave to be freed so. Accepts NULL. */
CAIRN_API void cairn_free(void *data);

/* A file being read, by pulling. */
typedef struct cairn_reader cairn_reader;

typedef struct cairn_cat_options {
    size_t struct_size;
    uint64_t offset_bytes; /* where to begin; beyond the end there is nothing */
    uint64_t length_bytes; /* at most this many; 0: to the end */
} cairn_cat_options;

/*
 * Open the file (or symbolic link: its target's text) at `path`, in the forms of cairn_resolve.
 * `options` and `wait` may be NULL; the handle and the time limit hold for opening, and again for
 * each call of cairn_reader_next. *ret is given; close it by cairn_reader_close, before the repo.
 * Memory while it is open: 12 blocks of the file, usually 12 MiB; a file of one block needs but
 * that.
 *
 * Errors: as cairn_resolve; USE also for a directory.
 */
CAIRN_API cairn_result cairn_cat(
    cairn_repo *r,
    const char *path,
    const cairn_cat_options *options,
    const cairn_wait *wait,
    cairn_reader **ret,
    cairn_message *message);

/* Size of the whole file in bytes, whatever range is read. 0 for NULL. */
CAIRN_API uint64_t cairn_reader_size(const cairn_reader *reader);

/*
 * The next piece: *ret_data is borrowed until the next call on the reader, *ret_len its length;
 * NULL and 0 at the end, as often as asked. Every byte has been checked against its hash. Pieces
 * have the size of the file's chunks, not one of the caller's choice.
 *
 * Errors: NOT_FOUND (a block of the file is not here), INPUT (one breaks its format), DISK, MEMORY,
 * CANCELLED; after these the reader gives the same result again and can only be closed. TIMEOUT:
 * the call may be made again, with the whole time limit.
 */
CAIRN_API cairn_result cairn_reader_next(
    cairn_reader *reader, const void **ret_data, size_t *ret_len, cairn_message *message);

/* From the thread that reads; what it lent goes. Accepts NULL. */
CAIRN_API void cairn_reader_close(cairn_reader *reader);

#ifdef __cplusplus
}
#endif

#endif
