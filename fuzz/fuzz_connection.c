/*
 * A whole connection: the input is what the other side says to a host with TCP, yamux, identify,
 * ping and bitswap, over a network, a clock and workers of this file's own. The security is one
 * that seals nothing, so that every byte reaches the muxer.
 *
 *   byte 0    bit 0: this host dialled; bit 1: the rest is bytes of the wire, else steps
 *   step      a byte, 4 bits of frame type (0 to 3) and kind, 4 bits of flags; then as `step` reads
 *
 * Properties: what is held stays within the memory given, and all of it comes back.
 */
#include "exchange/bitswap/bitswap.h"
#include "p2p/host/host.h"
#include "p2p/muxer/yamux.h"
#include "p2p/transport/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum {
    MEMORY_BYTES = 24 << 20,
    WIRE_MAX_BYTES = 8 << 20,
    RECORD_BYTES = 16 << 10,
    TURNS = 64,
    STEPS_MAX = 512,
};

static const char PROTOCOL[] = "/fuzz";

/* --- a clock, entropy and workers that run when they are waited for --- */

typedef struct world {
    cn_rt rt;
    cn_net net;
    cn_security security;
    cn_blocks blocks;
    cn_mem mem;
    cn_time now;
    uint64_t seed;
    cn_work *works[256];
    size_t works_len;
    cn_buf wire; /* from the other side */
    size_t wire_at;
    uint64_t tag;
    cn_id sock;
    bool is_closed;
    bool is_woken;
    cn_key *key;
    cn_key *theirs;
    cn_peer_id their_id;
    cn_host *host;
} world;

static world w;

static cn_time rt_now(cn_rt *rt)
{
    CN_UNUSED(rt);
    return w.now;
}

static cn_wall rt_wall(cn_rt *rt)
{
    CN_UNUSED(rt);
    return (cn_wall){1700000000 * CN_NS_PER_S + w.now.ns};
}

static cn_err rt_entropy(cn_rt *rt, uint8_t *data, size_t len)
{
    CN_UNUSED(rt);
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(w.seed = w.seed * 6364136223846793005u + 1);
    }
    return CN_OK;
}

static unsigned rt_threads(cn_rt *rt)
{
    CN_UNUSED(rt);
    return 1;
}

static void run_works(void)
{
    while (w.works_len > 0) {
        cn_work *work = w.works[--w.works_len];
        work->run(work);
    }
}

static void rt_submit(cn_rt *rt, cn_work *work)
{
    CN_UNUSED(rt);
    if (w.works_len == CN_LEN(w.works)) {
        run_works();
    }
    w.works[w.works_len++] = work;
}

static void rt_wait(cn_rt *rt, cn_work *work)
{
    CN_UNUSED(rt);
    CN_UNUSED(work);
    run_works();
}

static const cn_rt_ops rt_ops = {
    .now = rt_now,
    .wall = rt_wall,
    .entropy = rt_entropy,
    .work_threads = rt_threads,
    .work_submit = rt_submit,
    .work_wait = rt_wait,
};

/* --- one socket --- */

static cn_err net_dial(cn_net *n, const cn_endpoint *to, uint64_t tag, cn_id *ret, cn_why *why)
{
    CN_UNUSED(n);
    CN_UNUSED(to);
    CN_UNUSED(why);
    if (w.sock.generation != 0) {
        return CN_ERR_TOO_LARGE;
    }
    w.sock = (cn_id){1, 1};
    w.tag = tag;
    *ret = w.sock;
    return CN_OK;
}

static cn_err net_read(cn_net *n, cn_id sock, uint8_t *data, size_t len, size_t *ret_len)
{
    CN_UNUSED(n);
    CN_UNUSED(sock);
    cn_slice rest = cn_slice_head(cn_slice_skip(cn_buf_slice(&w.wire), w.wire_at), len);
    cn_copy(data, rest.data, rest.len);
    w.wire_at += rest.len;
    *ret_len = rest.len;
    return CN_OK;
}

static cn_err
net_write(cn_net *n, cn_id sock, const cn_slice *parts, size_t parts_len, size_t *ret_len)
{
    CN_UNUSED(n);
    CN_UNUSED(sock);
    *ret_len = 0;
    for (size_t i = 0; i < parts_len; i++) {
        *ret_len += parts[i].len;
    }
    return CN_OK;
}

static void net_retag(cn_net *n, cn_id sock, uint64_t tag)
{
    CN_UNUSED(n);
    CN_UNUSED(sock);
    w.tag = tag;
}

static void net_pause(cn_net *n, cn_id sock, bool paused)
{
    CN_UNUSED(n);
    CN_UNUSED(sock);
    CN_UNUSED(paused);
}

static void net_close(cn_net *n, cn_id sock)
{
    CN_UNUSED(n);
    w.is_closed = w.is_closed || cn_id_eq(sock, w.sock);
}

static void net_wake(cn_net *n)
{
    CN_UNUSED(n);
    w.is_woken = true;
}

static cn_err net_interfaces(cn_net *n, cn_endpoint *ret, size_t max, size_t *ret_len)
{
    CN_UNUSED(n);
    CN_UNUSED(ret);
    CN_UNUSED(max);
    *ret_len = 0;
    return CN_OK;
}

static const cn_net_ops net_ops = {
    .dial = net_dial,
    .read = net_read,
    .write = net_write,
    .retag = net_retag,
    .pause = net_pause,
    .close = net_close,
    .wake = net_wake,
    .interfaces = net_interfaces,
};

/* --- a security that seals nothing: records of a length and as many bytes; the first is empty ---
 */

typedef struct open_end {
    cn_secure secure;
    cn_mem *mem;
} open_end;

static cn_err secure_begin(cn_secure *s, cn_buf *out, cn_why *why)
{
    CN_UNUSED(s);
    CN_UNUSED(out);
    CN_UNUSED(why);
    return CN_OK;
}

static cn_err secure_take(
    cn_secure *s,
    uint8_t *wire,
    size_t len,
    size_t *ret_used,
    cn_slice *ret_plain,
    cn_buf *out,
    cn_why *why)
{
    size_t record = len < 2 ? 0 : (size_t)wire[0] << 8 | wire[1];
    CN_UNUSED(out);
    CN_UNUSED(why);
    *ret_used = 0;
    *ret_plain = (cn_slice){0};
    if (len < 2 || len - 2 < record) {
        return CN_OK;
    }
    *ret_used = 2 + record;
    *ret_plain = s->is_established ? cn_slice_of(wire + 2, record) : (cn_slice){0};
    if (!s->is_established) {
        s->is_established = true;
        s->peer = w.their_id;
        s->muxer = record > 0 ? NULL : cn_yamux.protocol;
    }
    return CN_OK;
}

static cn_err secure_seal(cn_secure *s, const cn_slice *parts, size_t parts_len, cn_buf *out)
{
    CN_UNUSED(s);
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < parts_len; i++) {
        err = cn_buf_append(out, parts[i]);
    }
    return err;
}

static cn_err secure_finish(cn_secure *s, cn_buf *out)
{
    CN_UNUSED(s);
    CN_UNUSED(out);
    return CN_OK;
}

static void secure_free(cn_secure *s)
{
    open_end *e = (open_end *)s;
    cn_free(e->mem, e);
}

static const cn_secure_ops secure_ops = {
    secure_begin, secure_take, secure_seal, secure_finish, secure_free};

static cn_err
secure_open(cn_security *kind, const cn_secure_options *options, cn_secure **ret, cn_why *why)
{
    open_end *e = cn_alloc(options->mem, sizeof *e);
    CN_UNUSED(kind);
    CN_UNUSED(why);
    if (e == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *e = (open_end){.secure = {.ops = &secure_ops, .peer_key = w.theirs}, .mem = options->mem};
    *ret = &e->secure;
    return CN_OK;
}

/* --- a store with one block --- */

static const uint8_t HELD[] = "held";
static cn_cid held_cid;

static bool is_held(const cn_cid *cid)
{
    return cn_slice_eq(cn_cid_bytes(cid), cn_cid_bytes(&held_cid));
}

static cn_err blocks_get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
{
    CN_UNUSED(b);
    CN_UNUSED(why);
    cn_buf_reset(ret);
    return is_held(cid) ? cn_buf_append(ret, cn_slice_of(HELD, sizeof HELD)) : CN_ERR_NOT_FOUND;
}

static cn_err blocks_size(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes)
{
    CN_UNUSED(b);
    *ret_bytes = sizeof HELD;
    return is_held(cid) ? CN_OK : CN_ERR_NOT_FOUND;
}

static cn_err blocks_put(cn_blocks *b, const cn_cid *cid, cn_slice data, cn_why *why)
{
    CN_UNUSED(b);
    CN_UNUSED(cid);
    CN_UNUSED(data);
    CN_UNUSED(why);
    return CN_OK;
}

static const cn_blocks_ops blocks_ops = {.get = blocks_get, .size = blocks_size, .put = blocks_put};

/* --- what the other side says --- */

static void must(cn_err err)
{
    CN_ASSERT(err == CN_OK);
}

/* Bytes of the muxer, in records. */
static void say(cn_slice bytes)
{
    while (bytes.len > 0 && w.wire.len < WIRE_MAX_BYTES) {
        cn_slice record = cn_slice_head(bytes, RECORD_BYTES);
        must(cn_buf_byte(&w.wire, (uint8_t)(record.len >> 8)));
        must(cn_buf_byte(&w.wire, (uint8_t)record.len));
        must(cn_buf_append(&w.wire, record));
        bytes = cn_slice_skip(bytes, record.len);
    }
}

static void say_frame(unsigned type, unsigned flags, uint32_t no, uint32_t len, cn_slice data)
{
    uint8_t h[12] = {0, (uint8_t)type, 0, (uint8_t)flags, 0, 0, (uint8_t)(no >> 8), (uint8_t)no};
    for (int i = 0; i < 4; i++) {
        h[8 + i] = (uint8_t)(len >> (24 - 8 * i));
    }
    say(cn_slice_of(h, sizeof h));
    say(data);
}

static uint8_t next_byte(cn_slice *in)
{
    uint8_t byte = in->len > 0 ? in->data[0] : 0;
    *in = cn_slice_skip(*in, 1);
    return byte;
}

static cn_slice next_piece(cn_slice *in)
{
    size_t len = next_byte(in);
    cn_slice piece = cn_slice_head(*in, len);
    *in = cn_slice_skip(*in, piece.len);
    return piece;
}

static void say_names(uint32_t no, unsigned which)
{
    static const char *const names[] = {
        "\x13/multistream/1.0.0\n\x14/ipfs/bitswap/1.2.0\n",
        "\x13/multistream/1.0.0\n\x0f/ipfs/id/1.0.0\n",
        "\x13/multistream/1.0.0\n\x14/ipfs/id/push/1.0.0\n",
        "\x13/multistream/1.0.0\n\x11/ipfs/ping/1.0.0\n"};
    cn_slice text = cn_str(names[which % CN_LEN(names)]);
    say_frame(0, 1, no, (uint32_t)text.len, text);
}

/*
 * One step: the low 4 bits of its first byte are what it is.
 *   0-3  a frame of that type: flags, stream, and its data (DATA) or a value
 *   4-7  a stream opened with the name of a protocol
 *   8    a message of bitswap, or of identify, with its length before it
 *   9    time passes
 *   else bytes as they are
 */
static void step(cn_slice *in, bool is_initiator)
{
    uint8_t what = next_byte(in);
    uint8_t kind = what & 15;
    uint32_t no = 2u * (next_byte(in) % 32) + (is_initiator ? 2 : 1);
    if (kind == 0) {
        cn_slice data = next_piece(in);
        say_frame(0, what >> 4, no, (uint32_t)data.len, data);
    } else if (kind < 4) {
        cn_slice value = next_piece(in);
        uint32_t number = 0;
        for (size_t i = 0; i < value.len && i < 4; i++) {
            number = number << 8 | value.data[i];
        }
        say_frame(kind, what >> 4, kind < 2 ? no : 0, number, (cn_slice){0});
    } else if (kind < 8) {
        say_names(no, kind);
    } else if (kind == 8) {
        cn_slice body = next_piece(in);
        uint8_t length[2] = {(uint8_t)(body.len | 0x80), (uint8_t)(body.len >> 7)};
        say_frame(0, 0, no, (uint32_t)body.len + 2, cn_slice_of(length, 2));
        say(body);
    } else if (kind == 9) {
        w.now = cn_time_after(w.now, (1 + (what >> 4)) * CN_NS_PER_S);
    } else {
        say(next_piece(in));
    }
}

/* --- the host's side --- */

static void event(cn_net_kind kind)
{
    cn_net_event e = {.kind = kind, .sock = w.sock, .tag = w.tag};
    e.remote = (cn_endpoint){.ip = {9, 8, 7, 6}, .port = 5};
    e.local = (cn_endpoint){.ip = {10, 0, 0, 1}, .port = 4001};
    cn_host_take(w.host, &e);
}

static void turns(void)
{
    for (int i = 0; i < TURNS; i++) {
        w.now = cn_time_after(w.now, CN_NS_PER_MS);
        if (!w.is_closed && w.wire_at < w.wire.len) {
            event(CN_NET_READABLE);
        }
        run_works();
        if (w.is_woken) {
            w.is_woken = false;
            event(CN_NET_WOKEN);
        }
        cn_host_tick(w.host, w.now);
        cn_host_turn(w.host, w.now);
        if ((w.is_closed || w.wire_at == w.wire.len) && w.works_len == 0 && !w.is_woken && i > 3) {
            break;
        }
    }
    CN_ASSERT(w.mem.used_bytes <= MEMORY_BYTES);
    cn_buf_reset(&w.wire);
    w.wire_at = 0;
}

static void dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    CN_UNUSED(ctx);
    CN_UNUSED(peer);
    CN_UNUSED(err);
    CN_UNUSED(sentence);
}

static void join(bool is_initiator, bool is_early)
{
    static const uint8_t address[] = {4, 9, 8, 7, 6, 6, 0, 5};
    static const char names[] = "\x13/multistream/1.0.0\n\x06/fuzz\n";
    cn_slice at = cn_slice_of(address, sizeof address);
    cn_id id = CN_ID_NONE;
    w.sock = CN_ID_NONE;
    w.is_closed = false;
    if (is_initiator) {
        (void)!cn_host_connect(w.host, &w.their_id, &at, 1, 0, dialled, NULL, &id, NULL);
        cn_host_turn(w.host, w.now);
        event(CN_NET_OPENED);
    } else {
        w.sock = (cn_id){1, 1};
        w.tag = (uint64_t)1 << 56;
        event(CN_NET_ACCEPTED);
    }
    must(cn_buf_append(&w.wire, cn_slice_of(names, sizeof names - 1)));
    must(cn_buf_append(&w.wire, is_early ? cn_slice_of("\0\0", 2) : cn_slice_of("\0\1x", 3)));
}

static void begin_once(void)
{
    cn_why why = {{0}};
    if (w.key != NULL) {
        return;
    }
    w.rt.ops = &rt_ops;
    w.net = (cn_net){&net_ops, &w.rt};
    w.security = (cn_security){PROTOCOL, secure_open, NULL};
    w.blocks.ops = &blocks_ops;
    must(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &w.key, &why));
    must(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &w.theirs, &why));
    must(cn_peer_id_of_key(w.theirs, &w.their_id));
    must(cn_cid_parse(
        cn_str("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"), &held_cid, NULL));
    cn_buf_init(&w.wire, cn_mem_default(), 2 * WIRE_MAX_BYTES);
}

static void feed(cn_slice in)
{
    uint8_t flags = next_byte(&in);
    bool is_initiator = (flags & 1) != 0;
    join(is_initiator, (flags & 4) == 0);
    if ((flags & 2) != 0) {
        say(in);
        turns();
        return;
    }
    for (int i = 0; i < STEPS_MAX && in.len > 0; i++) {
        step(&in, is_initiator);
        if (i % 8 == 7) {
            turns();
        }
    }
    turns();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const cn_muxing *const muxings[] = {&cn_yamux};
    cn_security *securities[] = {&w.security};
    cn_transport *tcp = NULL;
    cn_bitswap *bitswap = NULL;
    begin_once();
    w.now = (cn_time){CN_NS_PER_S};
    w.seed = 1;
    w.is_woken = false;
    cn_mem_init(&w.mem, MEMORY_BYTES);
    cn_tcp_options t = {
        .mem = &w.mem,
        .net = &w.net,
        .securities = securities,
        .securities_len = 1,
        .muxings = muxings,
        .muxings_len = 1,
        .muxer =
            {
                .streams_in_max = 64,
                .streams_out_max = 64,
                .window_max_bytes = 1 << 20,
                .queued_max_bytes = 1 << 18,
                .ping_interval_ns = 30 * CN_NS_PER_S,
                .ping_timeout_ns = 10 * CN_NS_PER_S,
            },
        .mark = 1,
        .conns_max = 8,
    };
    cn_host_options h = {.mem = &w.mem, .net = &w.net, .key = w.key, .agent = "fuzz", .seed = 1};
    must(cn_tcp_new(&t, &tcp));
    must(cn_host_new(&h, &w.host, NULL));
    must(cn_host_add_transport(w.host, tcp));
    cn_bitswap_options b = {
        .mem = &w.mem,
        .net = &w.net,
        .host = w.host,
        .blocks = &w.blocks,
        .seed = 1,
        .serve = true};
    must(cn_bitswap_new(&b, &bitswap));
    must(cn_host_serve(w.host, cn_bitswap_protocol(bitswap)));
    feed(cn_slice_of(data, len));
    cn_host_free(w.host);
    cn_bitswap_free(bitswap);
    run_works();
    tcp->ops->free(tcp);
    CN_ASSERT(w.mem.used_bytes == 0);
    return 0;
}
