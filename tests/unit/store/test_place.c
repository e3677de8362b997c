#include "store/place.h"

#include "unit/store/bytes_lib.h"

static cn_err decode_key(cn_slice in)
{
    cn_key mh;
    return cn_key_decode(in, &mh);
}

static cn_err decode_place(cn_slice in)
{
    cn_place place;
    return cn_place_decode(in, &place);
}

/* Hashes of all lengths that may be read, to a key and back. */
static void keys_of_every_multihash_come_back(void)
{
    static const uint64_t hashes[] = {CN_MH_IDENTITY, CN_MH_SHA1,        CN_MH_SHA2_256,
                                      CN_MH_BLAKE3,   CN_MH_BLAKE2B_512, UINT32_MAX};
    for (size_t h = 0; h < CN_LEN(hashes); h++) {
        for (size_t len = 0; len <= CN_DIGEST_MAX_BYTES; len++) {
            cn_cid cid = cid_with(1, CN_CODEC_RAW, hashes[h], len, 0);
            cn_key key, back;
            CHECK_OK(cn_key_encode(cn_cid_key(&cid), &key));
            CHECK(key.len == 32 || key.len >= 33);
            CHECK_EQ(key.len == 32, hashes[h] == CN_MH_SHA2_256 && len == 32);
            CHECK_OK(cn_key_decode(cn_key_slice(&key), &back));
            CHECK_BYTES(cn_key_slice(&back), cn_cid_key(&cid));
        }
    }
}

/* Two multihashes, one the beginning of the other but for zero bytes, keep two keys. */
static void keys_of_two_multihashes_differ(void)
{
    cn_key a, b;
    CHECK_OK(cn_key_encode(test_hex("0003000000"), &a));
    CHECK_OK(cn_key_encode(test_hex("000400000000"), &b));
    CHECK(!cn_slice_eq(cn_key_slice(&a), cn_key_slice(&b)));
    CHECK_EQ(a.len, 33);
    CHECK_EQ(b.len, 33);
}

static void keys_empty_or_too_long_are_refused(void)
{
    static uint8_t room[CN_KEY_MAX_BYTES + 1];
    cn_key key = {.len = 7};
    CHECK_ERR(cn_key_encode((cn_slice){0}, &key), CN_ERR_MALFORMED);
    CHECK_ERR(cn_key_encode(cn_slice_of(room, sizeof room), &key), CN_ERR_TOO_LARGE);
    CHECK_EQ(key.len, 7);
    CHECK_OK(cn_key_encode(cn_slice_of(room, sizeof room - 1), &key));
    CHECK_EQ(key.len, CN_KEY_MAX_BYTES);
    CHECK_ERR(decode_key(cn_slice_of(room, sizeof room)), CN_ERR_MALFORMED);
    CHECK_ERR(decode_key((cn_slice){0}), CN_ERR_MALFORMED);
    CHECK_ERR(decode_key(cn_slice_of(room, 31)), CN_ERR_MALFORMED);
    CHECK_OK(decode_key(cn_slice_of(room, 32))); /* sha2-256, whatever the digest */
    CHECK_OK(decode_key(cn_slice_of(room, 33))); /* identity of nothing */
}

/* A key has one form only: no shorter, no longer, and zero bytes behind it. */
static void keys_have_one_form(void)
{
    cn_cid cid = cid_with(1, CN_CODEC_RAW, CN_MH_BLAKE2B_512, 64, 1);
    cn_key key;
    CHECK_OK(cn_key_encode(cn_cid_key(&cid), &key));
    for (size_t len = 0; len < key.len; len++) {
        if (len != 32) { /* 32 bytes are a digest of sha2-256 */
            CHECK_ERR(decode_key(cn_slice_of(key.bytes, len)), CN_ERR_MALFORMED);
        }
    }
    CHECK_OK(cn_key_encode(test_hex("1103010203"), &key));
    CHECK_EQ(key.len, 33);
    for (size_t i = 5; i < 33; i++) {
        key.bytes[i] = 1;
        CHECK_ERR(decode_key(cn_key_slice(&key)), CN_ERR_MALFORMED);
        key.bytes[i] = 0;
    }
    CHECK_OK(decode_key(cn_key_slice(&key)));
    key.bytes[33] = 0;
    CHECK_ERR(decode_key(cn_slice_of(key.bytes, 34)), CN_ERR_MALFORMED);
    /* a code or a length without an end, and a digest that runs past the key */
    for (size_t i = 0; i < 33; i++) {
        key.bytes[i] = 0x80;
    }
    CHECK_ERR(decode_key(cn_key_slice(&key)), CN_ERR_MALFORMED);
    key.bytes[0] = 0x12;
    CHECK_ERR(decode_key(cn_key_slice(&key)), CN_ERR_MALFORMED);
    key.bytes[1] = 32;
    CHECK_ERR(decode_key(cn_key_slice(&key)), CN_ERR_MALFORMED);
}

static void places_have_their_bytes(void)
{
    cn_place place = {
        .segment = 0x04030201,
        .offset = 0x0908070605,
        .len = 0x0c0b0a,
        .ordinal = 0x0f0e0d,
        .form = 0x10};
    uint8_t bytes[CN_PLACE_BYTES];
    cn_place back;
    cn_place_encode(&place, bytes);
    CHECK_BYTES(cn_slice_of(bytes, sizeof bytes), test_hex("0102030405060708090a0b0c0d0e0f10"));
    CHECK_OK(cn_place_decode(cn_slice_of(bytes, sizeof bytes), &back));
    CHECK(cn_place_eq(&place, &back));
    CHECK_EQ(back.ordinal, place.ordinal);
    CHECK_EQ(back.form, place.form);
    each_cut(cn_slice_of(bytes, sizeof bytes), decode_place, CN_ERR_MALFORMED);
    CHECK_ERR(decode_place(test_hex("0102030405060708090a0b0c0d0e0f1011")), CN_ERR_MALFORMED);
    CHECK_ERR(decode_place(test_hex("0000000005060708090a0b0c0d0e0f10")), CN_ERR_MALFORMED);
    /* every bit is part of the place, so each one turned over is another place */
    CHECK_EQ(each_flip(cn_slice_of(bytes, sizeof bytes), decode_place), 0);
}

static void the_largest_place_comes_back(void)
{
    cn_place place = {
        .segment = UINT32_MAX,
        .offset = ((uint64_t)1 << 40) - 1,
        .len = CN_STORE_BLOCK_MAX_BYTES,
        .ordinal = (1 << 24) - 1,
        .form = UINT8_MAX};
    uint8_t bytes[CN_PLACE_BYTES];
    cn_place back;
    cn_place_encode(&place, bytes);
    CHECK_OK(cn_place_decode(cn_slice_of(bytes, sizeof bytes), &back));
    CHECK(cn_place_eq(&place, &back));
    CHECK_EQ(back.ordinal, place.ordinal);
    CHECK_EQ(back.form, place.form);
}

static void the_usual_cids_have_a_form(void)
{
    static const struct {
        unsigned version;
        uint64_t codec;
    } usual[] = {{0, CN_CODEC_DAG_PB},   {1, CN_CODEC_RAW},        {1, CN_CODEC_DAG_PB},
                 {1, CN_CODEC_DAG_CBOR}, {1, CN_CODEC_DAG_JSON},   {1, CN_CODEC_JSON},
                 {1, CN_CODEC_CBOR},     {1, CN_CODEC_LIBP2P_KEY}, {1, CN_CODEC_GIT_RAW},
                 {1, CN_CODEC_DAG_JOSE}};
    cn_cid back;
    for (size_t i = 0; i < CN_LEN(usual); i++) {
        cn_cid cid = cid_with(usual[i].version, usual[i].codec, CN_MH_SHA2_256, 32, (uint8_t)i);
        CHECK_EQ(cn_place_form(&cid), i); /* kept on disks: never another number */
        CHECK_OK(cn_place_cid((uint8_t)i, cn_cid_key(&cid), &back));
        CHECK(cn_cid_eq(&cid, &back));
    }
    cn_cid other = cid_with(1, 0x0202, CN_MH_SHA2_256, 32, 0);
    CHECK_EQ(cn_place_form(&other), CN_PLACE_FORM_OTHER | 3);
    CHECK_ERR(cn_place_cid(CN_PLACE_FORM_OTHER | 3, cn_cid_key(&other), &back), CN_ERR_UNSUPPORTED);
    CHECK_ERR(cn_place_cid(CN_LEN(usual), cn_cid_key(&other), &back), CN_ERR_UNSUPPORTED);
    CHECK_ERR(cn_place_cid(1, test_hex("1220"), &back), CN_ERR_TRUNCATED);
}

int main(void)
{
    TEST(keys_of_every_multihash_come_back);
    TEST(keys_of_two_multihashes_differ);
    TEST(keys_empty_or_too_long_are_refused);
    TEST(keys_have_one_form);
    TEST(places_have_their_bytes);
    TEST(the_largest_place_comes_back);
    TEST(the_usual_cids_have_a_form);
    return test_end();
}
