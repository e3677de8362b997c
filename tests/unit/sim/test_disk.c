/*
 * The simulator's disk: what a crash keeps, loses and tears, through rt/rt.h as nodes use it.
 */
#include "lib/test.h"
#include "sim/disk.h"
#include "sim/world.h"

enum { BYTES = 64 << 10 };

static sim *w;
static sim_node *n;

static void begin(void)
{
    static const sim_program none = {.name = "none"};
    sim_plan plan = {0};
    sim_plan_calm(&plan);
    w = sim_new(1, &plan);
    n = sim_add(w, &none, NULL, 0);
}

static void put(const char *path, uint8_t byte, bool is_synced)
{
    static uint8_t bytes[BYTES];
    cn_file *f = NULL;
    for (size_t i = 0; i < BYTES; i++) {
        bytes[i] = byte;
    }
    cn_slice part = cn_slice_of(bytes, BYTES);
    CHECK_OK(cn_file_open(&n->rt, path, CN_FILE_WRITE | CN_FILE_CREATE, &f, NULL));
    CHECK_OK(cn_file_write_at(&n->rt, f, 0, &part, 1));
    if (is_synced) {
        CHECK_OK(cn_file_sync(&n->rt, f));
    }
    cn_file_close(&n->rt, f);
}

/* Pieces of the file that hold `byte`; BYTES if there is no file. */
static size_t count(const char *path, uint8_t byte)
{
    cn_buf b = {0};
    size_t sum = 0;
    cn_buf_init(&b, cn_mem_default(), BYTES);
    cn_err err = cn_rt_read_file(&n->rt, path, &b, NULL);
    for (size_t i = 0; i < b.len; i += 4096) {
        sum += b.data[i] == byte ? 1 : 0;
    }
    cn_buf_release(&b);
    return err == CN_OK ? sum : BYTES;
}

static void what_was_synced_is_kept(void)
{
    begin();
    CHECK_OK(cn_path_mkdir(&n->rt, "/d", 0700));
    put("/d/a", 1, true);
    CHECK_OK(cn_dir_sync(&n->rt, "/d"));
    for (int i = 0; i < 20; i++) {
        sim_disk_crash(n->disk, &n->chance, true);
        CHECK_EQ(count("/d/a", 1), 16);
    }
    sim_free(w);
}

static void what_was_not_synced_is_torn_by_a_dark_machine_only(void)
{
    bool is_torn = false;
    begin();
    put("/d/a", 1, true);
    CHECK_OK(cn_dir_sync(&n->rt, "/d"));
    for (int i = 0; i < 20; i++) {
        put("/d/a", 2, false);
        sim_disk_crash(n->disk, &n->chance, false);
        CHECK_EQ(count("/d/a", 2), 16);
        sim_disk_crash(n->disk, &n->chance, true);
        size_t ones = count("/d/a", 1);
        CHECK_EQ(ones + count("/d/a", 2), 16);
        is_torn = is_torn || (ones > 0 && ones < 16);
        put("/d/a", 1, true);
    }
    CHECK(is_torn);
    sim_free(w);
}

static void a_name_that_was_not_synced_may_be_lost(void)
{
    size_t lost = 0;
    begin();
    for (int i = 0; i < 20; i++) {
        put("/d/a", 1, true);
        sim_disk_crash(n->disk, &n->chance, true);
        lost += count("/d/a", 1) == BYTES ? 1 : 0;
        if (cn_path_unlink(&n->rt, "/d/a") == CN_OK) {
            CHECK_OK(cn_dir_sync(&n->rt, "/d"));
        }
    }
    CHECK(lost > 0 && lost < 20);
    sim_free(w);
}

/* cn_rt_write_file syncs, renames and syncs the folder: the old bytes or the new ones, whole. */
static void a_file_is_replaced_whole(void)
{
    begin();
    for (uint8_t i = 1; i < 20; i++) {
        uint8_t bytes[100] = {i};
        cn_buf b = {0};
        cn_buf_init(&b, cn_mem_default(), 200);
        CHECK_OK(cn_rt_write_file(&n->rt, "/d/a", cn_slice_of(bytes, sizeof(bytes)), NULL));
        sim_disk_crash(n->disk, &n->chance, true);
        CHECK_OK(cn_rt_read_file(&n->rt, "/d/a", &b, NULL));
        CHECK_BYTES(cn_buf_slice(&b), cn_slice_of(bytes, sizeof(bytes)));
        cn_buf_release(&b);
    }
    sim_free(w);
}

static void a_lock_ends_with_its_file(void)
{
    cn_file *a = NULL;
    cn_file *b = NULL;
    begin();
    CHECK_OK(cn_file_open(&n->rt, "/a", CN_FILE_WRITE | CN_FILE_CREATE, &a, NULL));
    CHECK_OK(cn_file_open(&n->rt, "/a", CN_FILE_WRITE, &b, NULL));
    CHECK_OK(cn_file_lock(&n->rt, a));
    CHECK_ERR(cn_file_lock(&n->rt, b), CN_ERR_BUSY);
    cn_file_close(&n->rt, a);
    CHECK_OK(cn_file_lock(&n->rt, b));
    cn_file_close(&n->rt, b);
    sim_free(w);
}

int main(void)
{
    TEST(what_was_synced_is_kept);
    TEST(what_was_not_synced_is_torn_by_a_dark_machine_only);
    TEST(a_name_that_was_not_synced_may_be_lost);
    TEST(a_file_is_replaced_whole);
    TEST(a_lock_ends_with_its_file);
    return test_end();
}
