/*
 * Keccak, BLAKE2, BLAKE3, MurmurHash3, SHA-1, SHA-512 and the constant-time comparison, against
 * published digests; Keccak and BLAKE2 also against OpenSSL for all lengths around their blocks.
 */
#include "base/mem.h"
#include "base/prng.h"
#include "crypto/blake2.h"
#include "crypto/blake3.h"
#include "crypto/ct.h"
#include "crypto/keccak.h"
#include "crypto/murmur3.h"
#include "crypto/sha1_sha512.h"
#include "lib/test.h"

#include <dlfcn.h>
#include <jansson.h>

enum { DIGEST_MAX = 131 };

typedef int
q_digest(void *, const char *, const char *, const void *, size_t, unsigned char *, size_t *);

static cn_slice keccak(cn_keccak_kind kind, unsigned bits, cn_slice in, size_t len)
{
    static uint8_t digest[DIGEST_MAX];
    cn_keccak(kind, bits, in, digest, len);
    return (cn_slice){digest, len};
}

static void keccak_published(void)
{
    CHECK_BYTES(
        keccak(CN_KECCAK_SHA3, 256, cn_str(""), 32),
        test_hex("a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"));
    CHECK_BYTES(
        keccak(CN_KECCAK_SHA3, 224, cn_str("abc"), 28),
        test_hex("e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"));
    CHECK_BYTES(
        keccak(CN_KECCAK_OLD, 256, cn_str(""), 32),
        test_hex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"));
    CHECK_BYTES(
        keccak(CN_KECCAK_OLD, 224, cn_str(""), 28),
        test_hex("f71837502ba8e10837bdd8d365adb85591895602fc552b48b7390abd"));
    CHECK_BYTES(
        keccak(CN_KECCAK_SHAKE, 256, cn_str(""), 32),
        test_hex("46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f"));
}

static void against_openssl(void)
{
    static const struct {
        const char *name;
        unsigned bits;
    } sha3[] = {{"SHA3-224", 224}, {"SHA3-256", 256}, {"SHA3-384", 384}, {"SHA3-512", 512}};
    static uint8_t data[400];
    cn_prng p;
    cn_prng_init(&p, 3);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)cn_prng_u32(&p);
    }
    void *library = dlopen("libcrypto.so.3", RTLD_NOW);
    void *symbol = library == NULL ? NULL : dlsym(library, "EVP_Q_digest");
    q_digest *digest_of = NULL;
    cn_copy(&digest_of, &symbol, sizeof digest_of);
    if (digest_of == NULL) {
        test_skip("libcrypto.so.3 is not there");
        return;
    }
    for (size_t len = 0; len <= sizeof data; len++) {
        uint8_t expected[64];
        uint8_t got[64];
        size_t expected_len = 0;
        for (size_t i = 0; i < CN_LEN(sha3); i++) {
            CHECK(digest_of(NULL, sha3[i].name, NULL, data, len, expected, &expected_len) == 1);
            CHECK_BYTES(
                keccak(CN_KECCAK_SHA3, sha3[i].bits, (cn_slice){data, len}, expected_len),
                ((cn_slice){expected, expected_len}));
        }
        CHECK(digest_of(NULL, "BLAKE2B-512", NULL, data, len, expected, &expected_len) == 1);
        cn_blake2b((cn_slice){data, len}, got, 64);
        CHECK_BYTES(((cn_slice){got, 64}), ((cn_slice){expected, expected_len}));
        CHECK(digest_of(NULL, "BLAKE2S-256", NULL, data, len, expected, &expected_len) == 1);
        cn_blake2s((cn_slice){data, len}, got, 32);
        CHECK_BYTES(((cn_slice){got, 32}), ((cn_slice){expected, expected_len}));
    }
}

/* Lengths other than the longest: values of the BLAKE2 project's own tools. */
static void blake2_of_other_lengths(void)
{
    uint8_t got[64];
    uint8_t data[88];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)i;
    }
    cn_blake2b(cn_str(""), got, 1);
    CHECK_BYTES(((cn_slice){got, 1}), test_hex("2e"));
    cn_blake2b((cn_slice){data, sizeof data}, got, 20);
    CHECK_BYTES(((cn_slice){got, 20}), test_hex("c5b9110bfb2da0ce0a55ba3f2be0aaab233c5a14"));
    cn_blake2b(cn_str(""), got, 20);
    CHECK_BYTES(((cn_slice){got, 20}), test_hex("3345524abf6bbe1809449224b5972c41790b6cf2"));
    cn_blake2b(cn_str(""), got, 32);
    CHECK_BYTES(
        ((cn_slice){got, 32}),
        test_hex("0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"));
}

static void blake3_published(void)
{
    cn_buf file = {0};
    if (!test_fixture("blake3/test_vectors.json", &file)) {
        return;
    }
    json_t *root = json_loadb((const char *)file.data, file.len, 0, NULL);
    const json_t *cases = json_object_get(root, "cases");
    CHECK(json_array_size(cases) >= 35);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        size_t len = (size_t)json_integer_value(json_object_get(one, "input_len"));
        cn_slice expected = test_hex(json_string_value(json_object_get(one, "hash")));
        uint8_t *data = cn_alloc(cn_mem_default(), len);
        uint8_t got[DIGEST_MAX];
        for (size_t k = 0; k < len; k++) {
            data[k] = (uint8_t)(k % 251);
        }
        cn_blake3((cn_slice){data, len}, got, expected.len);
        CHECK_BYTES(((cn_slice){got, expected.len}), expected);
        cn_blake3((cn_slice){data, len}, got, 32);
        CHECK_BYTES(((cn_slice){got, 32}), cn_slice_head(expected, 32));
        cn_free(cn_mem_default(), data);
    }
    json_decref(root);
    cn_buf_release(&file);
}

static void murmur3_published(void)
{
    cn_buf file = {0};
    if (!test_fixture("cid-profiles/murmur3-x64-64.json", &file)) {
        return;
    }
    json_t *root = json_loadb((const char *)file.data, file.len, 0, NULL);
    const json_t *vectors = json_object_get(root, "vectors");
    CHECK(json_array_size(vectors) > 10);
    for (size_t i = 0; i < json_array_size(vectors); i++) {
        const json_t *one = json_array_get(vectors, i);
        uint64_t hash = cn_murmur3_x64_64(cn_str(json_string_value(json_object_get(one, "text"))));
        uint8_t bytes[8];
        for (size_t k = 0; k < 8; k++) {
            bytes[k] = (uint8_t)(hash >> (56 - 8 * k));
        }
        CHECK_BYTES(
            ((cn_slice){bytes, 8}), test_hex(json_string_value(json_object_get(one, "hex"))));
    }
    json_decref(root);
    cn_buf_release(&file);
}

static void sha1_and_sha512_published(void)
{
    uint8_t digest[64];
    CHECK_OK(cn_sha1(cn_str("abc"), digest));
    CHECK_BYTES(((cn_slice){digest, 20}), test_hex("a9993e364706816aba3e25717850c26c9cd0d89d"));
    CHECK_OK(cn_sha512(cn_str("abc"), digest));
    CHECK_BYTES(
        ((cn_slice){digest, 64}),
        test_hex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                 "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"));
}

static void comparing(void)
{
    CHECK(cn_ct_eq(cn_str("abc"), cn_str("abc")));
    CHECK(cn_ct_eq(cn_str(""), cn_str("")));
    CHECK(!cn_ct_eq(cn_str("abc"), cn_str("abd")));
    CHECK(!cn_ct_eq(cn_str("abc"), cn_str("ab")));
    CHECK(!cn_ct_eq(cn_str("xbc"), cn_str("abc")));
}

int main(void)
{
    TEST(keccak_published);
    TEST(against_openssl);
    TEST(blake2_of_other_lengths);
    TEST(blake3_published);
    TEST(murmur3_published);
    TEST(sha1_and_sha512_published);
    TEST(comparing);
    return test_end();
}
