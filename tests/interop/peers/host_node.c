/*
 * A node that is a host and nothing more: it listens on loopback, answers identify and ping, and
 * pings whom it is told to dial. For tests with other implementations.
 *
 *   host_node KEY_TYPE SECONDS SECURITY[,SECURITY] [MULTIADDR/p2p/ID]
 *   host_node KEY_TYPE SECONDS SECURITY[,SECURITY] peer MULTIADDR/p2p/ID
 *
 * SECURITY is noise or tls; the first is preferred. With `peer` it stays connected and does not
 * ping.
 *
 * Prints "listening ADDRESS", "up PEER SECURITY MUXER how", "identified PEER AGENT", "speaks NAME",
 * "at ADDRESS", "ping NANOSECONDS", "down SENTENCE", "failed SENTENCE", and at the end "held BYTES
 * before BYTES": memory at the end, and before the first connection.
 */
#include "multiformats/multiaddr.h"
#include "p2p/host/host.h"
#include "p2p/muxer/yamux.h"
#include "p2p/security/noise.h"
#include "p2p/security/tls.h"
#include "p2p/transport/tcp.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"

#include <stdio.h>
#include <stdlib.h>

enum { SECURITIES_MAX = 2, PINGS = 5, LINGER_MS = 500 };

typedef struct node {
    cn_protocol watch; /* no names: only hears of peers */
    cn_rt *rt;
    cn_net *net;
    cn_mem mem;
    cn_host *h;
    cn_transport *t;
    cn_security *securities[SECURITIES_MAX];
    size_t securities_len;
    cn_peer_id target;
    size_t bytes_before; /* memory in use without a connection */
    int pings;
    cn_time end;
    bool is_bad;
} node;

static void must(cn_err err, const cn_why *why)
{
    if (err != CN_OK) {
        (void)printf("failed %s\n", cn_why_text(why, err));
        exit(1);
    }
}

static void print_address(const char *what, cn_slice address)
{
    cn_buf text = {0};
    const char *line = "";
    cn_buf_init(&text, cn_mem_default(), 4096);
    must(cn_multiaddr_encode_text(address, &text), NULL);
    must(cn_buf_cstr(&text, &line), NULL);
    (void)printf("%s %s\n", what, line);
    cn_buf_release(&text);
}

static void print_peer(const char *what, const cn_peer_id *peer)
{
    cn_buf text = {0};
    const char *line = "";
    cn_buf_init(&text, cn_mem_default(), 1024);
    must(cn_peer_id_encode_text(peer, 0, &text), NULL);
    must(cn_buf_cstr(&text, &line), NULL);
    (void)printf("%s %s", what, line);
    cn_buf_release(&text);
}

static void begin_ping(node *n);

static void pinged(void *ctx, cn_err err, int64_t rtt_ns, const char *sentence)
{
    node *n = ctx;
    if (err != CN_OK) {
        (void)printf("failed %s\n", sentence);
        n->is_bad = true;
        return;
    }
    (void)printf("ping %lld\n", (long long)rtt_ns);
    if (++n->pings < PINGS) {
        begin_ping(n);
    } else { /* streams end, then what is held is held by the connection alone */
        n->end = cn_time_after(cn_host_now(n->h), LINGER_MS * CN_NS_PER_MS);
    }
}

static void begin_ping(node *n)
{
    cn_id id = CN_ID_NONE;
    must(cn_host_ping(n->h, &n->target, 10 * CN_NS_PER_S, pinged, n, &id), NULL);
}

static void dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    node *n = ctx;
    CN_UNUSED(peer);
    if (err != CN_OK) {
        (void)printf("down %s\n", sentence);
        n->is_bad = true;
        n->end = cn_host_now(n->h);
        return;
    }
    begin_ping(n);
}

static cn_err opened(cn_protocol *p, cn_id stream, const cn_peer_id *peer, const char *name)
{
    CN_UNUSED(p);
    CN_UNUSED(stream);
    CN_UNUSED(peer);
    CN_UNUSED(name);
    return CN_ERR_UNSUPPORTED;
}

static cn_err data(cn_protocol *p, cn_id stream, cn_slice bytes)
{
    CN_UNUSED(p);
    CN_UNUSED(stream);
    CN_UNUSED(bytes);
    return CN_ERR_UNSUPPORTED;
}

static void ended(cn_protocol *p, cn_id stream, cn_stream_end how, const char *sentence)
{
    CN_UNUSED(p);
    CN_UNUSED(stream);
    CN_UNUSED(how);
    CN_UNUSED(sentence);
}

static void peer_up(cn_protocol *p, const cn_peer_id *peer)
{
    const node *n = (const node *)p;
    size_t position = 0;
    cn_host_conn c = {0};
    while (cn_host_conns(n->h, &position, &c)) {
        if (cn_peer_id_eq(&c.info.peer, peer)) {
            print_peer("up", peer);
            (void)printf(
                " %s %s %s\n", c.info.security, c.info.muxer,
                c.info.is_muxer_early ? "early" : "multistream");
        }
    }
}

static void identified(cn_protocol *p, const cn_peer_id *peer)
{
    const node *n = (const node *)p;
    cn_host_peer known = {0};
    if (!cn_host_peer_of(n->h, peer, &known)) {
        return;
    }
    print_peer("identified", peer);
    (void)printf(" %.*s\n", (int)known.agent.len, (const char *)known.agent.data);
    for (size_t i = 0; i < known.protocols_len; i++) {
        (void)printf(
            "speaks %.*s\n", (int)known.protocols[i].len, (const char *)known.protocols[i].data);
    }
    for (size_t i = 0; i < known.addresses_len; i++) {
        print_address("at", known.addresses[i]);
    }
}

static const cn_protocol_ops ops = {
    .opened = opened, .data = data, .ended = ended, .peer_up = peer_up, .identified = identified};

static void note(void *ctx, const cn_host_note *it)
{
    CN_UNUSED(ctx);
    if (it->kind == CN_HOST_NOTE_DOWN || it->kind == CN_HOST_NOTE_CUT ||
        it->kind == CN_HOST_NOTE_REFUSED) {
        (void)printf("down %s\n", it->sentence);
    }
}

static void take(void *ctx, const cn_net_event *event)
{
    cn_host_take(((node *)ctx)->h, event);
}

static void turn(node *n)
{
    cn_time soon = cn_time_after(cn_rt_now(n->rt), 100 * CN_NS_PER_MS);
    cn_time due = cn_host_deadline(n->h);
    must(cn_rt_os_net_poll(n->net, due.ns < soon.ns ? due : soon, take, n), NULL);
    cn_time now = cn_rt_now(n->rt);
    cn_host_tick(n->h, now);
    cn_host_turn(n->h, now);
    (void)fflush(stdout);
}

static void listen_here(node *n)
{
    cn_buf at = {0};
    cn_buf text = {0};
    cn_why why = {{0}};
    cn_buf_init(&at, cn_mem_default(), 256);
    cn_buf_init(&text, cn_mem_default(), 4096);
    must(cn_multiaddr_parse(cn_str("/ip4/127.0.0.1/tcp/0"), &at, &why), &why);
    must(cn_host_listen(n->h, cn_buf_slice(&at), &why), &why);
    must(cn_host_addresses(n->h, &text, true), NULL);
    text.len--; /* the newline */
    cn_buf_reset(&at);
    must(cn_multiaddr_parse(cn_buf_slice(&text), &at, &why), &why);
    must(cn_multiaddr_put_peer(&at, cn_host_self(n->h)), NULL);
    print_address("listening", cn_buf_slice(&at));
    (void)fflush(stdout);
    cn_buf_release(&at);
    cn_buf_release(&text);
}

static void dial(node *n, const char *text, bool is_peering)
{
    cn_buf address = {0};
    cn_slice at = {0};
    cn_id id = CN_ID_NONE;
    cn_why why = {{0}};
    cn_buf_init(&address, cn_mem_default(), 1024);
    must(cn_multiaddr_parse(cn_str(text), &address, &why), &why);
    cn_multiaddr_split_peer(cn_buf_slice(&address), &at, &n->target);
    must(
        is_peering ? cn_host_peering_add(n->h, &n->target, &at, 1)
                   : cn_host_connect(n->h, &n->target, &at, 1, 0, dialled, n, &id, &why),
        &why);
    cn_buf_release(&address);
}

/* The kinds named in the list, in its order. */
static void make_securities(node *n, const char *list, const cn_key *key)
{
    cn_why why = {{0}};
    cn_slice rest = cn_str(list);
    while (rest.len > 0 && n->securities_len < SECURITIES_MAX) {
        size_t end = cn_slice_find(rest, ',');
        bool is_tls = cn_slice_is(cn_slice_head(rest, end), "tls");
        cn_security **next = &n->securities[n->securities_len++];
        must((is_tls ? cn_tls_new : cn_noise_new)(n->rt, &n->mem, key, next, &why), &why);
        rest = cn_slice_skip(rest, CN_MIN(end + 1, rest.len));
    }
}

static void make_transport(node *n)
{
    static const cn_muxing *const muxings[] = {&cn_yamux};
    cn_tcp_options o = {
        .mem = &n->mem,
        .net = n->net,
        .securities = n->securities,
        .securities_len = n->securities_len,
        .muxings = muxings,
        .muxings_len = 1,
        .muxer =
            {
                .streams_in_max = 1024,
                .streams_out_max = 1024,
                .window_max_bytes = 16 << 20,
                .queued_max_bytes = 1 << 20,
                .ping_interval_ns = 30 * CN_NS_PER_S,
                .ping_timeout_ns = 10 * CN_NS_PER_S,
            },
        .mark = 1,
        .conns_max = 64,
    };
    must(cn_tcp_new(&o, &n->t), NULL);
}

static void make_host(node *n, const cn_key *key)
{
    cn_why why = {{0}};
    cn_host_options o = {
        .mem = &n->mem,
        .net = n->net,
        .key = key,
        .agent = "cairn/host-node",
        .seed = (uint64_t)cn_rt_now(n->rt).ns,
        .note = note,
    };
    must(cn_host_new(&o, &n->h, &why), &why);
    must(cn_host_add_transport(n->h, n->t), NULL);
    n->watch = (cn_protocol){.ops = &ops};
    must(cn_host_serve(n->h, &n->watch), NULL);
}

int main(int argc, char **argv)
{
    static node n;
    cn_key *key = NULL;
    cn_key_type type = CN_KEY_ED25519;
    cn_why why = {{0}};
    if (argc < 4) {
        (void)fprintf(
            stderr,
            "usage: host_node KEY_TYPE SECONDS SECURITY[,SECURITY] [[peer] MULTIADDR/p2p/ID]\n");
        return 2;
    }
    cn_mem_init(&n.mem, 0);
    must(cn_key_type_parse(cn_str(argv[1]), &type), NULL);
    must(cn_rt_os_new(1, &n.rt), NULL);
    must(cn_rt_os_net_new(n.rt, cn_mem_default(), 64, &n.net, &why), &why);
    must(cn_key_generate(cn_mem_default(), type, 2048, &key, &why), &why);
    make_securities(&n, argv[3], key);
    make_transport(&n);
    make_host(&n, key);
    listen_here(&n);
    n.bytes_before = n.mem.used_bytes;
    n.end = cn_time_after(cn_rt_now(n.rt), strtol(argv[2], NULL, 10) * CN_NS_PER_S);
    if (argc > 4) {
        dial(&n, argv[argc - 1], argc > 5);
    }
    while (cn_rt_now(n.rt).ns < n.end.ns) {
        turn(&n);
    }
    (void)printf("held %zu before %zu\n", n.mem.used_bytes, n.bytes_before);
    cn_host_free(n.h);
    n.t->ops->free(n.t);
    for (size_t i = 0; i < n.securities_len; i++) {
        n.securities[i]->free(n.securities[i]);
    }
    cn_key_free(key);
    cn_rt_os_net_free(n.net);
    cn_rt_os_free(n.rt);
    return n.is_bad || (argc == 5 && n.pings < PINGS) ? 1 : 0;
}
