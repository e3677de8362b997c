/*
 * Pull machines: how a DAG is walked without doing I/O. A machine (path resolver, file reader,
 * directory lister, DAG walker) is asked for its next step; a step is either something for the
 * caller (bytes, a span, an entry), the end, or a want: the block that is needed now, and hints of
 * those needed soon. Whoever drives it gets the block from wherever blocks come from - the store, a
 * peer, a table in a test - and gives it.
 *
 *     loop:  cn_pull_next  -> WANT   get wants[0], then cn_pull_give
 *                          -> DATA, SPAN, ENTRY   use it
 *                          -> END
 *
 * Each machine has its cn_pull_machine as first member `pull`, so the functions below take any of
 * them, and so does the driver. After an error a machine must only be released.
 */
#pragma once

#include "ipld/blocks.h"

enum {
    CN_PULL_AHEAD = 32,       /* most wants that are announced at once */
    CN_PULL_DEPTH_MAX = 8192, /* most blocks open above each other; deeper is TOO_DEEP */
};

typedef enum cn_pull_kind {
    CN_PULL_END,
    CN_PULL_WANT,
    CN_PULL_DATA,
    CN_PULL_SPAN,
    CN_PULL_ENTRY,
} cn_pull_kind;

/*
 * One step. All that is pointed at is the machine's, or borrowed from the block given last, and
 * stays until the next call on the machine.
 */
typedef struct cn_pull {
    cn_pull_kind kind;
    const cn_cid *wants; /* WANT: [0] is needed now, the others probably next */
    size_t wants_len;    /* WANT: 1 to the machine's `ahead` */
    cn_slice data;       /* DATA: the bytes, at least one */
    cn_cid span_cid;     /* SPAN: a raw block, of which bytes are to be sent unseen */
    uint64_t span_offset;
    uint64_t span_len;
    uint64_t span_block_bytes; /* what the block's size must be; the taker checks it */
    const void *entry;         /* ENTRY: a struct that the machine's header names */
} cn_pull;

typedef struct cn_pull_machine cn_pull_machine;

typedef struct cn_pull_ops {
    cn_err (*next)(cn_pull_machine *m, cn_pull *ret, cn_why *why);
    cn_err (*give)(cn_pull_machine *m, cn_slice block, cn_why *why);
    cn_err (*fail)(cn_pull_machine *m, cn_err err, const cn_why *why); /* NULL: cannot go on */
} cn_pull_ops;

struct cn_pull_machine {
    const cn_pull_ops *ops;
    const cn_cid *wanted; /* NULL unless a want is open */
};

/* For machines: how many wants to announce, from what was asked for: 1 to CN_PULL_AHEAD. */
static inline size_t cn_pull_ahead(size_t asked)
{
    return CN_MIN(CN_MAX(asked, 1), (size_t)CN_PULL_AHEAD);
}

/* For machines: `err` with the sentence "CID: what", which blames the block `cid`. */
CN_MUST_USE cn_err cn_pull_blame(const cn_cid *cid, cn_err err, const char *what, cn_why *why);

/*
 * The next step. While a want is open it is the same WANT again. Errors are the machine's; `why`
 * (nullable) says what is wrong with which block.
 */
CN_MUST_USE cn_err cn_pull_next(cn_pull_machine *m, cn_pull *ret, cn_why *why);

/*
 * Answer the open want with the bytes of `cid`, whose hash has been checked. `block` is borrowed
 * and must stay until the machine's next WANT or END. Errors: USAGE (not the block wanted), those
 * of the machine.
 */
CN_MUST_USE cn_err cn_pull_give(cn_pull_machine *m, const cn_cid *cid, cn_slice block, cn_why *why);

/*
 * Answer the open want with an error. CN_OK if the machine goes on without that block, else `err`.
 * `why` (nullable) is the sentence that came with it.
 */
CN_MUST_USE cn_err cn_pull_fail(cn_pull_machine *m, cn_err err, const cn_why *why);

/*
 * A driver over a cn_blocks: answers all wants from there, one block at a time.
 */
typedef struct cn_drive {
    cn_blocks *blocks;
    cn_buf block;
} cn_drive;

/* Blocks larger than `block_max_bytes` are TOO_LARGE. `blocks` must outlive the driver. */
void cn_drive_init(cn_drive *d, cn_mem *mem, cn_blocks *blocks, size_t block_max_bytes);
void cn_drive_release(cn_drive *d);

/*
 * The machine's next step that is not a WANT. What it points at stays until the next call for this
 * machine or another one driven by `d`. Errors: those of the machine and of cn_blocks_get. After
 * BUSY (a source that does not wait) the want is still open: the same call may be made again.
 */
CN_MUST_USE cn_err cn_drive_next(cn_drive *d, cn_pull_machine *m, cn_pull *ret, cn_why *why);

enum {
    CN_DRIVE_BLOCK_MAX_BYTES = 64 << 20
}; /* a store may hold larger blocks than are exchanged */
