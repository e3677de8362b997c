/*
 * cn_walk: steps through the records of a segment file, reading heads only unless asked for data.
 */
#pragma once

#include "rt/rt.h"
#include "store/place.h"
#include "store/record.h"

typedef struct cn_walk {
    cn_rt *rt;
    cn_file *file;
    cn_mem *mem;
    uint64_t offset;  /* where the next record begins */
    uint64_t end;     /* of what may be read */
    uint32_t ordinal; /* of the next record */
    uint8_t *window;  /* bytes [window_at, window_at + window_len) of the file */
    uint64_t window_at;
    size_t window_len;
} cn_walk;

/* Step through [offset, end); `ordinal` is that of the record at `offset`. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_walk_init(cn_walk *w, cn_mem *mem, cn_rt *rt, cn_file *file);
void cn_walk_release(cn_walk *w);
/* Go to a record. */
void cn_walk_seek(cn_walk *w, uint64_t offset, uint32_t ordinal, uint64_t end);

/*
 * The next record: its CID, its place (segment is left 0). *ret_have is false at the end.
 * MALFORMED: no whole record stands here; w->offset stays at it. Errors: IO.
 */
CN_MUST_USE cn_err cn_walk_next(cn_walk *w, cn_cid *ret_cid, cn_place *ret, bool *ret_have);

/* The data of a record into `buf` (contents replaced). Errors: MALFORMED (cut), IO, NO_MEMORY. */
CN_MUST_USE cn_err cn_walk_data(cn_walk *w, const cn_place *place, cn_buf *buf);
