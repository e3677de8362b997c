/*
 * From the socket to events. One connection at a time owns the transport's read buffer; next goes
 * on where it stopped until that connection has nothing left or has had its turn.
 *
 * The bytes of the wire are in clear while the security is agreed on, then records. What a record
 * says belongs to the muxer's negotiation, then to the muxer.
 */
#include "p2p/transport/tcp_internal.h"

static const char *match_security(void *ctx, cn_slice name)
{
    const tcp *t = ctx;
    for (size_t i = 0; i < t->options.securities_len; i++) {
        if (cn_slice_is(name, t->securities[i]->protocol)) {
            return t->securities[i]->protocol;
        }
    }
    return NULL;
}

static const char *match_muxer(void *ctx, cn_slice name)
{
    const tcp *t = ctx;
    for (size_t i = 0; i < t->options.muxings_len; i++) {
        if (cn_slice_is(name, t->muxings[i]->protocol)) {
            return t->muxings[i]->protocol;
        }
    }
    return NULL;
}

static cn_err open_secure(tcp *t, tcp_conn *c, cn_security *kind)
{
    cn_err err = CN_OK;
    cn_secure_options o = {
        .mem = t->options.mem,
        .is_initiator = c->is_initiator,
        .expected = c->expected.len > 0 ? &c->expected : NULL,
        .muxers = t->muxer_names,
        .muxers_len = t->options.muxings_len,
    };
    c->security = kind;
    CN_TRY(cn_secure_open(kind, &o, &c->secure, &c->why));
    CN_TRY(cn_secure_begin(c->secure, &c->out, &c->why));
out:
    return err;
}

cn_err cn_tcp_upgrade(tcp *t, tcp_conn *c)
{
    cn_err err = CN_OK;
    c->phase = TCP_SECURITY;
    cn_tcp_dirty(t, c);
    if (!c->is_initiator) {
        cn_multistream_answer(&c->names, t->options.mem, match_security, t);
        return CN_OK;
    }
    /* One security and its first message in one flight: another one needs another connection. */
    static const size_t ONE = 1;
    cn_security *kind = t->securities[c->offered];
    CN_TRY(cn_multistream_open(&c->names, t->options.mem, &kind->protocol, ONE, &c->out));
    CN_TRY(open_secure(t, c, kind));
out:
    return err;
}

static cn_err open_muxer(tcp *t, tcp_conn *c, const char *protocol, cn_time now)
{
    cn_err err = CN_ERR_BUG;
    for (size_t i = 0; i < t->options.muxings_len; i++) {
        if (strcmp(t->muxings[i]->protocol, protocol) == 0) {
            cn_muxer_options o = t->options.muxer;
            o.mem = t->options.mem;
            o.is_initiator = c->is_initiator;
            c->muxing = t->muxings[i];
            err = c->muxing->open(&o, now, &c->muxer);
            break;
        }
    }
    if (err == CN_OK) {
        c->phase = TCP_UP;
        c->is_up_due = true;
        c->since = now;
        c->why = (cn_why){{0}}; /* nothing that was tried on the way is a reason any more */
        cn_tcp_work_begin(t, c, now);
        cn_multistream_release(&c->names);
        cn_tcp_dirty(t, c);
    }
    return err;
}

/* Seal what the negotiation of the muxer says. */
static cn_err seal_names(tcp *t, tcp_conn *c, const cn_buf *said)
{
    cn_slice part = cn_buf_slice(said);
    cn_tcp_dirty(t, c);
    return part.len == 0 ? CN_OK : cn_secure_seal(c->secure, &part, 1, &c->out);
}

/* The channel stands: the muxer was chosen within the handshake, or is agreed on now. */
static cn_err established(tcp *t, tcp_conn *c, cn_time now)
{
    cn_err err = CN_OK;
    cn_buf said = {0};
    cn_buf_init(&said, t->options.mem, 4096);
    if (c->secure->muxer != NULL) {
        c->is_early = true;
        return open_muxer(t, c, c->secure->muxer, now);
    }
    c->phase = TCP_MUXER;
    cn_multistream_release(&c->names);
    if (c->is_initiator) {
        CN_TRY(cn_multistream_open(
            &c->names, t->options.mem, t->muxer_names, t->options.muxings_len, &said));
        CN_TRY(seal_names(t, c, &said));
    } else {
        cn_multistream_answer(&c->names, t->options.mem, match_muxer, t);
    }
out:
    cn_buf_release(&said);
    return err;
}

/* Bytes in clear: the name of the security. */
static cn_err take_clear(tcp *t, tcp_conn *c)
{
    cn_err err = CN_OK;
    cn_slice in = cn_slice_of(t->wire + t->wire_at, t->wire_len - t->wire_at);
    size_t before = in.len;
    err = cn_multistream_take(&c->names, &in, &c->out, &c->why);
    if (err == CN_ERR_UNSUPPORTED && c->is_initiator) {
        return cn_tcp_dial_again(t, c);
    }
    CN_TRY(err);
    cn_tcp_dirty(t, c);
    t->wire_at += before - in.len;
    if (!c->names.is_done) {
        goto out;
    }
    c->phase = TCP_SECURING;
    if (c->is_initiator && c->offered != cn_tcp_known(t, &c->remote_ip)) {
        cn_tcp_know(t, &c->remote_ip, c->offered);
    }
    for (size_t i = 0; !c->is_initiator && i < t->options.securities_len; i++) {
        if (c->names.chosen == t->securities[i]->protocol) {
            CN_TRY(open_secure(t, c, t->securities[i]));
        }
    }
out:
    return err;
}

static cn_err take_record(tcp *t, tcp_conn *c, cn_time now, bool *ret_short)
{
    cn_err err = CN_OK;
    size_t used = 0;
    size_t out_before = c->out.len;
    err = cn_secure_take(
        c->secure, t->wire + t->wire_at, t->wire_len - t->wire_at, &used, &t->plain, &c->out,
        &c->why);
    if (c->out.len != out_before) {
        cn_tcp_dirty(t, c);
    }
    if (err != CN_OK) {
        return err;
    }
    t->wire_at += used;
    *ret_short = used == 0;
    if (c->phase == TCP_SECURING && c->secure->is_established) {
        err = established(t, c, now);
    }
    return err;
}

static cn_err take_muxer_names(tcp *t, tcp_conn *c, cn_time now)
{
    cn_err err = CN_OK;
    cn_buf said = {0};
    cn_buf_init(&said, t->options.mem, 65536);
    CN_TRY(cn_multistream_take(&c->names, &t->plain, &said, &c->why));
    CN_TRY(seal_names(t, c, &said));
    if (c->names.is_done) {
        CN_TRY(open_muxer(t, c, c->names.chosen, now));
    }
out:
    cn_buf_release(&said);
    return err;
}

/* Fill the read buffer behind what is there. *ret_any false: nothing came, or the turn is over. */
static cn_err fill(tcp *t, tcp_conn *c, cn_time now, bool *ret_any)
{
    size_t left = t->wire_len - t->wire_at;
    size_t got = 0;
    *ret_any = false;
    cn_move(t->wire, t->wire + t->wire_at, left);
    t->wire_at = 0;
    t->wire_len = left;
    if (!c->is_readable || t->turn_bytes >= CN_TCP_TURN_BYTES) {
        return CN_OK;
    }
    size_t room = CN_TCP_READ_BYTES - left;
    if (c->phase == TCP_UP) {
        bool allowed = false;
        cn_err err = cn_tcp_work_check(t, c, now, &allowed);
        if (!allowed) {
            return err;
        }
        room = cn_tcp_work_is_much(t, c) ? CN_MIN(room, (size_t)CN_TCP_READ_SMALL_BYTES) : room;
    }
    cn_err err = cn_net_read(t->options.net, c->sock, t->wire + left, room, &got);
    if (err != CN_OK) {
        return err;
    }
    c->is_readable = got == room; /* less: the socket is empty, and tells when it is not */
    c->in_bytes += got;
    t->turn_bytes += got;
    t->wire_len += got;
    *ret_any = got > 0;
    return CN_OK;
}

/* Let go of the read buffer; what is left over goes with the connection. */
static void leave(tcp *t, tcp_conn *c)
{
    cn_slice left = cn_slice_of(t->wire + t->wire_at, t->wire_len - t->wire_at);
    cn_buf_reset(&c->left);
    if (left.len == 0) {
        cn_buf_release(&c->left);
    } else if (c->phase != TCP_DOWN) {
        cn_err err = cn_buf_append(&c->left, left);
        if (err != CN_OK) {
            cn_tcp_fail(t, c, err);
        }
    }
    t->current = NULL;
    t->plain = (cn_slice){0};
    t->wire_at = 0;
    t->wire_len = 0;
    if (c->is_readable && c->phase != TCP_DOWN && !c->is_resting) {
        t->is_again = true;
        cn_tcp_ready(t, c);
    }
}

static void enter(tcp *t, tcp_conn *c)
{
    t->current = c;
    t->turn_bytes = 0;
    t->wire_at = 0;
    t->wire_len = c->left.len;
    t->plain = (cn_slice){0};
    cn_copy(t->wire, c->left.data, c->left.len);
}

/* What is due without bytes. */
static bool tell_due(tcp *t, tcp_conn *c, cn_conn_event *ret)
{
    *ret = (cn_conn_event){.conn = c->id};
    if (c->is_arrived_due) {
        c->is_arrived_due = false;
        ret->kind = CN_CONN_ARRIVED;
        return true;
    }
    if (c->is_up_due && c->phase == TCP_UP) {
        c->is_up_due = false;
        ret->kind = CN_CONN_UP;
        return true;
    }
    if (c->phase == TCP_DOWN) {
        t->told = c->why;
        ret->kind = CN_CONN_DOWN;
        ret->err = c->err;
        ret->sentence = t->told.text[0] == '\0' ? NULL : t->told.text;
        cn_tcp_drop(t, c);
        return true;
    }
    return false;
}

/* One step of the current connection. *ret_have: an event; *ret_idle: nothing more for now. */
static cn_err
step(tcp *t, tcp_conn *c, cn_time now, cn_conn_event *ret, bool *ret_have, bool *ret_idle)
{
    cn_err err = CN_OK;
    bool is_short = t->wire_len == t->wire_at;
    bool any = false;
    if (c->phase == TCP_UP) {
        CN_TRY(cn_muxer_next(c->muxer, &t->plain, now, &ret->mux, ret_have, &c->why));
        if (*ret_have) {
            ret->kind = CN_CONN_STREAM;
            ret->conn = c->id;
            c->rtt_ns = ret->mux.kind == CN_MUX_RTT ? ret->mux.rtt_ns : c->rtt_ns;
            return ret->mux.kind == CN_MUX_GONE ? CN_ERR_CLOSED : CN_OK;
        }
        cn_tcp_dirty(t, c); /* answers, windows */
    } else if (c->phase == TCP_MUXER && t->plain.len > 0) {
        return take_muxer_names(t, c, now);
    }
    if (!is_short && c->phase == TCP_SECURITY) {
        CN_TRY(take_clear(t, c));
        is_short = c->phase == TCP_SECURITY && t->wire_at == t->wire_len;
    } else if (!is_short && c->phase != TCP_DIALING) {
        CN_TRY(take_record(t, c, now, &is_short));
    }
    if (is_short) {
        CN_TRY(fill(t, c, now, &any));
        *ret_idle = !any;
    }
out:
    return err;
}

bool cn_tcp_next(cn_transport *transport, cn_time now, cn_conn_event *ret)
{
    tcp *t = (tcp *)transport;
    for (;;) {
        tcp_conn *c = t->current;
        bool have = false;
        bool idle = false;
        if (c == NULL) {
            c = t->ready_first;
            if (c == NULL) {
                return false;
            }
            t->ready_first = c->next_ready;
            t->ready_last = t->ready_first == NULL ? NULL : t->ready_last;
            c->is_ready = false;
            enter(t, c);
        }
        if (tell_due(t, c, ret)) {
            return true;
        }
        cn_err err = step(t, c, now, ret, &have, &idle);
        if (err != CN_OK) {
            cn_tcp_fail(t, c, err);
            continue;
        }
        if (have) {
            return true;
        }
        if (idle) {
            leave(t, c);
        }
    }
}
