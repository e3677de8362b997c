/*
 * The answering side alone: what peers want goes in as messages, what they get comes out.
 */
#include "exchange/bitswap/engine.h"

#include "codec/varint.h"
#include "crypto/sha256.h"
#include "lib/test.h"
#include "rt_os/rt_os.h"

/* A source in memory. */
typedef struct table {
    cn_blocks blocks; /* first: cast back from it */
    size_t bytes;     /* of each block but odd ones, which are small */
    uint64_t first;   /* numbers that are here */
    uint64_t end;
    bool is_damaged;
} table;

typedef struct peer {
    cn_engine_peer *p;
    size_t blocks;
    size_t bytes;
    size_t haves;
    size_t dont_haves;
    size_t bare; /* blocks without a prefix */
    int32_t order[4096];
} peer;

static cn_rt *rt;
static cn_mem mem;
static cn_engine *e;
static table store;
static peer peers[8];
static uint8_t room[2 << 20];

static cn_cid cid_of(uint64_t n)
{
    uint8_t digest[CN_SHA256_BYTES];
    cn_cid cid;
    for (size_t i = 0; i < sizeof digest; i++) {
        digest[i] = (uint8_t)(n >> 8 * (i % 8));
    }
    cn_multihash mh = {CN_MH_SHA2_256, {digest, sizeof digest}};
    CN_ASSERT(cn_cid_make(1, CN_CODEC_RAW, &mh, &cid) == CN_OK);
    return cid;
}

static uint64_t number_of(const cn_cid *cid)
{
    uint64_t n = 0;
    cn_copy(&n, cid->bytes + cid->len - 8, sizeof n);
    return n;
}

static cn_err size(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes)
{
    const table *t = (const table *)b;
    uint64_t n = number_of(cid);
    if (n < t->first || n >= t->end) {
        return CN_ERR_NOT_FOUND;
    }
    *ret_bytes = t->bytes;
    return CN_OK;
}

static cn_err get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
{
    const table *t = (const table *)b;
    size_t len = 0;
    cn_err err = t->is_damaged ? CN_ERR_CORRUPT : size(b, cid, &len);
    CN_UNUSED(why);
    cn_buf_reset(ret);
    if (err == CN_OK) {
        uint64_t n = number_of(cid);
        err = cn_buf_append(ret, cn_slice_of(&n, sizeof n));
    }
    return err == CN_OK ? cn_buf_append(ret, cn_slice_of(room, t->bytes - sizeof(uint64_t))) : err;
}

static const cn_blocks_ops table_ops = {.get = get, .size = size};

static void wake(void *ctx)
{
    CN_UNUSED(ctx);
}

static size_t wants_max; /* for begin; 0: as usual */

static void begin(size_t peers_len, size_t bytes, uint64_t blocks)
{
    if (rt == NULL) {
        CHECK_OK(cn_rt_os_new(1, &rt)); /* one worker: blocks come in the order they are read */
    }
    cn_mem_init(&mem, 0);
    store = (table){.blocks = {&table_ops}, .bytes = bytes, .end = blocks};
    cn_engine_options o = {.mem = &mem, .rt = rt, .blocks = &store.blocks, .wake = wake};
    o.wants_max = wants_max;
    CHECK_OK(cn_engine_new(&o, &e));
    for (size_t i = 0; i < peers_len; i++) {
        peers[i] = (peer){.blocks = 0};
        CHECK_OK(cn_engine_peer_up(e, &peers[i], &peers[i].p));
    }
}

static void end(void)
{
    cn_engine_free(e);
    CHECK_EQ(mem.used_bytes, 0);
}

static size_t vain; /* wants of the last message that asked for nothing that is here */

enum { HAVE = 1, DONT_HAVE = 2, CANCEL = 4, FULL = 8 };

static void want(size_t peer_no, uint64_t from, size_t len, unsigned flags, bool falls)
{
    cn_buf entries;
    cn_buf body;
    cn_message m;
    cn_buf_init(&entries, cn_mem_default(), CN_MESSAGE_MAX_BYTES);
    cn_buf_init(&body, cn_mem_default(), CN_MESSAGE_MAX_BYTES);
    for (uint64_t n = from; n < from + len; n++) {
        cn_cid cid = cid_of(n);
        int32_t priority = falls ? (int32_t)(1000000 - n) : (int32_t)n;
        CHECK_OK(
            flags & CANCEL
                ? cn_message_put_cancel(&entries, &cid)
                : cn_message_put_want(&entries, &cid, priority, flags & HAVE, flags & DONT_HAVE));
    }
    CHECK_OK(cn_message_put_wantlist(&body, cn_buf_slice(&entries), flags & FULL));
    CHECK_OK(cn_message_decode(cn_buf_slice(&body), &m, NULL));
    vain = cn_engine_take(e, peers[peer_no].p, &m);
    cn_buf_release(&entries);
    cn_buf_release(&body);
}

static void receive(peer *p, cn_slice message)
{
    cn_message m;
    cn_message_item item;
    CHECK_OK(cn_message_decode(message, &m, NULL));
    cn_message_iter it = cn_message_items(&m);
    while (cn_message_next(&it, &item)) {
        if (item.kind == CN_MESSAGE_PRESENCE) {
            p->haves += item.is_have;
            p->dont_haves += !item.is_have;
        } else if (item.kind == CN_MESSAGE_BLOCK) {
            uint64_t n = 0;
            cn_copy(&n, item.data.data, sizeof n);
            p->order[p->blocks % CN_LEN(p->order)] = (int32_t)n;
            p->blocks++;
            p->bytes += item.data.len;
            p->bare += item.prefix.len == 0;
        }
    }
}

/* One message to the peer, put together as the wire would; false: none. */
static bool send_one(peer *p)
{
    cn_buf parts[3] = {{0}, {0}, {0}};
    cn_buf whole;
    cn_buf_init(&parts[0], cn_mem_default(), 16);
    cn_buf_init(&whole, cn_mem_default(), CN_MESSAGE_MAX_BYTES);
    bool have = cn_engine_next(e, p->p, &parts[0], &parts[1], &parts[2]);
    if (have) {
        cn_cur cur = cn_cur_of(cn_buf_slice(&parts[0]));
        uint64_t len = 0;
        CHECK_OK(cn_varint_decode(&cur, &len));
        CHECK_OK(cn_buf_append(&whole, cn_buf_slice(&parts[1])));
        CHECK_OK(cn_buf_append(&whole, cn_buf_slice(&parts[2])));
        CHECK_EQ(len, whole.len);
        receive(p, cn_buf_slice(&whole));
    }
    for (size_t i = 0; i < 3; i++) {
        cn_buf_release(&parts[i]);
    }
    cn_buf_release(&whole);
    return have;
}

/* Serve whoever is active until `max_bytes` of blocks went to all; a peer without room gets none.
 */
static void serve(size_t max_bytes, const bool *full)
{
    cn_engine_stats stats;
    size_t sent = 0;
    cn_time limit = cn_time_after(cn_rt_now(rt), CN_NS_PER_S);
    while (sent < max_bytes && cn_rt_now(rt).ns < limit.ns) {
        cn_engine_collect(e);
        cn_engine_peer *ep = cn_engine_next_active(e);
        cn_engine_stat(e, &stats);
        if (ep == NULL && stats.held_bytes == 0) {
            return;
        }
        if (ep == NULL) {
            continue;
        }
        peer *p = cn_engine_owner(ep);
        bool is_full = full != NULL && full[p - peers];
        size_t before = p->bytes;
        if (!is_full && send_one(p)) {
            cn_engine_activate(e, ep);
            limit = cn_time_after(cn_rt_now(rt), CN_NS_PER_S);
        }
        sent += p->bytes - before;
        cn_engine_read(e, ep, !is_full);
        cn_engine_stat(e, &stats);
        CHECK(stats.held_bytes <= CN_ENGINE_MAX_BYTES + CN_ENGINE_PEER_MAX_BYTES);
    }
}

static void blocks_come_by_priority(void)
{
    begin(1, 100 << 10, 100);
    want(0, 0, 50, 0, false);
    serve(SIZE_MAX, NULL);
    CHECK_EQ(peers[0].blocks, 50);
    CHECK_EQ(peers[0].order[0], 49);
    CHECK_EQ(peers[0].order[49], 0);
    end();
}

static void what_is_here_is_said_and_what_is_not(void)
{
    begin(1, 5000, 10);
    want(0, 0, 4, HAVE | DONT_HAVE, true);
    want(0, 20, 3, HAVE | DONT_HAVE, true);
    want(0, 30, 3, DONT_HAVE, true);
    want(0, 40, 3, HAVE, true); /* nobody asked to be told */
    serve(SIZE_MAX, NULL);
    CHECK_EQ(peers[0].haves, 4);
    CHECK_EQ(peers[0].dont_haves, 6);
    CHECK_EQ(peers[0].blocks, 0);
    end();
}

static void small_blocks_come_instead_of_have(void)
{
    begin(1, CN_ENGINE_HAVE_MAX_BYTES, 10);
    want(0, 0, 4, HAVE, true);
    serve(SIZE_MAX, NULL);
    CHECK_EQ(peers[0].haves, 0);
    CHECK_EQ(peers[0].blocks, 4);
    end();
    begin(1, CN_ENGINE_HAVE_MAX_BYTES + 1, 10);
    want(0, 0, 4, HAVE, true);
    serve(SIZE_MAX, NULL);
    CHECK_EQ(peers[0].haves, 4);
    CHECK_EQ(peers[0].blocks, 0);
    end();
}

static void what_comes_later_is_served(void)
{
    begin(2, 5000, 0);
    want(0, 0, 4, 0, true);
    want(1, 0, 4, HAVE, true);
    serve(SIZE_MAX, NULL);
    store.end = 10;
    for (uint64_t n = 0; n < 4; n++) {
        cn_cid cid = cid_of(n);
        cn_engine_have(e, &cid, 1);
    }
    serve(SIZE_MAX, NULL);
    CHECK_EQ(peers[0].blocks, 4);
    CHECK_EQ(peers[1].haves, 4);
    end();
}

static void wants_beyond_the_limit_are_dropped(void)
{
    cn_engine_stats stats;
    begin(1, 100, 0);
    want(0, 0, CN_ENGINE_WANTS_MAX, 0, true);
    cn_engine_stat(e, &stats);
    CHECK_EQ(stats.dropped, 0);
    want(0, 5000, 1, 0, true);
    cn_engine_stat(e, &stats);
    CHECK_EQ(stats.dropped, 1);
    cn_engine_peer_stats ps;
    cn_engine_peer_stat(peers[0].p, &ps);
    CHECK_EQ(ps.wants, CN_ENGINE_WANTS_MAX);
    end();
}

static size_t kept_of(size_t peer_no)
{
    cn_engine_peer_stats ps;
    cn_engine_peer_stat(peers[peer_no].p, &ps);
    return ps.wants;
}

/* Half of what all may have is for who comes first; then each has its share. */
static void many_wants_are_shared(void)
{
    cn_engine_stats stats;
    wants_max = 200;
    begin(2, 100, 0);
    want(0, 0, 500, 0, true);
    CHECK_EQ(kept_of(0), 100);
    want(1, 1000, 500, 0, true);
    CHECK_EQ(kept_of(1), 100);
    want(0, 0, 10, CANCEL, true);
    cn_engine_stat(e, &stats);
    CHECK_EQ(stats.kept, 190);
    want(0, 2000, 11, 0, true);
    CHECK_EQ(kept_of(0), 100);
    cn_engine_peer_down(e, peers[0].p);
    cn_engine_peer_down(e, peers[1].p);
    cn_engine_stat(e, &stats);
    CHECK_EQ(stats.kept, 0);
    end();
    wants_max = 0;
}

/* Each that asks for nothing is counted, cancels too; those for what is here are not. */
static void vain_wants_are_counted(void)
{
    cn_engine_stats stats;
    begin(1, 5000, 10);
    want(0, 0, 10, 0, true);
    CHECK_EQ(vain, 0);
    want(0, 5, 10, 0, true);
    CHECK_EQ(vain, 5);
    want(0, 0, 3, CANCEL, true);
    CHECK_EQ(vain, 3);
    want(0, 0, 2, HAVE, true);
    CHECK_EQ(vain, 2); /* a word, no block */
    want(0, 10000, CN_ENGINE_MESSAGE_WANTS_MAX, FULL, true);
    CHECK_EQ(vain, CN_ENGINE_MESSAGE_WANTS_MAX);
    cn_engine_stat(e, &stats);
    CHECK_EQ(stats.dropped, CN_ENGINE_WANTS_MAX);
    want(0, 10000, CN_ENGINE_MESSAGE_WANTS_MAX + 1, FULL, true);
    CHECK_EQ(vain, CN_ENGINE_MESSAGE_WANTS_MAX); /* the last was not looked at */
    end();
}

static void cancels_and_full_lists_are_followed(void)
{
    cn_engine_peer_stats ps;
    size_t at = 0;
    const cn_cid *cid = NULL;
    begin(1, 5000, 10);
    want(0, 0, 10, 0, true);
    want(0, 100, 10, 0, true);
    want(0, 2, 3, CANCEL, true);
    want(0, 102, 3, CANCEL, true);
    cn_engine_peer_stat(peers[0].p, &ps);
    CHECK_EQ(ps.wants, 14);
    want(0, 7, 1, FULL, true);
    cn_engine_peer_stat(peers[0].p, &ps);
    CHECK_EQ(ps.wants, 1);
    CHECK(cn_engine_wants(peers[0].p, &at, &cid));
    CHECK_EQ(number_of(cid), 7);
    serve(SIZE_MAX, NULL);
    CHECK_EQ(peers[0].blocks, 1);
    end();
}

static void peers_get_equal_shares(void)
{
    begin(4, 100 << 10, 1000);
    want(0, 0, 1000, 0, true);
    for (size_t i = 1; i < 4; i++) {
        want(i, 0, 200, 0, true);
    }
    serve((size_t)40 << 20, NULL);
    for (size_t i = 1; i < 4; i++) {
        CHECK(peers[i].bytes > (size_t)6 << 20);
        CHECK(peers[i].bytes < (size_t)14 << 20);
    }
    end();
}

static void who_does_not_read_holds_little_and_stops_nobody(void)
{
    static const bool full[8] = {true, true, true, true, true, true, true, false};
    cn_engine_stats stats;
    begin(8, 500 << 10, 1000);
    for (size_t i = 0; i < 8; i++) {
        want(i, 0, 200, 0, true);
    }
    serve(SIZE_MAX, full);
    CHECK_EQ(peers[7].blocks, 200);
    CHECK_EQ(peers[0].blocks, 0);
    cn_engine_stat(e, &stats);
    CHECK(stats.held_bytes <= 7 * ((size_t)2 << 20) + ((size_t)7 << 20));
    cn_engine_peer_down(e, peers[0].p);
    for (size_t i = 1; i < 7; i++) {
        cn_engine_activate(e, peers[i].p); /* they read now */
    }
    serve(SIZE_MAX, NULL);
    CHECK_EQ(peers[1].blocks, 200);
    cn_engine_stat(e, &stats);
    CHECK_EQ(stats.held_bytes, 0);
    end();
}

static void a_block_that_cannot_be_read_is_not_here(void)
{
    begin(1, 5000, 10);
    want(0, 0, 4, DONT_HAVE, true);
    store.is_damaged = true;
    serve(SIZE_MAX, NULL);
    CHECK_EQ(peers[0].dont_haves, 4);
    CHECK_EQ(peers[0].blocks, 0);
    end();
}

static void old_peers_get_bare_blocks(void)
{
    begin(1, 5000, 10);
    cn_engine_peer_bare(peers[0].p, true);
    want(0, 0, 4, 0, true);
    serve(SIZE_MAX, NULL);
    CHECK_EQ(peers[0].bare, 4);
    end();
}

static void many_sizes_fit_into_messages(void)
{
    static const size_t sizes[] = {8,        1000,      (32 << 10) - 1,
                                   32 << 10, 256 << 10, CN_BLOCK_MAX_BYTES};
    for (size_t i = 0; i < CN_LEN(sizes); i++) {
        begin(1, sizes[i], 150);
        want(0, 0, 150, 0, true);
        serve(SIZE_MAX, NULL);
        CHECK_EQ(peers[0].blocks, 150);
        CHECK_EQ(peers[0].bytes, 150 * sizes[i]);
        end();
    }
}

static cn_err begin_with(cn_mem *m)
{
    cn_err err = CN_OK;
    cn_engine *made = NULL;
    cn_engine_peer *p = NULL;
    cn_engine_options o = {.mem = m, .rt = rt, .blocks = &store.blocks, .wake = wake};
    CN_TRY(cn_engine_new(&o, &made));
    CN_TRY(cn_engine_peer_up(made, NULL, &p));
out:
    cn_engine_free(made);
    return err;
}

/* One allocation fails: what could not be read is said not to be here, so that the peer asks
 * others, or a want is lost; what is asked for again comes. */
static void running_out_of_memory_ends_nothing_else(void)
{
    enum { BLOCKS = 20, TRIES_MAX = 2000 };
    bool is_used = true;
    test_out_of_memory(begin_with);
    for (long long n = 1; is_used && n < TRIES_MAX; n++) {
        begin(1, 40000, BLOCKS);
        atomic_store(&mem.fail_after, n);
        want(0, 0, BLOCKS, DONT_HAVE, true);
        serve(SIZE_MAX, NULL);
        is_used = atomic_load(&mem.fail_after) == 0;
        atomic_store(&mem.fail_after, 0);
        CHECK(is_used || peers[0].blocks == BLOCKS);
        CHECK(peers[0].blocks + peers[0].dont_haves <= BLOCKS);
        peers[0].blocks = 0;
        want(0, 0, BLOCKS, FULL | DONT_HAVE, true);
        serve(SIZE_MAX, NULL);
        CHECK_EQ(peers[0].blocks, BLOCKS);
        end();
    }
    CHECK(!is_used);
}

int main(void)
{
    TEST(blocks_come_by_priority);
    TEST(what_is_here_is_said_and_what_is_not);
    TEST(small_blocks_come_instead_of_have);
    TEST(what_comes_later_is_served);
    TEST(wants_beyond_the_limit_are_dropped);
    TEST(many_wants_are_shared);
    TEST(vain_wants_are_counted);
    TEST(cancels_and_full_lists_are_followed);
    TEST(peers_get_equal_shares);
    TEST(who_does_not_read_holds_little_and_stops_nobody);
    TEST(a_block_that_cannot_be_read_is_not_here);
    TEST(old_peers_get_bare_blocks);
    TEST(many_sizes_fit_into_messages);
    TEST(running_out_of_memory_ends_nothing_else);
    cn_rt_os_free(rt);
    return test_end();
}
