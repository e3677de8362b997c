/*
 * Frames that come. The header is gathered byte by byte; data is lent as it arrives, in pieces.
 * A frame may open a stream, carry data and end the stream: one event each, in that order.
 *
 * Frames for a stream that is gone are read and forgotten: after a reset they are still in flight.
 */
#include "p2p/muxer/yamux_internal.h"

static uint32_t be32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Does the other side give the numbers of this parity? */
static bool is_theirs(const yamux *y, uint32_t no)
{
    return (no % 2 == 1) != y->options.is_initiator;
}

static cn_err broken(yamux *y, cn_why *why, const char *what, uint32_t value)
{
    y->muxer.ops->end(&y->muxer, CN_YAMUX_PROTOCOL_ERROR);
    return cn_why_set(why, CN_ERR_MALFORMED, "yamux: the peer sent %s (%u)", what, value);
}

/* A frame that the other side makes us say. */
static cn_err
answer(yamux *y, unsigned type, unsigned flags, uint32_t no, uint32_t value, cn_why *why)
{
    cn_err err = cn_yamux_control(y, type, flags, no, value);
    return err != CN_ERR_TOO_LARGE
               ? err
               : cn_why_set(
                     why, err, "yamux: the peer asks for more than %d answers at once",
                     CN_YAMUX_CONTROL_MAX_BYTES / CN_YAMUX_HEADER_BYTES);
}

/*
 * Is the number not used before? go gives numbers and sends their first frames in two steps, so
 * those of streams opened at the same time may come in another order.
 */
static bool is_unused(yamux *y, uint32_t no)
{
    if (no > y->last_in) {
        uint32_t steps = (no - y->last_in) / 2;
        y->recent_in = (steps >= CN_YAMUX_RECENT ? 0 : y->recent_in << steps) | 1;
        y->last_in = no;
        return true;
    }
    uint32_t back = (y->last_in - no) / 2;
    if (no == 0 || back >= CN_YAMUX_RECENT || (y->recent_in >> back & 1) != 0) {
        return false;
    }
    y->recent_in |= (uint64_t)1 << back;
    return true;
}

/* SYN: a stream of theirs begins, or is turned away where there are too many. */
static cn_err take_syn(yamux *y, uint32_t no, cn_why *why)
{
    yamux_stream *s = NULL;
    if (!is_theirs(y, no)) {
        return broken(y, why, "a stream number of the wrong side", no);
    }
    if (!is_unused(y, no)) {
        return broken(y, why, "a stream number a second time", no);
    }
    y->work += CN_YAMUX_OPEN_WORK;
    if (y->streams_in >= y->options.streams_in_max || y->is_ended) {
        return answer(y, CN_YAMUX_WINDOW, CN_YAMUX_RST, no, 0, why);
    }
    cn_err err = cn_yamux_add(y, no, false, &s);
    y->is_opened_due = err == CN_OK;
    return err;
}

static void take_ack(yamux *y, yamux_stream *s)
{
    if (!s->is_acked) {
        s->is_acked = true;
        y->unacked--;
    }
}

static cn_err take_window(yamux *y, yamux_stream *s, uint32_t delta, cn_why *why)
{
    s->send_window += delta;
    if (s->send_window > UINT32_MAX) {
        return broken(y, why, "a window beyond 4 GiB", delta);
    }
    if (s->first != NULL && delta > 0) {
        cn_yamux_ready(y, s);
    }
    return CN_OK;
}

static cn_err take_ping(yamux *y, unsigned flags, uint32_t value, cn_time now, cn_why *why)
{
    if ((flags & CN_YAMUX_SYN) != 0) {
        return answer(y, CN_YAMUX_PING, CN_YAMUX_ACK, 0, value, why);
    }
    if ((flags & CN_YAMUX_ACK) != 0 && y->is_ping_out && value == y->ping_value) {
        y->is_ping_out = false;
        y->is_rtt_due = true;
        int64_t rtt_ns = CN_MAX(now.ns - y->ping_sent.ns, 1);
        y->rtt_ns = y->rtt_ns == 0 ? rtt_ns : (y->rtt_ns + rtt_ns) / 2;
        y->ping_at = cn_time_after(now, y->options.ping_interval_ns);
    }
    return CN_OK;
}

/* A data or window frame's header: check it, open the stream if it says so, take the window. */
static cn_err take_stream_frame(
    yamux *y, unsigned type, unsigned flags, uint32_t no, uint32_t len, cn_time now, cn_why *why)
{
    cn_err err = CN_OK;
    yamux_stream *s = NULL;
    if (no == 0) {
        return broken(y, why, "a frame of stream 0", type);
    }
    if ((flags & CN_YAMUX_SYN) != 0) {
        CN_TRY(take_syn(y, no, why));
    }
    s = cn_yamux_find(y, no);
    if (s != NULL && (flags & CN_YAMUX_ACK) != 0) {
        take_ack(y, s);
    }
    if (type == CN_YAMUX_DATA && s != NULL) {
        if (len > s->recv_window) {
            return broken(y, why, "more data than the window has room for", len);
        }
        if (s->is_fin_received && len > 0) {
            return broken(y, why, "data behind the end of a stream", no);
        }
        s->recv_window -= len;
        s->window_began = s->window_began.ns == 0 ? now : s->window_began;
    }
    /* With RST the length of a window update is a code, not room. */
    if (type == CN_YAMUX_WINDOW && s != NULL && (flags & CN_YAMUX_RST) == 0) {
        CN_TRY(take_window(y, s, len, why));
    }
    y->work += type == CN_YAMUX_DATA && s == NULL ? len / CN_YAMUX_LOST_BYTES : 0;
    y->in_frame = true;
    y->frame_no = no;
    y->frame_flags = (uint16_t)flags;
    y->frame_left = type == CN_YAMUX_DATA ? len : 0;
out:
    return err;
}

static cn_err take_header(yamux *y, cn_time now, cn_mux_event *ret, bool *ret_have, cn_why *why)
{
    const uint8_t *h = y->header;
    unsigned type = h[1];
    unsigned flags = (unsigned)h[2] << 8 | h[3];
    uint32_t no = be32(h + 4);
    uint32_t value = be32(h + 8);
    y->work += type != CN_YAMUX_DATA || value < CN_YAMUX_SMALL_BYTES ? 1 : 0;
    if (h[0] != 0) {
        return broken(y, why, "a version that is not 0", h[0]);
    }
    if (type == CN_YAMUX_PING) {
        return take_ping(y, flags, value, now, why);
    }
    if (type == CN_YAMUX_GO_AWAY) {
        y->is_ended = true;
        *ret = (cn_mux_event){.kind = CN_MUX_GONE, .code = value};
        *ret_have = true;
        return CN_OK;
    }
    if (type > CN_YAMUX_GO_AWAY) {
        return broken(y, why, "a frame of unknown type", type);
    }
    return take_stream_frame(y, type, flags, no, value, now, why);
}

/* The end of a frame: what its FIN or RST means, if the stream is still there. */
static void end_frame(yamux *y, cn_mux_event *ret, bool *ret_have)
{
    yamux_stream *s = cn_yamux_find(y, y->frame_no);
    y->in_frame = false;
    if (s == NULL || (y->frame_flags & (CN_YAMUX_FIN | CN_YAMUX_RST)) == 0) {
        return;
    }
    *ret = (cn_mux_event){.stream = y->frame_no};
    if ((y->frame_flags & CN_YAMUX_RST) != 0) {
        ret->kind = CN_MUX_RESET;
        ret->code = be32(y->header + 8);
        ret->code = y->header[1] == CN_YAMUX_WINDOW ? ret->code : 0;
        cn_yamux_drop(y, s);
    } else if (!s->is_fin_received) {
        ret->kind = CN_MUX_FIN;
        s->is_fin_received = true;
        cn_yamux_drop_if_over(y, s);
    } else {
        return;
    }
    *ret_have = true;
}

/* Data of the current frame, or its end. */
static void take_body(yamux *y, cn_slice *in, cn_mux_event *ret, bool *ret_have)
{
    cn_slice data = cn_slice_head(*in, y->frame_left);
    *in = cn_slice_skip(*in, data.len);
    y->frame_left -= (uint32_t)data.len;
    yamux_stream *s = cn_yamux_find(y, y->frame_no);
    if (data.len > 0 && s != NULL) {
        s->unconsumed += data.len;
        *ret = (cn_mux_event){.kind = CN_MUX_DATA, .stream = y->frame_no, .data = data};
        *ret_have = true;
        return;
    }
    if (y->frame_left == 0) {
        end_frame(y, ret, ret_have);
    }
}

/* Events that wait and need no bytes. */
static bool take_due(yamux *y, cn_mux_event *ret)
{
    if (y->is_opened_due) {
        y->is_opened_due = false;
        *ret = (cn_mux_event){.kind = CN_MUX_OPENED, .stream = y->frame_no};
        return true;
    }
    if (y->is_rtt_due) {
        y->is_rtt_due = false;
        *ret = (cn_mux_event){.kind = CN_MUX_RTT, .rtt_ns = y->rtt_ns};
        return true;
    }
    yamux_stream *s = y->told_first;
    if (s != NULL) {
        y->told_first = s->next_told;
        y->told_last = y->told_first == NULL ? NULL : y->told_last;
        s->is_told = false;
        s->wants_room = false;
        *ret = (cn_mux_event){.kind = CN_MUX_WRITABLE, .stream = s->no};
        return true;
    }
    return false;
}

cn_err cn_yamux_next(
    cn_muxer *m, cn_slice *in, cn_time now, cn_mux_event *ret, bool *ret_have, cn_why *why)
{
    cn_err err = CN_OK;
    yamux *y = (yamux *)m;
    bool have = false;
    /* An answer may stand behind data that takes long: whoever is heard is alive. */
    if (in->len > 0 && y->is_ping_out) {
        y->ping_at = cn_time_after(now, y->options.ping_timeout_ns);
    }
    while (!(have = take_due(y, ret))) {
        if (y->in_frame && (in->len > 0 || y->frame_left == 0)) {
            take_body(y, in, ret, &have);
            if (have) {
                break;
            }
            continue;
        }
        cn_slice part = cn_slice_head(*in, sizeof(y->header) - y->header_len);
        if (part.len == 0) {
            break;
        }
        cn_copy(y->header + y->header_len, part.data, part.len);
        *in = cn_slice_skip(*in, part.len);
        y->header_len += part.len;
        if (y->header_len == sizeof(y->header)) {
            y->header_len = 0;
            CN_TRY(take_header(y, now, ret, &have, why));
            if (have) {
                break;
            }
        }
    }
    *ret_have = have;
out:
    return err;
}
