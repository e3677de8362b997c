/*
 * A queue of batches, each one allocation. The loop takes all at once.
 */
#include "node/network_have.h"

#define WAIT_NS (100 * CN_NS_PER_MS)
enum { WAITS_MAX = 10 };

struct cn_have_batch {
    cn_have_batch *next;
    size_t len;
    cn_cid cids[];
};

cn_err cn_network_haves_init(cn_network_haves *q, cn_mem *mem, cn_net *net)
{
    *q = (cn_network_haves){.mem = mem, .net = net};
    cn_err err = cn_lock_new(mem, &q->lock);
    return err == CN_OK ? cn_cond_new(mem, &q->taken) : err;
}

static void free_batches(cn_network_haves *q, cn_have_batch *b)
{
    while (b != NULL) {
        cn_have_batch *next = b->next;
        cn_free(q->mem, b);
        b = next;
    }
}

void cn_network_haves_release(cn_network_haves *q)
{
    free_batches(q, q->first);
    cn_cond_free(q->taken);
    cn_lock_free(q->lock);
    *q = (cn_network_haves){0};
}

void cn_network_haves_put(cn_network_haves *q, const cn_cid *cids, size_t len)
{
    cn_have_batch *b = cn_alloc_dirty(q->mem, sizeof *b + len * sizeof *cids);
    if (b == NULL) {
        return;
    }
    b->next = NULL;
    b->len = len;
    cn_copy(b->cids, cids, len * sizeof *cids);
    cn_lock_take(q->lock);
    for (int i = 0; i < WAITS_MAX && q->len >= CN_HAVES_MAX && !q->is_closed; i++) {
        cn_cond_wait(q->taken, q->lock, WAIT_NS);
    }
    bool kept = q->len < CN_HAVES_MAX && !q->is_closed;
    bool was_empty = q->first == NULL;
    if (kept) {
        *(q->last == NULL ? &q->first : &q->last->next) = b;
        q->last = b;
        q->len += len;
    }
    cn_lock_give(q->lock);
    if (!kept) {
        cn_free(q->mem, b);
    } else if (was_empty) {
        cn_net_wake(q->net);
    }
}

static cn_have_batch *take_all(cn_network_haves *q, bool close)
{
    cn_lock_take(q->lock);
    cn_have_batch *all = q->first;
    q->first = NULL;
    q->last = NULL;
    q->len = 0;
    q->is_closed = q->is_closed || close;
    cn_cond_wake_all(q->taken);
    cn_lock_give(q->lock);
    return all;
}

void cn_network_haves_turn(cn_network_haves *q, cn_exchange *exchange)
{
    cn_have_batch *all = take_all(q, false);
    for (cn_have_batch *b = all; b != NULL && exchange != NULL; b = b->next) {
        exchange->ops->have(exchange, b->cids, b->len);
    }
    free_batches(q, all);
}

void cn_network_haves_close(cn_network_haves *q)
{
    free_batches(q, take_all(q, true));
}
