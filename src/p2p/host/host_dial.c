/*
 * Dials: one per peer however many wait for it (host_wait.c). The addresses get their times by rank
 * (p2p/host/ rank.h); an attempt begins when its time has come or nothing else runs any more, the
 * first that stands ends the dial, and when all have failed the report says what each answered.
 *
 * When the peer comes in meanwhile, those who wait have what they want and nothing more is begun,
 * but attempts that run go on to their end: two that dial each other would else each give up their
 * own for that of the other, and have none. Both connections are kept, as Kubo does.
 */
#include "p2p/host/host_internal.h"

#include "p2p/host/rank.h"

static bool is_local(cn_slice address)
{
    cn_multiaddr_scope scope = cn_multiaddr_scope_of(address);
    return scope == CN_SCOPE_LOOPBACK || scope == CN_SCOPE_LINK || scope == CN_SCOPE_PRIVATE;
}

void cn_host_dial_report(host_dial *d, cn_slice address, const char *sentence)
{
    cn_buf *r = &d->report;
    size_t before = r->len;
    cn_err err = cn_buf_text(r, "\n  * [");
    err = err == CN_OK ? cn_multiaddr_encode_text(address, r) : err;
    err = err == CN_OK ? cn_buf_printf(r, "] %s", sentence) : err;
    if (err != CN_OK) { /* full: what is there says enough */
        r->len = before;
    }
}

/* --- the life of a dial --- */

void cn_host_dial_free(cn_host *h, host_dial *d)
{
    for (size_t i = 0; i < d->attempts_len; i++) {
        host_attempt *a = &d->attempts[i];
        host_conn *c = cn_slots_get(&h->conns, a->conn);
        if (c != NULL && c->dial == d) {
            c->dial = NULL;
            h->attempts_running--;
            cn_host_conn_close(h, c, CN_ERR_CANCELLED, NULL);
        }
        cn_free(h->mem, a->address);
    }
    cn_host_names_free(h, d);
    *(d->prev == NULL ? &h->dials : &d->prev->next) = d->next;
    if (d->next != NULL) {
        d->next->prev = d->prev;
    }
    d->peer->dial = NULL;
    cn_host_let_go(h, d->peer);
    cn_host_dial_soon(h); /* another may have waited for the place of an attempt */
    cn_free(h->mem, d->attempts);
    cn_buf_release(&d->report);
    cn_free(h->mem, d);
}

static void tell_all(cn_host *h, host_dial *d, cn_err err, const char *sentence)
{
    while (d->waiters != NULL) {
        host_waiter *w = d->waiters;
        d->waiters = w->next;
        cn_host_waiter_tell(h, w, err, sentence);
    }
}

static void finish(cn_host *h, host_dial *d, cn_err err, const char *sentence)
{
    tell_all(h, d, err, sentence);
    cn_host_dial_free(h, d);
}

/* What went wrong, then the report; `text` holds it. Where memory has run out just `what`. */
static const char *failure(cn_host *h, const host_dial *d, const char *what, cn_buf *text)
{
    const char *sentence = what;
    cn_buf_init(text, h->mem, 2 * HOST_REPORT_MAX_BYTES);
    cn_err err = cn_buf_text(text, "failed to dial ");
    err = err == CN_OK ? cn_peer_id_encode_text(&d->peer->id, 0, text) : err;
    err = err == CN_OK ? cn_buf_printf(text, ": %s", what) : err;
    err = err == CN_OK ? cn_buf_append(text, cn_buf_slice(&d->report)) : err;
    err = err == CN_OK ? cn_buf_cstr(text, &sentence) : err;
    return err == CN_OK ? sentence : what;
}

static void fail(cn_host *h, host_dial *d, cn_err err, const char *what)
{
    cn_buf text = {0};
    const char *sentence = failure(h, d, what, &text);
    cn_host_note_it(h, CN_HOST_NOTE_DIAL, &d->peer->id, (cn_slice){0}, sentence);
    h->counts.dials_failed++;
    finish(h, d, err, sentence);
    cn_buf_release(&text);
}

cn_err cn_host_dial_get(cn_host *h, const cn_peer_id *peer, host_dial **ret)
{
    cn_err err = CN_OK;
    host_peer *p = NULL;
    CN_TRY(cn_host_peer_get(h, peer, &p));
    if (p->dial == NULL) {
        host_dial *d = cn_alloc(h->mem, sizeof(*d));
        if (d == NULL) {
            cn_host_let_go(h, p);
            return CN_ERR_NO_MEMORY;
        }
        d->peer = p;
        p->dial = d;
        cn_buf_init(&d->report, h->mem, HOST_REPORT_MAX_BYTES);
        d->next = h->dials;
        if (d->next != NULL) {
            d->next->prev = d;
        }
        h->dials = d;
    }
    p->dial->is_met = false;
    *ret = p->dial;
out:
    return err;
}

static bool has_attempt(const host_dial *d, cn_slice address)
{
    for (size_t i = 0; i < d->attempts_len; i++) {
        if (cn_slice_eq(cn_slice_of(d->attempts[i].address, d->attempts[i].len), address)) {
            return true;
        }
    }
    return false;
}

static cn_err add_attempt(cn_host *h, host_dial *d, const cn_rank_step *step)
{
    cn_err err = CN_OK;
    uint8_t *copy = NULL;
    if (has_attempt(d, step->address)) {
        return CN_OK;
    }
    if (!cn_backoff_may_dial(&h->backoff, &d->peer->id, step->address, h->now, NULL)) {
        cn_host_dial_report(d, step->address, "dial backoff: it failed a short while ago");
        return CN_OK;
    }
    if (d->attempts_len == HOST_ATTEMPTS_MAX) {
        cn_host_dial_report(d, step->address, "not tried: too many addresses");
        return CN_OK;
    }
    CN_TRY(cn_array_grow(
        h->mem, (void **)&d->attempts, &d->attempts_cap, d->attempts_len, HOST_ATTEMPTS_MAX,
        sizeof(*d->attempts)));
    copy = cn_alloc_dirty(h->mem, step->address.len);
    if (copy == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_copy(copy, step->address.data, step->address.len);
    d->attempts[d->attempts_len++] = (host_attempt){
        .address = copy,
        .len = step->address.len,
        .due = cn_time_after(h->now, step->delay_ns),
    };
out:
    return err;
}

static bool can_dial(void *ctx, cn_slice address)
{
    const cn_host *h = ctx;
    for (size_t i = 0; i < h->transports_len; i++) {
        if (h->transports[i]->ops->handles(h->transports[i], address)) {
            return true;
        }
    }
    return false;
}

cn_err cn_host_dial_plan(
    cn_host *h,
    host_dial *d,
    const cn_slice *addresses,
    const cn_book_state *states,
    size_t addresses_len)
{
    cn_err err = CN_OK;
    cn_slice own[HOST_LISTEN_MAX];
    cn_rank_plan plan;
    cn_rank_input in = {
        .addresses = addresses,
        .states = states,
        .addresses_len = addresses_len,
        .filters = h->filters,
        .filters_len = h->filters_len,
        .own = own,
        .own_len = cn_host_own(h, true, own, CN_LEN(own)),
        .can_dial = can_dial,
        .ctx = h,
    };
    cn_rank_make(&in, &plan);
    for (size_t i = 0; i < plan.len; i++) {
        CN_TRY(add_attempt(h, d, &plan.steps[i]));
    }
out:
    cn_host_dial_soon(h);
    return err;
}

/* --- attempts --- */

static void
attempt_over(cn_host *h, host_dial *d, host_attempt *a, cn_err err, const char *sentence)
{
    cn_slice address = cn_slice_of(a->address, a->len);
    a->is_over = true;
    d->err = err;
    cn_host_dial_report(d, address, sentence);
    cn_backoff_failed(&h->backoff, &d->peer->id, address, h->now);
    cn_book_failed(h->book, &d->peer->id, address, h->now);
    cn_host_dial_soon(h);
}

static cn_err try_transport(cn_host *h, uint32_t no, host_dial *d, host_attempt *a, cn_why *why)
{
    cn_err err = CN_OK;
    cn_transport *t = h->transports[no];
    cn_slice address = cn_slice_of(a->address, a->len);
    cn_id raw = CN_ID_NONE;
    host_conn *c = NULL;
    cn_gate_pass pass = {0};
    bool is_dialling = false;
    CN_TRY(cn_gate_enter(&h->gate, address, false, h->now, &pass, why));
    CN_TRY(t->ops->dial(t, address, &d->peer->id, h->now, &raw, why));
    is_dialling = true;
    CN_TRY(cn_host_conn_add(h, no, raw, &c));
    c->pass = pass;
    c->dial = d;
    c->deadline =
        cn_time_after(h->now, (is_local(address) ? HOST_DIAL_LOCAL_S : HOST_DIAL_S) * CN_NS_PER_S);
    h->dial_deadline = cn_host_sooner(h->dial_deadline, c->deadline);
    a->conn = c->id;
    d->running++;
    h->attempts_running++;
    return CN_OK;
out:
    cn_gate_leave(&h->gate, &pass);
    if (is_dialling) {
        t->ops->close(t, raw, 0);
    }
    return err;
}

static void begin_attempt(cn_host *h, host_dial *d, host_attempt *a)
{
    cn_why why = {{0}};
    cn_err err = CN_ERR_UNSUPPORTED;
    a->is_begun = true;
    for (uint32_t i = 0; i < h->transports_len; i++) {
        cn_transport *t = h->transports[i];
        if (t->ops->handles(t, cn_slice_of(a->address, a->len))) {
            err = try_transport(h, i, d, a, &why);
            break;
        }
    }
    if (err != CN_OK) {
        attempt_over(h, d, a, err, cn_why_text(&why, err));
    }
}

static host_attempt *attempt_of(host_dial *d, const host_conn *c)
{
    for (size_t i = 0; i < d->attempts_len; i++) {
        if (cn_id_eq(d->attempts[i].conn, c->id)) {
            return &d->attempts[i];
        }
    }
    return NULL;
}

void cn_host_dial_failed(cn_host *h, host_conn *c)
{
    host_dial *d = c->dial;
    host_attempt *a = attempt_of(d, c);
    c->dial = NULL;
    d->running--;
    h->attempts_running--;
    if (a != NULL && !a->is_over) {
        attempt_over(h, d, a, c->err, c->sentence == NULL ? cn_err_sentence(c->err) : c->sentence);
    }
}

void cn_host_dial_up(cn_host *h, host_conn *c)
{
    host_dial *d = c->dial;
    host_attempt *a = attempt_of(d, c);
    c->dial = NULL;
    d->running--;
    h->attempts_running--;
    if (a != NULL) {
        cn_slice address = cn_slice_of(a->address, a->len);
        a->is_over = true;
        cn_backoff_clear(&h->backoff, &d->peer->id, address);
        /* Known from now on, before identify has told; where memory runs out it is not kept. */
        cn_book_terms terms = {CN_BOOK_HEARSAY, CN_BOOK_TTL_RECENT_NS};
        (void)!cn_book_learn(h->book, &d->peer->id, &address, 1, &terms, h->now);
        cn_book_succeeded(h->book, &d->peer->id, address, h->now);
    }
    cn_host_dial_soon(h);
}

void cn_host_dial_met(cn_host *h, host_peer *peer, bool is_ours)
{
    host_dial *d = peer->dial;
    if (d == NULL) {
        return;
    }
    if (is_ours) {
        finish(h, d, CN_OK, NULL);
        return;
    }
    tell_all(h, d, CN_OK, NULL);
    d->is_met = true;
    cn_host_dial_soon(h);
}

/* --- time --- */

static void end_late_attempts(cn_host *h, host_dial *d)
{
    for (size_t i = 0; i < d->attempts_len; i++) {
        host_attempt *a = &d->attempts[i];
        host_conn *c = a->is_begun && !a->is_over ? cn_slots_get(&h->conns, a->conn) : NULL;
        if (c == NULL || c->is_gone) {
            continue;
        }
        if (c->deadline.ns <= h->now.ns) {
            cn_host_conn_close(h, c, CN_ERR_TIMEOUT, "no connection within the time limit");
        } else {
            h->dial_deadline = cn_host_sooner(h->dial_deadline, c->deadline);
        }
    }
}

/* Begin what is due; false: nothing is left to try. */
static bool begin_due(cn_host *h, host_dial *d)
{
    bool any_left = d->running > 0 || d->queries_open > 0;
    for (size_t i = 0; i < d->attempts_len; i++) {
        if (d->attempts[i].is_begun) {
            continue;
        }
        any_left = true;
        if (d->running >= HOST_DIAL_PER_PEER_MAX || h->attempts_running >= h->options.dials_max) {
            continue; /* the end of an attempt comes back here */
        }
        if (d->attempts[i].due.ns <= h->now.ns || d->running == 0) {
            begin_attempt(h, d, &d->attempts[i]);
        } else {
            h->dial_deadline = cn_host_sooner(h->dial_deadline, d->attempts[i].due);
        }
    }
    return any_left;
}

static void end_late_waiters(cn_host *h, host_dial *d)
{
    host_waiter **at = &d->waiters;
    while (*at != NULL) {
        host_waiter *w = *at;
        if (w->deadline.ns > h->now.ns) {
            h->dial_deadline = cn_host_sooner(h->dial_deadline, w->deadline);
            at = &w->next;
            continue;
        }
        cn_buf text = {0};
        *at = w->next;
        cn_host_waiter_tell(
            h, w, CN_ERR_TIMEOUT, failure(h, d, "no connection within the time given", &text));
        cn_buf_release(&text);
    }
}

static void turn_dial(cn_host *h, host_dial *d)
{
    end_late_attempts(h, d);
    end_late_waiters(h, d);
    if (d->waiters == NULL) {
        if (!d->is_met || d->running == 0) {
            cn_host_dial_free(h, d);
        }
    } else if (!begin_due(h, d)) {
        fail(
            h, d, d->err == CN_OK ? CN_ERR_NOT_FOUND : d->err,
            d->report.len == 0 ? "no good addresses" : "all dials failed");
    }
}

bool cn_host_dials_turn(cn_host *h)
{
    if (h->dial_deadline.ns > h->now.ns && h->due_first == NULL) {
        return false;
    }
    h->dial_deadline = CN_TIME_NEVER;
    host_dial *next = NULL;
    for (host_dial *d = h->dials; d != NULL; d = next) {
        next = d->next;
        turn_dial(h, d);
    }
    return cn_host_waiters_turn(h);
}

void cn_host_dials_free(cn_host *h)
{
    while (h->dials != NULL) {
        finish(h, h->dials, CN_ERR_CANCELLED, NULL);
    }
}
