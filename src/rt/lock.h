/*
 * Mutual exclusion, for the few objects that several threads share (store, HTTP queues). Declared
 * here, defined in rt_os. Never held while waiting for a peer or a client.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"

typedef struct cn_lock cn_lock;
typedef struct cn_cond cn_cond;

CN_MUST_USE cn_err cn_lock_new(cn_mem *mem, cn_lock **ret);
void cn_lock_free(cn_lock *l); /* accepts NULL */
void cn_lock_take(cn_lock *l);
void cn_lock_give(cn_lock *l);

CN_MUST_USE cn_err cn_cond_new(cn_mem *mem, cn_cond **ret);
void cn_cond_free(cn_cond *c); /* accepts NULL */
/* Give the lock, sleep until woken or `timeout_ns` has passed (negative: no limit), take it again.
 */
void cn_cond_wait(cn_cond *c, cn_lock *l, int64_t timeout_ns);
void cn_cond_wake_all(cn_cond *c);
