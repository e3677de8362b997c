/*
 * The thread that a daemon's network lives on: it waits for sockets, timers and other threads, and
 * gives the network its turns.
 */
#pragma once

#include "node/network.h"

typedef struct cn_loop cn_loop;

/*
 * Make the network over `node` and let it listen; no thread runs yet, so the caller may still use
 * what is the loop's (cn_network_host). Errors: those of cn_network_new and of the system's loop.
 */
CN_MUST_USE cn_err cn_loop_new(
    cn_node *node,
    const char *agent, /* borrowed */
    void (*note)(void *ctx, const char *sentence),
    void *ctx,
    cn_loop **ret,
    cn_why *why);
cn_network *cn_loop_network(cn_loop *l);

/* Run. Errors: BUSY (no thread can be had). */
CN_MUST_USE cn_err cn_loop_start(cn_loop *l, cn_why *why);
/*
 * End it: whoever waits is let go with CLOSED. Waits for the thread. The network stays until
 * cn_loop_free. Accepts NULL and one that does not run.
 */
void cn_loop_stop(cn_loop *l);
/* When no thread uses the network any more. Accepts NULL. */
void cn_loop_free(cn_loop *l);
