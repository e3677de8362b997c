/*
 * A peer that walks DAGs by a fetch that follows links and never waits, as the gateway does: one
 * DAG of those it wants after the other. A walk that fails half way, or is given up, is begun anew
 * after a while and goes on from what is in the store.
 *
 * Rules that are checked: a walk that ends has met every block of its DAG, and all are in the
 * store; no block is fetched that had come before.
 */
#pragma once

#include "exchange/exchange.h"
#include "sim/peer.h"

enum {
    SIM_DAG_LISTS = 5,
    SIM_DAG_LEAVES = 5,                                                  /* of a list */
    SIM_DAG_BLOCKS = SIM_DAG_LISTS * SIM_DAG_LEAVES + SIM_DAG_LISTS + 1, /* the root is the last */
};

typedef struct sim_follow sim_follow;

/* `n` has a sim_peer as setup, whose wants are whole DAGs, and `x` is its exchange. */
CN_MUST_USE cn_err sim_follow_new(sim_node *n, cn_exchange *x, sim_follow **ret);
/* Before the exchange. Accepts NULL. */
void sim_follow_free(sim_follow *f);
void sim_follow_turn(sim_follow *f, cn_time now);
cn_time sim_follow_deadline(const sim_follow *f);
/* Give up the walk that is under way; it is begun anew. */
void sim_follow_give_up(sim_follow *f);
/* DAGs that are wanted and were not walked to their end. */
size_t sim_follow_missing(const sim_follow *f);
/* A sentence if a rule is broken, else NULL. */
const char *sim_follow_check(const sim_follow *f);
