/*
 * What the two files of the collection share: the collection itself, and the walk over the records
 * of the one segment that is under way between two steps.
 */
#pragma once

#include "base/map.h"
#include "store/gc.h"
#include "store/internal.h"

typedef enum cn_gc_phase {
    CN_GC_REMOVE,
    CN_GC_REWRITE,
    CN_GC_DONE,
} cn_gc_phase;

/* A segment waiting for its turn; those with the least weight come first. */
typedef struct cn_gc_turn {
    uint64_t weight; /* blocks to keep (removing), or bytes to copy (rewriting) */
    uint32_t segment;
} cn_gc_turn;

/* A walk over the records of one segment; zeroed: none. */
typedef struct cn_gc_walk {
    cn_segment *seg; /* held */
    cn_scan scan;
    bool whole_dead;   /* nothing in it is marked */
    bool cutting;      /* moved and cut off piece by piece from its end */
    uint32_t expected; /* live records that the index says it holds */
    uint32_t met;      /* and those that were come across */
    cn_removal *list;  /* gathered for one removal */
    cn_cid *cids;      /* theirs */
    cn_buf data;       /* of the block that moves */
} cn_gc_walk;

struct cn_gc {
    cn_store *store;
    cn_map marks; /* segment number to its bits */
    cn_gc_phase phase;
    cn_gc_turn *turns; /* of this phase */
    size_t turns_len, turns_at;
    uint32_t last; /* newest segment when the sweep began */
    bool ordered;  /* `turns` is that of this phase */
    cn_gc_walk walk;
    cn_gc_stats stats;
};

/* The marks of a segment, a bit per ordinal; NULL: none. */
const uint64_t *cn_gc_bits(const cn_gc *g, uint32_t segment);

/* Begin a walk over a segment of the store. Errors: IO, CORRUPT (not its file), NO_MEMORY. */
CN_MUST_USE cn_err cn_gc_walk_init(cn_gc *g, cn_segment *seg);
void cn_gc_walk_release(cn_gc *g); /* accepts none */

/*
 * Remove the next batch of blocks that are not marked. *ret_end: the segment has been gone through,
 * and unlinked if it held nothing else. Errors: NO_SPACE (not even room to note what goes), IO.
 */
CN_MUST_USE cn_err cn_gc_walk_remove(cn_gc *g, cn_gc_removed removed, void *ctx, bool *ret_end);

/* Move the next live blocks, up to 64 MiB, and commit them; else as above. */
CN_MUST_USE cn_err cn_gc_walk_move(cn_gc *g, bool *ret_end);

/*
 * For a segment whose live blocks have no room for their copies all at once (gc_cut.c): move what
 * lives at its end, as much as `room` bytes take, and cut that piece off. *ret_end: it is gone, or
 * no more of it can be freed this way (its dead bytes are then counted as stuck).
 */
CN_MUST_USE cn_err cn_gc_walk_cut(cn_gc *g, uint64_t room, bool *ret_end);

/* The next record of the walk that the index points at. *ret_have false: no more (or none can be
 * read). Errors: CORRUPT (the index names this very record, but otherwise), IO. */
CN_MUST_USE cn_err cn_gc_next_live(cn_gc *g, cn_cid *ret_cid, cn_removal *ret, bool *ret_have);
/* Move live records from where the walk stands, up to 64 MiB; commit what was moved. */
CN_MUST_USE cn_err cn_gc_move_some(cn_gc *g, bool *ret_have);
CN_MUST_USE cn_err cn_gc_commit(cn_store *s);
CN_MUST_USE cn_err cn_gc_unlink_empty(cn_gc *g, cn_segment *seg);
/* Copying was not possible or not any further; the rest of the segment can stay as it is. */
bool cn_gc_stays(cn_err err);
