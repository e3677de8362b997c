/*
 * Tombstones: which records of a segment have been removed. One small log per segment, synced
 * before a removal counts, so that no rebuild of the index brings a removed block back.
 */
#pragma once

#include "base/buf.h"
#include "base/cur.h"

enum {
    CN_TOMB_HEAD_BYTES = 16,
    CN_TOMB_BYTES = 16,
    CN_TOMB_WHOLE = 0xffffff, /* ordinal: every record; the segment is to be unlinked */
    CN_TOMB_LOG_MAX_BYTES = 16 + 16 * (1 << 20),
};

typedef struct cn_tomb {
    uint64_t offset;  /* where the record begins (40 bits) */
    uint32_t ordinal; /* of the record, or CN_TOMB_WHOLE */
} cn_tomb;

CN_MUST_USE cn_err cn_tomb_head_encode(uint32_t segment, cn_buf *out);
CN_MUST_USE cn_err cn_tomb_encode(uint32_t segment, const cn_tomb *tomb, cn_buf *out);

/* Check the head of a log and step past it. Errors: TRUNCATED, MALFORMED, UNSUPPORTED. */
CN_MUST_USE cn_err cn_tomb_head_decode(uint32_t segment, cn_cur *in);
/*
 * The next tombstone. TRUNCATED or MALFORMED: the log ends here (a torn write); `in` stays before
 * the bad one.
 */
CN_MUST_USE cn_err cn_tomb_decode(uint32_t segment, cn_cur *in, cn_tomb *ret);
