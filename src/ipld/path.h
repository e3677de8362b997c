/*
 * Content paths: what a user writes to name content. Forms taken:
 *     /ipfs/CID/a/b    /ipld/CID/a    /ipns/NAME/a
 *     ipfs://CID/a     ipfs:CID/a     (also ipns, ipld; the scheme in any case; nothing is
 *                                      percent-decoded)
 *     CID/a            (only by cn_ipfs_path_parse_arg)
 * Empty and "." segments vanish, ".." removes the segment before it and stops at the root, before
 * the root CID is looked at.
 *
 * spec: Kubo 0.43 command arguments; sentences as Kubo's
 */
#pragma once

#include "multiformats/cid.h"

typedef enum cn_namespace {
    CN_NS_IPFS,
    CN_NS_IPLD, /* links as the codec names them, not as UnixFS does */
    CN_NS_IPNS, /* the root is a name, to be resolved first */
} cn_namespace;

enum { CN_IPFS_PATH_MAX_BYTES = 64 << 10 };

typedef struct cn_ipfs_path {
    cn_namespace ns;
    cn_cid root;        /* of IPFS and IPLD */
    cn_slice root_text; /* CID or name as written, borrowed from `text` */
    cn_slice rest;      /* "a/b" without slashes at the ends, borrowed from `text` */
    cn_buf text;        /* the cleaned path; a slash at the end is kept */
} cn_ipfs_path;

/*
 * Read a path or URI. Give *ret back with cn_ipfs_path_release. Errors: MALFORMED, UNSUPPORTED
 * (the CID's base), TOO_LARGE (path or CID), NO_MEMORY; `why` gets: invalid path "...": ...
 */
CN_MUST_USE cn_err cn_ipfs_path_parse(cn_slice text, cn_mem *mem, cn_ipfs_path *ret, cn_why *why);

/* The same, and "CID/a" is read as "/ipfs/CID/a". */
CN_MUST_USE cn_err
cn_ipfs_path_parse_arg(cn_slice text, cn_mem *mem, cn_ipfs_path *ret, cn_why *why);

/* Accepts a zeroed path. */
void cn_ipfs_path_release(cn_ipfs_path *p);

/* Step through "a/b": *rest starts as the path's `rest`; false when it is used up. */
bool cn_ipfs_path_next(cn_slice *rest, cn_slice *ret_segment);

/* "ipfs", "ipld" or "ipns". */
const char *cn_namespace_name(cn_namespace ns);
