/*
 * All of a run's choices (plan, neighbours, blocks, who holds them) come from the seed.
 */
#include "sim/swarm.h"

#include "sim/follow.h"
#include "sim/net_sim.h"

#include <inttypes.h>

enum {
    FAULTY_S = 60,
    HEALED_S = 600, /* for all to get everything; the longest fault lasts 60 s, a time-out 60 s */
    QUIET_S = 130,
    NEIGHBOURS = 3,
    HOLDERS_MAX = 3,
    WAVES = 6,
    NODE_MEM_BYTES = 256 << 20,
    SMALL_BYTES = 16 << 10,
    LARGE_BYTES = 600 << 10,
};

typedef struct run {
    const sim_swarm *swarm;
    const sim_options *options;
    sim *w;
    sim_peer *peers;
    cn_cid *cids;
} run;

/* Peers that tell the truth; the liars come behind them and are nobody's only link. */
static size_t honest(const run *r)
{
    size_t nodes = r->options->nodes;
    return r->swarm->liars == 0 ? nodes : nodes - nodes / r->swarm->liars;
}

/* A block of the world, on some of those that tell the truth. */
static void place(run *r, size_t i, uint64_t codec, cn_slice data)
{
    size_t holders = 1 + (size_t)cn_prng_below(&r->w->chance, HOLDERS_MAX);
    while (holders-- > 0) {
        sim_peer *p = &r->peers[cn_prng_below(&r->w->chance, honest(r))];
        r->cids[i] = sim_shelf_add(&p->shelf, codec, data);
    }
}

static void make_block(run *r, size_t i)
{
    sim *w = r->w;
    bool is_large = cn_prng_below(&w->chance, 20) == 0;
    size_t len = 1 + (size_t)cn_prng_below(&w->chance, is_large ? LARGE_BYTES : SMALL_BYTES);
    uint8_t *data = cn_alloc_dirty(&w->mem, len);
    CN_ASSERT(data != NULL);
    for (size_t at = 0; at < len; at++) {
        data[at] = (uint8_t)cn_prng_u32(&w->chance);
    }
    place(r, i, CN_CODEC_RAW, cn_slice_of(data, len));
    cn_free(&w->mem, data);
}

/* A block in DAG-CBOR: a list of `len` links (fewer than 24), `step` apart. */
static void make_list(run *r, size_t i, size_t first, size_t len, size_t step)
{
    cn_buf list = {0};
    cn_buf_init(&list, &r->w->mem, 4096);
    sim_must(cn_buf_byte(&list, (uint8_t)(0x80 | len)));
    for (size_t k = 0; k < len; k++) {
        const cn_cid *cid = &r->cids[first + k * step];
        const uint8_t head[] = {0xd8, 0x2a, 0x58, (uint8_t)(cid->len + 1), 0};
        sim_must(cn_buf_append(&list, cn_slice_of(head, sizeof(head))));
        sim_must(cn_buf_append(&list, cn_slice_of(cid->bytes, cid->len)));
    }
    place(r, i, CN_CODEC_DAG_CBOR, cn_buf_slice(&list));
    cn_buf_release(&list);
}

/* Each list behind its leaves, the root behind all lists. */
static void make_dag(run *r, size_t first)
{
    enum { EACH = SIM_DAG_LEAVES + 1 };
    for (size_t l = 0; l < SIM_DAG_LISTS; l++) {
        for (size_t k = 0; k < SIM_DAG_LEAVES; k++) {
            make_block(r, first + l * EACH + k);
        }
        make_list(r, first + l * EACH + SIM_DAG_LEAVES, first + l * EACH, SIM_DAG_LEAVES, 1);
    }
    make_list(r, first + SIM_DAG_LISTS * EACH, first + SIM_DAG_LEAVES, SIM_DAG_LISTS, EACH);
}

static bool has_neighbour(const sim_peer *p, uint32_t other)
{
    for (size_t j = 0; j < p->neighbours_len; j++) {
        if (p->neighbours[j] == other) {
            return true;
        }
    }
    return false;
}

/* Each peer after the first has an earlier one as neighbour, so that all hang together. */
static void make_neighbours(run *r, size_t i)
{
    sim_peer *p = &r->peers[i];
    for (size_t k = 0; k < NEIGHBOURS && i > 0; k++) {
        size_t bound = k == 0 ? i : r->options->nodes;
        uint32_t other = (uint32_t)cn_prng_below(&r->w->chance, bound);
        if (other != i && !has_neighbour(p, other)) {
            p->neighbours[p->neighbours_len++] = other;
        }
    }
}

/* Whom one keeps to keeps to it too. */
static void make_mutual(run *r)
{
    for (uint32_t i = 0; i < r->options->nodes; i++) {
        for (size_t k = 0; k < r->peers[i].neighbours_len; k++) {
            sim_peer *other = &r->peers[r->peers[i].neighbours[k]];
            if (other->neighbours_len < SIM_NEIGHBOURS_MAX && !has_neighbour(other, i)) {
                other->neighbours[other->neighbours_len++] = i;
            }
        }
    }
}

static void start_one(sim *w, sim_node *n, uint64_t arg)
{
    CN_UNUSED(w);
    CN_UNUSED(arg);
    if (n->self == NULL) { /* else it was healed before its time */
        sim_start(n);
    }
}

/* Everybody wants more: `arg` blocks of all. The last wave comes just before the world is healed.
 */
static void want_more(sim *w, sim_node *n, uint64_t arg)
{
    CN_UNUSED(n);
    for (size_t i = 0; i < w->nodes_len; i++) {
        sim_peer *p = w->nodes[i]->setup;
        p->wants_len = (size_t)arg;
        sim_wake(w->nodes[i], w->now.ns);
    }
}

static void make_blocks(run *r)
{
    if (r->swarm->is_linked) {
        for (size_t i = 0; i < r->swarm->blocks; i += SIM_DAG_BLOCKS) {
            make_dag(r, i);
        }
        return;
    }
    for (size_t i = 0; i < r->swarm->blocks; i++) {
        make_block(r, i);
    }
}

static void populate(run *r)
{
    sim *w = r->w;
    for (size_t i = 0; i < r->options->nodes; i++) {
        sim_peer *p = &r->peers[i];
        sim_peer_init(p, w);
        p->is_noise = r->swarm->is_noise;
        p->is_in_step = r->swarm->is_in_step;
        p->shelf.is_lying = i >= honest(r);
        make_neighbours(r, i);
    }
    if (r->swarm->is_in_step) {
        make_mutual(r);
    }
    make_blocks(r);
    for (size_t i = 0; i < r->options->nodes; i++) {
        r->peers[i].wants = r->cids;
        sim_node *n = sim_add(w, r->swarm->program, &r->peers[i], NODE_MEM_BYTES);
        int64_t later_ns = (int64_t)cn_prng_below(&w->chance, CN_NS_PER_S);
        sim_after(w, r->swarm->is_in_step ? 0 : later_ns, start_one, n, 0);
    }
    for (uint64_t wave = 1; wave <= WAVES; wave++) {
        int64_t at_ns = (FAULTY_S - 1) * CN_NS_PER_S / WAVES * (int64_t)wave;
        sim_after(w, at_ns, want_more, NULL, r->swarm->blocks * wave / WAVES);
    }
}

static size_t missing(const run *r)
{
    size_t sum = 0;
    for (size_t i = 0; i < honest(r); i++) {
        const sim_node *n = r->w->nodes[i];
        sum += n->self == NULL ? 1 : n->program->missing(n->self);
    }
    return sum;
}

/* Who lacks which block, and who has it: for the one who looks for the cause. */
static void say_missing(const run *r)
{
    for (size_t i = 0; r->options->out != NULL && i < r->options->nodes; i++) {
        const sim_peer *p = &r->peers[i];
        const sim_node *n = r->w->nodes[i];
        (void)fprintf(
            r->options->out, "node %zu misses %zu things\n", i,
            n->self == NULL ? 1 : n->program->missing(n->self));
        for (size_t k = 0; k < p->wants_len; k++) {
            if (sim_shelf_has(&p->shelf, &p->wants[k])) {
                continue;
            }
            (void)fprintf(r->options->out, "node %zu lacks block %zu, which lies on", i, k);
            for (size_t j = 0; j < r->options->nodes; j++) {
                if (sim_shelf_has(&r->peers[j].shelf, &p->wants[k])) {
                    (void)fprintf(r->options->out, " %zu", j);
                }
            }
            (void)fprintf(r->options->out, "\n");
        }
        for (size_t k = 0; k < p->neighbours_len; k++) {
            (void)fprintf(r->options->out, "node %zu keeps to %u\n", i, p->neighbours[k]);
        }
    }
}

/* Healed: everything must arrive. */
static void progress(run *r)
{
    cn_time limit = cn_time_after(r->w->now, HEALED_S * CN_NS_PER_S);
    sim_heal(r->w);
    while (missing(r) > 0 && sim_run(r->w, cn_time_after(r->w->now, CN_NS_PER_S))) {
        if (r->w->now.ns >= limit.ns) {
            sim_fail(
                r->w, "%zu things are missing %d s after the world was healed", missing(r),
                HEALED_S);
            say_missing(r);
        }
    }
}

/* Nobody asks any more: after a while nobody holds anything either. */
static void fall_quiet(run *r)
{
    sim *w = r->w;
    for (size_t i = 0; i < r->options->nodes; i++) {
        r->peers[i].is_quiet = true;
    }
    if (!sim_run(w, cn_time_after(w->now, QUIET_S * CN_NS_PER_S))) {
        return;
    }
    for (size_t i = 0; i < w->nodes_len; i++) {
        const sim_program *program = w->nodes[i]->program;
        const char *broken =
            program->check_quiet == NULL ? NULL : program->check_quiet(w->nodes[i]->self);
        if (broken != NULL) {
            sim_fail(w, "node %zu: %s", i, broken);
        }
    }
    for (size_t i = 0; i < w->nodes_len; i++) {
        sim_stop(w->nodes[i]);
    }
    if (sim_run(w, CN_TIME_NEVER) && w->conns.len > 0) {
        sim_fail(w, "%zu connections are left when all nodes have stopped", w->conns.len);
    }
}

static void report(const run *r, int64_t healed_ns, const sim_result *result)
{
    uint64_t fetched = 0;
    uint64_t wrong = 0;
    uint64_t downs = 0;
    uint64_t starts = 0;
    size_t peak = 0;
    for (size_t i = 0; i < r->options->nodes; i++) {
        fetched += r->peers[i].fetched;
        wrong += r->peers[i].wrong;
        downs += r->peers[i].downs;
        starts += r->w->nodes[i]->starts;
        peak = CN_MAX(peak, r->w->nodes[i]->mem.peak_bytes);
    }
    (void)fprintf(
        r->options->out,
        "%" PRIu64 " events, %lld ms of the world (%lld healed), %" PRIu64
        " blocks fetched, %" PRIu64 " wrong, %" PRIu64 " connections lost, %" PRIu64
        " starts, %zu KiB held at most by a node\n",
        result->events, (long long)(r->w->now.ns / CN_NS_PER_MS),
        (long long)(healed_ns / CN_NS_PER_MS), fetched, wrong, downs, starts, peak >> 10);
    if (result->failed.text[0] != '\0') {
        sim_print_ring(r->w, r->options->out);
    }
}

static void say_plan(const sim_options *o, const sim_plan *plan)
{
    cn_buf line = {0};
    const char *text = "";
    cn_buf_init(&line, cn_mem_default(), 4096);
    sim_must(sim_plan_print(plan, &line));
    sim_must(cn_buf_cstr(&line, &text));
    (void)fprintf(o->out, "seed %" PRIu64 ", %zu nodes: %s\n", o->seed, o->nodes, text);
    cn_buf_release(&line);
}

void sim_swarm_run(const sim_swarm *swarm, const sim_options *options, sim_result *ret)
{
    cn_prng chance = {0};
    sim_plan plan = {0};
    cn_prng_init(&chance, options->seed);
    sim_plan_draw(&chance, options->mix, &plan);
    if (options->out != NULL) {
        say_plan(options, &plan);
    }
    run r = {.swarm = swarm, .options = options, .w = sim_new(options->seed, &plan)};
    r.w->trace = options->trace;
    r.peers = cn_alloc_array(&r.w->mem, options->nodes, sizeof(*r.peers));
    r.cids = cn_alloc_array(&r.w->mem, swarm->blocks, sizeof(*r.cids));
    CN_ASSERT(r.peers != NULL && r.cids != NULL);
    populate(&r);
    sim_begin_faults(r.w);
    (void)sim_run(r.w, (cn_time){FAULTY_S * CN_NS_PER_S});
    int64_t healed_ns = r.w->now.ns;
    progress(&r);
    healed_ns = r.w->now.ns - healed_ns;
    fall_quiet(&r);
    *ret = (sim_result){.digest = sim_digest(r.w), .events = r.w->events, .failed = r.w->failed};
    if (options->out != NULL) {
        report(&r, healed_ns, ret);
    }
    for (size_t i = 0; i < options->nodes; i++) {
        sim_peer_release(&r.peers[i]);
    }
    cn_free(&r.w->mem, r.peers);
    cn_free(&r.w->mem, r.cids);
    sim_free(r.w);
}
