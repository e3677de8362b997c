/*
 * Frames that go: pings and other control first, then streams in turn, each at most one frame of
 * data a turn, and its end. Windows are given back here too, when half of one has been consumed.
 */
#include "p2p/muxer/yamux_internal.h"

static void put_be32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

void cn_yamux_put_header(uint8_t *to, unsigned type, unsigned flags, uint32_t no, uint32_t value)
{
    to[0] = 0;
    to[1] = (uint8_t)type;
    to[2] = (uint8_t)(flags >> 8);
    to[3] = (uint8_t)flags;
    put_be32(to + 4, no);
    put_be32(to + 8, value);
}

cn_err cn_yamux_control(yamux *y, unsigned type, unsigned flags, uint32_t no, uint32_t value)
{
    uint8_t frame[CN_YAMUX_HEADER_BYTES];
    cn_yamux_put_header(frame, type, flags, no, value);
    return cn_buf_append(&y->control, cn_slice_of(frame, sizeof(frame)));
}

/*
 * Twice the window where one was used up in less than 4 round trips: the sender waited for us. The
 * node's budget for windows is asked first.
 */
static void grow_window(const yamux *y, yamux_stream *s, cn_time now)
{
    uint64_t more = CN_MIN(s->window, y->options.window_max_bytes - s->window);
    bool is_fast = y->rtt_ns > 0 && now.ns - s->window_began.ns < 4 * y->rtt_ns;
    if (s->window >= y->options.window_max_bytes || !is_fast) {
        return;
    }
    if (y->options.windows_bytes != NULL) {
        size_t before = atomic_fetch_add(y->options.windows_bytes, (size_t)more);
        if (before + more > y->options.windows_max_bytes) {
            atomic_fetch_sub(y->options.windows_bytes, (size_t)more);
            return;
        }
    }
    s->window += more;
}

void cn_yamux_consumed(cn_muxer *m, cn_stream_no no, size_t bytes, cn_time now)
{
    yamux *y = (yamux *)m;
    yamux_stream *s = cn_yamux_find(y, (uint32_t)no);
    if (s == NULL) {
        return;
    }
    CN_ASSERT(bytes <= s->unconsumed);
    s->unconsumed -= bytes;
    uint64_t missing = s->window - s->recv_window - s->unconsumed;
    if (s->is_fin_received || missing < s->window / 2) {
        return;
    }
    grow_window(y, s, now);
    missing = s->window - s->recv_window - s->unconsumed;
    s->window_began = now;
    s->recv_window += missing;
    s->grant += (uint32_t)missing;
    cn_yamux_ready(y, s);
}

/* What a stream has to say without data: its opening or answer, room given, a reset's FIN. */
static void put_window(yamux *y, yamux_stream *s)
{
    if (s->flags == 0 && s->grant == 0) {
        return;
    }
    if (cn_yamux_control(y, CN_YAMUX_WINDOW, s->flags, s->no, s->grant) == CN_OK) {
        s->flags = 0;
        s->grant = 0;
    }
}

static void put_ping(yamux *y, cn_time now)
{
    uint32_t value = y->ping_value + 1;
    if (cn_yamux_control(y, CN_YAMUX_PING, CN_YAMUX_SYN, 0, value) == CN_OK) {
        y->is_ping_due = false;
        y->is_ping_out = true;
        y->ping_value = value;
        y->ping_sent = now;
        y->ping_at = cn_time_after(now, y->options.ping_timeout_ns);
    }
}

typedef struct pulling {
    cn_slice *parts;
    size_t parts_max;
    size_t parts_len;
    size_t bytes;
    size_t max_bytes;
    size_t headers;
} pulling;

static void spend(yamux *y, yamux_stream *s)
{
    yamux_chunk *c = s->first;
    s->first = c->next;
    s->last = s->first == NULL ? NULL : s->last;
    c->next = y->spent;
    y->spent = c;
}

/* One frame of a stream's data; false: no room for it in this pull. */
static bool pull_data(yamux *y, yamux_stream *s, pulling *p)
{
    size_t limit = (size_t)CN_MIN(s->send_window, CN_YAMUX_FRAME_MAX_BYTES);
    limit = CN_MIN(limit, s->queued_bytes);
    if (p->headers == CN_YAMUX_PULL_HEADERS || p->parts_len + 2 > p->parts_max ||
        p->bytes + CN_YAMUX_HEADER_BYTES >= p->max_bytes) {
        return false;
    }
    limit = CN_MIN(limit, p->max_bytes - p->bytes - CN_YAMUX_HEADER_BYTES);
    uint8_t *header = y->headers[p->headers++];
    p->parts[p->parts_len++] = cn_slice_of(header, CN_YAMUX_HEADER_BYTES);
    size_t len = 0;
    while (len < limit && p->parts_len < p->parts_max) {
        yamux_chunk *c = s->first;
        cn_slice rest = cn_slice_skip(cn_buf_slice(&c->bytes), c->sent);
        cn_slice part = cn_slice_head(rest, limit - len);
        p->parts[p->parts_len++] = part;
        len += part.len;
        c->sent += part.len;
        if (c->sent == c->bytes.len) {
            spend(y, s);
        }
    }
    s->queued_bytes -= len;
    s->send_window -= len;
    cn_yamux_put_header(header, CN_YAMUX_DATA, 0, s->no, (uint32_t)len);
    p->bytes += CN_YAMUX_HEADER_BYTES + len;
    return true;
}

/*
 * The end of a stream, in a frame of its own as go sends it: js closes a stream at a FIN before it
 * looks at the data in the same frame. False: no room for it in this pull.
 */
static bool pull_end(yamux *y, yamux_stream *s, pulling *p)
{
    if (p->headers == CN_YAMUX_PULL_HEADERS || p->parts_len + 1 > p->parts_max ||
        p->bytes + CN_YAMUX_HEADER_BYTES > p->max_bytes) {
        return false;
    }
    uint8_t *header = y->headers[p->headers++];
    p->parts[p->parts_len++] = cn_slice_of(header, CN_YAMUX_HEADER_BYTES);
    cn_yamux_put_header(header, CN_YAMUX_WINDOW, CN_YAMUX_FIN, s->no, 0);
    s->is_fin_sent = true;
    p->bytes += CN_YAMUX_HEADER_BYTES;
    return true;
}

/* The streams' turns, one frame each, until the pull is full or none is ready. */
static void pull_streams(yamux *y, pulling *p)
{
    while (y->ready_first != NULL) {
        yamux_stream *s = y->ready_first;
        if (s->flags != 0 || s->grant != 0) {
            return; /* control was full; the next pull goes on here */
        }
        if (s->first != NULL && s->send_window > 0 && !pull_data(y, s, p)) {
            return;
        }
        bool is_end = s->is_fin_asked && !s->is_fin_sent && s->first == NULL;
        if (is_end && !pull_end(y, s, p)) {
            return;
        }
        y->ready_first = s->next_ready;
        y->ready_last = y->ready_first == NULL ? NULL : y->ready_last;
        s->is_ready = false;
        if (s->first != NULL && s->send_window > 0) {
            cn_yamux_ready(y, s);
        }
        cn_yamux_tell_room(y, s);
        cn_yamux_drop_if_over(y, s);
    }
}

/* Windows, openings and bare ends of all that are ready, so that they stand before any data. */
static void put_controls(yamux *y)
{
    for (yamux_stream *s = y->ready_first; s != NULL; s = s->next_ready) {
        put_window(y, s);
        bool is_bare_end = s->is_fin_asked && !s->is_fin_sent && s->first == NULL;
        if (is_bare_end && s->flags == 0 &&
            cn_yamux_control(y, CN_YAMUX_WINDOW, CN_YAMUX_FIN, s->no, 0) == CN_OK) {
            s->is_fin_sent = true;
        }
    }
}

size_t cn_yamux_pull(
    cn_muxer *m,
    size_t max_bytes,
    cn_slice *parts,
    size_t parts_max,
    size_t *ret_parts,
    cn_time now)
{
    yamux *y = (yamux *)m;
    pulling p = {.parts = parts, .parts_max = parts_max, .max_bytes = max_bytes};
    CN_ASSERT(y->spent == NULL && y->control_out.len == 0 && parts_max >= 3);
    if (y->is_ping_due && !y->is_ended) {
        put_ping(y, now);
    }
    put_controls(y);
    if (y->control.len > 0) {
        cn_buf out = y->control_out;
        y->control_out = y->control;
        y->control = out;
        parts[p.parts_len++] = cn_buf_slice(&y->control_out);
        p.bytes = y->control_out.len;
    }
    pull_streams(y, &p);
    *ret_parts = p.parts_len;
    return p.bytes;
}

void cn_yamux_pulled(cn_muxer *m)
{
    yamux *y = (yamux *)m;
    cn_buf_reset(&y->control_out);
    while (y->spent != NULL) {
        yamux_chunk *c = y->spent;
        y->spent = c->next;
        cn_yamux_unhold(y, c->bytes.cap);
        cn_buf_release(&c->bytes);
        cn_free(y->options.mem, c);
    }
}
