/*
 * The links of a block, whatever its codec: DAG-PB, DAG-CBOR (also what DAG-JOSE is made of) and
 * DAG-JSON have them; raw, cbor, json and libp2p-key have none; other codecs are UNSUPPORTED.
 */
#pragma once

#include "base/cur.h"
#include "ipld/dagpb.h"

/* One link; slices are borrowed from the block. */
typedef struct cn_link {
    cn_cid cid;
    cn_slice name;        /* of DAG-PB, else empty */
    uint64_t tsize_bytes; /* of DAG-PB, else 0 */
} cn_link;

/* Where a reading of links stands. */
typedef struct cn_links {
    uint64_t codec;
    cn_dagpb_iter pb;
    cn_slice rest; /* of the other codecs */
} cn_links;

/*
 * Check a block whole and start at its first link; *ret borrows from `block`. Errors: MALFORMED,
 * TRUNCATED, TOO_DEEP, UNSUPPORTED (codec). Cost: the block's length.
 */
CN_MUST_USE cn_err cn_links_open(uint64_t codec, cn_slice block, cn_links *ret, cn_why *why);

/* The next link in the order of the block; *ret_have is false after the last. Errors: none that
 * cn_links_open would not have found. */
CN_MUST_USE cn_err cn_links_next(cn_links *l, cn_link *ret, bool *ret_have);
