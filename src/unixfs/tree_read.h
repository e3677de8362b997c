/*
 * Reading a whole tree of files and folders: a pull machine that yields each node before what is in
 * it, depth first, with the bytes of files between. For archives and for writing files to a disk.
 *
 * Steps: ENTRY (a cn_tree_entry); DATA after the ENTRY of a file; ENTRY with `is_end` when all of
 * a folder has been yielded; END. Errors: WRONG_TYPE ("unknown node type"), those of reader and
 * lister, TOO_DEEP (CN_TREE_DEPTH_MAX folders), TOO_LARGE (path).
 */
#pragma once

#include "unixfs/list.h"
#include "unixfs/read.h"

enum { CN_TREE_DEPTH_MAX = 512, CN_TREE_PATH_MAX_BYTES = 64 << 10 };

/* Slices are borrowed until the next step. */
typedef struct cn_tree_entry {
    cn_list_kind kind; /* FILE, DIR or SYMLINK */
    bool is_end;       /* the end of a DIR */
    cn_slice path;     /* names below the root, joined by '/'; empty for the root */
    cn_slice name;     /* the last of them, as it is in the folder: not checked */
    size_t depth;      /* 0 for the root */
    uint64_t size_bytes;
    cn_slice target;
    bool has_mode;
    bool has_mtime;
    uint32_t mode;
    int64_t mtime_s;
    uint32_t mtime_ns;
} cn_tree_entry;

typedef struct cn_tree_level cn_tree_level; /* an open folder */

typedef struct cn_tree_read {
    cn_pull_machine pull;
    cn_mem *mem;
    cn_tree_level **levels;
    size_t levels_len;
    size_t levels_cap;
    cn_read read;
    bool is_reading;
    unsigned state;
    cn_cid want;
    cn_pull_machine *below; /* the machine whose want is passed on */
    cn_buf path;
    size_t name_at; /* where the last name begins in `path` */
    cn_tree_entry entry;
} cn_tree_read;

void cn_tree_read_init(cn_tree_read *t, cn_mem *mem, const cn_cid *root);
/* Accepts a zeroed one. */
void cn_tree_read_release(cn_tree_read *t);
