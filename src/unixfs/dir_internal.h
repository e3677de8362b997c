/* What dir.c and hamt_build.c share: packed entries. */
#pragma once

#include "ipld/dagpb.h"
#include "unixfs/dir.h"

/* Read the entry at `offset` as a link; *ret_next (nullable) is where the next begins. */
void cn_dir_entry(const cn_dir_builder *b, size_t offset, cn_dagpb_link *ret, size_t *ret_next);

/* The sentence for a name that comes twice; gives EXISTS. */
cn_err cn_dir_twice(cn_slice name, cn_why *why);

/* Write all entries as a HAMT. */
CN_MUST_USE cn_err cn_hamt_build(cn_dir_builder *b, cn_import_ref *ret, cn_why *why);
