/*
 * Streams as protocols call them: opened, written, ended.
 *
 * Ours are opened in one flight (header, name and first bytes together) where just one name comes
 * into question: because the caller gave one, or because identify told which the peer speaks. Until
 * identify has told, the one that it told last time is taken, else that of a stream that the peer
 * opened, else the newest, so that a new connection is of use at once. A refusal ends the stream:
 * what was said is read by nobody as what it was. After one, and where identify was asked in vain,
 * bytes wait until one of several names is agreed on.
 */
#include "p2p/host/host_internal.h"

typedef struct no_key {
    cn_id conn;
    cn_stream_no no;
} no_key;

host_stream *cn_host_stream_find(cn_host *h, host_conn *c, cn_stream_no no)
{
    host_stream *s = h->stream_last;
    if (s != NULL && s->conn == c && s->no == no) {
        return s;
    }
    no_key key = {c->id, no};
    host_stream **found = cn_map_get(&h->streams_by_no, cn_slice_of(&key, sizeof(key)));
    if (found != NULL) {
        h->stream_last = *found;
    }
    return found == NULL ? NULL : *found;
}

static void negotiate(cn_host *h, host_stream *s)
{
    s->deadline = cn_time_after(h->now, HOST_NEGOTIATION_S * CN_NS_PER_S);
    s->earlier = h->negotiating_last;
    *(s->earlier == NULL ? &h->negotiating_first : &s->earlier->later) = s;
    h->negotiating_last = s;
}

static void negotiated(cn_host *h, host_stream *s)
{
    *(s->earlier == NULL ? &h->negotiating_first : &s->earlier->later) = s->later;
    *(s->later == NULL ? &h->negotiating_last : &s->later->earlier) = s->earlier;
    s->later = NULL;
    s->earlier = NULL;
    cn_multistream_release(s->names);
    cn_free(h->mem, s->names);
    s->names = NULL;
}

/* Room for one more stream of this peer? */
static bool has_place(const cn_host *h, const host_conn *c)
{
    return c->peer->streams_len < h->options.streams_per_peer_max;
}

cn_err cn_host_stream_add(cn_host *h, host_conn *c, cn_stream_no no, host_stream **ret)
{
    cn_err err = CN_OK;
    void *value = NULL;
    no_key key = {c->id, no};
    if (!has_place(h, c)) {
        return CN_ERR_TOO_LARGE;
    }
    host_stream *s = cn_alloc(h->mem, sizeof(*s));
    if (s == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *s = (host_stream){.conn = c, .no = no, .protocol = UINT32_MAX, .name = UINT32_MAX};
    cn_buf_init(&s->early, h->mem, HOST_EARLY_MAX_BYTES);
    s->names = cn_alloc(h->mem, sizeof(*s->names));
    err = s->names == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    CN_TRY(err);
    CN_TRY(cn_slots_add(&h->streams, s, &s->id));
    CN_TRY(cn_map_put(&h->streams_by_no, cn_slice_of(&key, sizeof(key)), &value, NULL));
    *(host_stream **)value = s;
    s->next = c->streams;
    if (s->next != NULL) {
        s->next->prev = s;
    }
    c->streams = s;
    c->streams_len++;
    c->busy = h->now;
    c->peer->streams_len++;
    negotiate(h, s);
    *ret = s;
    s = NULL;
out:
    if (s != NULL) {
        (void)cn_slots_remove(&h->streams, s->id);
        cn_free(h->mem, s->names);
        cn_free(h->mem, s);
    }
    return err;
}

cn_protocol *cn_host_protocol_of(const cn_host *h, const host_stream *s)
{
    return s->protocol == UINT32_MAX ? NULL : h->protocols[s->protocol].p;
}

cn_err cn_host_stream_name(cn_host *h, host_stream *s, const char *name)
{
    size_t i = 0;
    while (i < h->names_len && h->names[i].text != name &&
           !cn_slice_is(cn_str(name), h->names[i].text)) {
        i++;
    }
    if (i == HOST_NAMES_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    if (i == h->names_len) {
        h->names[h->names_len++] = (host_name){.text = name, .meter.stepped = h->now};
    }
    s->name = (uint32_t)i;
    *(s->is_ours ? &h->names[i].streams_out : &h->names[i].streams_in) += 1;
    if (!s->is_ours) {
        h->protocols[s->protocol].streams_in++;
        s->conn->peer->streams_in[s->protocol]++;
    }
    return CN_OK;
}

void cn_host_stream_drop(cn_host *h, host_stream *s)
{
    host_conn *c = s->conn;
    no_key key = {c->id, s->no};
    if (s->name != UINT32_MAX) {
        *(s->is_ours ? &h->names[s->name].streams_out : &h->names[s->name].streams_in) -= 1;
    }
    if (s->name != UINT32_MAX && !s->is_ours) {
        h->protocols[s->protocol].streams_in--;
        c->peer->streams_in[s->protocol]--;
    }
    if (s->names != NULL) {
        c->peer->is_hard_to_guess |= s->is_guess;
        negotiated(h, s);
    }
    *(s->prev == NULL ? &c->streams : &s->prev->next) = s->next;
    if (s->next != NULL) {
        s->next->prev = s->prev;
    }
    c->streams_len--;
    c->busy = h->now;
    c->peer->streams_len--;
    h->stream_last = h->stream_last == s ? NULL : h->stream_last;
    (void)cn_map_remove(&h->streams_by_no, cn_slice_of(&key, sizeof(key)));
    (void)cn_slots_remove(&h->streams, s->id);
    cn_buf_release(&s->early);
    cn_free(h->mem, s);
}

void cn_host_stream_settle(cn_host *h, host_stream *s)
{
    if (s->is_fin_in && s->is_fin_out) {
        cn_host_stream_drop(h, s);
    }
}

static void count_out(cn_host *h, host_stream *s, size_t bytes)
{
    s->conn->busy = h->now;
    if (h->options.is_bandwidth_uncounted) {
        return;
    }
    cn_meter_step(&h->meter, h->now);
    cn_meter_out(&h->meter, bytes);
    cn_meter_step(&s->conn->peer->meter, h->now);
    cn_meter_out(&s->conn->peer->meter, bytes);
    if (s->name != UINT32_MAX) {
        cn_meter_step(&h->names[s->name].meter, h->now);
        cn_meter_out(&h->names[s->name].meter, bytes);
    }
}

cn_err cn_host_send(cn_host *h, host_stream *s, cn_buf *bytes)
{
    host_conn *c = s->conn;
    size_t len = bytes->len;
    cn_err err = c->is_gone ? CN_ERR_CLOSED
                            : c->transport->ops->stream_write(c->transport, c->raw, s->no, bytes);
    if (err == CN_OK) {
        count_out(h, s, len);
    }
    return err;
}

void cn_host_stream_agreed(cn_host *h, host_stream *s)
{
    negotiated(h, s);
    if (s->early.len > 0) {
        cn_err err = cn_host_send(h, s, &s->early);
        cn_buf_release(&s->early);
        if (err != CN_OK) {
            cn_id id = s->id;
            cn_host_reset_stream(h, id, 0);
            return;
        }
    }
    if (s->is_close_wanted) {
        s->is_fin_out = true;
        s->conn->transport->ops->stream_close(s->conn->transport, s->conn->raw, s->no);
    }
}

static const char *const *
only_spoken(const cn_host *h, const cn_peer_id *peer, const char *const *names, size_t *names_len)
{
    for (size_t i = 0; i < *names_len; i++) {
        if (cn_host_speaks(h, peer, names[i]) == 1) {
            *names_len = 1;
            return names + i;
        }
    }
    return names;
}

/* The name that a stream of theirs for the same protocol has; NULL: there is none. */
static const char *const *name_in_use(
    const cn_host *h,
    const host_peer *peer,
    const cn_protocol *p,
    const char *const *names,
    size_t names_len)
{
    for (const host_conn *c = peer->conns; c != NULL; c = c->next) {
        for (const host_stream *s = c->streams; s != NULL; s = s->next) {
            bool counts = !s->is_ours && s->name != UINT32_MAX && s->protocol == p->self.index;
            for (size_t i = 0; counts && i < names_len; i++) {
                if (cn_slice_is(cn_str(names[i]), h->names[s->name].text)) {
                    return names + i;
                }
            }
        }
    }
    return NULL;
}

static bool may_guess(const host_peer *peer)
{
    return (peer->known == HOST_UNASKED || peer->known == HOST_ASKED) && !peer->is_hard_to_guess;
}

static cn_err begin_names(cn_host *h, host_stream *s, const char *const *names, size_t names_len)
{
    cn_err err = CN_OK;
    cn_buf out = {0};
    cn_buf_init(&out, h->mem, 2 * CN_MULTISTREAM_NAME_MAX_BYTES);
    s->choices = names;
    s->is_lazy = names_len == 1;
    CN_TRY(cn_multistream_open(s->names, h->mem, names, names_len, &out));
    if (s->is_lazy) {
        CN_TRY(cn_host_stream_name(h, s, names[0]));
    }
    CN_TRY(cn_host_send(h, s, &out));
out:
    cn_buf_release(&out);
    return err;
}

cn_err cn_host_stream_open(
    cn_host *h,
    host_conn *c,
    cn_protocol *p,
    const char *const *names,
    size_t names_len,
    cn_id *ret)
{
    cn_err err = CN_OK;
    cn_stream_no no = 0;
    bool is_open = false;
    host_stream *s = NULL;
    if (!has_place(h, c)) {
        return CN_ERR_TOO_LARGE;
    }
    CN_TRY(c->transport->ops->stream_open(c->transport, c->raw, &no));
    is_open = true;
    CN_TRY(cn_host_stream_add(h, c, no, &s));
    s->is_ours = true;
    s->protocol = p->self.index;
    CN_TRY(begin_names(h, s, names, names_len));
    *ret = s->id;
    return CN_OK;
out:
    if (s != NULL) {
        cn_host_stream_drop(h, s);
    }
    if (is_open) {
        c->transport->ops->stream_reset(c->transport, c->raw, no, 0);
    }
    return err;
}

cn_err cn_host_stream(
    cn_host *h,
    cn_protocol *p,
    const cn_peer_id *id,
    const char *const *names,
    size_t names_len,
    cn_id *ret)
{
    const host_peer *peer = cn_host_peer_find(h, id);
    host_conn *best = NULL;
    bool is_spoken = false;
    CN_ASSERT(names_len > 0);
    for (host_conn *c = peer == NULL ? NULL : peer->conns; c != NULL; c = c->next) {
        best = c->is_gone || (best != NULL && best->streams_len <= c->streams_len) ? best : c;
    }
    if (best == NULL) {
        return CN_ERR_NOT_FOUND;
    }
    for (size_t i = 0; i < names_len; i++) {
        is_spoken = is_spoken || cn_host_speaks(h, id, names[i]) != 0;
    }
    if (!is_spoken) {
        return CN_ERR_UNSUPPORTED;
    }
    /* What the book has from an earlier connection is a guess too: the peer may have changed. */
    bool is_told = peer->known == HOST_KNOWN;
    bool is_guess = !is_told && names_len > 1;
    if (is_told || !peer->is_hard_to_guess) {
        names = only_spoken(h, id, names, &names_len);
    }
    is_guess = is_guess && (names_len == 1 || may_guess(peer));
    if (is_guess && names_len > 1) {
        const char *const *used = name_in_use(h, peer, p, names, names_len);
        names = used == NULL ? names : used;
        names_len = 1;
    }
    cn_err err = cn_host_stream_open(h, best, p, names, names_len, ret);
    host_stream *s = err == CN_OK ? cn_slots_get(&h->streams, *ret) : NULL;
    if (s != NULL) {
        s->is_guess = is_guess;
    }
    return err;
}

size_t cn_host_room(const cn_host *h, cn_id stream)
{
    host_stream *s = cn_slots_get(&h->streams, stream);
    if (s == NULL || s->conn->is_gone || s->is_fin_out || s->is_close_wanted) {
        return 0;
    }
    if (s->names != NULL && !s->is_lazy) {
        s->is_room_wanted = s->early.len >= HOST_EARLY_ROOM_BYTES;
        return s->is_room_wanted ? 0 : HOST_EARLY_ROOM_BYTES - s->early.len;
    }
    return s->conn->transport->ops->stream_room(s->conn->transport, s->conn->raw, s->no);
}

cn_err cn_host_write(cn_host *h, cn_id stream, cn_buf *bytes)
{
    host_stream *s = cn_slots_get(&h->streams, stream);
    if (s == NULL || s->conn->is_gone || s->is_fin_out || s->is_close_wanted) {
        return CN_ERR_CLOSED;
    }
    if (s->names == NULL || s->is_lazy) {
        return cn_host_send(h, s, bytes);
    }
    cn_err err = cn_buf_append(&s->early, cn_buf_slice(bytes));
    if (err == CN_OK) {
        cn_buf_release(bytes);
    }
    return err;
}

void cn_host_consumed(cn_host *h, cn_id stream, size_t bytes)
{
    const host_stream *s = cn_slots_get(&h->streams, stream);
    if (s != NULL && !s->conn->is_gone) {
        cn_transport *t = s->conn->transport;
        t->ops->stream_consumed(t, s->conn->raw, s->no, bytes, h->now);
    }
}

void cn_host_charge(cn_host *h, cn_id stream, size_t work)
{
    const host_stream *s = cn_slots_get(&h->streams, stream);
    if (s != NULL && !s->conn->is_gone && s->conn->transport->ops->charge != NULL) {
        s->conn->transport->ops->charge(s->conn->transport, s->conn->raw, work);
    }
}

void cn_host_close_stream(cn_host *h, cn_id stream)
{
    host_stream *s = cn_slots_get(&h->streams, stream);
    if (s == NULL || s->conn->is_gone || s->is_fin_out) {
        return;
    }
    if (s->names != NULL && !s->is_lazy) {
        s->is_close_wanted = true;
        return;
    }
    s->is_fin_out = true;
    s->conn->transport->ops->stream_close(s->conn->transport, s->conn->raw, s->no);
    cn_host_stream_settle(h, s);
}

void cn_host_reset_stream(cn_host *h, cn_id stream, uint32_t code)
{
    host_stream *s = cn_slots_get(&h->streams, stream);
    if (s == NULL) {
        return;
    }
    host_conn *c = s->conn;
    cn_stream_no no = s->no;
    cn_host_stream_drop(h, s);
    if (!c->is_gone) {
        c->transport->ops->stream_reset(c->transport, c->raw, no, code);
    }
}
