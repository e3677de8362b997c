/*
 * Blocks that commands have put into the store, on their way to the loop, which tells the exchange.
 * Files of node only.
 */
#pragma once

#include "exchange/exchange.h"
#include "rt/lock.h"
#include "rt/net.h"

enum { CN_HAVES_MAX = 1 << 16 }; /* CIDs under way; a writer that is faster waits a little */

typedef struct cn_have_batch cn_have_batch;

typedef struct cn_network_haves {
    cn_mem *mem;
    cn_net *net;
    cn_lock *lock;
    cn_cond *taken;
    cn_have_batch *first;
    cn_have_batch *last;
    size_t len; /* CIDs */
    bool is_closed;
} cn_network_haves;

CN_MUST_USE cn_err cn_network_haves_init(cn_network_haves *q, cn_mem *mem, cn_net *net);
void cn_network_haves_release(cn_network_haves *q);
/* Any thread. Where memory is short, or the loop does not come to it for a second, nobody is told.
 */
void cn_network_haves_put(cn_network_haves *q, const cn_cid *cids, size_t len);
/* The loop's thread: tell the exchange (nullable) of all. */
void cn_network_haves_turn(cn_network_haves *q, cn_exchange *exchange);
/* Take no more, let nobody wait. */
void cn_network_haves_close(cn_network_haves *q);
