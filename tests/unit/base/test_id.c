/*
 * Ids and their slots: what is given back is found no more, order is by slot, memory may run out.
 */
#include "base/id.h"
#include "lib/test.h"

static void ids_die_with_their_object(void)
{
    cn_slots s = {0};
    int a = 1;
    int b = 2;
    cn_id id_a = CN_ID_NONE;
    cn_id id_b = CN_ID_NONE;
    cn_slots_init(&s, cn_mem_default(), 2);
    CHECK_OK(cn_slots_add(&s, &a, &id_a));
    CHECK_OK(cn_slots_add(&s, &b, &id_b));
    CHECK(cn_slots_get(&s, id_a) == &a);
    cn_id id_c = CN_ID_NONE;
    CHECK_ERR(cn_slots_add(&s, &b, &id_c), CN_ERR_TOO_LARGE);
    CHECK(cn_slots_remove(&s, id_a) == &a);
    CHECK(cn_slots_get(&s, id_a) == NULL);
    CHECK(cn_slots_remove(&s, id_a) == NULL);
    CHECK_OK(cn_slots_add(&s, &b, &id_c));
    CHECK_EQ(id_c.index, id_a.index);
    CHECK(!cn_id_eq(id_c, id_a));
    CHECK(cn_slots_get(&s, id_a) == NULL);
    CHECK(cn_slots_get(&s, CN_ID_NONE) == NULL);
    CHECK(cn_slots_get(&s, (cn_id){99, 1}) == NULL);
    CHECK_EQ(s.len, 2);
    cn_slots_release(&s);
}

static void stepping_survives_removal(void)
{
    cn_slots s = {0};
    int objects[5] = {0};
    cn_id id = CN_ID_NONE;
    cn_slots_init(&s, cn_mem_default(), 8);
    for (size_t i = 0; i < CN_LEN(objects); i++) {
        CHECK_OK(cn_slots_add(&s, &objects[i], &id));
    }
    size_t position = 0;
    size_t met = 0;
    while (cn_slots_next(&s, &position, &id) != NULL) {
        CHECK(cn_slots_remove(&s, id) == &objects[met]);
        met++;
    }
    CHECK_EQ(met, 5);
    CHECK_EQ(s.len, 0);
    cn_slots_release(&s);
}

static void generation_never_is_none(void)
{
    cn_slots s = {0};
    int a = 0;
    cn_id id = CN_ID_NONE;
    cn_slots_init(&s, cn_mem_default(), 1);
    CHECK_OK(cn_slots_add(&s, &a, &id));
    s.slots[0].generation = UINT32_MAX;
    CHECK(cn_slots_remove(&s, (cn_id){0, UINT32_MAX}) == &a);
    CHECK_OK(cn_slots_add(&s, &a, &id));
    CHECK_EQ(id.generation, 1);
    cn_slots_release(&s);
}

static void without_memory(void)
{
    cn_mem mem = {0};
    cn_slots s = {0};
    int a = 0;
    cn_id id = CN_ID_NONE;
    cn_mem_init(&mem, 0);
    mem.fail_after = 1;
    cn_slots_init(&s, &mem, 4);
    CHECK_ERR(cn_slots_add(&s, &a, &id), CN_ERR_NO_MEMORY);
    CHECK(cn_id_is_none(id));
    CHECK_OK(cn_slots_add(&s, &a, &id));
    cn_slots_release(&s);
    CHECK_EQ(mem.used_bytes, 0);
}

int main(void)
{
    TEST(ids_die_with_their_object);
    TEST(stepping_survives_removal);
    TEST(generation_never_is_none);
    TEST(without_memory);
    return test_end();
}
