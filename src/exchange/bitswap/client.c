/*
 * Sessions and wants: who wants what, and how a want ends. Telling a sink may bring any call back
 * here, so a want is taken out of the map before its sinks are told, and its interests go one by
 * one; a session that is closed meanwhile takes its interests with it.
 */
#include "exchange/bitswap/client_internal.h"

cn_err cn_client_new(cn_mem *mem, uint64_t seed, cn_client **ret)
{
    cn_client *c = cn_alloc(mem, sizeof *c);
    if (c == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    c->mem = mem;
    cn_prng_init(&c->prng, seed);
    cn_map_init(&c->wants, mem, sizeof(cn_want *), WANTS_MAX, cn_prng_u64(&c->prng));
    cn_slots_init(&c->sessions, mem, CN_CLIENT_SESSIONS_MAX);
    cn_ring_init(&c->peers);
    cn_ring_init(&c->dirty);
    *ret = c;
    return CN_OK;
}

void cn_client_free(cn_client *c)
{
    size_t at = 0;
    cn_id id = CN_ID_NONE;
    cn_slice key = {0};
    void *value = NULL;
    if (c == NULL) {
        return;
    }
    while (cn_slots_next(&c->sessions, &at, &id) != NULL) {
        cn_client_session_close(c, id);
    }
    at = 0;
    while (cn_map_next(&c->wants, &at, &key, &value)) { /* arriving ones, wanted by nobody */
        cn_free(c->mem, *(cn_want **)value);
    }
    while (!cn_ring_is_empty(&c->peers)) {
        cn_client_peer_down(c, CN_CONTAINER(c->peers.next, cn_client_peer, node));
    }
    cn_slots_release(&c->sessions);
    cn_map_release(&c->wants);
    cn_free(c->mem, c);
}

cn_want *cn_client_find(const cn_client *c, const cn_cid *cid)
{
    cn_want **w = cn_map_get(&c->wants, cn_cid_key(cid));
    return w == NULL ? NULL : *w;
}

void cn_want_set(cn_client *c, cn_want *w, cn_want_state state)
{
    cn_session *s = w->owner;
    if (w->is_broadcast && state != CN_WANT_ASKED && s != NULL) {
        w->is_broadcast = false;
        s->broadcasts--;
        cn_session_feed(c, s);
    }
    w->state = state;
    if (state == CN_WANT_ARRIVING || s == NULL) {
        cn_ring_remove(&w->node);
    } else if (state == CN_WANT_WAITING) {
        cn_ring_push(&s->waiting, &w->node);
    } else {
        cn_ring_push(state == CN_WANT_ASKED ? &s->asked : &s->starved, &w->node);
    }
    c->is_pumped = c->is_pumped && state != CN_WANT_WAITING;
}

void cn_want_again(cn_client *c, cn_want *w)
{
    if (w->state != CN_WANT_ARRIVING) {
        cn_want_set(c, w, CN_WANT_WAITING);
        cn_ring_push_front(&w->owner->waiting, &w->node);
    }
}

cn_err cn_client_session(cn_client *c, cn_exchange_sink *sink, cn_id *ret)
{
    cn_session *s = cn_alloc(c->mem, sizeof *s);
    if (s == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_err err = cn_slots_add(&c->sessions, s, &s->id);
    if (err != CN_OK) {
        cn_free(c->mem, s);
        return err;
    }
    s->sink = sink;
    cn_ring_init(&s->waiting);
    cn_ring_init(&s->asked);
    cn_ring_init(&s->starved);
    cn_ring_init(&s->interests);
    *ret = s->id;
    return CN_OK;
}

/* Take a want out of the map and forget what was asked; it is in the caller's hands. */
static void detach(cn_client *c, cn_want *w)
{
    cn_ask_drop_all(c, w, NULL);
    cn_want_set(c, w, CN_WANT_ARRIVING);
    (void)cn_map_remove(&c->wants, cn_cid_key(&w->cid));
}

static void drop_interest(cn_client *c, cn_interest *i)
{
    cn_interest **at = &i->want->interests;
    while (*at != i) {
        at = &(*at)->next;
    }
    *at = i->next;
    cn_ring_remove(&i->node);
    i->session->interests_len--;
    cn_free(c->mem, i);
}

/* An interest has gone: another session takes the want over, or it ends. */
static void settle_owner(cn_client *c, cn_want *w, const cn_session *gone)
{
    if (w->owner != gone) {
        return;
    }
    if (w->interests != NULL) {
        cn_want_state state = w->state;
        if (w->is_broadcast) {
            w->is_broadcast = false;
            w->owner->broadcasts--;
        }
        w->owner = w->interests->session;
        cn_want_set(c, w, state == CN_WANT_STARVED ? CN_WANT_WAITING : state);
    } else if (w->state == CN_WANT_ARRIVING) {
        w->owner = NULL;
    } else {
        detach(c, w);
        cn_free(c->mem, w);
    }
}

void cn_client_session_close(cn_client *c, cn_id session)
{
    cn_session *s = cn_slots_remove(&c->sessions, session);
    if (s == NULL) {
        return;
    }
    while (!cn_ring_is_empty(&s->interests)) {
        cn_interest *i = CN_CONTAINER(s->interests.next, cn_interest, node);
        cn_want *w = i->want;
        drop_interest(c, i);
        settle_owner(c, w, s);
    }
    cn_free(c->mem, s->members);
    cn_free(c->mem, s);
}

static cn_interest *interest_of(const cn_want *w, const cn_session *s, const cn_cid *cid)
{
    for (cn_interest *i = w->interests; i != NULL; i = i->next) {
        if (i->session == s && cn_cid_eq(&i->cid, cid)) {
            return i;
        }
    }
    return NULL;
}

static cn_err make_want(cn_client *c, const cn_cid *cid, cn_want **ret)
{
    void *value = NULL;
    cn_want *w = cn_alloc(c->mem, sizeof *w);
    if (w == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_err err = cn_map_put(&c->wants, cn_cid_key(cid), &value, NULL);
    if (err != CN_OK) {
        cn_free(c->mem, w);
        return err;
    }
    *(cn_want **)value = w;
    w->cid = *cid;
    cn_ring_init(&w->node);
    *ret = w;
    return CN_OK;
}

/* Let `s` be interested in `cid`. */
static cn_err want_one(cn_client *c, cn_session *s, const cn_cid *cid)
{
    cn_want *w = cn_client_find(c, cid);
    if (w != NULL && interest_of(w, s, cid) != NULL) {
        if (w->state == CN_WANT_WAITING) {
            cn_want_again(c, w);
        }
        return CN_OK;
    }
    if (s->interests_len >= CN_CLIENT_SESSION_WANTS_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    cn_interest *i = cn_alloc(c->mem, sizeof *i);
    if (i == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    if (w == NULL) {
        cn_err err = make_want(c, cid, &w);
        if (err != CN_OK) {
            cn_free(c->mem, i);
            return err;
        }
    }
    *i = (cn_interest){.session = s, .want = w, .cid = *cid, .next = w->interests};
    w->interests = i;
    cn_ring_init(&i->node);
    cn_ring_push(&s->interests, &i->node);
    s->interests_len++;
    if (w->owner == NULL) {
        w->owner = s;
        if (w->state != CN_WANT_ARRIVING) {
            cn_want_set(c, w, CN_WANT_WAITING);
        }
    } else if (w->state == CN_WANT_STARVED) {
        w->owner = s; /* it may know others to ask */
        cn_want_set(c, w, CN_WANT_WAITING);
    }
    return CN_OK;
}

cn_err cn_client_want(cn_client *c, cn_id session, const cn_cid *cids, size_t len, cn_time now)
{
    cn_session *s = cn_slots_get(&c->sessions, session);
    cn_err err = CN_OK;
    if (s == NULL) {
        return CN_ERR_CLOSED;
    }
    if (s->interests_len == 0) {
        s->progress = now;
        s->idles = 0;
    }
    for (size_t i = 0; i < len && err == CN_OK; i++) {
        err = want_one(c, s, &cids[i]);
    }
    return err;
}

void cn_client_cancel(cn_client *c, cn_id session, const cn_cid *cids, size_t len)
{
    cn_session *s = cn_slots_get(&c->sessions, session);
    for (size_t i = 0; s != NULL && i < len; i++) {
        cn_want *w = cn_client_find(c, &cids[i]);
        cn_interest *interest = w == NULL ? NULL : interest_of(w, s, &cids[i]);
        if (interest != NULL) {
            drop_interest(c, interest);
            settle_owner(c, w, s);
        }
    }
}

/* Take the next session that waits for `w` out of it; NULL: none is left. */
static cn_session *next_told(cn_client *c, cn_want *w, cn_cid *ret_cid)
{
    cn_interest *i = w->interests;
    if (i == NULL) {
        return NULL;
    }
    cn_session *s = i->session;
    *ret_cid = i->cid;
    drop_interest(c, i);
    return s;
}

void cn_client_arrived(cn_client *c, const cn_cid *cid, cn_slice block)
{
    cn_want *w = cn_client_find(c, cid);
    cn_cid told;
    if (w == NULL) {
        return;
    }
    detach(c, w);
    for (cn_session *s; (s = next_told(c, w, &told)) != NULL;) {
        s->sink->ops->arrived(s->sink, &told, block);
    }
    cn_free(c->mem, w);
}

void cn_client_failed(cn_client *c, const cn_cid *cid, cn_err err, const char *sentence)
{
    cn_want *w = cn_client_find(c, cid);
    cn_cid told;
    if (w == NULL) {
        return;
    }
    detach(c, w);
    for (cn_session *s; (s = next_told(c, w, &told)) != NULL;) {
        s->sink->ops->failed(s->sink, &told, err, sentence);
    }
    cn_free(c->mem, w);
}

static const char *answer_text(const cn_ask *a, const cn_client_peer *p)
{
    if (p->stats.wrong > 0) {
        return "sent wrong bytes";
    }
    if (a != NULL && a->answer == CN_ANSWER_HAVE) {
        return "has it";
    }
    return a != NULL && a->answer == CN_ANSWER_DONT_HAVE ? "does not have it" : "no answer yet";
}

size_t cn_client_asked(
    const cn_client *c, cn_id session, const cn_cid *cid, cn_exchange_asked *ret, size_t max)
{
    cn_session *s = cn_slots_get(&c->sessions, session);
    const cn_want *w = cn_client_find(c, cid);
    size_t len = 0;
    if (s == NULL || w == NULL) {
        return 0;
    }
    for (const cn_ask *a = w->asks; a != NULL && len < max; a = a->next) {
        const cn_member *m = cn_session_member(s, a->peer);
        ret[len++] = (cn_exchange_asked){
            .peer = a->peer->id,
            .answer = answer_text(a, a->peer),
            .blocks = m == NULL ? 0 : m->blocks,
            .block_bytes = m == NULL ? 0 : m->block_bytes,
        };
    }
    return len;
}

void cn_client_stat(const cn_client *c, cn_client_stats *ret)
{
    *ret = c->stats;
    ret->wants = c->wants.len;
    ret->sessions = c->sessions.len;
}

bool cn_client_wants(const cn_client *c, size_t *position, const cn_cid **ret)
{
    cn_slice key = {0};
    void *value = NULL;
    if (!cn_map_next(&c->wants, position, &key, &value)) {
        return false;
    }
    *ret = &(*(cn_want **)value)->cid;
    return true;
}
