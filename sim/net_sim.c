/*
 * A node's sockets. Those that may have something to tell stand in a ring; what they have is looked
 * at when it is their turn, so a socket that was read empty meanwhile is passed over and one that
 * was not comes again: level-triggered, as epoll is.
 */
#include "sim/net_sim.h"

enum { SOCKETS_MAX = 4096, BACKLOG = 128, FIRST_PORT = 40000, NAME_NS = 20 * 1000000 };

typedef enum sock_kind {
    SOCK_LISTENER,
    SOCK_DIALING,
    SOCK_STREAM,
    SOCK_QUERY,
} sock_kind;

typedef struct sock {
    struct sock *next_ready;
    cn_id id;
    sock_kind kind;
    uint64_t tag;
    cn_endpoint at; /* listener */
    cn_id conn;     /* dialing, stream */
    unsigned end;   /* which one of it is ours */
    bool is_ready;  /* in the ring */
    bool is_paused;
    bool wants_write; /* a write was short */
    bool has_room;    /* WRITABLE is due */
    bool is_dialled;  /* OPENED or FAILED is due */
    bool is_answered; /* RESOLVED is due */
    cn_err err;       /* FAILED */
    cn_id callers[BACKLOG];
    size_t callers_len;
    cn_net_query query;
    char *name;
} sock;

struct sim_net {
    cn_net net;
    sim_node *node;
    cn_mem *mem;
    cn_slots sockets;
    sock *ready_first;
    sock *ready_last;
    size_t ready_len;
    uint16_t next_port;
    bool is_woken;
    bool is_cut;
};

static sim *world_of(const sim_net *n)
{
    return n->node->world;
}

static sock *add(sim_net *n, sock_kind kind, uint64_t tag)
{
    sock *s = cn_alloc(n->mem, sizeof(*s));
    CN_ASSERT(s != NULL);
    s->kind = kind;
    s->tag = tag;
    if (cn_slots_add(&n->sockets, s, &s->id) != CN_OK) {
        cn_free(n->mem, s);
        return NULL;
    }
    return s;
}

void sim_net_ready(sim_net *n, cn_id id)
{
    sock *s = cn_slots_get(&n->sockets, id);
    if (s == NULL || s->is_ready) {
        return;
    }
    s->is_ready = true;
    s->next_ready = NULL;
    *(n->ready_last == NULL ? &n->ready_first : &n->ready_last->next_ready) = s;
    n->ready_last = s;
    n->ready_len++;
    sim_wake(n->node, world_of(n)->now.ns);
}

static sock *shift(sim_net *n)
{
    sock *s = n->ready_first;
    n->ready_first = s->next_ready;
    n->ready_last = n->ready_first == NULL ? NULL : n->ready_last;
    n->ready_len--;
    s->is_ready = false;
    return s;
}

static void leave_ring(sim_net *n, sock *s)
{
    for (sock *at = n->ready_first, *before = NULL; at != NULL; before = at, at = at->next_ready) {
        if (at == s) {
            *(before == NULL ? &n->ready_first : &before->next_ready) = s->next_ready;
            n->ready_last = n->ready_last == s ? before : n->ready_last;
            n->ready_len--;
            return;
        }
    }
}

/* Forget a socket; what it was the end of is closed. */
static void drop(sim_net *n, sock *s, bool is_dark)
{
    sim_conn *c = sim_conn_get(world_of(n), s->conn);
    if (s->is_ready) {
        leave_ring(n, s);
    }
    (void)cn_slots_remove(&n->sockets, s->id);
    if (c != NULL) {
        sim_conn_close(c, s->end, is_dark);
    }
    for (size_t i = 0; i < s->callers_len; i++) {
        c = sim_conn_get(world_of(n), s->callers[i]);
        if (c != NULL) {
            sim_conn_close(c, 1, is_dark);
        }
    }
    cn_free(n->mem, s->name);
    cn_free(n->mem, s);
}

/* The two ends of a socket that is a stream; NULL: it is not one. */
static sim_conn *stream_of(cn_net *net, cn_id id, sock **ret)
{
    sim_net *n = (sim_net *)net;
    sock *s = n->is_cut ? NULL : cn_slots_get(&n->sockets, id);
    *ret = s;
    return s == NULL || s->kind != SOCK_STREAM ? NULL : sim_conn_get(world_of(n), s->conn);
}

static cn_err listen_at(
    cn_net *net, const cn_endpoint *at, uint64_t tag, cn_id *ret, cn_endpoint *ret_at, cn_why *why)
{
    sim_net *n = (sim_net *)net;
    cn_endpoint bound = *at;
    size_t position = 0;
    cn_id id = CN_ID_NONE;
    const sock *other = NULL;
    bound.port = at->port == 0 ? n->next_port++ : at->port;
    while ((other = cn_slots_next(&n->sockets, &position, &id)) != NULL) {
        if (other->kind == SOCK_LISTENER && cn_endpoint_eq(&other->at, &bound)) {
            return cn_why_set(why, CN_ERR_BUSY, "cannot listen: the port is in use");
        }
    }
    sock *s = add(n, SOCK_LISTENER, tag);
    if (s == NULL) {
        return CN_ERR_TOO_LARGE;
    }
    s->at = bound;
    *ret = s->id;
    if (ret_at != NULL) {
        *ret_at = bound;
    }
    return CN_OK;
}

static cn_err dial(cn_net *net, const cn_endpoint *to, uint64_t tag, cn_id *ret, cn_why *why)
{
    sim_net *n = (sim_net *)net;
    sock *s = n->is_cut ? NULL : add(n, SOCK_DIALING, tag);
    if (s == NULL) {
        return cn_why_set(why, CN_ERR_TOO_LARGE, "no socket");
    }
    sim_conn *c = sim_conn_new(n->node, to, s->id);
    c->ends[0].at = sim_address(n->node, to->is_ip6, n->next_port++);
    n->next_port = n->next_port < FIRST_PORT ? FIRST_PORT : n->next_port;
    s->conn = c->id;
    *ret = s->id;
    return CN_OK;
}

static cn_err read_some(cn_net *net, cn_id id, uint8_t *data, size_t len, size_t *ret_len)
{
    sock *s = NULL;
    sim_conn *c = stream_of(net, id, &s);
    if (c == NULL) {
        return CN_ERR_CLOSED;
    }
    const sim_end *end = &c->ends[s->end];
    if (end->unread_bytes == 0 && (end->is_reset || end->has_fin)) {
        return CN_ERR_CLOSED;
    }
    *ret_len = sim_conn_read(c, s->end, data, len);
    return CN_OK;
}

static cn_err
write_some(cn_net *net, cn_id id, const cn_slice *parts, size_t parts_len, size_t *ret_len)
{
    sock *s = NULL;
    sim_conn *c = stream_of(net, id, &s);
    size_t sum = 0;
    CN_ASSERT(parts_len <= 64);
    if (c == NULL || c->ends[s->end].is_reset || c->ends[s->end].is_shut) {
        return CN_ERR_CLOSED;
    }
    for (size_t i = 0; i < parts_len; i++) {
        sum += parts[i].len;
    }
    *ret_len = sim_conn_write(c, s->end, parts, parts_len);
    if (*ret_len < sum) {
        s->wants_write = true;
        if (c->ends[s->end].window_left > 0) {
            sim_net_room((sim_net *)net, id); /* only cut short: there is room at once */
        }
    }
    return CN_OK;
}

void sim_net_room(sim_net *n, cn_id id)
{
    sock *s = cn_slots_get(&n->sockets, id);
    if (s != NULL && s->wants_write) {
        s->wants_write = false;
        s->has_room = true;
        sim_net_ready(n, id);
    }
}

static void retag(cn_net *net, cn_id id, uint64_t tag)
{
    sock *s = cn_slots_get(&((sim_net *)net)->sockets, id);
    if (s != NULL) {
        s->tag = tag;
    }
}

static void pause_reading(cn_net *net, cn_id id, bool paused)
{
    sock *s = NULL;
    if (stream_of(net, id, &s) != NULL) {
        s->is_paused = paused;
        sim_net_ready((sim_net *)net, id);
    }
}

static void shut(cn_net *net, cn_id id)
{
    sock *s = NULL;
    sim_conn *c = stream_of(net, id, &s);
    if (c != NULL) {
        sim_conn_shutdown(c, s->end);
    }
}

static void close_sock(cn_net *net, cn_id id)
{
    sim_net *n = (sim_net *)net;
    sock *s = n->is_cut ? NULL : cn_slots_get(&n->sockets, id);
    if (s != NULL) {
        drop(n, s, false);
    }
}

static cn_err resolve(cn_net *net, cn_net_query query, const char *name, uint64_t tag, cn_id *ret)
{
    sim_net *n = (sim_net *)net;
    if (name[0] == '\0') {
        return CN_ERR_MALFORMED;
    }
    sock *s = add(n, SOCK_QUERY, tag);
    if (s == NULL) {
        return CN_ERR_TOO_LARGE;
    }
    s->query = query;
    s->name = cn_strdup(n->mem, name, strlen(name));
    CN_ASSERT(s->name != NULL);
    sim_post(
        world_of(n), (sim_event){
                         .at_ns = world_of(n)->now.ns + NAME_NS,
                         .kind = SIM_NAME,
                         .node = n->node->index,
                         .id = s->id,
                     });
    *ret = s->id;
    return CN_OK;
}

void sim_net_named(sim_net *n, cn_id query)
{
    sock *s = cn_slots_get(&n->sockets, query);
    if (s != NULL) {
        s->is_answered = true;
        sim_net_ready(n, query);
    }
}

static void wake(cn_net *net)
{
    sim_net *n = (sim_net *)net;
    n->is_woken = true;
    sim_wake(n->node, world_of(n)->now.ns);
}

static cn_err interfaces(cn_net *net, cn_endpoint *ret, size_t max, size_t *ret_len)
{
    const sim_node *node = ((sim_net *)net)->node;
    const cn_endpoint all[] = {
        {.ip = {127, 0, 0, 1}}, sim_address(node, false, 0), sim_address(node, true, 0)};
    *ret_len = CN_MIN(max, CN_LEN(all));
    cn_copy(ret, all, *ret_len * sizeof(all[0]));
    return CN_OK;
}

static const cn_net_ops ops = {
    .listen = listen_at,
    .dial = dial,
    .read = read_some,
    .write = write_some,
    .retag = retag,
    .pause = pause_reading,
    .shutdown = shut,
    .close = close_sock,
    .resolve = resolve,
    .wake = wake,
    .interfaces = interfaces,
};

sim_net *sim_net_new(sim_node *node)
{
    sim_net *n = cn_alloc(&node->world->mem, sizeof(*n));
    CN_ASSERT(n != NULL);
    *n = (sim_net){{&ops, &node->rt}, .node = node, .mem = &node->world->mem};
    n->next_port = FIRST_PORT;
    cn_slots_init(&n->sockets, n->mem, SOCKETS_MAX);
    return n;
}

void sim_net_free(sim_net *n)
{
    if (n != NULL) {
        sim_net_end(n);
        cn_slots_release(&n->sockets);
        cn_free(n->mem, n);
    }
}

cn_net *sim_net_of(sim_node *n)
{
    return &n->net->net;
}

static void drop_all(sim_net *n, bool is_dark)
{
    size_t position = 0;
    cn_id id = CN_ID_NONE;
    sock *s = NULL;
    while ((s = cn_slots_next(&n->sockets, &position, &id)) != NULL) {
        drop(n, s, is_dark);
    }
}

void sim_net_cut(sim_net *n, bool is_dark)
{
    drop_all(n, is_dark);
    n->is_cut = true;
}

void sim_net_end(sim_net *n)
{
    drop_all(n, false);
    n->is_cut = false;
    n->is_woken = false;
}

size_t sim_net_sockets(const sim_net *n)
{
    return n->sockets.len;
}

void sim_net_dialled(sim_net *n, cn_id id, cn_err err)
{
    sock *s = cn_slots_get(&n->sockets, id);
    if (s != NULL && s->kind == SOCK_DIALING && !s->is_dialled) {
        s->is_dialled = true;
        s->err = err;
    }
}

bool sim_net_call(sim_net *n, const cn_endpoint *at, cn_id conn)
{
    static const uint8_t any[16];
    size_t position = 0;
    cn_id id = CN_ID_NONE;
    sock *s = NULL;
    while ((s = cn_slots_next(&n->sockets, &position, &id)) != NULL) {
        bool is_here =
            s->kind == SOCK_LISTENER && s->at.port == at->port && s->at.is_ip6 == at->is_ip6;
        bool is_any = cn_slice_eq(cn_slice_of(s->at.ip, 16), cn_slice_of(any, 16));
        if (is_here && (is_any || cn_endpoint_eq(&s->at, at)) && s->callers_len < BACKLOG) {
            s->callers[s->callers_len++] = conn;
            sim_net_ready(n, id);
            return true;
        }
    }
    return false;
}

/* The next caller of a listener that is still there. */
static bool tell_caller(sim_net *n, sock *listener, cn_net_event *ret)
{
    while (listener->callers_len > 0) {
        sim_conn *c = sim_conn_get(world_of(n), listener->callers[0]);
        listener->callers_len--;
        cn_move(
            listener->callers, listener->callers + 1,
            listener->callers_len * sizeof(listener->callers[0]));
        sock *s = c == NULL ? NULL : add(n, SOCK_STREAM, listener->tag);
        if (s == NULL) {
            if (c != NULL) {
                sim_conn_close(c, 1, false);
            }
            continue;
        }
        s->conn = c->id;
        s->end = 1;
        c->ends[1].sock = s->id;
        *ret = (cn_net_event){
            .kind = CN_NET_ACCEPTED,
            .sock = s->id,
            .listener = listener->id,
            .tag = listener->tag,
            .remote = c->ends[0].at,
            .local = c->ends[1].at,
        };
        sim_net_ready(n, s->id);
        return true;
    }
    return false;
}

static bool tell_dialled(sim_net *n, sock *s, cn_net_event *ret)
{
    const sim_conn *c = sim_conn_get(world_of(n), s->conn);
    s->is_dialled = false;
    *ret = (cn_net_event){.kind = CN_NET_OPENED, .sock = s->id, .tag = s->tag, .err = s->err};
    if (s->err != CN_OK || c == NULL) {
        ret->kind = CN_NET_FAILED;
        ret->sentence = "Connection refused";
        drop(n, s, false);
        return true;
    }
    s->kind = SOCK_STREAM;
    ret->remote = c->ends[1].at;
    ret->local = c->ends[0].at;
    return true;
}

static void tell_names(sim_net *n, sock *s, void (*take)(void *, const cn_net_event *), void *ctx)
{
    enum { ANSWERS_MAX = 8 };
    const sim *w = world_of(n);
    cn_endpoint ips[ANSWERS_MAX];
    cn_slice texts[ANSWERS_MAX];
    cn_net_event e = {.kind = CN_NET_RESOLVED, .sock = s->id, .tag = s->tag};
    for (size_t i = 0; i < w->names_len && e.answers_len < ANSWERS_MAX; i++) {
        const sim_name *name = &w->names[i];
        bool is_asked = name->query == s->query ||
                        (s->query == CN_NET_QUERY_IP && name->query != CN_NET_QUERY_TXT);
        if (is_asked && strcmp(name->name, s->name) == 0) {
            ips[e.answers_len] = name->ip;
            texts[e.answers_len++] = cn_str(name->text);
        }
    }
    bool is_text = s->query == CN_NET_QUERY_TXT;
    e.ips = is_text ? NULL : ips;
    e.texts = is_text ? texts : NULL;
    e.err = e.answers_len == 0 ? CN_ERR_NOT_FOUND : CN_OK;
    drop(n, s, false);
    take(ctx, &e);
}

static bool is_readable(const sim_net *n, const sock *s)
{
    const sim_conn *c = sim_conn_get(world_of(n), s->conn);
    const sim_end *e = c == NULL ? NULL : &c->ends[s->end];
    return s->kind == SOCK_STREAM && !s->is_paused && e != NULL &&
           (e->unread_bytes > 0 || e->has_fin || e->is_reset);
}

static bool has_news(const sim_net *n, const sock *s)
{
    return s->is_dialled || s->is_answered || s->callers_len > 0 || s->has_room ||
           is_readable(n, s);
}

bool sim_net_has_ready(sim_net *n)
{
    while (n->ready_first != NULL && !has_news(n, n->ready_first)) {
        (void)shift(n);
    }
    return n->ready_first != NULL || n->is_woken;
}

static void tell(sim_net *n, sock *s, void (*take)(void *, const cn_net_event *), void *ctx)
{
    cn_id id = s->id;
    cn_net_event e = {.sock = id, .tag = s->tag};
    if (s->is_answered) {
        tell_names(n, s, take, ctx);
        return;
    }
    if (s->is_dialled ? tell_dialled(n, s, &e) : tell_caller(n, s, &e)) {
        take(ctx, &e);
    } else if (s->has_room) {
        s->has_room = false;
        e.kind = CN_NET_WRITABLE;
        take(ctx, &e);
    } else if (is_readable(n, s)) {
        e.kind = CN_NET_READABLE;
        take(ctx, &e);
    }
    s = cn_slots_get(&n->sockets, id);
    if (s != NULL && has_news(n, s)) {
        sim_net_ready(n, id);
    }
}

void sim_net_poll(sim_net *n, size_t max, void (*take)(void *, const cn_net_event *), void *ctx)
{
    if (n->is_woken) {
        cn_net_event e = {.kind = CN_NET_WOKEN};
        n->is_woken = false;
        take(ctx, &e);
    }
    /* Each socket once, as one epoll_wait would. */
    for (size_t left = CN_MIN(n->ready_len, max); left > 0 && n->ready_first != NULL; left--) {
        tell(n, shift(n), take, ctx);
    }
}
