/*
 * cn_gc: a collection with the repo held alone. Mark every block to keep, then sweep: the others
 * are removed, segments without live blocks are unlinked, those with little left are rewritten.
 * Between cn_gc_new and the end of the sweep nobody may put something that is to be kept, or
 * delete; reading is fine. What comes from peers meanwhile may be put: it goes to a segment of its
 * own, which is not swept, but a block that was there already goes if it is not marked. Safe to
 * interrupt (or crash) anywhere: what was marked is never lost, the rest is taken next time.
 *
 * Memory: one bit per block. Works at the quota and on a full disk: segments that hold nothing any
 * more go first, then those with the least to copy. What has no room for its copy stays; only a
 * disk without a single page to note removals on ends a collection (NO_SPACE).
 */
#pragma once

#include "store/store.h"

typedef struct cn_gc cn_gc;

typedef struct cn_gc_stats {
    uint64_t removed_blocks;
    uint64_t removed_bytes; /* of the blocks' data */
    uint64_t freed_bytes;   /* given back to the disk */
    uint64_t segments_unlinked;
    uint64_t segments_rewritten;
    uint64_t stuck_bytes; /* dead ones in segments that stay, for want of room to copy the rest */
} cn_gc_stats;

/* Begin: flushes the store. Errors: those of cn_store_flush, NO_MEMORY. */
CN_MUST_USE cn_err cn_gc_new(cn_store *s, cn_gc **ret, cn_why *why);
/* Accepts NULL. */
void cn_gc_free(cn_gc *g);

/*
 * Keep this block. *ret_new (nullable) is false if it was marked before, so that a walk need not
 * go below it again. Identity CIDs are fine and never new. Errors: NOT_FOUND, IO, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_gc_mark(cn_gc *g, const cn_cid *cid, bool *ret_new);

/*
 * Do the next piece of the sweep: at most 4,096 blocks removed, or 64 MiB copied. `removed`
 * (nullable) is told of each block removed, once that is durable. *ret_done: nothing is left to do.
 * An error from `removed` is returned; the sweep may go on afterwards, with the next segment.
 * Errors: NO_SPACE (no room even to note a removal), IO, NO_MEMORY.
 */
typedef cn_err (*cn_gc_removed)(void *ctx, const cn_cid *cid, uint32_t block_bytes);
CN_MUST_USE cn_err
cn_gc_sweep(cn_gc *g, cn_gc_removed removed, void *ctx, bool *ret_done, cn_why *why);

/* What has been done so far. */
cn_gc_stats cn_gc_stat(const cn_gc *g);
