/*
 * Locks and conditions of rt/lock.h, on pthreads.
 */
#include "rt/lock.h"

#include <pthread.h>
#include <time.h>

struct cn_lock {
    pthread_mutex_t mutex;
    cn_mem *mem;
};

struct cn_cond {
    pthread_cond_t cond;
    cn_mem *mem;
};

cn_err cn_lock_new(cn_mem *mem, cn_lock **ret)
{
    cn_lock *l = cn_alloc(mem, sizeof *l);
    if (l == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    if (pthread_mutex_init(&l->mutex, NULL) != 0) {
        cn_free(mem, l);
        return CN_ERR_NO_MEMORY;
    }
    l->mem = mem;
    *ret = l;
    return CN_OK;
}

void cn_lock_free(cn_lock *l)
{
    if (l != NULL) {
        (void)pthread_mutex_destroy(&l->mutex);
        cn_free(l->mem, l);
    }
}

void cn_lock_take(cn_lock *l)
{
    CN_ASSERT(pthread_mutex_lock(&l->mutex) == 0);
}

void cn_lock_give(cn_lock *l)
{
    CN_ASSERT(pthread_mutex_unlock(&l->mutex) == 0);
}

cn_err cn_cond_new(cn_mem *mem, cn_cond **ret)
{
    pthread_condattr_t attr;
    cn_cond *c = cn_alloc(mem, sizeof *c);
    if (c == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    bool good = pthread_condattr_init(&attr) == 0;
    if (good) {
        good = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
               pthread_cond_init(&c->cond, &attr) == 0;
        (void)pthread_condattr_destroy(&attr);
    }
    if (!good) {
        cn_free(mem, c);
        return CN_ERR_NO_MEMORY;
    }
    c->mem = mem;
    *ret = c;
    return CN_OK;
}

void cn_cond_free(cn_cond *c)
{
    if (c != NULL) {
        (void)pthread_cond_destroy(&c->cond);
        cn_free(c->mem, c);
    }
}

void cn_cond_wait(cn_cond *c, cn_lock *l, int64_t timeout_ns)
{
    if (timeout_ns < 0) {
        (void)pthread_cond_wait(&c->cond, &l->mutex);
        return;
    }
    struct timespec until = {0};
    CN_ASSERT(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    int64_t ns = until.tv_nsec + timeout_ns % CN_NS_PER_S;
    until.tv_sec += timeout_ns / CN_NS_PER_S + ns / CN_NS_PER_S;
    until.tv_nsec = ns % CN_NS_PER_S;
    (void)pthread_cond_timedwait(&c->cond, &l->mutex, &until);
}

void cn_cond_wake_all(cn_cond *c)
{
    (void)pthread_cond_broadcast(&c->cond);
}
