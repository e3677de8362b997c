#include "store/pending.h"

#include "base/prng.h"
#include "lib/test.h"

/* Key number `n` of 1 to CN_KEY_MAX_BYTES bytes: the number, then zeros. */
static cn_key key_of(uint32_t n, size_t len)
{
    cn_key key = {.len = (uint8_t)len};
    for (size_t i = 0; i < 4 && i < len; i++) {
        key.bytes[i] = (uint8_t)(n >> (24 - 8 * i));
    }
    return key;
}

static cn_place place_of(uint32_t n)
{
    return (cn_place){.segment = 1, .offset = 1000ull * n, .len = n, .ordinal = n, .form = 1};
}

static cn_err add(cn_pending *p, uint32_t n, size_t len)
{
    cn_key key = key_of(n, len);
    cn_place place = place_of(n);
    return cn_pending_add(p, cn_key_slice(&key), &place);
}

static bool has(const cn_pending *p, uint32_t n, size_t len)
{
    cn_key key = key_of(n, len);
    cn_place want = place_of(n);
    cn_place place = {0};
    bool found = cn_pending_get(p, cn_key_slice(&key), &place);
    if (found) {
        CHECK(cn_place_eq(&place, &want));
        CHECK_EQ(place.ordinal, n);
    }
    return found;
}

static void an_empty_one_has_nothing(void)
{
    cn_pending p;
    uint32_t *order = NULL;
    cn_pending_init(&p, cn_mem_default());
    CHECK(!has(&p, 1, 32));
    cn_pending_cut(&p, 0);
    CHECK_OK(cn_pending_sort(&p, &order));
    cn_free(cn_mem_default(), order);
    cn_pending_release(&p);
    cn_pending_release(&p);
}

static void keys_of_every_length_come_back(void)
{
    cn_pending p;
    cn_pending_init(&p, cn_mem_default());
    for (uint32_t len = 4; len <= CN_KEY_MAX_BYTES; len++) {
        CHECK_OK(add(&p, len, len));
    }
    for (uint32_t len = 4; len <= CN_KEY_MAX_BYTES; len++) {
        CHECK(has(&p, len, len));
        CHECK(!has(&p, len, len == 4 ? 5 : len - 1)); /* one a beginning of the other */
    }
    cn_pending_release(&p);
}

static void takes_as_many_as_it_says_and_no_more(void)
{
    cn_pending p;
    uint32_t *order = NULL;
    cn_slice key, last = {0};
    cn_place place;
    cn_pending_init(&p, cn_mem_default());
    for (uint32_t n = CN_PENDING_MAX; n-- > 0;) {
        if (!CHECK_OK(add(&p, n, 32))) {
            break;
        }
    }
    CHECK_ERR(add(&p, CN_PENDING_MAX, 32), CN_ERR_TOO_LARGE);
    CHECK(!has(&p, CN_PENDING_MAX, 32));
    CHECK_EQ(p.len, CN_PENDING_MAX);
    CHECK(has(&p, 0, 32));
    CHECK(has(&p, CN_PENDING_MAX - 1, 32));
    CHECK_OK(cn_pending_sort(&p, &order));
    bool sorted = true;
    for (size_t i = 0; i < p.len; i++) {
        cn_pending_at(&p, order[i], &key, &place);
        sorted = sorted && cn_slice_cmp(last, key) < 0 && place.ordinal == i;
        last = key;
    }
    CHECK(sorted);
    cn_free(cn_mem_default(), order);
    cn_pending_release(&p);
}

static void a_moved_one_is_found_at_its_new_place(void)
{
    cn_pending p;
    cn_key key = key_of(5, 32);
    cn_place to = place_of(77);
    cn_place back = {0};
    cn_pending_init(&p, cn_mem_default());
    for (uint32_t n = 0; n < 10; n++) {
        CHECK_OK(add(&p, n, 32));
    }
    cn_pending_move(&p, cn_key_slice(&key), &to);
    CHECK(cn_pending_get(&p, cn_key_slice(&key), &back));
    CHECK(cn_place_eq(&back, &to));
    CHECK(has(&p, 4, 32));
    CHECK(has(&p, 6, 32));
    CHECK_EQ(p.len, 10);
    cn_pending_release(&p);
}

/* Adds and cuts at random; after each the same is found as in a plain table. */
static void cuts_leave_the_rest_findable(void)
{
    enum { KEYS = 500, ROUNDS = 400 };
    cn_pending p;
    static uint32_t added[100000];
    static bool there[KEYS];
    cn_prng prng;
    cn_pending_init(&p, cn_mem_default());
    cn_prng_init(&prng, 7);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t more = cn_prng_below(&prng, 60);
        for (uint64_t i = 0; i < more; i++) {
            uint32_t n = (uint32_t)cn_prng_below(&prng, KEYS);
            if (!there[n]) {
                added[p.len] = n;
                CHECK_OK(add(&p, n, 32 + n % 4));
                there[n] = true;
            }
        }
        size_t keep = (size_t)cn_prng_below(&prng, p.len + 1);
        for (size_t i = keep; i < p.len; i++) {
            there[added[i]] = false;
        }
        cn_pending_cut(&p, keep);
        bool same = p.len == keep;
        for (uint32_t n = 0; n < KEYS; n++) {
            same = same && has(&p, n, 32 + n % 4) == there[n];
        }
        if (!CHECK(same)) {
            break;
        }
    }
    cn_pending_release(&p);
}

static cn_err fill(cn_mem *mem)
{
    enum { COUNT = 3000 }; /* three pieces, several sizes of the table */
    cn_pending p;
    uint32_t *order = NULL;
    cn_err err = CN_OK;
    size_t len = 0;
    cn_pending_init(&p, mem);
    for (uint32_t n = 0; n < COUNT && err == CN_OK; n++) {
        err = add(&p, n, 64);
        len += err == CN_OK;
    }
    /* what was added before the failure is there, what failed is not */
    CHECK_EQ(p.len, len);
    CHECK(len == 0 || has(&p, (uint32_t)len - 1, 64));
    CHECK(!has(&p, (uint32_t)len, 64));
    CN_TRY(err);
    CN_TRY(cn_pending_sort(&p, &order));
out:
    cn_free(mem, order);
    cn_pending_release(&p);
    return err;
}

static void out_of_memory(void)
{
    test_out_of_memory(fill);
}

/* A failure that goes by does no harm: the same add may be tried again. */
static void goes_on_after_a_failure(void)
{
    cn_mem mem;
    cn_pending p;
    cn_mem_init(&mem, 0);
    cn_pending_init(&p, &mem);
    for (uint32_t n = 0; n < 3000; n++) {
        atomic_store(&mem.fail_after, 1);
        cn_err err = add(&p, n, 64);
        atomic_store(&mem.fail_after, 0);
        if (err != CN_OK) {
            CHECK_ERR(err, CN_ERR_NO_MEMORY);
            CHECK(!has(&p, n, 64));
            CHECK_OK(add(&p, n, 64));
        }
    }
    for (uint32_t n = 0; n < 3000; n++) {
        CHECK(has(&p, n, 64));
    }
    cn_pending_release(&p);
    CHECK_EQ(atomic_load(&mem.used_bytes), 0);
}

int main(void)
{
    TEST(an_empty_one_has_nothing);
    TEST(keys_of_every_length_come_back);
    TEST(takes_as_many_as_it_says_and_no_more);
    TEST(a_moved_one_is_found_at_its_new_place);
    TEST(cuts_leave_the_rest_findable);
    TEST(out_of_memory);
    TEST(goes_on_after_a_failure);
    return test_end();
}
