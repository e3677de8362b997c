/*
 * Fetching from other threads: the loop runs on the main thread, those who ask on their own.
 */
#include "host_double.h"
#include "nodes.h"

#include "exchange/fetch/fetch.h"

#include <pthread.h>

static cn_fetcher *fetcher; /* of node 1 */

static void begin(size_t len, size_t ahead_max_bytes)
{
    nodes_begin(len);
    cn_fetcher_options o = {
        .mem = &nodes[1].mem,
        .net = &double_hosts[1].net,
        .store = nodes[1].blocks,
        .exchange = nodes[1].x,
        .ahead_max_bytes = ahead_max_bytes,
    };
    CHECK_OK(cn_fetcher_new(&o, &fetcher));
}

static void end(void)
{
    cn_fetcher_free(fetcher);
    fetcher = NULL;
    nodes_end();
}

static void turn(void)
{
    double_turn();
    if (fetcher != NULL) {
        cn_fetcher_turn(fetcher, cn_rt_now(double_rt));
    }
}

static void turns(int n)
{
    for (int i = 0; i < n; i++) {
        turn();
    }
}

/* What one thread does. */
typedef struct asker {
    pthread_t thread;
    cn_fetch_options options;
    uint64_t from;
    size_t len;
    size_t bytes;
    size_t got;
    cn_err err;
    cn_why why;
    bool by_size;
    atomic_bool is_done;
} asker;

static void *ask(void *arg)
{
    asker *a = arg;
    cn_fetch *f = NULL;
    cn_buf b;
    static _Thread_local uint8_t room[1 << 16];
    cn_buf_init(&b, cn_mem_default(), CN_BLOCK_MAX_BYTES);
    a->err = cn_fetch_open(&a->options, &f, &a->why);
    for (uint64_t n = a->from; a->err == CN_OK && n < a->from + a->len; n++) {
        cn_cid cid;
        size_t size = 0;
        cn_slice data = block_in(room, n, a->bytes, 1, &cid);
        if (a->by_size) {
            a->err = cn_blocks_size(cn_fetch_blocks(f), &cid, &size);
            a->got += size == data.len;
        } else {
            a->err = cn_blocks_get(cn_fetch_blocks(f), &cid, &b, &a->why);
            a->got += a->err == CN_OK && cn_slice_eq(cn_buf_slice(&b), data);
        }
    }
    cn_fetch_close(f);
    cn_buf_release(&b);
    atomic_store(&a->is_done, true);
    return NULL;
}

static void start(asker *a)
{
    a->options.fetcher = fetcher;
    a->options.mem = cn_mem_default();
    if (a->options.deadline.ns == 0) {
        a->options.deadline = cn_time_after(cn_rt_now(double_rt), 30 * CN_NS_PER_S);
    }
    CHECK_EQ(pthread_create(&a->thread, NULL, ask, a), 0);
}

static void finish(asker *a)
{
    while (!atomic_load(&a->is_done)) {
        turn();
    }
    CHECK_EQ(pthread_join(a->thread, NULL), 0);
    turns(2);
}

static void a_thread_gets_what_is_at_a_peer(void)
{
    begin(2, 0);
    put_range(0, 0, 50, 4000);
    put_range(1, 0, 10, 4000); /* some are here */
    double_join(0, 1);
    asker a = {.from = 0, .len = 50, .bytes = 4000};
    start(&a);
    finish(&a);
    CHECK_OK(a.err);
    CHECK_EQ(a.got, 50);
    check_range(1, 0, 50, 4000);
    asker s = {.from = 50, .len = 5, .bytes = 4000, .by_size = true};
    put_range(0, 50, 5, 4000);
    start(&s);
    finish(&s);
    CHECK_OK(s.err);
    CHECK_EQ(s.got, 5);
    end();
}

static void several_threads_want_the_same(void)
{
    enum { THREADS = 4 };
    static asker askers[THREADS];
    begin(2, 0);
    put_range(0, 0, 100, 4000);
    double_join(0, 1);
    for (size_t i = 0; i < THREADS; i++) {
        askers[i] = (asker){.from = 10 * i, .len = 70, .bytes = 4000};
        start(&askers[i]);
    }
    for (size_t i = 0; i < THREADS; i++) {
        finish(&askers[i]);
        CHECK_OK(askers[i].err);
        CHECK_EQ(askers[i].got, 70);
    }
    cn_bitswap_stats stats;
    cn_bitswap_stat(nodes[1].bitswap, &stats);
    CHECK_EQ(stats.client.blocks, 100);
    CHECK_EQ(stats.client.sessions, 1);
    end();
}

static void waiting_ends_at_the_deadline(void)
{
    begin(2, 0);
    double_join(0, 1);
    asker a = {.from = 0, .len = 1, .bytes = 100};
    a.options.deadline = cn_time_after(cn_rt_now(double_rt), 50 * CN_NS_PER_MS);
    start(&a);
    finish(&a);
    CHECK_ERR(a.err, CN_ERR_TIMEOUT);
    CHECK(a.why.text[0] != '\0');
    end();
}

static cn_err cancel_soon(void *ctx)
{
    atomic_int *left = ctx;
    return atomic_fetch_sub(left, 1) > 1 ? CN_OK : CN_ERR_CANCELLED;
}

static void a_check_ends_waiting(void)
{
    atomic_int left = 2;
    begin(2, 0);
    double_join(0, 1);
    asker a = {.from = 0, .len = 1, .bytes = 100};
    a.options.check = cancel_soon;
    a.options.ctx = &left;
    start(&a);
    finish(&a);
    CHECK_ERR(a.err, CN_ERR_CANCELLED);
    end();
}

static void the_end_of_the_network_ends_waiting(void)
{
    begin(2, 0);
    double_join(0, 1);
    asker a = {.from = 0, .len = 1, .bytes = 100};
    start(&a);
    cn_bitswap_stats stats;
    do {
        turn();
        cn_bitswap_stat(nodes[1].bitswap, &stats);
    } while (stats.client.wants == 0);
    cn_fetcher_free(fetcher);
    fetcher = NULL;
    finish(&a);
    CHECK_ERR(a.err, CN_ERR_CLOSED);
    end();
}

/* A node of DAG-CBOR: a list of links. */
static cn_slice node_of(const cn_cid *links, size_t len, cn_cid *ret)
{
    static uint8_t room[64 << 10];
    uint8_t digest[CN_SHA256_BYTES];
    size_t at = 0;
    room[at++] = 0x98;
    room[at++] = (uint8_t)len;
    for (size_t i = 0; i < len; i++) {
        const uint8_t head[] = {0xd8, 0x2a, 0x58, (uint8_t)(links[i].len + 1), 0};
        cn_copy(room + at, head, sizeof head);
        cn_copy(room + at + sizeof head, links[i].bytes, links[i].len);
        at += sizeof head + links[i].len;
    }
    cn_sha256(cn_slice_of(room, at), digest);
    cn_multihash mh = {CN_MH_SHA2_256, {digest, sizeof digest}};
    CN_ASSERT(cn_cid_make(1, CN_CODEC_DAG_CBOR, &mh, ret) == CN_OK);
    return cn_slice_of(room, at);
}

enum { WIDTH = 40, LEAF = 1000 };

/* A root, WIDTH nodes below it, WIDTH leaves below each; put to a node of the exchange. */
static cn_cid make_dag(size_t node_no, size_t nodes_here, size_t leaves_here)
{
    cn_cid middle[WIDTH];
    cn_cid leaves[WIDTH];
    cn_cid root;
    for (size_t i = 0; i < WIDTH; i++) {
        for (size_t k = 0; k < WIDTH; k++) {
            cn_slice leaf = block_of(i * WIDTH + k, LEAF, 1, &leaves[k]);
            if (i < leaves_here) {
                CHECK_OK(cn_blocks_put(nodes[node_no].blocks, &leaves[k], leaf, NULL));
            }
        }
        cn_slice block = node_of(leaves, WIDTH, &middle[i]);
        if (i < nodes_here) {
            CHECK_OK(cn_blocks_put(nodes[node_no].blocks, &middle[i], block, NULL));
        }
    }
    cn_slice block = node_of(middle, WIDTH, &root);
    if (nodes_here > 0) {
        CHECK_OK(cn_blocks_put(nodes[node_no].blocks, &root, block, NULL));
    }
    return root;
}

/* What a walk of one thread does: the root, then only what it is told to. */
typedef struct walker {
    pthread_t thread;
    cn_cid first;
    cn_cid second; /* len 0: none */
    cn_err err;
    uint64_t blocks;
    uint64_t bytes;
    size_t expected;
    atomic_bool is_done;
} walker;

static void *walk(void *arg)
{
    walker *w = arg;
    cn_fetch *f = NULL;
    cn_buf b;
    cn_fetch_options o = {
        .fetcher = fetcher, .mem = cn_mem_default(), .follow = true, .deadline = CN_TIME_NEVER};
    cn_buf_init(&b, cn_mem_default(), CN_BLOCK_MAX_BYTES);
    w->err = cn_fetch_open(&o, &f, NULL);
    if (w->err == CN_OK) {
        w->err = cn_blocks_get(cn_fetch_blocks(f), &w->first, &b, NULL);
    }
    if (w->err == CN_OK && w->second.len > 0) {
        w->err = cn_blocks_get(cn_fetch_blocks(f), &w->second, &b, NULL);
    }
    cn_time limit = cn_time_after(cn_rt_now(double_rt), 30 * CN_NS_PER_S);
    while (w->err == CN_OK && w->blocks < w->expected && cn_rt_now(double_rt).ns < limit.ns) {
        cn_fetch_counts(f, &w->blocks, &w->bytes);
        (void)usleep(1000);
    }
    cn_fetch_close(f);
    cn_buf_release(&b);
    atomic_store(&w->is_done, true);
    return NULL;
}

static void run_walk(walker *w)
{
    CHECK_EQ(pthread_create(&w->thread, NULL, walk, w), 0);
    while (!atomic_load(&w->is_done)) {
        turn();
    }
    CHECK_EQ(pthread_join(w->thread, NULL), 0);
    turns(2);
    CHECK_OK(w->err);
    CHECK_EQ(w->blocks, w->expected);
}

static void following_fetches_all_below(void)
{
    begin(2, 0);
    walker w = {.first = make_dag(0, WIDTH, WIDTH), .expected = 1 + WIDTH + WIDTH * WIDTH};
    double_join(0, 1);
    run_walk(&w);
    check_range(1, 0, WIDTH * WIDTH, LEAF);
    end();
}

static void following_goes_on_where_it_ended(void)
{
    begin(2, 0);
    (void)make_dag(0, WIDTH, WIDTH);
    /* here: the root, the first 30 nodes, and the leaves of the first 10 */
    walker w = {.first = make_dag(1, 30, 10)};
    (void)block_of(10 * WIDTH, LEAF, 1, &w.second);
    w.expected = WIDTH - 30 + (WIDTH - 10) * WIDTH;
    double_join(0, 1);
    run_walk(&w);
    check_range(1, 0, WIDTH * WIDTH, LEAF);
    end();
}

/* The store of node 1, whose reads of many at once end a while after they may. */
typedef struct slow_store {
    cn_blocks blocks; /* first: cast back from it */
    atomic_bool has_begun;
    atomic_bool may_end;
} slow_store;

static cn_err slow_get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
{
    CN_UNUSED(b);
    return cn_blocks_get(nodes[1].blocks, cid, ret, why);
}

static cn_err slow_size(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes)
{
    CN_UNUSED(b);
    return cn_blocks_size(nodes[1].blocks, cid, ret_bytes);
}

static void
slow_get_many(cn_blocks *b, const cn_cid *cids, size_t len, cn_buf *rets, cn_err *ret_errs)
{
    slow_store *s = (slow_store *)b;
    atomic_store(&s->has_begun, true);
    while (!atomic_load(&s->may_end)) {
        (void)usleep(1000);
    }
    (void)usleep(50000);
    cn_blocks_get_many(nodes[1].blocks, cids, len, rets, ret_errs);
}

static const cn_blocks_ops slow_ops = {
    .get = slow_get, .size = slow_size, .get_many = slow_get_many};

static void ignore_ready(void *ctx)
{
    CN_UNUSED(ctx);
}

/* A request ends while a worker looks through what is here for it. */
static void an_end_waits_for_the_worker(void)
{
    slow_store store = {.blocks = {&slow_ops}};
    cn_fetch *f = NULL;
    cn_buf b = {0};
    nodes_begin(2);
    cn_fetcher_options fo = {
        .mem = &nodes[1].mem,
        .net = &double_hosts[1].net,
        .store = &store.blocks,
        .exchange = nodes[1].x,
    };
    CHECK_OK(cn_fetcher_new(&fo, &fetcher));
    cn_cid root = make_dag(0, WIDTH, 0);
    (void)make_dag(1, WIDTH, 0); /* the nodes are here */
    CHECK_OK(cn_store_delete(nodes[1].store, &root, NULL));
    double_join(0, 1);
    cn_buf_init(&b, cn_mem_default(), CN_BLOCK_MAX_BYTES);
    cn_fetch_options o = {
        .fetcher = fetcher,
        .mem = cn_mem_default(),
        .follow = true,
        .ready = ignore_ready,
        .deadline = CN_TIME_NEVER,
    };
    CHECK_OK(cn_fetch_open(&o, &f, NULL));
    CHECK_ERR(cn_blocks_get(cn_fetch_blocks(f), &root, &b, NULL), CN_ERR_BUSY);
    while (!atomic_load(&store.has_begun)) {
        turn();
    }
    cn_fetch_close(f);
    atomic_store(&store.may_end, true);
    turns(3);
    cn_buf_release(&b);
    end();
}

static void count_ready(void *ctx)
{
    atomic_fetch_add((atomic_int *)ctx, 1);
}

static void who_does_not_wait_is_called(void)
{
    atomic_int called = 0;
    cn_cid cid;
    cn_fetch *f = NULL;
    cn_buf b;
    begin(2, 0);
    put_range(0, 0, 1, 1000);
    double_join(0, 1);
    cn_buf_init(&b, cn_mem_default(), CN_BLOCK_MAX_BYTES);
    cn_fetch_options o = {
        .fetcher = fetcher,
        .mem = cn_mem_default(),
        .ready = count_ready,
        .ctx = &called,
        .deadline = CN_TIME_NEVER,
    };
    CHECK_OK(cn_fetch_open(&o, &f, NULL));
    (void)block_of(0, 1000, 1, &cid);
    CHECK_ERR(cn_blocks_get(cn_fetch_blocks(f), &cid, &b, NULL), CN_ERR_BUSY);
    CHECK_ERR(cn_blocks_get(cn_fetch_blocks(f), &cid, &b, NULL), CN_ERR_BUSY);
    while (atomic_load(&called) == 0) {
        turn();
    }
    CHECK_OK(cn_blocks_get(cn_fetch_blocks(f), &cid, &b, NULL));
    CHECK_EQ(b.len, 1000);
    CHECK_EQ(atomic_load(&called), 1);
    cn_fetch_close(f);
    /* and when time is over */
    o.deadline = cn_time_after(cn_rt_now(double_rt), 20 * CN_NS_PER_MS);
    CHECK_OK(cn_fetch_open(&o, &f, NULL));
    (void)block_of(1, 1000, 1, &cid);
    CHECK_ERR(cn_blocks_get(cn_fetch_blocks(f), &cid, &b, NULL), CN_ERR_BUSY);
    while (atomic_load(&called) == 1) {
        turn();
    }
    CHECK_ERR(cn_blocks_get(cn_fetch_blocks(f), &cid, &b, NULL), CN_ERR_TIMEOUT);
    cn_fetch_close(f);
    turns(2);
    cn_buf_release(&b);
    end();
}

static void reading_ahead_is_bounded(void)
{
    enum { BYTES = 64 << 10, AHEAD = 1 << 20 };
    static cn_cid cids[100];
    cn_fetch *f = NULL;
    cn_buf b;
    uint64_t blocks = 0;
    uint64_t bytes = 0;
    begin(2, AHEAD);
    put_range(0, 0, 100, BYTES);
    double_join(0, 1);
    cn_fetch_options o = {.fetcher = fetcher, .mem = cn_mem_default(), .deadline = CN_TIME_NEVER};
    CHECK_OK(cn_fetch_open(&o, &f, NULL));
    for (uint64_t n = 0; n < 100; n++) {
        (void)block_of(n, BYTES, 1, &cids[n]);
    }
    cn_blocks_expect(cn_fetch_blocks(f), cids, 50);
    cn_blocks_expect(cn_fetch_blocks(f), cids + 50, 50);
    cn_time limit = cn_time_after(cn_rt_now(double_rt), 20 * CN_NS_PER_S);
    while (bytes < AHEAD / 2 && CHECK(cn_rt_now(double_rt).ns < limit.ns)) {
        turn();
        cn_fetch_counts(f, &blocks, &bytes);
    }
    /* and no more, however long one waits */
    cn_time until = cn_time_after(cn_rt_now(double_rt), 300 * CN_NS_PER_MS);
    while (cn_rt_now(double_rt).ns < until.ns) {
        turn();
    }
    cn_fetch_counts(f, &blocks, &bytes);
    CHECK(bytes <= AHEAD + BYTES);
    cn_buf_init(&b, cn_mem_default(), 1 << 20);
    /* what is used makes room */
    for (size_t n = 0; n < 100; n++) {
        size_t size = 0;
        while (cn_blocks_size(nodes[1].blocks, &cids[n], &size) != CN_OK) {
            turn();
        }
        CHECK_OK(cn_blocks_get(cn_fetch_blocks(f), &cids[n], &b, NULL));
    }
    cn_fetch_close(f);
    turns(2);
    cn_buf_release(&b);
    end();
}

/* Waits, and asks for a report meanwhile. */
typedef struct reporter {
    cn_fetch *f;
    cn_buf text;
    cn_err err;
    atomic_bool is_done;
} reporter;

static void report(void *ctx, int64_t without_progress_ns)
{
    reporter *r = ctx;
    CHECK(without_progress_ns > 0);
    r->err = cn_fetch_report(r->f, &r->text);
}

static cn_err reported(void *ctx)
{
    reporter *r = ctx;
    return r->text.len > 0 ? CN_ERR_CANCELLED : CN_OK;
}

static void *wait_and_report(void *arg)
{
    reporter *r = arg;
    cn_cid cid;
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), CN_BLOCK_MAX_BYTES);
    static _Thread_local uint8_t room[4096];
    (void)block_in(room, 7, 1000, 1, &cid);
    CHECK_ERR(cn_blocks_get(cn_fetch_blocks(r->f), &cid, &b, NULL), CN_ERR_CANCELLED);
    atomic_store(&r->is_done, true);
    return NULL;
}

static void a_report_says_who_was_asked(void)
{
    reporter r = {.err = CN_ERR_BUG};
    pthread_t thread;
    const char *text = "";
    begin(2, 0);
    double_join(0, 1);
    cn_buf_init(&r.text, cn_mem_default(), 1 << 16);
    cn_fetch_options o = {
        .fetcher = fetcher,
        .mem = cn_mem_default(),
        .deadline = CN_TIME_NEVER,
        .waiting = report,
        .check = reported,
        .ctx = &r,
    };
    CHECK_OK(cn_fetch_open(&o, &r.f, NULL));
    CHECK_EQ(pthread_create(&thread, NULL, wait_and_report, &r), 0);
    while (!atomic_load(&r.is_done)) {
        turn();
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_OK(r.err);
    CHECK_OK(cn_buf_cstr(&r.text, &text));
    CHECK(strstr(text, "does not have it") != NULL);
    CHECK(strstr(text, "waiting 1 s for block bafkrei") != NULL);
    cn_fetch_close(r.f);
    turns(2);
    cn_buf_release(&r.text);
    end();
}

/* A router that knows one provider of everything. */
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

static void providers_are_looked_for(void)
{
    knowing k = {.router = {&knowing_ops, "knowing"}};
    nodes_begin(2);
    cn_fetcher_options o = {
        .mem = &nodes[1].mem,
        .net = &double_hosts[1].net,
        .store = nodes[1].blocks,
        .exchange = nodes[1].x,
        .router = &k.router,
    };
    CHECK_OK(cn_fetcher_new(&o, &fetcher));
    put_range(0, 0, 20, 3000);
    asker a = {.from = 0, .len = 20, .bytes = 3000};
    start(&a);
    while (k.asker == NULL) { /* nobody is connected */
        turn();
    }
    k.asker->ops->found(k.asker, (cn_id){1, 1}, &double_hosts[0].id, NULL, 0);
    k.asker->ops->ended(k.asker, (cn_id){1, 1}, CN_OK, NULL);
    finish(&a);
    CHECK_OK(a.err);
    CHECK_EQ(a.got, 20);
    CHECK_EQ(k.asked, 1);
    end();
}

/* Three blocks, one after the other, without waiting; 20 s at most for each. */
static cn_err get_three(cn_fetch *f, atomic_int *called, uint64_t from)
{
    cn_err err = CN_OK;
    cn_buf b = {0};
    cn_buf_init(&b, cn_mem_default(), CN_BLOCK_MAX_BYTES);
    for (uint64_t n = from; n < from + 3 && err == CN_OK; n++) {
        cn_cid cid;
        (void)block_of(n, 1000, 1, &cid);
        do {
            int before = atomic_load(called);
            err = cn_blocks_get(cn_fetch_blocks(f), &cid, &b, NULL);
            while (err == CN_ERR_BUSY && atomic_load(called) == before) {
                turn();
            }
        } while (err == CN_ERR_BUSY);
    }
    cn_buf_release(&b);
    return err;
}

/* The fetcher and a request, whose memory fails once; then one whose memory does not. */
static cn_err attempt(cn_mem *m, uint64_t from, bool follow)
{
    cn_err err = CN_OK;
    cn_fetch *f = NULL;
    atomic_int called = 0;
    const cn_fetcher_options fo = {
        .mem = m, .net = &double_hosts[1].net, .store = nodes[1].blocks, .exchange = nodes[1].x};
    cn_fetch_options o = {
        .mem = m,
        .follow = follow,
        .ready = count_ready,
        .ctx = &called,
        .deadline = cn_time_after(cn_rt_now(double_rt), 20 * CN_NS_PER_S),
    };
    CN_TRY(cn_fetcher_new(&fo, &fetcher));
    o.fetcher = fetcher;
    CN_TRY(cn_fetch_open(&o, &f, NULL));
    err = get_three(f, &called, from);
    cn_fetch_close(f);
    CHECK(err == CN_OK || err == CN_ERR_NO_MEMORY);
    if (err == CN_ERR_NO_MEMORY) {
        CHECK_OK(cn_fetch_open(&o, &f, NULL));
        CHECK_OK(get_three(f, &called, from));
        cn_fetch_close(f);
    }
out:
    cn_fetcher_free(fetcher);
    fetcher = NULL;
    return err;
}

static void running_out_of_memory_ends_one_request(void)
{
    enum { TRIES_MAX = 500 };
    cn_mem m;
    nodes_begin(2);
    put_range(0, 0, 3 * TRIES_MAX, 1000);
    double_join(0, 1);
    cn_mem_init(&m, 0);
    bool is_used = true;
    for (long long n = 1; is_used && n < TRIES_MAX; n++) {
        atomic_store(&m.fail_after, n);
        cn_err err = attempt(&m, 3 * (uint64_t)n, n % 2 == 0);
        is_used = atomic_load(&m.fail_after) == 0;
        atomic_store(&m.fail_after, 0);
        CHECK(is_used || err == CN_OK);
        CHECK_EQ(m.used_bytes, 0);
    }
    CHECK(!is_used);
    nodes_end();
}

int main(void)
{
    TEST(a_thread_gets_what_is_at_a_peer);
    TEST(several_threads_want_the_same);
    TEST(waiting_ends_at_the_deadline);
    TEST(a_check_ends_waiting);
    TEST(the_end_of_the_network_ends_waiting);
    TEST(following_fetches_all_below);
    TEST(following_goes_on_where_it_ended);
    TEST(an_end_waits_for_the_worker);
    TEST(who_does_not_wait_is_called);
    TEST(reading_ahead_is_bounded);
    TEST(a_report_says_who_was_asked);
    TEST(providers_are_looked_for);
    TEST(running_out_of_memory_ends_one_request);
    return test_end();
}
