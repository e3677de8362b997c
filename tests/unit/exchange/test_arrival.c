/*
 * The way of blocks from a message to the store: told once each, whatever the store says and
 * wherever memory runs out.
 */
#include "exchange/bitswap/arrival.h"

#include "base/prng.h"
#include "crypto/sha256.h"
#include "lib/test.h"
#include "rt_os/rt_os.h"

#include <stdatomic.h>

enum { BLOCKS = 24, BLOCK_BYTES = 5000 };

/* A store that counts, and refuses if told to. */
typedef struct table {
    cn_blocks blocks; /* first: cast back from it */
    atomic_size_t kept;
    atomic_int err;
} table;

static cn_rt *rt;
static cn_mem mem;
static table store;
static cn_arrival *a;
static cn_cid cids[BLOCKS];
static size_t matched;
static size_t stored[BLOCKS];
static size_t failed[BLOCKS];
static size_t unwanted; /* from this number on */
static cn_err failure;

static cn_err get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
{
    CN_UNUSED(b);
    CN_UNUSED(cid);
    CN_UNUSED(ret);
    CN_UNUSED(why);
    return CN_ERR_NOT_FOUND;
}

static cn_err size(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes)
{
    CN_UNUSED(b);
    CN_UNUSED(cid);
    CN_UNUSED(ret_bytes);
    return CN_ERR_NOT_FOUND;
}

static cn_err put(cn_blocks *b, const cn_cid *cid, cn_slice data, cn_why *why)
{
    table *t = (table *)b;
    cn_multihash mh = cn_cid_multihash(cid);
    cn_err err = (cn_err)atomic_load(&t->err);
    CHECK_OK(cn_multihash_verify(&mh, data));
    if (err != CN_OK) {
        return cn_why_set(why, err, "no room here");
    }
    atomic_fetch_add(&t->kept, 1);
    return CN_OK;
}

static const cn_blocks_ops table_ops = {.get = get, .size = size, .put = put};

static size_t number_of(const cn_cid *cid)
{
    size_t i = 0;
    while (i < BLOCKS && !cn_cid_eq(cid, &cids[i])) {
        i++;
    }
    CN_ASSERT(i < BLOCKS);
    return i;
}

static void wake(void *ctx)
{
    CN_UNUSED(ctx);
}

static bool match(void *ctx, cn_id peer, const cn_cid *cid, size_t bytes)
{
    CN_UNUSED(ctx);
    CHECK_EQ(peer.index, 7);
    CHECK_EQ(bytes, BLOCK_BYTES);
    matched++;
    return cid != NULL && number_of(cid) < unwanted;
}

static void on_stored(void *ctx, const cn_cid *cid, cn_slice block)
{
    CN_UNUSED(ctx);
    CHECK_EQ(block.len, BLOCK_BYTES);
    stored[number_of(cid)]++;
}

static void on_failed(void *ctx, const cn_cid *cid, cn_err err, const char *sentence)
{
    CN_UNUSED(ctx);
    CHECK(sentence != NULL && sentence[0] != '\0');
    failure = err;
    failed[number_of(cid)]++;
}

static cn_err begin(cn_mem *m)
{
    const cn_arrival_options o = {
        .mem = m,
        .rt = rt,
        .blocks = &store.blocks,
        .max_bytes = 2 * BLOCK_BYTES,
        .wake = wake,
        .match = match,
        .stored = on_stored,
        .failed = on_failed,
    };
    store.blocks.ops = &table_ops;
    atomic_store(&store.kept, 0);
    atomic_store(&store.err, CN_OK);
    matched = 0;
    unwanted = BLOCKS;
    for (size_t i = 0; i < BLOCKS; i++) {
        stored[i] = failed[i] = 0;
    }
    return cn_arrival_new(&o, &a);
}

/* A message with blocks `from` up to `end`, in memory of `m`. */
static cn_err give(cn_mem *m, size_t from, size_t end)
{
    static uint64_t room[BLOCK_BYTES / 8];
    uint8_t digest[CN_SHA256_BYTES];
    cn_message message;
    cn_buf body = {0};
    cn_err err = CN_OK;
    size_t before = 0;
    cn_buf_init(&body, m, CN_MESSAGE_MAX_BYTES);
    for (size_t i = from; i < end; i++) {
        cn_prng prng;
        cn_prng_init(&prng, i);
        for (size_t k = 0; k < CN_LEN(room); k++) {
            room[k] = cn_prng_u64(&prng);
        }
        cn_sha256(cn_slice_of(room, sizeof room), digest);
        cn_multihash mh = {CN_MH_SHA2_256, {digest, sizeof digest}};
        CHECK_OK(cn_cid_make(1, CN_CODEC_RAW, &mh, &cids[i]));
        CN_TRY(cn_message_put_block_head(&body, &cids[i], sizeof room, false));
        CN_TRY(cn_buf_append(&body, cn_slice_of(room, sizeof room)));
    }
    CHECK_OK(cn_message_decode(cn_buf_slice(&body), &message, NULL));
    CHECK_EQ(message.blocks, end - from);
    before = body.len;
    err = cn_arrival_give(a, (cn_id){7, 1}, &body, &message, cn_rt_now(rt));
    CHECK_EQ(body.len, err == CN_OK ? 0 : before);
out:
    cn_buf_release(&body);
    return err;
}

/* Until nothing is on the way; 20 s at most. */
static void drain(void)
{
    cn_time limit = cn_time_after(cn_rt_now(rt), 20 * CN_NS_PER_S);
    while (cn_arrival_held_bytes(a) > 0 && CHECK(cn_rt_now(rt).ns < limit.ns)) {
        cn_arrival_turn(a, cn_rt_now(rt));
    }
}

static void what_is_wanted_is_kept_and_told(void)
{
    CHECK_OK(begin(&mem));
    unwanted = 20;
    CHECK(!cn_arrival_is_full(a));
    CHECK_OK(give(&mem, 0, 10));
    CHECK_OK(give(&mem, 10, 20));
    CHECK_OK(give(&mem, 20, BLOCKS));
    CHECK(cn_arrival_is_full(a));
    drain();
    CHECK_EQ(matched, BLOCKS);
    CHECK_EQ(atomic_load(&store.kept), 20);
    for (size_t i = 0; i < BLOCKS; i++) {
        CHECK_EQ(stored[i], i < 20);
        CHECK_EQ(failed[i], 0);
    }
    cn_arrival_free(a);
    CHECK_EQ(mem.used_bytes, 0);
}

/* Small blocks that come one by one do not wait for others: the clock stands still here. */
static void a_small_block_is_not_kept_waiting(void)
{
    const cn_time long_ago = {0};
    cn_time limit = cn_time_after(cn_rt_now(rt), 20 * CN_NS_PER_S);
    CHECK_OK(begin(&mem));
    for (size_t i = 0; i < BLOCKS; i++) {
        CHECK_OK(give(&mem, i, i + 1));
        while (cn_arrival_held_bytes(a) > 0 && cn_rt_now(rt).ns < limit.ns) {
            cn_arrival_turn(a, long_ago);
        }
    }
    CHECK_EQ(atomic_load(&store.kept), BLOCKS);
    cn_arrival_free(a);
    CHECK_EQ(mem.used_bytes, 0);
}

static void what_cannot_be_kept_is_told(void)
{
    CHECK_OK(begin(&mem));
    atomic_store(&store.err, CN_ERR_NO_SPACE);
    CHECK_OK(give(&mem, 0, BLOCKS));
    drain();
    for (size_t i = 0; i < BLOCKS; i++) {
        CHECK_EQ(stored[i], 0);
        CHECK_EQ(failed[i], 1);
    }
    CHECK_EQ(failure, CN_ERR_NO_SPACE);
    cn_arrival_free(a);
    CHECK_EQ(mem.used_bytes, 0);
}

static void an_end_in_between_gives_all_back(void)
{
    for (int turns = 0; turns < 4; turns++) {
        CHECK_OK(begin(&mem));
        CHECK_OK(give(&mem, 0, BLOCKS));
        for (int i = 0; i < turns; i++) {
            cn_arrival_turn(a, cn_rt_now(rt));
        }
        cn_arrival_free(a);
        CHECK_EQ(mem.used_bytes, 0);
    }
}

static cn_err attempt(cn_mem *m)
{
    cn_err err = CN_OK;
    a = NULL;
    CN_TRY(begin(m));
    CN_TRY(give(m, 0, BLOCKS / 2));
    CN_TRY(give(m, BLOCKS / 2, BLOCKS));
    drain();
    for (size_t i = 0; i < BLOCKS; i++) {
        CHECK_EQ(stored[i] + failed[i], 1);
        err = failed[i] > 0 ? failure : err;
    }
out:
    cn_arrival_free(a);
    return err;
}

static void running_out_of_memory_is_told(void)
{
    test_out_of_memory(attempt);
}

int main(void)
{
    cn_mem_init(&mem, 0);
    if (cn_rt_os_new(2, &rt) != CN_OK) {
        return 1;
    }
    TEST(what_is_wanted_is_kept_and_told);
    TEST(a_small_block_is_not_kept_waiting);
    TEST(what_cannot_be_kept_is_told);
    TEST(an_end_in_between_gives_all_back);
    TEST(running_out_of_memory_is_told);
    cn_rt_os_free(rt);
    return test_end();
}
