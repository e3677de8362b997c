/*
 * rt for a node of the simulator: the world's clock, a calendar with a skew of its own, entropy
 * from the node's generator, files of its disk. Work runs at once, on the only thread there is, and
 * keeps the node busy for a while of virtual time.
 */
#pragma once

#include "rt/rt.h"

/* A sim_node begins with its cn_rt. */
extern const cn_rt_ops sim_rt_ops;
