/*
 * DAG-CBOR, as much as walking needs: is a block well made, which links does it hold, what lies at
 * a path inside it. Nothing is built in memory.
 *
 * spec: ipld dag-cbor. Refused: tags but 42, indefinite lengths, undefined and other simple values,
 * NaN and infinities, keys that are not text, a key that a map has twice, bytes left over,
 * numbers and lengths longer than need be. Taken: keys in any order, short floats.
 */
#pragma once

#include "base/cur.h"
#include "multiformats/cid.h"

enum { CN_DAGCBOR_DEPTH_MAX = 512 };

typedef enum cn_cbor_kind {
    CN_CBOR_UINT,
    CN_CBOR_NINT, /* -1 - number */
    CN_CBOR_BYTES,
    CN_CBOR_TEXT,
    CN_CBOR_ARRAY, /* `number` items follow */
    CN_CBOR_MAP,   /* `number` pairs of key and value follow */
    CN_CBOR_LINK,  /* tag 42 and its bytes; `data` is the binary CID */
    CN_CBOR_FALSE,
    CN_CBOR_TRUE,
    CN_CBOR_NULL,
    CN_CBOR_FLOAT, /* `data` is its 2, 4 or 8 bytes */
} cn_cbor_kind;

/* One item's head; `data` is borrowed. */
typedef struct cn_cbor_item {
    cn_cbor_kind kind;
    uint64_t number;
    cn_slice data;
} cn_cbor_item;

/* The next item; what an array or a map holds follows as items of their own. Errors: TRUNCATED,
 * MALFORMED, UNSUPPORTED (tag). */
CN_MUST_USE cn_err cn_cbor_next(cn_cur *c, cn_cbor_item *ret);

/* Is `block` one whole item by the rules above? Errors: those of cn_cbor_next, TOO_DEEP,
 * NO_MEMORY. Takes memory only where keys are not in the order of dag-cbor. */
CN_MUST_USE cn_err cn_dagcbor_check(cn_slice block, cn_why *why);

/* The next link in the order of the bytes, starting with a cursor over a checked block; *ret_have
 * is false after the last. Errors: those of cn_cbor_next, MALFORMED (CID). */
CN_MUST_USE cn_err cn_dagcbor_next_link(cn_cur *c, cn_cid *ret, bool *ret_have);

/*
 * Walk the segments of `*rest` into `block` until a link or the end of the path. At a link
 * *ret_is_link is true, *ret_link is it, and *rest is what follows. Errors: NO_LINK (`why`: the
 * sentence without the block's CID; *rest begins at the segment that is not there), MALFORMED,
 * TRUNCATED.
 */
CN_MUST_USE cn_err
cn_dagcbor_find(cn_slice block, cn_slice *rest, cn_cid *ret_link, bool *ret_is_link, cn_why *why);
