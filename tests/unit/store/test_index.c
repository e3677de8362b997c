/*
 * The index in LMDB: it grows when its map is full, it is found out when it says what cannot be.
 */
#include "store/index.h"
#include "store/pin.h"
#include "unit/store/store_lib.h"

#include <unistd.h>

enum { MAP_BYTES = 64 << 10, MANY = 20000, BLOCK = 64 };

typedef struct counting {
    uint8_t digest[CN_SHA256_BYTES];
    uint64_t from, to;
} counting;

static bool next(void *ctx, size_t i, cn_index_change *ret)
{
    counting *c = ctx;
    uint64_t n = c->from + i;
    if (n >= c->to) {
        return false;
    }
    cn_sha256(cn_slice_of(&n, sizeof n), c->digest);
    ret->key = cn_slice_of(c->digest, sizeof c->digest);
    ret->place = (cn_place){.segment = 1, .offset = n, .len = 1, .ordinal = 1, .form = 1};
    return true;
}

static cn_index *open_index(const char *dir, size_t map_bytes)
{
    cn_index *x = NULL;
    cn_why why = {0};
    cn_index_options options = {
        .mem = cn_mem_default(),
        .rt = rt,
        .path = file_in(dir, "index.mdb"),
        .aside = file_in(dir, "index.bad"),
        .map_bytes = map_bytes,
    };
    if (!CHECK_OK(cn_index_open_lmdb(&options, &x, &why))) {
        printf("  %s\n", why.text);
        exit(1);
    }
    return x;
}

/* One transaction of ten times the map, then small ones; all is there, also after opening again. */
static void the_map_grows(void)
{
    const char *dir = fresh_dir();
    cn_index *x = open_index(dir, MAP_BYTES);
    uint64_t count = 0;
    for (uint64_t n = 0; n < MANY; n += n == 0 ? MANY / 2 : 1000) {
        counting c = {.from = n, .to = n == 0 ? MANY / 2 : n + 1000};
        cn_index_batch batch = {.changes = next, .ctx = &c};
        CHECK_OK(cn_index_apply(x, &batch));
    }
    CHECK(cn_index_bytes(x) > 4 * (uint64_t)MAP_BYTES);
    cn_index_close(x);
    x = open_index(dir, MAP_BYTES);
    CHECK_OK(cn_index_count(x, &count));
    CHECK_EQ(count, MANY);
    for (uint64_t n = 0; n < MANY; n += 37) {
        counting c = {.from = n, .to = n + 1};
        cn_index_change change = {0};
        cn_place place = {0};
        CHECK(next(&c, 0, &change));
        CHECK_OK(cn_index_get(x, change.key, &place));
        CHECK_EQ(place.offset, n);
    }
    cn_index_close(x);
}

/* The same below a store: puts, pins and the root of the file tree go on. */
static void a_store_in_small_maps_grows(void)
{
    const char *dir = fresh_dir();
    cn_store *s = NULL;
    cn_pins *p = NULL;
    cn_store_options options = options_for(dir);
    static cn_pin_change changes[512];
    static cn_cid cids[512];
    uint64_t pinned = 0;
    options.map_bytes = MAP_BYTES;
    if (!CHECK_OK(cn_store_open(&options, &s, NULL)) || !CHECK_OK(cn_pins_open(s, &p, NULL))) {
        return;
    }
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned n = 0; n < CN_LEN(cids); n++) {
            unsigned number = round * (unsigned)CN_LEN(cids) + n;
            CHECK_OK(put_block(s, number, BLOCK));
            (void)block_of(number, BLOCK, &cids[n]);
            changes[n] = (cn_pin_change){
                &cids[n], CN_PIN_RECURSIVE, cn_str("a name that takes room in the file of pins")};
        }
        CHECK_OK(cn_store_flush(s, NULL));
        CHECK_OK(cn_pins_apply(p, changes, CN_LEN(changes), NULL));
        CHECK_OK(cn_pins_root_set(p, &cids[0], NULL));
    }
    CHECK_OK(cn_pins_count(p, CN_PIN_ANY, &pinned));
    CHECK_EQ(pinned, 8 * CN_LEN(cids));
    cn_pins_close(p);
    cn_store_close(s);
    s = open_store(dir);
    for (unsigned n = 0; n < 8 * CN_LEN(cids); n++) {
        CHECK_OK(get_block(s, n, BLOCK));
    }
    cn_store_close(s);
}

/* Gives one change. */
static bool one_change(void *ctx, size_t i, cn_index_change *ret)
{
    if (i == 0) {
        *ret = *(const cn_index_change *)ctx;
    }
    return i == 0;
}

/* Places that cannot be: said, set aside, made anew at the next open. */
static void a_wrong_place_is_found_out(void)
{
    const char *dir = fresh_dir();
    const cn_place wrong[] = {
        {.segment = 77, .offset = 100, .len = 9, .ordinal = 1, .form = 1},
        {.segment = 1, .offset = 1 << 30, .len = 9, .ordinal = 1, .form = 1},
        {.segment = 1, .offset = 100, .len = 9, .ordinal = 1 << 20, .form = 1},
    };
    cn_store *s = open_store(dir);
    cn_cid cid;
    bool held = false;
    for (unsigned n = 0; n < 10; n++) {
        CHECK_OK(put_block(s, n, BLOCK));
    }
    cn_store_close(s);
    (void)block_of(3, BLOCK, &cid);
    for (size_t i = 0; i < CN_LEN(wrong); i++) {
        cn_index *x = open_index(dir, 0);
        cn_index_change change = {cn_slice_skip(cn_cid_key(&cid), 2), wrong[i]}; /* the digest */
        cn_index_batch batch = {.changes = one_change, .ctx = &change};
        CHECK_OK(cn_index_apply(x, &batch));
        cn_index_close(x);
        s = open_store(dir);
        CHECK(cn_store_has(s, &cid, &held) == CN_ERR_CORRUPT);
        CHECK(access(file_in(dir, "index.bad"), F_OK) == 0);
        CHECK_OK(put_block(s, 20 + i, BLOCK)); /* kept in its segment, whatever the index says */
        CHECK(cn_store_flush(s, NULL) == CN_ERR_CORRUPT);
        cn_store_close(s);
        s = open_store(dir);
        for (unsigned n = 0; n < 10; n++) {
            CHECK_OK(get_block(s, n, BLOCK));
        }
        CHECK_OK(get_block(s, 20 + i, BLOCK));
        CHECK(access(file_in(dir, "index.bad"), F_OK) != 0);
        cn_store_close(s);
    }
}

int main(void)
{
    if (cn_rt_os_new(2, &rt) != CN_OK) {
        return 1;
    }
    TEST(the_map_grows);
    TEST(a_store_in_small_maps_grows);
    TEST(a_wrong_place_is_found_out);
    cn_rt_os_free(rt);
    return test_end();
}
