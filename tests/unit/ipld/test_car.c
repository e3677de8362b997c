#include "ipld/car.h"

#include "lib/test.h"

#include <jansson.h>
#include <stdio.h>

enum { BLOCK_MAX = 4 << 20 };

typedef struct result {
    cn_err err;
    unsigned version;
    size_t roots, blocks, mismatches, block_bytes;
} result;

/* Read an archive that arrives in pieces of `piece` bytes. */
static result read_car(cn_mem *mem, cn_slice file, size_t piece, size_t block_max)
{
    cn_car car;
    cn_car_event event = {0};
    result r = {0};
    cn_car_init(&car, mem, block_max);
    while (r.err == CN_OK && file.len > 0) {
        cn_slice in = cn_slice_head(file, piece);
        file = cn_slice_skip(file, in.len);
        do {
            r.err = cn_car_next(&car, &in, &event, NULL);
            if (r.err == CN_OK && event.kind == CN_CAR_BLOCK) {
                cn_multihash mh = cn_cid_multihash(&event.cid);
                r.blocks++;
                r.block_bytes += event.data.len;
                r.mismatches += cn_multihash_verify(&mh, event.data) != CN_OK;
            }
        } while (r.err == CN_OK && event.kind != CN_CAR_MORE);
        CHECK(r.err != CN_OK || in.len == 0);
    }
    r.err = r.err == CN_OK ? cn_car_finish(&car, NULL) : r.err;
    r.version = car.version;
    r.roots = car.roots_len;
    cn_car_release(&car);
    cn_car_release(&car);
    return r;
}

static bool same(result a, result b)
{
    return a.err == b.err && a.version == b.version && a.roots == b.roots && a.blocks == b.blocks &&
           a.mismatches == b.mismatches && a.block_bytes == b.block_bytes;
}

/* The archive reads as its entry in the index of fixtures says, in whatever pieces it comes. */
static void check_file(const char *name, const json_t *about)
{
    cn_buf b;
    if (!test_fixture(name, &b)) {
        return;
    }
    result r = read_car(cn_mem_default(), cn_buf_slice(&b), b.len, BLOCK_MAX);
    if (!CHECK_OK(r.err) ||
        !CHECK_EQ(r.blocks, json_number_value(json_object_get(about, "blocks"))) ||
        !CHECK_EQ(r.version, json_number_value(json_object_get(about, "version"))) ||
        !CHECK_EQ(r.mismatches, json_number_value(json_object_get(about, "hash_mismatches")))) {
        printf("  %s\n", name);
    }
    static const size_t pieces[] = {1, 2, 13, 1000, 65536};
    for (size_t i = 0; i < CN_LEN(pieces); i++) {
        CHECK(same(r, read_car(cn_mem_default(), cn_buf_slice(&b), pieces[i], BLOCK_MAX)));
    }
    cn_buf_release(&b);
}

static void published_archives(void)
{
    static const char *const good[] = {
        "car/ipld-specs/carv1-basic.car",        "car/ipld-specs/carv2-basic.car",
        "car/go-car-v2/sample-v1.car",           "car/go-car-v2/sample-wrapped-v2.car",
        "car/go-car-v2/sample-v2-indexless.car", "car/go-car-v2/sample-rw-bs-v2.car",
        "car/go-car-v2/sample-unixfs-v2.car",    "car/go-car-cmd/simple-unixfs.car",
        "car/ipfs-car/missing-root-block.car"};
    cn_buf b;
    if (!test_fixture("car-index.json", &b)) {
        return;
    }
    json_t *root = json_loadb((const char *)b.data, b.len, JSON_DECODE_INT_AS_REAL, NULL);
    CHECK(root != NULL);
    for (size_t i = 0; i < CN_LEN(good); i++) {
        const json_t *about = json_object_get(root, good[i]);
        if (CHECK(about != NULL)) {
            check_file(good[i], about);
        }
    }
    json_decref(root);
    cn_buf_release(&b);
}

static void broken_archives_are_refused(void)
{
    static const char *const bad[] = {
        "car/go-car-cmd/badsectionlength.car", "car/go-car-v2/sample-corrupt-pragma.car",
        "car/go-car-v2/sample-v1-tailing-corrupt-section.car",
        "car/go-car-v2/sample-rootless-v42.car", "car/go-car-cmd/badheaderlength.car"};
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        cn_buf b;
        if (!test_fixture(bad[i], &b)) {
            return;
        }
        result r = read_car(cn_mem_default(), cn_buf_slice(&b), b.len, BLOCK_MAX);
        if (!CHECK(r.err != CN_OK)) {
            printf("  %s\n", bad[i]);
        }
        CHECK(same(r, read_car(cn_mem_default(), cn_buf_slice(&b), 1, BLOCK_MAX)));
        cn_buf_release(&b);
    }
}

/* {"roots": [], "version": 1}, then identity blocks "a" and "". */
#define HEADER "11a265726f6f7473806776657273696f6e01"
#define BLOCK_A "06015500016161"
#define BLOCK_EMPTY "0401550000"

static result read_hex(const char *hex)
{
    cn_slice file = test_hex(hex);
    result r = read_car(cn_mem_default(), file, file.len, BLOCK_MAX);
    CHECK(same(r, read_car(cn_mem_default(), file, 1, BLOCK_MAX)));
    return r;
}

static void archives_made_by_hand(void)
{
    result r = read_hex(HEADER BLOCK_A BLOCK_EMPTY);
    CHECK_ERR(r.err, CN_OK);
    CHECK_EQ(r.blocks, 2);
    CHECK_EQ(r.roots, 0);
    CHECK_EQ(r.block_bytes, 1);
    CHECK_ERR(read_hex(HEADER).err, CN_OK);
    CHECK_ERR(read_hex("").err, CN_ERR_TRUNCATED);
    CHECK_ERR(read_hex("00").err, CN_ERR_TRUNCATED);
    CHECK_ERR(read_hex(HEADER "03015512").err, CN_ERR_TRUNCATED);         /* ends inside its CID */
    CHECK_ERR(read_hex(HEADER "8600015500016161").err, CN_ERR_MALFORMED); /* length not shortest */
    CHECK_ERR(read_hex(HEADER "ffffffffffffffff7f").err, CN_ERR_TOO_LARGE);
    CHECK_ERR(read_hex("ffffffffffffffff7f").err, CN_ERR_TOO_LARGE);
    /* version 3; no version; no map; roots that are no links */
    CHECK_ERR(read_hex("11a265726f6f7473806776657273696f6e03").err, CN_ERR_UNSUPPORTED);
    CHECK_ERR(read_hex("08a165726f6f747380").err, CN_ERR_UNSUPPORTED);
    CHECK_ERR(read_hex("0101").err, CN_ERR_MALFORMED);
    CHECK_ERR(read_hex("12a265726f6f747381016776657273696f6e01").err, CN_ERR_MALFORMED);
}

static void cut_anywhere_it_is_truncated(void)
{
    cn_slice file = test_hex(HEADER BLOCK_A BLOCK_EMPTY);
    for (size_t len = 0; len < file.len; len++) {
        bool whole = len == 18 || len == 18 + 7;
        result r = read_car(cn_mem_default(), cn_slice_head(file, len), 5, BLOCK_MAX);
        CHECK_ERR(r.err, whole ? CN_OK : CN_ERR_TRUNCATED);
    }
}

static void blocks_are_bounded(void)
{
    enum { MAX = 1000 };
    for (size_t len = MAX; len <= MAX + 200; len += 200) {
        cn_buf b;
        uint8_t digest[CN_DIGEST_MAX_BYTES];
        static const uint8_t zeros[MAX + 200];
        size_t digest_len = 0;
        cn_buf_init(&b, cn_mem_default(), 1 << 16);
        CHECK_OK(cn_multihash_sum(CN_MH_SHA2_256, 0, cn_slice_of(zeros, len), digest, &digest_len));
        CHECK_OK(cn_buf_append(&b, test_hex(HEADER)));
        uint8_t prefix[] = {
            (uint8_t)((len + 36) | 0x80), (uint8_t)((len + 36) >> 7), 1, 0x55, 0x12, 32};
        CHECK_OK(cn_buf_append(&b, cn_slice_of(prefix, sizeof prefix)));
        CHECK_OK(cn_buf_append(&b, cn_slice_of(digest, digest_len)));
        CHECK_OK(cn_buf_append(&b, cn_slice_of(zeros, len)));
        result r = read_car(cn_mem_default(), cn_buf_slice(&b), 100, MAX);
        CHECK_ERR(r.err, len <= MAX ? CN_OK : CN_ERR_TOO_LARGE);
        CHECK_EQ(r.mismatches, 0);
        cn_buf_release(&b);
    }
}

static cn_buf whole;

static cn_err read_whole(cn_mem *mem)
{
    return read_car(mem, cn_buf_slice(&whole), 50, BLOCK_MAX).err;
}

static void out_of_memory(void)
{
    if (test_fixture("car/ipld-specs/carv2-basic.car", &whole)) {
        test_out_of_memory(read_whole);
        cn_buf_release(&whole);
    }
}

int main(void)
{
    TEST(published_archives);
    TEST(broken_archives_are_refused);
    TEST(archives_made_by_hand);
    TEST(cut_anywhere_it_is_truncated);
    TEST(blocks_are_bounded);
    TEST(out_of_memory);
    return test_end();
}
