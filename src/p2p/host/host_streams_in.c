/*
 * What comes in on streams: names are agreed on, then bytes go to the protocol. After each call of
 * a protocol the stream is looked up again.
 */
#include "p2p/host/host_internal.h"

static const char *match(void *ctx, cn_slice name)
{
    const cn_host *h = ctx;
    for (size_t i = 0; i < h->protocols_len; i++) {
        const cn_protocol *p = h->protocols[i].p;
        for (size_t j = 0; j < p->names_len; j++) {
            if (cn_slice_is(name, p->names[j])) {
                return p->names[j];
            }
        }
    }
    return NULL;
}

static uint32_t protocol_of_name(const cn_host *h, const char *name)
{
    for (size_t i = 0; i < h->protocols_len; i++) {
        const cn_protocol *p = h->protocols[i].p;
        for (size_t j = 0; j < p->names_len; j++) {
            if (p->names[j] == name) {
                return (uint32_t)i;
            }
        }
    }
    return UINT32_MAX;
}

static void cut_off(cn_host *h, host_stream *s, const char *sentence)
{
    host_conn *c = s->conn;
    cn_host_note_it(
        h, CN_HOST_NOTE_STREAM, &c->peer->id, cn_slice_of(c->remote, c->remote_len), sentence);
    cn_host_reset_stream(h, s->id, 0);
}

/* It ends before it began, or by an error of ours: ours are told, theirs never knew. */
static void give_up(cn_host *h, host_stream *s, cn_stream_end how, const char *sentence)
{
    cn_protocol *p = cn_host_protocol_of(h, s);
    cn_id id = s->id;
    bool is_ours = s->is_ours;
    if (is_ours || how == CN_STREAM_FIN) {
        cn_host_reset_stream(h, id, 0); /* nobody did wrong */
    } else {
        cut_off(h, s, sentence);
    }
    if (is_ours) {
        p->ops->ended(p, id, how, sentence);
    }
}

static void take_caller(cn_host *h, host_conn *c, cn_stream_no no)
{
    host_stream *s = NULL;
    cn_err err = cn_host_stream_add(h, c, no, &s);
    if (err != CN_OK) {
        h->counts.refused_streams++;
        cn_host_note_it(
            h, CN_HOST_NOTE_STREAM, &c->peer->id, cn_slice_of(c->remote, c->remote_len),
            err == CN_ERR_TOO_LARGE ? "as many streams as are allowed" : cn_err_sentence(err));
        c->transport->ops->stream_reset(c->transport, c->raw, no, 0);
        return;
    }
    cn_multistream_answer(s->names, h->mem, match, h);
}

/* May the other side have one more stream of this protocol? */
static bool is_within(const cn_host *h, const host_stream *s)
{
    const host_protocol *p = &h->protocols[s->protocol];
    return p->streams_in < p->p->streams_in_max &&
           s->conn->peer->streams_in[s->protocol] < p->p->streams_in_per_peer_max;
}

/* A name is agreed on; false: the stream is gone. */
static bool agree(cn_host *h, host_stream *s)
{
    cn_id id = s->id;
    const char *name = s->names->chosen;
    if (!s->is_ours) {
        s->protocol = protocol_of_name(h, name);
        if (!is_within(h, s)) {
            h->counts.refused_streams++;
            cut_off(h, s, "as many streams of this protocol as are allowed");
            return false;
        }
    }
    if (s->name == UINT32_MAX && cn_host_stream_name(h, s, name) != CN_OK) {
        give_up(h, s, CN_STREAM_RESET, "too many names of protocols");
        return false;
    }
    cn_protocol *p = cn_host_protocol_of(h, s);
    cn_host_stream_agreed(h, s);
    if (cn_slots_get(&h->streams, id) != s) {
        p->ops->ended(p, id, CN_STREAM_RESET, "what was to be sent could not be");
        return false;
    }
    cn_err err = p->ops->opened(p, id, &s->conn->peer->id, name);
    if (cn_slots_get(&h->streams, id) != s) {
        return false;
    }
    if (err != CN_OK) {
        cn_host_reset_stream(h, id, 0);
        return false;
    }
    if (s->is_room_wanted && p->ops->writable != NULL) {
        p->ops->writable(p, id);
    }
    return cn_slots_get(&h->streams, id) == s;
}

/* Names on a stream that negotiates; what is left in `*in` belongs to the protocol. */
static bool take_names(cn_host *h, host_stream *s, cn_slice *in)
{
    cn_why why = {{0}};
    cn_buf out = {0};
    size_t before = in->len;
    size_t asked = s->names->asked;
    cn_buf_init(&out, h->mem, 1 << 16);
    cn_err err = cn_multistream_take(s->names, in, &out, &why);
    if (err == CN_OK && out.len > 0) {
        /* An opener that has ended its side and gone does not want the answer. */
        cn_err sent = cn_host_send(h, s, &out);
        err = sent == CN_ERR_NO_MEMORY ? sent : CN_OK;
    }
    cn_buf_release(&out);
    cn_host_charge(h, s->id, s->names->asked - asked);
    if (err != CN_OK) {
        bool is_refused = err == CN_ERR_UNSUPPORTED && !s->is_guess; /* else: by no name yet */
        give_up(h, s, is_refused ? CN_STREAM_REFUSED : CN_STREAM_RESET, cn_why_text(&why, err));
        return false;
    }
    cn_host_consumed(h, s->id, before - in->len);
    return s->names->is_done ? agree(h, s) : true;
}

static void count_in(cn_host *h, host_stream *s, size_t bytes)
{
    s->conn->busy = h->now;
    if (h->options.is_bandwidth_uncounted) {
        return;
    }
    cn_meter_step(&h->meter, h->now);
    cn_meter_in(&h->meter, bytes);
    cn_meter_step(&s->conn->peer->meter, h->now);
    cn_meter_in(&s->conn->peer->meter, bytes);
}

/* The same for its protocol, once that is known. */
static void count_in_of_name(cn_host *h, const host_stream *s, size_t bytes)
{
    if (s->name != UINT32_MAX && !h->options.is_bandwidth_uncounted) {
        cn_meter_step(&h->names[s->name].meter, h->now);
        cn_meter_in(&h->names[s->name].meter, bytes);
    }
}

static void take_data(cn_host *h, host_stream *s, cn_slice bytes)
{
    cn_id id = s->id;
    size_t all = bytes.len;
    count_in(h, s, all);
    if (s->names != NULL && !take_names(h, s, &bytes)) {
        return;
    }
    count_in_of_name(h, s, all);
    if (bytes.len == 0) {
        return;
    }
    cn_protocol *p = cn_host_protocol_of(h, s);
    cn_err err = p->ops->data(p, id, bytes);
    s = cn_slots_get(&h->streams, id);
    if (err != CN_OK && s != NULL) {
        cn_why why = {{0}};
        (void)cn_why_set(&why, err, "%s: %s", h->names[s->name].text, cn_err_sentence(err));
        cut_off(h, s, cn_why_text(&why, err));
    }
}

static void take_fin(cn_host *h, host_stream *s)
{
    cn_id id = s->id;
    if (s->names != NULL) {
        give_up(
            h, s, s->protocol == UINT32_MAX ? CN_STREAM_FIN : CN_STREAM_RESET,
            "the peer ended a stream before a protocol was agreed on");
        return;
    }
    cn_protocol *p = cn_host_protocol_of(h, s);
    s->is_fin_in = true;
    cn_host_stream_settle(h, s);
    p->ops->ended(p, id, CN_STREAM_FIN, NULL);
}

static void take_reset(cn_host *h, host_stream *s)
{
    cn_protocol *p = cn_host_protocol_of(h, s);
    cn_id id = s->id;
    bool is_known = p != NULL && (s->is_ours || s->name != UINT32_MAX);
    cn_host_stream_drop(h, s);
    if (is_known) {
        p->ops->ended(p, id, CN_STREAM_RESET, "the peer reset the stream");
    }
}

void cn_host_take_mux(cn_host *h, host_conn *c, const cn_mux_event *e)
{
    if (e->kind == CN_MUX_OPENED) {
        take_caller(h, c, e->stream);
        return;
    }
    host_stream *s = cn_host_stream_find(h, c, e->stream);
    if (s == NULL) {
        return;
    }
    if (e->kind == CN_MUX_DATA) {
        take_data(h, s, e->data);
    } else if (e->kind == CN_MUX_FIN) {
        take_fin(h, s);
    } else if (e->kind == CN_MUX_RESET) {
        take_reset(h, s);
    } else if (e->kind == CN_MUX_WRITABLE) {
        cn_protocol *p = cn_host_protocol_of(h, s);
        if (p != NULL && p->ops->writable != NULL) {
            p->ops->writable(p, s->id);
        }
    }
}

void cn_host_streams_tick(cn_host *h, cn_time now)
{
    while (h->negotiating_first != NULL && h->negotiating_first->deadline.ns <= now.ns) {
        give_up(
            h, h->negotiating_first, CN_STREAM_RESET,
            "no protocol was agreed on within the time limit");
    }
}
