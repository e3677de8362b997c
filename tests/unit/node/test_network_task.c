/*
 * Work that threads hand to a loop: done, ended later, given up, closed; many threads at once. And
 * the queue of blocks that were put.
 */
#include "lib/test.h"
#include "node/network_have.h"
#include "node/network_task.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 200 };

static cn_rt *rt;

/* A loop of its own thread; the network itself is never looked at by the mailbox. */
typedef struct world {
    cn_net *net;
    cn_network_tasks tasks;
    cn_network_haves haves;
    cn_exchange exchange;
    cn_network_task *kept; /* a task to be ended later */
    size_t told;           /* CIDs that the exchange was told of */
    atomic_bool stop;
    pthread_t thread;
} world;

static world *w; /* of the running test */

static void ignore(void *ctx, const cn_net_event *event)
{
    CN_UNUSED(ctx);
    CN_UNUSED(event);
}

static void *run_loop(void *ctx)
{
    CN_UNUSED(ctx);
    while (!atomic_load(&w->stop)) {
        cn_time soon = cn_time_after(cn_rt_now(rt), 20 * CN_NS_PER_MS);
        (void)!cn_rt_os_net_poll(w->net, soon, ignore, NULL);
        cn_network_tasks_turn(&w->tasks, NULL);
        cn_network_haves_turn(&w->haves, &w->exchange);
    }
    cn_network_haves_close(&w->haves);
    cn_network_tasks_close(&w->tasks, NULL);
    return NULL;
}

static void count_haves(cn_exchange *x, const cn_cid *cids, size_t len)
{
    CN_UNUSED(cids);
    CHECK(x == &w->exchange);
    w->told += len;
}

static const cn_exchange_ops exchange_ops = {.have = count_haves};

static void start(void)
{
    w = cn_alloc(cn_mem_default(), sizeof *w);
    w->exchange.ops = &exchange_ops;
    CHECK_OK(cn_rt_os_net_new(rt, cn_mem_default(), 16, &w->net, NULL));
    CHECK_OK(cn_network_tasks_init(&w->tasks, cn_mem_default(), w->net));
    CHECK_OK(cn_network_haves_init(&w->haves, cn_mem_default(), w->net));
    CHECK_EQ(pthread_create(&w->thread, NULL, run_loop, NULL), 0);
}

static void stop(void)
{
    atomic_store(&w->stop, true);
    cn_net_wake(w->net);
    (void)pthread_join(w->thread, NULL);
}

static void release(void)
{
    cn_network_tasks_release(&w->tasks);
    cn_network_haves_release(&w->haves);
    cn_rt_os_net_free(w->net);
    cn_free(cn_mem_default(), w);
}

typedef struct job {
    cn_network_task task;
    cn_err result;
    atomic_int ran;
    int given_up;
} job;

static void end_now(cn_network_task *t, cn_network *n)
{
    job *j = (job *)t;
    CN_UNUSED(n);
    (void)atomic_fetch_add(&j->ran, 1);
    cn_network_tasks_end(&w->tasks, t, j->result);
}

static void keep(cn_network_task *t, cn_network *n)
{
    CN_UNUSED(n);
    (void)atomic_fetch_add(&((job *)t)->ran, 1);
}

static void give_up(cn_network_task *t, cn_network *n)
{
    CN_UNUSED(n);
    ((job *)t)->given_up++;
}

static void a_task_is_run_and_says_how_it_went(void)
{
    start();
    for (int i = 0; i < 3; i++) {
        job j = {.task = {.run = end_now}, .result = i == 1 ? CN_ERR_NOT_FOUND : CN_OK};
        CHECK_ERR(cn_network_tasks_run(&w->tasks, &j.task, NULL), j.result);
        CHECK_EQ(atomic_load(&j.ran), 1);
    }
    stop();
    job late = {.task = {.run = end_now}};
    CHECK_ERR(cn_network_tasks_run(&w->tasks, &late.task, NULL), CN_ERR_CLOSED);
    CHECK_EQ(atomic_load(&late.ran), 0);
    release();
}

static cn_err say_timeout(void *ctx)
{
    CN_UNUSED(ctx);
    return CN_ERR_TIMEOUT;
}

static void who_waits_no_longer_gives_up(void)
{
    const cn_network_wait wait = {.check = say_timeout};
    job j = {.task = {.run = keep, .give_up = give_up}};
    start();
    CHECK_ERR(cn_network_tasks_run(&w->tasks, &j.task, &wait), CN_ERR_TIMEOUT);
    CHECK_EQ(atomic_load(&j.ran), 1);
    CHECK_EQ(j.given_up, 1);
    stop();
    release();
}

static void *stop_later(void *ctx)
{
    const job *j = ctx;
    while (atomic_load(&j->ran) == 0) {
        cn_net_wake(w->net);
    }
    atomic_store(&w->stop, true);
    cn_net_wake(w->net);
    return NULL;
}

static void the_end_of_the_loop_lets_all_go(void)
{
    pthread_t other;
    job *j = cn_alloc(cn_mem_default(), sizeof *j);
    j->task = (cn_network_task){.run = keep, .give_up = give_up};
    start();
    CHECK_EQ(pthread_create(&other, NULL, stop_later, j), 0);
    CHECK_ERR(cn_network_tasks_run(&w->tasks, &j->task, NULL), CN_ERR_CLOSED);
    CHECK_EQ(j->given_up, 1);
    (void)pthread_join(other, NULL);
    (void)pthread_join(w->thread, NULL);
    cn_free(cn_mem_default(), j);
    release();
}

static void *run_many(void *ctx)
{
    atomic_int *good = ctx;
    const cn_network_wait hasty = {.check = say_timeout};
    for (int i = 0; i < ROUNDS; i++) {
        job j = {.task = {.run = end_now, .give_up = give_up}};
        cn_err err = cn_network_tasks_run(&w->tasks, &j.task, i % 2 == 0 ? NULL : &hasty);
        (void)atomic_fetch_add(good, err == CN_OK || (i % 2 == 1 && err == CN_ERR_TIMEOUT));
    }
    return NULL;
}

static void many_threads_at_once(void)
{
    pthread_t threads[THREADS];
    atomic_int good = 0;
    start();
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, run_many, &good), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    CHECK_EQ(atomic_load(&good), THREADS * ROUNDS);
    stop();
    release();
}

static void what_was_put_is_told(void)
{
    enum { TOGETHER = 50 };
    cn_cid cids[TOGETHER] = {{0}};
    start();
    for (int i = 0; i < 2000; i++) { /* more than may be under way: the loop keeps up */
        cn_network_haves_put(&w->haves, cids, CN_LEN(cids));
    }
    job j = {.task = {.run = end_now}}; /* when it has run, a turn is over */
    CHECK_OK(cn_network_tasks_run(&w->tasks, &j.task, NULL));
    CHECK_OK(cn_network_tasks_run(&w->tasks, &j.task, NULL));
    stop();
    CHECK_EQ(w->told, 2000 * CN_LEN(cids));
    cn_network_haves_put(&w->haves, cids, CN_LEN(cids)); /* nobody takes it any more */
    CHECK_EQ(w->haves.len, 0);
    release();
}

static void a_stuck_loop_makes_nobody_wait_for_ever(void)
{
    cn_cid *cids = cn_alloc_array(cn_mem_default(), 1 << 12, sizeof *cids);
    cn_network_haves q = {0};
    cn_net *net = NULL;
    CHECK_OK(cn_rt_os_net_new(rt, cn_mem_default(), 16, &net, NULL));
    CHECK_OK(cn_network_haves_init(&q, cn_mem_default(), net));
    for (int i = 0; i < 16; i++) {
        cn_network_haves_put(&q, cids, 1 << 12);
    }
    CHECK_EQ(q.len, CN_HAVES_MAX);
    cn_network_haves_put(&q, cids, 1); /* a second, then it is left out */
    CHECK_EQ(q.len, CN_HAVES_MAX);
    cn_network_haves_close(&q);
    cn_network_haves_release(&q);
    cn_rt_os_net_free(net);
    cn_free(cn_mem_default(), cids);
}

int main(void)
{
    CHECK_OK(cn_rt_os_new(0, &rt));
    TEST(a_task_is_run_and_says_how_it_went);
    TEST(who_waits_no_longer_gives_up);
    TEST(the_end_of_the_loop_lets_all_go);
    TEST(many_threads_at_once);
    TEST(what_was_put_is_told);
    TEST(a_stuck_loop_makes_nobody_wait_for_ever);
    cn_rt_os_free(rt);
    return test_end();
}
