/*
 * Threads for work. A queue under one lock; threads start when work first arrives and end with the
 * pool. Invariant: work in the queue or running has state 1, and only its waiter sees it go to 2.
 */
#include "rt_os/internal.h"

enum { IDLE = 0, PENDING = 1, DONE = 2 };

cn_err cn_pool_init(cn_pool *p, unsigned threads)
{
    *p = (cn_pool){.threads_max = threads};
    if (pthread_mutex_init(&p->lock, NULL) != 0) {
        return CN_ERR_NO_MEMORY;
    }
    if (pthread_cond_init(&p->more, NULL) != 0) {
        (void)pthread_mutex_destroy(&p->lock);
        return CN_ERR_NO_MEMORY;
    }
    if (pthread_cond_init(&p->done, NULL) != 0) {
        (void)pthread_cond_destroy(&p->more);
        (void)pthread_mutex_destroy(&p->lock);
        return CN_ERR_NO_MEMORY;
    }
    return CN_OK;
}

void cn_pool_release(cn_pool *p)
{
    (void)pthread_mutex_lock(&p->lock);
    CN_ASSERT(p->first == NULL);
    p->stopping = true;
    (void)pthread_cond_broadcast(&p->more);
    (void)pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->threads_len; i++) {
        (void)pthread_join(p->threads[i], NULL);
    }
    (void)pthread_cond_destroy(&p->more);
    (void)pthread_cond_destroy(&p->done);
    (void)pthread_mutex_destroy(&p->lock);
}

static void *serve(void *arg)
{
    cn_pool *p = arg;
    (void)pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->first == NULL && !p->stopping) {
            (void)pthread_cond_wait(&p->more, &p->lock);
        }
        if (p->first == NULL) {
            break;
        }
        cn_work *w = p->first;
        p->first = w->next;
        (void)pthread_mutex_unlock(&p->lock);
        w->run(w);
        (void)pthread_mutex_lock(&p->lock);
        atomic_store(&w->state, DONE);
        (void)pthread_cond_broadcast(&p->done);
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

unsigned cn_pool_work_threads(cn_rt *rt)
{
    return ((cn_rt_os *)rt)->pool.threads_max;
}

/* Start threads up to the number asked for; fewer will do if the system has no more to give. */
static void start_threads(cn_pool *p)
{
    while (p->threads_len < p->threads_max) {
        if (pthread_create(&p->threads[p->threads_len], NULL, serve, p) != 0) {
            break;
        }
        p->threads_len++;
    }
}

void cn_pool_work_submit(cn_rt *rt, cn_work *w)
{
    cn_pool *p = &((cn_rt_os *)rt)->pool;
    CN_ASSERT(atomic_load(&w->state) != PENDING);
    atomic_store(&w->state, PENDING);
    w->next = NULL;
    (void)pthread_mutex_lock(&p->lock);
    start_threads(p);
    if (p->threads_len == 0) {
        (void)pthread_mutex_unlock(&p->lock);
        w->run(w); /* no thread to be had: do it here */
        atomic_store(&w->state, DONE);
        return;
    }
    if (p->first == NULL) {
        p->first = w;
    } else {
        p->last->next = w;
    }
    p->last = w;
    (void)pthread_cond_signal(&p->more);
    (void)pthread_mutex_unlock(&p->lock);
}

void cn_pool_work_wait(cn_rt *rt, cn_work *w)
{
    cn_pool *p = &((cn_rt_os *)rt)->pool;
    CN_ASSERT(atomic_load(&w->state) != IDLE);
    (void)pthread_mutex_lock(&p->lock);
    while (atomic_load(&w->state) != DONE) {
        (void)pthread_cond_wait(&p->done, &p->lock);
    }
    atomic_store(&w->state, IDLE);
    (void)pthread_mutex_unlock(&p->lock);
}
