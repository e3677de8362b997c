/*
 * From the muxer to the socket: parts are lent by the muxer, sealed into the transport's buffer and
 * written; what the socket does not take stays with the connection, and nothing more is sealed
 * until it has gone.
 */
#include "p2p/transport/tcp_internal.h"

/* The socket is full: WRITABLE comes when the other side has taken something. */
static void block(tcp *t, tcp_conn *c, cn_time now)
{
    c->is_blocked = true;
    c->blocked = now;
    cn_tcp_note_deadline(t, c);
}

/* Write what is left over; false: the socket is full, or broken. */
static bool write_left(tcp *t, tcp_conn *c, cn_time now)
{
    while (c->out_sent < c->out.len) {
        cn_slice rest = cn_slice_skip(cn_buf_slice(&c->out), c->out_sent);
        size_t put = 0;
        cn_err err = cn_net_write(t->options.net, c->sock, &rest, 1, &put);
        if (err != CN_OK) {
            cn_tcp_fail(t, c, err);
            return false;
        }
        c->out_sent += put;
        c->out_bytes += put;
        if (put < rest.len) {
            block(t, c, now);
            return false;
        }
    }
    c->out_sent = 0;
    cn_buf_release(&c->out);
    return true;
}

/* Write what was sealed; keep what the socket does not take. */
static bool write_sealed(tcp *t, tcp_conn *c, cn_time now)
{
    cn_slice all = cn_buf_slice(&t->sealed);
    size_t put = 0;
    cn_err err = cn_net_write(t->options.net, c->sock, &all, 1, &put);
    if (err == CN_OK && put < all.len) {
        block(t, c, now);
        err = cn_buf_append(&c->out, cn_slice_skip(all, put));
    }
    c->out_bytes += put;
    if (err != CN_OK) {
        cn_tcp_fail(t, c, err);
    }
    return err == CN_OK && !c->is_blocked;
}

static void flush_conn(tcp *t, tcp_conn *c, cn_time now)
{
    cn_slice parts[CN_TCP_PARTS];
    size_t parts_len = 0;
    size_t turn = 0;
    if (c->phase == TCP_DIALING || c->phase == TCP_DOWN || c->is_blocked ||
        !write_left(t, c, now)) {
        return;
    }
    while (c->phase == TCP_UP) {
        size_t len =
            cn_muxer_pull(c->muxer, CN_TCP_SEAL_BYTES, parts, CN_LEN(parts), &parts_len, now);
        if (len == 0) {
            break;
        }
        cn_buf_reset(&t->sealed);
        cn_err err = cn_secure_seal(c->secure, parts, parts_len, &t->sealed);
        cn_muxer_pulled(c->muxer);
        if (err != CN_OK) {
            cn_tcp_fail(t, c, err);
            return;
        }
        if (!write_sealed(t, c, now)) {
            break;
        }
        turn += len;
        if (turn >= CN_TCP_TURN_BYTES) {
            cn_tcp_dirty(t, c);
            t->is_again = true;
            break;
        }
    }
    if (c->phase == TCP_UP) {
        cn_tcp_note_deadline(t, c);
        cn_tcp_ready(t, c); /* room that came back is told by the muxer */
    }
}

void cn_tcp_flush(cn_transport *transport, cn_time now)
{
    tcp *t = (tcp *)transport;
    tcp_conn *c = t->dirty_first;
    t->dirty_first = NULL;
    t->dirty_last = NULL;
    t->is_again = false;
    while (c != NULL) {
        tcp_conn *next = c->next_dirty;
        c->is_dirty = false;
        flush_conn(t, c, now);
        c = next;
    }
}
