/*
 * Peers and what they are asked: lists of asks, what goes out, and how many blocks may be open at a
 * peer.
 */
#include "exchange/bitswap/client_internal.h"
#include "exchange/bitswap/message.h"

enum {
    CANCELS_MAX_BYTES = 256 << 10,
    PRIORITY_FIRST = 1 << 30,
    RATE_NS = 50 * 1000 * 1000,   /* how long a rate is measured */
    AHEAD_NS = 250 * 1000 * 1000, /* what a window holds beyond the peer's delay */
    LEAST_BYTES = 256 << 10,
    ENTRY_MAX_BYTES = 256,
};

static const int64_t delay_kept_ns = 10 * CN_NS_PER_S; /* the least delay of so long counts */

cn_err cn_client_peer_up(cn_client *c, const cn_peer_id *id, void *owner, cn_client_peer **ret)
{
    if (c->peers_len >= CN_CLIENT_PEERS_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    cn_client_peer *p = cn_alloc(c->mem, sizeof *p);
    if (p == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *p = (cn_client_peer){
        .id = *id, .owner = owner, .is_usable = true, .window = CN_CLIENT_WINDOW_FIRST};
    cn_ring *const rings[] = {&p->node,    &p->dirty,   &p->unsent,
                              &p->open[0], &p->open[1], &p->answered};
    for (size_t i = 0; i < CN_LEN(rings); i++) {
        cn_ring_init(rings[i]);
    }
    cn_buf_init(&p->cancels, c->mem, CANCELS_MAX_BYTES);
    cn_ring_push(&c->peers, &p->node);
    c->peers_len++;
    *ret = p;
    cn_client_peer_usable(c, p, true);
    return CN_OK;
}

void *cn_client_owner(const cn_client_peer *p)
{
    return p->owner;
}

/* Its asks end; what it was asked for is asked of others. */
static void drop_asks(cn_client *c, cn_client_peer *p)
{
    cn_ring *const rings[] = {&p->answered, &p->open[0], &p->open[1], &p->unsent};
    for (size_t i = 0; i < CN_LEN(rings); i++) {
        while (!cn_ring_is_empty(rings[i])) {
            /* the youngest first, so that the oldest is in front in the end */
            cn_ask *a = CN_CONTAINER(rings[i]->prev, cn_ask, node);
            cn_want *w = a->want;
            cn_ask_drop(c, a, false);
            if (w->block_ask == NULL) {
                cn_want_again(c, w);
            }
        }
    }
}

void cn_client_peer_down(cn_client *c, cn_client_peer *p)
{
    size_t at = 0;
    cn_id id = CN_ID_NONE;
    for (cn_session *s; (s = cn_slots_next(&c->sessions, &at, &id)) != NULL;) {
        cn_session_leave(s, p);
    }
    drop_asks(c, p);
    cn_ring_remove(&p->node);
    cn_ring_remove(&p->dirty);
    c->peers_len--;
    cn_buf_release(&p->cancels);
    cn_free(c->mem, p->recent);
    cn_free(c->mem, p);
}

/* Someone new is there: wants that only wait for answers are asked of it too. */
static void ask_newcomer(cn_client *c, cn_session *s, cn_client_peer *p)
{
    size_t asked = 0;
    cn_session_feed(c, s);
    for (cn_ring *r = s->asked.next; r != &s->asked && asked < CN_CLIENT_BROADCAST_WANTS;
         r = r->next) {
        cn_want *w = CN_CONTAINER(r, cn_want, node);
        if (w->is_broadcast && cn_ask_of(w, p) == NULL) {
            asked += cn_ask_peer(c, w, p, false);
        }
    }
}

void cn_client_peer_usable(cn_client *c, cn_client_peer *p, bool usable)
{
    size_t at = 0;
    cn_id id = CN_ID_NONE;
    p->is_usable = usable;
    if (!usable) {
        drop_asks(c, p);
        return;
    }
    for (cn_session *s; (s = cn_slots_next(&c->sessions, &at, &id)) != NULL;) {
        ask_newcomer(c, s, p);
    }
    c->is_pumped = false;
}

void cn_client_peer_old(cn_client_peer *p, bool old)
{
    p->is_old = old;
}

void cn_client_peer_again(cn_client *c, cn_client_peer *p)
{
    cn_buf_reset(&p->cancels); /* what it was told is forgotten there */
    for (int kind = 1; kind >= 0; kind--) {
        while (!cn_ring_is_empty(&p->open[kind])) {
            cn_ask_resend(c, CN_CONTAINER(p->open[kind].next, cn_ask, node));
        }
    }
}

void cn_client_peer_tell(cn_client *c, cn_client_peer *p)
{
    if (p->cancels.len > 0 || !cn_ring_is_empty(&p->unsent)) {
        cn_peer_is_dirty(c, p);
    }
}

void cn_client_peer_alive(cn_client_peer *p, cn_time now)
{
    p->alive = now;
}

cn_ask *cn_ask_of(const cn_want *w, const cn_client_peer *p)
{
    cn_ask *a = w->asks;
    while (a != NULL && a->peer != p) {
        a = a->next;
    }
    return a;
}

void cn_peer_is_dirty(cn_client *c, cn_client_peer *p)
{
    if (cn_ring_is_empty(&p->dirty)) {
        cn_ring_push(&c->dirty, &p->dirty);
    }
}

static void count_open(cn_ask *a, bool open)
{
    cn_client_peer *p = a->peer;
    p->open_len += open ? 1 : (size_t)-1;
    if (a->is_block) {
        p->open_blocks_len += open ? 1 : (size_t)-1;
    }
}

bool cn_ask_peer(cn_client *c, cn_want *w, cn_client_peer *p, bool is_block)
{
    cn_ask *a = cn_ask_of(w, p);
    if (a == NULL) {
        a = cn_alloc(c->mem, sizeof *a);
        if (a == NULL) {
            return false;
        }
        *a = (cn_ask){.want = w, .peer = p, .next = w->asks};
        cn_ring_init(&a->node);
        w->asks = a;
    } else if (a->answer == CN_ANSWER_NONE) {
        count_open(a, false);
    }
    a->is_block = is_block;
    a->answer = CN_ANSWER_NONE;
    a->is_sent = false;
    count_open(a, true);
    if (is_block) {
        CN_ASSERT(w->block_ask == NULL || w->block_ask == a);
        w->block_ask = a;
    }
    cn_ring_push(&p->unsent, &a->node);
    cn_peer_is_dirty(c, p);
    return true;
}

static uint64_t key_end(const cn_cid *cid)
{
    cn_slice key = cn_cid_key(cid);
    uint64_t end = 0;
    cn_slice last = cn_slice_skip(key, key.len > sizeof end ? key.len - sizeof end : 0);
    cn_copy(&end, last.data, last.len);
    return end;
}

/* Remember that `p` was asked for this: the block may still come, and is then no lie. */
static void remember(cn_client *c, cn_client_peer *p, const cn_cid *cid)
{
    if (p->recent == NULL) {
        p->recent = cn_alloc_array(c->mem, RECENT, sizeof *p->recent);
    }
    if (p->recent != NULL) {
        p->recent[p->recent_len++ % RECENT] = key_end(cid);
    }
}

bool cn_peer_was_asked(const cn_client_peer *p, const cn_cid *cid)
{
    uint64_t end = key_end(cid);
    for (size_t i = 0; p->recent != NULL && i < CN_MIN(p->recent_len, (size_t)RECENT); i++) {
        if (p->recent[i] == end) {
            return true;
        }
    }
    return false;
}

void cn_ask_drop(cn_client *c, cn_ask *a, bool cancel)
{
    cn_want *w = a->want;
    cn_client_peer *p = a->peer;
    cn_ask **at = &w->asks;
    while (*at != a) {
        at = &(*at)->next;
    }
    *at = a->next;
    if (w->block_ask == a) {
        w->block_ask = NULL;
    }
    if (a->answer == CN_ANSWER_NONE) {
        count_open(a, false);
    }
    /* one that was sent before and is to be sent again is known there too */
    bool is_known = a->is_sent || a->order > 0;
    if (is_known) {
        remember(c, p, &w->cid);
    }
    if (is_known && cancel && a->answer == CN_ANSWER_NONE &&
        cn_message_put_cancel(&p->cancels, &w->cid) == CN_OK) {
        c->stats.cancels_sent++;
        cn_peer_is_dirty(c, p);
    }
    cn_ring_remove(&a->node);
    cn_free(c->mem, a);
}

void cn_ask_drop_all(cn_client *c, cn_want *w, const cn_client_peer *but)
{
    while (w->asks != NULL) {
        cn_ask_drop(c, w->asks, w->asks->peer != but);
    }
}

void cn_ask_answer(cn_ask *a, cn_answer answer)
{
    if (a->answer == CN_ANSWER_NONE) {
        count_open(a, false);
    }
    a->answer = (uint8_t)answer;
    if (a->want->block_ask == a) {
        a->want->block_ask = NULL;
    }
    cn_ring_push(&a->peer->answered, &a->node);
}

void cn_ask_resend(cn_client *c, cn_ask *a)
{
    a->is_sent = false;
    c->stats.resent++;
    cn_ring_push(&a->peer->unsent, &a->node);
    cn_peer_is_dirty(c, a->peer);
}

cn_client_peer *cn_client_next_dirty(cn_client *c)
{
    if (cn_ring_is_empty(&c->dirty)) {
        return NULL;
    }
    cn_client_peer *p = CN_CONTAINER(c->dirty.next, cn_client_peer, dirty);
    cn_ring_remove(&p->dirty);
    return p;
}

/* It is taken to be sent now. */
static void note_sent(cn_client *c, cn_ask *a, cn_time now)
{
    cn_client_peer *p = a->peer;
    bool is_first = cn_ring_is_empty(&p->open[0]) && cn_ring_is_empty(&p->open[1]);
    if (is_first) {
        p->alive = now; /* silence is counted from here */
        /* time in which it was asked for nothing says nothing of its rate */
        p->rate_since.ns += now.ns - CN_MAX(p->rate_since.ns, p->delivered.ns);
    }
    a->is_sent = true;
    a->at = now;
    a->order = ++p->order;
    cn_ring_push(&p->open[a->is_block], &a->node);
    c->sent_seq++;
    c->stats.wants_sent += a->is_block;
    c->stats.haves_sent += !a->is_block;
}

cn_err cn_client_write(
    cn_client *c, cn_client_peer *p, cn_buf *entries, size_t max_bytes, cn_time now, bool *ret_more)
{
    cn_err err = CN_OK;
    size_t before = entries->len;
    if (p->cancels.len > 0) {
        CN_TRY(cn_buf_append(entries, cn_buf_slice(&p->cancels)));
        cn_buf_reset(&p->cancels);
    }
    while (!cn_ring_is_empty(&p->unsent) &&
           entries->len - before + ENTRY_MAX_BYTES <= CN_MAX(max_bytes, 2 * ENTRY_MAX_BYTES)) {
        cn_ask *a = CN_CONTAINER(p->unsent.next, cn_ask, node);
        int32_t priority = PRIORITY_FIRST - (int32_t)(c->sent_seq % (PRIORITY_FIRST - 1));
        CN_TRY(cn_message_put_want(entries, &a->want->cid, priority, !a->is_block, true));
        note_sent(c, a, now);
    }
    *ret_more = !cn_ring_is_empty(&p->unsent);
out:
    if (err != CN_OK) {
        cn_peer_is_dirty(c, p);
    }
    return err;
}

/* What it delivers within its delay and a little more; small blocks at least for LEAST_BYTES, as
 * the rate of the first few tells of the round trip and not of the line. */
static void adapt_window(cn_client_peer *p)
{
    if (p->rate == 0 || p->block_bytes == 0) {
        return;
    }
    uint64_t ahead_ns = (uint64_t)(CN_MIN(p->delay_ns, 4 * CN_NS_PER_S) + AHEAD_NS);
    uint64_t bytes = p->rate / 1000 * (ahead_ns / 1000000);
    size_t window = (size_t)(bytes / p->block_bytes);
    size_t least = CN_MAX((size_t)(LEAST_BYTES / p->block_bytes), (size_t)CN_CLIENT_WINDOW_MIN);
    p->window = CN_MIN(CN_MAX(window, least), (size_t)CN_CLIENT_OPEN_MAX);
}

void cn_peer_delivered(cn_client_peer *p, size_t bytes, int64_t delay_ns, cn_time now)
{
    p->block_bytes =
        p->block_bytes == 0 ? CN_MAX(bytes, 1) : p->block_bytes - p->block_bytes / 16 + bytes / 16;
    p->block_bytes = CN_MAX(p->block_bytes, 1);
    bool is_old = now.ns - p->delay_at.ns >= delay_kept_ns;
    if (delay_ns > 0 && (p->delay_ns == 0 || delay_ns < p->delay_ns || is_old)) {
        p->delay_ns = delay_ns;
        p->delay_at = now;
    }
    p->rate_bytes += bytes;
    p->delivered = now;
    int64_t span = now.ns - p->rate_since.ns;
    if (span >= RATE_NS) {
        uint64_t rate = p->rate_bytes * 1000 / (uint64_t)(span / 1000000);
        p->rate = rate > p->rate ? rate : p->rate - p->rate / 8 + rate / 8;
        p->rate_bytes = 0;
        p->rate_since = now;
        adapt_window(p);
    }
}

void cn_client_peer_stat(const cn_client_peer *p, cn_client_peer_stats *ret)
{
    *ret = p->stats;
    ret->open = p->open_len;
    ret->window = p->window;
    ret->bytes_per_s = p->rate;
    ret->delay_ns = p->delay_ns;
}
