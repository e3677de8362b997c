/*
 * The index as a power cut or an accident may leave it: of an earlier time, cut short, gone,
 * garbage. Nothing is lost, and what was removed stays removed.
 */
#include "unit/store/store_lib.h"

#include <unistd.h>

enum { COUNT = 900, BLOCK = 4096 };

static uint8_t earlier[1 << 20];
static size_t earlier_len;

static void keep_index(const char *dir)
{
    FILE *f = fopen(file_in(dir, "index.mdb"), "rb");
    CHECK(f != NULL);
    earlier_len = fread(earlier, 1, sizeof earlier, f);
    CHECK(earlier_len < sizeof earlier);
    CHECK_EQ(fclose(f), 0);
}

static void write_index(const char *dir, size_t len)
{
    FILE *f = fopen(file_in(dir, "index.mdb"), "wb");
    CHECK(f != NULL && fwrite(earlier, 1, len, f) == len);
    CHECK_EQ(fclose(f), 0);
}

/* A store of some segments with every tenth block removed; the index is kept before the last. */
static const char *make(void)
{
    const char *dir = fresh_dir();
    cn_store *s = open_store(dir);
    for (uint64_t n = 0; n < COUNT / 2; n++) {
        CHECK_OK(put_block(s, n, BLOCK));
    }
    CHECK_OK(cn_store_flush(s, NULL));
    keep_index(dir);
    for (uint64_t n = COUNT / 2; n < COUNT; n++) {
        CHECK_OK(put_block(s, n, BLOCK));
    }
    CHECK_OK(cn_store_flush(s, NULL));
    for (uint64_t n = 0; n < COUNT; n += 10) {
        CHECK_OK(delete_block(s, n, BLOCK));
    }
    cn_store_close(s);
    return dir;
}

static void check(const char *dir)
{
    cn_store *s = open_store(dir);
    cn_store_stats stats;
    for (uint64_t n = 0; n < COUNT; n++) {
        CHECK_ERR(get_block(s, n, BLOCK), n % 10 == 0 ? CN_ERR_NOT_FOUND : CN_OK);
    }
    CHECK_OK(cn_store_stat(s, &stats));
    CHECK_EQ(stats.blocks, COUNT - COUNT / 10);
    CHECK_EQ(stats.block_bytes, (COUNT - COUNT / 10) * BLOCK);
    cn_store_close(s);
}

static void an_earlier_index(void)
{
    const char *dir = make();
    write_index(dir, earlier_len);
    check(dir);
}

static void an_index_cut_short(void)
{
    const char *dir = make();
    keep_index(dir);
    for (size_t len = 0; len < earlier_len; len += 4096 + 1000) {
        write_index(dir, len);
        check(dir);
    }
}

static void garbage_for_an_index(void)
{
    const char *dir = make();
    for (size_t i = 0; i < 8 * 4096; i++) {
        earlier[i] = (uint8_t)(i * 31 + 7);
    }
    write_index(dir, 8 * 4096);
    check(dir);
    CHECK_EQ(unlink(file_in(dir, "index.mdb")), 0);
    check(dir);
}

int main(void)
{
    if (cn_rt_os_new(2, &rt) != CN_OK) {
        return 1;
    }
    TEST(an_earlier_index);
    TEST(an_index_cut_short);
    TEST(garbage_for_an_index);
    cn_rt_os_free(rt);
    return test_end();
}
