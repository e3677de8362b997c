/*
 * The fault plan of a run: what goes wrong, how often and how badly, drawn from the seed within the
 * mix that the user allows. Chances are in millionths, so that nothing depends on floating point.
 */
#pragma once

#include "base/buf.h"
#include "base/prng.h"
#include "base/time.h"
#include "base/why.h"

typedef enum sim_fault {
    SIM_FAULT_SPLIT,     /* reads and writes take less than they could */
    SIM_FAULT_LOSS,      /* a packet is lost and comes again, later */
    SIM_FAULT_REFUSE,    /* a dial is refused */
    SIM_FAULT_RESET,     /* a connection breaks */
    SIM_FAULT_CLOG,      /* one pair of nodes hears nothing of each other for a while */
    SIM_FAULT_PARTITION, /* the nodes fall into two halves for a while */
    SIM_FAULT_CRASH,     /* a process ends, or a machine goes dark, and comes back */
    SIM_FAULT_SLOW,      /* a node takes long for each turn of its loop */
    SIM_FAULT_NARROW,    /* small windows of sockets, narrow lines */
    SIM_FAULT_WHIM,      /* programs change their minds: cancel, hang up, ask again */
    SIM_FAULTS,
} sim_fault;

enum { SIM_MIX_ALL = (1 << SIM_FAULTS) - 1 };

typedef struct sim_plan {
    unsigned mix; /* 1 << sim_fault of what may happen */
    int64_t near_ns;
    int64_t far_ns; /* latency of a link, one way: near_ns to near_ns + far_ns, by place */
    int64_t jitter_ns;
    uint32_t window_bytes; /* in flight and unread, one way */
    int64_t byte_ns;       /* of a line; 8: 1 Gbit/s */
    uint32_t split_ppm;
    uint32_t loss_ppm;
    uint32_t refuse_ppm;
    uint32_t whim_ppm;            /* of a turn of a program */
    int64_t every_ns[SIM_FAULTS]; /* RESET to SLOW: mean time from one to the next; 0: never */
    int64_t lasts_ns[SIM_FAULTS]; /* CLOG to SLOW: longest */
} sim_plan;

/* "all", "none", or names with commas between: "loss,crash". Errors: USAGE. */
CN_MUST_USE cn_err sim_plan_parse_mix(const char *text, unsigned *ret, cn_why *why);
/* Quiet links without a fault, all alike: for golden traces. */
void sim_plan_calm(sim_plan *ret);
/* Draw a plan; of the faults in `mix` each is part of it with a chance of two in three. */
void sim_plan_draw(cn_prng *p, unsigned mix, sim_plan *ret);
/* Append one line that says the plan. */
CN_MUST_USE cn_err sim_plan_print(const sim_plan *plan, cn_buf *out);
