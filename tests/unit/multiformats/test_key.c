/*
 * Key messages and peer ids against the vectors of libp2p's specification, keys written by
 * go-libp2p and js-libp2p, and round trips of fresh keys of each type.
 */
#include "base/mem.h"
#include "lib/test.h"
#include "multiformats/key.h"
#include "multiformats/peerid.h"

#include <jansson.h>
#include <stdio.h>

static cn_buf new_buf(void)
{
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), 10000);
    return b;
}

/* Bytes of hexadecimal that may be longer than test_hex takes at once. */
static void put_hex(cn_buf *out, const char *hex)
{
    CHECK_OK(cn_base_n_decode(CN_BASE16, cn_str(hex), out, NULL));
}

/* Read `private`, write both halves again and compare; sign, verify, and fail to verify. */
static void check_pair(cn_slice private, cn_slice public)
{
    cn_key *key = NULL;
    cn_key *only_public = NULL;
    cn_buf out = new_buf();
    cn_buf signature = new_buf();
    cn_why why = {{0}};
    bool good = false;
    if (!CHECK_OK(cn_key_decode_private(cn_mem_default(), private, &key, &why))) {
        printf("  %s\n", why.text);
        cn_buf_release(&out);
        return;
    }
    CHECK(cn_key_is_private(key));
    CHECK_OK(cn_key_encode_private(key, &out));
    if (private.len != 100) { /* the old ed25519 form comes out in the new one */
        CHECK_BYTES(cn_buf_slice(&out), private);
    }
    cn_buf_reset(&out);
    CHECK_OK(cn_key_encode_public(key, &out));
    if (public.len > 0) {
        CHECK_BYTES(cn_buf_slice(&out), public);
    }
    CHECK_OK(cn_key_decode_public(cn_mem_default(), cn_buf_slice(&out), &only_public, &why));
    CHECK_STR(why.text, ""); /* what went well leaves no sentence for a later failure */
    CHECK(!cn_key_is_private(only_public));
    CHECK_EQ(cn_key_type_of(only_public), cn_key_type_of(key));
    CHECK_OK(cn_key_sign(key, cn_str("message"), &signature));
    CHECK_OK(cn_key_verify(only_public, cn_str("message"), cn_buf_slice(&signature), &good));
    CHECK(good);
    CHECK_OK(cn_key_verify(only_public, cn_str("massage"), cn_buf_slice(&signature), &good));
    CHECK(!good);
    CHECK_OK(cn_key_verify(only_public, cn_str("message"), cn_str("x"), &good));
    CHECK(!good);
    CHECK_ERR(cn_key_sign(only_public, cn_str("message"), &signature), CN_ERR_USAGE);
    CHECK_ERR(cn_key_encode_private(only_public, &signature), CN_ERR_USAGE);
    cn_buf again = new_buf();
    CHECK_OK(cn_key_encode_public(only_public, &again));
    CHECK_BYTES(cn_buf_slice(&again), cn_buf_slice(&out));
    cn_buf_release(&again);
    cn_buf_release(&signature);
    cn_buf_release(&out);
    cn_key_free(only_public);
    cn_key_free(key);
}

static void vectors_of_the_specification(void)
{
    static const char *const types[] = {"ecdsa", "ed25519", "secp256k1", "rsa"};
    cn_buf file = {0};
    if (!test_fixture("keys/libp2p-peer-ids.json", &file)) {
        return;
    }
    json_t *root = json_loadb((const char *)file.data, file.len, 0, NULL);
    const json_t *keys = json_object_get(root, "keys");
    for (size_t i = 0; i < CN_LEN(types); i++) {
        const json_t *pair = json_object_get(keys, types[i]);
        const char *private_hex = json_string_value(json_object_get(pair, "private"));
        const char *public_hex = json_string_value(json_object_get(pair, "public"));
        cn_buf private = new_buf();
        cn_buf public = new_buf();
        if (CHECK(private_hex != NULL && public_hex != NULL)) {
            put_hex(&private, private_hex);
            put_hex(&public, public_hex);
            check_pair(cn_buf_slice(&private), cn_buf_slice(&public));
        }
        cn_buf_release(&private);
        cn_buf_release(&public);
    }
    json_decref(root);
    cn_buf_release(&file);
}

static void keys_of_other_writers(void)
{
    static const char *const names[] = {"go.ed25519",   "js.ed25519", "go.secp256k1",
                                        "js.secp256k1", "go.rsa",     "js.rsa"};
    for (size_t i = 0; i < CN_LEN(names); i++) {
        char path[100];
        cn_buf file = {0};
        (void)snprintf(path, sizeof path, "keys/libp2p-interop/%s.key", names[i]);
        if (!test_fixture(path, &file)) {
            return;
        }
        check_pair(cn_buf_slice(&file), (cn_slice){NULL, 0});
        cn_buf_release(&file);
    }
}

static void fresh_keys_go_round(void)
{
    for (int type = CN_KEY_RSA; type <= CN_KEY_ECDSA; type++) {
        cn_key *key = NULL;
        cn_buf private = new_buf();
        cn_buf public = new_buf();
        CHECK_OK(cn_key_generate(cn_mem_default(), (cn_key_type)type, 2048, &key, NULL));
        CHECK_OK(cn_key_encode_private(key, &private));
        CHECK_OK(cn_key_encode_public(key, &public));
        check_pair(cn_buf_slice(&private), cn_buf_slice(&public));
        cn_key_wipe(&private);
        cn_buf_release(&public);
        cn_key_free(key);
    }
    cn_key *key = NULL;
    CHECK_ERR(cn_key_generate(cn_mem_default(), CN_KEY_RSA, 1024, &key, NULL), CN_ERR_USAGE);
    CHECK_ERR(cn_key_generate(cn_mem_default(), CN_KEY_RSA, 8193, &key, NULL), CN_ERR_USAGE);
    CHECK(key == NULL);
}

#define ED25519_PRIVATE                                                                            \
    "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"                     \
    "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define ED25519_PUBLIC "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"

static void check_bad(const char *hex, cn_err expected)
{
    cn_key *key = NULL;
    cn_why why = {{0}};
    CHECK_ERR(cn_key_decode_private(cn_mem_default(), test_hex(hex), &key, &why), expected);
    CHECK(key == NULL && why.text[0] != '\0');
}

static void what_is_refused(void)
{
    check_bad("", CN_ERR_MALFORMED);
    check_bad("0801", CN_ERR_MALFORMED);
    check_bad("1200", CN_ERR_MALFORMED);
    check_bad("08041200", CN_ERR_UNSUPPORTED);
    check_bad("08011200", CN_ERR_MALFORMED);
    check_bad("08021200", CN_ERR_MALFORMED);
    check_bad("08001200", CN_ERR_MALFORMED);
    check_bad("0801124000", CN_ERR_TRUNCATED);
    check_bad("0a0101120100", CN_ERR_MALFORMED);
    /* a public half that belongs to another key */
    check_bad(
        "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
        "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27f",
        CN_ERR_MALFORMED);
    /* secp256k1: zero and the order of the curve are no keys */
    check_bad(
        "080212200000000000000000000000000000000000000000000000000000000000000000",
        CN_ERR_MALFORMED);
    check_bad(
        "08021220fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        CN_ERR_MALFORMED);
    cn_slice whole = test_hex(ED25519_PRIVATE);
    for (size_t len = 0; len < whole.len; len++) {
        cn_key *key = NULL;
        CHECK(cn_key_decode_private(cn_mem_default(), cn_slice_head(whole, len), &key, NULL) != 0);
        CHECK(key == NULL);
    }
}

static cn_err all_of_it(cn_mem *mem)
{
    cn_key *key = NULL;
    cn_buf out;
    cn_err err = CN_OK;
    cn_buf_init(&out, mem, 10000);
    CN_TRY(cn_key_decode_private(mem, test_hex(ED25519_PRIVATE), &key, NULL));
    CN_TRY(cn_key_encode_private(key, &out));
    CN_TRY(cn_key_encode_public(key, &out));
    CN_TRY(cn_key_sign(key, cn_str("x"), &out));
out:
    cn_key_wipe(&out);
    cn_key_free(key);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(all_of_it);
}

static void check_text(const cn_peer_id *id, char base, const char *expected)
{
    cn_buf out = new_buf();
    cn_peer_id back = {0};
    CHECK_OK(cn_peer_id_encode_text(id, base, &out));
    CHECK_BYTES(cn_buf_slice(&out), cn_str(expected));
    CHECK_OK(cn_peer_id_parse(cn_str(expected), &back, NULL));
    CHECK(cn_peer_id_eq(id, &back));
    cn_buf_release(&out);
}

static void peer_ids_in_all_texts(void)
{
    cn_peer_id id = cn_peer_id_of_message(test_hex(ED25519_PUBLIC));
    cn_slice message = {0};
    CHECK(cn_peer_id_public(&id, &message));
    CHECK_BYTES(message, test_hex(ED25519_PUBLIC));
    check_text(&id, 0, "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq");
    check_text(&id, 'k', "k51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1oe");
    check_text(&id, 'b', "bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6");
}

static void long_keys_are_hashed(void)
{
    cn_buf file = {0};
    cn_key *key = NULL;
    cn_peer_id id = {0};
    if (!test_fixture("keys/libp2p-interop/go.rsa.key", &file)) {
        return;
    }
    CHECK_OK(cn_key_decode_private(cn_mem_default(), cn_buf_slice(&file), &key, NULL));
    CHECK_OK(cn_peer_id_of_key(key, &id));
    CHECK_EQ(id.len, 34);
    CHECK(!cn_peer_id_public(&id, NULL));
    cn_buf out = new_buf();
    CHECK_OK(cn_peer_id_encode_text(&id, 0, &out));
    CHECK(cn_slice_starts(cn_buf_slice(&out), cn_str("Qm")));
    cn_buf_release(&out);
    cn_key_free(key);
    cn_buf_release(&file);
}

static void peer_ids_that_are_none(void)
{
    static const struct {
        const char *text;
        cn_err err;
        const char *sentence;
    } cases[] = {
        {"", CN_ERR_MALFORMED, "failed to parse peer ID: invalid cid: cid too short"},
        {"1", CN_ERR_TRUNCATED, "failed to parse peer ID: input isn't valid multihash"},
        {"Qm0", CN_ERR_MALFORMED, "failed to parse peer ID: input isn't valid multihash"},
        {"hello", CN_ERR_UNSUPPORTED,
         "failed to parse peer ID: invalid cid: selected encoding not supported"},
        {"bafkqaaa", CN_ERR_WRONG_TYPE, "can't convert CID of type \"raw\" to a peer ID"},
    };
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        cn_peer_id id = {.len = 7};
        cn_why why = {{0}};
        CHECK_ERR(cn_peer_id_parse(cn_str(cases[i].text), &id, &why), cases[i].err);
        CHECK_STR(why.text, cases[i].sentence);
        CHECK_EQ(id.len, 7);
    }
}

static void type_names(void)
{
    cn_key_type type = CN_KEY_RSA;
    CHECK_STR(cn_key_type_name(CN_KEY_ED25519), "ed25519");
    CHECK_OK(cn_key_type_parse(cn_str("secp256k1"), &type));
    CHECK_EQ(type, CN_KEY_SECP256K1);
    CHECK_ERR(cn_key_type_parse(cn_str("dsa"), &type), CN_ERR_UNSUPPORTED);
}

int main(void)
{
    TEST(vectors_of_the_specification);
    TEST(keys_of_other_writers);
    TEST(fresh_keys_go_round);
    TEST(what_is_refused);
    TEST(out_of_memory_leaves_nothing);
    TEST(peer_ids_in_all_texts);
    TEST(long_keys_are_hashed);
    TEST(peer_ids_that_are_none);
    TEST(type_names);
    return test_end();
}
