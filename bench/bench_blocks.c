/*
 * Fills a store with a great many tiny raw blocks, and measures opening it and reading from it at
 * random. Block n is 16 bytes made of n, so nothing has to be remembered of what was put.
 *
 *     bench_blocks make STORE BLOCKS               puts blocks 0 to BLOCKS - 1
 *     bench_blocks cids BLOCKS COUNT               prints CIDs of COUNT of them, at random
 *     bench_blocks get STORE BLOCKS COUNT          opens, gets COUNT at random, each verified
 *     bench_blocks get-unverified ...              the same, not verified
 *
 * STORE is the folder "store" of a repo, or a new one. Figures are printed as "name value".
 */
#include "base/prng.h"
#include "crypto/sha256.h"
#include "rt_os/rt_os.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 512, BLOCK_BYTES = 16, SEED = 7 };

typedef struct tiny_block {
    uint8_t bytes[BLOCK_BYTES];
} tiny_block;

static cn_rt *rt;

static double seconds(void)
{
    return (double)cn_rt_now(rt).ns / 1e9;
}

static void must(cn_err err, const cn_why *why, const char *what)
{
    if (err != CN_OK) {
        (void)fprintf(stderr, "%s: %s\n", what, cn_why_text(why, err));
        exit(1);
    }
}

static tiny_block block_of(uint64_t n)
{
    tiny_block b;
    char text[32];
    (void)snprintf(text, sizeof text, "block %010" PRIu64, n);
    cn_copy(b.bytes, text, BLOCK_BYTES);
    return b;
}

static cn_cid cid_of(const uint8_t digest[CN_SHA256_BYTES])
{
    cn_cid cid;
    cn_multihash mh = {CN_MH_SHA2_256, {digest, CN_SHA256_BYTES}};
    must(cn_cid_make(1, CN_CODEC_RAW, &mh, &cid), NULL, "cid");
    return cid;
}

static cn_cid cid_of_number(uint64_t n)
{
    uint8_t digest[CN_SHA256_BYTES];
    tiny_block b = block_of(n);
    cn_sha256((cn_slice){b.bytes, BLOCK_BYTES}, digest);
    return cid_of(digest);
}

static cn_store *open_store(const char *dir, cn_store_policy policy)
{
    cn_store *s = NULL;
    cn_why why = {0};
    cn_store_options options = {.mem = cn_mem_default(), .rt = rt, .dir = dir, .policy = policy};
    double start = seconds();
    must(cn_store_open(&options, &s, &why), &why, "open");
    printf("open_ms %.3f\n", 1e3 * (seconds() - start));
    return s;
}

static void put_batch(cn_store *s, uint64_t first, size_t len)
{
    static tiny_block blocks[BATCH];
    static cn_slice data[BATCH];
    static uint8_t digests[BATCH][CN_SHA256_BYTES];
    static cn_cid cids[BATCH];
    static cn_store_put items[BATCH];
    cn_why why = {0};
    for (size_t i = 0; i < len; i++) {
        blocks[i] = block_of(first + i);
        data[i] = (cn_slice){blocks[i].bytes, BLOCK_BYTES};
    }
    cn_sha256_many(data, digests, len);
    for (size_t i = 0; i < len; i++) {
        cids[i] = cid_of(digests[i]);
        items[i] = (cn_store_put){&cids[i], data[i]};
    }
    must(cn_store_put_many(s, items, len, &why), &why, "put");
}

static void make(const char *dir, uint64_t blocks)
{
    cn_why why = {0};
    cn_store_stats stats;
    cn_store *s = open_store(dir, CN_STORE_NEVER);
    double start = seconds();
    for (uint64_t n = 0; n < blocks; n += BATCH) {
        put_batch(s, n, (size_t)CN_MIN(blocks - n, (uint64_t)BATCH));
    }
    must(cn_store_flush(s, &why), &why, "flush");
    printf("puts_per_s %.0f\n", (double)blocks / (seconds() - start));
    must(cn_store_stat(s, &stats), NULL, "stat");
    printf("repo_mib %.1f\n", (double)stats.repo_bytes / (1 << 20));
    cn_store_close(s);
}

static void get(const char *dir, uint64_t blocks, size_t count, cn_store_policy policy)
{
    cn_cid *cids = cn_alloc_array(cn_mem_default(), count, sizeof *cids);
    cn_prng random;
    cn_buf data;
    cn_why why = {0};
    cn_prng_init(&random, SEED);
    cn_buf_init(&data, cn_mem_default(), CN_STORE_BLOCK_MAX_BYTES);
    for (size_t i = 0; i < count; i++) {
        cids[i] = cid_of_number(cn_prng_below(&random, blocks));
    }
    cn_store *s = open_store(dir, policy);
    double start = seconds();
    for (size_t i = 0; i < count; i++) {
        must(cn_blocks_get(cn_store_blocks(s), &cids[i], &data, &why), &why, "get");
    }
    printf("get_us %.3f\n", 1e6 * (seconds() - start) / (double)count);
    cn_store_close(s);
    cn_buf_release(&data);
    cn_free(cn_mem_default(), cids);
}

static void print_cids(uint64_t blocks, size_t count)
{
    char text[CN_CID_TEXT_BYTES];
    cn_prng random;
    cn_prng_init(&random, SEED);
    for (size_t i = 0; i < count; i++) {
        cn_cid cid = cid_of_number(cn_prng_below(&random, blocks));
        (void)puts(cn_cid_text(&cid, text));
    }
}

int main(int argc, char **argv)
{
    uint64_t numbers[2] = {0};
    const char *what = argc > 1 ? argv[1] : "";
    bool cids = strcmp(what, "cids") == 0;
    for (int i = cids ? 2 : 3; i < argc && i < (cids ? 4 : 5); i++) {
        numbers[i - (cids ? 2 : 3)] = strtoull(argv[i], NULL, 10);
    }
    if (numbers[0] == 0 || cn_rt_os_new(0, &rt) != CN_OK) {
        (void)fprintf(stderr, "usage: bench_blocks make|cids|get|get-unverified ...\n");
        return 2;
    }
    if (cids) {
        print_cids(numbers[0], (size_t)numbers[1]);
    } else if (strcmp(what, "make") == 0) {
        make(argv[2], numbers[0]);
    } else {
        bool verify = strcmp(what, "get") == 0;
        cn_store_policy policy = verify ? CN_STORE_EVERY_READ : CN_STORE_NEVER;
        get(argv[2], numbers[0], (size_t)numbers[1], policy);
    }
    cn_rt_os_free(rt);
    return 0;
}
