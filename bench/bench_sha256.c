/*
 * Speed of SHA-256 by lanes, beside OpenSSL: bench_sha256 [seconds per line].
 */
#include "base/mem.h"
#include "base/num.h"
#include "crypto/sha256_internal.h"

#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

enum { MESSAGES = 12 };

typedef unsigned char *openssl_sha256(const unsigned char *, size_t, unsigned char *);

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double gb_per_s(size_t lanes, const cn_slice *in, double seconds)
{
    static uint8_t digests[MESSAGES][CN_SHA256_BYTES];
    double start = now_s();
    double bytes = 0;
    do {
        cn_sha256_many_with(cn_sha256_best(), lanes, in, digests, MESSAGES);
        bytes += (double)in[0].len * MESSAGES;
    } while (now_s() - start < seconds);
    return bytes / (now_s() - start) / 1e9;
}

static double openssl_gb_per_s(openssl_sha256 *hash, const cn_slice *in, double seconds)
{
    unsigned char digest[CN_SHA256_BYTES];
    double start = now_s();
    double bytes = 0;
    do {
        for (size_t i = 0; i < MESSAGES; i++) {
            (void)hash(in[i].data, in[i].len, digest);
        }
        bytes += (double)in[0].len * MESSAGES;
    } while (now_s() - start < seconds);
    return bytes / (now_s() - start) / 1e9;
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {4096, 262144, 1048576};
    uint64_t seconds = 1;
    if (argc > 1 && cn_num_u64(cn_str(argv[1]), &seconds) != CN_OK) {
        return 1;
    }
    openssl_sha256 *hash = NULL;
    void *library = dlopen("libcrypto.so.3", RTLD_NOW);
    void *symbol = library == NULL ? NULL : dlsym(library, "SHA256");
    cn_copy(&hash, &symbol, sizeof hash);
    uint8_t *data = cn_alloc(cn_mem_default(), sizes[2] * MESSAGES);
    if (data == NULL) {
        return 1;
    }
    printf("GB/s, one core, %s\n", cn_sha256_best()->name);
    printf("%10s %8s %8s %8s %8s %8s\n", "bytes", "1 lane", "2", "3", "4", "OpenSSL");
    for (size_t s = 0; s < CN_LEN(sizes); s++) {
        cn_slice in[MESSAGES];
        for (size_t i = 0; i < MESSAGES; i++) {
            in[i] = (cn_slice){data + i * sizes[s], sizes[s]};
        }
        printf("%10zu", sizes[s]);
        for (size_t lanes = 1; lanes <= CN_SHA256_LANES_MAX; lanes++) {
            printf(" %8.2f", gb_per_s(lanes, in, (double)seconds));
            (void)fflush(stdout);
        }
        printf(" %8.2f\n", hash == NULL ? 0.0 : openssl_gb_per_s(hash, in, (double)seconds));
    }
    cn_free(cn_mem_default(), data);
    return 0;
}
