/*
 * Scenarios: what cairn-sim can run by name. One makes a world from a seed, lets it run and says
 * whether its rules held. To add one, write a file with its run function and name it in main.c.
 */
#pragma once

#include "sim/world.h"

typedef struct sim_options {
    uint64_t seed;
    size_t nodes;
    unsigned mix; /* faults that may be part of the plan */
    FILE *trace;  /* NULL: none */
    FILE *out;    /* what is said about the run; NULL: nothing */
} sim_options;

typedef struct sim_result {
    uint64_t digest;
    uint64_t events;
    cn_why failed; /* empty: the rules held */
} sim_result;

typedef struct sim_scenario {
    const char *name;
    const char *what;
    size_t nodes; /* unless said otherwise */
    void (*run)(const sim_options *options, sim_result *ret);
} sim_scenario;

/*
 * Golden traces: two nodes on a quiet link, and the lines that their talk gives, appended to `out`.
 * Names are those of tests/sim/golden/NAME.txt.
 */
const char *const *sim_golden_names(void); /* ended by NULL */
CN_MUST_USE cn_err sim_golden_run(const char *name, cn_buf *out);

/* Peers without a host exchange blocks over plaintext, or over Noise. */
void sim_swarm_barter(const sim_options *options, sim_result *ret);
void sim_swarm_barter_noise(const sim_options *options, sim_result *ret);
/* Hosts connect, identify and ping; and exchange blocks by bitswap. */
void sim_swarm_host(const sim_options *options, sim_result *ret);
void sim_swarm_host_noise(const sim_options *options, sim_result *ret);
void sim_swarm_bitswap(const sim_options *options, sim_result *ret);
void sim_swarm_bitswap_noise(const sim_options *options, sim_result *ret);
/* A fifth of the peers serve wrong bytes. */
void sim_swarm_liars(const sim_options *options, sim_result *ret);
