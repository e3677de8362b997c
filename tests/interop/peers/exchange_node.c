/*
 * A node that exchanges blocks and does nothing else: it serves a store over bitswap on loopback,
 * and fetches a whole DAG into it from the peer it is told to dial. For tests with other
 * implementations.
 *
 *   exchange_node STORE_DIR SECONDS [MULTIADDR/p2p/ID [CID]]
 *
 * Prints "listening ADDRESS", "up", "note SENTENCE" (connections, streams), "fetched BLOCKS BYTES
 * NANOSECONDS", "resent N duplicates N wrong N", "report TEXT", "failed SENTENCE". With a CID it
 * ends when all of it is there, else after SECONDS.
 */
#include "exchange/bitswap/bitswap.h"
#include "exchange/fetch/fetch.h"
#include "multiformats/multiaddr.h"
#include "p2p/muxer/yamux.h"
#include "p2p/security/noise.h"
#include "p2p/transport/tcp.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"
#include "store/store.h"
#include "unixfs/walk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct node {
    cn_rt *rt;
    cn_net *net;
    cn_key *key;
    cn_security *noise;
    cn_transport *t;
    cn_host *h;
    cn_store *store;
    cn_bitswap *bitswap;
    cn_fetcher *fetcher;
    cn_peer_id target;
    cn_cid root;
    pthread_t walker;
    cn_time began;
    bool is_walking;
    atomic_int is_over; /* 1 good, 2 bad */
} node;

static void must(cn_err err, const cn_why *why)
{
    if (err != CN_OK) {
        (void)printf("failed %s\n", cn_why_text(why, err));
        exit(1);
    }
}

static void make_transport(node *n)
{
    static const cn_muxing *const muxings[] = {&cn_yamux};
    cn_tcp_options o = {
        .mem = cn_mem_default(),
        .net = n->net,
        .securities = &n->noise,
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
    must(cn_tcp_new(&o, &n->t), NULL);
}

static void make_exchange(node *n)
{
    cn_bitswap_options b = {
        .mem = cn_mem_default(),
        .net = n->net,
        .host = n->h,
        .blocks = cn_store_blocks(n->store),
        .seed = (uint64_t)cn_rt_now(n->rt).ns,
        .serve = true,
    };
    must(cn_bitswap_new(&b, &n->bitswap), NULL);
    must(cn_host_serve(n->h, cn_bitswap_protocol(n->bitswap)), NULL);
    cn_fetcher_options f = {
        .mem = cn_mem_default(),
        .net = n->net,
        .store = b.blocks,
        .exchange = cn_bitswap_exchange(n->bitswap),
    };
    must(cn_fetcher_new(&f, &n->fetcher), NULL);
}

static void note(void *ctx, const cn_host_note *it)
{
    CN_UNUSED(ctx);
    (void)printf("note %s\n", it->sentence == NULL ? "" : it->sentence);
    (void)fflush(stdout);
}

static void make(node *n, const char *dir)
{
    cn_why why = {{0}};
    must(cn_rt_os_new(0, &n->rt), NULL);
    must(cn_rt_os_net_new(n->rt, cn_mem_default(), 64, &n->net, &why), &why);
    must(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &n->key, &why), &why);
    must(cn_noise_new(n->rt, cn_mem_default(), n->key, &n->noise, &why), &why);
    make_transport(n);
    cn_host_options h = {
        .mem = cn_mem_default(),
        .net = n->net,
        .key = n->key,
        .agent = "cairn/exchange-node",
        .note = note,
    };
    must(cn_host_new(&h, &n->h, &why), &why);
    must(cn_host_add_transport(n->h, n->t), NULL);
    cn_store_options s = {.mem = cn_mem_default(), .rt = n->rt, .dir = dir};
    must(cn_store_open(&s, &n->store, &why), &why);
    make_exchange(n);
}

static void listen_here(node *n)
{
    cn_buf at = {0};
    cn_buf text = {0};
    cn_why why = {{0}};
    const char *line = "";
    cn_buf_init(&at, cn_mem_default(), 4096);
    cn_buf_init(&text, cn_mem_default(), 4096);
    must(cn_multiaddr_parse(cn_str("/ip4/127.0.0.1/tcp/0"), &at, &why), &why);
    must(cn_host_listen(n->h, cn_buf_slice(&at), &why), &why);
    must(cn_host_addresses(n->h, &text, true), NULL);
    cn_buf_reset(&at);
    must(cn_multiaddr_parse(cn_slice_head(cn_buf_slice(&text), text.len - 1), &at, &why), &why);
    must(cn_multiaddr_put_peer(&at, cn_host_self(n->h)), NULL);
    cn_buf_reset(&text);
    must(cn_multiaddr_encode_text(cn_buf_slice(&at), &text), NULL);
    must(cn_buf_cstr(&text, &line), NULL);
    (void)printf("listening %s\n", line);
    (void)fflush(stdout);
    cn_buf_release(&at);
    cn_buf_release(&text);
}

/* About each second without progress: what is waited for. */
static void waiting(void *ctx, int64_t without_progress_ns)
{
    cn_fetch **f = ctx;
    cn_buf text = {0};
    const char *line = "";
    if (without_progress_ns < 2 * CN_NS_PER_S) {
        return;
    }
    cn_buf_init(&text, cn_mem_default(), 1 << 16);
    if (cn_fetch_report(*f, &text) == CN_OK && cn_buf_cstr(&text, &line) == CN_OK) {
        (void)printf("report %s", line);
        (void)fflush(stdout);
    }
    cn_buf_release(&text);
}

static cn_err walk_all(node *n, cn_blocks *blocks, cn_why *why)
{
    cn_drive drive;
    cn_walk walk;
    cn_pull step = {0};
    cn_walk_options o = {.unique = true};
    cn_err err = CN_OK;
    cn_drive_init(&drive, cn_mem_default(), blocks, CN_DRIVE_BLOCK_MAX_BYTES);
    cn_walk_init(&walk, cn_mem_default(), &n->root, &o);
    do {
        CN_TRY(cn_drive_next(&drive, &walk.pull, &step, why));
    } while (step.kind != CN_PULL_END);
out:
    cn_walk_release(&walk);
    cn_drive_release(&drive);
    return err;
}

static void *walk(void *arg)
{
    node *n = arg;
    cn_fetch *f = NULL;
    cn_why why = {{0}};
    uint64_t blocks = 0;
    uint64_t bytes = 0;
    cn_fetch_options o = {
        .fetcher = n->fetcher,
        .mem = cn_mem_default(),
        .deadline = CN_TIME_NEVER,
        .follow = true,
        .waiting = waiting,
        .ctx = &f,
    };
    cn_err err = cn_fetch_open(&o, &f, &why);
    if (err == CN_OK) {
        err = walk_all(n, cn_fetch_blocks(f), &why);
        cn_fetch_counts(f, &blocks, &bytes);
    }
    cn_fetch_close(f);
    if (err == CN_OK) {
        err = cn_store_flush(n->store, &why);
    }
    if (err != CN_OK) {
        (void)printf("failed %s\n", cn_why_text(&why, err));
    } else {
        (void)printf(
            "fetched %llu %llu %lld\n", (unsigned long long)blocks, (unsigned long long)bytes,
            (long long)(cn_rt_now(n->rt).ns - n->began.ns));
    }
    (void)fflush(stdout);
    atomic_store(&n->is_over, err == CN_OK ? 1 : 2);
    cn_net_wake(n->net);
    return NULL;
}

static void dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    node *n = ctx;
    CN_UNUSED(peer);
    if (err != CN_OK) {
        (void)printf("failed %s\n", sentence);
        atomic_store(&n->is_over, 2);
        return;
    }
    (void)printf("up\n");
    (void)fflush(stdout);
    n->began = cn_rt_now(n->rt);
    if (n->root.len > 0) {
        n->is_walking = pthread_create(&n->walker, NULL, walk, n) == 0;
    }
}

static void dial(node *n, const char *text)
{
    cn_buf address = {0};
    cn_slice at = {0};
    cn_id id = CN_ID_NONE;
    cn_why why = {{0}};
    cn_buf_init(&address, cn_mem_default(), 1024);
    must(cn_multiaddr_parse(cn_str(text), &address, &why), &why);
    cn_multiaddr_split_peer(cn_buf_slice(&address), &at, &n->target);
    must(cn_host_connect(n->h, &n->target, &at, 1, 0, dialled, n, &id, &why), &why);
    cn_buf_release(&address);
}

static void take(void *ctx, const cn_net_event *event)
{
    cn_host_take(((node *)ctx)->h, event);
}

static void turn(node *n)
{
    cn_time until = cn_time_after(cn_rt_now(n->rt), 100 * CN_NS_PER_MS);
    cn_time due = cn_host_deadline(n->h);
    cn_time fetch = cn_fetcher_deadline(n->fetcher);
    until = due.ns < until.ns ? due : until;
    until = fetch.ns < until.ns ? fetch : until;
    must(cn_rt_os_net_poll(n->net, until, take, n), NULL);
    cn_time now = cn_rt_now(n->rt);
    cn_fetcher_turn(n->fetcher, now);
    cn_host_tick(n->h, now);
    cn_host_turn(n->h, now);
}

static void end(node *n)
{
    if (n->is_walking) {
        (void)pthread_join(n->walker, NULL);
    }
    cn_fetcher_turn(n->fetcher, cn_rt_now(n->rt));
    cn_fetcher_free(n->fetcher);
    cn_host_free(n->h);
    cn_bitswap_free(n->bitswap);
    n->t->ops->free(n->t);
    n->noise->free(n->noise);
    cn_key_free(n->key);
    cn_store_close(n->store);
    cn_rt_os_net_free(n->net);
    cn_rt_os_free(n->rt);
}

int main(int argc, char **argv)
{
    static node n;
    cn_why why = {{0}};
    if (argc < 3) {
        (void)fprintf(stderr, "usage: exchange_node STORE_DIR SECONDS [ADDRESS [CID]]\n");
        return 2;
    }
    make(&n, argv[1]);
    listen_here(&n);
    cn_time until = cn_time_after(cn_rt_now(n.rt), strtol(argv[2], NULL, 10) * CN_NS_PER_S);
    if (argc > 4) {
        must(cn_cid_parse(cn_str(argv[4]), &n.root, &why), &why);
    }
    if (argc > 3) {
        dial(&n, argv[3]);
    }
    while (atomic_load(&n.is_over) == 0 && cn_rt_now(n.rt).ns < until.ns) {
        turn(&n);
    }
    int over = atomic_load(&n.is_over);
    cn_bitswap_stats stats;
    cn_bitswap_stat(n.bitswap, &stats);
    (void)printf(
        "resent %llu duplicates %llu wrong %llu\n", (unsigned long long)stats.client.resent,
        (unsigned long long)stats.client.duplicates, (unsigned long long)stats.client.wrong);
    if (n.is_walking && over == 0) {
        (void)printf("failed not all came in time\n");
        (void)fflush(stdout);
        _Exit(1);
    }
    end(&n);
    return over == 2 ? 1 : 0;
}
