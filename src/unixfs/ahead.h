/*
 * A driver that reads ahead: like cn_drive, it answers a pull machine's wants from a cn_blocks, but
 * the blocks that the machine announces beside the one it needs now are read and verified on the
 * workers meanwhile, several at once. For reading files and walking DAGs at full speed; a machine
 * that announces nothing costs no more than with cn_drive.
 *
 * Memory: at most CN_AHEAD_BATCHES * CN_AHEAD_BATCH blocks.
 */
#pragma once

#include "ipld/pull.h"
#include "rt/rt.h"

enum {
    CN_AHEAD_BATCH = 4,   /* blocks that one worker takes at once */
    CN_AHEAD_BATCHES = 3, /* one being used, two on the way */
};

typedef struct cn_ahead_batch {
    cn_work work; /* first: cast back from it */
    cn_blocks *blocks;
    size_t len;
    bool running; /* submitted, not waited for yet */
    cn_cid cids[CN_AHEAD_BATCH];
    cn_buf bufs[CN_AHEAD_BATCH];
    cn_err errs[CN_AHEAD_BATCH];
    bool used[CN_AHEAD_BATCH]; /* given to the machine */
} cn_ahead_batch;

typedef struct cn_ahead {
    cn_rt *rt;
    cn_drive drive;             /* for what was not read ahead */
    const cn_ahead_batch *lent; /* the batch whose block the machine may still look at */
    cn_ahead_batch batches[CN_AHEAD_BATCHES];
} cn_ahead;

/* Blocks larger than `block_max_bytes` are TOO_LARGE. `blocks` must outlive the driver. */
void cn_ahead_init(cn_ahead *a, cn_rt *rt, cn_mem *mem, cn_blocks *blocks, size_t block_max_bytes);
/* Waits for what is on the way. Accepts a zeroed driver. */
void cn_ahead_release(cn_ahead *a);

/* As cn_drive_next. One machine at a time. */
CN_MUST_USE cn_err cn_ahead_next(cn_ahead *a, cn_pull_machine *m, cn_pull *ret, cn_why *why);
