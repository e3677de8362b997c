/*
 * Clock, queue, digest, and the life of nodes. A node has at most one run that counts; one that was
 * replaced by an earlier one is passed over by its number. The queue is a binary heap.
 */
#include "sim/world.h"

#include "sim/disk.h"
#include "sim/net_sim.h"
#include "sim/rt_sim.h"

#include <inttypes.h>
#include <stdlib.h>

enum { BATCH = 128, SCRIPT_MAX_BYTES = 1 << 20 };

static bool is_before(const sim_event *a, const sim_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->seq < b->seq;
}

void sim_post(sim *w, sim_event event)
{
    sim_must(cn_array_grow(
        &w->mem, (void **)&w->heap, &w->heap_cap, w->heap_len, SIM_EVENTS_MAX, sizeof(event)));
    CN_ASSERT(event.at_ns >= w->now.ns);
    event.seq = ++w->seq;
    size_t at = w->heap_len++;
    while (at > 0 && is_before(&event, &w->heap[(at - 1) / 2])) {
        w->heap[at] = w->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    w->heap[at] = event;
}

static sim_event pop(sim *w)
{
    sim_event first = w->heap[0];
    sim_event last = w->heap[--w->heap_len];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= w->heap_len) {
            break;
        }
        if (child + 1 < w->heap_len && is_before(&w->heap[child + 1], &w->heap[child])) {
            child++;
        }
        if (!is_before(&w->heap[child], &last)) {
            break;
        }
        w->heap[at] = w->heap[child];
        at = child;
    }
    w->heap[at] = last;
    return first;
}

void sim_after(sim *w, int64_t ns, sim_call call, sim_node *n, uint64_t arg)
{
    sim_post(
        w, (sim_event){
               .at_ns = cn_time_after(w->now, ns).ns,
               .kind = SIM_CALL,
               .node = n == NULL ? UINT32_MAX : n->index,
               .arg = arg,
               .call = call,
           });
}

sim *sim_new(uint64_t seed, const sim_plan *plan)
{
    sim *w = cn_alloc(cn_mem_default(), sizeof(*w));
    CN_ASSERT(w != NULL);
    *w = (sim){.seed = seed, .plan = *plan};
    cn_mem_init(&w->mem, 0);
    cn_prng_init(&w->chance, seed);
    cn_slots_init(&w->conns, &w->mem, 1 << 20);
    cn_buf_init(&w->script, &w->mem, SCRIPT_MAX_BYTES);
    cn_map_init(&w->clogs, &w->mem, sizeof(int64_t), SIM_CLOGS_MAX, 0);
    return w;
}

void sim_free(sim *w)
{
    if (w == NULL) {
        return;
    }
    for (size_t i = 0; i < w->nodes_len; i++) {
        sim_node *n = w->nodes[i];
        if (n->self != NULL) {
            sim_stop(n);
        }
        sim_net_free(n->net);
        sim_disk_free(n->disk);
        cn_free(&w->mem, n);
    }
    sim_net_drop_conns(w);
    cn_slots_release(&w->conns);
    cn_map_release(&w->clogs);
    cn_free(&w->mem, w->nodes);
    cn_free(&w->mem, w->heap);
    cn_buf_release(&w->script);
    CN_ASSERT(w->mem.used_bytes == 0);
    cn_free(cn_mem_default(), w);
}

sim_node *sim_add(sim *w, const sim_program *program, void *setup, size_t mem_max_bytes)
{
    sim_must(cn_array_grow(
        &w->mem, (void **)&w->nodes, &w->nodes_cap, w->nodes_len, SIM_NODES_MAX,
        sizeof(*w->nodes)));
    sim_node *n = cn_alloc(&w->mem, sizeof(*n));
    CN_ASSERT(n != NULL);
    *n = (sim_node){
        .rt = {&sim_rt_ops},
        .world = w,
        .index = (uint32_t)w->nodes_len,
        .program = program,
        .setup = setup,
        .turn_ns = SIM_TURN_NS,
        .run_at_ns = INT64_MAX,
    };
    cn_mem_init(&n->mem, mem_max_bytes);
    cn_prng_init(&n->chance, cn_prng_u64(&w->chance));
    n->x = (uint32_t)cn_prng_below(&w->chance, 1000);
    n->y = (uint32_t)cn_prng_below(&w->chance, 1000);
    n->skew_ns = (int64_t)cn_prng_below(&w->chance, 10 * (uint64_t)CN_NS_PER_S);
    n->disk = sim_disk_new(&w->mem);
    n->net = sim_net_new(n);
    w->nodes[w->nodes_len++] = n;
    return n;
}

void sim_start(sim_node *n)
{
    cn_why why = {{0}};
    CN_ASSERT(n->self == NULL);
    n->is_dark = false;
    n->starts++;
    sim_note(n->world, n->index, "start", n->starts, (cn_slice){0});
    cn_err err = n->program->start(n, &n->self, &why);
    if (err != CN_OK) {
        sim_fail(n->world, "node %u does not start: %s", n->index, cn_why_text(&why, err));
        return;
    }
    sim_wake(n, n->world->now.ns);
}

/* The program is gone; what it held must be, too. */
static void end(sim_node *n)
{
    n->program->stop(n->self);
    n->self = NULL;
    n->run_at_ns = INT64_MAX;
    CN_ASSERT(n->work_first == NULL);
    sim_net_end(n->net);
    size_t held = n->mem.used_bytes;
    if (held != 0) {
        sim_fail(n->world, "node %u held %zu bytes when it had ended", n->index, held);
    }
}

void sim_stop(sim_node *n)
{
    sim_note(n->world, n->index, "stop", 0, (cn_slice){0});
    end(n);
}

void sim_crash(sim_node *n, bool is_dark)
{
    sim_note(n->world, n->index, is_dark ? "dark" : "crash", 0, (cn_slice){0});
    sim_net_cut(n->net, is_dark);
    n->is_dark = is_dark;
    end(n);
    sim_disk_crash(n->disk, &n->chance, is_dark);
}

void sim_wake(sim_node *n, int64_t at_ns)
{
    at_ns = CN_MAX(at_ns, CN_MAX(n->busy_until_ns, n->world->now.ns));
    if (n->self == NULL || n->run_at_ns <= at_ns) {
        return;
    }
    n->run_at_ns = at_ns;
    sim_post(n->world, (sim_event){.at_ns = at_ns, .kind = SIM_RUN, .node = n->index});
    n->run_seq = n->world->seq;
}

static void run_node(sim_node *n, uint64_t seq)
{
    sim *w = n->world;
    if (n->self == NULL || n->run_seq != seq || n->run_at_ns == INT64_MAX) {
        return;
    }
    n->run_at_ns = INT64_MAX;
    n->busy_until_ns = w->now.ns + n->turn_ns;
    sim_note(w, n->index, "run", 0, (cn_slice){0});
    sim_net_poll(n->net, BATCH, n->program->take, n->self);
    n->program->turn(n->self, w->now);
    const char *broken = n->program->check == NULL ? NULL : n->program->check(n->self);
    if (broken != NULL) {
        sim_fail(w, "node %u: %s", n->index, broken);
    }
    if (sim_net_has_ready(n->net)) {
        sim_wake(n, w->now.ns);
    }
    cn_time deadline = n->program->deadline(n->self);
    if (deadline.ns != CN_TIME_NEVER.ns) {
        sim_wake(n, deadline.ns);
    }
}

static void step(sim *w)
{
    sim_event e = pop(w);
    sim_node *n = e.node == UINT32_MAX ? NULL : w->nodes[e.node];
    w->now.ns = e.at_ns;
    w->events++;
    switch (e.kind) {
    case SIM_RUN:
        run_node(n, e.seq);
        break;
    case SIM_WIRE:
        sim_net_arrive(w, e.id, (unsigned)e.arg);
        break;
    case SIM_CALL:
        e.call(w, n, e.arg);
        break;
    case SIM_NAME:
        sim_net_named(n->net, e.id);
        break;
    case SIM_WORK:
        sim_work(n);
        break;
    }
}

bool sim_run(sim *w, cn_time until)
{
    while (w->failed.text[0] == '\0' && w->heap_len > 0 && w->heap[0].at_ns <= until.ns) {
        step(w);
    }
    if (w->failed.text[0] == '\0' && until.ns != CN_TIME_NEVER.ns) {
        w->now = until;
    }
    return w->failed.text[0] == '\0';
}

static uint64_t mix(uint64_t digest, uint64_t value)
{
    digest = (digest ^ value) * 0x9e3779b97f4a7c15u;
    return digest ^ digest >> 29;
}

static uint64_t mix_bytes(uint64_t digest, cn_slice bytes)
{
    while (bytes.len >= 8) {
        uint64_t value = 0;
        cn_copy(&value, bytes.data, 8);
        digest = mix(digest, value);
        bytes = cn_slice_skip(bytes, 8);
    }
    for (size_t i = 0; i < bytes.len; i++) {
        digest = mix(digest, bytes.data[i]);
    }
    return digest;
}

static void print_record(const sim_record *r, FILE *out)
{
    (void)fprintf(
        out, "%6lld.%06lld node %d %s %" PRIu64 " %zu\n", (long long)(r->at_ns / CN_NS_PER_S),
        (long long)(r->at_ns / 1000 % 1000000), (int)r->node, r->what, r->number, r->len);
}

void sim_note(sim *w, uint32_t node, const char *what, uint64_t number, cn_slice bytes)
{
    w->digest = mix(w->digest, (uint64_t)w->now.ns);
    w->digest = mix(w->digest, (uint64_t)node << 32 | (uint32_t)bytes.len);
    w->digest = mix(mix_bytes(w->digest, cn_str(what)), number);
    w->digest = mix_bytes(w->digest, bytes);
    sim_record r = {w->now.ns, node, what, number, bytes.len};
    if (w->trace != NULL) {
        print_record(&r, w->trace);
    }
    w->ring[w->ring_len++ % SIM_RING] = r;
}

void sim_print_ring(const sim *w, FILE *out)
{
    for (size_t i = w->ring_len < SIM_RING ? 0 : w->ring_len - SIM_RING; i < w->ring_len; i++) {
        print_record(&w->ring[i % SIM_RING], out);
    }
}

void sim_say(sim_node *n, const char *format, ...)
{
    sim *w = n->world;
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sim_note(w, n->index, "said", 0, cn_str(text));
    if (w->is_scripted) {
        sim_must(cn_buf_printf(
            &w->script, "%5lld.%03lld %c  %s\n", (long long)(w->now.ns / CN_NS_PER_MS),
            (long long)(w->now.ns / 1000 % 1000), 'A' + (int)(n->index % 26), text));
    }
    if (w->trace != NULL) {
        (void)fprintf(w->trace, "               node %u says %s\n", n->index, text);
    }
}

void sim_fail(sim *w, const char *format, ...)
{
    va_list args;
    if (w->failed.text[0] != '\0') {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(w->failed.text, sizeof(w->failed.text), format, args);
    va_end(args);
}

uint64_t sim_digest(const sim *w)
{
    uint64_t digest = mix(mix(w->digest, w->chance.state), w->events);
    for (size_t i = 0; i < w->nodes_len; i++) {
        digest = mix(digest, w->nodes[i]->chance.state);
    }
    return digest;
}
