#include "lib/test.h"
#include "rt_os/rt_os.h"

#include <stdio.h>

static cn_rt *rt;

static const char *path_in(const char *dir, const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *p = path[turn++ % 4];
    (void)snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static void files_are_replaced_whole(void)
{
    const char *dir = test_temp_dir();
    const char *path = path_in(dir, "f");
    cn_why why = {0};
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), 5);
    CHECK_OK(cn_rt_write_file(rt, path, cn_str("hello"), &why));
    CHECK_OK(cn_rt_read_file(rt, path, &b, &why));
    CHECK_BYTES(cn_buf_slice(&b), cn_str("hello"));
    CHECK_OK(cn_rt_write_file(rt, path, cn_str("longer"), &why));
    cn_buf_reset(&b);
    CHECK_ERR(cn_rt_read_file(rt, path, &b, &why), CN_ERR_TOO_LARGE);
    cn_buf_release(&b);
    CHECK_ERR(cn_rt_read_file(rt, path_in(dir, "none"), &b, &why), CN_ERR_NOT_FOUND);
    CHECK(strstr(why.text, "none") != NULL);
}

static void many_parts_are_written_in_order(void)
{
    const char *path = path_in(test_temp_dir(), "f");
    cn_file *f = NULL;
    cn_slice parts[200];
    uint8_t byte[200];
    uint8_t back[201];
    size_t got = 0;
    for (size_t i = 0; i < CN_LEN(parts); i++) {
        byte[i] = (uint8_t)i;
        parts[i] = (cn_slice){&byte[i], i % 3 == 0 ? 0 : 1};
    }
    CHECK_OK(cn_file_open(rt, path, CN_FILE_READ | CN_FILE_WRITE | CN_FILE_CREATE, &f, NULL));
    CHECK_OK(cn_file_write_at(rt, f, 1, parts, CN_LEN(parts)));
    CHECK_OK(cn_file_read_at(rt, f, 0, back, sizeof back, &got));
    CHECK_EQ(got, 1 + 133);
    CHECK_EQ(back[1], 1);
    CHECK_EQ(back[2], 2);
    CHECK_EQ(back[3], 4);
    cn_file_close(rt, f);
}

static void a_lock_excludes_a_second_open(void)
{
    const char *path = path_in(test_temp_dir(), "lock");
    cn_file *a = NULL;
    cn_file *b = NULL;
    CHECK_OK(cn_file_open(rt, path, CN_FILE_WRITE | CN_FILE_CREATE, &a, NULL));
    CHECK_OK(cn_file_open(rt, path, CN_FILE_WRITE, &b, NULL));
    CHECK_OK(cn_file_lock(rt, a));
    CHECK_ERR(cn_file_lock(rt, b), CN_ERR_BUSY);
    cn_file_close(rt, a);
    CHECK_OK(cn_file_lock(rt, b));
    cn_file_close(rt, b);
}

typedef struct sum_work {
    cn_work work;
    uint64_t upto;
    uint64_t sum;
} sum_work;

static void add_up(cn_work *w)
{
    sum_work *s = (sum_work *)w;
    for (uint64_t i = 1; i <= s->upto; i++) {
        s->sum += i;
    }
}

static void work_runs_once_and_is_waited_for(void)
{
    sum_work works[50] = {0};
    for (uint64_t i = 0; i < CN_LEN(works); i++) {
        works[i] = (sum_work){.work = {.run = add_up}, .upto = i * 100};
        cn_rt_work_submit(rt, &works[i].work);
    }
    for (uint64_t i = 0; i < CN_LEN(works); i++) {
        cn_rt_work_wait(rt, &works[i].work);
        CHECK_EQ(works[i].sum, i * 100 * (i * 100 + 1) / 2);
    }
}

int main(void)
{
    CHECK_OK(cn_rt_os_new(0, &rt));
    TEST(files_are_replaced_whole);
    TEST(many_parts_are_written_in_order);
    TEST(a_lock_excludes_a_second_open);
    TEST(work_runs_once_and_is_waited_for);
    cn_rt_os_free(rt);
    return test_end();
}
