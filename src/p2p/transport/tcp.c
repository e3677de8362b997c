/*
 * Listeners, dials and the life of connections. A connection is reachable by its id from the first
 * moment to the event that tells its end; lists hold it by pointer and let go of it in cn_tcp_drop.
 */
#include "p2p/transport/tcp_internal.h"

/* A socket's tag is the transport's mark and the connection's id; a listener's has no id. */
static uint64_t tag_of(const tcp *t, cn_id id)
{
    return (uint64_t)t->options.mark << 56 | (uint64_t)id.index << 32 | id.generation;
}

static cn_id id_of(uint64_t tag)
{
    return (cn_id){(uint32_t)(tag >> 32) & 0xffffff, (uint32_t)tag};
}

void cn_tcp_ready(tcp *t, tcp_conn *c)
{
    if (c->is_ready || t->current == c) {
        return;
    }
    c->is_ready = true;
    c->next_ready = NULL;
    *(t->ready_last == NULL ? &t->ready_first : &t->ready_last->next_ready) = c;
    t->ready_last = c;
}

void cn_tcp_dirty(tcp *t, tcp_conn *c)
{
    if (c->is_dirty) {
        return;
    }
    c->is_dirty = true;
    c->next_dirty = NULL;
    *(t->dirty_last == NULL ? &t->dirty_first : &t->dirty_last->next_dirty) = c;
    t->dirty_last = c;
}

static void leave_ready(tcp *t, tcp_conn *c)
{
    tcp_conn *before = NULL;
    for (tcp_conn *at = c->is_ready ? t->ready_first : NULL; at != NULL;
         before = at, at = at->next_ready) {
        if (at == c) {
            *(before == NULL ? &t->ready_first : &before->next_ready) = c->next_ready;
            t->ready_last = t->ready_last == c ? before : t->ready_last;
            return;
        }
    }
}

static void leave_dirty(tcp *t, tcp_conn *c)
{
    tcp_conn *before = NULL;
    for (tcp_conn *at = c->is_dirty ? t->dirty_first : NULL; at != NULL;
         before = at, at = at->next_dirty) {
        if (at == c) {
            *(before == NULL ? &t->dirty_first : &before->next_dirty) = c->next_dirty;
            t->dirty_last = t->dirty_last == c ? before : t->dirty_last;
            return;
        }
    }
}

void cn_tcp_fail(tcp *t, tcp_conn *c, cn_err err)
{
    if (c->phase == TCP_DOWN) {
        return;
    }
    /* What the other side should still hear (an alert, a go-away) is tried once. */
    if (c->out.len > c->out_sent && !c->is_blocked && c->phase != TCP_DIALING) {
        cn_slice rest = cn_slice_skip(cn_buf_slice(&c->out), c->out_sent);
        size_t put = 0;
        (void)!cn_net_write(t->options.net, c->sock, &rest, 1, &put);
    }
    c->phase = TCP_DOWN;
    c->err = err;
    cn_net_close(t->options.net, c->sock);
    cn_tcp_ready(t, c);
}

void cn_tcp_drop(tcp *t, tcp_conn *c)
{
    leave_ready(t, c);
    leave_dirty(t, c);
    t->ups -= c->muxer != NULL ? 1 : 0;
    if (t->current == c) {
        t->current = NULL;
        t->plain = (cn_slice){0};
        t->wire_at = 0;
        t->wire_len = 0;
    }
    cn_net_close(t->options.net, c->sock);
    cn_multistream_release(&c->names);
    cn_muxer_free(c->muxer);
    cn_secure_free(c->secure);
    cn_buf_release(&c->left);
    cn_buf_release(&c->out);
    cn_tcp_due_remove(t, c);
    (void)cn_slots_remove(&t->conns, c->id);
    cn_free(t->options.mem, c);
}

static cn_time sooner(cn_time a, cn_time b)
{
    return a.ns < b.ns ? a : b;
}

/* When a connection whose other side takes nothing is given up. */
static cn_time stuck_at(const tcp *t, const tcp_conn *c)
{
    int64_t timeout_ns = t->options.stuck_timeout_ns;
    timeout_ns = timeout_ns == 0 ? CN_TCP_STUCK_TIMEOUT_S * CN_NS_PER_S : timeout_ns;
    return c->is_blocked ? cn_time_after(c->blocked, timeout_ns) : CN_TIME_NEVER;
}

static cn_time deadline_of(const tcp *t, const tcp_conn *c)
{
    if (c->phase != TCP_UP) {
        return c->phase == TCP_DOWN ? CN_TIME_NEVER : c->deadline;
    }
    cn_time at = sooner(cn_muxer_deadline(c->muxer), stuck_at(t, c));
    return c->is_resting ? sooner(at, c->rest_until) : at;
}

void cn_tcp_note_deadline(tcp *t, tcp_conn *c)
{
    cn_time at = deadline_of(t, c);
    if (at.ns < c->due_at.ns) {
        cn_tcp_due_set(t, c, at);
    }
}

static cn_err new_conn(tcp *t, cn_time now, tcp_conn **ret)
{
    tcp_conn *c = cn_alloc(t->options.mem, sizeof(*c));
    if (c == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_err err = cn_slots_add(&t->conns, c, &c->id);
    c->due_at = CN_TIME_NEVER;
    err = err == CN_OK ? cn_tcp_due_add(t, c) : err;
    if (err != CN_OK) {
        (void)cn_slots_remove(&t->conns, c->id);
        cn_free(t->options.mem, c);
        return err;
    }
    int64_t timeout_ns = t->options.upgrade_timeout_ns;
    timeout_ns = timeout_ns == 0 ? CN_TCP_UPGRADE_TIMEOUT_S * CN_NS_PER_S : timeout_ns;
    c->since = now;
    c->deadline = cn_time_after(now, timeout_ns);
    cn_buf_init(&c->left, t->options.mem, CN_TCP_LEFT_MAX_BYTES);
    cn_buf_init(&c->out, t->options.mem, CN_TCP_OUT_MAX_BYTES);
    cn_tcp_note_deadline(t, c);
    *ret = c;
    return CN_OK;
}

static size_t put_address(const cn_endpoint *e, cn_mem *mem, uint8_t to[CN_TCP_ADDRESS_BYTES])
{
    cn_buf b = {0};
    size_t len = 0;
    cn_buf_init(&b, mem, CN_TCP_ADDRESS_BYTES);
    if (cn_tcp_address(e, &b) == CN_OK) {
        len = b.len;
        cn_copy(to, b.data, len);
    }
    cn_buf_release(&b);
    return len;
}

static void set_ends(tcp *t, tcp_conn *c, const cn_net_event *event)
{
    c->remote_ip = event->remote;
    c->remote_len = put_address(&event->remote, t->options.mem, c->remote);
    c->local_len = put_address(&event->local, t->options.mem, c->local);
}

static bool handles(const cn_transport *transport, cn_slice address)
{
    cn_endpoint e = {0};
    CN_UNUSED(transport);
    return cn_tcp_endpoint(address, &e);
}

static cn_err
listen_at(cn_transport *transport, cn_slice address, cn_id *ret, cn_buf *ret_bound, cn_why *why)
{
    cn_err err = CN_OK;
    tcp *t = (tcp *)transport;
    cn_endpoint at = {0};
    cn_endpoint bound = {0};
    cn_id id = CN_ID_NONE;
    if (!cn_tcp_endpoint(address, &at)) {
        return CN_ERR_UNSUPPORTED;
    }
    CN_TRY(cn_net_listen(t->options.net, &at, tag_of(t, CN_ID_NONE), &id, &bound, why));
    CN_TRY(cn_tcp_address(&bound, ret_bound));
    *ret = id;
    return CN_OK;
out:
    cn_net_close(t->options.net, id);
    return err;
}

static void unlisten(cn_transport *transport, cn_id listener)
{
    cn_net_close(((tcp *)transport)->options.net, listener);
}

static cn_err dial(
    cn_transport *transport,
    cn_slice address,
    const cn_peer_id *peer,
    cn_time now,
    cn_id *ret,
    cn_why *why)
{
    cn_err err = CN_OK;
    tcp *t = (tcp *)transport;
    tcp_conn *c = NULL;
    cn_endpoint to = {0};
    if (!cn_tcp_endpoint(address, &to)) {
        return CN_ERR_UNSUPPORTED;
    }
    CN_TRY(new_conn(t, now, &c));
    c->is_initiator = true;
    c->phase = TCP_DIALING;
    if (peer != NULL) {
        c->expected = *peer;
    }
    c->remote_ip = to;
    c->offered = cn_tcp_known(t, &to);
    CN_TRY(cn_net_dial(t->options.net, &to, tag_of(t, c->id), &c->sock, why));
    *ret = c->id;
    c = NULL;
out:
    if (c != NULL) {
        cn_tcp_drop(t, c);
    }
    return err;
}

/* All that the refused try left behind goes; the id, the deadline and what was expected stay. */
static void start_over(tcp *t, tcp_conn *c)
{
    cn_net_close(t->options.net, c->sock);
    cn_multistream_release(&c->names);
    cn_secure_free(c->secure);
    cn_buf_release(&c->left);
    cn_buf_release(&c->out);
    c->sock = CN_ID_NONE;
    c->why = (cn_why){0};
    c->secure = NULL;
    c->security = NULL;
    c->out_sent = 0;
    c->is_readable = false;
    c->is_blocked = false;
    c->phase = TCP_DIALING;
    if (t->current == c) {
        t->wire_at = 0;
        t->wire_len = 0;
    }
}

static cn_err all_refused(const tcp *t, tcp_conn *c)
{
    cn_buf list = {0};
    const char *text = "";
    cn_buf_init(&list, t->options.mem, 1024);
    cn_err err = CN_OK;
    for (size_t i = 0; i < t->options.securities_len && err == CN_OK; i++) {
        err = cn_buf_printf(&list, "%s%s", i == 0 ? "" : ", ", t->securities[i]->protocol);
    }
    err = err == CN_OK ? cn_buf_cstr(&list, &text) : err;
    (void)cn_why_set(&c->why, CN_ERR_UNSUPPORTED, "the peer speaks none of: %s", text);
    cn_buf_release(&list);
    return CN_ERR_UNSUPPORTED;
}

cn_err cn_tcp_dial_again(tcp *t, tcp_conn *c)
{
    c->refused |= 1u << c->offered;
    for (size_t i = 0; i < t->options.securities_len; i++) {
        if ((c->refused & 1u << i) == 0) {
            c->offered = i;
            start_over(t, c);
            return cn_net_dial(t->options.net, &c->remote_ip, tag_of(t, c->id), &c->sock, &c->why);
        }
    }
    return all_refused(t, c);
}

static void take_caller(tcp *t, const cn_net_event *event, cn_time now)
{
    tcp_conn *c = NULL;
    if (new_conn(t, now, &c) != CN_OK) {
        cn_net_close(t->options.net, event->sock);
        return;
    }
    c->sock = event->sock;
    c->is_arrived_due = true;
    cn_net_retag(t->options.net, c->sock, tag_of(t, c->id));
    set_ends(t, c, event);
    cn_err err = cn_tcp_upgrade(t, c);
    if (err != CN_OK) {
        cn_tcp_fail(t, c, err);
    }
    cn_tcp_ready(t, c);
}

static void take_opened(tcp *t, tcp_conn *c, const cn_net_event *event)
{
    set_ends(t, c, event);
    cn_err err = cn_tcp_upgrade(t, c);
    if (err != CN_OK) {
        cn_tcp_fail(t, c, err);
    }
}

static bool take(cn_transport *transport, const cn_net_event *event, cn_time now)
{
    tcp *t = (tcp *)transport;
    if (event->kind == CN_NET_WOKEN || event->kind == CN_NET_RESOLVED ||
        event->tag >> 56 != t->options.mark) {
        return false;
    }
    if (event->kind == CN_NET_ACCEPTED) {
        take_caller(t, event, now);
        return true;
    }
    tcp_conn *c = cn_slots_get(&t->conns, id_of(event->tag));
    if (c == NULL || c->phase == TCP_DOWN) {
        return true;
    }
    if (event->kind == CN_NET_OPENED) {
        take_opened(t, c, event);
    } else if (event->kind == CN_NET_FAILED) {
        (void)cn_why_set(&c->why, event->err, "%s", event->sentence == NULL ? "" : event->sentence);
        cn_tcp_fail(t, c, event->err);
    } else if (event->kind == CN_NET_WRITABLE) {
        c->is_blocked = false;
        cn_tcp_dirty(t, c);
    } else {
        if (c->is_resting) { /* it broke: nothing is gained by waiting */
            cn_tcp_work_resume(t, c);
            c->work_left = CN_MAX(c->work_left, (int64_t)1);
        }
        c->is_readable = true;
        cn_tcp_ready(t, c);
    }
    return true;
}

static cn_time deadline(const cn_transport *transport)
{
    const tcp *t = (const tcp *)transport;
    const tcp_conn *first = cn_tcp_due_first(t);
    if (t->is_again) {
        return (cn_time){0};
    }
    return first == NULL ? CN_TIME_NEVER : first->due_at;
}

static cn_err tick_conn(tcp *t, tcp_conn *c, cn_time now)
{
    if (c->phase != TCP_UP) {
        return c->phase == TCP_DOWN || c->deadline.ns > now.ns
                   ? CN_OK
                   : cn_why_set(&c->why, CN_ERR_TIMEOUT, "no connection within the time limit");
    }
    if (stuck_at(t, c).ns <= now.ns) {
        return cn_why_set(&c->why, CN_ERR_TIMEOUT, "the peer takes nothing of what is sent to it");
    }
    if (c->is_resting && c->rest_until.ns <= now.ns) {
        cn_tcp_work_resume(t, c);
    }
    if (cn_muxer_deadline(c->muxer).ns > now.ns) {
        return CN_OK;
    }
    cn_tcp_dirty(t, c);
    cn_err err = cn_muxer_tick(c->muxer, now);
    return err == CN_ERR_TIMEOUT ? cn_why_set(&c->why, err, "the peer does not answer pings") : err;
}

/* What is due is looked at once a tick, even if it is due again at once. */
static void tick(cn_transport *transport, cn_time now)
{
    tcp *t = (tcp *)transport;
    tcp_conn *c = NULL;
    while ((c = cn_tcp_due_first(t)) != NULL && c->due_at.ns <= now.ns) {
        cn_err err = tick_conn(t, c, now);
        if (err != CN_OK) {
            cn_tcp_fail(t, c, err);
        }
        cn_time at = deadline_of(t, c);
        cn_tcp_due_set(t, c, at.ns > now.ns ? at : cn_time_after(now, 1));
    }
}

/* The security's own end, where it has one and the socket takes it; nobody waits for it. */
static void say_the_end(tcp *t, tcp_conn *c)
{
    size_t put = 0;
    if (c->phase != TCP_UP || c->is_blocked || c->out.len > c->out_sent) {
        return;
    }
    cn_buf_reset(&t->sealed);
    if (cn_secure_finish(c->secure, &t->sealed) == CN_OK && t->sealed.len > 0) {
        cn_slice all = cn_buf_slice(&t->sealed);
        (void)!cn_net_write(t->options.net, c->sock, &all, 1, &put);
    }
}

static void close_conn(cn_transport *transport, cn_id conn, uint32_t code)
{
    tcp *t = (tcp *)transport;
    tcp_conn *c = cn_slots_get(&t->conns, conn);
    CN_UNUSED(code); /* go sends no go-away on an orderly end, and takes one as an error */
    if (c != NULL) {
        say_the_end(t, c);
        cn_tcp_drop(t, c);
    }
}

static bool info(const cn_transport *transport, cn_id conn, cn_conn_info *ret)
{
    const tcp *t = (const tcp *)transport;
    const tcp_conn *c = cn_slots_get(&t->conns, conn);
    if (c == NULL) {
        return false;
    }
    bool is_up = c->phase == TCP_UP;
    *ret = (cn_conn_info){
        .is_initiator = c->is_initiator,
        .is_up = is_up,
        .peer_key = is_up ? c->secure->peer_key : NULL,
        .remote = cn_slice_of(c->remote, c->remote_len),
        .local = cn_slice_of(c->local, c->local_len),
        .remote_ip = c->remote_ip,
        .security = c->security == NULL ? "" : c->security->protocol,
        .muxer = is_up ? c->muxing->protocol : "",
        .is_muxer_early = c->is_early,
        .rtt_ns = c->rtt_ns,
        .since = c->since,
        .in_bytes = c->in_bytes,
        .out_bytes = c->out_bytes,
        .held_bytes =
            sizeof(*c) + c->left.cap + c->out.cap + (is_up ? cn_muxer_held_bytes(c->muxer) : 0),
    };
    if (is_up) {
        ret->peer = c->secure->peer;
    }
    return true;
}

static void free_transport(cn_transport *transport)
{
    tcp *t = (tcp *)transport;
    size_t position = 0;
    cn_id id = CN_ID_NONE;
    tcp_conn *c = NULL;
    while ((c = cn_slots_next(&t->conns, &position, &id)) != NULL) {
        cn_tcp_drop(t, c);
    }
    cn_slots_release(&t->conns);
    cn_free(t->options.mem, t->due);
    cn_buf_release(&t->sealed);
    cn_free(t->options.mem, t->wire);
    cn_free(t->options.mem, t);
}

static const cn_transport_ops ops = {
    .handles = handles,
    .listen = listen_at,
    .unlisten = unlisten,
    .dial = dial,
    .take = take,
    .next = cn_tcp_next,
    .deadline = deadline,
    .tick = tick,
    .stream_open = cn_tcp_stream_open,
    .stream_room = cn_tcp_stream_room,
    .stream_write = cn_tcp_stream_write,
    .stream_consumed = cn_tcp_stream_consumed,
    .stream_close = cn_tcp_stream_close,
    .stream_reset = cn_tcp_stream_reset,
    .charge = cn_tcp_charge,
    .close = close_conn,
    .info = info,
    .flush = cn_tcp_flush,
    .free = free_transport,
};

cn_err cn_tcp_new(const cn_tcp_options *options, cn_transport **ret)
{
    CN_ASSERT(options->securities_len > 0 && options->securities_len <= CN_TCP_KINDS_MAX);
    CN_ASSERT(options->muxings_len > 0 && options->muxings_len <= CN_TCP_KINDS_MAX);
    CN_ASSERT(options->mark > 0 && options->conns_max < 1u << 24);
    tcp *t = cn_alloc(options->mem, sizeof(*t));
    uint8_t *wire = cn_alloc_dirty(options->mem, CN_TCP_READ_BYTES);
    if (t == NULL || wire == NULL) {
        cn_free(options->mem, t);
        cn_free(options->mem, wire);
        return CN_ERR_NO_MEMORY;
    }
    *t = (tcp){.transport = {&ops, "tcp"}, .options = *options, .wire = wire};
    for (size_t i = 0; i < options->securities_len; i++) {
        t->securities[i] = options->securities[i];
    }
    for (size_t i = 0; i < options->muxings_len; i++) {
        t->muxings[i] = options->muxings[i];
        t->muxer_names[i] = options->muxings[i]->protocol;
    }
    cn_slots_init(&t->conns, options->mem, options->conns_max);
    cn_buf_init(&t->sealed, options->mem, CN_TCP_SEAL_BYTES + (64 << 10));
    *ret = &t->transport;
    return CN_OK;
}
