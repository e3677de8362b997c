/*
 * Who is asked for what: members of a session by how full their windows are; everybody while a
 * session knows no member, and where members do not have a block. Also what is heard back, and what
 * time brings.
 */
#include "exchange/bitswap/client_internal.h"

enum { FED_MAX = 256 }; /* starved wants looked at once more in one go */

static const int64_t silent_ns = 5 * CN_NS_PER_S;       /* a peer that sends nothing meanwhile */
static const int64_t unanswered_ns = 30 * CN_NS_PER_S;  /* one want at a peer that sends others */
static const int64_t old_ns = 5 * CN_NS_PER_S;          /* the same at one that cannot say no */
static const int64_t impatient_ns = 500 * CN_NS_PER_MS; /* nothing came, another has it */
static const int64_t lost_ns = 200 * CN_NS_PER_MS;      /* those before it were answered long ago */
static const int64_t revive_ns = 10 * CN_NS_PER_S;
static const int64_t idle_ns = CN_NS_PER_S;
static const int64_t idle_again_ns = 60 * CN_NS_PER_S;
static const int64_t tick_ns = 250 * CN_NS_PER_MS;

cn_member *cn_session_member(cn_session *s, const cn_client_peer *p)
{
    for (size_t i = 0; i < s->members_len; i++) {
        if (s->members[i].peer == p) {
            return &s->members[i];
        }
    }
    return NULL;
}

cn_member *cn_session_join(cn_client *c, cn_session *s, cn_client_peer *p)
{
    cn_member *m = cn_session_member(s, p);
    void *members = s->members;
    if (m != NULL) {
        return m;
    }
    cn_err err = cn_array_grow(
        c->mem, &members, &s->members_cap, s->members_len, MEMBERS_MAX, sizeof *s->members);
    s->members = members;
    if (err != CN_OK) {
        return NULL;
    }
    m = &s->members[s->members_len++];
    *m = (cn_member){.peer = p};
    c->is_pumped = false;
    return m;
}

void cn_session_leave(cn_session *s, const cn_client_peer *p)
{
    cn_member *m = cn_session_member(s, p);
    if (m != NULL) {
        *m = s->members[--s->members_len];
    }
}

void cn_session_feed(cn_client *c, cn_session *s)
{
    for (size_t i = 0; i < FED_MAX && !cn_ring_is_empty(&s->starved); i++) {
        cn_want_set(c, CN_CONTAINER(s->starved.next, cn_want, node), CN_WANT_WAITING);
    }
}

void cn_client_provider(cn_client *c, cn_id session, cn_client_peer *p)
{
    cn_session *s = cn_slots_get(&c->sessions, session);
    if (s != NULL && p->is_usable && cn_session_join(c, s, p) != NULL) {
        cn_session_feed(c, s);
        for (cn_ring *r = s->asked.next, *next; r != &s->asked; r = next) {
            cn_want *w = CN_CONTAINER(r, cn_want, node);
            next = r->next;
            if (w->block_ask == NULL && cn_ask_of(w, p) == NULL) {
                cn_want_again(c, w);
            }
        }
    }
}

/* --- asking --- */

static bool has_open_ask(const cn_want *w)
{
    for (const cn_ask *a = w->asks; a != NULL; a = a->next) {
        if (a->answer == CN_ANSWER_NONE) {
            return true;
        }
    }
    return false;
}

static bool has_room(const cn_client_peer *p)
{
    return p->open_blocks_len < p->window && p->open_len < CN_CLIENT_OPEN_MAX;
}

/*
 * The member to ask for `w`: one that said it has it, else the one whose window is emptiest. NULL:
 * no member is left for it, or (*ret_wait) all that are have full windows.
 */
static cn_client_peer *choose(const cn_session *s, const cn_want *w, bool *ret_wait)
{
    cn_client_peer *best = NULL;
    uint64_t best_score = UINT64_MAX;
    *ret_wait = false;
    for (size_t i = 0; i < s->members_len; i++) {
        cn_client_peer *p = s->members[i].peer;
        const cn_ask *a = cn_ask_of(w, p);
        bool is_over =
            a != NULL && (a->answer == CN_ANSWER_DONT_HAVE || a->answer == CN_ANSWER_LOST);
        if (!p->is_usable || p->is_silent || is_over) {
            continue;
        }
        if (!has_room(p)) {
            *ret_wait = true;
            continue;
        }
        uint64_t score = ((uint64_t)p->open_blocks_len << 20) / p->window;
        score += a != NULL && a->answer == CN_ANSWER_HAVE ? 0 : (uint64_t)1 << 20;
        if (score < best_score) {
            best_score = score;
            best = p;
        }
    }
    *ret_wait = *ret_wait && best == NULL;
    return best;
}

/* Did asking it ever pay, or has it not been asked often enough to know? */
static bool may_pay(cn_client *c, const cn_client_peer *p)
{
    bool is_barren = p->stats.blocks + p->haves == 0 && p->stats.dont_haves >= NOES_MAX;
    return !is_barren || cn_prng_below(&c->prng, 8) == 0;
}

/* Whom to ask first where nothing is known of a session's content. */
static cn_client_peer *likeliest(cn_client *c, const cn_want *w)
{
    cn_client_peer *best = NULL;
    for (cn_ring *r = c->peers.next; r != &c->peers; r = r->next) {
        cn_client_peer *p = CN_CONTAINER(r, cn_client_peer, node);
        if (!p->is_usable || p->is_silent || !has_room(p) || cn_ask_of(w, p) != NULL) {
            continue;
        }
        bool is_better = best == NULL || p->stats.blocks > best->stats.blocks ||
                         (p->stats.blocks == best->stats.blocks && p->haves > best->haves);
        best = is_better ? p : best;
    }
    return best;
}

/* Ask everybody who may pay whether they have it; returns how many were asked. */
static size_t broadcast(cn_client *c, const cn_session *s, cn_want *w)
{
    size_t asked = 0;
    if (s->blocks == 0 && w->block_ask == NULL) {
        cn_client_peer *first = likeliest(c, w);
        asked += first != NULL && cn_ask_peer(c, w, first, true);
    }
    for (cn_ring *r = c->peers.next; r != &c->peers && asked < CN_CLIENT_BROADCAST_PEERS;
         r = r->next) {
        cn_client_peer *p = CN_CONTAINER(r, cn_client_peer, node);
        if (p->is_usable && !p->is_silent && !p->is_old && p->open_len < CN_CLIENT_OPEN_MAX &&
            cn_ask_of(w, p) == NULL && (s->blocks == 0 || may_pay(c, p))) {
            asked += cn_ask_peer(c, w, p, false);
        }
    }
    return asked;
}

/* Nobody of the session is left for the want at its front. */
static void ask_others(cn_client *c, cn_session *s, cn_want *w)
{
    if (s->broadcasts >= CN_CLIENT_BROADCAST_WANTS) {
        cn_want_set(c, w, CN_WANT_STARVED); /* until one of those is answered */
        return;
    }
    size_t asked = broadcast(c, s, w);
    if (asked > 0 || has_open_ask(w)) {
        cn_want_set(c, w, CN_WANT_ASKED);
        w->is_broadcast = true;
        s->broadcasts++;
        return;
    }
    cn_want_set(c, w, CN_WANT_STARVED);
    s->is_starving = true;
}

/* Peers that gave something before, and the one there is if there is but one, are members. */
static void begin_session(cn_client *c, cn_session *s)
{
    cn_client_peer *only = NULL;
    size_t usable = 0;
    for (cn_ring *r = c->peers.next; r != &c->peers; r = r->next) {
        cn_client_peer *p = CN_CONTAINER(r, cn_client_peer, node);
        usable += p->is_usable;
        only = p->is_usable ? p : only;
        if (p->is_usable && p->stats.blocks > 0) {
            (void)cn_session_join(c, s, p);
        }
    }
    if (usable == 1) {
        (void)cn_session_join(c, s, only);
    }
    s->has_begun = usable > 0;
}

static void pump_session(cn_client *c, cn_session *s)
{
    if (!s->has_begun && !cn_ring_is_empty(&s->waiting)) {
        begin_session(c, s);
    }
    while (!cn_ring_is_empty(&s->waiting)) {
        cn_want *w = CN_CONTAINER(s->waiting.next, cn_want, node);
        bool wait = false;
        cn_client_peer *p = w->block_ask != NULL ? NULL : choose(s, w, &wait);
        if (wait) {
            return; /* windows open again when blocks come */
        }
        if (w->block_ask != NULL || (p != NULL && cn_ask_peer(c, w, p, true))) {
            cn_want_set(c, w, CN_WANT_ASKED);
        } else if (p != NULL) {
            return; /* no memory now */
        } else {
            ask_others(c, s, w);
        }
    }
}

void cn_client_pump(cn_client *c, cn_time now)
{
    size_t at = 0;
    cn_id id = CN_ID_NONE;
    CN_UNUSED(now);
    if (c->is_pumped) {
        return;
    }
    for (cn_session *s; (s = cn_slots_next(&c->sessions, &at, &id)) != NULL;) {
        pump_session(c, s);
    }
    c->is_pumped = true;
}

/* --- hearing --- */

/* Others were sent more and answered it: those before were lost on the way or dropped there. */
static void resend_lost(cn_client *c, cn_client_peer *p, uint64_t answered_order, cn_time now)
{
    while (!cn_ring_is_empty(&p->open[1])) {
        cn_ask *a = CN_CONTAINER(p->open[1].next, cn_ask, node);
        bool is_young = now.ns - a->at.ns < lost_ns;
        if (is_young || a->order + ORDER_LOST >= answered_order || a->resent >= RESENT_MAX) {
            return;
        }
        a->resent++;
        cn_ask_resend(c, a);
    }
}

/* What nobody was left for while `p` was silent: all of it where it is a member. */
static void feed_sessions(cn_client *c, const cn_client_peer *p)
{
    size_t at = 0;
    cn_id id = CN_ID_NONE;
    for (cn_session *s; (s = cn_slots_next(&c->sessions, &at, &id)) != NULL;) {
        do {
            cn_session_feed(c, s);
        } while (!cn_ring_is_empty(&s->starved) && cn_session_member(s, p) != NULL);
    }
}

/* What was taken from a silent peer may be given to it once more. */
static void revive(cn_client *c, cn_client_peer *p)
{
    p->is_silent = false;
    for (cn_ring *r = p->answered.next, *next; r != &p->answered; r = next) {
        cn_ask *a = CN_CONTAINER(r, cn_ask, node);
        cn_want *w = a->want;
        next = r->next;
        if (a->answer == CN_ANSWER_LOST) {
            cn_ask_drop(c, a, false);
            if (!has_open_ask(w)) {
                cn_want_again(c, w);
            }
        }
    }
    feed_sessions(c, p);
}

static void heard(cn_client *c, cn_client_peer *p, cn_time now)
{
    p->alive = now;
    c->is_pumped = false;
    if (p->is_silent) {
        revive(c, p);
    }
}

void cn_client_presence(cn_client *c, cn_client_peer *p, const cn_cid *cid, bool has, cn_time now)
{
    heard(c, p, now); /* it may drop asks: look for ours after that */
    cn_want *w = cn_client_find(c, cid);
    cn_ask *a = w == NULL ? NULL : cn_ask_of(w, p);
    p->haves += has;
    p->stats.dont_haves += !has;
    if (a == NULL || w->state == CN_WANT_ARRIVING || (a->is_block && has)) {
        return; /* one asked for the block that says it has it will send it */
    }
    cn_ask_answer(a, has ? CN_ANSWER_HAVE : CN_ANSWER_DONT_HAVE);
    for (cn_interest *i = w->interests; i != NULL; i = i->next) {
        cn_member *m = has ? cn_session_join(c, i->session, p) : cn_session_member(i->session, p);
        if (m != NULL) {
            m->noes = has ? 0 : m->noes + 1;
        }
        if (m != NULL && m->noes >= NOES_MAX) {
            cn_session_leave(i->session, p);
        }
    }
    if (w->block_ask == NULL && (has || !has_open_ask(w) || a->is_block)) {
        cn_want_again(c, w);
    }
}

static cn_client_match duplicate(cn_client *c, cn_client_peer *p, size_t bytes)
{
    c->stats.duplicates++;
    c->stats.duplicate_bytes += bytes;
    if (p != NULL) {
        p->stats.duplicates++;
    }
    return CN_CLIENT_DUPLICATE;
}

static cn_client_match wrong(cn_client *c, cn_client_peer *p)
{
    c->stats.wrong++;
    p->stats.wrong++;
    /* it answers wants with something else: they are better asked of others */
    while (!cn_ring_is_empty(&p->open[1])) {
        cn_ask *a = CN_CONTAINER(p->open[1].prev, cn_ask, node);
        cn_ask_answer(a, CN_ANSWER_LOST);
        cn_want_again(c, a->want);
    }
    return p->stats.wrong >= CN_CLIENT_WRONG_MAX ? CN_CLIENT_LET_GO : CN_CLIENT_WRONG;
}

static void credit(cn_client *c, const cn_want *w, cn_client_peer *p, size_t bytes, cn_time now)
{
    for (cn_interest *i = w->interests; i != NULL; i = i->next) {
        cn_session *s = i->session;
        cn_member *m = p == NULL ? NULL : cn_session_join(c, s, p);
        if (m != NULL) {
            m->noes = 0;
            m->blocks++;
            m->block_bytes += bytes;
        }
        s->blocks++;
        s->progress = now;
        s->idles = 0;
    }
}

bool cn_client_expects(const cn_client *c, const cn_client_peer *p, const cn_cid *cid)
{
    return cn_client_find(c, cid) != NULL || cn_peer_was_asked(p, cid);
}

cn_client_match cn_client_block(
    cn_client *c, cn_client_peer *p, const cn_cid *cid, size_t bytes, bool is_held, cn_time now)
{
    cn_want *w = cn_client_find(c, cid);
    if (p != NULL) {
        heard(c, p, now);
    }
    if (w == NULL || w->state == CN_WANT_ARRIVING) {
        bool is_late = p == NULL || is_held || cn_client_expects(c, p, cid);
        return is_late ? duplicate(c, p, bytes) : wrong(c, p);
    }
    const cn_ask *a = p == NULL ? NULL : cn_ask_of(w, p);
    uint64_t order = a != NULL && a->is_block && a->is_sent ? a->order : 0;
    credit(c, w, p, bytes, now);
    if (p != NULL) {
        cn_peer_delivered(p, bytes, order > 0 ? now.ns - a->at.ns : 0, now);
        p->stats.blocks++;
        p->stats.block_bytes += bytes;
    }
    c->stats.blocks++;
    c->stats.block_bytes += bytes;
    cn_ask_drop_all(c, w, p);
    cn_want_set(c, w, CN_WANT_ARRIVING);
    if (order > 0) {
        p->answered_order = CN_MAX(p->answered_order, order);
        resend_lost(c, p, order, now);
    }
    return CN_CLIENT_WANTED;
}

/* --- time --- */

/* It says nothing: others are asked for what it was asked. */
static void give_up_silent(cn_client *c, cn_client_peer *p, cn_time now)
{
    p->is_silent = true;
    p->silent_since = now;
    for (int kind = 1; kind >= 0; kind--) {
        while (!cn_ring_is_empty(&p->open[kind])) {
            cn_ask *a = CN_CONTAINER(p->open[kind].prev, cn_ask, node);
            cn_ask_answer(a, CN_ANSWER_LOST);
            if (a->want->block_ask == NULL) {
                cn_want_again(c, a->want);
            }
        }
    }
}

static bool another_has(const cn_want *w)
{
    for (const cn_ask *a = w->asks; a != NULL; a = a->next) {
        if (a->answer == CN_ANSWER_HAVE && !a->peer->is_silent) {
            return true;
        }
    }
    return false;
}

/*
 * The peer has answered what it was asked later and is quiet now: the want was dropped there, as a
 * Kubo does beyond 1,024, or the answer went with a stream that was reset.
 */
static bool seems_lost(const cn_client_peer *p, const cn_ask *a, cn_time now)
{
    uint64_t usual_ns = p->rate == 0 ? 0 : p->block_bytes * 1000000000 / p->rate;
    int64_t quiet_ns = CN_MAX(impatient_ns, 4 * (int64_t)CN_MIN(usual_ns, 1000000000));
    return a->order < p->answered_order && a->resent < RESENT_MAX &&
           now.ns - p->alive.ns >= quiet_ns;
}

/* Wants that one of others has, at a peer from which nothing at all has come; and forgotten ones.
 */
static void look_at_oldest(cn_client *c, cn_client_peer *p, cn_time now)
{
    for (int kind = 0; kind < 2; kind++) {
        for (cn_ring *r = p->open[kind].next, *next; r != &p->open[kind]; r = next) {
            cn_ask *a = CN_CONTAINER(r, cn_ask, node);
            int64_t age = now.ns - a->at.ns;
            bool is_impatient =
                kind == 1 && age >= impatient_ns && p->alive.ns <= a->at.ns && another_has(a->want);
            next = r->next;
            if (age < impatient_ns) {
                break;
            }
            bool is_no = p->is_old && now.ns - CN_MAX(p->delivered.ns, a->at.ns) >= old_ns;
            if (is_impatient || is_no || (age >= unanswered_ns && a->resent >= RESENT_MAX)) {
                cn_ask_answer(a, CN_ANSWER_LOST);
                cn_want_again(c, a->want);
            } else if (age >= unanswered_ns || (kind == 1 && seems_lost(p, a, now))) {
                a->resent++;
                cn_ask_resend(c, a);
            }
        }
    }
}

static void look_at_peer(cn_client *c, cn_client_peer *p, cn_time now)
{
    cn_client_peer_tell(c, p); /* what could not be sent before */
    if (p->is_silent && now.ns - p->silent_since.ns >= revive_ns) {
        revive(c, p); /* perhaps it never got what it was asked */
    }
    if (cn_ring_is_empty(&p->open[0]) && cn_ring_is_empty(&p->open[1])) {
        return;
    }
    if (now.ns - p->alive.ns >= silent_ns) {
        give_up_silent(c, p, now);
    } else {
        look_at_oldest(c, p, now);
    }
}

/* A want of the session that nobody has given yet. */
static cn_want *an_open_want(const cn_session *s)
{
    const cn_ring *const rings[] = {&s->starved, &s->asked, &s->waiting};
    for (size_t i = 0; i < CN_LEN(rings); i++) {
        if (!cn_ring_is_empty(rings[i])) {
            return CN_CONTAINER(rings[i]->next, cn_want, node);
        }
    }
    return NULL;
}

/* Ask those again who said no long ago: they may have got it meanwhile. */
static void ask_again(cn_client *c, cn_session *s)
{
    for (size_t i = 0; i < CN_CLIENT_BROADCAST_WANTS && !cn_ring_is_empty(&s->starved); i++) {
        cn_want *w = CN_CONTAINER(s->starved.next, cn_want, node);
        cn_ask_drop_all(c, w, NULL);
        cn_want_set(c, w, CN_WANT_WAITING);
    }
}

static void look_at_session(cn_client *c, cn_session *s, cn_time now)
{
    int64_t limit = s->idles == 0 ? idle_ns : idle_again_ns;
    bool is_late = s->interests_len > 0 && now.ns - s->progress.ns >= limit;
    const cn_want *w = is_late || s->is_starving ? an_open_want(s) : NULL;
    if (is_late) {
        s->progress = now;
        s->idles++;
        if (s->idles > 1) {
            ask_again(c, s);
        }
    }
    s->is_starving = false;
    if (w != NULL) {
        cn_cid cid = w->cid;
        s->sink->ops->idle(s->sink, &cid); /* s may be gone now */
    }
}

cn_time cn_client_deadline(const cn_client *c)
{
    size_t at = 0;
    cn_id id = CN_ID_NONE;
    bool has_work = false;
    for (const cn_session *s; (s = cn_slots_next(&c->sessions, &at, &id)) != NULL;) {
        if (s->is_starving) {
            return (cn_time){0};
        }
        has_work = has_work || s->interests_len > 0;
    }
    return has_work ? cn_time_after(c->ticked, tick_ns) : CN_TIME_NEVER;
}

void cn_client_tick(cn_client *c, cn_time now)
{
    size_t at = 0;
    cn_id id = CN_ID_NONE;
    if (now.ns < cn_client_deadline(c).ns) {
        return;
    }
    c->ticked = now;
    for (cn_ring *r = c->peers.next; r != &c->peers; r = r->next) {
        look_at_peer(c, CN_CONTAINER(r, cn_client_peer, node), now);
    }
    for (cn_session *s; (s = cn_slots_next(&c->sessions, &at, &id)) != NULL;) {
        look_at_session(c, s, now);
    }
    cn_client_pump(c, now);
}
