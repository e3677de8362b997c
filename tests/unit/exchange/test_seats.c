/*
 * The seats of an exchange are free: over a transport with its own security and muxer, with a
 * router that knows who has it, a DAG goes from one host to another by bitswap, and by another
 * exchange in its place. Nothing of the tests' own is known to p2p/host or exchange.
 */
#include "crypto/sha256.h"
#include "exchange/bitswap/bitswap.h"
#include "exchange/fetch/fetch.h"
#include "lib/host_world.h"
#include "lib/test.h"
#include "store/store.h"
#include "unixfs/walk.h"

#include <stdio.h>

enum { FANOUT = 24, LEAF_BYTES = 3000, DAG_BLOCKS = 1 + FANOUT + FANOUT * FANOUT };

static world w;
static cn_store *stores[2];

/* --- a router of the tests' own: the first host has everything --- */

typedef struct knowing {
    cn_router router; /* first: cast back from it */
    cn_router_asker *asker;
    size_t asked;
} knowing;

static cn_err find_providers(cn_router *r, const cn_cid *cid, cn_router_asker *who, cn_id *ret)
{
    knowing *k = (knowing *)r;
    CN_UNUSED(cid);
    k->asker = who;
    k->asked++;
    *ret = (cn_id){1, 1};
    return CN_OK;
}

static void cancel_query(cn_router *r, cn_id query)
{
    CN_UNUSED(query);
    ((knowing *)r)->asker = NULL;
}

static const cn_router_ops knowing_ops = {.find_providers = find_providers, .cancel = cancel_query};

static void knowing_turn(knowing *k)
{
    cn_router_asker *asker = k->asker;
    cn_slice at = world_address(&w, 0);
    if (asker != NULL) {
        k->asker = NULL;
        asker->ops->found(asker, (cn_id){1, 1}, &w.hosts[0].id, &at, 1);
        asker->ops->ended(asker, (cn_id){1, 1}, CN_OK, NULL);
    }
}

/* --- an exchange of the tests' own: a stream for each block, the CID there and the bytes back ---
 */

enum { ERRANDS_MAX = 64, ERRANDS_AT_ONCE = 16 };

static const char *const courier_name[] = {"/courier/1.0.0"};

typedef struct errand {
    bool is_used;
    bool is_ours;
    bool is_told_idle;
    cn_id stream; /* none: not sent yet */
    cn_cid cid;
    cn_buf in;
} errand;

typedef struct courier {
    cn_protocol p; /* first: cast back from it */
    cn_exchange x;
    cn_host *h;
    cn_blocks *blocks;
    cn_exchange_sink *sink;
    bool is_due;
    bool has_provider;
    cn_peer_id provider;
    size_t running; /* ours that have a stream */
    size_t fetched;
    errand errands[ERRANDS_MAX];
} courier;

static errand *errand_new(courier *c, bool is_ours)
{
    for (size_t i = 0; i < ERRANDS_MAX; i++) {
        errand *e = &c->errands[i];
        if (!e->is_used) {
            *e = (errand){.is_used = true, .is_ours = is_ours};
            cn_buf_init(&e->in, cn_mem_default(), CN_BLOCK_MAX_BYTES);
            return e;
        }
    }
    return NULL;
}

static bool is_wanted(const courier *c, const cn_cid *cid)
{
    for (size_t i = 0; i < ERRANDS_MAX; i++) {
        const errand *e = &c->errands[i];
        if (e->is_used && e->is_ours && cn_cid_eq(&e->cid, cid)) {
            return true;
        }
    }
    return false;
}

static errand *errand_of(courier *c, cn_id stream)
{
    for (size_t i = 0; i < ERRANDS_MAX; i++) {
        if (c->errands[i].is_used && cn_id_eq(c->errands[i].stream, stream)) {
            return &c->errands[i];
        }
    }
    return NULL;
}

static void errand_end(courier *c, errand *e)
{
    c->running -= e->is_ours && !cn_id_is_none(e->stream);
    cn_buf_release(&e->in);
    *e = (errand){0};
    c->is_due = true;
}

static cn_err c_opened(cn_protocol *p, cn_id stream, const cn_peer_id *peer, const char *name)
{
    courier *c = (courier *)p;
    CN_UNUSED(peer);
    CN_UNUSED(name);
    errand *e = errand_of(c, stream);
    if (e == NULL) {
        e = errand_new(c, false);
    }
    if (e == NULL) {
        return CN_ERR_TOO_LARGE;
    }
    e->stream = stream;
    return CN_OK;
}

static cn_err c_data(cn_protocol *p, cn_id stream, cn_slice bytes)
{
    courier *c = (courier *)p;
    errand *e = errand_of(c, stream);
    cn_host_consumed(c->h, stream, bytes.len);
    return e == NULL ? CN_ERR_CLOSED : cn_buf_append(&e->in, bytes);
}

static void deliver(courier *c, errand *e)
{
    cn_multihash mh = cn_cid_multihash(&e->cid);
    cn_cid cid = e->cid;
    cn_slice block = cn_buf_slice(&e->in);
    CHECK_OK(cn_multihash_verify(&mh, block));
    CHECK_OK(cn_blocks_put(c->blocks, &cid, block, NULL));
    c->fetched++;
    c->sink->ops->arrived(c->sink, &cid, block);
}

static void answer(courier *c, errand *e)
{
    cn_cid cid = {0};
    cn_buf block = {0};
    cn_buf_init(&block, cn_mem_default(), CN_BLOCK_MAX_BYTES);
    CHECK_OK(cn_cid_decode_all(cn_buf_slice(&e->in), &cid));
    CHECK_OK(cn_blocks_get(c->blocks, &cid, &block, NULL));
    CHECK_OK(cn_host_write(c->h, e->stream, &block));
    cn_host_close_stream(c->h, e->stream);
    cn_buf_release(&block);
}

static void c_ended(cn_protocol *p, cn_id stream, cn_stream_end how, const char *sentence)
{
    courier *c = (courier *)p;
    errand *e = errand_of(c, stream);
    CN_UNUSED(sentence);
    if (e == NULL) {
        return;
    }
    CHECK_EQ(how, CN_STREAM_FIN);
    if (e->is_ours) {
        deliver(c, e);
    } else {
        answer(c, e);
    }
    errand_end(c, e);
}

static void send_out(courier *c, errand *e)
{
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), CN_CID_MAX_BYTES);
    CHECK_OK(cn_buf_append(&out, cn_cid_bytes(&e->cid)));
    CHECK_OK(cn_host_stream(c->h, &c->p, &c->provider, courier_name, 1, &e->stream));
    CHECK_OK(cn_host_write(c->h, e->stream, &out));
    cn_host_close_stream(c->h, e->stream);
    c->running++;
    cn_buf_release(&out);
}

static void c_tick(cn_protocol *p, cn_time now)
{
    courier *c = (courier *)p;
    CN_UNUSED(now);
    c->is_due = false;
    for (size_t i = 0; i < ERRANDS_MAX; i++) {
        errand *e = &c->errands[i];
        bool waits = e->is_used && e->is_ours && cn_id_is_none(e->stream);
        if (waits && c->has_provider && c->running < ERRANDS_AT_ONCE) {
            send_out(c, e);
        } else if (waits && !c->has_provider && !e->is_told_idle) {
            e->is_told_idle = true;
            c->sink->ops->idle(c->sink, &e->cid);
        }
    }
}

static cn_time c_deadline(const cn_protocol *p)
{
    return ((const courier *)p)->is_due ? (cn_time){0} : CN_TIME_NEVER;
}

static const cn_protocol_ops courier_protocol = {
    .opened = c_opened, .data = c_data, .ended = c_ended, .deadline = c_deadline, .tick = c_tick};

static courier *of(cn_exchange *x)
{
    return CN_CONTAINER(x, courier, x);
}

static cn_err x_session(cn_exchange *x, cn_exchange_sink *sink, cn_id *ret)
{
    of(x)->sink = sink;
    *ret = (cn_id){1, 1};
    return CN_OK;
}

static void x_session_close(cn_exchange *x, cn_id session)
{
    courier *c = of(x);
    CN_UNUSED(session);
    for (size_t i = 0; i < ERRANDS_MAX; i++) {
        CHECK(!c->errands[i].is_used || !c->errands[i].is_ours);
    }
}

static cn_err x_want(cn_exchange *x, cn_id session, const cn_cid *cids, size_t len)
{
    courier *c = of(x);
    CN_UNUSED(session);
    c->is_due = true;
    for (size_t i = 0; i < len; i++) {
        if (is_wanted(c, &cids[i])) {
            continue;
        }
        errand *e = errand_new(c, true);
        if (e == NULL) {
            return CN_ERR_TOO_LARGE;
        }
        e->cid = cids[i];
    }
    return CN_OK;
}

static void x_cancel(cn_exchange *x, cn_id session, const cn_cid *cids, size_t len)
{
    CN_UNUSED(x);
    CN_UNUSED(session);
    CN_UNUSED(cids);
    CN_UNUSED(len);
}

static void met(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    courier *c = ctx;
    CN_UNUSED(sentence);
    CHECK_OK(err);
    c->provider = *peer;
    c->has_provider = c->is_due = true;
}

static void x_provider(
    cn_exchange *x, cn_id session, const cn_peer_id *peer, const cn_slice *addresses, size_t len)
{
    cn_id id = CN_ID_NONE;
    CN_UNUSED(session);
    CHECK_OK(cn_host_connect(of(x)->h, peer, addresses, len, 0, met, of(x), &id, NULL));
}

static const cn_exchange_ops courier_exchange = {
    .session_open = x_session,
    .session_close = x_session_close,
    .want = x_want,
    .cancel = x_cancel,
    .provider = x_provider,
};

static void courier_begin(courier *c, size_t host)
{
    *c = (courier){.h = w.hosts[host].h, .blocks = cn_store_blocks(stores[host]), .is_due = false};
    c->x = (cn_exchange){&courier_exchange, "courier"};
    c->p = (cn_protocol){
        .ops = &courier_protocol,
        .names = courier_name,
        .names_len = 1,
        .streams_in_per_peer_max = ERRANDS_AT_ONCE,
        .streams_in_max = ERRANDS_AT_ONCE,
    };
    CHECK_OK(cn_host_serve(c->h, &c->p));
}

/* --- a DAG at the first host, and a walk of the second --- */

static cn_cid put(uint64_t codec, cn_slice data)
{
    uint8_t digest[CN_SHA256_BYTES];
    cn_cid cid = {0};
    cn_sha256(data, digest);
    cn_multihash mh = {CN_MH_SHA2_256, {digest, sizeof digest}};
    CHECK_OK(cn_cid_make(1, codec, &mh, &cid));
    CHECK_OK(cn_blocks_put(cn_store_blocks(stores[0]), &cid, data, NULL));
    return cid;
}

static cn_cid put_list(const cn_cid *links)
{
    static uint8_t room[8 << 10];
    size_t used = 0;
    room[used++] = 0x98;
    room[used++] = FANOUT;
    for (size_t i = 0; i < FANOUT; i++) {
        const uint8_t head[] = {0xd8, 0x2a, 0x58, (uint8_t)(links[i].len + 1), 0};
        cn_copy(room + used, head, sizeof head);
        cn_copy(room + used + sizeof head, links[i].bytes, links[i].len);
        used += sizeof head + links[i].len;
    }
    return put(CN_CODEC_DAG_CBOR, cn_slice_of(room, used));
}

static cn_cid make_dag(void)
{
    static uint8_t leaf[LEAF_BYTES];
    cn_cid lists[FANOUT];
    cn_cid leaves[FANOUT];
    for (size_t i = 0; i < FANOUT; i++) {
        for (size_t k = 0; k < FANOUT; k++) {
            leaf[0] = (uint8_t)i;
            leaf[1] = (uint8_t)k;
            leaves[k] = put(CN_CODEC_RAW, cn_slice_of(leaf, sizeof leaf));
        }
        lists[i] = put_list(leaves);
    }
    return put_list(lists);
}

static void begin(void)
{
    world_begin(&w, 2, true, NULL);
    w.is_hasty = true;
    for (size_t i = 0; i < 2; i++) {
        char dir[256];
        CHECK(snprintf(dir, sizeof dir, "%s/%zu", test_temp_dir(), i) > 0);
        const cn_store_options o = {
            .mem = cn_mem_default(), .rt = w.rt, .dir = dir, .map_bytes = (size_t)1 << 30};
        CHECK_OK(cn_store_open(&o, &stores[i], NULL));
    }
}

/* After the hosts, whose end ends what exchanges have with them. */
static void end(void)
{
    for (size_t i = 0; i < 2; i++) {
        cn_store_close(stores[i]);
    }
    world_end(&w);
}

static void ready(void *ctx)
{
    *(bool *)ctx = true;
}

/* The whole DAG below `root` by `x`, which finds its provider through the router. */
static void walk(cn_exchange *x, const cn_cid *root)
{
    knowing k = {.router = {&knowing_ops, "knowing"}};
    const cn_fetcher_options fo = {
        .mem = cn_mem_default(),
        .net = w.net,
        .store = cn_store_blocks(stores[1]),
        .exchange = x,
        .router = &k.router,
        .inflight_max = ERRANDS_MAX / 2,
    };
    const cn_walk_options wo = {.unique = true};
    bool is_ready = true;
    cn_fetcher *fetcher = NULL;
    cn_fetch *f = NULL;
    cn_drive drive = {0};
    cn_walk machine = {.state = 0};
    cn_pull step = {0};
    cn_err err = CN_OK;
    size_t entries = 0;
    CHECK_OK(cn_fetcher_new(&fo, &fetcher));
    const cn_fetch_options o = {
        .fetcher = fetcher,
        .mem = cn_mem_default(),
        .deadline = cn_time_after(cn_rt_now(w.rt), 30 * CN_NS_PER_S),
        .follow = true,
        .ready = ready,
        .ctx = &is_ready,
    };
    CHECK_OK(cn_fetch_open(&o, &f, NULL));
    cn_drive_init(&drive, cn_mem_default(), cn_fetch_blocks(f), CN_DRIVE_BLOCK_MAX_BYTES);
    cn_walk_init(&machine, cn_mem_default(), root, &wo);
    while (is_ready || err == CN_ERR_BUSY) {
        if (is_ready) {
            is_ready = false;
            err = cn_drive_next(&drive, &machine.pull, &step, NULL);
            entries += err == CN_OK && step.kind == CN_PULL_ENTRY;
            is_ready = err == CN_OK && step.kind != CN_PULL_END;
        }
        if (err == CN_ERR_BUSY) {
            cn_fetcher_turn(fetcher, cn_rt_now(w.rt));
            knowing_turn(&k);
            world_turn(&w);
        }
    }
    CHECK_OK(err);
    CHECK_EQ(entries, DAG_BLOCKS);
    CHECK_EQ(k.asked, 1);
    cn_walk_release(&machine);
    cn_drive_release(&drive);
    cn_fetch_close(f);
    cn_fetcher_free(fetcher);
}

static void bitswap_runs_over_any_transport(void)
{
    cn_bitswap *bitswaps[2] = {NULL, NULL};
    cn_bitswap_stats stats = {0};
    begin();
    for (size_t i = 0; i < 2; i++) {
        const cn_bitswap_options o = {
            .mem = cn_mem_default(),
            .net = w.net,
            .host = w.hosts[i].h,
            .blocks = cn_store_blocks(stores[i]),
            .seed = i + 1,
            .serve = true,
        };
        CHECK_OK(cn_bitswap_new(&o, &bitswaps[i]));
        CHECK_OK(cn_host_serve(w.hosts[i].h, cn_bitswap_protocol(bitswaps[i])));
    }
    cn_cid root = make_dag();
    walk(cn_bitswap_exchange(bitswaps[1]), &root);
    cn_bitswap_stat(bitswaps[1], &stats);
    CHECK_EQ(stats.client.blocks, DAG_BLOCKS);
    CHECK_EQ(w.pipes.dials, 1);
    for (size_t i = 0; i < 2; i++) {
        world_kill(&w, i);
        cn_bitswap_free(bitswaps[i]);
    }
    end();
}

static void another_exchange_sits_in_its_place(void)
{
    static courier couriers[2];
    begin();
    courier_begin(&couriers[0], 0);
    courier_begin(&couriers[1], 1);
    cn_cid root = make_dag();
    walk(&couriers[1].x, &root);
    CHECK_EQ(couriers[1].fetched, DAG_BLOCKS);
    CHECK_EQ(couriers[0].fetched, 0);
    CHECK_EQ(w.pipes.dials, 1);
    end();
}

int main(void)
{
    TEST(bitswap_runs_over_any_transport);
    TEST(another_exchange_sits_in_its_place);
    return test_end();
}
