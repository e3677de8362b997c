/*
 * Tasks lie in one list from the moment they are posted until they have ended. State and list are
 * under the lock; `run` and `give_up` are called without it, by the loop's thread alone, so a task
 * that is there stays there meanwhile. Its waiter leaves only when it has ended.
 */
#include "node/network_task.h"

enum { POSTED, RUNNING, ENDED };

#define ASK_EVERY_NS (100 * CN_NS_PER_MS)

cn_err cn_network_tasks_init(cn_network_tasks *q, cn_mem *mem, cn_net *net)
{
    *q = (cn_network_tasks){.net = net};
    cn_err err = cn_lock_new(mem, &q->lock);
    return err == CN_OK ? cn_cond_new(mem, &q->ended) : err;
}

void cn_network_tasks_release(cn_network_tasks *q)
{
    cn_cond_free(q->ended);
    cn_lock_free(q->lock);
    *q = (cn_network_tasks){0};
}

/* Under the lock. */
static void take_out(cn_network_tasks *q, cn_network_task *t, cn_err err)
{
    if (t->prev == NULL) {
        q->first = t->next;
    } else {
        t->prev->next = t->next;
    }
    if (t->next != NULL) {
        t->next->prev = t->prev;
    }
    t->err = err;
    t->state = ENDED;
    cn_cond_wake_all(q->ended);
}

void cn_network_tasks_end(cn_network_tasks *q, cn_network_task *t, cn_err err)
{
    cn_lock_take(q->lock);
    CN_ASSERT(t->state == RUNNING);
    take_out(q, t, err);
    cn_lock_give(q->lock);
}

/* The next one that the loop has something to do with. */
static cn_network_task *pick(cn_network_tasks *q)
{
    cn_network_task *t = q->first;
    while (t != NULL && t->state == RUNNING && !t->is_unwanted) {
        t = t->next;
    }
    return t;
}

static void give_up(cn_network_tasks *q, cn_network *n, cn_network_task *t, cn_err err)
{
    if (t->state == RUNNING && t->give_up != NULL) {
        t->give_up(t, n);
    }
    cn_lock_take(q->lock);
    take_out(q, t, err);
    cn_lock_give(q->lock);
}

void cn_network_tasks_turn(cn_network_tasks *q, cn_network *n)
{
    while (atomic_exchange(&q->posted, false)) {
        for (;;) {
            cn_lock_take(q->lock);
            cn_network_task *t = pick(q);
            bool is_new = t != NULL && t->state == POSTED && !t->is_unwanted;
            if (is_new) {
                t->state = RUNNING;
            }
            cn_lock_give(q->lock);
            if (t == NULL) {
                break;
            }
            if (is_new) {
                t->owner = n;
                t->run(t, n);
            } else {
                give_up(q, n, t, CN_ERR_CANCELLED);
            }
        }
    }
}

void cn_network_tasks_close(cn_network_tasks *q, cn_network *n)
{
    for (;;) {
        cn_lock_take(q->lock);
        q->is_closed = true;
        cn_network_task *t = q->first;
        cn_lock_give(q->lock);
        if (t == NULL) {
            return;
        }
        give_up(q, n, t, CN_ERR_CLOSED);
    }
}

/* Have the loop look here. */
static void post(cn_network_tasks *q)
{
    atomic_store(&q->posted, true);
    cn_net_wake(q->net);
}

cn_err cn_network_tasks_run(cn_network_tasks *q, cn_network_task *t, const cn_network_wait *wait)
{
    cn_err checked = CN_OK;
    cn_lock_take(q->lock);
    if (q->is_closed) {
        cn_lock_give(q->lock);
        return CN_ERR_CLOSED;
    }
    t->state = POSTED;
    t->is_unwanted = false;
    t->prev = NULL;
    t->next = q->first;
    if (q->first != NULL) {
        q->first->prev = t;
    }
    q->first = t;
    post(q);
    while (t->state != ENDED) {
        cn_cond_wait(q->ended, q->lock, ASK_EVERY_NS);
        if (t->state == ENDED || checked != CN_OK || wait == NULL || wait->check == NULL) {
            continue;
        }
        cn_lock_give(q->lock);
        checked = wait->check(wait->ctx);
        cn_lock_take(q->lock);
        if (checked != CN_OK) {
            t->is_unwanted = true;
            post(q);
        }
    }
    cn_err err = t->err == CN_ERR_CANCELLED && checked != CN_OK ? checked : t->err;
    cn_lock_give(q->lock);
    return err;
}
