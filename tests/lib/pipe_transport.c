#include "lib/pipe_transport.h"

#include "base/map.h"

enum { CONNS_MAX = 64, HEAD_BYTES = 9, QUEUE_BYTES = 64 << 20, MASK = 0x5a };

enum { FRAME_HELLO, FRAME_OPEN, FRAME_DATA, FRAME_FIN, FRAME_RESET };

typedef struct pipe_stream {
    size_t unread; /* of ours, not consumed there */
    bool fin_in;
    bool fin_out;
    bool waits;    /* for room */
    bool has_room; /* again */
} pipe_stream;

typedef struct pipe_conn {
    struct pipe_transport *t;
    struct pipe_conn *other; /* NULL: gone */
    cn_id id;
    bool is_initiator;
    bool is_arrived_due;
    bool is_up;
    bool is_down;
    cn_err err;
    char sentence[200];
    cn_peer_id expected;
    cn_peer_id peer;
    cn_key *peer_key;
    cn_buf in; /* what the other side wrote, masked */
    cn_map streams;
    cn_stream_no next_no;
    uint8_t remote[PIPE_ADDRESS_BYTES];
    uint8_t local[PIPE_ADDRESS_BYTES];
    size_t remote_len;
    size_t local_len;
    cn_time since;
    uint64_t in_bytes;
    uint64_t out_bytes;
} pipe_conn;

typedef struct pipe_transport {
    cn_transport transport;
    pipe_net *net;
    cn_mem *mem;
    cn_buf hello; /* public key message */
    cn_slots conns;
    size_t at;   /* next looks at connections in turn */
    cn_buf lent; /* of the last event */
    char told[200];
} pipe_transport;

static bool handles(const cn_transport *t, cn_slice address)
{
    cn_multiaddr_part part = {0};
    CN_UNUSED(t);
    return address.len <= PIPE_ADDRESS_BYTES && cn_multiaddr_find(address, CN_MA_UDP, &part);
}

static cn_err
listen_at(cn_transport *transport, cn_slice address, cn_id *ret, cn_buf *ret_bound, cn_why *why)
{
    pipe_transport *t = (pipe_transport *)transport;
    CN_UNUSED(why);
    for (uint32_t i = 0; i < PIPE_LISTENERS_MAX; i++) {
        pipe_listener *l = &t->net->listeners[i];
        if (l->t == NULL) {
            l->t = t;
            l->len = address.len;
            cn_copy(l->address, address.data, address.len);
            *ret = (cn_id){i, 1};
            return cn_buf_append(ret_bound, address);
        }
    }
    return CN_ERR_TOO_LARGE;
}

static void unlisten(cn_transport *transport, cn_id listener)
{
    ((pipe_transport *)transport)->net->listeners[listener.index].t = NULL;
}

static pipe_conn *new_conn(pipe_transport *t, cn_time now)
{
    pipe_conn *c = cn_alloc(t->mem, sizeof(*c));
    if (c == NULL) {
        return NULL;
    }
    c->t = t;
    c->since = now;
    cn_buf_init(&c->in, t->mem, QUEUE_BYTES);
    cn_map_init(&c->streams, t->mem, sizeof(pipe_stream), 1024, 0);
    if (cn_slots_add(&t->conns, c, &c->id) != CN_OK) {
        cn_free(t->mem, c);
        return NULL;
    }
    return c;
}

static void free_conn(pipe_conn *c)
{
    (void)cn_slots_remove(&c->t->conns, c->id);
    cn_buf_release(&c->in);
    cn_map_release(&c->streams);
    cn_key_free(c->peer_key);
    cn_free(c->t->mem, c);
}

static void put_down(pipe_conn *c, cn_err err, const char *sentence)
{
    cn_slice s = cn_slice_head(cn_str(sentence), sizeof(c->sentence) - 1);
    c->is_down = true;
    c->err = err;
    cn_copy(c->sentence, s.data, s.len);
}

static void part_ways(pipe_conn *c)
{
    if (c->other != NULL) {
        c->other->other = NULL;
        put_down(c->other, CN_ERR_CLOSED, "the pipe was closed there");
        c->other = NULL;
    }
}

/* A frame into the other side's queue. */
static cn_err put_frame(pipe_conn *c, int kind, cn_stream_no no, cn_slice bytes)
{
    cn_err err = CN_OK;
    uint8_t head[HEAD_BYTES] = {(uint8_t)kind};
    size_t before = 0;
    if (c->other == NULL) {
        return CN_ERR_CLOSED;
    }
    cn_buf *to = &c->other->in;
    for (int i = 0; i < 4; i++) {
        head[1 + i] = (uint8_t)(no >> 8 * i);
        head[5 + i] = (uint8_t)(bytes.len >> 8 * i);
    }
    CN_TRY(cn_buf_reserve(to, HEAD_BYTES + bytes.len));
    before = to->len;
    CN_TRY(cn_buf_append(to, cn_slice_of(head, HEAD_BYTES)));
    CN_TRY(cn_buf_append(to, bytes));
    for (size_t i = before; i < to->len; i++) {
        to->data[i] ^= MASK;
    }
    c->out_bytes += HEAD_BYTES + bytes.len;
out:
    return err;
}

static pipe_listener *find_listener(pipe_net *net, cn_slice address)
{
    for (size_t i = 0; i < PIPE_LISTENERS_MAX; i++) {
        pipe_listener *l = &net->listeners[i];
        if (l->t != NULL && cn_slice_eq(cn_slice_of(l->address, l->len), address)) {
            return l;
        }
    }
    return NULL;
}

static cn_err dial(
    cn_transport *transport,
    cn_slice address,
    const cn_peer_id *peer,
    cn_time now,
    cn_id *ret,
    cn_why *why)
{
    pipe_transport *t = (pipe_transport *)transport;
    static const uint8_t caller[] = {4, 127, 0, 0, 1, 0x91, 2, 0xea, 0x60};
    pipe_conn *c = new_conn(t, now);
    CN_UNUSED(why);
    if (c == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    t->net->dials++;
    c->is_initiator = true;
    c->next_no = 1;
    c->expected = *peer;
    c->remote_len = address.len;
    cn_copy(c->remote, address.data, address.len);
    c->local_len = sizeof(caller);
    cn_copy(c->local, caller, sizeof(caller));
    const pipe_listener *l = find_listener(t->net, address);
    pipe_conn *other = l == NULL ? NULL : new_conn(l->t, now);
    if (other == NULL) {
        put_down(c, CN_ERR_IO, "nobody is at the other end of the pipe");
    } else {
        other->next_no = 2;
        other->is_arrived_due = true;
        other->local_len = address.len;
        cn_copy(other->local, address.data, address.len);
        other->remote_len = sizeof(caller);
        cn_copy(other->remote, caller, sizeof(caller));
        c->other = other;
        other->other = c;
        if (put_frame(c, FRAME_HELLO, 0, cn_buf_slice(&t->hello)) != CN_OK ||
            put_frame(other, FRAME_HELLO, 0, cn_buf_slice(&l->t->hello)) != CN_OK) {
            put_down(c, CN_ERR_NO_MEMORY, "out of memory");
            part_ways(c);
        }
    }
    *ret = c->id;
    return CN_OK;
}

static bool take(cn_transport *t, const cn_net_event *event, cn_time now)
{
    CN_UNUSED(t);
    CN_UNUSED(event);
    CN_UNUSED(now);
    return false;
}

static pipe_stream *stream_of(const pipe_conn *c, cn_stream_no no)
{
    return cn_map_get(&c->streams, cn_slice_of(&no, sizeof(no)));
}

static pipe_stream *make_stream(pipe_conn *c, cn_stream_no no)
{
    void *value = NULL;
    return cn_map_put(&c->streams, cn_slice_of(&no, sizeof(no)), &value, NULL) == CN_OK ? value
                                                                                        : NULL;
}

static void forget_stream(pipe_conn *c, cn_stream_no no)
{
    (void)cn_map_remove(&c->streams, cn_slice_of(&no, sizeof(no)));
}

static void take_hello(pipe_conn *c, cn_slice bytes)
{
    c->peer = cn_peer_id_of_message(bytes);
    if (c->expected.len > 0 && !cn_peer_id_eq(&c->expected, &c->peer)) {
        put_down(c, CN_ERR_HASH_MISMATCH, "another peer is at the other end of the pipe");
        part_ways(c);
    } else if (cn_key_decode_public(c->t->mem, bytes, &c->peer_key, NULL) != CN_OK) {
        put_down(c, CN_ERR_MALFORMED, "no key in the hello");
        part_ways(c);
    } else {
        c->is_up = true;
    }
}

/* The next frame's event; false: none, or nothing to tell of it. */
static bool take_frame(pipe_conn *c, cn_mux_event *ret, bool *ret_up)
{
    pipe_transport *t = c->t;
    cn_buf *in = &c->in;
    if (in->len < HEAD_BYTES) {
        return false;
    }
    size_t len = 0;
    cn_stream_no no = 0;
    int kind = in->data[0] ^ MASK;
    for (int i = 3; i >= 0; i--) {
        no = no << 8 | (in->data[1 + i] ^ MASK);
        len = len << 8 | (in->data[5 + i] ^ MASK);
    }
    cn_buf_reset(&t->lent);
    if (cn_buf_append(&t->lent, cn_slice_of(in->data + HEAD_BYTES, len)) != CN_OK) {
        put_down(c, CN_ERR_NO_MEMORY, "out of memory");
        part_ways(c);
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        t->lent.data[i] ^= MASK;
    }
    c->in_bytes += HEAD_BYTES + len;
    cn_buf_skip(in, HEAD_BYTES + len);
    if (kind == FRAME_HELLO) {
        take_hello(c, cn_buf_slice(&t->lent));
        *ret_up = c->is_up;
        return false;
    }
    pipe_stream *s = kind == FRAME_OPEN ? make_stream(c, no) : stream_of(c, no);
    if (s == NULL) {
        return false;
    }
    static const cn_mux_kind kinds[] = {
        [FRAME_OPEN] = CN_MUX_OPENED,
        [FRAME_DATA] = CN_MUX_DATA,
        [FRAME_FIN] = CN_MUX_FIN,
        [FRAME_RESET] = CN_MUX_RESET,
    };
    *ret = (cn_mux_event){.kind = kinds[kind], .stream = no, .data = cn_buf_slice(&t->lent)};
    s->fin_in = s->fin_in || kind == FRAME_FIN;
    if (kind == FRAME_RESET || (s->fin_in && s->fin_out)) {
        forget_stream(c, no);
    }
    return true;
}

static bool take_room(pipe_conn *c, cn_mux_event *ret)
{
    size_t position = 0;
    cn_slice key = {0};
    void *value = NULL;
    while (cn_map_next(&c->streams, &position, &key, &value)) {
        pipe_stream *s = value;
        if (s->has_room) {
            s->has_room = false;
            *ret = (cn_mux_event){.kind = CN_MUX_WRITABLE};
            cn_copy(&ret->stream, key.data, key.len);
            return true;
        }
    }
    return false;
}

static bool tell_down(pipe_transport *t, pipe_conn *c, cn_conn_event *ret)
{
    cn_copy(t->told, c->sentence, sizeof(t->told));
    *ret = (cn_conn_event){.kind = CN_CONN_DOWN, .conn = c->id, .err = c->err, .sentence = t->told};
    free_conn(c);
    return true;
}

static bool next_of(pipe_transport *t, pipe_conn *c, cn_conn_event *ret)
{
    *ret = (cn_conn_event){.conn = c->id};
    if (c->is_arrived_due) {
        c->is_arrived_due = false;
        ret->kind = CN_CONN_ARRIVED;
        return true;
    }
    size_t before = 0;
    do {
        bool up = false;
        before = c->in.len;
        if (take_frame(c, &ret->mux, &up)) {
            ret->kind = CN_CONN_STREAM;
            return true;
        }
        if (up) {
            ret->kind = CN_CONN_UP;
            return true;
        }
    } while (c->in.len < before);
    if (c->is_up && take_room(c, &ret->mux)) {
        ret->kind = CN_CONN_STREAM;
        return true;
    }
    return c->is_down ? tell_down(t, c, ret) : false;
}

static bool next(cn_transport *transport, cn_time now, cn_conn_event *ret)
{
    pipe_transport *t = (pipe_transport *)transport;
    cn_id id = CN_ID_NONE;
    CN_UNUSED(now);
    for (size_t tries = t->conns.slots_len; tries > 0; tries--) {
        pipe_conn *c = cn_slots_next(&t->conns, &t->at, &id);
        if (c == NULL) {
            t->at = 0;
            c = cn_slots_next(&t->conns, &t->at, &id);
        }
        if (c != NULL && next_of(t, c, ret)) {
            return true;
        }
    }
    return false;
}

static cn_time deadline(const cn_transport *transport)
{
    const pipe_transport *t = (const pipe_transport *)transport;
    size_t position = 0;
    cn_id id = CN_ID_NONE;
    const pipe_conn *c = NULL;
    while ((c = cn_slots_next(&t->conns, &position, &id)) != NULL) {
        if (c->in.len > 0 || c->is_down || c->is_arrived_due) {
            return (cn_time){0};
        }
    }
    return CN_TIME_NEVER;
}

static void tick(cn_transport *t, cn_time now)
{
    CN_UNUSED(t);
    CN_UNUSED(now);
}

static pipe_conn *get(const cn_transport *transport, cn_id conn)
{
    return cn_slots_get(&((const pipe_transport *)transport)->conns, conn);
}

static cn_err stream_open(cn_transport *t, cn_id conn, cn_stream_no *ret)
{
    pipe_conn *c = get(t, conn);
    if (c == NULL || !c->is_up || c->other == NULL) {
        return CN_ERR_CLOSED;
    }
    cn_stream_no no = c->next_no;
    if (make_stream(c, no) == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_err err = put_frame(c, FRAME_OPEN, no, (cn_slice){0});
    if (err == CN_OK) {
        c->next_no += 2;
        *ret = no;
    } else {
        forget_stream(c, no);
    }
    return err;
}

static size_t stream_room(const cn_transport *t, cn_id conn, cn_stream_no no)
{
    const pipe_conn *c = get(t, conn);
    pipe_stream *s = c == NULL ? NULL : stream_of(c, no);
    if (s == NULL || s->fin_out) {
        return 0;
    }
    s->waits = s->unread >= PIPE_WINDOW_BYTES;
    return s->waits ? 0 : PIPE_WINDOW_BYTES - s->unread;
}

static cn_err stream_write(cn_transport *t, cn_id conn, cn_stream_no no, cn_buf *bytes)
{
    pipe_conn *c = get(t, conn);
    pipe_stream *s = c == NULL ? NULL : stream_of(c, no);
    if (s == NULL || s->fin_out) {
        return CN_ERR_CLOSED;
    }
    cn_err err = put_frame(c, FRAME_DATA, no, cn_buf_slice(bytes));
    if (err == CN_OK) {
        s->unread += bytes->len;
        cn_buf_release(bytes);
    }
    return err;
}

static void stream_consumed(cn_transport *t, cn_id conn, cn_stream_no no, size_t bytes, cn_time now)
{
    const pipe_conn *c = get(t, conn);
    pipe_stream *s = c == NULL || c->other == NULL ? NULL : stream_of(c->other, no);
    CN_UNUSED(now);
    if (s != NULL) {
        s->unread -= CN_MIN(bytes, s->unread);
        s->has_room = s->waits && s->unread < PIPE_WINDOW_BYTES;
        s->waits = s->waits && !s->has_room;
    }
}

static void stream_close(cn_transport *t, cn_id conn, cn_stream_no no)
{
    pipe_conn *c = get(t, conn);
    pipe_stream *s = c == NULL ? NULL : stream_of(c, no);
    if (s != NULL && !s->fin_out) {
        s->fin_out = true;
        (void)!put_frame(c, FRAME_FIN, no, (cn_slice){0});
        if (s->fin_in) {
            forget_stream(c, no);
        }
    }
}

static void stream_reset(cn_transport *t, cn_id conn, cn_stream_no no, uint32_t code)
{
    pipe_conn *c = get(t, conn);
    CN_UNUSED(code);
    if (c != NULL && stream_of(c, no) != NULL) {
        (void)!put_frame(c, FRAME_RESET, no, (cn_slice){0});
        forget_stream(c, no);
    }
}

static void close_conn(cn_transport *t, cn_id conn, uint32_t code)
{
    pipe_conn *c = get(t, conn);
    CN_UNUSED(code);
    if (c != NULL) {
        part_ways(c);
        free_conn(c);
    }
}

static bool info(const cn_transport *t, cn_id conn, cn_conn_info *ret)
{
    const pipe_conn *c = get(t, conn);
    if (c == NULL) {
        return false;
    }
    *ret = (cn_conn_info){
        .is_initiator = c->is_initiator,
        .is_up = c->is_up,
        .peer = c->peer,
        .peer_key = c->peer_key,
        .remote = cn_slice_of(c->remote, c->remote_len),
        .local = cn_slice_of(c->local, c->local_len),
        .remote_ip = {.ip = {127, 0, 0, 1}},
        .security = "/mask",
        .muxer = "/pipes",
        .since = c->since,
        .in_bytes = c->in_bytes,
        .out_bytes = c->out_bytes,
        .held_bytes = sizeof(*c) + c->in.cap,
    };
    return true;
}

static void flush(cn_transport *t, cn_time now)
{
    CN_UNUSED(t);
    CN_UNUSED(now);
}

static void free_transport(cn_transport *transport)
{
    pipe_transport *t = (pipe_transport *)transport;
    size_t position = 0;
    cn_id id = CN_ID_NONE;
    pipe_conn *c = NULL;
    while ((c = cn_slots_next(&t->conns, &position, &id)) != NULL) {
        part_ways(c);
        free_conn(c);
    }
    cn_slots_release(&t->conns);
    cn_buf_release(&t->hello);
    cn_buf_release(&t->lent);
    cn_free(t->mem, t);
}

static const cn_transport_ops ops = {
    .handles = handles,
    .listen = listen_at,
    .unlisten = unlisten,
    .dial = dial,
    .take = take,
    .next = next,
    .deadline = deadline,
    .tick = tick,
    .stream_open = stream_open,
    .stream_room = stream_room,
    .stream_write = stream_write,
    .stream_consumed = stream_consumed,
    .stream_close = stream_close,
    .stream_reset = stream_reset,
    .close = close_conn,
    .info = info,
    .flush = flush,
    .free = free_transport,
};

cn_err pipe_transport_new(pipe_net *net, cn_mem *mem, const cn_key *key, cn_transport **ret)
{
    pipe_transport *t = cn_alloc(mem, sizeof(*t));
    if (t == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *t = (pipe_transport){.transport = {&ops, "pipe"}, .net = net, .mem = mem};
    cn_slots_init(&t->conns, mem, CONNS_MAX);
    cn_buf_init(&t->hello, mem, 4096);
    cn_buf_init(&t->lent, mem, QUEUE_BYTES);
    cn_err err = cn_key_encode_public(key, &t->hello);
    if (err != CN_OK) {
        free_transport(&t->transport);
        return err;
    }
    *ret = &t->transport;
    return CN_OK;
}
