/*
 * cn_blocks: where blocks come from and go to. The store implements it; later an exchange that asks
 * peers. What walks a DAG (resolver, reader, walker) does not use it: it is a pull machine that
 * yields the CIDs it wants; cn_blocks stands at the driver's side of that line.
 */
#pragma once

#include "base/buf.h"
#include "multiformats/cid.h"

enum { CN_BLOCK_MAX_BYTES = 2 << 20 }; /* what is exchanged; larger ones only when asked for */

typedef struct cn_blocks cn_blocks;

/* One block to keep. `data` is borrowed for the call. */
typedef struct cn_blocks_item {
    const cn_cid *cid;
    cn_slice data;
} cn_blocks_item;

typedef struct cn_blocks_ops {
    cn_err (*get)(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why);
    cn_err (*size)(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes);
    cn_err (*put)(cn_blocks *b, const cn_cid *cid, cn_slice data, cn_why *why);
    /* NULL: one after the other, by get */
    void (*get_many)(cn_blocks *b, const cn_cid *cids, size_t len, cn_buf *rets, cn_err *ret_errs);
    void (*expect)(cn_blocks *b, const cn_cid *cids, size_t len); /* NULL: all is here or is not */
    cn_err (*get_plain)(cn_blocks *b, const cn_cid *cid, cn_buf *ret); /* NULL: by get */
    /* NULL: one after the other, by put */
    cn_err (*put_many)(cn_blocks *b, const cn_blocks_item *items, size_t len, cn_why *why);
} cn_blocks_ops;

/* Implementations put this first in their own struct. Safe from any thread. */
struct cn_blocks {
    const cn_blocks_ops *ops;
};

/*
 * Replace the contents of `ret` by the block. Identity CIDs are answered from the CID itself.
 * Errors: NOT_FOUND (why: "block was not found locally (offline): ipld: could not find CID"),
 * CORRUPT (bytes do not match), IO, NO_MEMORY, TOO_LARGE (larger than ret's bound). A source that
 * asks peers may wait, as long as its own limits say (TIMEOUT, CANCELLED); one made not to wait
 * says BUSY until the block has come.
 */
CN_MUST_USE cn_err cn_blocks_get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why);

/*
 * Get `len` blocks at once, which may be faster than one by one (several are verified together).
 * Each ret is as for cn_blocks_get; ret_errs[i] says how the i-th went, without a sentence. It
 * gives what is here and never waits for a peer (NOT_FOUND), so that workers may call it.
 */
void cn_blocks_get_many(
    cn_blocks *b, const cn_cid *cids, size_t len, cn_buf *rets, cn_err *ret_errs);

/*
 * Like cn_blocks_get, but the bytes are not checked against their hash: for those who only hand
 * them on to somebody who does. Never waits for a peer.
 */
CN_MUST_USE cn_err cn_blocks_get_plain(cn_blocks *b, const cn_cid *cid, cn_buf *ret);

/*
 * Say that these blocks will be asked for soon, in this order, so that a source that has to fetch
 * them begins to. Returns at once; a hint only. The CIDs are copied.
 */
void cn_blocks_expect(cn_blocks *b, const cn_cid *cids, size_t len);

/* Its size without reading it. Errors: NOT_FOUND, IO. */
CN_MUST_USE cn_err cn_blocks_size(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes);

/*
 * Keep a block; `data` must match `cid` (not checked here; the maker has just hashed it). Held ones
 * and identity CIDs are not written. Durable only after the store's flush. Errors: QUOTA, NO_SPACE,
 * IO.
 */
CN_MUST_USE cn_err cn_blocks_put(cn_blocks *b, const cn_cid *cid, cn_slice data, cn_why *why);

/*
 * Keep `len` blocks, which may be faster than one by one. After an error none, some or all of them
 * are kept. Errors: those of cn_blocks_put.
 */
CN_MUST_USE cn_err
cn_blocks_put_many(cn_blocks *b, const cn_blocks_item *items, size_t len, cn_why *why);
