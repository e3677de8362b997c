/*
 * Going through a database of LMDB without holding a read transaction while others work: entries
 * are copied out some at a time. A visitor may take as long as it likes (a slow client), and the
 * file neither grows for it nor waits with growing.
 */
#pragma once

#include "store/lmdb_env.h"

typedef cn_err (*cn_lmdb_visit)(void *ctx, cn_slice key, cn_slice value);

/*
 * Visit the entries from key `from` (empty: the first) in the order of keys. One that is added or
 * removed meanwhile may be seen or not; all others are seen once. An error of `visit` ends it and
 * is returned. The slices stay for the call. Memory: 64 KiB. Errors: IO, CORRUPT, NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_lmdb_each(cn_lmdb *l, MDB_dbi dbi, cn_slice from, cn_lmdb_visit visit, void *ctx);
