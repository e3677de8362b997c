/*
 * SHA-256 against published digests and OpenSSL, by every block function this machine has.
 */
#include "base/prng.h"
#include "crypto/sha256_internal.h"
#include "lib/test.h"

#include <dlfcn.h>

enum { LENGTHS = 301, LONG_BYTES = 300000 };

typedef unsigned char *openssl_sha256(const unsigned char *, size_t, unsigned char *);

static uint8_t data[LONG_BYTES];

static openssl_sha256 *oracle(void)
{
    static openssl_sha256 *found;
    if (found == NULL) {
        void *library = dlopen("libcrypto.so.3", RTLD_NOW);
        void *symbol = library == NULL ? NULL : dlsym(library, "SHA256");
        cn_copy(&found, &symbol, sizeof found);
    }
    return found;
}

static size_t kernels(const cn_sha256_kernel *ret[3])
{
    size_t n = 0;
    ret[n++] = &cn_sha256_portable;
    if (cn_sha256_x86() != NULL) {
        ret[n++] = cn_sha256_x86();
    }
    if (cn_sha256_arm() != NULL) {
        ret[n++] = cn_sha256_arm();
    }
    return n;
}

static void check_digest(const char *text, const char *hex)
{
    uint8_t digest[CN_SHA256_BYTES];
    cn_sha256(cn_str(text), digest);
    CHECK_BYTES(((cn_slice){digest, sizeof digest}), test_hex(hex));
}

static void published_digests(void)
{
    check_digest("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_digest("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_digest(
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_digest(
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
        "lmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void a_million_letters_in_pieces(void)
{
    cn_sha256_state s;
    uint8_t letters[1000];
    uint8_t digest[CN_SHA256_BYTES];
    for (size_t i = 0; i < sizeof letters; i++) {
        letters[i] = 'a';
    }
    cn_sha256_init(&s);
    for (int i = 0; i < 1000; i++) {
        cn_sha256_update(&s, (cn_slice){letters, sizeof letters});
    }
    cn_sha256_final(&s, digest);
    CHECK_BYTES(
        ((cn_slice){digest, sizeof digest}),
        test_hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

/* Digests of data[0..len) for each short length, by OpenSSL. */
static bool expected_digests(uint8_t ret[LENGTHS][CN_SHA256_BYTES])
{
    if (oracle() == NULL) {
        test_skip("libcrypto.so.3 is not there");
        return false;
    }
    for (size_t len = 0; len < LENGTHS; len++) {
        oracle()(data, len, ret[len]);
    }
    return true;
}

/* Each length in each lane position, its neighbours shorter, longer or of the same length. */
static void all_lengths_in_all_lanes(void)
{
    static uint8_t expected[LENGTHS][CN_SHA256_BYTES];
    const cn_sha256_kernel *all[3];
    size_t all_len = kernels(all);
    if (!expected_digests(expected)) {
        return;
    }
    for (size_t k = 0; k < all_len; k++) {
        for (size_t lanes = 1; lanes <= CN_SHA256_LANES_MAX; lanes++) {
            bool good = true;
            for (size_t len = 0; len < LENGTHS; len++) {
                for (size_t at = 0; at < lanes; at++) {
                    size_t lengths[CN_SHA256_LANES_MAX];
                    cn_slice in[CN_SHA256_LANES_MAX];
                    uint8_t got[CN_SHA256_LANES_MAX][CN_SHA256_BYTES];
                    for (size_t i = 0; i < lanes; i++) {
                        lengths[i] = i == at ? len : (len * 7 + i * 65) % LENGTHS;
                        in[i] = (cn_slice){data, lengths[i]};
                    }
                    cn_sha256_many_with(all[k], lanes, in, got, lanes);
                    for (size_t i = 0; i < lanes; i++) {
                        good = good && cn_slice_eq(
                                           (cn_slice){got[i], CN_SHA256_BYTES},
                                           (cn_slice){expected[lengths[i]], CN_SHA256_BYTES});
                    }
                }
            }
            CHECK(good);
        }
    }
}

static void many_messages_of_all_lengths(void)
{
    static uint8_t expected[LENGTHS][CN_SHA256_BYTES];
    static uint8_t got[LENGTHS][CN_SHA256_BYTES];
    static cn_slice in[LENGTHS];
    const cn_sha256_kernel *all[3];
    size_t all_len = kernels(all);
    if (!expected_digests(expected)) {
        return;
    }
    for (size_t len = 0; len < LENGTHS; len++) {
        in[len] = (cn_slice){data, len};
    }
    for (size_t k = 0; k < all_len; k++) {
        for (size_t lanes = 1; lanes <= CN_SHA256_LANES_MAX; lanes++) {
            cn_sha256_many_with(all[k], lanes, in, got, LENGTHS);
            for (size_t len = 0; len < LENGTHS; len++) {
                CHECK_BYTES(
                    ((cn_slice){got[len], CN_SHA256_BYTES}),
                    ((cn_slice){expected[len], CN_SHA256_BYTES}));
            }
        }
    }
    cn_sha256_many(in, got, LENGTHS);
    CHECK_BYTES(
        ((cn_slice){got[300], CN_SHA256_BYTES}), ((cn_slice){expected[300], CN_SHA256_BYTES}));
    cn_sha256_many(in, got, 0);
}

static void long_and_unaligned(void)
{
    if (oracle() == NULL) {
        test_skip("libcrypto.so.3 is not there");
        return;
    }
    cn_slice in[4] = {
        {data, 262144}, {data + 1, 262145}, {data + 3, 4096}, {data + 7, LONG_BYTES - 7}};
    uint8_t got[4][CN_SHA256_BYTES];
    cn_sha256_many(in, got, 4);
    for (size_t i = 0; i < 4; i++) {
        uint8_t expected[CN_SHA256_BYTES];
        oracle()(in[i].data, in[i].len, expected);
        CHECK_BYTES(((cn_slice){got[i], CN_SHA256_BYTES}), ((cn_slice){expected, CN_SHA256_BYTES}));
    }
}

static void any_cut_gives_the_same(void)
{
    uint8_t whole[CN_SHA256_BYTES];
    cn_slice in = {data, 400};
    cn_sha256(in, whole);
    for (size_t step = 1; step <= 200; step++) {
        cn_sha256_state s;
        uint8_t digest[CN_SHA256_BYTES];
        cn_sha256_init(&s);
        for (size_t at = 0; at < in.len; at += step) {
            cn_sha256_update(&s, cn_slice_head(cn_slice_skip(in, at), step));
        }
        cn_sha256_update(&s, (cn_slice){NULL, 0});
        cn_sha256_final(&s, digest);
        CHECK_BYTES(((cn_slice){digest, sizeof digest}), ((cn_slice){whole, sizeof whole}));
    }
}

int main(void)
{
    cn_prng p;
    cn_prng_init(&p, 1);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)cn_prng_u32(&p);
    }
    TEST(published_digests);
    TEST(a_million_letters_in_pieces);
    TEST(all_lengths_in_all_lanes);
    TEST(many_messages_of_all_lengths);
    TEST(long_and_unaligned);
    TEST(any_cut_gives_the_same);
    return test_end();
}
