/*
 * cn_index: where each block lies, and what is known of each segment. A cache: it can be made anew
 * from the segments. A few calls, so that something else than LMDB can stand behind them.
 *
 * get and scan from any thread; apply from one thread at a time.
 */
#pragma once

#include "store/place.h"

typedef struct cn_index cn_index;

/* What the index keeps of a segment; it goes with the entries in one transaction. */
typedef struct cn_segment_meta {
    uint32_t segment;
    uint32_t records;      /* that lie before the checkpoint */
    uint64_t checkpoint;   /* bytes of the file that are durable and indexed */
    uint32_t live_records; /* that belong to blocks held */
    bool sealed;
    uint64_t live_bytes; /* data of those */
    uint64_t live_whole; /* data and heads of those */
    uint64_t tomb_bytes; /* of its tombstone log that the index has seen */
} cn_segment_meta;

enum { CN_SEGMENT_META_BYTES = 44 };

/* One change of a key: to a place, or gone (place.segment 0). */
typedef struct cn_index_change {
    cn_slice key;
    cn_place place;
} cn_index_change;

/* Gives the changes one by one, best in the order of keys; false at the end. */
typedef bool (*cn_index_source)(void *ctx, size_t i, cn_index_change *ret);

typedef struct cn_index_batch {
    cn_index_source changes; /* nullable */
    void *ctx;
    const cn_segment_meta *metas; /* to set */
    size_t metas_len;
    const uint32_t *gone; /* segments to forget */
    size_t gone_len;
} cn_index_batch;

typedef cn_err (*cn_index_visit)(void *ctx, cn_slice key, const cn_place *place);
typedef cn_err (*cn_index_meta_visit)(void *ctx, const cn_segment_meta *meta);

typedef struct cn_index_ops {
    cn_err (*get)(cn_index *x, cn_slice key, cn_place *ret);
    cn_err (*probe)(cn_index *x, cn_slice key, cn_place *ret);
    cn_err (*apply)(cn_index *x, const cn_index_batch *batch);
    cn_err (*scan)(cn_index *x, cn_index_visit visit, void *ctx);
    cn_err (*metas)(cn_index *x, cn_index_meta_visit visit, void *ctx);
    cn_err (*count)(cn_index *x, uint64_t *ret);
    uint64_t (*bytes)(cn_index *x);
    cn_err (*checkpoint)(cn_index *x);
    void (*rest)(cn_index *x);
    void (*distrust)(cn_index *x);
    bool (*is_distrusted)(cn_index *x);
    void (*close)(cn_index *x);
} cn_index_ops;

struct cn_index {
    const cn_index_ops *ops;
};

typedef struct cn_index_options {
    cn_mem *mem;
    cn_rt *rt;
    const char *path;
    const char *aside; /* a file that is found to be damaged is renamed to this */
    size_t map_bytes;  /* of address space at first, doubled when full; 0: 1 TiB */
} cn_index_options;

/*
 * Open or make the LMDB file at options->path. Errors: CORRUPT (not an index, damaged, cut short:
 * remove it and rebuild), UNSUPPORTED (a newer version), NO_SPACE, IO, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_index_open_lmdb(const cn_index_options *options, cn_index **ret, cn_why *why);
void cn_index_close(cn_index *x); /* accepts NULL */

/* The place of `key`. Errors: NOT_FOUND, CORRUPT, IO. */
static inline CN_MUST_USE cn_err cn_index_get(cn_index *x, cn_slice key, cn_place *ret)
{
    return x->ops->get(x, key, ret);
}
/* As get, for who asks once for each of many: holds less of the index in memory. */
static inline CN_MUST_USE cn_err cn_index_probe(cn_index *x, cn_slice key, cn_place *ret)
{
    return x->ops->probe(x, key, ret);
}
/* Make all changes of the batch or none. Errors: NO_SPACE, IO, CORRUPT, NO_MEMORY. */
static inline CN_MUST_USE cn_err cn_index_apply(cn_index *x, const cn_index_batch *batch)
{
    return x->ops->apply(x, batch);
}
/* Visit all entries, by key; one that comes or goes meanwhile may be seen or not. No transaction is
 * held while `visit` works. */
static inline CN_MUST_USE cn_err cn_index_scan(cn_index *x, cn_index_visit visit, void *ctx)
{
    return x->ops->scan(x, visit, ctx);
}
static inline CN_MUST_USE cn_err cn_index_metas(cn_index *x, cn_index_meta_visit visit, void *ctx)
{
    return x->ops->metas(x, visit, ctx);
}
static inline CN_MUST_USE cn_err cn_index_count(cn_index *x, uint64_t *ret)
{
    return x->ops->count(x, ret);
}
/* Bytes on the disk. */
static inline uint64_t cn_index_bytes(cn_index *x)
{
    return x->ops->bytes(x);
}
/* All that was applied is on the disk (apply alone may leave out the last one). */
static inline CN_MUST_USE cn_err cn_index_checkpoint(cn_index *x)
{
    return x->ops->checkpoint(x);
}
/* The store is idle: hold as little of it in memory as can be. */
static inline void cn_index_rest(cn_index *x)
{
    x->ops->rest(x);
}

/* It was found to be wrong: set it aside, so that the next open makes it anew; apply gives CORRUPT
 * from now on. get and scan do this by themselves for what they can tell. */
static inline void cn_index_distrust(cn_index *x)
{
    x->ops->distrust(x);
}

static inline bool cn_index_is_distrusted(cn_index *x)
{
    return x->ops->is_distrusted(x);
}

void cn_segment_meta_encode(const cn_segment_meta *m, uint8_t out[CN_SEGMENT_META_BYTES]);
CN_MUST_USE cn_err cn_segment_meta_decode(uint32_t segment, cn_slice in, cn_segment_meta *ret);
