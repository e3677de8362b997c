/*
 * Streams: what the host asks of a connection's muxer. What it may have queued is sent by the next
 * flush.
 */
#include "p2p/transport/tcp_internal.h"

/* The muxer of a connection that is up; NULL otherwise. */
static cn_muxer *muxer_of(const cn_transport *transport, cn_id id, tcp_conn **ret)
{
    const tcp *t = (const tcp *)transport;
    tcp_conn *c = cn_slots_get(&t->conns, id);
    *ret = c;
    return c == NULL || c->phase != TCP_UP ? NULL : c->muxer;
}

cn_err cn_tcp_stream_open(cn_transport *t, cn_id conn, cn_stream_no *ret)
{
    tcp_conn *c = NULL;
    cn_muxer *m = muxer_of(t, conn, &c);
    cn_err err = m == NULL ? CN_ERR_CLOSED : cn_muxer_open(m, ret);
    if (err == CN_OK) {
        cn_tcp_dirty((tcp *)t, c);
    }
    return err;
}

size_t cn_tcp_stream_room(const cn_transport *t, cn_id conn, cn_stream_no stream)
{
    tcp_conn *c = NULL;
    const cn_muxer *m = muxer_of(t, conn, &c);
    return m == NULL ? 0 : cn_muxer_room(m, stream);
}

cn_err cn_tcp_stream_write(cn_transport *t, cn_id conn, cn_stream_no stream, cn_buf *bytes)
{
    tcp_conn *c = NULL;
    cn_muxer *m = muxer_of(t, conn, &c);
    cn_err err = m == NULL ? CN_ERR_CLOSED : cn_muxer_write(m, stream, bytes);
    if (err == CN_OK) {
        cn_tcp_dirty((tcp *)t, c);
    }
    return err;
}

void cn_tcp_stream_consumed(
    cn_transport *t, cn_id conn, cn_stream_no stream, size_t bytes, cn_time now)
{
    tcp_conn *c = NULL;
    cn_muxer *m = muxer_of(t, conn, &c);
    if (m != NULL) {
        cn_muxer_consumed(m, stream, bytes, now);
        cn_tcp_dirty((tcp *)t, c);
    }
}

void cn_tcp_stream_close(cn_transport *t, cn_id conn, cn_stream_no stream)
{
    tcp_conn *c = NULL;
    cn_muxer *m = muxer_of(t, conn, &c);
    if (m != NULL) {
        cn_muxer_close(m, stream);
        cn_tcp_dirty((tcp *)t, c);
    }
}

void cn_tcp_stream_reset(cn_transport *t, cn_id conn, cn_stream_no stream, uint32_t code)
{
    tcp_conn *c = NULL;
    cn_muxer *m = muxer_of(t, conn, &c);
    if (m != NULL) {
        cn_muxer_reset(m, stream, code);
        cn_tcp_dirty((tcp *)t, c);
    }
}
