/*
 * cn_scan: steps through the records of a segment file, reading heads only unless asked for data.
 */
#pragma once

#include "rt/rt.h"
#include "store/place.h"
#include "store/record.h"

typedef struct cn_scan {
    cn_rt *rt;
    cn_file *file;
    cn_mem *mem;
    uint64_t offset;  /* where the next record begins */
    uint64_t end;     /* of what may be read */
    uint32_t ordinal; /* of the next record */
    uint8_t *window;  /* bytes [window_at, window_at + window_len) of the file */
    uint64_t window_at;
    size_t window_len;
} cn_scan;

/* Step through [offset, end); `ordinal` is that of the record at `offset`. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_scan_init(cn_scan *w, cn_mem *mem, cn_rt *rt, cn_file *file);
void cn_scan_release(cn_scan *w);
/* Go to a record. */
void cn_scan_seek(cn_scan *w, uint64_t offset, uint32_t ordinal, uint64_t end);

/*
 * The next record: its CID, its place (segment is left 0). *ret_have is false at the end.
 * MALFORMED: no whole record stands here; w->offset stays at it. Errors: IO.
 */
CN_MUST_USE cn_err cn_scan_next(cn_scan *w, cn_cid *ret_cid, cn_place *ret, bool *ret_have);

/* The data of a record into `buf` (contents replaced). Errors: MALFORMED (cut), IO, NO_MEMORY. */
CN_MUST_USE cn_err cn_scan_data(cn_scan *w, const cn_place *place, cn_buf *buf);
