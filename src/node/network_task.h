/*
 * The mailbox of a network: tasks that other threads wait for. Files of node only.
 */
#pragma once

#include "node/network.h"
#include "rt/lock.h"

typedef struct cn_network_tasks {
    cn_net *net;
    cn_lock *lock;
    cn_cond *ended;         /* some task has */
    cn_network_task *first; /* all that have not ended */
    atomic_bool posted;     /* there is something to look at */
    bool is_closed;
} cn_network_tasks;

CN_MUST_USE cn_err cn_network_tasks_init(cn_network_tasks *q, cn_mem *mem, cn_net *net);
void cn_network_tasks_release(cn_network_tasks *q);
/* Begin those that are new, give up those that are not wanted. */
void cn_network_tasks_turn(cn_network_tasks *q, cn_network *n);
/* End all with CLOSED, and all that come. */
void cn_network_tasks_close(cn_network_tasks *q, cn_network *n);

CN_MUST_USE cn_err
cn_network_tasks_run(cn_network_tasks *q, cn_network_task *t, const cn_network_wait *wait);
void cn_network_tasks_end(cn_network_tasks *q, cn_network_task *t, cn_err err);
