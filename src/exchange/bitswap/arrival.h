/*
 * The way of blocks from a message to the store: hashed by workers, several at once; matched on the
 * loop with what is wanted; put into the store by a worker, several at once; then told. Where the
 * disk is slow the way fills up, is_full says so, and the owner lets senders wait.
 */
#pragma once

#include "base/id.h"
#include "base/time.h"
#include "exchange/bitswap/message.h"
#include "ipld/blocks.h"
#include "rt/rt.h"

typedef struct cn_arrival cn_arrival;

typedef struct cn_arrival_options {
    cn_mem *mem;
    cn_rt *rt;
    cn_blocks *blocks;
    size_t max_bytes; /* of messages on the way, beyond which it is full */
    void *ctx;
    /* On a worker: come and call turn. */
    void (*wake)(void *ctx);
    /* Is the block wanted that came from `peer`? `cid` NULL: no CID can be made of its prefix. */
    bool (*match)(void *ctx, cn_id peer, const cn_cid *cid, size_t bytes);
    /* It is in the store. `block` is borrowed for the call. */
    void (*stored)(void *ctx, const cn_cid *cid, cn_slice block);
    void (*failed)(void *ctx, const cn_cid *cid, cn_err err, const char *sentence);
} cn_arrival_options;

CN_MUST_USE cn_err cn_arrival_new(const cn_arrival_options *options, cn_arrival **ret);
/* Waits for the workers; nothing more is told. Accepts NULL. */
void cn_arrival_free(cn_arrival *a);

/*
 * Take the blocks of message `m`, whose bytes are those of `bytes`: its memory is taken and it is
 * left empty. `peer` is named to match. Errors: NO_MEMORY; then `bytes` is untouched.
 */
CN_MUST_USE cn_err
cn_arrival_give(cn_arrival *a, cn_id peer, cn_buf *bytes, const cn_message *m, cn_time now);
/* Go on with what workers have done, and give them more. All callbacks but wake come from here. */
void cn_arrival_turn(cn_arrival *a, cn_time now);
/* When turn wants to be called, whatever workers do: a block waits for others to be hashed with. */
cn_time cn_arrival_deadline(const cn_arrival *a);
/* More than max_bytes are on the way. */
bool cn_arrival_is_full(const cn_arrival *a);
size_t cn_arrival_held_bytes(const cn_arrival *a);
