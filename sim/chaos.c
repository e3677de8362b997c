/*
 * What happens to the world by its plan, and where nodes are. Each fault sets the time of the next
 * of its kind; healing lets them run out and undoes what they left.
 */
#include "sim/net_sim.h"

enum { SLOW_MAX_NS = 50 * 1000000 };

cn_endpoint sim_address(const sim_node *n, bool is_ip6, uint16_t port)
{
    cn_endpoint e = {.is_ip6 = is_ip6, .port = port};
    uint8_t high = (uint8_t)(n->index >> 8);
    uint8_t low = (uint8_t)n->index;
    if (is_ip6) {
        e.ip[0] = 0xfd;
        e.ip[14] = high;
        e.ip[15] = low;
    } else {
        uint8_t ip[4] = {45, high, low, 1};
        cn_copy(e.ip, ip, sizeof(ip));
    }
    return e;
}

sim_node *sim_node_at(const sim *w, const sim_node *from, const cn_endpoint *at)
{
    uint32_t index =
        at->is_ip6 ? (uint32_t)at->ip[14] << 8 | at->ip[15] : (uint32_t)at->ip[1] << 8 | at->ip[2];
    if (!at->is_ip6 && at->ip[0] == 127) {
        return w->nodes[from->index];
    }
    sim_node *n = index < w->nodes_len ? w->nodes[index] : NULL;
    cn_endpoint its = n == NULL ? (cn_endpoint){0} : sim_address(n, at->is_ip6, at->port);
    its.zone = at->zone;
    return n != NULL && cn_endpoint_eq(&its, at) ? n : NULL;
}

int64_t sim_latency(const sim *w, const sim_node *a, const sim_node *b)
{
    int64_t x = a->x > b->x ? a->x - b->x : b->x - a->x;
    int64_t y = a->y > b->y ? a->y - b->y : b->y - a->y;
    return a == b ? 20000 : w->plan.near_ns + w->plan.far_ns / 2000 * (x + y);
}

static cn_slice pair_key(const sim_node *a, const sim_node *b, uint32_t to[2])
{
    to[0] = CN_MIN(a->index, b->index);
    to[1] = CN_MAX(a->index, b->index);
    return cn_slice_of(to, 2 * sizeof(to[0]));
}

int64_t sim_blocked_until(const sim *w, const sim_node *a, const sim_node *b)
{
    uint32_t key[2];
    int64_t until = a->half != b->half && w->parted_until_ns > w->now.ns ? w->parted_until_ns : 0;
    const int64_t *clog = w->clogs.len == 0 ? NULL : cn_map_get(&w->clogs, pair_key(a, b, key));
    int64_t clogged = clog != NULL && *clog > w->now.ns ? *clog : 0;
    return CN_MAX(until, clogged);
}

static sim_node *any_node(sim *w)
{
    return w->nodes[cn_prng_below(&w->chance, w->nodes_len)];
}

static int64_t any_while(sim *w, sim_fault fault)
{
    return 1 + (int64_t)cn_prng_below(&w->chance, (uint64_t)w->plan.lasts_ns[fault]);
}

static void come_back(sim *w, sim_node *n, uint64_t arg)
{
    CN_UNUSED(w);
    CN_UNUSED(arg);
    if (n->self == NULL) {
        sim_start(n);
    }
}

static void be_fast(sim *w, sim_node *n, uint64_t arg)
{
    CN_UNUSED(w);
    CN_UNUSED(arg);
    n->turn_ns = SIM_TURN_NS;
}

static void clog_pair(sim *w)
{
    uint32_t key[2];
    const sim_node *a = any_node(w);
    const sim_node *b = any_node(w);
    void *until = NULL;
    if (cn_map_put(&w->clogs, pair_key(a, b, key), &until, NULL) == CN_OK) {
        *(int64_t *)until = w->now.ns + any_while(w, SIM_FAULT_CLOG);
    }
}

static void part(sim *w)
{
    for (size_t i = 0; i < w->nodes_len; i++) {
        w->nodes[i]->half = cn_prng_u32(&w->chance) & 1;
    }
    w->parted_until_ns = w->now.ns + any_while(w, SIM_FAULT_PARTITION);
}

static void crash(sim *w)
{
    sim_node *n = any_node(w);
    if (n->self != NULL) {
        sim_crash(n, cn_prng_below(&w->chance, 2) == 0);
        sim_after(w, any_while(w, SIM_FAULT_CRASH), come_back, n, 0);
    }
}

static void strike(sim *w, sim_node *n, uint64_t arg)
{
    sim_fault fault = (sim_fault)arg;
    if (!w->is_faulty) {
        return;
    }
    sim_note(w, UINT32_MAX, "fault", arg, (cn_slice){0});
    if (fault == SIM_FAULT_RESET) {
        sim_net_reset_any(w);
    } else if (fault == SIM_FAULT_CLOG) {
        clog_pair(w);
    } else if (fault == SIM_FAULT_PARTITION) {
        part(w);
    } else if (fault == SIM_FAULT_CRASH) {
        crash(w);
    } else {
        n = any_node(w);
        n->turn_ns = SIM_TURN_NS + (int64_t)cn_prng_below(&w->chance, SLOW_MAX_NS);
        sim_after(w, any_while(w, SIM_FAULT_SLOW), be_fast, n, 0);
    }
    uint64_t mean = (uint64_t)w->plan.every_ns[fault];
    sim_after(w, 1 + (int64_t)cn_prng_below(&w->chance, 2 * mean), strike, NULL, arg);
}

void sim_begin_faults(sim *w)
{
    w->is_faulty = true;
    for (sim_fault i = SIM_FAULT_RESET; i <= SIM_FAULT_SLOW; i++) {
        if (w->plan.every_ns[i] > 0) {
            uint64_t mean = (uint64_t)w->plan.every_ns[i];
            sim_after(w, (int64_t)cn_prng_below(&w->chance, 2 * mean), strike, NULL, i);
        }
    }
}

void sim_heal(sim *w)
{
    sim_note(w, UINT32_MAX, "heal", 0, (cn_slice){0});
    w->is_faulty = false;
    w->parted_until_ns = 0;
    cn_map_release(&w->clogs);
    cn_map_init(&w->clogs, &w->mem, sizeof(int64_t), SIM_CLOGS_MAX, 0);
    for (size_t i = 0; i < w->nodes_len; i++) {
        w->nodes[i]->turn_ns = SIM_TURN_NS;
        come_back(w, w->nodes[i], 0);
    }
}
