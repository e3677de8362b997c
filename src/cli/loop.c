/*
 * One turn: wait until something happens or is due, hand the events over, let the network work.
 */
#include "cli/loop.h"

#include "rt_os/net.h"

#include <pthread.h>

struct cn_loop {
    cn_mem *mem;
    cn_rt *rt;
    cn_node *node;
    cn_net *net;
    cn_network *network;
    pthread_t thread;
    bool is_running;
    atomic_bool stopping;
};

cn_err cn_loop_new(
    cn_node *node,
    const char *agent,
    void (*note)(void *ctx, const char *sentence),
    void *ctx,
    cn_loop **ret,
    cn_why *why)
{
    cn_mem *mem = cn_node_mem(node);
    cn_err err = CN_OK;
    cn_network_options options = {.node = node, .agent = agent, .note = note, .ctx = ctx};
    cn_loop *l = cn_alloc(mem, sizeof *l);
    if (l == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    l->mem = mem;
    l->rt = cn_node_rt(node);
    l->node = node;
    CN_TRY(cn_rt_os_net_new(l->rt, mem, CN_NETWORK_SOCKETS_MAX, &l->net, why));
    options.net = l->net;
    CN_TRY(cn_network_new(&options, &l->network, why));
    *ret = l;
    l = NULL;
out:
    cn_loop_free(l);
    return err;
}

cn_network *cn_loop_network(cn_loop *l)
{
    return l->network;
}

static void take(void *ctx, const cn_net_event *event)
{
    cn_network_take(((cn_loop *)ctx)->network, event);
}

static void *run(void *ctx)
{
    cn_loop *l = ctx;
    while (!atomic_load(&l->stopping)) {
        /* what poll cannot do now (no memory, no descriptors) it does next time */
        (void)!cn_rt_os_net_poll(l->net, cn_network_deadline(l->network), take, l);
        cn_network_turn(l->network, cn_rt_now(l->rt));
    }
    cn_network_end(l->network);
    return NULL;
}

cn_err cn_loop_start(cn_loop *l, cn_why *why)
{
    if (pthread_create(&l->thread, NULL, run, l) != 0) {
        return cn_why_set(why, CN_ERR_BUSY, "cannot start a thread for the network");
    }
    l->is_running = true;
    return CN_OK;
}

void cn_loop_stop(cn_loop *l)
{
    if (l != NULL && l->is_running) {
        atomic_store(&l->stopping, true);
        cn_net_wake(l->net);
        (void)pthread_join(l->thread, NULL);
        l->is_running = false;
    }
}

void cn_loop_free(cn_loop *l)
{
    if (l == NULL) {
        return;
    }
    cn_loop_stop(l);
    cn_network_free(l->network);
    cn_rt_os_net_free(l->net);
    cn_free(l->mem, l);
}
