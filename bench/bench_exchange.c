/*
 * Blocks from one node to another over loopback: TCP, Noise, yamux, bitswap, from store to store.
 *
 *     bench_exchange BLOCKS BLOCK_BYTES DIR
 *
 * Fills DIR/from, forks a node that serves it, fetches all into DIR/to and flushes. Prints
 * "seconds" (from the first want to the flush's return), "fetch_s" (until the last block was told),
 * the processor time of both sides and the largest resident size of the fetching one. DIR must be
 * empty.
 */
#include "base/prng.h"
#include "crypto/sha256.h"
#include "exchange/bitswap/bitswap.h"
#include "multiformats/multiaddr.h"
#include "p2p/muxer/yamux.h"
#include "p2p/security/noise.h"
#include "p2p/transport/tcp.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"
#include "store/store.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INFLIGHT = 1024, FILL = 16, ADDRESS_BYTES = 64 };

typedef struct address {
    size_t len;
    uint8_t bytes[ADDRESS_BYTES];
    cn_peer_id peer;
} address;

typedef struct end {
    cn_exchange_sink sink; /* first: cast back from it */
    cn_rt *rt;
    cn_net *net;
    cn_key *key;
    cn_security *noise;
    cn_transport *t;
    cn_host *h;
    cn_store *store;
    cn_bitswap *bitswap;
    cn_id session;
    const cn_cid *cids;
    size_t blocks;
    size_t wanted;
    size_t arrived;
    bool is_connected;
} end;

static void must(cn_err err, const cn_why *why)
{
    if (err != CN_OK) {
        (void)fprintf(stderr, "%s\n", cn_why_text(why, err));
        exit(1);
    }
}

static cn_store *open_store(cn_rt *rt, const char *dir, const char *name)
{
    char path[512];
    cn_store *s = NULL;
    cn_why why = {{0}};
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    cn_store_options o = {.mem = cn_mem_default(), .rt = rt, .dir = path};
    must(cn_store_open(&o, &s, &why), &why);
    return s;
}

/* Blocks of bytes nobody can guess, in the store and their CIDs in shared memory. */
static void fill(const char *dir, size_t blocks, size_t bytes, cn_cid *cids)
{
    cn_rt *rt = NULL;
    cn_prng prng;
    must(cn_rt_os_new(1, &rt), NULL);
    cn_store *s = open_store(rt, dir, "from");
    uint64_t *room = cn_alloc_dirty(cn_mem_default(), FILL * bytes);
    cn_prng_init(&prng, 1);
    for (size_t i = 0; i < blocks; i += FILL) {
        size_t n = CN_MIN(blocks - i, (size_t)FILL);
        cn_slice in[FILL];
        cn_store_put puts[FILL];
        uint8_t digests[FILL][CN_SHA256_BYTES];
        for (size_t k = 0; k < n * bytes / 8; k++) {
            room[k] = cn_prng_u64(&prng);
        }
        for (size_t k = 0; k < n; k++) {
            in[k] = cn_slice_of((uint8_t *)room + k * bytes, bytes);
        }
        cn_sha256_many(in, digests, n);
        for (size_t k = 0; k < n; k++) {
            cn_multihash mh = {CN_MH_SHA2_256, {digests[k], CN_SHA256_BYTES}};
            must(cn_cid_make(1, CN_CODEC_RAW, &mh, &cids[i + k]), NULL);
            puts[k] = (cn_store_put){&cids[i + k], in[k]};
        }
        must(cn_store_put_many(s, puts, n, NULL), NULL);
    }
    must(cn_store_flush(s, NULL), NULL);
    cn_store_close(s);
    cn_free(cn_mem_default(), room);
    cn_rt_os_free(rt);
}

static void begin(end *e, const char *dir, const char *name)
{
    static const cn_muxing *const muxings[] = {&cn_yamux};
    cn_why why = {{0}};
    must(cn_rt_os_new(0, &e->rt), NULL);
    must(cn_rt_os_net_new(e->rt, cn_mem_default(), 64, &e->net, &why), &why);
    must(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &e->key, &why), &why);
    must(cn_noise_new(e->rt, cn_mem_default(), e->key, &e->noise, &why), &why);
    cn_tcp_options o = {
        .mem = cn_mem_default(),
        .net = e->net,
        .securities = &e->noise,
        .securities_len = 1,
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
    must(cn_tcp_new(&o, &e->t), NULL);
    cn_host_options h = {
        .mem = cn_mem_default(), .net = e->net, .key = e->key, .agent = "cairn/bench"};
    must(cn_host_new(&h, &e->h, &why), &why);
    must(cn_host_add_transport(e->h, e->t), NULL);
    e->store = open_store(e->rt, dir, name);
    cn_bitswap_options b = {
        .mem = cn_mem_default(),
        .net = e->net,
        .host = e->h,
        .blocks = cn_store_blocks(e->store),
        .seed = 1,
        .serve = true,
    };
    must(cn_bitswap_new(&b, &e->bitswap), NULL);
    must(cn_host_serve(e->h, cn_bitswap_protocol(e->bitswap)), NULL);
}

static void take(void *ctx, const cn_net_event *event)
{
    cn_host_take(((end *)ctx)->h, event);
}

static void turn(end *e)
{
    must(cn_rt_os_net_poll(e->net, cn_host_deadline(e->h), take, e), NULL);
    cn_time now = cn_rt_now(e->rt);
    cn_host_tick(e->h, now);
    cn_host_turn(e->h, now);
}

static void serve(const char *dir, int to_parent)
{
    static end e;
    cn_buf at = {0};
    cn_buf text = {0};
    cn_why why = {{0}};
    address a = {0};
    begin(&e, dir, "from");
    cn_buf_init(&at, cn_mem_default(), 4096);
    cn_buf_init(&text, cn_mem_default(), 4096);
    must(cn_multiaddr_parse(cn_str("/ip4/127.0.0.1/tcp/0"), &at, &why), &why);
    must(cn_host_listen(e.h, cn_buf_slice(&at), &why), &why);
    must(cn_host_addresses(e.h, &text, true), NULL);
    cn_buf_reset(&at);
    must(cn_multiaddr_parse(cn_slice_head(cn_buf_slice(&text), text.len - 1), &at, &why), &why);
    a.len = at.len;
    a.peer = *cn_host_self(e.h);
    cn_copy(a.bytes, at.data, at.len);
    if (write(to_parent, &a, sizeof a) != (ssize_t)sizeof a) {
        exit(1);
    }
    for (;;) { /* until it is killed */
        turn(&e);
    }
}

static void want_more(end *e)
{
    cn_exchange *x = cn_bitswap_exchange(e->bitswap);
    size_t n = CN_MIN(e->blocks - e->wanted, e->arrived + INFLIGHT - e->wanted);
    if (n >= INFLIGHT / 8 || (n > 0 && e->wanted + n == e->blocks)) {
        must(x->ops->want(x, e->session, e->cids + e->wanted, n), NULL);
        e->wanted += n;
    }
}

static void arrived(cn_exchange_sink *s, const cn_cid *cid, cn_slice block)
{
    end *e = (end *)s;
    CN_UNUSED(cid);
    CN_UNUSED(block);
    e->arrived++;
    want_more(e);
}

static void idle(cn_exchange_sink *s, const cn_cid *cid)
{
    CN_UNUSED(s);
    CN_UNUSED(cid);
    (void)fprintf(stderr, "idle\n");
}

static void failed(cn_exchange_sink *s, const cn_cid *cid, cn_err err, const char *sentence)
{
    CN_UNUSED(s);
    CN_UNUSED(cid);
    CN_UNUSED(err);
    (void)fprintf(stderr, "%s\n", sentence);
    exit(1);
}

static const cn_exchange_sink_ops sink_ops = {arrived, idle, failed};

static void dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    end *e = ctx;
    CN_UNUSED(peer);
    if (err != CN_OK) {
        (void)fprintf(stderr, "%s\n", sentence);
        exit(1);
    }
    e->is_connected = true;
}

static void print_usage(const char *side, const struct rusage *u)
{
    (void)printf(
        "%s_user_s %.3f\n%s_sys_s %.3f\n%s_max_mib %.1f\n", side,
        (double)u->ru_utime.tv_sec + (double)u->ru_utime.tv_usec / 1e6, side,
        (double)u->ru_stime.tv_sec + (double)u->ru_stime.tv_usec / 1e6, side,
        (double)u->ru_maxrss / 1024);
}

static void fetch(end *e, const address *server)
{
    cn_exchange *x = cn_bitswap_exchange(e->bitswap);
    cn_id id = CN_ID_NONE;
    cn_why why = {{0}};
    cn_slice at = {server->bytes, server->len};
    must(cn_host_connect(e->h, &server->peer, &at, 1, 0, dialled, e, &id, &why), &why);
    while (!e->is_connected) {
        turn(e);
    }
    cn_time from = cn_rt_now(e->rt);
    e->sink.ops = &sink_ops;
    must(x->ops->session_open(x, &e->sink, &e->session), NULL);
    want_more(e);
    while (e->arrived < e->blocks) {
        turn(e);
    }
    double told = (double)(cn_rt_now(e->rt).ns - from.ns) / 1e9;
    must(cn_store_flush(e->store, &why), &why);
    (void)printf("fetch_s %.3f\n", told);
    (void)printf("seconds %.3f\n", (double)(cn_rt_now(e->rt).ns - from.ns) / 1e9);
}

int main(int argc, char **argv)
{
    static end e;
    int pipes[2];
    address server;
    if (argc < 4 || pipe(pipes) != 0) {
        (void)fprintf(stderr, "usage: bench_exchange BLOCKS BLOCK_BYTES DIR\n");
        return 2;
    }
    e.blocks = strtoull(argv[1], NULL, 10);
    size_t bytes = strtoull(argv[2], NULL, 10);
    cn_cid *cids = mmap(
        NULL, e.blocks * sizeof *cids, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t filler = fork();
    if (filler == 0) {
        fill(argv[3], e.blocks, bytes, cids);
        _exit(0);
    }
    (void)waitpid(filler, NULL, 0);
    pid_t child = fork();
    if (child == 0) {
        serve(argv[3], pipes[1]);
    }
    if (read(pipes[0], &server, sizeof server) != (ssize_t)sizeof server) {
        return 1;
    }
    e.cids = cids;
    begin(&e, argv[3], "to");
    fetch(&e, &server);
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    print_usage("fetch", &u);
    (void)kill(child, SIGTERM);
    (void)wait4(child, NULL, 0, &u);
    print_usage("serve", &u);
    cn_bitswap_stats stats;
    cn_bitswap_stat(e.bitswap, &stats);
    (void)printf(
        "duplicates %llu\nresent %llu\nwrong %llu\n", (unsigned long long)stats.client.duplicates,
        (unsigned long long)stats.client.resent, (unsigned long long)stats.client.wrong);
    return 0;
}
