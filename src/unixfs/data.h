/*
 * The UnixFS message: what the data of a DAG-PB node says it is - a file, a directory, a symlink, a
 * shard of a large directory - with sizes, mode and time.
 *
 * spec: ipfs/specs unixfs 'Data'; read as protobuf reads it (unknown fields skipped, the last of a
 * repeated single field counts), written as Kubo writes it (fields by number, blocksizes unpacked).
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"

typedef enum cn_unixfs_type {
    CN_UNIXFS_RAW = 0,
    CN_UNIXFS_DIRECTORY = 1,
    CN_UNIXFS_FILE = 2,
    CN_UNIXFS_METADATA = 3,
    CN_UNIXFS_SYMLINK = 4,
    CN_UNIXFS_HAMT = 5,
} cn_unixfs_type;

enum { CN_UNIXFS_HAMT_HASH = 0x22 }; /* murmur3-x64-64 */

/* The decoded message; slices are borrowed. Absent numbers are 0. */
typedef struct cn_unixfs_data {
    cn_unixfs_type type;
    bool has_data;
    bool has_filesize;
    bool has_hash_type;
    bool has_fanout;
    bool has_mode;
    bool has_mtime;
    cn_slice data;         /* file bytes, symlink target, or the bitmap of a shard */
    uint64_t filesize;     /* bytes of the whole file below this node, as it claims */
    size_t blocksizes_len; /* file bytes below each link, in the order of links */
    cn_slice message;      /* the whole message, for cn_unixfs_blocksize_next */
    uint64_t hash_type;
    uint64_t fanout;
    uint32_t mode;     /* permission bits in the low 12, the rest kept as found */
    int64_t mtime_s;   /* seconds since 1970 */
    uint32_t mtime_ns; /* 0..999999999 */
} cn_unixfs_data;

/*
 * Read a message. *ret borrows from `message`. Errors: MALFORMED (not protobuf; no or unknown type;
 * an mtime without seconds or with a fraction outside 1..999999999), TRUNCATED; `why` (nullable)
 * says what.
 */
CN_MUST_USE cn_err cn_unixfs_data_decode(cn_slice message, cn_unixfs_data *ret, cn_why *why);

/* Where a reading of blocksizes stands; start with cn_unixfs_blocksizes. */
typedef struct cn_unixfs_blocksize_iter {
    cn_slice rest;
    cn_slice packed;
} cn_unixfs_blocksize_iter;

static inline cn_unixfs_blocksize_iter cn_unixfs_blocksizes(const cn_unixfs_data *d)
{
    return (cn_unixfs_blocksize_iter){.rest = d->message};
}

/* The next blocksize of a decoded message; false after the last. */
bool cn_unixfs_blocksize_next(cn_unixfs_blocksize_iter *it, uint64_t *ret);

/*
 * Append a message: the fields of `d` that are there (has_*), and `blocksizes` (d->blocksizes_len
 * of them; nullable if none). d->message is not looked at. An mtime fraction of 0 is left out.
 * Errors: those of cn_buf_append.
 */
CN_MUST_USE cn_err
cn_unixfs_data_encode(const cn_unixfs_data *d, const uint64_t *blocksizes, cn_buf *out);
/* How many bytes that takes. */
size_t cn_unixfs_data_bytes(const cn_unixfs_data *d, const uint64_t *blocksizes);
