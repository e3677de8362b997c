/*
 * A node that can only ping: it listens on loopback, answers pings, and pings whom it is told to
 * dial. For tests with other implementations, until the host does all this.
 *
 *   ping_node KEY_TYPE SECONDS SECURITY[,SECURITY] [MULTIADDR/p2p/ID]
 *
 * SECURITY is noise or tls; the first is preferred.
 *
 * Prints "listening ADDRESS", "up PEER SECURITY MUXER how", "ping NANOSECONDS", "down SENTENCE".
 */
#include "multiformats/multiaddr.h"
#include "p2p/muxer/yamux.h"
#include "p2p/security/noise.h"
#include "p2p/security/tls.h"
#include "p2p/stack/multistream.h"
#include "p2p/transport/tcp.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"

#include <stdio.h>
#include <stdlib.h>

enum { STREAMS_MAX = 64, SECURITIES_MAX = 2, PING_BYTES = 32, PINGS = 5 };

static const char *const PING[] = {"/ipfs/ping/1.0.0"};

typedef struct stream {
    cn_id conn;
    cn_stream_no no; /* 0: free */
    cn_multistream names;
    bool is_ours;
    uint8_t sent[PING_BYTES];
    size_t echoed;
    cn_time at;
} stream;

typedef struct node {
    cn_rt *rt;
    cn_net *net;
    cn_transport *t;
    stream streams[STREAMS_MAX];
    int pings;
    bool is_over;
    bool is_bad;
} node;

static void must(cn_err err, const cn_why *why)
{
    if (err != CN_OK) {
        (void)printf("failed: %s\n", cn_why_text(why, err));
        exit(1);
    }
}

static stream *find(node *n, cn_id conn, cn_stream_no no)
{
    for (int i = 0; i < STREAMS_MAX; i++) {
        if (n->streams[i].no == no && cn_id_eq(n->streams[i].conn, conn)) {
            return &n->streams[i];
        }
    }
    return NULL;
}

static stream *add(node *n, cn_id conn, cn_stream_no no)
{
    for (int i = 0; i < STREAMS_MAX; i++) {
        if (n->streams[i].no == 0) {
            n->streams[i] = (stream){.conn = conn, .no = no};
            return &n->streams[i];
        }
    }
    return NULL;
}

static void drop(stream *s)
{
    cn_multistream_release(&s->names);
    *s = (stream){0};
}

static const char *match(void *ctx, cn_slice name)
{
    CN_UNUSED(ctx);
    return cn_slice_is(name, PING[0]) ? PING[0] : NULL;
}

static void say(node *n, stream *s, cn_slice bytes)
{
    cn_buf b = {0};
    cn_buf_init(&b, cn_mem_default(), 1 << 16);
    must(cn_buf_append(&b, bytes), NULL);
    if (n->t->ops->stream_write(n->t, s->conn, s->no, &b) != CN_OK) {
        (void)printf("failed: a stream cannot be written to\n");
    }
    cn_buf_release(&b);
}

static void ping(node *n, stream *s)
{
    must(cn_rt_entropy(n->rt, s->sent, sizeof(s->sent)), NULL);
    s->echoed = 0;
    s->at = cn_rt_now(n->rt);
    say(n, s, cn_slice_of(s->sent, sizeof(s->sent)));
}

static void begin_ping(node *n, cn_id conn)
{
    cn_buf out = {0};
    cn_stream_no no = 0;
    cn_buf_init(&out, cn_mem_default(), 4096);
    must(n->t->ops->stream_open(n->t, conn, &no), NULL);
    stream *s = add(n, conn, no);
    s->is_ours = true;
    must(cn_multistream_open(&s->names, cn_mem_default(), PING, 1, &out), NULL);
    say(n, s, cn_buf_slice(&out));
    cn_buf_release(&out);
    ping(n, s);
}

static void take_echo(node *n, stream *s, cn_slice bytes)
{
    size_t left = sizeof(s->sent) - s->echoed;
    if (bytes.len > left || !cn_slice_eq(bytes, cn_slice_of(s->sent + s->echoed, bytes.len))) {
        (void)printf("failed: another echo than what was sent\n");
        n->is_bad = n->is_over = true;
        return;
    }
    s->echoed += bytes.len;
    if (s->echoed == sizeof(s->sent)) {
        (void)printf("ping %lld\n", (long long)(cn_rt_now(n->rt).ns - s->at.ns));
        n->is_over = ++n->pings == PINGS;
        if (!n->is_over) {
            ping(n, s);
        }
    }
}

static void take_data(node *n, stream *s, cn_slice bytes)
{
    cn_buf out = {0};
    cn_why why = {{0}};
    cn_buf_init(&out, cn_mem_default(), 1 << 16);
    cn_err err = CN_OK;
    if (!s->names.is_done) {
        err = cn_multistream_take(&s->names, &bytes, &out, &why);
        if (out.len > 0) {
            say(n, s, cn_buf_slice(&out));
        }
    }
    cn_buf_release(&out);
    if (err != CN_OK) {
        (void)printf("refused %s\n", cn_why_text(&why, err));
        n->t->ops->stream_reset(n->t, s->conn, s->no, 0);
        drop(s);
    } else if (bytes.len > 0 && s->is_ours) {
        take_echo(n, s, bytes);
    } else if (bytes.len > 0) {
        say(n, s, bytes);
    }
}

static void tell_up(node *n, cn_id conn)
{
    cn_conn_info info = {0};
    cn_buf text = {0};
    const char *peer = "";
    cn_buf_init(&text, cn_mem_default(), 1024);
    (void)n->t->ops->info(n->t, conn, &info);
    must(cn_peer_id_encode_text(&info.peer, 0, &text), NULL);
    must(cn_buf_cstr(&text, &peer), NULL);
    (void)printf(
        "up %s %s %s %s\n", peer, info.security, info.muxer,
        info.is_muxer_early ? "early" : "multistream");
    cn_buf_release(&text);
    if (info.is_initiator) {
        begin_ping(n, conn);
    }
}

static void take_mux(node *n, cn_id conn, const cn_mux_event *e)
{
    stream *s = find(n, conn, e->stream);
    if (e->kind == CN_MUX_OPENED) {
        s = add(n, conn, e->stream);
        if (s == NULL) {
            n->t->ops->stream_reset(n->t, conn, e->stream, 0);
            return;
        }
        cn_multistream_answer(&s->names, cn_mem_default(), match, NULL);
    } else if (s != NULL && e->kind == CN_MUX_DATA) {
        n->t->ops->stream_consumed(n->t, conn, e->stream, e->data.len, cn_rt_now(n->rt));
        take_data(n, s, e->data);
    } else if (s != NULL && e->kind == CN_MUX_FIN) {
        n->t->ops->stream_close(n->t, conn, e->stream);
        drop(s);
    } else if (s != NULL && e->kind == CN_MUX_RESET) {
        drop(s);
    }
}

static void take_net(void *ctx, const cn_net_event *event)
{
    node *n = ctx;
    (void)n->t->ops->take(n->t, event, cn_rt_now(n->rt));
}

static void turn(node *n)
{
    cn_time now = cn_rt_now(n->rt);
    cn_time soon = cn_time_after(now, 100 * CN_NS_PER_MS);
    cn_time due = n->t->ops->deadline(n->t);
    must(cn_rt_os_net_poll(n->net, due.ns < soon.ns ? due : soon, take_net, n), NULL);
    now = cn_rt_now(n->rt);
    n->t->ops->tick(n->t, now);
    cn_conn_event e = {0};
    while (n->t->ops->next(n->t, now, &e)) {
        if (e.kind == CN_CONN_UP) {
            tell_up(n, e.conn);
        } else if (e.kind == CN_CONN_DOWN) {
            (void)printf("down %s\n", e.sentence == NULL ? cn_err_sentence(e.err) : e.sentence);
        } else if (e.kind == CN_CONN_STREAM) {
            take_mux(n, e.conn, &e.mux);
        }
        (void)fflush(stdout);
    }
    n->t->ops->flush(n->t, now);
}

static void listen_here(node *n, const cn_key *key)
{
    cn_buf at = {0};
    cn_buf bound = {0};
    cn_buf text = {0};
    cn_id id = CN_ID_NONE;
    cn_peer_id self = {0};
    cn_why why = {{0}};
    const char *line = "";
    cn_buf_init(&at, cn_mem_default(), 256);
    cn_buf_init(&bound, cn_mem_default(), 256);
    cn_buf_init(&text, cn_mem_default(), 1024);
    must(cn_multiaddr_parse(cn_str("/ip4/127.0.0.1/tcp/0"), &at, &why), &why);
    must(n->t->ops->listen(n->t, cn_buf_slice(&at), &id, &bound, &why), &why);
    must(cn_peer_id_of_key(key, &self), NULL);
    must(cn_multiaddr_put_peer(&bound, &self), NULL);
    must(cn_multiaddr_encode_text(cn_buf_slice(&bound), &text), NULL);
    must(cn_buf_cstr(&text, &line), NULL);
    (void)printf("listening %s\n", line);
    (void)fflush(stdout);
    cn_buf_release(&at);
    cn_buf_release(&bound);
    cn_buf_release(&text);
}

static void dial(node *n, const char *text)
{
    cn_buf address = {0};
    cn_slice at = {0};
    cn_peer_id peer = {0};
    cn_id id = CN_ID_NONE;
    cn_why why = {{0}};
    cn_buf_init(&address, cn_mem_default(), 1024);
    must(cn_multiaddr_parse(cn_str(text), &address, &why), &why);
    cn_multiaddr_split_peer(cn_buf_slice(&address), &at, &peer);
    must(n->t->ops->dial(n->t, at, &peer, cn_rt_now(n->rt), &id, &why), &why);
    cn_buf_release(&address);
}

/* The kinds named in the list, in its order. */
static size_t
make_securities(node *n, const char *list, const cn_key *key, cn_security *ret[SECURITIES_MAX])
{
    size_t len = 0;
    cn_why why = {{0}};
    cn_slice rest = cn_str(list);
    while (rest.len > 0 && len < SECURITIES_MAX) {
        size_t end = cn_slice_find(rest, ',');
        bool is_tls = cn_slice_is(cn_slice_head(rest, end), "tls");
        cn_err err =
            (is_tls ? cn_tls_new : cn_noise_new)(n->rt, cn_mem_default(), key, &ret[len++], &why);
        must(err, &why);
        rest = cn_slice_skip(rest, CN_MIN(end + 1, rest.len));
    }
    return len;
}

int main(int argc, char **argv)
{
    static node n;
    static const cn_muxing *const muxings[] = {&cn_yamux};
    cn_key *key = NULL;
    cn_key_type type = CN_KEY_ED25519;
    cn_security *securities[SECURITIES_MAX] = {0};
    size_t securities_len = 0;
    cn_why why = {{0}};
    if (argc < 4) {
        (void)fprintf(
            stderr, "usage: ping_node KEY_TYPE SECONDS SECURITY[,SECURITY] [MULTIADDR/p2p/ID]\n");
        return 2;
    }
    must(cn_key_type_parse(cn_str(argv[1]), &type), NULL);
    must(cn_rt_os_new(1, &n.rt), NULL);
    must(cn_rt_os_net_new(n.rt, cn_mem_default(), 64, &n.net, &why), &why);
    must(cn_key_generate(cn_mem_default(), type, 2048, &key, &why), &why);
    securities_len = make_securities(&n, argv[3], key, securities);
    cn_tcp_options o = {
        .mem = cn_mem_default(),
        .net = n.net,
        .securities = securities,
        .securities_len = securities_len,
        .muxings = muxings,
        .muxings_len = 1,
        .muxer =
            {
                .streams_in_max = STREAMS_MAX,
                .streams_out_max = STREAMS_MAX,
                .window_max_bytes = 16 << 20,
                .queued_max_bytes = 1 << 20,
                .ping_interval_ns = 30 * CN_NS_PER_S,
                .ping_timeout_ns = 10 * CN_NS_PER_S,
            },
        .mark = 1,
        .conns_max = 16,
    };
    must(cn_tcp_new(&o, &n.t), NULL);
    listen_here(&n, key);
    cn_time end = cn_time_after(cn_rt_now(n.rt), strtol(argv[2], NULL, 10) * CN_NS_PER_S);
    if (argc > 4) {
        dial(&n, argv[4]);
    }
    while (!n.is_over && cn_rt_now(n.rt).ns < end.ns) {
        turn(&n);
    }
    for (int i = 0; i < STREAMS_MAX; i++) {
        drop(&n.streams[i]);
    }
    n.t->ops->free(n.t);
    for (size_t i = 0; i < securities_len; i++) {
        securities[i]->free(securities[i]);
    }
    cn_key_free(key);
    cn_rt_os_net_free(n.net);
    cn_rt_os_free(n.rt);
    return n.is_bad || (argc > 4 && n.pings < PINGS) ? 1 : 0;
}
