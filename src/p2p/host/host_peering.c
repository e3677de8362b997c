/*
 * Peers that we stay connected with. Each has its own time to be dialled; failing moves it away by
 * half and up to as much again by chance, so that many nodes do not come back at one moment.
 * spec: Kubo config 'Peering'
 */
#include "p2p/host/host_internal.h"

#define PEERING_FIRST_NS (5 * CN_NS_PER_S)
#define PEERING_MAX_NS (600 * CN_NS_PER_S)

static const char TAG[] = "ipfs-peering";

typedef struct host_peering {
    struct host_peering *next;
    cn_host *h;
    cn_peer_id peer;
    cn_slice *addresses; /* what they lend lies in `owned` */
    uint8_t **owned;
    size_t addresses_len;
    size_t addresses_cap;
    size_t owned_cap;
    cn_id waiting; /* a dial of ours */
    cn_time at;    /* next dial; NEVER: connected or dialling */
    int64_t delay_ns;
} host_peering;

static host_peering **find(cn_host *h, const cn_peer_id *peer)
{
    host_peering **at = &h->peerings;
    while (*at != NULL && !cn_peer_id_eq(&(*at)->peer, peer)) {
        at = &(*at)->next;
    }
    return at;
}

static void free_peering(cn_host *h, host_peering *p)
{
    for (size_t i = 0; i < p->addresses_len; i++) {
        cn_free(h->mem, p->owned[i]);
    }
    cn_free(h->mem, p->owned);
    cn_free(h->mem, p->addresses);
    cn_free(h->mem, p);
    h->peerings_len--;
}

/* The next time: a while from now, and longer after it. */
static void later(host_peering *p)
{
    cn_host *h = p->h;
    p->at = cn_time_after(h->now, p->delay_ns);
    int64_t more = p->delay_ns / 2 + (int64_t)cn_prng_below(&h->prng, (uint64_t)p->delay_ns);
    p->delay_ns = CN_MIN(p->delay_ns + more, PEERING_MAX_NS);
}

static void dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    host_peering *p = ctx;
    CN_UNUSED(peer);
    CN_UNUSED(sentence); /* the host has noted it */
    p->waiting = CN_ID_NONE;
    if (err == CN_OK) {
        p->delay_ns = PEERING_FIRST_NS;
        p->at = CN_TIME_NEVER;
    } else {
        later(p);
    }
}

static void dial(host_peering *p)
{
    cn_host *h = p->h;
    p->at = CN_TIME_NEVER;
    if (!cn_id_is_none(p->waiting) || cn_host_is_connected(h, &p->peer)) {
        return;
    }
    cn_host_forgive(h, &p->peer, NULL, 0); /* the waiting is done here */
    if (cn_host_connect(h, &p->peer, NULL, 0, 0, dialled, p, &p->waiting, NULL) != CN_OK) {
        later(p);
    }
}

void cn_host_peering_tick(cn_host *h, cn_time now)
{
    for (host_peering *p = h->peerings; p != NULL; p = p->next) {
        if (p->at.ns <= now.ns) {
            dial(p);
        }
    }
}

cn_time cn_host_peering_deadline(const cn_host *h)
{
    cn_time at = CN_TIME_NEVER;
    for (const host_peering *p = h->peerings; p != NULL; p = p->next) {
        at = cn_host_sooner(at, p->at);
    }
    return at;
}

void cn_host_peering_left(cn_host *h, const cn_peer_id *peer)
{
    host_peering *p = *find(h, peer);
    if (p != NULL && cn_id_is_none(p->waiting)) {
        p->delay_ns = PEERING_FIRST_NS;
        p->at = cn_time_after(h->now, (int64_t)cn_prng_below(&h->prng, (uint64_t)PEERING_FIRST_NS));
    }
}

static cn_err keep_address(host_peering *p, cn_slice address)
{
    cn_err err = CN_OK;
    cn_mem *mem = p->h->mem;
    uint8_t *copy = NULL;
    for (size_t i = 0; i < p->addresses_len; i++) {
        if (cn_slice_eq(p->addresses[i], address)) {
            return CN_OK;
        }
    }
    CN_TRY(cn_array_grow(
        mem, (void **)&p->addresses, &p->addresses_cap, p->addresses_len, CN_BOOK_ADDRESSES_MAX,
        sizeof(*p->addresses)));
    CN_TRY(cn_array_grow(
        mem, (void **)&p->owned, &p->owned_cap, p->addresses_len, CN_BOOK_ADDRESSES_MAX,
        sizeof(*p->owned)));
    copy = cn_alloc_dirty(mem, address.len);
    if (copy == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_copy(copy, address.data, address.len);
    p->owned[p->addresses_len] = copy;
    p->addresses[p->addresses_len++] = cn_slice_of(copy, address.len);
out:
    return err;
}

static cn_err make(cn_host *h, const cn_peer_id *peer)
{
    if (h->peerings_len == HOST_PEERINGS_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    host_peering *p = cn_alloc(h->mem, sizeof(*p));
    if (p == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *p = (host_peering){.h = h, .peer = *peer, .next = h->peerings, .delay_ns = PEERING_FIRST_NS};
    p->at = CN_TIME_NEVER;
    h->peerings = p;
    h->peerings_len++;
    return CN_OK;
}

cn_err cn_host_peering_add(
    cn_host *h, const cn_peer_id *peer, const cn_slice *addresses, size_t addresses_len)
{
    cn_err err = CN_OK;
    host_peering *p = NULL;
    bool is_new = *find(h, peer) == NULL;
    cn_book_terms terms = {CN_BOOK_GIVEN, CN_BOOK_TTL_PERMANENT_NS};
    if (cn_peer_id_eq(peer, &h->self)) {
        return CN_ERR_USAGE;
    }
    if (is_new) {
        CN_TRY(make(h, peer));
    }
    p = *find(h, peer);
    for (size_t i = 0; i < addresses_len; i++) {
        CN_TRY(keep_address(p, addresses[i]));
    }
    CN_TRY(cn_book_learn(h->book, peer, addresses, addresses_len, &terms, h->now));
    CN_TRY(cn_host_protect(h, peer, TAG));
    p->at = h->now;
out:
    if (err != CN_OK && is_new) {
        (void)cn_host_peering_remove(h, peer);
    }
    return err;
}

bool cn_host_peering_remove(cn_host *h, const cn_peer_id *peer)
{
    host_peering **at = find(h, peer);
    host_peering *p = *at;
    if (p == NULL) {
        return false;
    }
    cn_host_connect_cancel(h, p->waiting);
    cn_host_unprotect(h, &p->peer, TAG);
    *at = p->next;
    free_peering(h, p);
    return true;
}

bool cn_host_peerings(const cn_host *h, size_t *position, cn_host_peered *ret)
{
    const host_peering *p = h->peerings;
    for (size_t i = 0; p != NULL && i < *position; i++) {
        p = p->next;
    }
    if (p == NULL) {
        return false;
    }
    *position += 1;
    *ret = (cn_host_peered){p->peer, p->addresses, p->addresses_len};
    return true;
}

void cn_host_peering_free(cn_host *h)
{
    while (h->peerings != NULL) {
        host_peering *p = h->peerings;
        h->peerings = p->next;
        free_peering(h, p);
    }
}
