/*
 * Directory builder: gathers the entries of one directory and writes it, as one node or, when it is
 * too large for that, as a HAMT.
 *
 * Memory: the bytes of each name and CID and about ten more; writing takes 16 (HAMT) or 112 (plain)
 * bytes an entry for a moment.
 */
#pragma once

#include "unixfs/emit.h"

typedef struct cn_dir_builder {
    cn_emit *emit;
    cn_buf entries;    /* name, CID, tsize one after the other, packed */
    size_t len;        /* entries held */
    uint64_t estimate; /* size so far by the options' measure */
    cn_import_meta meta;
} cn_dir_builder;

/* An empty directory with `meta` (nullable) in its root. Takes no memory yet. */
void cn_dir_builder_init(cn_dir_builder *b, cn_emit *emit, const cn_import_meta *meta);
/* Accepts a zeroed builder. */
void cn_dir_builder_release(cn_dir_builder *b);

/* Add an entry; copies. In any order. Errors: TOO_LARGE, NO_MEMORY. */
CN_MUST_USE cn_err cn_dir_builder_add(cn_dir_builder *b, cn_slice name, const cn_import_ref *child);

/* Do the entries added so far call for a HAMT? */
bool cn_dir_builder_is_hamt(const cn_dir_builder *b);

/*
 * Write the directory through the emitter; the builder may only be released after it. Errors:
 * EXISTS (a name twice), TOO_DEEP (names whose hashes do not part), TOO_LARGE (too many links and
 * no HAMT allowed), those of cn_emit_node.
 */
CN_MUST_USE cn_err cn_dir_builder_finish(cn_dir_builder *b, cn_import_ref *ret, cn_why *why);
