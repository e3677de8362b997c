/*
 * One stream between two processes: TCP, Noise or TLS, yamux; the receiver discards.
 *
 *     bench_stream BYTES [noise|tls]               over loopback
 *     bench_stream BYTES noise|tls listen ADDRESS  the receiver alone: prints its address, takes
 * one bench_stream BYTES noise|tls send ADDRESS    the sender alone
 *
 * The sender prints "gb_per_s", "dial_s" (from the dial until all was taken: three round trips for
 * a single byte) and the processor time of both. bench/peers/golibp2p does the same in go-libp2p.
 */
#include "multiformats/multiaddr.h"
#include "p2p/muxer/yamux.h"
#include "p2p/security/noise.h"
#include "p2p/security/tls.h"
#include "p2p/transport/tcp.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE_BYTES = 256 << 10 };

typedef struct end {
    cn_rt *rt;
    cn_net *net;
    cn_transport *t;
    cn_key *key;
    cn_security *security;
    cn_id conn;
    cn_stream_no stream;
    uint64_t got;
    bool is_up;
    bool is_over;
} end;

static bool with_tls;

static void must(cn_err err)
{
    if (err != CN_OK) {
        (void)fprintf(stderr, "%s\n", cn_err_sentence(err));
        exit(1);
    }
}

static void begin(end *e)
{
    static const cn_muxing *const muxings[] = {&cn_yamux};
    must(cn_rt_os_new(1, &e->rt));
    must(cn_rt_os_net_new(e->rt, cn_mem_default(), 16, &e->net, NULL));
    must(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &e->key, NULL));
    must((with_tls ? cn_tls_new : cn_noise_new)(
        e->rt, cn_mem_default(), e->key, &e->security, NULL));
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
                .window_max_bytes = 16 << 20,
                .queued_max_bytes = 4 << 20,
                .ping_interval_ns = 30 * CN_NS_PER_S,
                .ping_timeout_ns = 10 * CN_NS_PER_S,
            },
        .mark = 1,
        .conns_max = 4,
    };
    must(cn_tcp_new(&o, &e->t));
}

static void take(void *ctx, const cn_net_event *event)
{
    end *e = ctx;
    (void)e->t->ops->take(e->t, event, cn_rt_now(e->rt));
}

static void deal_with(end *e, const cn_conn_event *c, cn_time now)
{
    if (c->kind == CN_CONN_UP) {
        e->is_up = true;
        e->conn = c->conn;
    } else if (c->kind == CN_CONN_DOWN) {
        e->is_over = true;
    } else if (c->kind == CN_CONN_STREAM && c->mux.kind == CN_MUX_DATA) {
        e->got += c->mux.data.len;
        e->t->ops->stream_consumed(e->t, c->conn, c->mux.stream, c->mux.data.len, now);
    } else if (c->kind == CN_CONN_STREAM && c->mux.kind == CN_MUX_FIN) {
        e->t->ops->stream_close(e->t, c->conn, c->mux.stream);
        e->is_over = true;
    }
}

static void turn(end *e)
{
    must(cn_rt_os_net_poll(e->net, e->t->ops->deadline(e->t), take, e));
    cn_time now = cn_rt_now(e->rt);
    cn_conn_event c = {0};
    e->t->ops->tick(e->t, now);
    while (e->t->ops->next(e->t, now, &c)) {
        deal_with(e, &c, now);
    }
    e->t->ops->flush(e->t, now);
}

static double cpu_s(int who)
{
    struct rusage u;
    (void)getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void listen_at(end *e, const char *text, cn_buf *bound)
{
    cn_buf at = {0};
    cn_id id = CN_ID_NONE;
    cn_buf_init(&at, cn_mem_default(), 256);
    cn_buf_init(bound, cn_mem_default(), 256);
    begin(e);
    must(cn_multiaddr_parse(cn_str(text), &at, NULL));
    must(e->t->ops->listen(e->t, cn_buf_slice(&at), &id, bound, NULL));
    cn_buf_release(&at);
}

static int receive(end *e)
{
    while (!e->is_over) {
        turn(e);
    }
    turn(e);
    return 0;
}

static void send_all(end *e, uint64_t bytes)
{
    uint64_t sent = 0;
    while (!e->is_over) {
        while (sent < bytes && e->t->ops->stream_room(e->t, e->conn, e->stream) > 0) {
            cn_buf piece = {0};
            size_t len = (size_t)CN_MIN(bytes - sent, (uint64_t)PIECE_BYTES);
            cn_buf_init(&piece, cn_mem_default(), PIECE_BYTES);
            must(cn_buf_reserve(&piece, len));
            piece.len = len;
            must(e->t->ops->stream_write(e->t, e->conn, e->stream, &piece));
            sent += len;
            if (sent >= bytes) {
                e->t->ops->stream_close(e->t, e->conn, e->stream);
            }
        }
        e->t->ops->flush(e->t, cn_rt_now(e->rt));
        turn(e);
    }
}

static int send_to(cn_slice address, uint64_t bytes)
{
    end e = {0};
    cn_id id = CN_ID_NONE;
    begin(&e);
    cn_time dialled = cn_rt_now(e.rt);
    must(e.t->ops->dial(e.t, address, NULL, dialled, &id, NULL));
    while (!e.is_up && !e.is_over) {
        turn(&e);
    }
    must(e.t->ops->stream_open(e.t, e.conn, &e.stream));
    cn_time from = cn_rt_now(e.rt);
    send_all(&e, bytes);
    cn_time over = cn_rt_now(e.rt);
    e.t->ops->free(e.t);
    (void)wait(NULL);
    (void)printf("gb_per_s %.3f\n", (double)bytes / (double)(over.ns - from.ns));
    (void)printf("dial_s %.4f\n", (double)(over.ns - dialled.ns) / 1e9);
    (void)printf("send_cpu_s %.3f\n", cpu_s(RUSAGE_SELF));
    (void)printf("recv_cpu_s %.3f\n", cpu_s(RUSAGE_CHILDREN));
    return 0;
}

static int over_loopback(uint64_t bytes)
{
    int pipes[2];
    uint8_t address[64];
    if (pipe(pipes) != 0) {
        return 1;
    }
    if (fork() == 0) {
        end e = {0};
        cn_buf bound = {0};
        listen_at(&e, "/ip4/127.0.0.1/tcp/0", &bound);
        if (write(pipes[1], bound.data, bound.len) != (ssize_t)bound.len) {
            return 1;
        }
        return receive(&e);
    }
    ssize_t len = read(pipes[0], address, sizeof(address));
    return send_to(cn_slice_of(address, len < 0 ? 0 : (size_t)len), bytes);
}

int main(int argc, char **argv)
{
    uint64_t bytes = argc > 1 ? strtoull(argv[1], NULL, 10) : 1u << 30;
    const char *role = argc > 4 ? argv[3] : "";
    cn_buf address = {0};
    end e = {0};
    with_tls = argc > 2 && strcmp(argv[2], "tls") == 0;
    cn_buf_init(&address, cn_mem_default(), 256);
    if (strcmp(role, "listen") == 0) {
        cn_buf text = {0};
        cn_buf_init(&text, cn_mem_default(), 256);
        listen_at(&e, argv[4], &address);
        must(cn_multiaddr_encode_text(cn_buf_slice(&address), &text));
        (void)printf("%.*s\n", (int)text.len, (const char *)text.data);
        (void)fflush(stdout);
        return receive(&e);
    }
    if (strcmp(role, "send") == 0) {
        must(cn_multiaddr_parse(cn_str(argv[4]), &address, NULL));
        return send_to(cn_buf_slice(&address), bytes);
    }
    return over_loopback(bytes);
}
