/*
 * Sidecar: the sorted list of what a sealed segment holds, so that the index can be made again
 * without reading the segment. Written once, checked by a SHA-256 over the whole; one that does not
 * check is not used.
 */
#pragma once

#include "store/place.h"

enum {
    CN_SIDECAR_HEAD_BYTES = 32,
    CN_SIDECAR_SUM_BYTES = 32,
    CN_SIDECAR_MAX_BYTES = CN_SIDECAR_HEAD_BYTES + CN_SIDECAR_SUM_BYTES +
                           CN_SEGMENT_RECORDS_MAX * (1 + CN_KEY_MAX_BYTES + CN_PLACE_BYTES),
};

typedef struct cn_sidecar {
    uint32_t segment;
    uint32_t count;         /* entries */
    uint64_t segment_bytes; /* length of the segment's file */
} cn_sidecar;

/* Head, then entries in the order of keys, then the end (which hashes all of `out`). */
CN_MUST_USE cn_err cn_sidecar_begin(const cn_sidecar *about, cn_buf *out);
CN_MUST_USE cn_err cn_sidecar_entry(cn_slice key, const cn_place *place, cn_buf *out);
CN_MUST_USE cn_err cn_sidecar_end(cn_buf *out);

/*
 * Check a whole sidecar and step to its entries: `ret_entries` is a reader over just those.
 * Errors: TRUNCATED, MALFORMED, UNSUPPORTED, HASH_MISMATCH.
 */
CN_MUST_USE cn_err cn_sidecar_decode(cn_slice whole, cn_sidecar *ret, cn_cur *ret_entries);
/* The next entry; the key is borrowed. Errors: TRUNCATED, MALFORMED. */
CN_MUST_USE cn_err
cn_sidecar_next(const cn_sidecar *about, cn_cur *entries, cn_slice *ret_key, cn_place *ret);
