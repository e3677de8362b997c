/*
 * cn_network: what makes an open node one among peers. It composes host, transports, bitswap and
 * the fetcher as the configuration says, keeps connections to those that it names (bootstrap,
 * peering), and lets any thread have something done on the loop.
 *
 * It lives on one loop, whose owner hands it events and gives it turns; a function is called on
 * that loop's thread unless it says otherwise.
 */
#pragma once

#include "exchange/fetch/fetch.h"
#include "node/network_config.h"
#include "node/node.h"
#include "p2p/host/host.h"

typedef struct cn_network cn_network;

typedef struct cn_network_options {
    cn_node *node;     /* with its store; borrowed */
    cn_net *net;       /* the loop's; borrowed */
    cn_mem *mem;       /* for all that it holds; NULL: one with the configuration's limit */
    const char *agent; /* how identify names this program; borrowed */
    /* A sentence for people that is no error; nullable. Called within cn_network_new, and later on
     * the loop's thread: whom it turned away and cut off, and why (node/network_log.h). */
    void (*note)(void *ctx, const char *sentence);
    void *ctx;
} cn_network_options;

/*
 * Read the configuration, make all the parts and listen. On the thread that will be the loop's, or
 * before there is one. Errors: those of cn_network_config_read and of the private key (sentences
 * name the key of the configuration); IO and others when none of Addresses.Swarm can be listened
 * at; UNSUPPORTED (no libcrypto); NO_MEMORY.
 */
CN_MUST_USE cn_err cn_network_new(const cn_network_options *options, cn_network **ret, cn_why *why);
/* After cn_network_end, when no other thread uses it any more. Accepts NULL. */
void cn_network_free(cn_network *n);

/* --- the loop's side --- */

void cn_network_take(cn_network *n, const cn_net_event *event);
/* Once at the end of each turn of the loop. */
void cn_network_turn(cn_network *n, cn_time now);
cn_time cn_network_deadline(const cn_network *n);
/*
 * The loop ends: whoever waits gets CLOSED, now and later; what is known of peers is saved, all
 * connections are closed. Nothing but cn_network_free may follow on this thread.
 */
void cn_network_end(cn_network *n);

/*
 * The parts. The fetcher (NULL: Bitswap is off) may be handed to cn_fetch_open on any thread. The
 * rest is the loop's.
 */
cn_host *cn_network_host(cn_network *n);
cn_fetcher *cn_network_fetcher(cn_network *n);
struct cn_bitswap *cn_network_bitswap(cn_network *n); /* the same */
/* The name that others are told; any thread. */
const char *cn_network_agent(const cn_network *n);

/* --- from any thread --- */

/* Who waits for something to be done; all may be NULL. */
typedef struct cn_network_wait {
    cn_err (*check)(void *ctx); /* asked about every 100 ms: its error ends the wait */
    void *ctx;
} cn_network_wait;

typedef struct cn_network_task cn_network_task;

/*
 * Something to be done on the loop: put first in a struct of one's own. `run` begins it; it ends
 * with cn_network_task_end, from within `run` or later. `give_up`: the waiting thread wants it no
 * longer, or the loop ends; it must take back what `run` began, and not end the task. NULL where
 * `run` always ends it.
 */
struct cn_network_task {
    void (*run)(cn_network_task *t, cn_network *n);
    void (*give_up)(cn_network_task *t, cn_network *n);
    cn_network *owner; /* these are the network's */
    cn_network_task *next;
    cn_network_task *prev;
    int state;
    bool is_unwanted;
    cn_err err;
};

/*
 * Have `t` done and wait until it has ended: its own error, `check`'s, or CLOSED (the loop has
 * ended). The memory is the caller's again when this returns.
 */
CN_MUST_USE cn_err cn_network_run(cn_network *n, cn_network_task *t, const cn_network_wait *wait);
/* On the loop's thread, once for each task that was run and not given up. */
void cn_network_task_end(cn_network *n, cn_network_task *t, cn_err err);

/* Run `fn` on the loop's thread and wait for it, for what takes no time there. Errors: CLOSED, and
 * those of `fn`. */
CN_MUST_USE cn_err
cn_network_call(cn_network *n, cn_err (*fn)(cn_network *n, void *ctx), void *ctx);

/* Blocks came to the store by another way than the exchange (add, block put): peers who wait for
 * them are told. Copies them and returns; where memory is short nobody is told. */
void cn_network_have(cn_network *n, const cn_cid *cids, size_t len);
