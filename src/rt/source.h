/*
 * What is imported, as a pull source: a walk over files and folders, depth first, with the bytes of
 * each file. rt_os/tree.h walks the local disk; an upload over HTTP is another.
 *
 * One top-level path after the other: FILE, SYMLINK, or DIR_START, its entries, DIR_END; then END.
 */
#pragma once

#include "base/slice.h"
#include "base/why.h"

typedef struct cn_source cn_source;

typedef enum cn_source_kind {
    CN_SOURCE_END, /* nothing more */
    CN_SOURCE_FILE,
    CN_SOURCE_SYMLINK,
    CN_SOURCE_DIR_START,
    CN_SOURCE_DIR_END, /* only `kind` is set */
} cn_source_kind;

/* One step of the walk. All slices and `path` are borrowed until the next call of next. */
typedef struct cn_source_entry {
    cn_source_kind kind;
    cn_slice name;    /* of this level, any bytes but '/' and NUL; empty: unnamed (stdin) */
    const char *path; /* for messages, NUL-terminated; NULL if there is none */
    cn_slice target;  /* SYMLINK */
    bool has_mode;
    bool has_mtime;
    bool has_size;
    uint32_t mode; /* permission bits, 12 of them */
    int64_t mtime_s;
    uint32_t mtime_ns;
    uint64_t size_bytes; /* FILE: what the source believes; reading tells */
} cn_source_entry;

typedef struct cn_source_ops {
    cn_err (*next)(cn_source *s, cn_source_entry *ret, cn_why *why);
    cn_err (*read)(cn_source *s, uint8_t *data, size_t len, size_t *ret_len, cn_why *why);
} cn_source_ops;

/* Implementations put this first in their own struct. One thread at a time. */
struct cn_source {
    const cn_source_ops *ops;
};

/* The next step; what is left of the current file is skipped. Errors: the source's; then it ends.
 */
static inline CN_MUST_USE cn_err cn_source_next(cn_source *s, cn_source_entry *ret, cn_why *why)
{
    return s->ops->next(s, ret, why);
}

/*
 * Read up to `len` (1 or more) bytes of the current file; fewer only at its end, so a short read
 * says that no more come. Errors: IO and the source's.
 */
static inline CN_MUST_USE cn_err
cn_source_read(cn_source *s, uint8_t *data, size_t len, size_t *ret_len, cn_why *why)
{
    return s->ops->read(s, data, len, ret_len, why);
}
