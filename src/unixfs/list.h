/*
 * Listing a directory: a pull machine that yields its entries one by one, in the order they are
 * stored: of a plain directory that of its links (sorted by name where well made), of a sharded one
 * by bucket. A node that is no directory lists its links. Memory: the blocks from the root down.
 *
 * Steps: ENTRY (a cn_list_entry), END. Errors: MALFORMED, UNSUPPORTED, TOO_DEEP, NO_MEMORY.
 */
#pragma once

#include "ipld/dagpb.h"
#include "ipld/pull.h"
#include "ipld/stack.h"
#include "unixfs/data.h"

typedef enum cn_list_kind {
    CN_LIST_UNKNOWN, /* not asked for, or of a codec that is not UnixFS */
    CN_LIST_FILE,
    CN_LIST_DIR,
    CN_LIST_SYMLINK,
} cn_list_kind;

/* Slices are borrowed until the next step. */
typedef struct cn_list_entry {
    cn_slice name;
    cn_cid cid;
    uint64_t tsize_bytes; /* as the link says; a hint */
    cn_list_kind kind;
    uint64_t size_bytes; /* of a file; of a raw block what the link says; else 0 */
    cn_slice target;     /* of a symlink */
    bool has_mode;
    bool has_mtime;
    uint32_t mode;
    int64_t mtime_s;
    uint32_t mtime_ns;
} cn_list_entry;

typedef struct cn_list_options {
    size_t ahead;       /* wants announced at once, 0 (as 1) to CN_PULL_AHEAD */
    bool with_children; /* open the entries to tell kind, size, target, mode and time */
    bool only_dirs;     /* WRONG_TYPE for what is no directory */
} cn_list_options;

typedef struct cn_list {
    cn_pull_machine pull;
    cn_stack stack;
    cn_list_options options;
    unsigned state;
    cn_list_entry entry; /* built from a link, then from the child's block */
    cn_cid wants[CN_PULL_AHEAD];
    size_t wants_len;
} cn_list;

void cn_list_init(cn_list *l, cn_mem *mem, const cn_cid *root, const cn_list_options *options);
/* Accepts a zeroed lister. */
void cn_list_release(cn_list *l);
