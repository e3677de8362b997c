/*
 * Addresses are sorted into kinds, and each kind gets its places: private, public and relayed ones
 * are three groups that are planned alike and on their own, each with its QUIC before its TCP;
 * others come last. The whole is then put into the order of the delays.
 */
#include "p2p/host/rank.h"

static const int64_t STEP_NS = 250 * CN_NS_PER_MS;
static const int64_t PRIVATE_STEP_NS = 30 * CN_NS_PER_MS;
static const int64_t RELAY_DELAY_NS = 500 * CN_NS_PER_MS;
static const int64_t OTHER_DELAY_NS = 1000 * CN_NS_PER_MS;

typedef enum dial_group {
    GROUP_PRIVATE,
    GROUP_PUBLIC,
    GROUP_RELAYED,
    GROUP_OTHER,
} dial_group;

typedef enum dial_kind {
    KIND_QUIC,
    KIND_TCP,
    KIND_OTHER,
} dial_kind;

typedef struct candidate {
    cn_slice address;
    dial_group group;
    dial_kind kind;
    bool is_ip6;
    bool worked; /* last time */
    int64_t success_ns;
    uint16_t port; /* a low one is more likely to be a listener's own */
    size_t place;  /* in the input */
    int64_t delay_ns;
    bool planned;
} candidate;

typedef struct candidates {
    candidate all[CN_RANK_MAX];
    size_t len;
} candidates;

/* --- what an address is --- */

static dial_kind kind_of(cn_slice address)
{
    cn_multiaddr_part part = {0};
    if (cn_multiaddr_find(address, CN_MA_WEBTRANSPORT, &part) ||
        cn_multiaddr_find(address, CN_MA_WEBRTC_DIRECT, &part)) {
        return KIND_OTHER;
    }
    if (cn_multiaddr_find(address, CN_MA_QUIC_V1, &part)) {
        return KIND_QUIC;
    }
    return cn_multiaddr_find(address, CN_MA_TCP, &part) ? KIND_TCP : KIND_OTHER;
}

static dial_group group_of(cn_slice address)
{
    cn_multiaddr_scope scope = cn_multiaddr_scope_of(address);
    if (cn_multiaddr_is_relayed(address)) {
        return GROUP_RELAYED;
    }
    if (kind_of(address) == KIND_OTHER || cn_multiaddr_ip(address).len == 0) {
        return GROUP_OTHER;
    }
    return scope == CN_SCOPE_PUBLIC ? GROUP_PUBLIC : GROUP_PRIVATE;
}

static uint16_t port_of(cn_slice address)
{
    cn_cur cur = cn_cur_of(address);
    cn_multiaddr_part part = {0};
    while (cn_multiaddr_next(&cur, &part)) {
        if (part.code == CN_MA_TCP || part.code == CN_MA_UDP) {
            return (uint16_t)(part.value.data[0] << 8 | part.value.data[1]);
        }
    }
    return 0;
}

/* --- which are tried at all --- */

static bool is_filtered(const cn_rank_input *in, cn_slice address)
{
    cn_slice ip = cn_multiaddr_ip(address);
    for (size_t i = 0; ip.len > 0 && i < in->filters_len; i++) {
        if (cn_ip_range_has(&in->filters[i], ip)) {
            return true;
        }
    }
    return false;
}

static bool is_own(const cn_rank_input *in, cn_slice address)
{
    for (size_t i = 0; i < in->own_len; i++) {
        if (cn_slice_eq(in->own[i], address)) {
            return true;
        }
    }
    return false;
}

static bool is_repeated(const candidates *c, cn_slice address)
{
    for (size_t i = 0; i < c->len; i++) {
        if (cn_slice_eq(c->all[i].address, address)) {
            return true;
        }
    }
    return false;
}

static bool is_loopback(cn_slice address)
{
    return cn_multiaddr_scope_of(address) == CN_SCOPE_LOOPBACK;
}

/* Does the address have an IP that is ours, beyond loopback? */
static bool has_our_ip(const cn_rank_input *in, cn_slice address)
{
    cn_slice ip = cn_multiaddr_ip(address);
    for (size_t i = 0; ip.len > 0 && i < in->own_len; i++) {
        if (cn_slice_eq(cn_multiaddr_ip(in->own[i]), ip)) {
            return true;
        }
    }
    return false;
}

/* Is the peer on this machine, as far as its addresses tell? */
static bool is_peer_here(const cn_rank_input *in)
{
    bool has_beyond = false;
    for (size_t i = 0; i < in->addresses_len; i++) {
        if (!is_loopback(in->addresses[i])) {
            has_beyond = true;
            if (has_our_ip(in, in->addresses[i])) {
                return true;
            }
        }
    }
    return !has_beyond;
}

static bool may_dial_loopback(const cn_rank_input *in, size_t i)
{
    return in->states == NULL || in->states[i].source == CN_BOOK_GIVEN ||
           in->states[i].last_success.ns != CN_BOOK_NEVER.ns;
}

static bool is_tried(const cn_rank_input *in, size_t i, bool peer_is_here)
{
    cn_slice address = in->addresses[i];
    if (cn_multiaddr_scope_of(address) == CN_SCOPE_NONE || is_filtered(in, address) ||
        is_own(in, address)) {
        return false;
    }
    if (is_loopback(address) && !peer_is_here && !may_dial_loopback(in, i)) {
        return false;
    }
    return in->can_dial == NULL || in->can_dial(in->ctx, address);
}

/* --- the order within a kind --- */

/* Is `a` dialled before `b` of the same group and kind? */
static bool is_before(const candidate *a, const candidate *b)
{
    if (a->worked != b->worked) {
        return a->worked;
    }
    if (a->worked && a->success_ns != b->success_ns) {
        return a->success_ns > b->success_ns;
    }
    if (a->is_ip6 != b->is_ip6) {
        return a->is_ip6;
    }
    return a->port != b->port ? a->port < b->port : a->place < b->place;
}

/* Would `b` be left out for `a` when the plan is full? Direct ones and those that worked stay. */
static bool is_worth_more(const candidate *a, const candidate *b)
{
    if (a->worked != b->worked) {
        return a->worked;
    }
    if ((a->group >= GROUP_RELAYED) != (b->group >= GROUP_RELAYED)) {
        return a->group < GROUP_RELAYED;
    }
    return a->place < b->place;
}

static void add(candidates *c, const candidate *one)
{
    size_t worst = 0;
    if (c->len < CN_RANK_MAX) {
        c->all[c->len++] = *one;
        return;
    }
    for (size_t i = 1; i < c->len; i++) {
        worst = is_worth_more(&c->all[worst], &c->all[i]) ? i : worst;
    }
    if (is_worth_more(one, &c->all[worst])) {
        c->all[worst] = *one;
    }
}

static void collect(const cn_rank_input *in, candidates *c)
{
    bool peer_is_here = is_peer_here(in);
    for (size_t i = 0; i < in->addresses_len; i++) {
        cn_slice address = in->addresses[i];
        const cn_book_state *state = in->states == NULL ? NULL : &in->states[i];
        if (!is_tried(in, i, peer_is_here) || is_repeated(c, address)) {
            continue;
        }
        const candidate one = {
            .address = address,
            .group = group_of(address),
            .kind = kind_of(address),
            .is_ip6 = cn_multiaddr_ip(address).len == 16,
            .worked = state != NULL && state->last_success.ns > state->last_failure.ns,
            .success_ns = state == NULL ? CN_BOOK_NEVER.ns : state->last_success.ns,
            .port = port_of(address),
            .place = i,
        };
        add(c, &one);
    }
}

/* --- delays --- */

/* The best of a group and kind that is not planned yet; `family`: 4, 6, or 0 for either. */
static candidate *best_of(candidates *c, dial_group group, dial_kind kind, int family)
{
    candidate *best = NULL;
    for (size_t i = 0; i < c->len; i++) {
        candidate *a = &c->all[i];
        bool fits = a->group == group && a->kind == kind && !a->planned &&
                    (family == 0 || a->is_ip6 == (family == 6));
        if (fits && (best == NULL || is_before(a, best))) {
            best = a;
        }
    }
    return best;
}

/*
 * Plan one kind of one group from `start_ns` on: the first; one step later the first of the other
 * family; one more step later all others. Returns the delay of the last, -1 for none.
 */
static int64_t
plan_kind(candidates *c, dial_group group, dial_kind kind, int64_t start_ns, int64_t step_ns)
{
    int64_t last = -1;
    candidate *first = best_of(c, group, kind, 0);
    candidate *second = NULL;
    if (first == NULL) {
        return last;
    }
    first->planned = true;
    first->delay_ns = start_ns;
    last = start_ns;
    second = best_of(c, group, kind, first->is_ip6 ? 4 : 6);
    if (second != NULL) {
        last += step_ns;
        second->planned = true;
        second->delay_ns = last;
    }
    for (candidate *a = best_of(c, group, kind, 0); a != NULL; a = best_of(c, group, kind, 0)) {
        last = start_ns + (second == NULL ? step_ns : 2 * step_ns);
        a->planned = true;
        a->delay_ns = last;
    }
    return last;
}

/* QUIC, then TCP. Returns the delay of the last, -1 for none. */
static int64_t plan_group(candidates *c, dial_group group, int64_t start_ns, int64_t step_ns)
{
    int64_t quic = plan_kind(c, group, KIND_QUIC, start_ns, step_ns);
    int64_t tcp = plan_kind(c, group, KIND_TCP, quic < 0 ? start_ns : quic + step_ns, step_ns);
    return CN_MAX(quic, tcp);
}

static void plan_all(candidates *c)
{
    int64_t private = plan_group(c, GROUP_PRIVATE, 0, PRIVATE_STEP_NS);
    int64_t public = plan_group(c, GROUP_PUBLIC, 0, STEP_NS);
    int64_t relayed = plan_group(c, GROUP_RELAYED, public < 0 ? 0 : RELAY_DELAY_NS, STEP_NS);
    int64_t last = CN_MAX(CN_MAX(private, public), relayed);
    candidate *good = NULL;
    for (size_t i = 0; i < c->len; i++) {
        candidate *a = &c->all[i];
        if (!a->planned) {
            a->delay_ns = last < 0 ? 0 : last + OTHER_DELAY_NS;
        }
        if (a->worked && a->group != GROUP_RELAYED &&
            (good == NULL || a->success_ns > good->success_ns)) {
            good = a;
        }
    }
    if (good != NULL) {
        good->delay_ns = 0;
    }
}

/* The order of the plan: by delay, what worked first, direct before relayed, then as in a kind. */
static bool comes_first(const candidate *a, const candidate *b)
{
    if (a->delay_ns != b->delay_ns) {
        return a->delay_ns < b->delay_ns;
    }
    if (a->worked != b->worked) {
        return a->worked;
    }
    if (a->group != b->group) {
        return a->group < b->group;
    }
    return a->kind != b->kind ? a->kind < b->kind : is_before(a, b);
}

static void write_plan(candidates *c, cn_rank_plan *ret)
{
    for (size_t i = 0; i < c->len; i++) {
        candidate one = c->all[i];
        size_t at = i;
        while (at > 0 && comes_first(&one, &c->all[at - 1])) {
            c->all[at] = c->all[at - 1];
            at--;
        }
        c->all[at] = one;
    }
    for (size_t i = 0; i < c->len; i++) {
        ret->steps[i] = (cn_rank_step){
            .address = c->all[i].address,
            .delay_ns = c->all[i].delay_ns,
            .relayed = c->all[i].group == GROUP_RELAYED,
        };
    }
    ret->len = c->len;
}

void cn_rank_make(const cn_rank_input *in, cn_rank_plan *ret)
{
    candidates c = {.len = 0};
    collect(in, &c);
    plan_all(&c);
    write_plan(&c, ret);
    ret->left_out = in->addresses_len - ret->len;
}
