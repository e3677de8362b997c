/*
 * Nodes of one program over real connections on loopback: TCP, Noise, yamux, host, bitswap, fetch.
 * A DAG of 64 MiB and one of 2,000 small leaves go from one node, and from four, to another.
 */
#include "base/prng.h"
#include "crypto/sha256.h"
#include "exchange/bitswap/bitswap.h"
#include "exchange/fetch/fetch.h"
#include "lib/test.h"
#include "p2p/muxer/yamux.h"
#include "p2p/security/noise.h"
#include "p2p/transport/tcp.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"
#include "store/store.h"
#include "unixfs/walk.h"

#include <pthread.h>
#include <stdio.h>

enum { NODES = 5, LEAF_MAX = 256 << 10, FANOUT = 50 };

typedef struct node {
    cn_net *net;
    cn_key *key;
    cn_security *noise;
    cn_transport *t;
    cn_host *h;
    cn_store *store;
    cn_bitswap *bitswap;
    cn_fetcher *fetcher;
    cn_peer_id id;
    uint8_t at[64];
    size_t at_len;
    size_t connected;
} node;

static cn_rt *rt;
static node nodes[NODES];

static void make_host(node *n)
{
    static const cn_muxing *const muxings[] = {&cn_yamux};
    CHECK_OK(cn_rt_os_net_new(rt, cn_mem_default(), 64, &n->net, NULL));
    CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &n->key, NULL));
    CHECK_OK(cn_noise_new(rt, cn_mem_default(), n->key, &n->noise, NULL));
    cn_tcp_options o = {
        .mem = cn_mem_default(),
        .net = n->net,
        .securities = &n->noise,
        .securities_len = 1,
        .muxings = muxings,
        .muxings_len = 1,
        .muxer =
            {
                .streams_in_max = 256,
                .streams_out_max = 256,
                .window_max_bytes = 16 << 20,
                .queued_max_bytes = 1 << 20,
                .ping_interval_ns = 30 * CN_NS_PER_S,
                .ping_timeout_ns = 10 * CN_NS_PER_S,
            },
        .mark = 1,
        .conns_max = 64,
    };
    CHECK_OK(cn_tcp_new(&o, &n->t));
    cn_host_options h = {
        .mem = cn_mem_default(), .net = n->net, .key = n->key, .agent = "cairn/test"};
    CHECK_OK(cn_host_new(&h, &n->h, NULL));
    CHECK_OK(cn_host_add_transport(n->h, n->t));
    n->id = *cn_host_self(n->h);
}

static void make_exchange(node *n, size_t number)
{
    char dir[256];
    CHECK(snprintf(dir, sizeof dir, "%s/%zu", test_temp_dir(), number) > 0);
    cn_store_options s = {
        .mem = cn_mem_default(), .rt = rt, .dir = dir, .map_bytes = (size_t)1 << 30};
    CHECK_OK(cn_store_open(&s, &n->store, NULL));
    cn_bitswap_options b = {
        .mem = cn_mem_default(),
        .net = n->net,
        .host = n->h,
        .blocks = cn_store_blocks(n->store),
        .seed = number,
        .serve = true,
    };
    CHECK_OK(cn_bitswap_new(&b, &n->bitswap));
    CHECK_OK(cn_host_serve(n->h, cn_bitswap_protocol(n->bitswap)));
    cn_fetcher_options f = {
        .mem = cn_mem_default(),
        .net = n->net,
        .store = b.blocks,
        .exchange = cn_bitswap_exchange(n->bitswap),
    };
    CHECK_OK(cn_fetcher_new(&f, &n->fetcher));
}

static void listen_at(node *n)
{
    cn_buf at = {0};
    cn_buf text = {0};
    cn_buf_init(&at, cn_mem_default(), 4096);
    cn_buf_init(&text, cn_mem_default(), 4096);
    CHECK_OK(cn_multiaddr_parse(cn_str("/ip4/127.0.0.1/tcp/0"), &at, NULL));
    CHECK_OK(cn_host_listen(n->h, cn_buf_slice(&at), NULL));
    CHECK_OK(cn_host_addresses(n->h, &text, true));
    cn_buf_reset(&at);
    CHECK_OK(cn_multiaddr_parse(cn_slice_head(cn_buf_slice(&text), text.len - 1), &at, NULL));
    n->at_len = at.len;
    cn_copy(n->at, at.data, at.len);
    cn_buf_release(&at);
    cn_buf_release(&text);
}

static void begin(size_t len)
{
    CHECK_OK(cn_rt_os_new(2, &rt));
    for (size_t i = 0; i < len; i++) {
        nodes[i] = (node){.connected = 0};
        make_host(&nodes[i]);
        make_exchange(&nodes[i], i);
        listen_at(&nodes[i]);
    }
}

static void end(size_t len)
{
    for (size_t i = 0; i < len; i++) {
        node *n = &nodes[i];
        cn_fetcher_free(n->fetcher);
        cn_host_free(n->h);
        cn_bitswap_free(n->bitswap);
        n->t->ops->free(n->t);
        n->noise->free(n->noise);
        cn_key_free(n->key);
        cn_store_close(n->store);
        cn_rt_os_net_free(n->net);
    }
    cn_rt_os_free(rt);
}

static void take(void *ctx, const cn_net_event *event)
{
    cn_host_take(((node *)ctx)->h, event);
}

static void turn(size_t len)
{
    for (size_t i = 0; i < len; i++) {
        node *n = &nodes[i];
        CHECK_OK(cn_rt_os_net_poll(n->net, (cn_time){0}, take, n));
        cn_time now = cn_rt_now(rt);
        cn_fetcher_turn(n->fetcher, now);
        cn_host_tick(n->h, now);
        cn_host_turn(n->h, now);
    }
}

static void dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    CN_UNUSED(peer);
    CN_UNUSED(sentence);
    CHECK_OK(err);
    ((node *)ctx)->connected++;
}

static void connect_all(size_t len)
{
    node *n = &nodes[len - 1];
    for (size_t i = 0; i + 1 < len; i++) {
        cn_id id = CN_ID_NONE;
        cn_slice at = {nodes[i].at, nodes[i].at_len};
        CHECK_OK(cn_host_connect(n->h, &nodes[i].id, &at, 1, 0, dialled, n, &id, NULL));
    }
    while (n->connected + 1 < len) {
        turn(len);
    }
}

static cn_cid put(node *const *at, size_t at_len, uint64_t codec, cn_slice data)
{
    uint8_t digest[CN_SHA256_BYTES];
    cn_cid cid;
    cn_sha256(data, digest);
    cn_multihash mh = {CN_MH_SHA2_256, {digest, sizeof digest}};
    CHECK_OK(cn_cid_make(1, codec, &mh, &cid));
    for (size_t i = 0; i < at_len; i++) {
        CHECK_OK(cn_blocks_put(cn_store_blocks(at[i]->store), &cid, data, NULL));
    }
    return cid;
}

/* A list of links in DAG-CBOR: 24 to 255 of them. */
static cn_cid put_list(node *const *at, size_t at_len, const cn_cid *links, size_t len)
{
    static uint8_t room[16 << 10];
    size_t used = 0;
    room[used++] = 0x98;
    room[used++] = (uint8_t)len;
    for (size_t i = 0; i < len; i++) {
        const uint8_t head[] = {0xd8, 0x2a, 0x58, (uint8_t)(links[i].len + 1), 0};
        cn_copy(room + used, head, sizeof head);
        cn_copy(room + used + sizeof head, links[i].bytes, links[i].len);
        used += sizeof head + links[i].len;
    }
    return put(at, at_len, CN_CODEC_DAG_CBOR, cn_slice_of(room, used));
}

/* FANOUT lists of FANOUT leaves; `bytes` each, or less and less where `varies`. */
static cn_cid make_dag(size_t servers, size_t bytes, bool varies)
{
    static uint64_t room[LEAF_MAX / 8];
    static cn_cid lists[FANOUT];
    static cn_cid leaves[FANOUT];
    node *at[NODES];
    cn_prng prng;
    cn_prng_init(&prng, bytes);
    for (size_t i = 0; i < servers; i++) {
        at[i] = &nodes[i];
    }
    for (size_t i = 0; i < FANOUT; i++) {
        for (size_t k = 0; k < FANOUT; k++) {
            size_t len = varies ? 1 + cn_prng_below(&prng, bytes) : bytes;
            for (size_t j = 0; j < len / 8 + 1 && j < CN_LEN(room); j++) {
                room[j] = cn_prng_u64(&prng);
            }
            leaves[k] = put(at, servers, CN_CODEC_RAW, cn_slice_of(room, len));
        }
        lists[i] = put_list(at, servers, leaves, FANOUT);
    }
    return put_list(at, servers, lists, FANOUT);
}

typedef struct walker {
    pthread_t thread;
    node *n;
    cn_cid root;
    cn_err err;
    size_t entries;
    atomic_bool is_done;
} walker;

static void *walk(void *arg)
{
    walker *w = arg;
    cn_fetch *f = NULL;
    cn_drive drive = {0};
    cn_walk walk = {.state = 0};
    cn_pull step = {0};
    cn_walk_options wo = {.unique = true};
    cn_err err = CN_OK;
    cn_fetch_options o = {
        .fetcher = w->n->fetcher,
        .mem = cn_mem_default(),
        .follow = true,
        .deadline = cn_time_after(cn_rt_now(rt), 60 * CN_NS_PER_S),
    };
    CN_TRY(cn_fetch_open(&o, &f, NULL));
    cn_drive_init(&drive, cn_mem_default(), cn_fetch_blocks(f), CN_DRIVE_BLOCK_MAX_BYTES);
    cn_walk_init(&walk, cn_mem_default(), &w->root, &wo);
    do {
        CN_TRY(cn_drive_next(&drive, &walk.pull, &step, NULL));
        w->entries += step.kind == CN_PULL_ENTRY;
    } while (step.kind != CN_PULL_END);
out:
    cn_walk_release(&walk);
    cn_drive_release(&drive);
    cn_fetch_close(f);
    w->err = err;
    atomic_store(&w->is_done, true);
    return NULL;
}

/* Each block of the first node is at the last, and the same. */
typedef struct comparing {
    cn_blocks *to;
    cn_buf a;
    cn_buf b;
    size_t blocks;
} comparing;

static cn_err compare(void *ctx, const cn_cid *cid, const cn_place *place)
{
    comparing *c = ctx;
    CN_UNUSED(place);
    c->blocks++;
    cn_err err = cn_blocks_get(cn_store_blocks(nodes[0].store), cid, &c->a, NULL);
    if (err == CN_OK) {
        err = cn_blocks_get(c->to, cid, &c->b, NULL);
    }
    return err == CN_OK && !cn_slice_eq(cn_buf_slice(&c->a), cn_buf_slice(&c->b)) ? CN_ERR_BUG
                                                                                  : err;
}

static void exchange(size_t len, size_t bytes, bool varies)
{
    static walker w;
    comparing c = {.blocks = 0};
    begin(len);
    w = (walker){.n = &nodes[len - 1], .root = make_dag(len - 1, bytes, varies)};
    connect_all(len);
    CHECK_EQ(pthread_create(&w.thread, NULL, walk, &w), 0);
    while (!atomic_load(&w.is_done)) {
        turn(len);
    }
    CHECK_EQ(pthread_join(w.thread, NULL), 0);
    turn(len);
    CHECK_OK(w.err);
    CHECK_EQ(w.entries, 1 + FANOUT + FANOUT * FANOUT);
    c.to = cn_store_blocks(nodes[len - 1].store);
    cn_buf_init(&c.a, cn_mem_default(), CN_BLOCK_MAX_BYTES);
    cn_buf_init(&c.b, cn_mem_default(), CN_BLOCK_MAX_BYTES);
    CHECK_OK(cn_store_each(nodes[0].store, compare, &c, NULL));
    CHECK_EQ(c.blocks, 1 + FANOUT + FANOUT * FANOUT);
    cn_buf_release(&c.a);
    cn_buf_release(&c.b);
    cn_bitswap_stats stats;
    cn_bitswap_stat(nodes[len - 1].bitswap, &stats);
    CHECK_EQ(stats.client.wrong, 0);
    CHECK(stats.client.duplicates <= stats.client.blocks / 10);
    end(len);
}

static void two_nodes_exchange_a_large_dag(void)
{
    exchange(2, 27 << 10, false);
}

static void two_nodes_exchange_small_files(void)
{
    exchange(2, 4 << 10, true);
}

static void five_nodes_exchange_a_large_dag(void)
{
    exchange(5, 27 << 10, false);
}

static void five_nodes_exchange_small_files(void)
{
    exchange(5, 4 << 10, true);
}

int main(void)
{
    TEST(two_nodes_exchange_a_large_dag);
    TEST(two_nodes_exchange_small_files);
    TEST(five_nodes_exchange_a_large_dag);
    TEST(five_nodes_exchange_small_files);
    return test_end();
}
