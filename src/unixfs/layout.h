/*
 * Layout: joins the leaves of one file under nodes, balanced or as a trickle tree, as they come.
 * Memory: one open node for each level, links stored as they will be written.
 */
#pragma once

#include "unixfs/emit.h"

enum { CN_LAYOUT_LEVELS_MAX = 64 };

/* An open node. */
typedef struct cn_layout_node {
    cn_buf links;
    cn_buf sizes; /* blocksizes, uint64_t each */
    size_t len;
    uint64_t file_bytes;
    uint64_t tsize_bytes;
    unsigned depth_max; /* trickle: depth of the subtrees it may have; 0: any, the root */
    unsigned depth;     /* trickle: depth of the subtrees being added */
    unsigned repeat;    /* trickle: how many of that depth there are */
} cn_layout_node;

typedef struct cn_layout {
    cn_emit *emit;
    cn_layout_node *nodes; /* balanced: by level from the leaves; trickle: from the root down */
    size_t nodes_len;
    cn_import_ref only; /* balanced: the only leaf so far */
    uint64_t leaves;
} cn_layout;

/* Prepare for files under the emitter's options. Takes no memory yet. */
void cn_layout_init(cn_layout *l, cn_emit *emit);
void cn_layout_release(cn_layout *l);

/* The next leaf of the file. Errors: those of cn_emit_node; TOO_DEEP. */
CN_MUST_USE cn_err cn_layout_add(cn_layout *l, const cn_import_ref *leaf, cn_why *why);

/*
 * The file is whole: close its nodes, `meta` (nullable) into the root, and be ready for another.
 * A balanced file of one leaf is that leaf: its maker writes the meta into it.
 */
CN_MUST_USE cn_err
cn_layout_finish(cn_layout *l, const cn_import_meta *meta, cn_import_ref *ret, cn_why *why);
