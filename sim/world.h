/*
 * The virtual world that nodes run in: one clock, one queue of events in the order (time, number),
 * one source of chance that is split per node and per connection, a digest of all that happened.
 * Two runs from one seed are the same run, event for event, on every compiler.
 *
 * Nodes run the production code above rt (sim/rt_sim.h) and rt/net.h (sim/net_sim.h). A node runs
 * as a loop does: events of the network are taken in a batch, then it has its turn, then it sleeps
 * until its deadline or the next event. A turn costs virtual time.
 */
#pragma once

#include "base/buf.h"
#include "base/id.h"
#include "base/map.h"
#include "rt/net.h"
#include "sim/plan.h"

#include <stdio.h>

typedef struct sim sim;
typedef struct sim_node sim_node;
typedef struct sim_net sim_net;
typedef struct sim_disk sim_disk;
typedef struct sim_conn sim_conn;

/*
 * What a node is made of. Everything it takes comes from n->mem, so that what it held is seen to be
 * given back; n->setup is what its scenario gave it and outlives crashes.
 */
typedef struct sim_program {
    const char *name;
    cn_err (*start)(sim_node *n, void **ret_self, cn_why *why);
    void (*take)(void *self, const cn_net_event *event);
    cn_time (*deadline)(const void *self);
    void (*turn)(void *self, cn_time now);
    /* Free all. In a crash the network no longer hears what this says. */
    void (*stop)(void *self);
    /* A sentence if a rule is broken, else NULL. Asked after each turn; may be NULL. */
    const char *(*check)(const void *self);
    /* The same, asked once at the end, when it has had time to let go of all; may be NULL. */
    const char *(*check_quiet)(const void *self);
    /* How much it still waits for: 0 is what a healed world must come to. */
    size_t (*missing)(const void *self);
} sim_program;

struct sim_node {
    cn_rt rt; /* first: cast back from it */
    sim *world;
    uint32_t index;
    const sim_program *program;
    void *setup;
    void *self; /* NULL: not running */
    cn_mem mem;
    sim_net *net;
    sim_disk *disk;
    cn_work *work_first; /* submitted and not run */
    cn_work *work_last;
    cn_prng chance;  /* its entropy */
    int64_t skew_ns; /* of its calendar */
    int64_t turn_ns; /* what a turn costs; larger while it is slow */
    int64_t busy_until_ns;
    int64_t run_at_ns; /* INT64_MAX: no run is due */
    uint64_t run_seq;  /* of the run that counts */
    bool is_dark;      /* its machine is off: packets are lost */
    uint32_t half;     /* which side of a partition it is on */
    uint32_t x, y;     /* its place */
    uint64_t starts;
};

/* Done to the world at a time set with sim_after; `n` may be NULL. */
typedef void (*sim_call)(sim *w, sim_node *n, uint64_t arg);

typedef enum sim_kind {
    SIM_RUN,  /* a node has its turn */
    SIM_WIRE, /* what is first in a connection's direction arrives */
    SIM_CALL,
    SIM_NAME, /* a query is answered */
    SIM_WORK, /* a piece of work of a node is done */
} sim_kind;

typedef struct sim_event {
    int64_t at_ns;
    uint64_t seq;
    sim_kind kind;
    uint32_t node; /* UINT32_MAX: none */
    cn_id id;
    uint64_t arg;
    sim_call call;
} sim_event;

/* A name that cn_net_resolve finds. */
typedef struct sim_name {
    const char *name;
    cn_net_query query; /* IP4, IP6 or TXT */
    cn_endpoint ip;
    const char *text;
} sim_name;

typedef struct sim_record {
    int64_t at_ns;
    uint32_t node;
    const char *what;
    uint64_t number;
    size_t len;
} sim_record;

enum {
    SIM_RING = 64,
    SIM_NODES_MAX = 10000,
    SIM_EVENTS_MAX = 1 << 22,
    SIM_CLOGS_MAX = 1 << 16,
    SIM_TURN_NS = 5000
};

struct sim {
    cn_mem mem;
    uint64_t seed;
    sim_plan plan;
    bool is_faulty; /* the phase: faults happen, or the world is healed */
    cn_time now;
    uint64_t seq;
    uint64_t events;
    uint64_t digest;
    cn_prng chance;
    sim_event *heap;
    size_t heap_len;
    size_t heap_cap;
    sim_node **nodes;
    size_t nodes_len;
    size_t nodes_cap;
    cn_slots conns;
    uint64_t conns_made;
    int64_t parted_until_ns;
    cn_map clogs; /* pair of nodes to the time until which it is clogged */
    const sim_name *names;
    size_t names_len;
    sim_record ring[SIM_RING];
    size_t ring_len; /* ever noted */
    FILE *trace;     /* NULL: none */
    cn_buf script;   /* the lines of sim_say, if is_scripted */
    bool is_scripted;
    /* Told of each packet that arrives; NULL: nobody. */
    void (*overhear)(void *ctx, uint32_t from, const sim_conn *c, unsigned way, cn_slice bytes);
    void *overhear_ctx;
    cn_why failed; /* empty: all is well */
};

/* A world that has no nodes yet. Ends the program if out of memory, as all of sim/ does. */
sim *sim_new(uint64_t seed, const sim_plan *plan);
/* Stops the nodes that run. Accepts NULL. */
void sim_free(sim *w);

/* A node; its program is started by sim_start. `mem_max_bytes` 0: no limit. */
sim_node *sim_add(sim *w, const sim_program *program, void *setup, size_t mem_max_bytes);
/* Start it, again after a crash: what its disk kept is there. An error of its program fails w. */
void sim_start(sim_node *n);
/* Let it end in order. */
void sim_stop(sim_node *n);
/*
 * It ends at once: its connections are reset, or with `is_dark` just silent until it is started
 * again. Its disk loses what was not synced.
 */
void sim_crash(sim_node *n, bool is_dark);

/* See that `n` has a turn at `at_ns`, or when it is not busy any more. */
void sim_wake(sim_node *n, int64_t at_ns);
void sim_after(sim *w, int64_t ns, sim_call call, sim_node *n, uint64_t arg);
void sim_post(sim *w, sim_event event);

/* Go on until `until`, or nothing is to come, or a rule was broken (false). */
bool sim_run(sim *w, cn_time until);
/* Begin to do the plan's faults to the world; and end them and all that they left behind. */
void sim_begin_faults(sim *w);
void sim_heal(sim *w);

/* Something happened: into digest and trace. `what` lasts. */
void sim_note(sim *w, uint32_t node, const char *what, uint64_t number, cn_slice bytes);
/* A line of a golden trace: time, node, text. */
void sim_say(sim_node *n, const char *format, ...) CN_PRINTF(2, 3);
/* A rule was broken: the run ends. The first sentence counts. */
void sim_fail(sim *w, const char *format, ...) CN_PRINTF(2, 3);
/* Print the last events to `out`. */
void sim_print_ring(const sim *w, FILE *out);
/* The digest of all that happened and of the chance that is left. */
uint64_t sim_digest(const sim *w);

/* Until when nothing gets from `a` to `b`; 0: it does. */
int64_t sim_blocked_until(const sim *w, const sim_node *a, const sim_node *b);
/* The latency of the link from `a` to `b`, one way, by their places. */
int64_t sim_latency(const sim *w, const sim_node *a, const sim_node *b);

/* A node's addresses: 45.I.I.1 and fd00::I; and the node that has an address, or NULL. */
cn_endpoint sim_address(const sim_node *n, bool is_ip6, uint16_t port);
sim_node *sim_node_at(const sim *w, const sim_node *from, const cn_endpoint *at);

static inline bool sim_chance(cn_prng *p, uint32_t ppm)
{
    return ppm > 0 && cn_prng_below(p, 1000000) < ppm;
}

/* Out of memory, or a mistake of the simulator itself: ends the program. */
static inline void sim_must(cn_err err)
{
    CN_ASSERT(err == CN_OK);
}
