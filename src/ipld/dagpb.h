/*
 * DAG-PB: the node of links and data that files and directories are made of. Decoding is strict and
 * copies nothing; encoding knows every size before it writes.
 *
 * spec: ipld dag-pb; accepted and refused forms as go-codec-dagpb (tests: fixtures
 * dag-pb/compat.json)
 */
#pragma once

#include "multiformats/cid.h"

/* One link. On reading all slices are borrowed from the block. */
typedef struct cn_dagpb_link {
    cn_slice cid;         /* binary form; decoded links hold one that cn_cid_decode_all takes */
    cn_slice name;        /* empty if absent */
    uint64_t tsize_bytes; /* 0 if absent; a hint, never to be trusted */
    bool has_name;        /* absent and empty are two forms */
    bool has_tsize;
} cn_dagpb_link;

/* A decoded node, a view of the block. */
typedef struct cn_dagpb {
    cn_slice data; /* empty if absent */
    bool has_data;
    size_t links_len;
    cn_slice links; /* all links, encoded; read them with cn_dagpb_next */
} cn_dagpb;

/* Where a reading of links stands; start with cn_dagpb_links. */
typedef struct cn_dagpb_iter {
    cn_slice rest;
} cn_dagpb_iter;

/*
 * Read `block` whole: all fields and each link with its CID are checked, so that stepping through
 * the links later cannot fail. *ret borrows from `block`. Zero bytes are a node. Links are kept in
 * their order. Errors: MALFORMED, TRUNCATED, TOO_LARGE (a CID digest over 128 bytes); `why`
 * (nullable) says what. Cost: the block's length.
 */
CN_MUST_USE cn_err cn_dagpb_decode(cn_slice block, cn_dagpb *ret, cn_why *why);

/* Start at the first link of a decoded node. */
static inline cn_dagpb_iter cn_dagpb_links(const cn_dagpb *node)
{
    return (cn_dagpb_iter){node->links};
}

/* The next link; false after the last, then *ret is untouched. */
bool cn_dagpb_next(cn_dagpb_iter *it, cn_dagpb_link *ret);

/* Link number `index` from 0; false if there are fewer. Cost: the links before it. */
bool cn_dagpb_link_at(const cn_dagpb *node, size_t index, cn_dagpb_link *ret);

/* The first link called `name` (an absent name is an empty one). */
bool cn_dagpb_find(const cn_dagpb *node, cn_slice name, cn_dagpb_link *ret);

/* The CID of a decoded link. */
cn_cid cn_dagpb_link_cid(const cn_dagpb_link *link);

/*
 * Writing. A node is its links in order, then its data:
 *   cn_dagpb_link_bytes / cn_dagpb_data_bytes   bytes one of them will take
 *   cn_dagpb_link_append / cn_dagpb_data_append append it. Errors: those of cn_buf_append.
 */
size_t cn_dagpb_link_bytes(const cn_dagpb_link *link);
size_t cn_dagpb_data_bytes(size_t data_len);
CN_MUST_USE cn_err cn_dagpb_link_append(const cn_dagpb_link *link, cn_buf *out);
CN_MUST_USE cn_err cn_dagpb_data_append(cn_slice data, cn_buf *out);

/* Order links by the bytes of their names; those of one name stay in their order. */
CN_MUST_USE cn_err cn_dagpb_sort(cn_mem *mem, cn_dagpb_link *links, size_t links_len);

/*
 * Append a node: `links` in the order given (cn_dagpb_sort first, for a directory), then `data`
 * unless it is NULL (absent). Memory for the whole is taken once. Errors: those of cn_buf_append.
 */
CN_MUST_USE cn_err
cn_dagpb_encode(const cn_dagpb_link *links, size_t links_len, const cn_slice *data, cn_buf *out);
