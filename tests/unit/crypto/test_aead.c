/*
 * Sealing and opening with both ciphers: the published hostile vectors, in one part and in many.
 */
#include "crypto/aead.h"
#include "lib/test.h"

#include <jansson.h>

enum { MESSAGE_MAX = 4096 };

typedef struct vector {
    uint8_t key[CN_AEAD_KEY_BYTES];
    uint8_t nonce[CN_AEAD_NONCE_BYTES];
    uint8_t ad[MESSAGE_MAX];
    uint8_t plain[MESSAGE_MAX];
    uint8_t sealed[MESSAGE_MAX + CN_AEAD_TAG_BYTES];
    size_t ad_len;
    size_t plain_len;
    size_t sealed_len;
} vector;

static size_t unhex(const json_t *one, const char *name, uint8_t *to, size_t max)
{
    const char *hex = json_string_value(json_object_get(one, name));
    size_t len = hex == NULL ? 0 : strlen(hex) / 2;
    if (!CHECK(hex != NULL && len <= max)) {
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        char pair[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        to[i] = test_hex(pair).data[0];
    }
    return len;
}

static void read_vector(const json_t *one, vector *v)
{
    *v = (vector){0};
    (void)unhex(one, "key", v->key, sizeof(v->key));
    CHECK_EQ(unhex(one, "iv", v->nonce, sizeof(v->nonce)), sizeof(v->nonce));
    v->ad_len = unhex(one, "aad", v->ad, sizeof(v->ad));
    v->plain_len = unhex(one, "msg", v->plain, sizeof(v->plain));
    v->sealed_len = unhex(one, "ct", v->sealed, MESSAGE_MAX);
    v->sealed_len += unhex(one, "tag", v->sealed + v->sealed_len, CN_AEAD_TAG_BYTES);
}

/* Sealed in one part, and in parts of 1, 2, 3, ... bytes. */
static void check_seal(const vector *v, cn_aead_kind kind)
{
    static uint8_t out[MESSAGE_MAX + CN_AEAD_TAG_BYTES];
    cn_slice parts[128];
    cn_aead *a = NULL;
    size_t parts_len = 0;
    CHECK_OK(cn_aead_new(cn_mem_default(), kind, v->key, true, &a, NULL));
    for (size_t at = 0; at < v->plain_len && parts_len < CN_LEN(parts); parts_len++) {
        size_t len = CN_MIN(v->plain_len - at, parts_len + 1);
        parts[parts_len] = cn_slice_of(v->plain + at, len);
        at += len;
    }
    cn_slice whole = cn_slice_of(v->plain, v->plain_len);
    cn_slice ad = cn_slice_of(v->ad, v->ad_len);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(cn_aead_seal(
            a, v->nonce, ad, i == 0 ? &whole : parts, i == 0 ? 1 : parts_len, out));
        CHECK_BYTES(cn_slice_of(out, v->sealed_len), cn_slice_of(v->sealed, v->sealed_len));
    }
    cn_aead_free(a);
}

static void check_vector(const json_t *one, cn_aead_kind kind)
{
    static vector v;
    static uint8_t copy[MESSAGE_MAX + CN_AEAD_TAG_BYTES];
    cn_aead *a = NULL;
    const char *result = json_string_value(json_object_get(one, "result"));
    bool is_valid = strcmp(result, "valid") == 0;
    read_vector(one, &v);
    cn_slice ad = cn_slice_of(v.ad, v.ad_len);
    CHECK_OK(cn_aead_new(cn_mem_default(), kind, v.key, false, &a, NULL));
    cn_copy(copy, v.sealed, v.sealed_len);
    cn_err err = cn_aead_open(a, v.nonce, ad, copy, v.sealed_len);
    CHECK_ERR(err, is_valid ? CN_OK : CN_ERR_MALFORMED);
    if (is_valid) {
        CHECK_BYTES(cn_slice_of(copy, v.plain_len), cn_slice_of(v.plain, v.plain_len));
        check_seal(&v, kind);
    }
    cn_aead_free(a);
}

/* Of the published ones those with our sizes of key, nonce and tag; how many. */
static size_t check_file(const char *name, cn_aead_kind kind, int key_bits)
{
    cn_buf file = {0};
    json_t *group = NULL;
    json_t *one = NULL;
    size_t index = 0;
    size_t inner = 0;
    size_t seen = 0;
    if (!test_fixture(name, &file)) {
        return SIZE_MAX;
    }
    json_t *root = json_loadb((const char *)file.data, file.len, 0, NULL);
    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        if (json_integer_value(json_object_get(group, "ivSize")) != 96 ||
            json_integer_value(json_object_get(group, "tagSize")) != 128 ||
            json_integer_value(json_object_get(group, "keySize")) != key_bits) {
            continue;
        }
        json_array_foreach(json_object_get(group, "tests"), inner, one)
        {
            check_vector(one, kind);
            seen++;
        }
    }
    json_decref(root);
    cn_buf_release(&file);
    return seen;
}

static void chacha20_does_as_published(void)
{
    CHECK(check_file("wycheproof/chacha20_poly1305_test.json", CN_AEAD_CHACHA20, 256) > 50);
}

static void aes128_does_as_published(void)
{
    CHECK(check_file("wycheproof/aes_gcm_test.json", CN_AEAD_AES128, 128) > 50);
}

static void less_than_a_tag_does_not_open(void)
{
    static const uint8_t key[CN_AEAD_KEY_BYTES];
    static const uint8_t nonce[CN_AEAD_NONCE_BYTES];
    uint8_t data[CN_AEAD_TAG_BYTES] = {0};
    for (int kind = 0; kind < 2; kind++) {
        cn_aead *a = NULL;
        CHECK_OK(cn_aead_new(cn_mem_default(), (cn_aead_kind)kind, key, false, &a, NULL));
        for (size_t len = 0; len <= sizeof(data); len++) {
            CHECK_ERR(
                cn_aead_open(a, nonce, cn_slice_of(NULL, 0), data, len), CN_ERR_MALFORMED);
        }
        cn_aead_free(a);
    }
}

int main(void)
{
    TEST(chacha20_does_as_published);
    TEST(aes128_does_as_published);
    TEST(less_than_a_tag_does_not_open);
    return test_end();
}
