/*
 * Path resolution: a pull machine from a root CID and "a/b/c" to the CID at its end. It walks
 * directories and shards of large directories (only those on the way), and the maps and lists of
 * dag-cbor and dag-json; the block at the end is not asked for.
 *
 * Steps: WANT, then END; after it the results below may be read. Errors: NO_LINK (no link named
 * "x" under CID), WRONG_TYPE, MALFORMED, UNSUPPORTED (codec), NO_MEMORY.
 *
 * spec: Kubo 0.43 path resolution
 */
#pragma once

#include "ipld/path.h"
#include "ipld/pull.h"

typedef struct cn_resolve {
    cn_pull_machine pull;
    cn_mem *mem;
    cn_namespace ns;
    cn_cid at;     /* the block reached */
    cn_slice rest; /* segments still to walk; at the end: what lies inside the block */
    bool is_done;
    bool in_shard; /* `at` is a shard below the one that a segment began in */
    cn_cid dir;
    uint64_t hash; /* of the segment being looked up in shards */
    unsigned bits_used;
    cn_cid *roots;
    size_t roots_len;
    size_t roots_cap;
} cn_resolve;

enum { CN_RESOLVE_SEGMENTS_MAX = 32 << 10 };

/* `path` (of IPFS or IPLD) is borrowed until release. Takes no memory yet. */
void cn_resolve_init(cn_resolve *r, cn_mem *mem, const cn_ipfs_path *path);
/* Accepts a zeroed one. */
void cn_resolve_release(cn_resolve *r);

/*
 * Results after END. The CID reached; the segments that lie inside its block, as "b/c", borrowed
 * from the path (empty unless the path ends inside dag-cbor or dag-json at what is not a link); the
 * CID of the root and of each segment after it, shards below the first left out.
 */
static inline const cn_cid *cn_resolve_cid(const cn_resolve *r)
{
    return &r->at;
}
static inline cn_slice cn_resolve_remainder(const cn_resolve *r)
{
    return r->rest;
}

/* Resolve by `blocks` and give the results; `ret_rest` is borrowed from `path`. */
CN_MUST_USE cn_err cn_resolve_local(
    cn_blocks *blocks,
    cn_mem *mem,
    const cn_ipfs_path *path,
    cn_cid *ret,
    cn_slice *ret_rest,
    cn_why *why);
