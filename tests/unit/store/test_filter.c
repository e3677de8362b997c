#include "store/filter.h"

#include "lib/test.h"
#include "store/index.h"
#include "unit/store/store_lib.h"

enum { KEYS = 200000 };

static cn_slice key_of(uint64_t n, uint8_t out[32])
{
    cn_prng prng;
    cn_prng_init(&prng, n);
    for (size_t i = 0; i < 32; i += 8) {
        uint64_t v = cn_prng_u64(&prng);
        cn_copy(out + i, &v, 8);
    }
    return cn_slice_of(out, 32);
}

static void knows_nothing_at_first(void)
{
    cn_filter f = {0};
    uint8_t key[32];
    CHECK(!cn_filter_lacks(&f, key_of(1, key)));
    cn_filter_add(&f, key_of(1, key));
    CHECK(!cn_filter_lacks(&f, key_of(2, key)));
    cn_filter_release(&f, cn_mem_default());
}

static void never_denies_a_key_and_seldom_misses_a_stranger(void)
{
    cn_filter f = {0};
    _Atomic(uint64_t) *bits = NULL;
    uint8_t key[32];
    unsigned strangers = 0;
    CHECK_OK(cn_filter_prepare(cn_mem_default(), &bits));
    for (uint64_t n = 0; n < KEYS / 2; n++) {
        cn_filter_add_to(bits, key_of(n, key));
    }
    cn_filter_use(&f, bits);
    for (uint64_t n = KEYS / 2; n < KEYS; n++) {
        cn_filter_add(&f, key_of(n, key));
    }
    for (uint64_t n = 0; n < KEYS; n++) {
        CHECK(!cn_filter_lacks(&f, key_of(n, key)));
        strangers += cn_filter_lacks(&f, key_of(n + KEYS, key));
    }
    CHECK(strangers > KEYS / 100 * 99);
    cn_filter_release(&f, cn_mem_default());
    CHECK(!cn_filter_lacks(&f, key_of(KEYS, key)));
}

/* Multihashes that are kept whole begin alike and may end in zeroes. */
static void all_of_a_key_counts(void)
{
    cn_filter f = {0};
    _Atomic(uint64_t) *bits = NULL;
    uint8_t key[CN_KEY_MAX_BYTES] = {0};
    unsigned lacked = 0;
    CHECK_OK(cn_filter_prepare(cn_mem_default(), &bits));
    cn_filter_use(&f, bits);
    cn_filter_add(&f, cn_slice_of(key, 33));
    for (size_t i = 0; i < 33; i++) {
        key[i] = 1;
        lacked += cn_filter_lacks(&f, cn_slice_of(key, 33));
        key[i] = 0;
    }
    lacked += cn_filter_lacks(&f, cn_slice_of(key, 34));
    CHECK_EQ(lacked, 34);
    CHECK(!cn_filter_lacks(&f, cn_slice_of(key, 33)));
    cn_filter_release(&f, cn_mem_default());
}

static void is_made_where_it_pays(void)
{
    cn_filter f = {0};
    for (uint64_t n = 0; n < CN_FILTER_MISSES_LEAST; n++) {
        CHECK(!cn_filter_is_due(&f, 0));
        cn_filter_note_miss(&f);
    }
    CHECK(cn_filter_is_due(&f, 0));
    CHECK(cn_filter_is_due(&f, CN_FILTER_MISSES_LEAST));
    CHECK(!cn_filter_is_due(&f, CN_FILTER_KEYS_MAX));
    for (uint64_t n = 0; n < CN_FILTER_KEYS_MAX / 16; n++) {
        cn_filter_note_miss(&f);
    }
    CHECK(cn_filter_is_due(&f, CN_FILTER_KEYS_MAX));
    CHECK(!cn_filter_is_due(&f, CN_FILTER_KEYS_MAX + 1));
}

static void needs_memory(void)
{
    _Atomic(uint64_t) *bits = NULL;
    cn_mem *mem = cn_mem_default();
    mem->fail_after = 1;
    CHECK_ERR(cn_filter_prepare(mem, &bits), CN_ERR_NO_MEMORY);
    CHECK(bits == NULL);
    cn_filter_drop(mem, NULL);
}

/* More new blocks than a filter takes to be made: found, found again after a delete, and not twice.
 */
static void a_store_with_one_finds_its_blocks(void)
{
    enum { COUNT = CN_FILTER_MISSES_LEAST + 30000, LEN = 16, BATCH = 500 };
    cn_store *s = open_store(fresh_dir());
    cn_store_stats stats;
    for (int round = 0; round < 2; round++) {
        for (uint64_t n = 0; n < COUNT; n++) {
            CHECK_OK(put_block(s, n, LEN));
            if (n % (CN_FILTER_MISSES_LEAST / 4) == 0) {
                CHECK_OK(cn_store_flush(s, NULL));
            }
        }
        CHECK_OK(cn_store_stat(s, &stats));
        CHECK_EQ(stats.blocks, COUNT);
    }
    CHECK_ERR(get_block(s, COUNT, LEN), CN_ERR_NOT_FOUND);
    for (uint64_t n = 0; n < COUNT; n += 999) {
        CHECK_OK(get_block(s, n, LEN));
        CHECK_OK(delete_block(s, n, LEN));
        CHECK_ERR(get_block(s, n, LEN), CN_ERR_NOT_FOUND);
        CHECK_OK(put_block(s, n, LEN));
        CHECK_OK(cn_store_flush(s, NULL));
        CHECK_OK(get_block(s, n, LEN));
    }
    cn_store_close(s);
}

int main(void)
{
    if (cn_rt_os_new(2, &rt) != CN_OK) {
        return 1;
    }
    TEST(knows_nothing_at_first);
    TEST(never_denies_a_key_and_seldom_misses_a_stranger);
    TEST(all_of_a_key_counts);
    TEST(is_made_where_it_pays);
    TEST(needs_memory);
    TEST(a_store_with_one_finds_its_blocks);
    cn_rt_os_free(rt);
    return test_end();
}
