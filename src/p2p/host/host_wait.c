/*
 * Those who want a connection: each hangs at the dial of its peer, then among those to be told,
 * which is done in the turn. What is known of the peer's addresses is gathered here.
 */
#include "p2p/host/host_internal.h"

void cn_host_waiter_tell(cn_host *h, host_waiter *w, cn_err err, const char *sentence)
{
    w->dial = NULL;
    w->next = NULL;
    w->err = err;
    w->sentence = sentence == NULL ? NULL : cn_strdup(h->mem, sentence, strlen(sentence));
    *(h->due_last == NULL ? &h->due_first : &h->due_last->next) = w;
    h->due_last = w;
    cn_host_dial_soon(h);
}

static void forget_waiter(cn_host *h, host_waiter *w)
{
    (void)cn_slots_remove(&h->waiters, w->id);
    cn_free(h->mem, w->sentence);
    cn_free(h->mem, w);
}

bool cn_host_waiters_turn(cn_host *h)
{
    bool any = h->due_first != NULL;
    while (h->due_first != NULL) {
        host_waiter *w = h->due_first;
        h->due_first = w->next;
        h->due_last = h->due_first == NULL ? NULL : h->due_last;
        (void)cn_slots_remove(&h->waiters, w->id);
        w->done(
            w->ctx, &w->peer, w->err, w->sentence == NULL ? cn_err_sentence(w->err) : w->sentence);
        cn_free(h->mem, w->sentence);
        cn_free(h->mem, w);
    }
    return any;
}

/* Put addresses into the dial: names are asked for, the others ranked together. */
static cn_err add_addresses(
    cn_host *h,
    host_dial *d,
    const cn_slice *addresses,
    const cn_book_state *states,
    size_t addresses_len)
{
    cn_err err = CN_OK;
    size_t len = 0;
    cn_slice *plain = cn_alloc_array(h->mem, addresses_len, sizeof(*plain));
    cn_book_state *plain_states = cn_alloc_array(h->mem, addresses_len, sizeof(*plain_states));
    err = plain == NULL || plain_states == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    for (size_t i = 0; i < addresses_len && err == CN_OK; i++) {
        if (cn_host_is_name(addresses[i])) {
            cn_host_names_ask(h, d, addresses[i], 0);
            continue;
        }
        plain_states[len] = states == NULL ? (cn_book_state){0} : states[i];
        plain[len++] = addresses[i];
    }
    if (err == CN_OK && len > 0) {
        err = cn_host_dial_plan(h, d, plain, states == NULL ? NULL : plain_states, len);
    }
    cn_free(h->mem, plain);
    cn_free(h->mem, plain_states);
    return err;
}

/* What is known of the peer, and what is given. */
static cn_err
gather(cn_host *h, host_dial *d, const cn_slice *addresses, size_t addresses_len, cn_why *why)
{
    cn_err err = CN_OK;
    cn_book_peer known = {0};
    bool is_known = cn_book_find(h->book, &d->peer->id, h->now, &known);
    if (addresses_len == 0 && known.addresses_len == 0 && d->attempts_len + d->queries_len == 0) {
        return cn_why_set(why, CN_ERR_NOT_FOUND, "no addresses");
    }
    if (addresses_len > 0) {
        CN_TRY(add_addresses(h, d, addresses, NULL, addresses_len));
    }
    if (is_known && known.addresses_len > 0) {
        CN_TRY(add_addresses(h, d, known.addresses, known.states, known.addresses_len));
    }
out:
    return err;
}

cn_err cn_host_connect(
    cn_host *h,
    const cn_peer_id *peer,
    const cn_slice *addresses,
    size_t addresses_len,
    int64_t timeout_ns,
    cn_host_dialled done,
    void *ctx,
    cn_id *ret,
    cn_why *why)
{
    cn_err err = CN_OK;
    host_dial *d = NULL;
    host_waiter *w = NULL;
    if (cn_peer_id_eq(peer, &h->self)) {
        return cn_why_set(why, CN_ERR_USAGE, "dial to self attempted");
    }
    w = cn_alloc(h->mem, sizeof(*w));
    if (w == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *w = (host_waiter){.peer = *peer, .done = done, .ctx = ctx, .deadline = CN_TIME_NEVER};
    CN_TRY(cn_slots_add(&h->waiters, w, &w->id));
    if (cn_host_is_connected(h, peer)) {
        *ret = w->id;
        cn_host_waiter_tell(h, w, CN_OK, NULL);
        return CN_OK;
    }
    CN_TRY(cn_host_dial_get(h, peer, &d));
    CN_TRY(gather(h, d, addresses, addresses_len, why));
    if (timeout_ns > 0) {
        w->deadline = cn_time_after(h->now, timeout_ns);
    }
    w->dial = d;
    w->next = d->waiters;
    d->waiters = w;
    *ret = w->id;
    cn_host_dial_soon(h);
    return CN_OK;
out:
    if (d != NULL && d->waiters == NULL) {
        cn_host_dial_free(h, d);
    }
    (void)cn_slots_remove(&h->waiters, w->id);
    cn_free(h->mem, w);
    return err;
}

void cn_host_connect_cancel(cn_host *h, cn_id waiting)
{
    host_waiter *w = cn_slots_get(&h->waiters, waiting);
    if (w == NULL) {
        return;
    }
    host_dial *d = w->dial;
    host_waiter *before = NULL;
    host_waiter **at = d == NULL ? &h->due_first : &d->waiters;
    while (*at != w) {
        before = *at;
        at = &before->next;
    }
    *at = w->next;
    if (d == NULL && h->due_last == w) {
        h->due_last = before;
    }
    forget_waiter(h, w);
    cn_host_dial_soon(h); /* a dial that nobody waits for ends in the turn */
}

void cn_host_forgive(
    cn_host *h, const cn_peer_id *peer, const cn_slice *addresses, size_t addresses_len)
{
    cn_book_peer known = {0};
    for (size_t i = 0; i < addresses_len; i++) {
        cn_backoff_clear(&h->backoff, peer, addresses[i]);
    }
    if (cn_book_find(h->book, peer, h->now, &known)) {
        for (size_t i = 0; i < known.addresses_len; i++) {
            cn_backoff_clear(&h->backoff, peer, known.addresses[i]);
        }
    }
}

void cn_host_waiters_free(cn_host *h)
{
    while (h->due_first != NULL) {
        host_waiter *w = h->due_first;
        h->due_first = w->next;
        forget_waiter(h, w);
    }
}
