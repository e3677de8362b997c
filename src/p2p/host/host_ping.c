/*
 * ping: 32 bytes come back as they went. Ours go over one stream per peer, since others allow few
 * (go-libp2p two), one behind the other; it is kept a while for the next. Theirs are echoed as long
 * as they read what they get.
 * spec: libp2p/ping
 */
#include "p2p/host/host_internal.h"

enum {
    PING_BYTES = 32,
    PINGS_MAX = 4096,
    IDLE_S = 10,
    ECHO_MAX_BYTES = 4096, /* echoes of one stream that wait to be read */
    ECHO_WORK_BYTES = 64,  /* of echoes, for 1 of work */
};

static const char *const PING[] = {"/ipfs/ping/1.0.0"};

typedef struct ping {
    struct ping *next; /* sent after it, over the same stream */
    cn_id id;
    cn_host_pinged done; /* NULL: nobody wants to know any more */
    void *ctx;
    cn_time sent;
    cn_time deadline;
    uint8_t bytes[PING_BYTES];
} ping;

/* Our stream to one peer. */
typedef struct ping_line {
    struct ping_line *next;
    cn_peer_id peer;
    cn_id stream;
    ping *first; /* not answered, oldest first */
    ping *last;
    size_t echoed; /* bytes of the first */
    cn_time idle_until;
} ping_line;

typedef struct host_ping {
    cn_protocol p;
    cn_host *h;
    cn_slots all;
    ping_line *lines;
    size_t room_bytes; /* of a stream on which nothing waits */
} host_ping;

static ping_line **find_line(host_ping *s, cn_id stream)
{
    ping_line **at = &s->lines;
    while (*at != NULL && !cn_id_eq((*at)->stream, stream)) {
        at = &(*at)->next;
    }
    return at;
}

static ping_line *line_to(host_ping *s, const cn_peer_id *peer)
{
    ping_line *line = s->lines;
    while (line != NULL && !cn_peer_id_eq(&line->peer, peer)) {
        line = line->next;
    }
    return line;
}

/* The first of a line is over. */
static void
tell_first(host_ping *s, ping_line *line, cn_err err, int64_t rtt_ns, const char *sentence)
{
    ping *one = line->first;
    line->first = one->next;
    line->last = line->first == NULL ? NULL : line->last;
    line->echoed = 0;
    line->idle_until = cn_time_after(s->h->now, IDLE_S * CN_NS_PER_S);
    (void)cn_slots_remove(&s->all, one->id);
    if (one->done != NULL) {
        one->done(one->ctx, err, rtt_ns, sentence == NULL ? cn_err_sentence(err) : sentence);
    }
    cn_free(s->h->mem, one);
}

/* The stream is gone: so are the pings on it. */
static void end_line(host_ping *s, ping_line **at, cn_err err, const char *sentence)
{
    ping_line *line = *at;
    *at = line->next;
    while (line->first != NULL) {
        tell_first(s, line, err, 0, sentence);
    }
    cn_free(s->h->mem, line);
}

static cn_err opened(cn_protocol *p, cn_id stream, const cn_peer_id *peer, const char *name)
{
    host_ping *s = (host_ping *)p;
    CN_UNUSED(peer);
    CN_UNUSED(name);
    s->room_bytes = CN_MAX(s->room_bytes, cn_host_room(s->h, stream));
    return CN_OK;
}

static cn_err echo(host_ping *s, cn_id stream, cn_slice bytes)
{
    cn_err err = CN_OK;
    cn_buf copy = {0};
    size_t room = cn_host_room(s->h, stream);
    cn_buf_init(&copy, s->h->mem, bytes.len);
    s->room_bytes = CN_MAX(s->room_bytes, room); /* when it was opened our answer waited */
    cn_host_charge(s->h, stream, bytes.len / ECHO_WORK_BYTES);
    if (room < bytes.len || s->room_bytes - room > ECHO_MAX_BYTES) {
        return CN_ERR_TOO_LARGE; /* it does not read its echoes */
    }
    CN_TRY(cn_buf_append(&copy, bytes));
    CN_TRY(cn_host_write(s->h, stream, &copy));
    cn_host_consumed(s->h, stream, bytes.len);
out:
    cn_buf_release(&copy);
    return err;
}

/* Echoes of ours. After each that is told the line may be gone. */
static cn_err take_echo(host_ping *s, cn_id stream, cn_slice bytes)
{
    ping_line *line = *find_line(s, stream);
    while (bytes.len > 0 && line != NULL) {
        const ping *one = line->first;
        size_t left = one == NULL ? 0 : PING_BYTES - line->echoed;
        cn_slice head = cn_slice_head(bytes, left);
        if (one == NULL || !cn_slice_eq(head, cn_slice_of(one->bytes + line->echoed, head.len))) {
            end_line(
                s, find_line(s, stream), CN_ERR_MALFORMED,
                "the peer answered a ping with other bytes");
            return CN_ERR_MALFORMED;
        }
        bytes = cn_slice_skip(bytes, head.len);
        line->echoed += head.len;
        if (line->echoed == PING_BYTES) {
            cn_time now = cn_rt_now(s->h->options.net->rt);
            tell_first(s, line, CN_OK, now.ns - one->sent.ns, NULL);
            line = *find_line(s, stream);
        }
    }
    return CN_OK;
}

static cn_err data(cn_protocol *p, cn_id stream, cn_slice bytes)
{
    host_ping *s = (host_ping *)p;
    const host_stream *on = cn_slots_get(&s->h->streams, stream);
    if (on != NULL && !on->is_ours) {
        return echo(s, stream, bytes);
    }
    cn_host_consumed(s->h, stream, bytes.len);
    return take_echo(s, stream, bytes);
}

static void ended(cn_protocol *p, cn_id stream, cn_stream_end how, const char *sentence)
{
    host_ping *s = (host_ping *)p;
    ping_line **at = find_line(s, stream);
    cn_host_close_stream(s->h, stream);
    if (*at != NULL) {
        end_line(
            s, at, how == CN_STREAM_REFUSED ? CN_ERR_UNSUPPORTED : CN_ERR_CLOSED,
            how == CN_STREAM_FIN ? "the peer ended the stream of a ping" : sentence);
    }
}

static cn_time deadline_of(const ping_line *line)
{
    cn_time at = line->first == NULL ? line->idle_until : CN_TIME_NEVER;
    for (const ping *one = line->first; one != NULL; one = one->next) {
        at = cn_host_sooner(at, one->deadline);
    }
    return at;
}

static cn_time deadline(const cn_protocol *p)
{
    cn_time at = CN_TIME_NEVER;
    for (const ping_line *line = ((const host_ping *)p)->lines; line != NULL; line = line->next) {
        at = cn_host_sooner(at, deadline_of(line));
    }
    return at;
}

static void tick(cn_protocol *p, cn_time now)
{
    host_ping *s = (host_ping *)p;
    ping_line **at = &s->lines;
    while (*at != NULL) {
        if (deadline_of(*at).ns > now.ns) {
            at = &(*at)->next;
            continue;
        }
        cn_id stream = (*at)->stream;
        bool is_idle = (*at)->first == NULL;
        end_line(s, at, CN_ERR_TIMEOUT, "no answer to a ping within the time limit");
        if (is_idle) {
            cn_host_close_stream(s->h, stream);
        } else {
            cn_host_reset_stream(s->h, stream, 0);
        }
        at = &s->lines; /* handlers may have changed the list */
    }
}

static const cn_protocol_ops ops = {
    .opened = opened, .data = data, .ended = ended, .deadline = deadline, .tick = tick};

/* The line to a peer, with a new stream if there is none. */
static cn_err get_line(host_ping *s, const cn_peer_id *peer, ping_line **ret)
{
    ping_line *line = line_to(s, peer);
    if (line == NULL) {
        line = cn_alloc(s->h->mem, sizeof(*line));
        if (line == NULL) {
            return CN_ERR_NO_MEMORY;
        }
        cn_err err = cn_host_stream(s->h, &s->p, peer, PING, 1, &line->stream);
        if (err != CN_OK) {
            cn_free(s->h->mem, line);
            return err;
        }
        line->peer = *peer;
        line->idle_until = cn_time_after(s->h->now, IDLE_S * CN_NS_PER_S);
        line->next = s->lines;
        s->lines = line;
    }
    *ret = line;
    return CN_OK;
}

static cn_err send_ping(host_ping *s, ping *one, const cn_peer_id *peer)
{
    cn_err err = CN_OK;
    cn_host *h = s->h;
    cn_buf out = {0};
    ping_line *line = NULL;
    cn_buf_init(&out, h->mem, PING_BYTES);
    for (size_t i = 0; i < PING_BYTES; i++) {
        one->bytes[i] = (uint8_t)cn_prng_u32(&h->prng);
    }
    CN_TRY(get_line(s, peer, &line));
    CN_TRY(cn_buf_append(&out, cn_slice_of(one->bytes, PING_BYTES)));
    CN_TRY(cn_host_write(h, line->stream, &out));
    one->sent = cn_rt_now(h->options.net->rt);
    *(line->last == NULL ? &line->first : &line->last->next) = one;
    line->last = one;
out:
    cn_buf_release(&out);
    return err;
}

cn_err cn_host_ping(
    cn_host *h,
    const cn_peer_id *peer,
    int64_t timeout_ns,
    cn_host_pinged done,
    void *ctx,
    cn_id *ret)
{
    cn_err err = CN_OK;
    host_ping *s = h->ping;
    ping *one = NULL;
    if (!cn_host_is_connected(h, peer)) {
        return CN_ERR_NOT_FOUND;
    }
    one = cn_alloc(h->mem, sizeof(*one));
    if (one == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    one->done = done;
    one->ctx = ctx;
    one->deadline = cn_time_after(h->now, timeout_ns);
    CN_TRY(cn_slots_add(&s->all, one, &one->id));
    CN_TRY(send_ping(s, one, peer));
    *ret = one->id;
    one = NULL;
out:
    if (one != NULL) {
        (void)cn_slots_remove(&s->all, one->id);
        cn_free(h->mem, one);
    }
    return err;
}

void cn_host_ping_cancel(cn_host *h, cn_id id)
{
    ping *one = cn_slots_get(&h->ping->all, id);
    if (one != NULL) {
        one->done = NULL; /* its echo still has to be passed over */
    }
}

cn_err cn_host_ping_new(cn_host *h)
{
    cn_err err = CN_OK;
    host_ping *s = cn_alloc(h->mem, sizeof(*s));
    if (s == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *s = (host_ping){
        .p = {&ops, PING, 1, .streams_in_per_peer_max = 8, .streams_in_max = 4096}, .h = h};
    cn_slots_init(&s->all, h->mem, PINGS_MAX);
    CN_TRY(cn_host_serve(h, &s->p));
    h->ping = s;
    return CN_OK;
out:
    cn_free(h->mem, s);
    return err;
}

void cn_host_ping_free(cn_host *h)
{
    host_ping *s = h->ping;
    if (s == NULL) {
        return;
    }
    while (s->lines != NULL) {
        for (ping *one = s->lines->first; one != NULL; one = one->next) {
            one->done = NULL;
        }
        end_line(s, &s->lines, CN_ERR_CLOSED, NULL);
    }
    cn_slots_release(&s->all);
    cn_free(h->mem, s);
    h->ping = NULL;
}
