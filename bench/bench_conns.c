/*
 * Many peers at once, each with an identity of its own, that connect to one node and say nothing
 * more than identify: how much memory does a connection take there?
 *
 *     bench_conns PEERS noise|tls ADDRESS
 *
 * ADDRESS ends in /p2p/ID. Prints "connected N" once all are, and keeps them until its input ends.
 */
#include "multiformats/multiaddr.h"
#include "p2p/host/host.h"
#include "p2p/muxer/yamux.h"
#include "p2p/security/noise.h"
#include "p2p/security/tls.h"
#include "p2p/transport/tcp.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    AT_ONCE = 32,
    NET_SOCKETS = 8,
    BURST = 64,   /* a node takes so many newcomers at once and more, */
    PAUSE_MS = 7, /* then one every 5 ms */
};

typedef struct end {
    cn_net *net;
    cn_key *key;
    cn_security *security;
    cn_transport *t;
    cn_host *h;
    bool is_dialled;
} end;

static cn_rt *rt;
static size_t connected;

static void must(cn_err err, const cn_why *why)
{
    if (err != CN_OK) {
        (void)fprintf(stderr, "%s\n", cn_why_text(why, err));
        exit(1);
    }
}

static void begin(end *e, bool with_tls)
{
    static const cn_muxing *const muxings[] = {&cn_yamux};
    cn_why why = {{0}};
    must(cn_rt_os_net_new(rt, cn_mem_default(), NET_SOCKETS, &e->net, &why), &why);
    must(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &e->key, &why), &why);
    must(
        (with_tls ? cn_tls_new : cn_noise_new)(rt, cn_mem_default(), e->key, &e->security, &why),
        &why);
    cn_tcp_options o = {
        .mem = cn_mem_default(),
        .net = e->net,
        .securities = &e->security,
        .securities_len = 1,
        .muxings = muxings,
        .muxings_len = 1,
        .muxer =
            {
                .streams_in_max = 16,
                .streams_out_max = 16,
                .window_max_bytes = 1 << 20,
                .queued_max_bytes = 1 << 20,
                .ping_interval_ns = 30 * CN_NS_PER_S,
                .ping_timeout_ns = 30 * CN_NS_PER_S,
            },
        .mark = 1,
        .conns_max = 4,
    };
    must(cn_tcp_new(&o, &e->t), NULL);
    cn_host_options h = {
        .mem = cn_mem_default(), .net = e->net, .key = e->key, .agent = "cairn/bench"};
    must(cn_host_new(&h, &e->h, &why), &why);
    must(cn_host_add_transport(e->h, e->t), NULL);
}

static void take(void *ctx, const cn_net_event *event)
{
    cn_host_take(((end *)ctx)->h, event);
}

static void dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    end *e = ctx;
    CN_UNUSED(peer);
    if (err != CN_OK) {
        (void)fprintf(stderr, "%s\n", sentence);
        exit(1);
    }
    e->is_dialled = true;
    connected++;
}

static void turn(end *ends, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        end *e = &ends[i];
        must(cn_rt_os_net_poll(e->net, cn_rt_now(rt), take, e), NULL);
        cn_time now = cn_rt_now(rt);
        cn_host_tick(e->h, now);
        cn_host_turn(e->h, now);
    }
}

static bool is_input_over(void)
{
    struct pollfd p = {.fd = 0, .events = POLLIN};
    return poll(&p, 1, 100) > 0;
}

int main(int argc, char **argv)
{
    size_t len = argc == 4 ? strtoull(argv[1], NULL, 10) : 0;
    end *ends = cn_alloc_array(cn_mem_default(), CN_MAX(len, 1), sizeof *ends);
    cn_why why = {{0}};
    cn_buf address = {0};
    cn_slice at = {0};
    cn_peer_id peer = {0};
    struct rlimit files;
    if (len == 0 || ends == NULL) {
        (void)fprintf(stderr, "usage: bench_conns PEERS noise|tls ADDRESS\n");
        return 2;
    }
    (void)getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    cn_buf_init(&address, cn_mem_default(), 1024);
    must(cn_multiaddr_parse(cn_str(argv[3]), &address, &why), &why);
    cn_multiaddr_split_peer(cn_buf_slice(&address), &at, &peer);
    must(cn_rt_os_new(1, &rt), NULL);
    for (size_t i = 0; i < len; i++) {
        cn_id id = CN_ID_NONE;
        begin(&ends[i], strcmp(argv[2], "tls") == 0);
        must(cn_host_connect(ends[i].h, &peer, &at, 1, 0, dialled, &ends[i], &id, &why), &why);
        while (connected + AT_ONCE <= i) {
            turn(ends, i + 1);
        }
        if (i >= BURST) {
            (void)poll(NULL, 0, PAUSE_MS);
        }
    }
    while (connected < len) {
        turn(ends, len);
    }
    (void)printf("connected %zu\n", connected);
    (void)fflush(stdout);
    while (!is_input_over()) {
        turn(ends, len);
    }
    return 0;
}
