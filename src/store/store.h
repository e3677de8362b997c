/*
 * cn_store: the block store. Blocks lie in append-only segment files (each a CARv1), an index finds
 * them by multihash. What a put has returned for survives a kill of the process; what a flush has
 * returned for survives a power cut. docs/store.md has the format of every file.
 *
 * One process holds a store; inside it every function here may be called from any thread, but for
 * cn_store_open and cn_store_close. Readers never wait for a disk that writers wait for.
 */
#pragma once

#include "ipld/blocks.h"
#include "rt/rt.h"

enum {
    CN_STORE_BLOCK_MAX_BYTES = (1 << 24) - 1, /* a block's length is kept in 24 bits */
    CN_STORE_HOLDER_MAX_BYTES = 255,
};

typedef struct cn_store cn_store;

typedef enum cn_store_policy {
    CN_STORE_FIRST_READ, /* once per block after open */
    CN_STORE_EVERY_READ,
    CN_STORE_NEVER,
} cn_store_policy;

typedef struct cn_store_options {
    cn_mem *mem;
    cn_rt *rt;
    const char *dir; /* made if it is not there (its parent must be) */
    const char
        *holder; /* who we are, "pid 4711 (cairn daemon)"; told to those we keep out; NULL: "" */
    uint64_t quota_bytes;       /* of all files together; 0: none */
    uint64_t group_bytes;       /* commit the index after so many bytes; 0: 512 MiB */
    int64_t group_ns;           /* or after so long, seen at the next put; 0: 5 s */
    uint64_t segment_max_bytes; /* 1 MiB to 4 GiB; 0: 512 MiB, less where disk or quota is small */
    uint64_t reserve_bytes;     /* given up when the disk is full; 0: 16 MiB; UINT64_MAX: none */
    cn_store_policy policy;
    size_t map_bytes; /* address space of the index and the pins at first; 0: 1 TiB (tests: less) */
} cn_store_options;

/* Where a block lies. A value: it may be out of date after a collection, see cn_store_hold. */
typedef struct cn_place {
    uint64_t offset;  /* of the block's first byte in its segment */
    uint32_t segment; /* from 1 */
    uint32_t len;     /* of the block */
    uint32_t ordinal; /* the block's number in its segment */
    uint8_t form;     /* how the CID is written before it: store/place.h */
} cn_place;

typedef cn_blocks_item cn_store_put;

typedef struct cn_store_stats {
    uint64_t repo_bytes;  /* all files of the store, the pins' included; not the reserve */
    uint64_t quota_bytes; /* 0: none */
    uint64_t blocks;
    uint64_t block_bytes; /* data of the blocks held */
    uint64_t dead_bytes;  /* in segments, belonging to no block held: what gc may free */
    uint64_t segments;
    uint64_t bad_records; /* stepped over at open, see cn_store_verify_all */
    bool rebuilt;         /* the index was made anew at open */
} cn_store_stats;

/*
 * Open the store in options->dir, making an empty one if there is none. Recovers what a crash left:
 * replays the tail of the open segment, rebuilds a missing, damaged or older index.
 * Errors: BUSY (another process has it; why names the holder), CORRUPT, UNSUPPORTED (a newer
 * format), NO_SPACE, IO, PERMISSION, NO_MEMORY.
 * Cost: one stat per segment; nothing that grows with the number of blocks unless it recovers.
 */
CN_MUST_USE cn_err cn_store_open(const cn_store_options *options, cn_store **ret, cn_why *why);

/*
 * Close, flushing what was not flushed (an error there goes unseen: flush first to see it). All
 * holds must have been released, and no other call may be running. Accepts NULL.
 */
void cn_store_close(cn_store *s);

/* The store as a source and sink of blocks, for as long as the store is open. */
cn_blocks *cn_store_blocks(cn_store *s);

/*
 * Keep `len` blocks with one write. The caller vouches that each CID belongs to its data. Blocks
 * held already, twice in the list, or with identity CIDs are not written. On CN_OK all are readable
 * and survive a kill of the process; after an error none, some or all of them are.
 * Errors: TOO_LARGE (a block above CN_STORE_BLOCK_MAX_BYTES; none was written), QUOTA, NO_SPACE,
 * IO, NO_MEMORY; the error of an earlier group that could not be made durable.
 */
CN_MUST_USE cn_err
cn_store_put_many(cn_store *s, const cn_store_put *items, size_t len, cn_why *why);

/*
 * All blocks put so far are on the disk when this returns. If it fails, blocks put since the last
 * flush that succeeded may be missing after a power cut; put them again. Errors: NO_SPACE, IO.
 */
CN_MUST_USE cn_err cn_store_flush(cn_store *s, cn_why *why);

/* Is there a block with this multihash? */
CN_MUST_USE cn_err cn_store_has(cn_store *s, const cn_cid *cid, bool *ret);

/*
 * Find a block by its multihash (cn_cid_key). Errors: NOT_FOUND, IO, CORRUPT (index).
 */
CN_MUST_USE cn_err cn_store_find(cn_store *s, cn_slice key, cn_place *ret);

/*
 * Read part of a block, unverified. `offset + len` must lie within place->len. Errors: NOT_FOUND
 * (the segment was collected: find again), CORRUPT (the file ends too early), IO.
 */
CN_MUST_USE cn_err
cn_store_read(cn_store *s, const cn_place *place, uint32_t offset, uint8_t *data, size_t len);

/*
 * Check a block against its multihash `key`, as the policy says: nothing to do under NEVER, or
 * under FIRST_READ if it has been checked before. cn_blocks_get does this by itself; for those who
 * send straight from the file. Errors: CORRUPT, and those of cn_store_read.
 */
CN_MUST_USE cn_err cn_store_check(cn_store *s, cn_slice key, const cn_place *place);
/* Would cn_store_check have nothing to do? */
bool cn_store_is_checked(cn_store *s, const cn_place *place);

/*
 * For sendfile: the descriptor of the segment that holds `place`, kept open and its bytes unmoved
 * until cn_store_release, even if the block is deleted meanwhile. The block is *ret_fd's bytes
 * [place->offset, place->offset + place->len). Errors: NOT_FOUND (find again), IO, UNSUPPORTED (no
 * descriptors here).
 */
typedef struct cn_store_hold cn_store_hold;
CN_MUST_USE cn_err
cn_store_hold_place(cn_store *s, const cn_place *place, cn_store_hold **ret, int *ret_fd);
/* Accepts NULL. */
void cn_store_release(cn_store *s, cn_store_hold *hold);

/*
 * Remove a block; it stays removed whatever happens later. Durable on return. Works on a full disk.
 * Its bytes are given back by the next collection. Errors: NOT_FOUND, IO.
 */
CN_MUST_USE cn_err cn_store_delete(cn_store *s, const cn_cid *cid, cn_why *why);

/*
 * Visit all blocks in the order of their keys (pending ones are flushed first); one that comes or
 * goes meanwhile may be seen or not. An error from `visit` ends it and is returned. `visit` may do
 * what it likes and take as long: nothing is held.
 */
typedef cn_err (*cn_store_visit)(void *ctx, const cn_cid *cid, const cn_place *place);
CN_MUST_USE cn_err cn_store_each(cn_store *s, cn_store_visit visit, void *ctx, cn_why *why);

/* Figures; O(1). */
CN_MUST_USE cn_err cn_store_stat(cn_store *s, cn_store_stats *ret);

/*
 * Read and check every block. `visit` is told of each: CN_OK, or CORRUPT or IO for a bad one; not
 * of those that are removed meanwhile. An error returned by it ends the check and is returned.
 */
typedef cn_err (*cn_store_checked)(void *ctx, const cn_cid *cid, cn_err err);
CN_MUST_USE cn_err cn_store_verify_all(cn_store *s, cn_store_checked visit, void *ctx, cn_why *why);

/*
 * Give up the reserve file so that work that frees space can go on; says whether there was one. It
 * is made again when the store is opened with room on the disk.
 */
bool cn_store_relieve(cn_store *s);
