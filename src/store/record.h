/*
 * The records of a segment, as bytes: pure functions. A segment is a CARv1 file; its first record
 * is an identity block that carries our magic, version and the segment's number.
 * spec: CARv1; docs/store.md
 */
#pragma once

#include "multiformats/cid.h"

enum {
    CN_SEGMENT_VERSION = 1,
    CN_SEGMENT_ID_BYTES = 16,   /* random, made with the segment */
    CN_SEGMENT_HEAD_BYTES = 91, /* CAR header and the first record */
    CN_RECORD_HEAD_MAX_BYTES = 10 + CN_CID_MAX_BYTES,
};

typedef struct cn_record_head {
    cn_cid cid;
    uint32_t head_bytes; /* length and CID: what stands before the data */
    uint32_t data_bytes;
} cn_record_head;

/* Write what stands before `data_bytes` of data; returns its length. */
size_t
cn_record_head_encode(const cn_cid *cid, size_t data_bytes, uint8_t out[CN_RECORD_HEAD_MAX_BYTES]);

/*
 * Read what stands before the data. TRUNCATED: `in` ends inside it (CN_RECORD_HEAD_MAX_BYTES are
 * always enough). MALFORMED: no record of ours begins like this.
 */
CN_MUST_USE cn_err cn_record_head_decode(cn_slice in, cn_record_head *ret);

void cn_segment_head_encode(
    uint32_t segment, const uint8_t id[CN_SEGMENT_ID_BYTES], uint8_t out[CN_SEGMENT_HEAD_BYTES]);

/* Errors: TRUNCATED, MALFORMED (not ours), UNSUPPORTED (a newer version). */
CN_MUST_USE cn_err
cn_segment_head_decode(cn_slice in, uint32_t *ret_segment, uint8_t ret_id[CN_SEGMENT_ID_BYTES]);
