#include "unit/store/store_lib.h"

#include <unistd.h>

static void blocks_come_back(void)
{
    const char *dir = fresh_dir();
    cn_store *s = open_store(dir);
    cn_store_stats stats;
    for (uint64_t n = 0; n < 500; n++) {
        CHECK_OK(put_block(s, n, 4096));
    }
    for (uint64_t n = 0; n < 500; n++) {
        CHECK_OK(get_block(s, n, 4096));
    }
    CHECK_ERR(get_block(s, 500, 4096), CN_ERR_NOT_FOUND);
    CHECK_OK(cn_store_flush(s, NULL));
    CHECK_OK(get_block(s, 7, 4096));
    CHECK_OK(cn_store_stat(s, &stats));
    CHECK_EQ(stats.blocks, 500);
    CHECK_EQ(stats.block_bytes, 500 * 4096);
    CHECK_EQ(stats.dead_bytes, 0);
    CHECK_EQ(stats.segments, 2);
    uint64_t before = stats.repo_bytes;
    for (uint64_t n = 0; n < 500; n++) {
        CHECK_OK(put_block(s, n, 4096));
    }
    CHECK_OK(cn_store_stat(s, &stats));
    CHECK_EQ(stats.repo_bytes, before);
    cn_store_close(s);
    s = open_store(dir);
    for (uint64_t n = 0; n < 500; n++) {
        CHECK_OK(get_block(s, n, 4096));
    }
    CHECK_OK(cn_store_stat(s, &stats));
    CHECK_EQ(stats.blocks, 500);
    CHECK_EQ(stats.repo_bytes, before);
    CHECK(!stats.rebuilt);
    cn_store_close(s);
}

static void a_lost_index_is_made_again(void)
{
    const char *dir = fresh_dir();
    cn_store *s = open_store(dir);
    cn_store_stats stats;
    for (uint64_t n = 0; n < 700; n++) {
        CHECK_OK(put_block(s, n, 4096));
    }
    CHECK_OK(cn_store_flush(s, NULL));
    CHECK_OK(delete_block(s, 3, 4096));   /* in a sealed segment */
    CHECK_OK(delete_block(s, 699, 4096)); /* in the open one */
    CHECK_ERR(delete_block(s, 699, 4096), CN_ERR_NOT_FOUND);
    CHECK_ERR(get_block(s, 3, 4096), CN_ERR_NOT_FOUND);
    cn_store_close(s);
    for (int round = 0; round < 2; round++) {
        CHECK_EQ(unlink(file_in(dir, "index.mdb")), 0);
        if (round == 1) {
            CHECK_EQ(unlink(file_in(dir, "0000000001.map")), 0);
        }
        s = open_store(dir);
        CHECK_OK(cn_store_stat(s, &stats));
        CHECK(stats.rebuilt);
        CHECK_EQ(stats.blocks, 698);
        for (uint64_t n = 0; n < 700; n++) {
            CHECK_ERR(get_block(s, n, 4096), n == 3 || n == 699 ? CN_ERR_NOT_FOUND : CN_OK);
        }
        cn_store_close(s);
    }
    /* what was removed can be put again, and stays through another loss */
    s = open_store(dir);
    CHECK_OK(put_block(s, 3, 4096));
    CHECK_OK(put_block(s, 699, 4096));
    cn_store_close(s);
    CHECK_EQ(unlink(file_in(dir, "index.mdb")), 0);
    s = open_store(dir);
    CHECK_OK(get_block(s, 3, 4096));
    CHECK_OK(get_block(s, 699, 4096));
    cn_store_close(s);
}

static void one_process_at_a_time(void)
{
    const char *dir = fresh_dir();
    cn_store *s = open_store(dir);
    cn_store *other = NULL;
    cn_why why = {0};
    cn_store_options options = options_for(dir);
    CHECK_ERR(cn_store_open(&options, &other, &why), CN_ERR_BUSY);
    CHECK(strstr(why.text, "pid 1 (test)") != NULL);
    cn_store_close(s);
    s = open_store(dir);
    cn_store_close(s);
}

static void blocks_too_large_are_refused(void)
{
    cn_store *s = open_store(fresh_dir());
    cn_cid cid;
    cn_why why = {0};
    cn_slice data = block_of(1, 64, &cid);
    data.len = CN_STORE_BLOCK_MAX_BYTES + 1;
    CHECK_ERR(cn_blocks_put(cn_store_blocks(s), &cid, data, &why), CN_ERR_TOO_LARGE);
    CHECK(strstr(why.text, "16777216") != NULL);
    cn_store_close(s);
}

static void the_quota_is_kept(void)
{
    const char *dir = fresh_dir();
    cn_store *s = NULL;
    cn_why why = {0};
    cn_cid cid;
    cn_store_options options = options_for(dir);
    options.quota_bytes = 1 << 20;
    CHECK_OK(cn_store_open(&options, &s, NULL));
    cn_err err = CN_OK;
    for (uint64_t n = 0; n < 300 && err == CN_OK; n++) {
        cn_slice data = block_of(n, 4096, &cid);
        err = cn_blocks_put(cn_store_blocks(s), &cid, data, &why);
    }
    CHECK_EQ(err, CN_ERR_QUOTA);
    CHECK(strstr(why.text, "StorageMax") != NULL);
    CHECK_OK(cn_store_flush(s, NULL));
    CHECK_OK(get_block(s, 0, 4096));
    CHECK_OK(delete_block(s, 0, 4096));
    cn_store_close(s);
}

static cn_err count_one(void *ctx, const cn_cid *cid, const cn_place *place)
{
    CHECK_EQ(cid->version, 1);
    CHECK(place->len > 0);
    (*(int *)ctx)++;
    return CN_OK;
}

static cn_err checked_one(void *ctx, const cn_cid *cid, cn_err err)
{
    CN_UNUSED(cid);
    if (err != CN_OK) {
        CHECK_EQ(err, CN_ERR_CORRUPT);
        (*(int *)ctx)++;
    }
    return CN_OK;
}

static void flip_byte(const char *path, long at)
{
    FILE *f = fopen(path, "r+b");
    CHECK(f != NULL && fseek(f, at, SEEK_SET) == 0);
    int c = fgetc(f);
    CHECK(fseek(f, at, SEEK_SET) == 0 && fputc(c ^ 1, f) != EOF);
    CHECK_EQ(fclose(f), 0);
}

static void a_flipped_bit_is_found_and_nothing_is_cut(void)
{
    const char *dir = fresh_dir();
    cn_store *s = open_store(dir);
    int count = 0;
    int bad = 0;
    for (uint64_t n = 0; n < 100; n++) {
        CHECK_OK(put_block(s, n, 1024));
    }
    cn_store_close(s);
    flip_byte(file_in(dir, "0000000001.car"), 91 + 38 + 100);
    s = open_store(dir);
    CHECK_ERR(get_block(s, 0, 1024), CN_ERR_CORRUPT);
    CHECK_OK(get_block(s, 1, 1024));
    CHECK_OK(cn_store_each(s, count_one, &count, NULL));
    CHECK_EQ(count, 100);
    CHECK_OK(cn_store_verify_all(s, checked_one, &bad, NULL));
    CHECK_EQ(bad, 1);
    cn_store_close(s);
    /* without the index too: the bad one is stepped over, the rest stays */
    CHECK_EQ(unlink(file_in(dir, "index.mdb")), 0);
    s = open_store(dir);
    cn_store_stats stats;
    CHECK_OK(cn_store_stat(s, &stats));
    CHECK_EQ(stats.blocks, 99);
    CHECK_EQ(stats.bad_records, 1);
    CHECK_ERR(get_block(s, 0, 1024), CN_ERR_NOT_FOUND);
    for (uint64_t n = 1; n < 100; n++) {
        CHECK_OK(get_block(s, n, 1024));
    }
    cn_store_close(s);
}

static bool is_checked(cn_store *s, uint64_t n, size_t len)
{
    cn_cid cid;
    cn_place place = {0};
    (void)block_of(n, len, &cid);
    CHECK_OK(cn_store_find(s, cn_cid_key(&cid), &place));
    return cn_store_is_checked(s, &place);
}

static void what_was_put_is_not_hashed_again_until_opened_again(void)
{
    const char *dir = fresh_dir();
    cn_store *s = open_store(dir);
    CHECK_OK(put_block(s, 0, 1024));
    CHECK_OK(put_block(s, 1, 1024));
    CHECK(is_checked(s, 0, 1024));
    CHECK(is_checked(s, 1, 1024));
    CHECK_OK(cn_store_flush(s, NULL));
    CHECK(is_checked(s, 0, 1024));
    cn_store_close(s);
    s = open_store(dir);
    CHECK(!is_checked(s, 0, 1024));
    CHECK_OK(get_block(s, 0, 1024));
    CHECK(is_checked(s, 0, 1024));
    CHECK(!is_checked(s, 1, 1024));
    cn_store_close(s);
    /* another policy: each time */
    cn_store_options options = options_for(dir);
    options.policy = CN_STORE_EVERY_READ;
    CHECK_OK(cn_store_open(&options, &s, NULL));
    CHECK_OK(put_block(s, 2, 1024));
    CHECK(!is_checked(s, 2, 1024));
    cn_store_close(s);
}

static void a_hold_outlives_a_removal(void)
{
    cn_store *s = open_store(fresh_dir());
    cn_cid cid;
    cn_place place;
    cn_store_hold *hold = NULL;
    int fd = -1;
    uint8_t back[512];
    CHECK_OK(put_block(s, 1, 512));
    cn_slice data = block_of(1, 512, &cid);
    CHECK_OK(cn_store_find(s, cn_cid_key(&cid), &place));
    CHECK_OK(cn_store_check(s, cn_cid_key(&cid), &place));
    CHECK_OK(cn_store_hold_place(s, &place, &hold, &fd));
    CHECK_OK(delete_block(s, 1, 512));
    CHECK_EQ(pread(fd, back, sizeof back, (off_t)place.offset), 512);
    CHECK_BYTES(cn_slice_of(back, sizeof back), data);
    cn_store_release(s, hold);
    cn_store_close(s);
}

/* What was put or checked since open, unless each read is to check or none does. */
static void what_was_checked_is_at_hand(void)
{
    const cn_store_policy policies[] = {CN_STORE_FIRST_READ, CN_STORE_EVERY_READ, CN_STORE_NEVER};
    for (size_t i = 0; i < CN_LEN(policies); i++) {
        cn_store *s = NULL;
        cn_cid cid;
        cn_store_options options = options_for(fresh_dir());
        options.policy = policies[i];
        CHECK_OK(cn_store_open(&options, &s, NULL));
        (void)block_of(1, 4096, &cid);
        CHECK(!cn_blocks_is_at_hand(cn_store_blocks(s), &cid));
        CHECK_OK(put_block(s, 1, 4096));
        CHECK(
            cn_blocks_is_at_hand(cn_store_blocks(s), &cid) == (policies[i] == CN_STORE_FIRST_READ));
        cn_store_close(s);
        CHECK_OK(cn_store_open(&options, &s, NULL));
        CHECK(!cn_blocks_is_at_hand(cn_store_blocks(s), &cid));
        CHECK_OK(get_block(s, 1, 4096));
        CHECK(
            cn_blocks_is_at_hand(cn_store_blocks(s), &cid) == (policies[i] == CN_STORE_FIRST_READ));
        cn_store_close(s);
    }
}

int main(void)
{
    if (cn_rt_os_new(2, &rt) != CN_OK) {
        return 1;
    }
    TEST(blocks_come_back);
    TEST(a_lost_index_is_made_again);
    TEST(one_process_at_a_time);
    TEST(blocks_too_large_are_refused);
    TEST(the_quota_is_kept);
    TEST(a_flipped_bit_is_found_and_nothing_is_cut);
    TEST(what_was_put_is_not_hashed_again_until_opened_again);
    TEST(a_hold_outlives_a_removal);
    TEST(what_was_checked_is_at_hand);
    cn_rt_os_free(rt);
    return test_end();
}
