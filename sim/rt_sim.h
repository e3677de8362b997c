/*
 * rt for a node of the simulator: the world's clock, a calendar with a skew of its own, entropy
 * from the node's generator, files of its disk. Work runs a little later, on the only thread there
 * is, between two turns of its node: or at once where it is waited for.
 */
#pragma once

#include "rt/rt.h"

/* A sim_node begins with its cn_rt. */
extern const cn_rt_ops sim_rt_ops;

typedef struct sim_node sim_node;

/* Run the first piece of work that waits, if there is one. */
void sim_work(sim_node *n);
