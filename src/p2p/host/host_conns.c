/*
 * Connections and the peers at their other end. A connection that ends, whoever ended it, is taken
 * from the transport at once and put on a list; its streams and its peer are told of it in the
 * turn, outside of any handler, and only then is it freed.
 */
#include "p2p/host/host_internal.h"

typedef struct raw_key {
    uint32_t transport_no;
    uint32_t index;
    uint32_t generation;
} raw_key;

host_peer *cn_host_peer_find(const cn_host *h, const cn_peer_id *id)
{
    host_peer **p = cn_map_get(&h->peers, cn_peer_id_bytes(id));
    return p == NULL ? NULL : *p;
}

cn_err cn_host_peer_get(cn_host *h, const cn_peer_id *id, host_peer **ret)
{
    cn_err err = CN_OK;
    void *value = NULL;
    host_peer *made = NULL;
    host_peer *peer = cn_host_peer_find(h, id);
    if (peer == NULL) {
        made = cn_alloc(h->mem, sizeof(*made));
        if (made == NULL) {
            return CN_ERR_NO_MEMORY;
        }
        CN_TRY(cn_map_put(&h->peers, cn_peer_id_bytes(id), &value, NULL));
        *made = (host_peer){.id = *id, .since = h->now, .meter.stepped = h->now};
        *(host_peer **)value = made;
        peer = made;
        made = NULL;
    }
    *ret = peer;
out:
    cn_free(h->mem, made);
    return err;
}

void cn_host_let_go(cn_host *h, host_peer *peer)
{
    if (peer->conns_len > 0 || peer->dial != NULL) {
        return;
    }
    cn_peer_id id = peer->id;
    cn_free(h->mem, peer);
    (void)cn_map_remove(&h->peers, cn_peer_id_bytes(&id));
}

static raw_key key_of(uint32_t transport_no, cn_id raw)
{
    return (raw_key){transport_no, raw.index, raw.generation};
}

cn_err cn_host_conn_add(cn_host *h, uint32_t transport_no, cn_id raw, host_conn **ret)
{
    cn_err err = CN_OK;
    void *value = NULL;
    raw_key key = key_of(transport_no, raw);
    host_conn *c = cn_alloc(h->mem, sizeof(*c));
    if (c == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    c->transport = h->transports[transport_no];
    c->transport_no = transport_no;
    c->raw = raw;
    c->since = h->now;
    c->deadline = CN_TIME_NEVER;
    CN_TRY(cn_slots_add(&h->conns, c, &c->id));
    CN_TRY(cn_map_put(&h->conns_by_raw, cn_slice_of(&key, sizeof(key)), &value, NULL));
    *(host_conn **)value = c;
    *ret = c;
    c = NULL;
out:
    if (c != NULL) {
        (void)cn_slots_remove(&h->conns, c->id);
        cn_free(h->mem, c);
    }
    return err;
}

host_conn *cn_host_conn_find(cn_host *h, uint32_t transport_no, cn_id raw)
{
    host_conn *c = h->conn_last;
    if (c != NULL && c->transport_no == transport_no && cn_id_eq(c->raw, raw)) {
        return c;
    }
    raw_key key = key_of(transport_no, raw);
    host_conn **found = cn_map_get(&h->conns_by_raw, cn_slice_of(&key, sizeof(key)));
    if (found != NULL) {
        h->conn_last = *found;
    }
    return found == NULL ? NULL : *found;
}

static void join_pending(cn_host *h, host_conn *c)
{
    c->is_pending = true;
    c->prev = h->pending_last;
    *(c->prev == NULL ? &h->pending_first : &c->prev->next) = c;
    h->pending_last = c;
}

static void leave_pending(cn_host *h, host_conn *c)
{
    if (!c->is_pending) {
        return;
    }
    *(c->prev == NULL ? &h->pending_first : &c->prev->next) = c->next;
    *(c->next == NULL ? &h->pending_last : &c->next->prev) = c->prev;
    c->is_pending = false;
    c->next = NULL;
    c->prev = NULL;
}

void cn_host_conn_lost(cn_host *h, host_conn *c, cn_err err, const char *sentence)
{
    raw_key key = key_of(c->transport_no, c->raw);
    if (c->is_gone) {
        return;
    }
    (void)cn_map_remove(&h->conns_by_raw, cn_slice_of(&key, sizeof(key)));
    h->conn_last = h->conn_last == c ? NULL : h->conn_last;
    c->is_gone = true;
    leave_pending(h, c);
    c->err = err;
    c->sentence = sentence == NULL ? NULL : cn_strdup(h->mem, sentence, strlen(sentence));
    *(h->gone_last == NULL ? &h->gone_first : &h->gone_last->next_gone) = c;
    h->gone_last = c;
    cn_gate_leave(&h->gate, &c->pass);
}

void cn_host_conn_close(cn_host *h, host_conn *c, cn_err err, const char *sentence)
{
    if (!c->is_gone) {
        cn_host_conn_lost(h, c, err, sentence);
        c->transport->ops->close(c->transport, c->raw, 0);
    }
}

/* Count why a caller is not let in. */
static void count_refusal(cn_host *h, cn_err err)
{
    *(err == CN_ERR_PERMISSION  ? &h->counts.refused_filter
      : err == CN_ERR_TOO_LARGE ? &h->counts.refused_limit
      : err == CN_ERR_BUSY      ? &h->counts.refused_rate
                                : &h->counts.refused_memory) += 1;
}

/*
 * As many callers are being set up as are allowed: the one that takes longest makes way, so that
 * those who say nothing do not keep out those who do.
 */
static void make_way(cn_host *h)
{
    if (h->gate.pending >= h->gate.limits.pending_max && h->pending_first != NULL) {
        h->counts.refused_limit++;
        cn_host_conn_close(
            h, h->pending_first, CN_ERR_TIMEOUT,
            "too slow: as many connections are being set up as are allowed, and it was the oldest");
    }
}

/* May a caller come in? Then it is counted. */
static cn_err let_in(cn_host *h, const cn_conn_info *info, cn_gate_pass *ret, cn_why *why)
{
    size_t limit = h->mem->limit_bytes;
    if (limit > 0 && h->mem->used_bytes > limit - limit / 10) {
        return cn_why_set(why, CN_ERR_NO_MEMORY, "nine tenths of the node's memory are in use");
    }
    cn_err err = cn_gate_enter(&h->gate, info->remote, true, h->now, ret, why);
    if (err == CN_ERR_TOO_LARGE && h->gate.pending >= h->gate.limits.pending_max) {
        make_way(h);
        err = cn_gate_enter(&h->gate, info->remote, true, h->now, ret, why);
    }
    return err;
}

void cn_host_conn_arrived(cn_host *h, uint32_t transport_no, cn_id raw)
{
    cn_err err = CN_OK;
    cn_transport *t = h->transports[transport_no];
    cn_conn_info info = {0};
    cn_gate_pass pass = {0};
    cn_why why = {{0}};
    host_conn *c = NULL;
    if (!t->ops->info(t, raw, &info)) {
        return;
    }
    CN_TRY(let_in(h, &info, &pass, &why));
    CN_TRY(cn_host_conn_add(h, transport_no, raw, &c));
    c->pass = pass;
    c->remote_len = (uint8_t)CN_MIN(info.remote.len, sizeof(c->remote));
    cn_copy(c->remote, info.remote.data, c->remote_len);
    join_pending(h, c);
out:
    if (err != CN_OK) {
        cn_gate_leave(&h->gate, &pass);
        count_refusal(h, err);
        cn_host_note_it(h, CN_HOST_NOTE_REFUSED, NULL, info.remote, cn_why_text(&why, err));
        t->ops->close(t, raw, 0);
    }
}

/* Hang an authenticated connection to its peer. */
static void attach(cn_host *h, host_conn *c, host_peer *peer)
{
    c->peer = peer;
    c->is_up = true;
    c->since = h->now;
    c->busy = h->now;
    c->next = peer->conns;
    if (peer->conns != NULL) {
        peer->conns->prev = c;
    }
    peer->conns = c;
    peer->conns_len++;
    h->conns_up++;
}

static void detach(cn_host *h, host_conn *c)
{
    host_peer *peer = c->peer;
    *(c->prev == NULL ? &peer->conns : &c->prev->next) = c->next;
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    peer->conns_len--;
    h->conns_up--;
}

static void tell_peer_up(cn_host *h, host_peer *peer)
{
    cn_peer_id id = peer->id;
    peer->is_told = true;
    (void)!cn_book_connected(h->book, &id, h->now); /* where memory has run out it just ages */
    peer->since = h->now;
    for (size_t i = 0; i < h->protocols_len; i++) {
        cn_protocol *p = h->protocols[i].p;
        if (p->ops->peer_up != NULL) {
            p->ops->peer_up(p, &id);
        }
    }
}

static void tell_peer_down(cn_host *h, const cn_peer_id *id)
{
    for (size_t i = 0; i < h->protocols_len; i++) {
        cn_protocol *p = h->protocols[i].p;
        if (p->ops->peer_down != NULL) {
            p->ops->peer_down(p, id);
        }
    }
}

void cn_host_conn_up(cn_host *h, host_conn *c)
{
    cn_conn_info info = {0};
    host_peer *peer = NULL;
    if (!c->transport->ops->info(c->transport, c->raw, &info)) {
        return;
    }
    cn_gate_settle(&h->gate, &c->pass);
    leave_pending(h, c);
    c->is_initiator = info.is_initiator;
    c->remote_len = (uint8_t)CN_MIN(info.remote.len, sizeof(c->remote));
    cn_copy(c->remote, info.remote.data, c->remote_len);
    if (cn_peer_id_eq(&info.peer, &h->self)) {
        cn_host_conn_close(h, c, CN_ERR_USAGE, "the peer there is this node itself");
        return;
    }
    if (c->dial != NULL && !cn_peer_id_eq(&info.peer, &c->dial->peer->id)) {
        cn_host_conn_close(h, c, CN_ERR_HASH_MISMATCH, "another peer is there");
        return;
    }
    if (cn_host_peer_get(h, &info.peer, &peer) != CN_OK) {
        cn_host_conn_close(h, c, CN_ERR_NO_MEMORY, NULL);
        return;
    }
    if (peer->conns_len >= h->options.conns_per_peer_max) {
        h->counts.refused_limit++;
        cn_host_conn_close(
            h, c, CN_ERR_TOO_LARGE, "as many connections to one peer as are allowed");
        cn_host_let_go(h, peer);
        return;
    }
    attach(h, c, peer);
    if (c->dial != NULL) {
        cn_host_dial_up(h, c);
    }
    cn_host_note_it(
        h, CN_HOST_NOTE_UP, &peer->id, info.remote, info.is_initiator ? "dialled" : "came in");
    cn_host_identify_begin(h, c);
    h->is_trim_due = true;
    cn_host_dial_met(h, peer, c->is_initiator);
    if (!peer->is_told) {
        tell_peer_up(h, peer);
    }
}

static void end_streams(cn_host *h, host_conn *c)
{
    while (c->streams != NULL) {
        host_stream *s = c->streams;
        cn_protocol *p = cn_host_protocol_of(h, s);
        cn_id id = s->id;
        bool is_theirs = p != NULL && !h->is_ending && (s->is_ours || s->name != UINT32_MAX);
        cn_host_stream_drop(h, s);
        if (is_theirs) {
            p->ops->ended(
                p, id, CN_STREAM_RESET,
                c->sentence == NULL ? cn_err_sentence(c->err) : c->sentence);
        }
    }
}

/* It is over: orderly, or for a reason that people should see. */
static void note_end(cn_host *h, host_conn *c, const cn_peer_id *peer, const char *sentence)
{
    bool is_orderly = c->err == CN_ERR_CLOSED || c->err == CN_ERR_IO;
    cn_host_note_it(
        h, is_orderly ? CN_HOST_NOTE_DOWN : CN_HOST_NOTE_CUT, peer,
        cn_slice_of(c->remote, c->remote_len), sentence);
}

static void bury(cn_host *h, host_conn *c)
{
    host_peer *peer = c->is_up ? c->peer : NULL;
    const char *sentence = c->sentence == NULL ? cn_err_sentence(c->err) : c->sentence;
    bool is_caller = !c->is_up && !c->is_initiator && c->remote_len > 0;
    if (c->dial != NULL) {
        cn_host_dial_failed(h, c);
    } else if (is_caller && c->err != CN_ERR_CLOSED) {
        h->counts.failed_in++;
        note_end(h, c, NULL, sentence);
    }
    end_streams(h, c);
    if (peer != NULL) {
        cn_peer_id id = peer->id;
        detach(h, c);
        cn_observed_closed(&h->observed, c->id, h->now);
        note_end(h, c, &id, sentence);
        bool is_last = peer->conns_len == 0 && peer->is_told;
        if (peer->conns_len == 0) {
            peer->is_told = false;
            peer->known = HOST_UNASKED;
            peer->asked_in_vain = 0;
            peer->is_hard_to_guess = false;
            peer->version_told = 0;
            cn_book_disconnected(h->book, &id, h->now);
            cn_host_peering_left(h, &id);
            cn_host_let_go(h, peer);
        }
        if (is_last && !h->is_ending) {
            tell_peer_down(h, &id);
        }
    }
    (void)cn_slots_remove(&h->conns, c->id);
    cn_free(h->mem, c->sentence);
    cn_free(h->mem, c);
}

bool cn_host_conns_bury(cn_host *h)
{
    bool any = h->gone_first != NULL;
    while (h->gone_first != NULL) {
        host_conn *c = h->gone_first;
        h->gone_first = c->next_gone;
        h->gone_last = h->gone_first == NULL ? NULL : h->gone_last;
        bury(h, c);
    }
    return any;
}

static bool close_peer(cn_host *h, const cn_peer_id *id, cn_err err, const char *sentence)
{
    host_peer *peer = cn_host_peer_find(h, id);
    bool any = false;
    for (host_conn *c = peer == NULL ? NULL : peer->conns; c != NULL; c = c->next) {
        any = any || !c->is_gone;
        cn_host_conn_close(h, c, err, sentence);
    }
    return any;
}

bool cn_host_disconnect(cn_host *h, const cn_peer_id *id)
{
    return close_peer(h, id, CN_ERR_CLOSED, "closed by this node");
}

bool cn_host_cut_off(cn_host *h, const cn_peer_id *id, const char *sentence)
{
    return close_peer(h, id, CN_ERR_PERMISSION, sentence);
}

bool cn_host_is_connected(const cn_host *h, const cn_peer_id *id)
{
    const host_peer *peer = cn_host_peer_find(h, id);
    for (const host_conn *c = peer == NULL ? NULL : peer->conns; c != NULL; c = c->next) {
        if (!c->is_gone) {
            return true;
        }
    }
    return false;
}
