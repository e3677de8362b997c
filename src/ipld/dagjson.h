/*
 * DAG-JSON, as much as walking needs: well made or not, links, paths. A scanner over the text,
 * bounded in depth; nothing is built in memory but a list of where keys lie, for the check.
 *
 * spec: ipld dag-json. A link is {"/":"CID"}, bytes are {"/":{"bytes":"base64"}}; a map that begins
 * as one of these and goes on is malformed, and one that has a key twice, and an integer beyond
 * 64 bits and a sign. Space between tokens is taken; commas before a closing bracket and numbers as
 * "01" or "1.", which Kubo takes too, are not.
 */
#pragma once

#include "base/buf.h"
#include "multiformats/cid.h"

enum { CN_DAGJSON_DEPTH_MAX = 1024 };

/* Is `block` one whole value? Errors: MALFORMED, TRUNCATED, TOO_DEEP, NO_MEMORY. */
CN_MUST_USE cn_err cn_dagjson_check(cn_slice block, cn_why *why);

/* The next link in the order of the text of a checked block; start with *rest the whole. */
CN_MUST_USE cn_err cn_dagjson_next_link(cn_slice *rest, cn_cid *ret, bool *ret_have);

/* Walk the segments of `*rest` into `block`: as cn_dagcbor_find. */
CN_MUST_USE cn_err
cn_dagjson_find(cn_slice block, cn_slice *rest, cn_cid *ret_link, bool *ret_is_link, cn_why *why);
