/*
 * Swarms: any program whose setup is a sim_peer, in two phases. While faults happen only safety is
 * asked for; then the world is healed and every peer must get all that it wants, in a time of the
 * world's clock. At the end nothing may be open, charged or on its way.
 */
#pragma once

#include "sim/peer.h"
#include "sim/scenario.h"

typedef struct sim_swarm {
    const sim_program *program;
    bool is_noise;
    bool is_in_step; /* all begin, and dial again, at the same times; neighbours dial each other */
    bool is_linked;  /* the blocks are DAGs of SIM_DAG_BLOCKS each */
    size_t blocks;   /* in the world; each lies on one to three peers at first */
    size_t liars;    /* one of so many peers sends wrong bytes for all that it has; 0: none */
} sim_swarm;

void sim_swarm_run(const sim_swarm *swarm, const sim_options *options, sim_result *ret);
