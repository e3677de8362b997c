/*
 * Reading one shard of a large directory (HAMT). Its links are named by the bucket's number in
 * upper-case hexadecimal, followed by the entry's name, or by nothing for a shard below.
 *
 * spec: ipfs/specs unixfs 'HAMT': murmur3-x64-64, fanout a power of two
 */
#pragma once

#include "ipld/dagpb.h"
#include "unixfs/data.h"

enum {
    CN_SHARD_FANOUT_MAX = 1024,
    CN_SHARD_DEPTH_MAX = 22, /* a 64-bit hash has no more digits */
};

typedef struct cn_shard {
    cn_dagpb node; /* views of the block */
    unsigned bits; /* of the hash per level */
    size_t width;  /* hexadecimal digits before a name */
} cn_shard;

/*
 * Look at a decoded node as a shard. Errors: MALFORMED, UNSUPPORTED (hash), TOO_LARGE (fanout);
 * `why` says what.
 */
CN_MUST_USE cn_err
cn_shard_open(const cn_dagpb *node, const cn_unixfs_data *data, cn_shard *ret, cn_why *why);

/* What a link of a shard is: an entry with its name, or a shard below. */
typedef struct cn_shard_link {
    cn_dagpb_link link;
    cn_slice name; /* of the entry */
    bool is_shard;
} cn_shard_link;

/* The next link; false after the last. Errors: MALFORMED (a name shorter than the digits). */
CN_MUST_USE cn_err
cn_shard_next(const cn_shard *s, cn_dagpb_iter *it, cn_shard_link *ret, bool *ret_have);

/* The hash of a name, of which each level uses the next bits from the top. */
uint64_t cn_shard_hash(cn_slice name);

/*
 * Look for the entry `name` with hash `hash`, of which `bits_used` bits lead to this shard.
 * Errors: NO_LINK, TOO_DEEP (no bits left), MALFORMED.
 */
CN_MUST_USE cn_err cn_shard_find(
    const cn_shard *s, cn_slice name, uint64_t hash, unsigned bits_used, cn_shard_link *ret);
