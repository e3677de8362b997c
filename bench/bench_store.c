/*
 * Measures the block store alone: durable puts, reads, opening. Prints one line per figure.
 * Usage: bench_store DIR [BLOCKS BLOCK_BYTES]. DIR must not exist; it is left behind.
 */
#include "crypto/sha256.h"
#include "rt_os/rt_os.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { BATCH = 64, BATCH_BYTES_MAX = 8 << 20 };

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

static cn_cid cid_of(uint64_t n)
{
    cn_cid cid;
    uint8_t digest[CN_SHA256_BYTES];
    cn_sha256(cn_slice_of(&n, sizeof n), digest);
    cn_multihash mh = {CN_MH_SHA2_256, {digest, sizeof digest}};
    must(cn_cid_make(1, CN_CODEC_RAW, &mh, &cid), NULL, "cid");
    return cid;
}

static cn_store *open_store(const char *dir)
{
    cn_store *s = NULL;
    cn_why why = {0};
    cn_store_options options = {
        .mem = cn_mem_default(), .rt = rt, .dir = dir, .policy = CN_STORE_NEVER};
    double start = seconds();
    must(cn_store_open(&options, &s, &why), &why, "open");
    printf("open %.2f ms\n", 1e3 * (seconds() - start));
    return s;
}

static void put_all(cn_store *s, uint64_t blocks, size_t len)
{
    static cn_cid cids[BATCH];
    static cn_store_put items[BATCH];
    cn_why why = {0};
    size_t batch = CN_MAX((size_t)1, CN_MIN((size_t)BATCH, BATCH_BYTES_MAX / len));
    uint8_t *data = cn_alloc(cn_mem_default(), len);
    double making = 0;
    double start = seconds();
    for (uint64_t n = 0; n < blocks;) {
        double before = seconds();
        size_t count = 0;
        for (; count < batch && n < blocks; count++, n++) {
            cids[count] = cid_of(n);
            items[count] = (cn_store_put){&cids[count], {data, len}};
        }
        making += seconds() - before;
        must(cn_store_put_many(s, items, count, &why), &why, "put");
    }
    double put = seconds() - start - making;
    must(cn_store_flush(s, &why), &why, "flush");
    double all = seconds() - start - making;
    printf(
        "put %" PRIu64 " x %zu: %.0f/s put, %.0f/s durable, %.0f MiB/s durable\n", blocks, len,
        (double)blocks / put, (double)blocks / all, (double)blocks * (double)len / all / (1 << 20));
    cn_free(cn_mem_default(), data);
}

static void read_all(cn_store *s, uint64_t blocks, size_t len)
{
    uint64_t reads = CN_MIN(blocks, (uint64_t)200000);
    cn_cid *cids = cn_alloc_array(cn_mem_default(), reads, sizeof *cids);
    uint8_t *data = cn_alloc(cn_mem_default(), len);
    cn_place place;
    for (uint64_t i = 0; i < reads; i++) {
        cids[i] = cid_of(i * 7919 % blocks);
    }
    double start = seconds();
    for (uint64_t i = 0; i < reads; i++) {
        must(cn_store_find(s, cn_cid_key(&cids[i]), &place), NULL, "find");
    }
    double middle = seconds();
    for (uint64_t i = 0; i < reads; i++) {
        must(cn_store_find(s, cn_cid_key(&cids[i]), &place), NULL, "find");
        must(cn_store_read(s, &place, 0, data, place.len), NULL, "read");
    }
    double end = seconds();
    printf(
        "find %.0f/s, find and read %.0f/s\n", (double)reads / (middle - start),
        (double)reads / (end - middle));
    cn_free(cn_mem_default(), cids);
    cn_free(cn_mem_default(), data);
}

int main(int argc, char **argv)
{
    uint64_t blocks = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
    size_t len = argc > 3 ? strtoull(argv[3], NULL, 10) : 4096;
    cn_store_stats stats;
    struct rusage usage;
    if (argc < 2 || cn_rt_os_new(0, &rt) != CN_OK) {
        return 2;
    }
    cn_store *s = open_store(argv[1]);
    put_all(s, blocks, len);
    must(cn_store_stat(s, &stats), NULL, "stat");
    (void)getrusage(RUSAGE_SELF, &usage);
    printf(
        "repo %.1f MiB for %.1f MiB of blocks, peak %.1f MiB, store's own peak %.1f MiB\n",
        (double)stats.repo_bytes / (1 << 20), (double)stats.block_bytes / (1 << 20),
        (double)usage.ru_maxrss / 1024,
        (double)atomic_load(&cn_mem_default()->peak_bytes) / (1 << 20));
    read_all(s, blocks, len);
    cn_store_close(s);
    s = open_store(argv[1]);
    read_all(s, blocks, len);
    cn_store_close(s);
    cn_rt_os_free(rt);
    return 0;
}
