/*
 * Two tables count connections by prefix; a key is the family and the bytes of the prefix. A third
 * holds the buckets, each as the one moment at which it will be full again: what lies in the past
 * is as good as not there, so the table can be cleaned without changing an answer.
 *
 * Invariant: what an address or a network counts is the number of held, counted passes of it.
 */
#include "p2p/host/gate.h"

enum {
    TOTAL_MAX = 1024,
    PENDING_MAX = 128,
    ADDRESS_MAX = 8,
    NETWORK_MAX = 64,
    BURST = 16,
    ALL_BURST = 256,
    BUCKETS_MAX = 8192,
    KEY_BYTES = 8,
    IP4_ADDRESS_BYTES = 4,
    IP4_NETWORK_BYTES = 3,
    IP6_ADDRESS_BYTES = 7, /* /56 */
    IP6_NETWORK_BYTES = 6, /* /48 */
};

static const int64_t REFILL_NS = 5 * CN_NS_PER_S;
static const int64_t ALL_REFILL_NS = 5 * CN_NS_PER_MS;

static size_t or_default(size_t value, size_t otherwise)
{
    return value == 0 ? otherwise : value;
}

void cn_gate_init(cn_gate *g, cn_mem *mem, const cn_gate_limits *limits)
{
    *g = (cn_gate){.limits = limits == NULL ? (cn_gate_limits){0} : *limits};
    cn_gate_limits *l = &g->limits;
    l->total_max = or_default(l->total_max, TOTAL_MAX);
    l->inbound_max = or_default(l->inbound_max, l->total_max);
    l->pending_max = or_default(l->pending_max, PENDING_MAX);
    l->address_max = or_default(l->address_max, ADDRESS_MAX);
    l->network_max = or_default(l->network_max, NETWORK_MAX);
    l->burst = or_default(l->burst, BURST);
    l->refill_ns = l->refill_ns == 0 ? REFILL_NS : l->refill_ns;
    l->all_burst = or_default(l->all_burst, ALL_BURST);
    l->all_refill_ns = l->all_refill_ns == 0 ? ALL_REFILL_NS : l->all_refill_ns;
    g->all_full_at = INT64_MIN;
    CN_ASSERT(l->refill_ns > 0 && l->burst <= (size_t)(INT64_MAX / l->refill_ns));
    cn_map_init(&g->addresses, mem, sizeof(size_t), l->total_max, l->seed);
    cn_map_init(&g->networks, mem, sizeof(size_t), l->total_max, l->seed);
    cn_map_init(&g->buckets, mem, sizeof(int64_t), BUCKETS_MAX, l->seed);
}

void cn_gate_release(cn_gate *g)
{
    cn_map_release(&g->addresses);
    cn_map_release(&g->networks);
    cn_map_release(&g->buckets);
}

/* --- addresses --- */

/* The IP address that stands first, an IPv4 one in IPv6's clothes as IPv4; empty if none does. */
static cn_slice ip_of(cn_slice address)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    cn_slice ip = cn_multiaddr_ip(address);
    return cn_slice_starts(ip, cn_slice_of(mapped, sizeof(mapped)))
               ? cn_slice_skip(ip, sizeof(mapped))
               : ip;
}

static bool is_in(const cn_ip_range *ranges, size_t len, cn_slice ip)
{
    for (size_t i = 0; ip.len > 0 && i < len; i++) {
        if (cn_ip_range_has(&ranges[i], ip)) {
            return true;
        }
    }
    return false;
}

bool cn_gate_denies(const cn_gate *g, cn_slice address)
{
    return is_in(g->limits.deny, g->limits.deny_len, ip_of(address));
}

static bool has_limits(const cn_gate *g, cn_slice remote, cn_slice ip)
{
    return ip.len > 0 && !cn_multiaddr_is_relayed(remote) &&
           cn_multiaddr_scope_of(remote) != CN_SCOPE_LOOPBACK &&
           !is_in(g->limits.allow, g->limits.allow_len, ip);
}

static void set_keys(cn_gate_pass *pass, cn_slice ip)
{
    bool is_ip4 = ip.len == IP4_ADDRESS_BYTES;
    pass->address[0] = is_ip4 ? 4 : 6;
    pass->network[0] = pass->address[0];
    cn_copy(pass->address + 1, ip.data, is_ip4 ? IP4_ADDRESS_BYTES : IP6_ADDRESS_BYTES);
    cn_copy(pass->network + 1, ip.data, is_ip4 ? IP4_NETWORK_BYTES : IP6_NETWORK_BYTES);
}

/* --- counts --- */

static size_t count_of(const cn_map *m, const uint8_t key[KEY_BYTES])
{
    const size_t *count = cn_map_get(m, cn_slice_of(key, KEY_BYTES));
    return count == NULL ? 0 : *count;
}

static cn_err count_up(cn_map *m, const uint8_t key[KEY_BYTES])
{
    void *count = NULL;
    cn_err err = cn_map_put(m, cn_slice_of(key, KEY_BYTES), &count, NULL);
    if (err == CN_OK) {
        ++*(size_t *)count;
    }
    return err;
}

static void count_down(cn_map *m, const uint8_t key[KEY_BYTES])
{
    size_t *count = cn_map_get(m, cn_slice_of(key, KEY_BYTES));
    CN_ASSERT(count != NULL && *count > 0);
    if (--*count == 0) {
        (void)cn_map_remove(m, cn_slice_of(key, KEY_BYTES));
    }
}

/* --- buckets --- */

/* Make place in a full table: those that are full again, and if that frees little, the oldest. */
static void clean_buckets(cn_map *buckets, cn_time now)
{
    const size_t enough = BUCKETS_MAX - BUCKETS_MAX / 4;
    for (int forced = 0; forced < 2 && buckets->len > enough; forced++) {
        size_t position = 0;
        cn_slice key = {0};
        void *value = NULL;
        while (cn_map_next(buckets, &position, &key, &value)) {
            if ((forced == 1 && buckets->len > enough) || *(int64_t *)value <= now.ns) {
                (void)cn_map_remove(buckets, key);
            }
        }
    }
}

/* Take a token of this address. Errors: BUSY, NO_MEMORY. */
static cn_err take_token(cn_gate *g, const uint8_t key[KEY_BYTES], cn_time now)
{
    cn_err err = CN_OK;
    void *value = NULL;
    int64_t full_at = 0;
    const int64_t *held = cn_map_get(&g->buckets, cn_slice_of(key, KEY_BYTES));
    full_at = held == NULL ? now.ns : CN_MAX(*held, now.ns);
    full_at = cn_time_after((cn_time){full_at}, g->limits.refill_ns).ns;
    if (full_at - now.ns > (int64_t)g->limits.burst * g->limits.refill_ns) {
        return CN_ERR_BUSY;
    }
    if (held == NULL && g->buckets.len == BUCKETS_MAX) {
        clean_buckets(&g->buckets, now);
    }
    CN_TRY(cn_map_put(&g->buckets, cn_slice_of(key, KEY_BYTES), &value, NULL));
    *(int64_t *)value = full_at;
out:
    return err;
}

/* Is there a token of those for all? It is taken by take_token_of_all. */
static bool has_token_of_all(const cn_gate *g, cn_time now)
{
    const cn_gate_limits *l = &g->limits;
    int64_t full_at = CN_MAX(g->all_full_at, now.ns) + l->all_refill_ns;
    return full_at - now.ns <= (int64_t)l->all_burst * l->all_refill_ns;
}

static void take_token_of_all(cn_gate *g, cn_time now)
{
    g->all_full_at = CN_MAX(g->all_full_at, now.ns) + g->limits.all_refill_ns;
}

/* --- the gate --- */

static cn_err check_totals(const cn_gate *g, bool inbound, cn_why *why)
{
    const cn_gate_limits *l = &g->limits;
    if (g->total >= l->total_max) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "refused: %zu connections are open, the most allowed", g->total);
    }
    if (inbound && g->inbound >= l->inbound_max) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "refused: %zu inbound connections are open, the most allowed",
            g->inbound);
    }
    if (inbound && g->pending >= l->pending_max) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE,
            "refused: %zu inbound connections are being set up, the most allowed at once",
            g->pending);
    }
    return CN_OK;
}

static cn_err check_place(const cn_gate *g, const cn_gate_pass *pass, cn_why *why)
{
    const cn_gate_limits *l = &g->limits;
    bool is_ip4 = pass->address[0] == 4;
    size_t of_address = count_of(&g->addresses, pass->address);
    size_t of_network = count_of(&g->networks, pass->network);
    if (of_address >= l->address_max) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "refused: %zu connections with this %s, the most allowed",
            of_address, is_ip4 ? "address" : "IPv6 /56");
    }
    if (of_network >= l->network_max) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "refused: %zu connections with this %s, the most allowed",
            of_network, is_ip4 ? "IPv4 /24" : "IPv6 /48");
    }
    return CN_OK;
}

/* Count a pass by address and network. */
static cn_err enter_place(cn_gate *g, cn_gate_pass *pass, cn_time now, cn_why *why)
{
    cn_err err = CN_OK;
    CN_TRY(check_place(g, pass, why));
    CN_TRY(count_up(&g->addresses, pass->address));
    err = count_up(&g->networks, pass->network);
    if (err != CN_OK) {
        count_down(&g->addresses, pass->address);
        goto out;
    }
    err = pass->inbound ? take_token(g, pass->address, now) : CN_OK;
    if (err != CN_OK) {
        count_down(&g->addresses, pass->address);
        count_down(&g->networks, pass->network);
    }
    if (err == CN_ERR_BUSY) {
        (void)cn_why_set(
            why, err, "refused: too many new connections from this %s; one is let in every %lld ms",
            pass->address[0] == 4 ? "address" : "IPv6 /56",
            (long long)(g->limits.refill_ns / CN_NS_PER_MS));
    }
out:
    return err;
}

cn_err cn_gate_enter(
    cn_gate *g, cn_slice remote, bool inbound, cn_time now, cn_gate_pass *ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_slice ip = ip_of(remote);
    cn_gate_pass pass = {.held = true, .inbound = inbound, .pending = inbound};
    if (is_in(g->limits.deny, g->limits.deny_len, ip)) {
        return cn_why_set(why, CN_ERR_PERMISSION, "refused: the address is in Swarm.AddrFilters");
    }
    CN_TRY(check_totals(g, inbound, why));
    if (inbound && !has_token_of_all(g, now)) {
        return cn_why_set(
            why, CN_ERR_BUSY,
            "refused: too many new connections from all addresses; one is let in every %lld ms",
            (long long)(g->limits.all_refill_ns / CN_NS_PER_MS));
    }
    pass.counted = has_limits(g, remote, ip);
    if (pass.counted) {
        set_keys(&pass, ip);
        CN_TRY(enter_place(g, &pass, now, why));
    }
    if (inbound) {
        take_token_of_all(g, now);
    }
    g->total++;
    g->inbound += inbound;
    g->pending += inbound;
    *ret = pass;
out:
    return err;
}

void cn_gate_settle(cn_gate *g, cn_gate_pass *pass)
{
    if (pass->held && pass->pending) {
        pass->pending = false;
        g->pending--;
    }
}

void cn_gate_leave(cn_gate *g, cn_gate_pass *pass)
{
    if (!pass->held) {
        return;
    }
    cn_gate_settle(g, pass);
    g->total--;
    g->inbound -= pass->inbound;
    if (pass->counted) {
        count_down(&g->addresses, pass->address);
        count_down(&g->networks, pass->network);
    }
    *pass = (cn_gate_pass){.held = false};
}
