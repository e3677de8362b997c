#include "store/gc.h"

#include "lib/fault_rt.h"
#include "store/index.h"
#include "unit/store/store_lib.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

static cn_err count_removed(void *ctx, const cn_cid *cid, uint32_t block_bytes)
{
    CN_UNUSED(cid);
    CN_UNUSED(block_bytes);
    (*(uint64_t *)ctx)++;
    return CN_OK;
}

static cn_err verify_one(void *ctx, const cn_cid *cid, cn_err found)
{
    CN_UNUSED(ctx);
    CN_UNUSED(cid);
    return found;
}

static void empty_dir(const char *dir)
{
    DIR *d = opendir(dir);
    for (const struct dirent *e = NULL; d != NULL && (e = readdir(d)) != NULL;) {
        (void)unlinkat(dirfd(d), e->d_name, 0); /* "." and ".." stay */
    }
    if (d != NULL) {
        (void)closedir(d);
    }
}

/* Gives one change. */
static bool one_change(void *ctx, size_t i, cn_index_change *ret)
{
    if (i == 0) {
        *ret = *(const cn_index_change *)ctx;
    }
    return i == 0;
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

static bool segment_is_there(const char *dir, unsigned number)
{
    char name[32];
    (void)snprintf(name, sizeof name, "%010u.car", number);
    return access(file_in(dir, name), F_OK) == 0;
}

/* Four segments of 255 blocks or so (`segment_of` block n): what to keep of each is up to `keep`.
 */
enum { OF_SEGMENT = 254, FOUR_SEGMENTS = 900 };

static void mark_where(cn_store *s, cn_gc *g, bool (*keep)(uint64_t n))
{
    cn_cid cid;
    for (uint64_t n = 0; n < FOUR_SEGMENTS; n++) {
        (void)block_of(n, 4096, &cid);
        if (keep(n)) {
            CHECK_OK(cn_gc_mark(g, &cid, NULL));
        }
    }
    CN_UNUSED(s);
}

static cn_store *store_of_four(const char *dir, cn_rt *world)
{
    cn_store *s = NULL;
    cn_store_options options = options_for(dir);
    options.rt = world;
    CHECK_OK(cn_store_open(&options, &s, NULL));
    for (uint64_t n = 0; n < FOUR_SEGMENTS; n++) {
        CHECK_OK(put_block(s, n, 4096));
    }
    CHECK_OK(cn_store_flush(s, NULL));
    return s;
}

/* Much of the first, a little of the second, nothing of the third, some of the fourth. */
static bool keep_unevenly(uint64_t n)
{
    switch (n / OF_SEGMENT) {
    case 0:
        return n % 2 == 0;
    case 1:
        return n % 50 == 0;
    case 2:
        return n % OF_SEGMENT < 8; /* the place of a segment's last block is not told exactly */
    default:
        return n % 10 == 0;
    }
}

typedef struct order {
    unsigned seen[8];
    size_t len;
} order;

static cn_err note_order(void *ctx, const cn_cid *cid, uint32_t block_bytes)
{
    order *o = ctx;
    cn_cid other;
    CN_UNUSED(block_bytes);
    for (uint64_t n = 0; n < FOUR_SEGMENTS; n++) {
        (void)block_of(n, 4096, &other);
        if (cn_slice_eq(cn_cid_bytes(cid), cn_cid_bytes(&other))) {
            unsigned segment = (unsigned)(n / OF_SEGMENT);
            /* the few at a segment's edge aside */
            if (n % OF_SEGMENT > 8 && (o->len == 0 || o->seen[o->len - 1] != segment) &&
                o->len < CN_LEN(o->seen)) {
                o->seen[o->len++] = segment;
            }
            break;
        }
    }
    return CN_OK;
}

/* Those with the least to keep go first, so that they make room for the copies of the others. */
static void the_emptiest_goes_first(void)
{
    const char *dir = fresh_dir();
    cn_store *s = store_of_four(dir, rt);
    cn_gc *g = NULL;
    order o = {0};
    bool done = false;
    CHECK_OK(cn_gc_new(s, &g, NULL));
    mark_where(s, g, keep_unevenly);
    while (!done && CHECK_OK(cn_gc_sweep(g, note_order, &o, &done, NULL))) {
    }
    cn_gc_free(g);
    CHECK_EQ(o.len, 4);
    CHECK_EQ(o.seen[0], 1);
    CHECK_EQ(o.seen[1], 2);
    CHECK_EQ(o.seen[2], 3);
    CHECK_EQ(o.seen[3], 0);
    for (uint64_t n = 0; n < FOUR_SEGMENTS; n++) {
        CHECK_ERR(get_block(s, n, 4096), keep_unevenly(n) ? CN_OK : CN_ERR_NOT_FOUND);
    }
    cn_store_close(s);
}

/* However many blocks go, a step removes 4,096 at most and then returns. */
static void a_step_is_bounded(void)
{
    enum { COUNT = 10000, STEP_MAX = 4096 };
    cn_store *s = open_store(fresh_dir());
    cn_gc *g = NULL;
    bool done = false;
    uint64_t removed = 0;
    unsigned full = 0;
    for (uint64_t n = 0; n < COUNT; n++) {
        CHECK_OK(put_block(s, n, 8));
    }
    CHECK_OK(cn_gc_new(s, &g, NULL));
    while (!done) {
        uint64_t before = removed;
        if (!CHECK_OK(cn_gc_sweep(g, count_removed, &removed, &done, NULL))) {
            break;
        }
        CHECK(removed - before <= STEP_MAX);
        full += removed - before == STEP_MAX;
    }
    CHECK_EQ(removed, COUNT);
    CHECK_EQ(full, COUNT / STEP_MAX);
    cn_gc_free(g);
    cn_store_close(s);
}

static bool keep_every_third(uint64_t n)
{
    return n % 3 == 0;
}

static void
sweep_with_room(const char *dir, uint64_t room, cn_gc_stats *ret, cn_store_stats *ret_after)
{
    cn_rt *world = fault_rt_new(rt);
    cn_store *s = store_of_four(dir, world);
    cn_gc *g = NULL;
    bool done = false;
    CHECK_OK(cn_gc_new(s, &g, NULL));
    mark_where(s, g, keep_every_third);
    fault_rt_room(world, room);
    while (!done && CHECK_OK(cn_gc_sweep(g, NULL, NULL, &done, NULL))) {
    }
    *ret = cn_gc_stat(g);
    fault_rt_room(world, UINT64_MAX);
    cn_gc_free(g);
    CHECK_OK(cn_store_stat(s, ret_after));
    check_kept(s, FOUR_SEGMENTS, 3);
    CHECK_OK(cn_store_verify_all(s, verify_one, NULL, NULL));
    cn_store_close(s);
    s = open_store(dir);
    check_kept(s, FOUR_SEGMENTS, 3);
    cn_store_close(s);
    (void)unlink(file_in(dir, "index.mdb"));
    s = open_store(dir);
    check_kept(s, FOUR_SEGMENTS, 3);
    cn_store_close(s);
    fault_rt_free(world);
}

/*
 * A third of each segment lives, 340 KiB, and there is room for 60 KiB of copies (a megabyte is
 * spared): each is cut off from its end, piece by piece, until nothing dead is left.
 */
static void without_room_for_a_whole_copy_it_is_cut_from_its_end(void)
{
    cn_gc_stats gc;
    cn_store_stats after;
    const char *dir = fresh_dir();
    sweep_with_room(dir, (1 << 20) + (60 << 10), &gc, &after);
    CHECK_EQ(gc.stuck_bytes, 0);
    CHECK_EQ(after.dead_bytes, 0);
    CHECK_EQ(after.blocks, 300);
    CHECK(gc.freed_bytes > 600 * 4096);
    CHECK(!segment_is_there(dir, 1));
}

/* Without any, what is dead behind the last live block goes; the rest is told of as stuck. */
static void without_any_room_the_dead_end_goes(void)
{
    cn_gc_stats gc;
    cn_store_stats after;
    const char *dir = fresh_dir();
    sweep_with_room(dir, 1 << 16, &gc, &after);
    CHECK(gc.stuck_bytes > 0);
    CHECK_EQ(after.dead_bytes, gc.stuck_bytes);
    CHECK_EQ(after.blocks, 300);
    CHECK(segment_is_there(dir, 1));
}

/* The machine dies at any operation of such a collection: what was to be kept is there. */
static void cutting_may_be_broken_off_anywhere(void)
{
    enum { OPERATIONS_MAX = 20000, STRIDE = 9 };
    const char *dir = fresh_dir();
    unsigned n = 1;
    for (bool fired = true; fired && n < OPERATIONS_MAX; n += STRIDE) {
        cn_rt *world = fault_rt_new(rt);
        cn_gc *g = NULL;
        bool done = false;
        empty_dir(dir);
        cn_store *s = store_of_four(dir, world);
        CHECK_OK(cn_gc_new(s, &g, NULL));
        mark_where(s, g, keep_every_third);
        fault_rt_room(world, (1 << 20) + (60 << 10));
        fault_rt_set(world, FAULT_ANY, n, CN_ERR_IO, true);
        while (!done && cn_gc_sweep(g, NULL, NULL, &done, NULL) == CN_OK) {
        }
        fired = fault_rt_fired(world);
        cn_gc_free(g);
        cn_store_close(s);
        fault_rt_free(world);
        for (int again = 0; again < 2; again++) {
            s = open_store(dir);
            for (uint64_t i = 0; i < FOUR_SEGMENTS; i += 3) {
                if (!CHECK_OK(get_block(s, i, 4096))) {
                    printf("  block %u, operation %u\n", (unsigned)i, n);
                    cn_store_close(s);
                    return;
                }
            }
            CHECK_OK(cn_store_verify_all(s, verify_one, NULL, NULL));
            cn_store_close(s);
            (void)unlink(file_in(dir, "index.mdb"));
        }
    }
    CHECK(n > STRIDE && n < OPERATIONS_MAX);
}

/* A place of block `n` that is wrong in its number only. */
static void flip_ordinal(const char *dir, uint64_t n)
{
    cn_index *x = NULL;
    cn_cid cid;
    cn_place place;
    cn_index_options options = {
        .mem = cn_mem_default(), .rt = rt, .path = file_in(dir, "index.mdb")};
    (void)block_of(n, 4096, &cid);
    cn_slice key = cn_slice_skip(cn_cid_key(&cid), 2);
    CHECK_OK(cn_index_open_lmdb(&options, &x, NULL));
    CHECK_OK(cn_index_get(x, key, &place));
    place.ordinal ^= 64;
    cn_index_change change = {key, place};
    cn_index_batch batch = {.changes = one_change, .ctx = &change};
    CHECK_OK(cn_index_apply(x, &batch));
    cn_index_close(x);
}

static void hide_entry(const char *dir, uint64_t n)
{
    cn_index *x = NULL;
    cn_cid cid;
    cn_index_options options = {
        .mem = cn_mem_default(), .rt = rt, .path = file_in(dir, "index.mdb")};
    (void)block_of(n, 4096, &cid);
    CHECK_OK(cn_index_open_lmdb(&options, &x, NULL));
    cn_index_change change = {.key = cn_slice_skip(cn_cid_key(&cid), 2)};
    cn_index_batch batch = {.changes = one_change, .ctx = &change};
    CHECK_OK(cn_index_apply(x, &batch));
    cn_index_close(x);
}

/* A collection meets an index that is wrong: it stops, loses nothing, and works the next time. */
static void a_wrong_index_is_noticed(void (*damage)(const char *dir, uint64_t n))
{
    const char *dir = fresh_dir();
    cn_store *s = store_of_four(dir, rt);
    cn_gc *g = NULL;
    bool done = false;
    cn_why why = {0};
    cn_err err = CN_OK;
    cn_cid cid;
    cn_store_close(s);
    damage(dir, 100);
    s = open_store(dir);
    CHECK_OK(cn_gc_new(s, &g, NULL));
    for (uint64_t n = 0; n < FOUR_SEGMENTS; n++) {
        (void)block_of(n, 4096, &cid);
        cn_err marked = cn_gc_mark(g, &cid, NULL);
        CHECK(marked == CN_OK || (marked == CN_ERR_NOT_FOUND && n == 100));
    }
    while (!done && err == CN_OK) {
        err = cn_gc_sweep(g, NULL, NULL, &done, &why);
    }
    CHECK_ERR(err, CN_ERR_CORRUPT);
    CHECK(strstr(why.text, "index in ") != NULL);
    CHECK_EQ(cn_gc_stat(g).removed_blocks, 0);
    cn_gc_free(g);
    cn_store_close(s);
    s = open_store(dir);
    (void)collect(s, FOUR_SEGMENTS, 1);
    check_kept(s, FOUR_SEGMENTS, 1);
    cn_store_close(s);
}

static void a_flipped_number_is_noticed(void)
{
    a_wrong_index_is_noticed(flip_ordinal);
}

static void a_hidden_entry_is_noticed(void)
{
    a_wrong_index_is_noticed(hide_entry);
}

/* The reserve once given up, the next put does not take what that freed. */
static void puts_leave_what_the_reserve_was(void)
{
    enum { RESERVE = 1 << 16 };
    const char *dir = fresh_dir();
    cn_rt *world = fault_rt_new(rt);
    cn_store *s = NULL;
    cn_why why = {0};
    cn_store_options options = options_for(dir);
    options.rt = world;
    CHECK_OK(cn_store_open(&options, &s, NULL));
    for (uint64_t n = 0; n < 200; n++) {
        CHECK_OK(put_block(s, n, 4096));
    }
    CHECK_OK(cn_store_flush(s, NULL));
    fault_rt_room(world, 100 << 10);
    CHECK_OK(put_block(s, 200, 4096));
    CHECK(cn_store_relieve(s));
    fault_rt_room(world, RESERVE + 8192);
    CHECK_OK(put_block(s, 201, 4096));
    cn_cid cid;
    cn_slice data = block_of(202, 4096, &cid);
    CHECK_ERR(cn_blocks_put(cn_store_blocks(s), &cid, data, &why), CN_ERR_NO_SPACE);
    CHECK(strstr(why.text, "repo gc") != NULL);
    /* a collection makes it again, where there is room */
    fault_rt_room(world, 4 * RESERVE);
    (void)collect(s, 200, 1);
    CHECK(access(file_in(dir, "reserve"), F_OK) == 0);
    CHECK_OK(put_block(s, 202, 4096));
    fault_rt_room(world, UINT64_MAX);
    cn_store_close(s);
    fault_rt_free(world);
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
    TEST(the_emptiest_goes_first);
    TEST(a_step_is_bounded);
    TEST(without_room_for_a_whole_copy_it_is_cut_from_its_end);
    TEST(without_any_room_the_dead_end_goes);
    TEST(cutting_may_be_broken_off_anywhere);
    TEST(a_flipped_number_is_noticed);
    TEST(a_hidden_entry_is_noticed);
    TEST(puts_leave_what_the_reserve_was);
    cn_rt_os_free(rt);
    return test_end();
}
