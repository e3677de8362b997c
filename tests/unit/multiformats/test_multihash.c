#include "lib/test.h"
#include "multiformats/multihash.h"

static void sha2_256_whole_and_cut(void)
{
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    CHECK_OK(cn_multihash_sum(CN_MH_SHA2_256, 0, cn_str("abc"), digest, &len));
    CHECK_BYTES(
        ((cn_slice){digest, len}),
        test_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK_OK(cn_multihash_sum(CN_MH_SHA2_256, 20, cn_str("abc"), digest, &len));
    CHECK_BYTES(((cn_slice){digest, len}), test_hex("ba7816bf8f01cfea414140de5dae2223b00361a3"));
    CHECK_ERR(cn_multihash_sum(CN_MH_SHA2_256, 33, cn_str("abc"), digest, &len), CN_ERR_TOO_LARGE);
    CHECK_ERR(cn_multihash_sum(0x22, 0, cn_str("abc"), digest, &len), CN_ERR_UNSUPPORTED);
    CHECK_EQ(len, 20);
}

static void identity_copies(void)
{
    static const uint8_t data[CN_DIGEST_MAX_BYTES + 1] = {9, 8, 7};
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    CHECK_OK(cn_multihash_sum(CN_MH_IDENTITY, 0, (cn_slice){data, 128}, digest, &len));
    CHECK_BYTES(((cn_slice){digest, len}), ((cn_slice){data, 128}));
    CHECK_ERR(
        cn_multihash_sum(CN_MH_IDENTITY, 0, (cn_slice){data, 129}, digest, &len), CN_ERR_TOO_LARGE);
    CHECK_ERR(cn_multihash_sum(CN_MH_IDENTITY, 5, (cn_slice){data, 6}, digest, &len), CN_ERR_USAGE);
    CHECK_OK(cn_multihash_sum(CN_MH_IDENTITY, 0, (cn_slice){NULL, 0}, digest, &len));
    CHECK_EQ(len, 0);
}

static void verify_tells_right_from_wrong(void)
{
    cn_slice digest = test_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cn_multihash mh = {CN_MH_SHA2_256, digest};
    CHECK_OK(cn_multihash_verify(&mh, cn_str("abc")));
    CHECK_ERR(cn_multihash_verify(&mh, cn_str("abd")), CN_ERR_HASH_MISMATCH);
    mh.digest.len = 20;
    CHECK_OK(cn_multihash_verify(&mh, cn_str("abc")));
    mh.digest.len = 0;
    CHECK_ERR(cn_multihash_verify(&mh, cn_str("abc")), CN_ERR_UNSUPPORTED);
    mh = (cn_multihash){0x22, digest};
    CHECK_ERR(cn_multihash_verify(&mh, cn_str("abc")), CN_ERR_UNSUPPORTED);
    mh = (cn_multihash){CN_MH_IDENTITY, cn_str("abc")};
    CHECK_OK(cn_multihash_verify(&mh, cn_str("abc")));
    CHECK_ERR(cn_multihash_verify(&mh, cn_str("ab")), CN_ERR_HASH_MISMATCH);
    uint8_t longer[33] = {0};
    mh = (cn_multihash){CN_MH_SHA2_256, {longer, 33}};
    CHECK_ERR(cn_multihash_verify(&mh, cn_str("abc")), CN_ERR_HASH_MISMATCH);
}

static void the_wire_form(void)
{
    cn_multihash mh = {0};
    CHECK_OK(cn_multihash_decode(test_hex("1203aabbcc"), &mh));
    CHECK_EQ(mh.code, CN_MH_SHA2_256);
    CHECK_BYTES(mh.digest, test_hex("aabbcc"));
    CHECK_ERR(cn_multihash_decode(test_hex("1203aabb"), &mh), CN_ERR_TRUNCATED);
    CHECK_ERR(cn_multihash_decode(test_hex("1203aabbccdd"), &mh), CN_ERR_MALFORMED);
    CHECK_ERR(cn_multihash_decode(test_hex("12"), &mh), CN_ERR_TRUNCATED);
    CHECK_ERR(cn_multihash_decode(test_hex("920003aabbcc"), &mh), CN_ERR_MALFORMED);
    CHECK_ERR(cn_multihash_decode(test_hex("12ffffffff7f"), &mh), CN_ERR_MALFORMED);
    CHECK_ERR(cn_multihash_decode(test_hex("ffffffffffffffffffff01"), &mh), CN_ERR_MALFORMED);
    mh = (cn_multihash){CN_MH_BLAKE2B_256, test_hex("aabb")};
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 100);
    CHECK_OK(cn_multihash_encode(&mh, &out));
    CHECK_BYTES(cn_buf_slice(&out), test_hex("a0e40202aabb"));
    cn_buf_release(&out);
}

static void check_allowed(uint64_t code, size_t len, cn_err expected, const char *sentence)
{
    static const uint8_t digest[200];
    cn_multihash mh = {code, {digest, len}};
    cn_why why = {{0}};
    CHECK_ERR(cn_multihash_allowed(&mh, &why), expected);
    CHECK_STR(why.text, sentence);
}

static void what_kubo_allows(void)
{
    check_allowed(CN_MH_SHA2_256, 32, CN_OK, "");
    check_allowed(CN_MH_SHA1, 20, CN_OK, "");
    check_allowed(CN_MH_IDENTITY, 0, CN_OK, "");
    check_allowed(CN_MH_IDENTITY, 128, CN_OK, "");
    check_allowed(CN_MH_BLAKE3, 128, CN_OK, "");
    check_allowed(0xb214, 20, CN_OK, "");
    check_allowed(0xb254, 20, CN_OK, "");
    const char *insecure = "potentially insecure hash functions not allowed";
    check_allowed(0xb213, 20, CN_ERR_UNSUPPORTED, insecure);
    check_allowed(0xb253, 20, CN_ERR_UNSUPPORTED, insecure);
    check_allowed(0x18, 32, CN_ERR_UNSUPPORTED, insecure); /* shake-128 */
    check_allowed(0x22, 32, CN_ERR_UNSUPPORTED, insecure); /* murmur3 */
    check_allowed(0xd5, 32, CN_ERR_UNSUPPORTED, insecure); /* md5 */
    check_allowed(
        CN_MH_SHA2_256, 19, CN_ERR_MALFORMED,
        "digest too small: sha2-256 digest got 19 bytes, minimum 20");
    check_allowed(
        CN_MH_IDENTITY, 129, CN_ERR_TOO_LARGE,
        "digest too large: identity digest got 129 bytes, maximum 128");
}

static void names(void)
{
    uint64_t code = 0;
    cn_why why = {{0}};
    CHECK_STR(cn_multihash_name(CN_MH_SHA2_256), "sha2-256");
    CHECK_STR(cn_multihash_name(CN_MH_BLAKE2B_256), "blake2b-256");
    CHECK(cn_multihash_name(CN_MH_SHA1 - 1) == NULL);
    CHECK(cn_multihash_name(0x70) == NULL); /* a codec, not a hash */
    CHECK_OK(cn_multihash_code(cn_str("SHA2-256"), &code, NULL));
    CHECK_EQ(code, CN_MH_SHA2_256);
    CHECK_OK(cn_multihash_code(cn_str("sha3"), &code, NULL));
    CHECK_EQ(code, CN_MH_SHA3_512);
    CHECK_ERR(cn_multihash_code(cn_str("dag-pb"), &code, &why), CN_ERR_UNSUPPORTED);
    CHECK_STR(why.text, "unrecognized hash function: dag-pb");
    CHECK_EQ(cn_multihash_default_bytes(CN_MH_SHA2_256), 32);
    CHECK_EQ(cn_multihash_default_bytes(CN_MH_IDENTITY), 0);
}

int main(void)
{
    TEST(sha2_256_whole_and_cut);
    TEST(identity_copies);
    TEST(verify_tells_right_from_wrong);
    TEST(the_wire_form);
    TEST(what_kubo_allows);
    TEST(names);
    return test_end();
}
