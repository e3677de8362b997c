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

/*
 * Golden traces: two nodes on a quiet link, and the lines that their talk gives, appended to `out`.
 * Names are those of tests/sim/golden/NAME.txt.
 */
const char *const *sim_golden_names(void); /* ended by NULL */
CN_MUST_USE cn_err sim_golden_run(const char *name, cn_buf *out);
