/*
 * The parts of recovery: tombstones in memory, replay of records. Only for the store's own files.
 */
#pragma once

#include "store/internal.h"

/* What the tombstone log of a segment says. */
typedef struct cn_tomb_set {
    uint64_t *bits;     /* by ordinal; NULL: none */
    bool whole;         /* the segment is to be unlinked */
    uint32_t above;     /* one more than the highest ordinal */
    uint64_t log_bytes; /* of the log, up to its last good entry */
    cn_buf log;
} cn_tomb_set;

/* Read the log of a segment; a torn end is cut off. Errors: UNSUPPORTED, IO, NO_MEMORY. */
CN_MUST_USE cn_err cn_tomb_set_read(cn_store *s, uint32_t segment, cn_tomb_set *ret);
void cn_tomb_set_release(cn_store *s, cn_tomb_set *set);
bool cn_tomb_set_has(const cn_tomb_set *set, uint32_t ordinal);

/* Give a block that was found in a segment to the index, unless it has it. */
CN_MUST_USE cn_err
cn_recover_adopt(cn_store *s, cn_segment *seg, cn_slice key, const cn_place *place);

/*
 * Take the records of an unsealed segment from `written` to `tail`. `known`: the index knows the
 * checkpoint, so what follows the last good record was never durable and is cut.
 */
CN_MUST_USE cn_err
cn_recover_replay(cn_store *s, cn_segment *seg, const cn_tomb_set *tombs, bool known);

/* Apply the tombstones that the index has not seen. */
CN_MUST_USE cn_err cn_recover_tombs(cn_store *s, cn_segment *seg, const cn_tomb_set *tombs);

/* Unlink what is left of a segment and forget it. */
CN_MUST_USE cn_err cn_recover_finish_unlink(cn_store *s, uint32_t segment);
