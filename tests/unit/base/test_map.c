#include "base/map.h"
#include "base/prng.h"
#include "lib/test.h"

static cn_slice key_of(uint32_t *n)
{
    return cn_slice_of(n, sizeof *n);
}

static void holds_what_was_put(void)
{
    cn_map m;
    cn_map_init(&m, cn_mem_default(), sizeof(uint32_t), 10000, 7);
    for (uint32_t i = 0; i < 10000; i++) {
        void *value = NULL;
        bool is_new = false;
        CHECK_OK(cn_map_put(&m, key_of(&i), &value, &is_new));
        CHECK(is_new);
        *(uint32_t *)value = i * 3;
    }
    uint32_t over = 10000;
    void *none = NULL;
    CHECK_ERR(cn_map_put(&m, key_of(&over), &none, NULL), CN_ERR_TOO_LARGE);
    for (uint32_t i = 0; i < 10000; i += 2) {
        CHECK(cn_map_remove(&m, key_of(&i)));
        CHECK(!cn_map_remove(&m, key_of(&i)));
    }
    size_t position = 0;
    cn_slice key;
    void *value = NULL;
    uint32_t expected = 1;
    while (cn_map_next(&m, &position, &key, &value)) {
        CHECK_EQ(*(uint32_t *)value, expected * 3);
        expected += 2;
    }
    CHECK_EQ(expected, 10001);
    CHECK_EQ(m.len, 5000);
    cn_map_release(&m);
}

static void many_removals_do_not_fill_it(void)
{
    cn_map m;
    cn_map_init(&m, cn_mem_default(), 0, 4, 0);
    for (uint32_t i = 0; i < 100000; i++) {
        void *value = NULL;
        CHECK_OK(cn_map_put(&m, key_of(&i), &value, NULL));
        CHECK(cn_map_remove(&m, key_of(&i)));
    }
    CHECK(m.slots_len <= 64);
    CHECK(m.entries_len <= 64);
    cn_map_release(&m);
}

static cn_err fill_a_few(cn_mem *mem)
{
    cn_map m;
    cn_map_init(&m, mem, 8, 1000, 0);
    cn_err err = CN_OK;
    for (uint32_t i = 0; i < 40 && err == CN_OK; i++) {
        void *value = NULL;
        err = cn_map_put(&m, key_of(&i), &value, NULL);
    }
    cn_map_release(&m);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(fill_a_few);
}

int main(void)
{
    TEST(holds_what_was_put);
    TEST(many_removals_do_not_fill_it);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
