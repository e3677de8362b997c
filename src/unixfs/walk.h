/*
 * Walking a whole DAG: a pull machine that yields the root and then every link, depth first, a
 * block before what it links to, in the order of links; DAG-PB, DAG-CBOR, DAG-JSON and raw. Used to
 * list references, to pin, to mark what is kept, to check and to count.
 *
 * Steps: ENTRY (a cn_walk_entry), END. Each entry comes after its block was got, unless
 * `raw_unseen`. A block that cannot be got (cn_pull_fail) is an error of the walk, or with
 * `go_on` an entry with `missing`, and the walk continues beside it.
 *
 * Memory: the blocks from the root down (a chain takes none), and with `unique` the keys of all
 * blocks seen. Errors: MALFORMED, UNSUPPORTED (codec), TOO_DEEP, TOO_LARGE (seen_max), NO_MEMORY.
 */
#pragma once

#include "base/map.h"
#include "ipld/links.h"
#include "ipld/pull.h"
#include "ipld/stack.h"

typedef struct cn_walk_options {
    size_t ahead;      /* wants announced at once, 0 (as 1) to CN_PULL_AHEAD */
    bool unique;       /* each CID once; it is gone below again only if met nearer to the root */
    bool by_multihash; /* with unique: blocks of one multihash are the same, whatever codec */
    bool root_apart;   /* with unique: the root does not count as seen */
    bool has_depth_max;
    uint64_t depth_max; /* do not go below this many links from the root */
    bool raw_unseen;    /* yield raw blocks without asking for them */
    bool go_on;         /* pass over blocks that are missing or cannot be read */
    size_t seen_max;    /* bound of `unique`; 0: CN_WALK_SEEN_MAX */
} cn_walk_options;

enum { CN_WALK_SEEN_MAX = 64 << 20 };

/* Pointers and slices are borrowed until the next step. */
typedef struct cn_walk_entry {
    const cn_cid *cid;
    const cn_cid *parent; /* NULL for the root */
    cn_slice name;        /* of the link, if DAG-PB */
    uint64_t depth;       /* links from the root */
    cn_slice block;       /* empty if unseen or missing */
    bool is_repeat;       /* with unique: was yielded before, is met again nearer to the root */
    cn_err missing;       /* with go_on: why there is no block */
    const cn_why *why;    /* with missing: the sentence */
} cn_walk_entry;

typedef struct cn_walk {
    cn_pull_machine pull;
    cn_mem *mem;
    cn_stack stack;
    cn_walk_options options;
    cn_map seen; /* key or CID to depth */
    unsigned state;
    cn_walk_entry entry;
    cn_held parent_block; /* of a frame closed while its last link is in hand */
    cn_cid parent;
    cn_why missing_why;
    bool goes_deeper;
    cn_cid wants[CN_PULL_AHEAD];
    size_t wants_len;
} cn_walk;

/* Walk from `root`; takes no memory yet. */
void cn_walk_init(cn_walk *w, cn_mem *mem, const cn_cid *root, const cn_walk_options *options);

/* Walk from another root with the same options, and what was seen before stays seen. Only after
 * END. */
void cn_walk_again(cn_walk *w, const cn_cid *root);

/* Accepts a zeroed walker. */
void cn_walk_release(cn_walk *w);
