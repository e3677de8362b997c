#include "store/pin.h"

#include "unit/store/store_lib.h"

#include <string.h>

static cn_cid cid_of(uint64_t n)
{
    cn_cid cid;
    (void)block_of(n, 64, &cid);
    return cid;
}

static cn_err count_pin(void *ctx, const cn_pin *pin)
{
    CHECK(pin->mode == CN_PIN_RECURSIVE || pin->mode == CN_PIN_DIRECT);
    (*(int *)ctx)++;
    return CN_OK;
}

static int listed(cn_pins *p, cn_pin_mode mode)
{
    int count = 0;
    uint64_t counted = 0;
    CHECK_OK(cn_pins_each(p, mode, count_pin, &count, NULL));
    CHECK_OK(cn_pins_count(p, mode, &counted));
    CHECK_EQ(count, counted);
    return count;
}

static void pins_stay(void)
{
    const char *dir = fresh_dir();
    cn_store *s = open_store(dir);
    cn_pins *p = NULL;
    cn_pin pin;
    cn_cid a = cid_of(1);
    cn_cid b = cid_of(2);
    cn_cid c = cid_of(3);
    cn_cid root;
    CHECK_OK(cn_pins_open(s, &p, NULL));
    CHECK_EQ(listed(p, CN_PIN_ANY), 0);
    CHECK_ERR(cn_pins_root_get(p, &root, NULL), CN_ERR_NOT_FOUND);
    CHECK_OK(cn_pins_set(p, &a, CN_PIN_RECURSIVE, cn_str("a name"), NULL));
    CHECK_OK(cn_pins_set(p, &b, CN_PIN_DIRECT, cn_str(""), NULL));
    CHECK_OK(cn_pins_root_set(p, &c, NULL));
    CHECK_ERR(cn_pins_get(p, &a, CN_PIN_DIRECT, &pin, NULL), CN_ERR_NOT_FOUND);
    cn_pins_close(p);
    cn_store_close(s);
    s = open_store(dir);
    CHECK_OK(cn_pins_open(s, &p, NULL));
    CHECK_OK(cn_pins_get(p, &a, CN_PIN_ANY, &pin, NULL));
    CHECK_EQ(pin.mode, CN_PIN_RECURSIVE);
    CHECK_STR(pin.name, "a name");
    CHECK(cn_cid_eq(&pin.cid, &a));
    CHECK_OK(cn_pins_root_get(p, &root, NULL));
    CHECK(cn_cid_eq(&root, &c));
    CHECK_EQ(listed(p, CN_PIN_RECURSIVE), 1);
    CHECK_EQ(listed(p, CN_PIN_DIRECT), 1);
    CHECK_EQ(listed(p, CN_PIN_ANY), 2);
    /* one mode at a time: setting replaces */
    CHECK_OK(cn_pins_set(p, &b, CN_PIN_RECURSIVE, cn_str("b"), NULL));
    CHECK_EQ(listed(p, CN_PIN_DIRECT), 0);
    CHECK_EQ(listed(p, CN_PIN_RECURSIVE), 2);
    CHECK_ERR(cn_pins_remove(p, &b, CN_PIN_DIRECT, NULL), CN_ERR_NOT_FOUND);
    CHECK_OK(cn_pins_remove(p, &b, CN_PIN_ANY, NULL));
    CHECK_ERR(cn_pins_remove(p, &b, CN_PIN_ANY, NULL), CN_ERR_NOT_FOUND);
    CHECK_EQ(listed(p, CN_PIN_ANY), 1);
    cn_pins_close(p);
    cn_store_close(s);
}

static void changes_are_made_all_or_none(void)
{
    cn_store *s = open_store(fresh_dir());
    cn_pins *p = NULL;
    cn_cid a = cid_of(1);
    cn_cid b = cid_of(2);
    static uint8_t name[CN_PIN_NAME_MAX_BYTES + 1];
    cn_pin_change changes[] = {
        {&a, CN_PIN_RECURSIVE, cn_str("")},
        {&b, CN_PIN_RECURSIVE, {name, sizeof name}},
    };
    cn_why why = {0};
    CHECK_OK(cn_pins_open(s, &p, NULL));
    CHECK_ERR(cn_pins_apply(p, changes, 2, &why), CN_ERR_TOO_LARGE);
    CHECK(strstr(why.text, "256") != NULL);
    CHECK_EQ(listed(p, CN_PIN_ANY), 0);
    changes[1].name.len--;
    CHECK_OK(cn_pins_apply(p, changes, 2, NULL));
    CHECK_EQ(listed(p, CN_PIN_ANY), 2);
    cn_pins_close(p);
    cn_store_close(s);
}

static void a_hundred_thousand(void)
{
    enum { COUNT = 100000 };
    static cn_cid cids[COUNT];
    static cn_pin_change changes[COUNT];
    cn_store *s = open_store(fresh_dir());
    cn_pins *p = NULL;
    CHECK_OK(cn_pins_open(s, &p, NULL));
    for (uint64_t n = 0; n < COUNT; n++) {
        cids[n] = cid_of(n);
        changes[n] = (cn_pin_change){&cids[n], CN_PIN_RECURSIVE, cn_str("")};
    }
    CHECK_OK(cn_pins_apply(p, changes, COUNT, NULL));
    CHECK_EQ(listed(p, CN_PIN_RECURSIVE), COUNT);
    cn_pins_close(p);
    cn_store_close(s);
}

/* Change one byte wherever `what` stands in the file; says in how many places. */
static unsigned spoil(const char *path, cn_slice what, size_t at)
{
    cn_buf whole;
    unsigned places = 0;
    cn_buf_init(&whole, cn_mem_default(), 16 << 20);
    CHECK_OK(cn_rt_read_file(rt, path, &whole, NULL));
    for (size_t i = 0; i + what.len <= whole.len; i++) {
        if (cn_slice_eq(cn_slice_of(whole.data + i, what.len), what)) {
            whole.data[i + at] ^= 0x04;
            places++;
        }
    }
    FILE *f = fopen(path, "r+b");
    CHECK(f != NULL && fwrite(whole.data, 1, whole.len, f) == whole.len && fclose(f) == 0);
    cn_buf_release(&whole);
    return places;
}

/* A bit flips in a pin's CID or name: it is noticed before a collection goes by it. */
static void damage_is_noticed(void)
{
    for (int round = 0; round < 2; round++) {
        const char *dir = fresh_dir();
        cn_store *s = open_store(dir);
        cn_pins *p = NULL;
        cn_why why = {0};
        CHECK_OK(cn_pins_open(s, &p, NULL));
        CHECK_OK(cn_pins_check(p, NULL));
        for (uint64_t n = 0; n < 50; n++) {
            cn_cid cid = cid_of(n);
            char name[32];
            (void)snprintf(name, sizeof name, "the name of %u", (unsigned)n);
            CHECK_OK(cn_pins_set(
                p, &cid, n % 2 == 0 ? CN_PIN_RECURSIVE : CN_PIN_DIRECT, cn_str(name), NULL));
            CHECK_OK(cn_pins_check(p, NULL));
        }
        for (uint64_t n = 0; n < 50; n += 5) {
            cn_cid cid = cid_of(n);
            CHECK_OK(cn_pins_set(p, &cid, CN_PIN_ANY, cn_str(""), NULL));
            CHECK_OK(cn_pins_check(p, NULL));
        }
        cn_cid kept = cid_of(7);
        CHECK_OK(cn_pins_set(p, &kept, CN_PIN_DIRECT, cn_str("renamed"), NULL));
        CHECK_OK(cn_pins_check(p, NULL));
        cn_pins_close(p);
        cn_store_close(s);
        cn_slice what = round == 0 ? cn_cid_bytes(&kept) : cn_str("renamed");
        CHECK(spoil(file_in(dir, "pins.mdb"), what, what.len - 1) > 0);
        s = open_store(dir);
        CHECK_OK(cn_pins_open(s, &p, NULL));
        CHECK_ERR(cn_pins_check(p, &why), CN_ERR_CORRUPT);
        CHECK(strstr(why.text, "pins.mdb are damaged") != NULL);
        cn_pins_close(p);
        cn_store_close(s);
    }
}

int main(void)
{
    if (cn_rt_os_new(1, &rt) != CN_OK) {
        return 1;
    }
    TEST(pins_stay);
    TEST(changes_are_made_all_or_none);
    TEST(a_hundred_thousand);
    TEST(damage_is_noticed);
    cn_rt_os_free(rt);
    return test_end();
}
