/*
 * Life of the muxer and its streams.
 *
 * A stream lives in the table from open (ours) or SYN (theirs) until both directions have ended or
 * one side has reset it. Invariants: recv_window + unconsumed <= window; a stream stands in the
 * ring of ready ones at most once; queued_bytes is the sum over its chunks of what is not sent.
 */
#include "p2p/muxer/yamux_internal.h"

static cn_slice key_of(const uint32_t *no)
{
    return cn_slice_of(no, sizeof(*no));
}

yamux_stream *cn_yamux_find(const yamux *y, uint32_t no)
{
    return cn_map_get(&y->streams, key_of(&no));
}

cn_err cn_yamux_add(yamux *y, uint32_t no, bool is_ours, yamux_stream **ret)
{
    cn_err err = CN_OK;
    yamux_stream *s = NULL;
    void *value = NULL;
    bool is_new = false;
    CN_TRY(cn_map_put(&y->streams, key_of(&no), &value, &is_new));
    CN_ASSERT(is_new);
    s = value;
    *s = (yamux_stream){
        .no = no,
        .is_ours = is_ours,
        .is_acked = !is_ours,
        .send_window = CN_YAMUX_WINDOW_BYTES,
        .recv_window = CN_YAMUX_WINDOW_BYTES,
        .window = CN_YAMUX_WINDOW_BYTES,
        .flags = is_ours ? CN_YAMUX_SYN : CN_YAMUX_ACK,
    };
    y->unacked += is_ours ? 1 : 0;
    *(is_ours ? &y->streams_out : &y->streams_in) += 1;
    cn_yamux_ready(y, s);
    *ret = s;
out:
    return err;
}

void cn_yamux_ready(yamux *y, yamux_stream *s)
{
    if (s->is_ready) {
        return;
    }
    s->is_ready = true;
    s->next_ready = NULL;
    if (y->ready_last == NULL) {
        y->ready_first = s;
    } else {
        y->ready_last->next_ready = s;
    }
    y->ready_last = s;
}

/* Bytes that may wait on a stream: less where much waits in the node. */
static size_t queue_limit(const yamux *y)
{
    size_t all = y->options.queued_bytes == NULL ? 0 : atomic_load(y->options.queued_bytes);
    size_t all_max = y->options.queued_all_max_bytes;
    if (all_max == 0 || all < all_max / 2) {
        return y->options.queued_max_bytes;
    }
    return all < all_max ? y->options.queued_max_bytes / 16 : 1;
}

static void hold(yamux *y, size_t bytes)
{
    y->held_bytes += bytes;
    if (y->options.queued_bytes != NULL) {
        atomic_fetch_add(y->options.queued_bytes, bytes);
    }
}

void cn_yamux_unhold(yamux *y, size_t bytes)
{
    y->held_bytes -= bytes;
    if (y->options.queued_bytes != NULL) {
        atomic_fetch_sub(y->options.queued_bytes, bytes);
    }
}

void cn_yamux_tell_room(yamux *y, yamux_stream *s)
{
    if (!s->wants_room || s->is_told || s->queued_bytes >= queue_limit(y)) {
        return;
    }
    s->is_told = true;
    s->next_told = NULL;
    if (y->told_last == NULL) {
        y->told_first = s;
    } else {
        y->told_last->next_told = s;
    }
    y->told_last = s;
}

static void leave_ring(yamux *y, yamux_stream *s)
{
    yamux_stream *before = NULL;
    for (yamux_stream *at = y->ready_first; at != NULL; before = at, at = at->next_ready) {
        if (at != s) {
            continue;
        }
        *(before == NULL ? &y->ready_first : &before->next_ready) = s->next_ready;
        y->ready_last = y->ready_last == s ? before : y->ready_last;
        break;
    }
    s->is_ready = false;
}

static void leave_told(yamux *y, yamux_stream *s)
{
    yamux_stream *before = NULL;
    for (yamux_stream *at = y->told_first; at != NULL; before = at, at = at->next_told) {
        if (at != s) {
            continue;
        }
        *(before == NULL ? &y->told_first : &before->next_told) = s->next_told;
        y->told_last = y->told_last == s ? before : y->told_last;
        break;
    }
    s->is_told = false;
}

static void free_chunks(yamux *y, yamux_chunk *c)
{
    while (c != NULL) {
        yamux_chunk *next = c->next;
        cn_yamux_unhold(y, c->bytes.cap);
        cn_buf_release(&c->bytes);
        cn_free(y->options.mem, c);
        c = next;
    }
}

void cn_yamux_drop(yamux *y, yamux_stream *s)
{
    uint32_t no = s->no;
    if (s->is_ready) {
        leave_ring(y, s);
    }
    if (s->is_told) {
        leave_told(y, s);
    }
    free_chunks(y, s->first);
    if (y->options.windows_bytes != NULL) {
        atomic_fetch_sub(y->options.windows_bytes, (size_t)(s->window - CN_YAMUX_WINDOW_BYTES));
    }
    y->unacked -= s->is_acked ? 0 : 1;
    *(s->is_ours ? &y->streams_out : &y->streams_in) -= 1;
    cn_map_remove(&y->streams, key_of(&no));
}

void cn_yamux_drop_if_over(yamux *y, yamux_stream *s)
{
    if (s->is_fin_sent && s->is_fin_received) {
        cn_yamux_drop(y, s);
    }
}

static cn_err open_stream(cn_muxer *m, cn_stream_no *ret)
{
    cn_err err = CN_OK;
    yamux *y = (yamux *)m;
    yamux_stream *s = NULL;
    if (y->is_ended || y->next_no == 0) {
        return CN_ERR_CLOSED;
    }
    if (y->streams_out >= y->options.streams_out_max || y->unacked >= CN_YAMUX_UNACKED_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    CN_TRY(cn_yamux_add(y, y->next_no, true, &s));
    *ret = s->no;
    y->next_no = y->next_no > UINT32_MAX - 2 ? 0 : y->next_no + 2;
out:
    return err;
}

static size_t room(const cn_muxer *m, cn_stream_no no)
{
    const yamux *y = (const yamux *)m;
    yamux_stream *s = cn_yamux_find(y, (uint32_t)no);
    if (s == NULL || s->is_fin_asked) {
        return 0;
    }
    size_t limit = queue_limit(y);
    bool is_full = s->queued_bytes >= limit;
    s->wants_room = s->wants_room || is_full;
    return is_full ? 0 : limit - s->queued_bytes;
}

static cn_err write_stream(cn_muxer *m, cn_stream_no no, cn_buf *bytes)
{
    yamux *y = (yamux *)m;
    yamux_stream *s = cn_yamux_find(y, (uint32_t)no);
    if (s == NULL || s->is_fin_asked || y->is_ended) {
        return CN_ERR_CLOSED;
    }
    if (bytes->len == 0) {
        return CN_OK;
    }
    yamux_chunk *c = cn_alloc(y->options.mem, sizeof(*c));
    if (c == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    c->bytes = *bytes;
    cn_buf_init(bytes, c->bytes.mem, c->bytes.max);
    *(s->last == NULL ? &s->first : &s->last->next) = c;
    s->last = c;
    s->queued_bytes += c->bytes.len;
    hold(y, c->bytes.cap);
    if (s->send_window > 0) {
        cn_yamux_ready(y, s);
    }
    return CN_OK;
}

static void close_stream(cn_muxer *m, cn_stream_no no)
{
    yamux *y = (yamux *)m;
    yamux_stream *s = cn_yamux_find(y, (uint32_t)no);
    if (s != NULL && !s->is_fin_asked) {
        s->is_fin_asked = true;
        cn_yamux_ready(y, s);
    }
}

static void reset_stream(cn_muxer *m, cn_stream_no no, uint32_t code)
{
    yamux *y = (yamux *)m;
    yamux_stream *s = cn_yamux_find(y, (uint32_t)no);
    if (s == NULL) {
        return;
    }
    bool is_unknown_there = (s->flags & CN_YAMUX_SYN) != 0;
    uint32_t number = s->no;
    cn_yamux_drop(y, s);
    /* A full queue of control frames ends the connection at the next frame that comes in. */
    if (!is_unknown_there) {
        (void)!cn_yamux_control(y, CN_YAMUX_WINDOW, CN_YAMUX_RST, number, code);
    }
}

static void end(cn_muxer *m, uint32_t code)
{
    yamux *y = (yamux *)m;
    if (!y->is_ended) {
        y->is_ended = true;
        (void)!cn_yamux_control(y, CN_YAMUX_GO_AWAY, 0, 0, code);
    }
}

static cn_time deadline(const cn_muxer *m)
{
    const yamux *y = (const yamux *)m;
    return y->is_ended ? CN_TIME_NEVER : y->ping_at;
}

static cn_err tick(cn_muxer *m, cn_time now)
{
    yamux *y = (yamux *)m;
    if (y->is_ended || now.ns < y->ping_at.ns) {
        return CN_OK;
    }
    /* One that cannot even be sent is overdue as well: the other side takes nothing any more. */
    if (y->is_ping_due || y->is_ping_out) {
        return CN_ERR_TIMEOUT;
    }
    y->is_ping_due = true;
    y->ping_at = cn_time_after(now, y->options.ping_timeout_ns);
    return CN_OK;
}

static size_t streams(const cn_muxer *m)
{
    return ((const yamux *)m)->streams.len;
}

static size_t held_bytes(const cn_muxer *m)
{
    const yamux *y = (const yamux *)m;
    return y->held_bytes + y->streams.len * sizeof(yamux_stream);
}

static uint64_t work(const cn_muxer *m)
{
    return ((const yamux *)m)->work;
}

static void free_muxer(cn_muxer *m)
{
    yamux *y = (yamux *)m;
    size_t position = 0;
    cn_slice key = {0};
    void *value = NULL;
    while (cn_map_next(&y->streams, &position, &key, &value)) {
        cn_yamux_drop(y, value);
    }
    free_chunks(y, y->spent);
    cn_map_release(&y->streams);
    cn_buf_release(&y->control);
    cn_buf_release(&y->control_out);
    cn_free(y->options.mem, y);
}

static const cn_muxer_ops ops = {
    .next = cn_yamux_next,
    .open = open_stream,
    .room = room,
    .write = write_stream,
    .consumed = cn_yamux_consumed,
    .close = close_stream,
    .reset = reset_stream,
    .end = end,
    .pull = cn_yamux_pull,
    .pulled = cn_yamux_pulled,
    .deadline = deadline,
    .tick = tick,
    .streams = streams,
    .held_bytes = held_bytes,
    .work = work,
    .free = free_muxer,
};

static cn_err open_muxer(const cn_muxer_options *options, cn_time now, cn_muxer **ret)
{
    yamux *y = cn_alloc(options->mem, sizeof(*y));
    if (y == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    size_t streams_max = options->streams_in_max + options->streams_out_max;
    *y = (yamux){.muxer = {&ops}, .options = *options, .next_no = options->is_initiator ? 1 : 2};
    cn_map_init(&y->streams, options->mem, sizeof(yamux_stream), streams_max, 0);
    cn_buf_init(&y->control, options->mem, CN_YAMUX_CONTROL_MAX_BYTES);
    cn_buf_init(&y->control_out, options->mem, CN_YAMUX_CONTROL_MAX_BYTES);
    /* The first ping goes out at once: windows cannot grow before the round trip is known. */
    y->is_ping_due = true;
    y->ping_at = cn_time_after(now, options->ping_timeout_ns);
    *ret = &y->muxer;
    return CN_OK;
}

const cn_muxing cn_yamux = {"/yamux/1.0.0", open_muxer};
