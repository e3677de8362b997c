/*
 * ping: 32 bytes come back as they went. Ours ask once per stream; theirs are echoed as long as
 * they read what they get.
 * spec: libp2p/ping
 */
#include "p2p/host/host_internal.h"

enum {
    PING_BYTES = 32,
    PINGS_MAX = 4096,
    ECHO_MAX_BYTES = 4096, /* echoes of one stream that wait to be read */
    ECHO_WORK_BYTES = 64,  /* of echoes, for 1 of work */
};

static const char *const PING[] = {"/ipfs/ping/1.0.0"};

typedef struct ping {
    struct ping *next;
    cn_id id;
    cn_id stream; /* none: over, to be told */
    cn_host_pinged done;
    void *ctx;
    cn_time sent;
    cn_time deadline;
    cn_err err;
    int64_t rtt_ns;
    size_t echoed;
    uint8_t bytes[PING_BYTES];
} ping;

typedef struct host_ping {
    cn_protocol p;
    cn_host *h;
    cn_slots all;
    ping *pings;
    size_t room_bytes; /* of a stream on which nothing waits */
} host_ping;

static ping **find_ping(host_ping *s, cn_id stream)
{
    ping **at = &s->pings;
    while (*at != NULL && !cn_id_eq((*at)->stream, stream)) {
        at = &(*at)->next;
    }
    return at;
}

/* Over: take it out, then tell. */
static void tell(host_ping *s, ping **at, cn_err err, int64_t rtt_ns, const char *sentence)
{
    ping *one = *at;
    *at = one->next;
    (void)cn_slots_remove(&s->all, one->id);
    one->done(one->ctx, err, rtt_ns, sentence == NULL ? cn_err_sentence(err) : sentence);
    cn_free(s->h->mem, one);
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

static cn_err data(cn_protocol *p, cn_id stream, cn_slice bytes)
{
    host_ping *s = (host_ping *)p;
    ping **at = find_ping(s, stream);
    const host_stream *on = cn_slots_get(&s->h->streams, stream);
    if (on != NULL && !on->is_ours) {
        return echo(s, stream, bytes);
    }
    cn_host_consumed(s->h, stream, bytes.len);
    ping *one = *at;
    if (one == NULL) {
        return CN_OK;
    }
    size_t left = PING_BYTES - one->echoed;
    if (bytes.len > left || !cn_slice_eq(bytes, cn_slice_of(one->bytes + one->echoed, bytes.len))) {
        tell(s, at, CN_ERR_MALFORMED, 0, "the peer answered a ping with other bytes");
        return CN_ERR_MALFORMED;
    }
    one->echoed += bytes.len;
    if (one->echoed == PING_BYTES) {
        cn_time now = cn_rt_now(s->h->options.net->rt);
        cn_host_close_stream(s->h, stream);
        tell(s, at, CN_OK, now.ns - one->sent.ns, NULL);
    }
    return CN_OK;
}

static void ended(cn_protocol *p, cn_id stream, cn_stream_end how, const char *sentence)
{
    host_ping *s = (host_ping *)p;
    ping **at = find_ping(s, stream);
    cn_host_close_stream(s->h, stream);
    if (*at != NULL) {
        tell(
            s, at, how == CN_STREAM_REFUSED ? CN_ERR_UNSUPPORTED : CN_ERR_CLOSED, 0,
            how == CN_STREAM_FIN ? "the peer ended the stream of a ping" : sentence);
    }
}

static cn_time deadline(const cn_protocol *p)
{
    const host_ping *s = (const host_ping *)p;
    cn_time at = CN_TIME_NEVER;
    for (const ping *one = s->pings; one != NULL; one = one->next) {
        at = cn_host_sooner(at, one->deadline);
    }
    return at;
}

static void tick(cn_protocol *p, cn_time now)
{
    host_ping *s = (host_ping *)p;
    ping **at = &s->pings;
    while (*at != NULL) {
        if ((*at)->deadline.ns > now.ns) {
            at = &(*at)->next;
            continue;
        }
        cn_host_reset_stream(s->h, (*at)->stream, 0);
        tell(s, at, CN_ERR_TIMEOUT, 0, "no answer to a ping within the time limit");
        at = &s->pings; /* the handler may have changed the list */
    }
}

static const cn_protocol_ops ops = {
    .opened = opened, .data = data, .ended = ended, .deadline = deadline, .tick = tick};

static cn_err send_ping(host_ping *s, ping *one, const cn_peer_id *peer)
{
    cn_err err = CN_OK;
    cn_host *h = s->h;
    cn_buf out = {0};
    cn_buf_init(&out, h->mem, PING_BYTES);
    for (size_t i = 0; i < PING_BYTES; i++) {
        one->bytes[i] = (uint8_t)cn_prng_u32(&h->prng);
    }
    CN_TRY(cn_host_stream(h, &s->p, peer, PING, 1, &one->stream));
    CN_TRY(cn_buf_append(&out, cn_slice_of(one->bytes, PING_BYTES)));
    CN_TRY(cn_host_write(h, one->stream, &out));
    one->sent = cn_rt_now(h->options.net->rt);
out:
    if (err != CN_OK) {
        cn_host_reset_stream(h, one->stream, 0);
    }
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
    ping *one = cn_alloc(h->mem, sizeof(*one));
    if (one == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    one->done = done;
    one->ctx = ctx;
    one->deadline = cn_time_after(h->now, timeout_ns);
    CN_TRY(cn_slots_add(&s->all, one, &one->id));
    CN_TRY(send_ping(s, one, peer));
    one->next = s->pings;
    s->pings = one;
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
    host_ping *s = h->ping;
    ping *one = cn_slots_remove(&s->all, id);
    ping **at = &s->pings;
    if (one == NULL) {
        return;
    }
    while (*at != one) {
        at = &(*at)->next;
    }
    *at = one->next;
    cn_host_reset_stream(h, one->stream, 0);
    cn_free(h->mem, one);
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
    while (s->pings != NULL) {
        ping *one = s->pings;
        s->pings = one->next;
        cn_free(h->mem, one);
    }
    cn_slots_release(&s->all);
    cn_free(h->mem, s);
    h->ping = NULL;
}
