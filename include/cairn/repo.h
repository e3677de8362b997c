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
 * Open a repo. `options` may be NULL. Close with cairn_repo_close. Errors: NOT_FOUND (no repo),
 * BUSY (who holds it is said), USE (a repo of Kubo), DISK, MEMORY.
 */
CAIRN_API cairn_result
cairn_repo_open(const cairn_open_options *options, cairn_repo **ret, cairn_message *message);

/*
 * Flush and close. No reader may be open. An error means that something added is not safely on the
 * disk. Accepts NULL.
 */
CAIRN_API cairn_result cairn_repo_close(cairn_repo *r, cairn_message *message);

/*
 * Gives the next bytes of what is being added: up to `cap` bytes into `data`, how many into
 * *ret_len, 0 at the end. Anything but CAIRN_OK ends the add with that result.
 */
typedef cairn_result (*cairn_read_fn)(void *ctx, void *data, size_t cap, size_t *ret_len);

typedef struct cairn_add_options {
    size_t struct_size;
    int unpinned;  /* not 0: do not pin the root */
    int only_hash; /* not 0: compute the CID, keep nothing */
} cairn_add_options;

/*
 * Add one file whose bytes `read` gives. Chunks, layout and CID version are those of the repo's
 * Import settings. On return the file and its pin are on the disk. `options` and `wait` may be
 * NULL. Memory: bounded, whatever the file's size.
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
 * Where a path leads: "/ipfs/CID/a/b", "CID/a/b" or "ipfs://CID/a/b". Errors: INPUT, NOT_FOUND.
 */
CAIRN_API cairn_result cairn_resolve(
    cairn_repo *r,
    const char *path,
    const cairn_wait *wait,
    char ret_cid[CAIRN_CID_TEXT_BYTES],
    cairn_message *message);

/*
 * The bytes of one block. *ret_data is given; free it with cairn_free. Errors: INPUT (no CID),
 * NOT_FOUND, DISK (also: damaged).
 */
CAIRN_API cairn_result cairn_block_get(
    cairn_repo *r,
    const char *cid,
    const cairn_wait *wait,
    void **ret_data,
    size_t *ret_len,
    cairn_message *message);

/* Accepts NULL. */
CAIRN_API void cairn_free(void *data);

/* A file being read, by pulling. */
typedef struct cairn_reader cairn_reader;

typedef struct cairn_cat_options {
    size_t struct_size;
    uint64_t offset_bytes; /* where to begin; beyond the end there is nothing */
    uint64_t length_bytes; /* at most this many; 0: to the end */
} cairn_cat_options;

/*
 * Open the file at `path` (forms as cairn_resolve). `options` and `wait` may be NULL; the time
 * limit and the handle hold for opening and each read. Close with cairn_reader_close, before the
 * repo. Errors: INPUT, NOT_FOUND, USE (a directory).
 */
CAIRN_API cairn_result cairn_cat(
    cairn_repo *r,
    const char *path,
    const cairn_cat_options *options,
    const cairn_wait *wait,
    cairn_reader **ret,
    cairn_message *message);

/* Size of the whole file in bytes. */
CAIRN_API uint64_t cairn_reader_size(const cairn_reader *reader);

/*
 * The next piece: *ret_data borrowed until the next call on the reader, *ret_len its length, 0 at
 * the end. Every byte has been checked against its hash. After an error only close it.
 */
CAIRN_API cairn_result cairn_reader_next(
    cairn_reader *reader, const void **ret_data, size_t *ret_len, cairn_message *message);

/* Accepts NULL. */
CAIRN_API void cairn_reader_close(cairn_reader *reader);

#ifdef __cplusplus
}
#endif

#endif
