#include "store/gc.h"

#include "unit/store/store_lib.h"

#include <unistd.h>

static cn_err count_removed(void *ctx, const cn_cid *cid, uint32_t block_bytes)
{
    CN_UNUSED(cid);
    CN_UNUSED(block_bytes);
    (*(uint64_t *)ctx)++;
    return CN_OK;
}

/* Collect, keeping every `keep`-th block of `count` (0: none). */
static cn_gc_stats collect(cn_store *s, uint64_t count, uint64_t keep)
{
    cn_gc *g = NULL;
    bool done = false;
    bool is_new = false;
    uint64_t removed = 0;
    cn_cid cid;
    CHECK_OK(cn_gc_new(s, &g, NULL));
    for (uint64_t n = 0; keep != 0 && n < count; n += keep) {
        (void)block_of(n, 4096, &cid);
        CHECK_OK(cn_gc_mark(g, &cid, &is_new));
        CHECK(is_new);
        CHECK_OK(cn_gc_mark(g, &cid, &is_new));
        CHECK(!is_new);
    }
    while (!done && CHECK_OK(cn_gc_sweep(g, count_removed, &removed, &done, NULL))) {
    }
    cn_gc_stats stats = cn_gc_stat(g);
    CHECK_EQ(stats.removed_blocks, removed);
    cn_gc_free(g);
    return stats;
}

static void check_kept(cn_store *s, uint64_t count, uint64_t keep)
{
    for (uint64_t n = 0; n < count; n++) {
        CHECK_ERR(get_block(s, n, 4096), keep != 0 && n % keep == 0 ? CN_OK : CN_ERR_NOT_FOUND);
    }
}

static void keeps_what_is_marked(uint64_t keep)
{
    enum { COUNT = 900 }; /* four segments */
    const char *dir = fresh_dir();
    cn_store *s = open_store(dir);
    cn_store_stats stats;
    for (uint64_t n = 0; n < COUNT; n++) {
        CHECK_OK(put_block(s, n, 4096));
    }
    uint64_t kept = keep == 0 ? 0 : (COUNT + keep - 1) / keep;
    cn_gc_stats gc = collect(s, COUNT, keep);
    CHECK_EQ(gc.removed_blocks, COUNT - kept);
    check_kept(s, COUNT, keep);
    CHECK_OK(cn_store_stat(s, &stats));
    CHECK_EQ(stats.blocks, kept);
    if (keep != 1) {
        CHECK_EQ(stats.dead_bytes, 0);
        CHECK(gc.freed_bytes > (COUNT - kept) * 4096);
    }
    gc = collect(s, COUNT, keep);
    CHECK_EQ(gc.removed_blocks, 0);
    CHECK_EQ(gc.freed_bytes, 0);
    cn_store_close(s);
    s = open_store(dir);
    check_kept(s, COUNT, keep);
    cn_store_close(s);
    (void)unlink(file_in(dir, "index.mdb"));
    s = open_store(dir);
    check_kept(s, COUNT, keep);
    CHECK_OK(cn_store_stat(s, &stats));
    CHECK_EQ(stats.blocks, kept);
    cn_store_close(s);
}

static void all_kept(void)
{
    keeps_what_is_marked(1);
}

static void a_third_kept(void)
{
    keeps_what_is_marked(3);
}

static void nothing_kept(void)
{
    keeps_what_is_marked(0);
}

static void a_store_at_its_quota_is_not_stuck(void)
{
    cn_store *s = NULL;
    cn_store_options options = options_for(fresh_dir());
    cn_err err = CN_OK;
    uint64_t n = 0;
    options.quota_bytes = 3 << 20;
    CHECK_OK(cn_store_open(&options, &s, NULL));
    while (err == CN_OK && n < 2000) {
        err = put_block(s, n++, 4096);
    }
    CHECK_EQ(err, CN_ERR_QUOTA);
    cn_gc_stats gc = collect(s, n - 1, 10);
    CHECK(gc.freed_bytes > 2 << 20);
    CHECK_OK(put_block(s, 5000, 4096));
    CHECK_OK(cn_store_flush(s, NULL));
    cn_store_close(s);
}

int main(void)
{
    if (cn_rt_os_new(2, &rt) != CN_OK) {
        return 1;
    }
    TEST(all_kept);
    TEST(a_third_kept);
    TEST(nothing_kept);
    TEST(a_store_at_its_quota_is_not_stuck);
    cn_rt_os_free(rt);
    return test_end();
}
