/*
 * Reading a file: a pull machine from its root CID to its bytes, or a range of them. Blocks that
 * hold nothing of the range are never asked for.
 *
 * Steps: ENTRY (a cn_read_info) once the root is known, then DATA and SPAN in file order, END. The
 * range may still be set between the ENTRY and the next step.
 *
 * What blocks claim is checked on the way: a node's size must be its own data and the sizes it
 * gives its links, a child must have the size its parent gives it. Any layout is read: balanced,
 * trickle, data beside links, inlined leaves; a chain takes no memory, a depth beyond
 * CN_PULL_DEPTH_MAX with something left to read at each level is TOO_DEEP.
 *
 * spec: ipfs/specs unixfs 'File'
 */
#pragma once

#include "ipld/dagpb.h"
#include "ipld/pull.h"
#include "ipld/stack.h"
#include "unixfs/data.h"

typedef struct cn_read_info {
    cn_unixfs_type type; /* FILE, RAW or SYMLINK; a raw block is RAW */
    uint64_t size_bytes;
    bool has_mode;
    bool has_mtime;
    uint32_t mode;
    int64_t mtime_s;
    uint32_t mtime_ns;
} cn_read_info;

typedef struct cn_read_options {
    size_t ahead; /* wants announced at once, 0 (as 1) to CN_PULL_AHEAD */
    bool spans;   /* raw leaves as SPAN, so that they can be sent unseen: see cn_read_want_span */
} cn_read_options;

typedef struct cn_read {
    cn_pull_machine pull;
    cn_stack stack;
    cn_read_options options;
    unsigned state;
    unsigned hops; /* Metadata nodes passed */
    cn_read_info info;
    uint64_t from; /* the range asked for: [from, to) */
    uint64_t to;
    bool span_wanted;   /* the span yielded last is to be asked for */
    uint64_t want_at;   /* file offset of the block wanted or opened */
    uint64_t want_size; /* its size by its parent */
    cn_slice data;      /* bytes to hand out next */
    uint64_t data_at;
    cn_cid wants[CN_PULL_AHEAD];
    size_t wants_len;
} cn_read;

/* Read all of the file `root`, until cn_read_range says otherwise. */
void cn_read_init(cn_read *r, cn_mem *mem, const cn_cid *root, const cn_read_options *options);
/* Accepts a zeroed reader. */
void cn_read_release(cn_read *r);

/*
 * Read only `len` bytes (UINT64_MAX: to the end) from `offset`; outside the file there is nothing.
 * Allowed until the step after the ENTRY.
 */
void cn_read_range(cn_read *r, uint64_t offset, uint64_t len);

/* Announce up to `ahead` wants (1 to CN_PULL_AHEAD) from the next step on. */
void cn_read_ahead(cn_read *r, size_t ahead);

/*
 * Right after a SPAN: it cannot be sent unseen, so its block shall be a want, with what comes after
 * it announced, and its bytes DATA.
 */
void cn_read_want_span(cn_read *r);

/*
 * Errors of its steps: WRONG_TYPE ("this dag node is a directory", other codecs), MALFORMED (no
 * DAG-PB, no UnixFS, sizes that do not agree), TOO_DEEP, NO_MEMORY.
 */
