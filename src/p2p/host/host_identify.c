/*
 * identify: each new peer is asked who it is, and told when it asks; what changes here later is
 * pushed. Here are the streams; what is told stands in host_told.c, what we tell in host_own.c.
 * spec: libp2p/identify
 */
#include "p2p/host/host_internal.h"

enum {
    READS_MAX = 1024,
    READ_S = 30,
    AGAIN_S = 5, /* after a question in vain; then twice as long each time */
    AGAIN_MAX_S = 600,
    PUSHES_MAX = 32,          /* at once */
    PUSHES_IN_MAX = 8,        /* of one peer at once */
    PUSHES_IN_PAUSE_MS = 500, /* for each further one */
    PUSH_WORK = 50,           /* a push that is taken in; and more for each thing that it lists */
    PUSH_S = 5,
    PUSH_WAIT_MS = 200,   /* changes that come together go out together */
    PUSH_INTERVAL_S = 10, /* between two rounds */
};

static const char *const ID[] = {"/ipfs/id/1.0.0"};
static const char *const PUSH[] = {"/ipfs/id/push/1.0.0"};

/* An answer or a push that comes in. */
typedef struct id_read {
    struct id_read *next;
    cn_id stream;
    cn_id conn;
    cn_time deadline;
    bool is_push;
    cn_identify_reader reader;
} id_read;

typedef struct id_push {
    cn_id stream; /* none: free */
    cn_time deadline;
} id_push;

typedef struct host_identify {
    cn_protocol ask;
    cn_protocol push;
    cn_host *h;
    id_read *reads;
    size_t reads_len;
    id_push pushes[PUSHES_MAX];
    size_t pushes_len;
    uint32_t version; /* of what we tell; counts changes */
    cn_time push_at;
    cn_time pushed;
    cn_time again_at; /* not later than that of any peer */
} host_identify;

static const cn_protocol_ops push_ops;

static host_identify *of(cn_protocol *p)
{
    return p->ops == &push_ops ? CN_CONTAINER(p, host_identify, push)
                               : CN_CONTAINER(p, host_identify, ask);
}

/* --- streams --- */

static cn_err say(host_identify *s, cn_id stream)
{
    cn_err err = CN_OK;
    cn_host *h = s->h;
    cn_buf out = {0};
    cn_conn_info info = {0};
    const host_stream *at = cn_slots_get(&h->streams, stream);
    cn_buf_init(&out, h->mem, CN_IDENTIFY_OWN_MAX_BYTES + 16);
    if (at == NULL || !at->conn->transport->ops->info(at->conn->transport, at->conn->raw, &info)) {
        return CN_ERR_CLOSED;
    }
    at->conn->peer->version_told = s->version;
    CN_TRY(cn_host_own_encode(h, &info, &out));
    CN_TRY(cn_host_write(h, stream, &out));
    cn_host_close_stream(h, stream);
out:
    cn_buf_release(&out);
    return err;
}

static id_read **find_read(host_identify *s, cn_id stream)
{
    id_read **at = &s->reads;
    while (*at != NULL && !cn_id_eq((*at)->stream, stream)) {
        at = &(*at)->next;
    }
    return at;
}

static cn_err add_read(host_identify *s, cn_id stream, cn_id conn, bool is_push)
{
    cn_host *h = s->h;
    if (s->reads_len == READS_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    id_read *r = cn_alloc(h->mem, sizeof(*r));
    if (r == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *r = (id_read){.stream = stream, .conn = conn, .is_push = is_push, .next = s->reads};
    r->deadline = cn_time_after(h->now, READ_S * CN_NS_PER_S);
    cn_identify_reader_init(&r->reader, h->mem);
    s->reads = r;
    s->reads_len++;
    return CN_OK;
}

static void free_read(host_identify *s, id_read **at)
{
    id_read *r = *at;
    *at = r->next;
    s->reads_len--;
    cn_identify_reader_release(&r->reader);
    cn_free(s->h->mem, r);
}

static void tell_identified(cn_host *h, const cn_peer_id *peer)
{
    for (size_t i = 0; i < h->protocols_len; i++) {
        cn_protocol *p = h->protocols[i].p;
        if (p->ops->identified != NULL) {
            p->ops->identified(p, peer);
        }
    }
}

/* It was asked in vain: again after a while, as long as a connection lives. */
static void ask_later(host_identify *s, host_peer *peer)
{
    int64_t wait_s = AGAIN_S;
    for (uint32_t i = 0; i < peer->asked_in_vain && wait_s < AGAIN_MAX_S; i++) {
        wait_s *= 2;
    }
    peer->known = HOST_SILENT;
    peer->asked_in_vain++;
    peer->ask_at = cn_time_after(s->h->now, CN_MIN(wait_s, AGAIN_MAX_S) * CN_NS_PER_S);
    s->again_at = cn_host_sooner(s->again_at, peer->ask_at);
}

/* The connection may be closed already, and the peer have another one. */
static void end_read(host_identify *s, id_read **at, bool is_whole)
{
    cn_host *h = s->h;
    id_read *r = *at;
    host_conn *c = cn_slots_get(&h->conns, r->conn);
    cn_identify_fields f = {0};
    bool is_known = false;
    cn_peer_id peer = {0};
    cn_id stream = r->stream;
    if (c != NULL) {
        peer = c->peer->id;
        is_known = is_whole && !c->is_gone && cn_identify_end(&r->reader, &f, NULL) == CN_OK &&
                   cn_host_told_take(h, c, &f) == CN_OK;
        if (is_known) {
            c->peer->known = HOST_KNOWN;
        } else if (!r->is_push && c->peer->known != HOST_KNOWN) {
            ask_later(s, c->peer);
        }
    }
    if (r->is_push) {
        cn_host_charge(h, stream, PUSH_WORK + f.addresses_len + f.protocols_len);
    }
    free_read(s, at);
    if (is_known) {
        tell_identified(h, &peer);
    }
}

/* --- the protocols --- */

/* Each push is read, sorted and kept: who pushes all the time is not listened to. */
static bool may_push(cn_host *h, host_peer *peer)
{
    int64_t pause_ns = PUSHES_IN_PAUSE_MS * CN_NS_PER_MS;
    int64_t at = CN_MAX(peer->pushes_at.ns, h->now.ns) + pause_ns;
    if (at - h->now.ns > PUSHES_IN_MAX * pause_ns) {
        h->counts.refused_streams++;
        return false;
    }
    peer->pushes_at.ns = at;
    return true;
}

static cn_err opened(cn_protocol *p, cn_id stream, const cn_peer_id *peer, const char *name)
{
    host_identify *s = of(p);
    const host_stream *at = cn_slots_get(&s->h->streams, stream);
    bool is_push = p == &s->push;
    CN_UNUSED(peer);
    CN_UNUSED(name);
    if (at->is_ours) {
        return CN_OK;
    }
    if (is_push && !may_push(s->h, at->conn->peer)) {
        return CN_ERR_BUSY;
    }
    return is_push ? add_read(s, stream, at->conn->id, true) : say(s, stream);
}

static cn_err data(cn_protocol *p, cn_id stream, cn_slice bytes)
{
    host_identify *s = of(p);
    id_read **at = find_read(s, stream);
    cn_host_consumed(s->h, stream, bytes.len);
    if (*at == NULL) {
        return CN_OK; /* nothing is expected from one who asks */
    }
    cn_err err = cn_identify_recv(&(*at)->reader, bytes, NULL);
    if (err != CN_OK) {
        end_read(s, at, false);
    }
    return err;
}

static void push_over(host_identify *s, cn_id stream)
{
    for (size_t i = 0; i < PUSHES_MAX; i++) {
        if (!cn_id_is_none(s->pushes[i].stream) && cn_id_eq(s->pushes[i].stream, stream)) {
            s->pushes[i].stream = CN_ID_NONE;
            s->pushes_len--;
            return;
        }
    }
}

static void ended(cn_protocol *p, cn_id stream, cn_stream_end how, const char *sentence)
{
    host_identify *s = of(p);
    id_read **at = find_read(s, stream);
    CN_UNUSED(sentence);
    cn_host_close_stream(s->h, stream);
    push_over(s, stream);
    if (*at != NULL) {
        end_read(s, at, how == CN_STREAM_FIN);
    }
}

void cn_host_identify_begin(cn_host *h, host_conn *c)
{
    host_identify *s = h->identify;
    cn_id stream = CN_ID_NONE;
    if (c->peer->known == HOST_KNOWN || c->peer->known == HOST_ASKED) {
        return;
    }
    if (cn_host_stream_open(h, c, &s->ask, ID, 1, &stream) != CN_OK) {
        ask_later(s, c->peer);
        return;
    }
    if (add_read(s, stream, c->id, false) != CN_OK) {
        cn_host_reset_stream(h, stream, 0);
        ask_later(s, c->peer);
        return;
    }
    c->peer->known = HOST_ASKED;
}

static host_conn *live_conn(const host_peer *peer)
{
    host_conn *c = peer->conns;
    while (c != NULL && c->is_gone) {
        c = c->next;
    }
    return c;
}

static void ask_again(host_identify *s)
{
    cn_host *h = s->h;
    size_t position = 0;
    cn_slice key = {0};
    void *value = NULL;
    s->again_at = CN_TIME_NEVER;
    while (cn_map_next(&h->peers, &position, &key, &value)) {
        host_peer *peer = *(host_peer **)value;
        host_conn *c = peer->known == HOST_SILENT ? live_conn(peer) : NULL;
        if (c != NULL && peer->ask_at.ns <= h->now.ns) {
            cn_host_identify_begin(h, c);
        } else if (c != NULL) {
            s->again_at = cn_host_sooner(s->again_at, peer->ask_at);
        }
    }
}

/* --- pushing --- */

void cn_host_identify_changed(cn_host *h)
{
    host_identify *s = h->identify;
    if (s == NULL) {
        return;
    }
    cn_time soon = cn_time_after(h->now, PUSH_WAIT_MS * CN_NS_PER_MS);
    cn_time next = cn_time_after(s->pushed, PUSH_INTERVAL_S * CN_NS_PER_S);
    s->version++;
    s->push_at = soon.ns > next.ns ? soon : next;
}

static void begin_push(host_identify *s, host_conn *c)
{
    cn_host *h = s->h;
    size_t i = 0;
    while (!cn_id_is_none(s->pushes[i].stream)) {
        i++;
    }
    c->peer->version_told = s->version;
    if (cn_host_stream_open(h, c, &s->push, PUSH, 1, &s->pushes[i].stream) != CN_OK) {
        s->pushes[i].stream = CN_ID_NONE;
        return;
    }
    cn_id stream = s->pushes[i].stream;
    s->pushes[i].deadline = cn_time_after(h->now, PUSH_S * CN_NS_PER_S);
    s->pushes_len++;
    if (say(s, stream) != CN_OK) {
        push_over(s, stream);
        cn_host_reset_stream(h, stream, 0);
    }
}

/* One round: all who know an older state, as many at once as is allowed. */
static void push_round(host_identify *s)
{
    cn_host *h = s->h;
    size_t position = 0;
    cn_slice key = {0};
    void *value = NULL;
    bool is_whole = true;
    s->push_at = CN_TIME_NEVER;
    s->pushed = h->now;
    while (cn_map_next(&h->peers, &position, &key, &value)) {
        host_peer *peer = *(host_peer **)value;
        host_conn *c = live_conn(peer);
        if (c == NULL || peer->version_told == s->version ||
            cn_host_speaks(h, &peer->id, PUSH[0]) != 1) {
            continue;
        }
        if (s->pushes_len == PUSHES_MAX) {
            is_whole = false;
            break;
        }
        begin_push(s, c);
    }
    if (!is_whole) {
        s->push_at = cn_time_after(h->now, PUSH_WAIT_MS * CN_NS_PER_MS);
    }
}

static cn_time deadline(const cn_protocol *p)
{
    const host_identify *s = (const host_identify *)p; /* that of `ask`, its first member */
    cn_time at = cn_host_sooner(s->push_at, s->again_at);
    for (const id_read *r = s->reads; r != NULL; r = r->next) {
        at = cn_host_sooner(at, r->deadline);
    }
    for (size_t i = 0; i < PUSHES_MAX && s->pushes_len > 0; i++) {
        if (!cn_id_is_none(s->pushes[i].stream)) {
            at = cn_host_sooner(at, s->pushes[i].deadline);
        }
    }
    return at;
}

static void end_late(host_identify *s, cn_time now)
{
    id_read **at = &s->reads;
    while (*at != NULL) {
        if ((*at)->deadline.ns > now.ns) {
            at = &(*at)->next;
            continue;
        }
        cn_host_reset_stream(s->h, (*at)->stream, 0);
        end_read(s, at, false);
    }
    for (size_t i = 0; i < PUSHES_MAX; i++) {
        cn_id stream = s->pushes[i].stream;
        if (!cn_id_is_none(stream) && s->pushes[i].deadline.ns <= now.ns) {
            push_over(s, stream);
            cn_host_reset_stream(s->h, stream, 0);
        }
    }
}

static void tick(cn_protocol *p, cn_time now)
{
    host_identify *s = of(p);
    end_late(s, now);
    if (s->again_at.ns <= now.ns) {
        ask_again(s);
    }
    if (s->push_at.ns <= now.ns) {
        push_round(s);
    }
}

static const cn_protocol_ops ask_ops = {
    .opened = opened, .data = data, .ended = ended, .deadline = deadline, .tick = tick};
static const cn_protocol_ops push_ops = {.opened = opened, .data = data, .ended = ended};

cn_err cn_host_identify_new(cn_host *h)
{
    cn_err err = CN_OK;
    host_identify *s = cn_alloc(h->mem, sizeof(*s));
    if (s == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *s = (host_identify){
        .ask = {&ask_ops, ID, 1, .streams_in_per_peer_max = 8, .streams_in_max = 1024},
        .push = {&push_ops, PUSH, 1, .streams_in_per_peer_max = 4, .streams_in_max = 256},
        .h = h,
        .push_at = CN_TIME_NEVER,
        .again_at = CN_TIME_NEVER,
        .pushed = {INT64_MIN / 2},
    };
    CN_TRY(cn_host_serve(h, &s->ask));
    CN_TRY(cn_host_serve(h, &s->push));
    h->identify = s;
    return CN_OK;
out:
    cn_free(h->mem, s);
    return err;
}

void cn_host_identify_free(cn_host *h)
{
    host_identify *s = h->identify;
    if (s == NULL) {
        return;
    }
    while (s->reads != NULL) {
        free_read(s, &s->reads);
    }
    cn_free(h->mem, s);
    h->identify = NULL;
}
