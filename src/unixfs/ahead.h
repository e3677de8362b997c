/*
 * The driver that reads ahead: like cn_drive, it answers a pull machine's wants from a cn_blocks,
 * but what the machine announces beside the block that it needs now is on its way meanwhile. All
 * that reads the bytes of files goes through it: `cat`, `get`, the gateway, the readers of the API.
 *
 * What is announced is told to the source in order (cn_blocks_expect), so that one that asks peers
 * has many blocks in flight; and the nearest of it is fetched by the workers, several blocks at
 * once, as far as it is here (cn_blocks_get_many never waits for a peer). The block that is needed
 * now and is not here is got on the caller's thread. So no worker ever waits, and a driver has no
 * thread of its own.
 *
 * A machine that announces nothing costs no more than with cn_drive: memory for reading ahead is
 * taken with the first announcement, at most CN_AHEAD_BATCHES * CN_AHEAD_BATCH blocks.
 */
#pragma once

#include "ipld/pull.h"
#include "rt/rt.h"

enum {
    CN_AHEAD_BATCH = 4,   /* blocks that one worker takes at once */
    CN_AHEAD_BATCHES = 3, /* one being used, two on the way */
};

typedef struct cn_ahead_options {
    cn_rt *rt;
    cn_mem *mem;
    cn_blocks *blocks;          /* must outlive the driver */
    size_t block_max_bytes;     /* larger blocks are TOO_LARGE; 0: CN_DRIVE_BLOCK_MAX_BYTES */
    cn_err (*check)(void *ctx); /* asked before each block; its error ends the step. NULL: none */
    void *ctx;
} cn_ahead_options;

typedef struct cn_ahead_batch cn_ahead_batch;

typedef struct cn_ahead {
    cn_ahead_options options;
    cn_ahead_batch *batches; /* NULL until something was announced */
    const cn_ahead_batch
        *lent; /* the batch whose block the machine may still look at; NULL: none */
    size_t lent_at;
    cn_cid told;  /* the last CID that the source was told to expect */
    cn_buf plain; /* the block that was got on the caller's thread */
} cn_ahead;

/* Takes no memory yet. */
void cn_ahead_init(cn_ahead *a, const cn_ahead_options *options);
/* Waits for the workers, which do not wait for peers. Accepts a zeroed driver. */
void cn_ahead_release(cn_ahead *a);

/*
 * The machine's next step that is not a WANT. What it points at stays until the next call on the
 * driver. One machine at a time; what was read ahead for one may serve the next.
 *
 * Errors: those of the machine, of `check` and of cn_blocks_get, with its sentence. After BUSY (a
 * source that does not wait, and has not got the block yet) and after an error of `check` the want
 * is still open: the same call may be made again. After all others the machine must be released.
 */
CN_MUST_USE cn_err cn_ahead_next(cn_ahead *a, cn_pull_machine *m, cn_pull *ret, cn_why *why);

/* Is this block read ahead, or about to be, and not yet given to the machine? */
bool cn_ahead_has(const cn_ahead *a, const cn_cid *cid);
