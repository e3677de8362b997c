/*
 * Properties: whatever a transport tells a host, in whatever order - callers, peers that are up,
 * streams that open, speak, end - and whatever people ask meanwhile, the host stays within its
 * limits, tells each dial's end once, and gives everything back.
 *
 * Each step is an opcode, an argument, and for bytes a length and the bytes.
 */
#include "p2p/host/host.h"

enum { CONNS = 8, PEERS = 4, STREAMS_MAX = 24, WAITS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* --- a world that stands still --- */

static cn_time clock_now;
static uint32_t questions;
static size_t waiting;

static cn_time rt_now(cn_rt *rt)
{
    CN_UNUSED(rt);
    return clock_now;
}

static cn_wall rt_wall(cn_rt *rt)
{
    CN_UNUSED(rt);
    return (cn_wall){clock_now.ns};
}

static cn_err net_resolve(cn_net *n, cn_net_query q, const char *name, uint64_t tag, cn_id *ret)
{
    CN_UNUSED(n);
    CN_UNUSED(q);
    CN_UNUSED(name);
    CN_UNUSED(tag);
    *ret = (cn_id){questions++, 1};
    return CN_OK;
}

static void net_close(cn_net *n, cn_id id)
{
    CN_UNUSED(n);
    CN_UNUSED(id);
}

static cn_err net_interfaces(cn_net *n, cn_endpoint *ret, size_t max, size_t *ret_len)
{
    CN_UNUSED(n);
    CN_UNUSED(ret);
    CN_UNUSED(max);
    *ret_len = 0;
    return CN_OK;
}

/* --- a transport that says what the input says --- */

typedef struct conn {
    bool is_there;
    bool is_up;
    bool is_initiator;
    uint32_t generation;
    cn_peer_id peer;
    cn_stream_no next_no;
} conn;

static struct {
    cn_transport t;
    conn conns[CONNS];
    cn_conn_event event;
    bool has_event;
    cn_peer_id peers[PEERS];
} line;

static conn *get(cn_id id)
{
    conn *c = &line.conns[id.index % CONNS];
    return c->is_there && c->generation == id.generation ? c : NULL;
}

static cn_id id_of(const conn *c)
{
    return (cn_id){(uint32_t)(c - line.conns), c->generation};
}

static bool handles(const cn_transport *t, cn_slice address)
{
    cn_multiaddr_part part = {0};
    CN_UNUSED(t);
    return cn_multiaddr_find(address, CN_MA_TCP, &part);
}

static cn_err
listen_at(cn_transport *t, cn_slice address, cn_id *ret, cn_buf *ret_bound, cn_why *why)
{
    CN_UNUSED(t);
    CN_UNUSED(why);
    *ret = (cn_id){0, 1};
    return cn_buf_append(ret_bound, address);
}

static void unlisten(cn_transport *t, cn_id listener)
{
    CN_UNUSED(t);
    CN_UNUSED(listener);
}

static conn *make(bool is_initiator)
{
    for (int i = 0; i < CONNS; i++) {
        conn *c = &line.conns[i];
        if (!c->is_there) {
            *c = (conn){.is_there = true, .generation = c->generation + 1};
            c->is_initiator = is_initiator;
            c->next_no = is_initiator ? 1 : 2;
            return c;
        }
    }
    return NULL;
}

static cn_err dial(
    cn_transport *t, cn_slice address, const cn_peer_id *peer, cn_time now, cn_id *ret, cn_why *why)
{
    conn *c = make(true);
    CN_UNUSED(t);
    CN_UNUSED(address);
    CN_UNUSED(now);
    CN_UNUSED(why);
    if (c == NULL) {
        return CN_ERR_TOO_LARGE;
    }
    c->peer = *peer;
    *ret = id_of(c);
    return CN_OK;
}

static bool take(cn_transport *t, const cn_net_event *event, cn_time now)
{
    CN_UNUSED(t);
    CN_UNUSED(event);
    CN_UNUSED(now);
    return true;
}

static bool next(cn_transport *t, cn_time now, cn_conn_event *ret)
{
    CN_UNUSED(t);
    CN_UNUSED(now);
    bool has = line.has_event;
    line.has_event = false;
    *ret = line.event;
    return has;
}

static cn_time deadline(const cn_transport *t)
{
    CN_UNUSED(t);
    return CN_TIME_NEVER;
}

static void tick(cn_transport *t, cn_time now)
{
    CN_UNUSED(t);
    CN_UNUSED(now);
}

static cn_err stream_open(cn_transport *t, cn_id id, cn_stream_no *ret)
{
    conn *c = get(id);
    CN_UNUSED(t);
    CN_ASSERT(c != NULL && c->is_up); /* the host does not ask one that is gone */
    if (c->next_no > 2 * STREAMS_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    *ret = c->next_no;
    c->next_no += 2;
    return CN_OK;
}

static size_t stream_room(const cn_transport *t, cn_id id, cn_stream_no no)
{
    CN_UNUSED(t);
    CN_ASSERT(get(id) != NULL);
    return no % 3 * 20;
}

static cn_err stream_write(cn_transport *t, cn_id id, cn_stream_no no, cn_buf *bytes)
{
    CN_UNUSED(t);
    CN_UNUSED(no);
    CN_ASSERT(get(id) != NULL);
    cn_buf_release(bytes);
    return CN_OK;
}

static void stream_consumed(cn_transport *t, cn_id id, cn_stream_no no, size_t bytes, cn_time now)
{
    CN_UNUSED(t);
    CN_UNUSED(no);
    CN_UNUSED(bytes);
    CN_UNUSED(now);
    CN_ASSERT(get(id) != NULL);
}

static void stream_close(cn_transport *t, cn_id id, cn_stream_no no)
{
    CN_UNUSED(t);
    CN_UNUSED(no);
    CN_ASSERT(get(id) != NULL);
}

static void stream_reset(cn_transport *t, cn_id id, cn_stream_no no, uint32_t code)
{
    CN_UNUSED(code);
    stream_close(t, id, no);
}

static void close_conn(cn_transport *t, cn_id id, uint32_t code)
{
    conn *c = get(id);
    CN_UNUSED(t);
    CN_UNUSED(code);
    CN_ASSERT(c != NULL); /* once is enough */
    c->is_there = false;
}

static bool info(const cn_transport *t, cn_id id, cn_conn_info *ret)
{
    static const uint8_t remote[] = {4, 10, 0, 0, 1, 6, 0, 80};
    const conn *c = get(id);
    CN_UNUSED(t);
    if (c == NULL) {
        return false;
    }
    *ret = (cn_conn_info){
        .is_initiator = c->is_initiator,
        .is_up = c->is_up,
        .peer = c->peer,
        .remote = cn_slice_of(remote, sizeof(remote)),
        .local = cn_slice_of(remote, sizeof(remote)),
        .security = "",
        .muxer = "",
    };
    return true;
}

static void flush(cn_transport *t, cn_time now)
{
    CN_UNUSED(t);
    CN_UNUSED(now);
}

static const cn_transport_ops transport_ops = {
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
};

/* --- a protocol that answers back --- */

typedef struct speaker {
    cn_protocol p;
    cn_host *h;
} speaker;

static cn_err opened(cn_protocol *p, cn_id stream, const cn_peer_id *peer, const char *name)
{
    CN_UNUSED(p);
    CN_UNUSED(peer);
    CN_UNUSED(name);
    return stream.index % 7 == 6 ? CN_ERR_TOO_LARGE : CN_OK;
}

/* The first byte says what to do, so that handlers call into the host. */
static cn_err speak(cn_protocol *p, cn_id stream, cn_slice bytes)
{
    cn_host *h = ((speaker *)p)->h;
    cn_buf b = {0};
    cn_host_consumed(h, stream, bytes.len);
    switch (bytes.data[0] % 8) {
    case 0:
        cn_host_reset_stream(h, stream, 0);
        break;
    case 1:
        cn_host_close_stream(h, stream);
        break;
    case 2:
        (void)cn_host_disconnect(h, &line.peers[bytes.data[0] / 8 % PEERS]);
        break;
    case 3:
        return CN_ERR_MALFORMED;
    default:
        cn_buf_init(&b, cn_mem_default(), bytes.len);
        CN_ASSERT(cn_buf_append(&b, bytes) == CN_OK);
        (void)!cn_host_write(h, stream, &b);
        cn_buf_release(&b);
    }
    return CN_OK;
}

static void ended(cn_protocol *p, cn_id stream, cn_stream_end how, const char *sentence)
{
    CN_UNUSED(sentence);
    if (how == CN_STREAM_FIN) {
        cn_host_close_stream(((speaker *)p)->h, stream);
    }
}

static const cn_protocol_ops speaker_ops = {.opened = opened, .data = speak, .ended = ended};
static const char *const NAMES[] = {"/b/2", "/b/1"};

static void dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    CN_UNUSED(ctx);
    CN_UNUSED(peer);
    CN_UNUSED(err);
    CN_ASSERT(sentence != NULL && waiting > 0);
    waiting--;
}

static void pinged(void *ctx, cn_err err, int64_t rtt_ns, const char *sentence)
{
    CN_UNUSED(ctx);
    CN_UNUSED(err);
    CN_UNUSED(rtt_ns);
    CN_ASSERT(sentence != NULL);
}

/* --- steps --- */

static void tell(cn_host *h, const cn_conn_event *e)
{
    line.event = *e;
    line.has_event = true;
    cn_host_turn(h, clock_now);
    CN_ASSERT(!line.has_event);
}

static void tell_of_conn(cn_host *h, conn *c, uint8_t op, uint8_t arg)
{
    cn_conn_event e = {.conn = id_of(c)};
    if (op == 1 && !c->is_up) {
        c->is_up = true;
        c->peer = c->is_initiator ? c->peer : line.peers[arg / CONNS % PEERS];
        e.kind = CN_CONN_UP;
        tell(h, &e);
    } else if (op == 2) {
        c->is_there = false;
        e.kind = CN_CONN_DOWN;
        e.err = CN_ERR_IO;
        tell(h, &e);
    }
}

static void tell_of_stream(cn_host *h, const conn *c, uint8_t op, uint8_t arg, cn_slice bytes)
{
    static const cn_mux_kind kinds[] = {CN_MUX_OPENED, CN_MUX_DATA,     CN_MUX_FIN,
                                        CN_MUX_RESET,  CN_MUX_WRITABLE, CN_MUX_RTT};
    cn_stream_no no = arg / CONNS % STREAMS_MAX;
    /* A transport never opens one number twice: those of the far side are new each time. */
    bool is_ours = no % 2 == (c->is_initiator ? 1 : 0);
    cn_mux_kind kind = kinds[op - 3];
    if (!c->is_up || (kind == CN_MUX_OPENED && is_ours) ||
        (kind == CN_MUX_DATA && bytes.len == 0)) {
        return;
    }
    if (kind == CN_MUX_OPENED) {
        cn_conn_event gone = {.kind = CN_CONN_STREAM, .conn = id_of(c)};
        gone.mux = (cn_mux_event){.kind = CN_MUX_RESET, .stream = no};
        tell(h, &gone);
        if (!c->is_there) {
            return;
        }
    }
    cn_conn_event e = {.kind = CN_CONN_STREAM, .conn = id_of(c)};
    e.mux = (cn_mux_event){.kind = kind, .stream = no, .data = bytes};
    tell(h, &e);
}

static void ask(cn_host *h, speaker *s, uint8_t op, uint8_t arg)
{
    static const uint8_t address[] = {4, 10, 0, 0, 1, 6, 0, 80};
    static const uint8_t name[] = {0x35, 1, 'x', 6, 0, 80};
    const cn_peer_id *peer = &line.peers[arg % PEERS];
    cn_slice at = arg & 4 ? cn_slice_of(address, 8) : cn_slice_of(name, 6);
    cn_id id = CN_ID_NONE;
    if (op == 9 && waiting < WAITS_MAX) {
        int64_t timeout_ns = arg & 8 ? CN_NS_PER_S : 0;
        cn_host_forgive(h, peer, &at, 1);
        waiting += cn_host_connect(h, peer, &at, 1, timeout_ns, dialled, NULL, &id, NULL) == CN_OK;
        if (arg & 16 && !cn_id_is_none(id)) {
            cn_host_connect_cancel(h, id);
            waiting--;
        }
    } else if (op == 10) {
        (void)!cn_host_stream(h, &s->p, peer, NAMES, arg & 4 ? 2 : 1, &id);
    } else if (op == 11) {
        (void)!cn_host_ping(h, peer, CN_NS_PER_S, pinged, NULL, &id);
    } else if (op == 12) {
        (void)cn_host_disconnect(h, peer);
    } else if (op == 13) {
        clock_now = cn_time_after(clock_now, arg * (CN_NS_PER_S / 8));
        cn_host_tick(h, clock_now);
    } else if (op == 14) {
        cn_endpoint ip = {.ip = {10, 0, 0, arg}};
        cn_net_event e = {.kind = CN_NET_RESOLVED, .ips = &ip, .answers_len = arg % 2};
        e.sock = (cn_id){questions > 0 ? questions - 1 : 0, 1};
        cn_host_take(h, &e);
    } else if (op == 15 && arg & 4) {
        (void)!cn_host_peering_add(h, peer, &at, 1);
    } else if (op == 15) {
        (void)cn_host_peering_remove(h, peer);
    }
    cn_host_turn(h, clock_now);
}

static void run(cn_host *h, speaker *s, cn_slice in)
{
    while (in.len >= 2) {
        uint8_t op = in.data[0] % 16;
        uint8_t arg = in.data[1];
        cn_slice bytes = {0};
        in = cn_slice_skip(in, 2);
        if (op == 4 && in.len > 0) {
            bytes = cn_slice_head(cn_slice_skip(in, 1), in.data[0]);
            in = cn_slice_skip(in, 1 + bytes.len);
        }
        conn *c = &line.conns[arg % CONNS];
        if (op == 0) {
            c = make(false);
            cn_conn_event e = {.kind = CN_CONN_ARRIVED};
            e.conn = c == NULL ? CN_ID_NONE : id_of(c);
            if (c != NULL) {
                tell(h, &e);
            }
        } else if (op <= 2 && c->is_there) {
            tell_of_conn(h, c, op, arg);
        } else if (op >= 3 && op <= 8 && c->is_there) {
            tell_of_stream(h, c, op, arg, bytes);
        } else if (op >= 9) {
            ask(h, s, op, arg);
        }
    }
}

static cn_key *own_key(void)
{
    static cn_key *key;
    if (key == NULL) {
        CN_ASSERT(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &key, NULL) == CN_OK);
    }
    return key;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const cn_rt_ops rt_ops = {.now = rt_now, .wall = rt_wall};
    static const cn_net_ops net_ops = {
        .resolve = net_resolve, .close = net_close, .interfaces = net_interfaces};
    cn_rt rt = {.ops = &rt_ops};
    cn_net net = {&net_ops, &rt};
    cn_mem mem;
    speaker s = {.p = {&speaker_ops, NAMES, 2, 4, 8, {0, 0}}};
    cn_mem_init(&mem, 0);
    clock_now = (cn_time){CN_NS_PER_S};
    waiting = 0;
    questions = 0;
    for (uint8_t i = 0; i < PEERS; i++) {
        line.peers[i] = cn_peer_id_of_message(cn_slice_of(&i, 1));
    }
    for (int i = 0; i < CONNS; i++) {
        line.conns[i] = (conn){.generation = 0};
    }
    line.has_event = false;
    line.t = (cn_transport){&transport_ops, "line"};
    cn_host_options o = {
        .mem = &mem,
        .net = &net,
        .key = own_key(),
        .agent = "fuzz",
        .conns_max = 6,
        .conns_low = 3,
        .conns_high = 4,
        .grace_ns = CN_NS_PER_S,
        .conns_per_peer_max = 2,
        .streams_max = 32,
        .streams_per_peer_max = 12,
    };
    CN_ASSERT(cn_host_new(&o, &s.h, NULL) == CN_OK);
    CN_ASSERT(cn_host_add_transport(s.h, &line.t) == CN_OK);
    CN_ASSERT(cn_host_serve(s.h, &s.p) == CN_OK);
    run(s.h, &s, cn_slice_of(data, len));
    cn_host_resources r = {0};
    cn_host_resources_of(s.h, &r);
    CN_ASSERT(r.conns <= 6 && r.streams <= 32 && r.dialling <= r.dialling_max);
    /* Every dial ends: nothing is heard any more and all limits pass. */
    for (int i = 0; i < 10 && waiting > 0; i++) {
        clock_now = cn_time_after(clock_now, 20 * CN_NS_PER_S);
        cn_net_event e = {.kind = CN_NET_RESOLVED, .err = CN_ERR_TIMEOUT};
        for (e.sock = (cn_id){0, 1}; e.sock.index < questions; e.sock.index++) {
            cn_host_take(s.h, &e);
        }
        cn_host_turn(s.h, clock_now);
    }
    CN_ASSERT(waiting == 0);
    cn_host_free(s.h);
    CN_ASSERT(mem.used_bytes == 0);
    return 0;
}
