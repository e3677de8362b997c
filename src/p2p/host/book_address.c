/*
 * Addresses in the book: how they come in, what they are worth against each other, and how they go.
 */
#include "p2p/host/book_internal.h"

#include "multiformats/multiaddr.h"

enum {
    ADDRESS_BYTES = sizeof(cn_slice) + sizeof(cn_book_state),
    CAP_FIRST = 4,
};

void cn_book_address_drop(cn_book *b, cn_book_entry *e, size_t i)
{
    size_t behind = e->addresses_len - i - 1;
    cn_book_string_drop(b, &e->addresses[i]);
    cn_move(e->addresses + i, e->addresses + i + 1, behind * sizeof(*e->addresses));
    cn_move(e->states + i, e->states + i + 1, behind * sizeof(*e->states));
    e->addresses_len--;
}

/* The place of `address`, or the number of addresses. */
static size_t find(const cn_book_entry *e, cn_slice address)
{
    size_t i = 0;
    while (i < e->addresses_len && !cn_slice_eq(e->addresses[i], address)) {
        i++;
    }
    return i;
}

/* Room for one more in both arrays. */
static cn_err grow(cn_book *b, cn_book_entry *e)
{
    cn_err err = CN_OK;
    cn_slice *addresses = NULL;
    cn_book_state *states = NULL;
    size_t cap = e->addresses_cap == 0 ? CAP_FIRST : 2 * e->addresses_cap;
    cap = CN_MIN(cap, b->limits.addresses_per_peer_max);
    if (e->addresses_len < e->addresses_cap) {
        return CN_OK;
    }
    CN_TRY(cn_book_room(b, e, (cap - e->addresses_cap) * ADDRESS_BYTES));
    addresses = cn_realloc(b->mem, e->addresses, cap * sizeof(*addresses));
    if (addresses == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    e->addresses = addresses;
    states = cn_realloc(b->mem, e->states, cap * sizeof(*states));
    if (states == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    e->states = states;
    b->bytes += (cap - e->addresses_cap) * ADDRESS_BYTES;
    e->addresses_cap = cap;
out:
    return err;
}

/* Is `a` to go before `b`? Trust, then whether it works, then time left. */
static bool is_worth_less(const cn_book_state *a, const cn_book_state *b)
{
    bool a_works = a->last_success.ns > a->last_failure.ns;
    bool b_works = b->last_success.ns > b->last_failure.ns;
    if ((a->expires.ns == CN_TIME_NEVER.ns) != (b->expires.ns == CN_TIME_NEVER.ns)) {
        return b->expires.ns == CN_TIME_NEVER.ns;
    }
    if (a->source != b->source) {
        return a->source < b->source;
    }
    if (a_works != b_works) {
        return b_works;
    }
    return a->expires.ns < b->expires.ns;
}

/* At the peer's cap: drop the address worth least. False: that would be the new one. */
static bool make_place(cn_book *b, cn_book_entry *e, const cn_book_state *state, cn_time now)
{
    size_t worst = 0;
    if (e->addresses_len < b->limits.addresses_per_peer_max) {
        return true;
    }
    for (size_t i = 0; i < e->addresses_len; i++) {
        if (e->states[i].expires.ns <= now.ns && !e->connected) {
            worst = i;
            break;
        }
        worst = is_worth_less(&e->states[i], &e->states[worst]) ? i : worst;
    }
    if (e->states[worst].expires.ns > now.ns && is_worth_less(state, &e->states[worst])) {
        return false;
    }
    cn_book_address_drop(b, e, worst);
    return true;
}

/* Both are of one address: the longer time, the higher source, the later news. */
static void merge(cn_book_state *to, const cn_book_state *from)
{
    to->source = CN_MAX(to->source, from->source);
    to->expires.ns = CN_MAX(to->expires.ns, from->expires.ns);
    to->last_success.ns = CN_MAX(to->last_success.ns, from->last_success.ns);
    to->last_failure.ns = CN_MAX(to->last_failure.ns, from->last_failure.ns);
}

cn_err cn_book_address_put(
    cn_book *b, cn_book_entry *e, cn_slice address, const cn_book_state *state, cn_time now)
{
    cn_err err = CN_OK;
    cn_slice copy = {0};
    size_t i = find(e, address);
    if (i < e->addresses_len) {
        merge(&e->states[i], state);
        return CN_OK;
    }
    if (!make_place(b, e, state, now)) {
        return CN_OK;
    }
    CN_TRY(grow(b, e));
    CN_TRY(cn_book_string_set(b, e, &copy, address));
    e->addresses[e->addresses_len] = copy;
    e->states[e->addresses_len] = *state;
    e->addresses_len++;
out:
    return err;
}

/* An address as it is kept: checked, without the peer's own id. False: it is none of the peer's. */
static bool trim_address(const cn_peer_id *peer, cn_slice address, cn_slice *ret)
{
    cn_peer_id id = {0};
    if (cn_multiaddr_check(address, NULL) != CN_OK) {
        return false;
    }
    cn_multiaddr_split_peer(address, ret, &id);
    return ret->len > 0 && (id.len == 0 || cn_peer_id_eq(&id, peer)) &&
           cn_multiaddr_scope_of(*ret) != CN_SCOPE_NONE;
}

/* Is there a signed address that has not run out? */
static bool has_record(const cn_book_entry *e, cn_time now)
{
    for (size_t i = 0; i < e->addresses_len; i++) {
        if (e->states[i].source == CN_BOOK_SIGNED &&
            (e->connected || e->states[i].expires.ns > now.ns)) {
            return true;
        }
    }
    return false;
}

/* A peer that was made for what then did not come in must not stay. */
static void drop_if_bare(cn_book *b, cn_book_entry *e)
{
    if (e->addresses_len == 0 && !e->connected && !e->protocols_known && e->agent.len == 0 &&
        e->protocol_version.len == 0 && e->public_key.len == 0) {
        cn_book_entry_drop(b, e);
    }
}

cn_err cn_book_learn(
    cn_book *b,
    const cn_peer_id *peer,
    const cn_slice *addresses,
    size_t addresses_len,
    const cn_book_terms *terms,
    cn_time now)
{
    cn_err err = CN_OK;
    cn_book_entry *e = NULL;
    const cn_book_state state = {
        .source = terms->source,
        .expires = cn_time_after(now, terms->ttl_ns),
        .last_success = CN_BOOK_NEVER,
        .last_failure = CN_BOOK_NEVER,
    };
    CN_TRY(cn_book_entry_make(b, peer, &e));
    if (terms->source == CN_BOOK_TOLD && has_record(e, now)) {
        goto out;
    }
    for (size_t i = 0; i < addresses_len; i++) {
        cn_slice address = {0};
        if (trim_address(peer, addresses[i], &address)) {
            CN_TRY(cn_book_address_put(b, e, address, &state, now));
        }
    }
    cn_book_entry_touch(b, e);
out:
    if (e != NULL) {
        drop_if_bare(b, e);
    }
    return err;
}

static bool names(const cn_peer_id *peer, const cn_book_record *record, cn_slice address)
{
    for (size_t i = 0; i < record->addresses_len; i++) {
        cn_slice named = {0};
        if (trim_address(peer, record->addresses[i], &named) && cn_slice_eq(named, address)) {
            return true;
        }
    }
    return false;
}

/* While connected the address dialled last with success is the one that carries a connection. */
static size_t standing(const cn_book_entry *e)
{
    size_t best = e->addresses_len;
    for (size_t i = 0; e->connected && i < e->addresses_len; i++) {
        int64_t success = e->states[i].last_success.ns;
        if (success != CN_BOOK_NEVER.ns && success > e->states[i].last_failure.ns &&
            (best == e->addresses_len || success > e->states[best].last_success.ns)) {
            best = i;
        }
    }
    return best;
}

cn_err
cn_book_take_record(cn_book *b, const cn_peer_id *peer, const cn_book_record *record, cn_time now)
{
    const cn_book_terms terms = {CN_BOOK_SIGNED, record->ttl_ns};
    cn_book_entry *e = NULL;
    cn_err err = CN_OK;
    size_t spared = 0;
    CN_TRY(cn_book_entry_make(b, peer, &e));
    if (e->sequence > record->sequence) {
        return CN_ERR_EXISTS;
    }
    spared = standing(e);
    for (size_t i = e->addresses_len; i > 0; i--) {
        if (i - 1 != spared && e->states[i - 1].source != CN_BOOK_GIVEN &&
            !names(peer, record, e->addresses[i - 1])) {
            cn_book_address_drop(b, e, i - 1);
        }
    }
    e->sequence = record->sequence;
    CN_TRY(cn_book_learn(b, peer, record->addresses, record->addresses_len, &terms, now));
out:
    return err;
}

void cn_book_succeeded(cn_book *b, const cn_peer_id *peer, cn_slice address, cn_time now)
{
    cn_book_entry *e = cn_book_entry_of(b, peer);
    size_t i = e == NULL ? 0 : find(e, address);
    if (e != NULL && i < e->addresses_len) {
        e->states[i].last_success = now;
        e->states[i].failures = 0;
        cn_book_entry_touch(b, e);
    }
}

void cn_book_failed(cn_book *b, const cn_peer_id *peer, cn_slice address, cn_time now)
{
    cn_book_entry *e = cn_book_entry_of(b, peer);
    size_t i = e == NULL ? 0 : find(e, address);
    if (e != NULL && i < e->addresses_len) {
        e->states[i].last_failure = now;
        e->states[i].failures += e->states[i].failures < UINT32_MAX;
    }
}

cn_err cn_book_connected(cn_book *b, const cn_peer_id *peer, cn_time now)
{
    cn_err err = CN_OK;
    cn_book_entry *e = NULL;
    CN_UNUSED(now);
    CN_TRY(cn_book_entry_make(b, peer, &e));
    e->connected = true;
    cn_book_entry_touch(b, e);
out:
    return err;
}

void cn_book_disconnected(cn_book *b, const cn_peer_id *peer, cn_time now)
{
    cn_book_entry *e = cn_book_entry_of(b, peer);
    cn_time least = cn_time_after(now, CN_BOOK_TTL_RECENT_NS);
    if (e == NULL || !e->connected) {
        return;
    }
    e->connected = false;
    for (size_t i = 0; i < e->addresses_len; i++) {
        e->states[i].expires.ns = CN_MAX(e->states[i].expires.ns, least.ns);
    }
    cn_book_entry_touch(b, e);
    if (e->addresses_len == 0) {
        cn_book_entry_drop(b, e);
    }
}

bool cn_book_forget(cn_book *b, const cn_peer_id *peer)
{
    cn_book_entry *e = cn_book_entry_of(b, peer);
    if (e == NULL) {
        return false;
    }
    if (!e->connected) {
        cn_book_entry_drop(b, e);
        return true;
    }
    while (e->addresses_len > 0) {
        cn_book_address_drop(b, e, e->addresses_len - 1);
    }
    cn_book_entry_touch(b, e);
    return true;
}
