/*
 * Walking along a caller's parts and cutting them into records: what both securities do when they
 * seal.
 */
#pragma once

#include "base/slice.h"

enum { CN_PARTS_RECORD_MAX = 64 };

typedef struct cn_parts {
    const cn_slice *parts;
    size_t parts_len;
    size_t index; /* where it stands */
    size_t skip;
} cn_parts;

/*
 * The pieces of the next record, at most `max_bytes` and CN_PARTS_RECORD_MAX of them, none empty;
 * *ret_bytes is their sum, 0 at the end. Returns how many.
 */
size_t
cn_parts_next(cn_parts *p, size_t max_bytes, cn_slice ret[CN_PARTS_RECORD_MAX], size_t *ret_bytes);
