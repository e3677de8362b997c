/*
 * cairn-sim: run a scenario from a seed.
 *
 *   cairn-sim list
 *   cairn-sim golden NAME
 *   cairn-sim SCENARIO [--seed S] [--seeds COUNT] [--nodes N] [--faults MIX] [--trace]
 *
 * Ends with 0 if all rules held, 1 if one was broken (the seed and what happened last are printed),
 * 2 for wrong use.
 */
#include "base/num.h"
#include "sim/barter.h"
#include "sim/follow.h"
#include "sim/hosted.h"
#include "sim/scenario.h"
#include "sim/swarm.h"

#include <inttypes.h>

typedef struct sim_scenario {
    const char *name;
    const char *what;
    size_t nodes; /* unless said otherwise */
    sim_swarm swarm;
} sim_scenario;

enum { BLOCKS = 40, DAGS = 6 };

static const sim_scenario scenarios[] = {
    {"swarm",
     "hosts exchange blocks by bitswap over plaintext",
     100,
     {.program = &sim_bitswap, .blocks = BLOCKS}},
    {"swarm-noise",
     "the same over Noise",
     8,
     {.program = &sim_bitswap, .blocks = BLOCKS, .is_noise = true}},
    {"swarm-liars",
     "the first, with a fifth of them serving wrong bytes",
     30,
     {.program = &sim_bitswap, .blocks = BLOCKS, .liars = 5}},
    {"fetch",
     "hosts walk DAGs that lie on many, and begin again where a walk failed",
     30,
     {.program = &sim_fetch, .blocks = DAGS * SIM_DAG_BLOCKS, .is_linked = true}},
    {"host", "hosts connect, identify and ping over plaintext", 100, {.program = &sim_host}},
    {"host-noise", "the same over Noise", 8, {.program = &sim_host, .is_noise = true}},
    {"host-step",
     "neighbours dial each other at the same times",
     3,
     {.program = &sim_host, .is_in_step = true}},
    {"barter",
     "peers without a host exchange blocks over plaintext",
     100,
     {.program = &sim_barter, .blocks = BLOCKS}},
    {"barter-noise",
     "the same over Noise",
     8,
     {.program = &sim_barter, .blocks = BLOCKS, .is_noise = true}},
};

static int list(void)
{
    for (size_t i = 0; i < CN_LEN(scenarios); i++) {
        (void)printf("%-16s %s\n", scenarios[i].name, scenarios[i].what);
    }
    for (const char *const *name = sim_golden_names(); *name != NULL; name++) {
        (void)printf("golden %-9s two nodes, told line by line\n", *name);
    }
    return 0;
}

static int golden(const char *name)
{
    cn_buf lines = {0};
    cn_buf_init(&lines, cn_mem_default(), 1 << 20);
    cn_err err = sim_golden_run(name, &lines);
    (void)fwrite(lines.data, 1, lines.len, stdout);
    cn_buf_release(&lines);
    return err == CN_OK ? 0 : 1;
}

static int wrong(const char *sentence)
{
    (void)fprintf(
        stderr,
        "cairn-sim: %s\nusage: cairn-sim list | golden NAME | SCENARIO [--seed S] [--seeds COUNT] "
        "[--nodes N] [--faults MIX] [--trace]\n",
        sentence);
    return 2;
}

/* The options behind the scenario's name; NULL: good, else what is wrong. */
static const char *parse(char **words, sim_options *o, uint64_t *ret_seeds)
{
    static cn_why why;
    uint64_t nodes = o->nodes;
    for (; *words != NULL; words++) {
        cn_slice value = cn_str(words[0][0] == '-' ? words[1] : NULL);
        bool good = true;
        if (strcmp(*words, "--trace") == 0) {
            o->trace = stdout;
            continue;
        }
        if (strcmp(*words, "--seed") == 0) {
            good = cn_num_u64(value, &o->seed) == CN_OK;
        } else if (strcmp(*words, "--seeds") == 0) {
            good = cn_num_u64(value, ret_seeds) == CN_OK;
        } else if (strcmp(*words, "--nodes") == 0) {
            good = cn_num_u64(value, &nodes) == CN_OK && nodes >= 2 && nodes <= SIM_NODES_MAX;
        } else if (strcmp(*words, "--faults") == 0 && words[1] != NULL) {
            if (sim_plan_parse_mix(words[1], &o->mix, &why) != CN_OK) {
                return why.text;
            }
        } else {
            return "no such option";
        }
        if (!good) {
            return "a number is missing or out of range";
        }
        words++;
    }
    o->nodes = (size_t)nodes;
    return NULL;
}

static int run(const sim_scenario *s, sim_options *o, uint64_t seeds)
{
    int status = 0;
    for (uint64_t i = 0; i < seeds; i++, o->seed++) {
        sim_result result = {0};
        sim_swarm_run(&s->swarm, o, &result);
        if (result.failed.text[0] != '\0') {
            status = 1;
            (void)printf("FAILED seed %" PRIu64 ": %s\n", o->seed, result.failed.text);
        }
        (void)printf(
            "%s seed %" PRIu64 " digest %016" PRIx64 "\n", s->name, o->seed, result.digest);
        (void)fflush(stdout);
    }
    return status;
}

int main(int argc, char **argv)
{
    uint64_t seeds = 1;
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        return list();
    }
    if (argc == 3 && strcmp(argv[1], "golden") == 0) {
        return golden(argv[2]);
    }
    for (size_t i = 0; i < CN_LEN(scenarios) && argc > 1; i++) {
        sim_options o = {.seed = 1, .nodes = scenarios[i].nodes, .out = stdout};
        o.mix = SIM_MIX_ALL;
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            const char *bad = parse(argv + 2, &o, &seeds);
            return bad == NULL ? run(&scenarios[i], &o, seeds) : wrong(bad);
        }
    }
    return wrong("no such scenario");
}
