/*
 * Signed envelopes: the vector that go-libp2p's and nim-libp2p's tests share, every type of key
 * both ways, and that no byte of one can be changed.
 */
#include "p2p/host/envelope.h"

#include "codec/base_n.h"
#include "codec/protobuf.h"
#include "lib/test.h"
#include "multiformats/key.h"

static const char PUBLISHED[] =
    "0a24080112206f1581709bb7b1ef030d210db18e3b0ba1c776fba65d8cdaad05415142d189f812102f6c6962703270"
    "2f74657374646174611a0c68656c6c6f20776f726c64212a401178673b51dfa842aad17e465e25d646ad16628916b9"
    "64c3fb10c711fee87872bdd4e4646f58c277cdff09704913d8be1aec6322de8d3d0bb852120374aece08";

static cn_err open_it(cn_slice bytes, const char *domain, cn_envelope *ret)
{
    cn_why why = {{0}};
    cn_err err = cn_envelope_open(cn_mem_default(), bytes, cn_str(domain), ret, &why);
    CHECK((err == CN_OK) == (why.text[0] == '\0'));
    return err;
}

static void the_published_envelope_opens(void)
{
    cn_buf bytes = {0};
    cn_envelope e = {0};
    cn_buf_init(&bytes, cn_mem_default(), 1000);
    CHECK_OK(cn_base_n_decode(CN_BASE16, cn_str(PUBLISHED), &bytes, NULL));
    CHECK_OK(open_it(cn_buf_slice(&bytes), "libp2p-testing", &e));
    CHECK_BYTES(e.payload, cn_str("hello world!"));
    CHECK_BYTES(e.payload_type, cn_str("/libp2p/testdata"));
    CHECK_EQ(e.signer.len, 38);
    CHECK_ERR(open_it(cn_buf_slice(&bytes), "libp2p-testinG", &e), CN_ERR_HASH_MISMATCH);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.data[i] ^= 1;
        CHECK(open_it(cn_buf_slice(&bytes), "libp2p-testing", &e) != CN_OK);
        bytes.data[i] ^= 1;
    }
    for (size_t len = 0; len < bytes.len; len++) {
        CHECK(open_it(cn_slice_of(bytes.data, len), "libp2p-testing", &e) != CN_OK);
    }
    cn_buf_release(&bytes);
}

static void every_type_of_key_seals(void)
{
    static const cn_key_type types[] = {CN_KEY_RSA, CN_KEY_ED25519, CN_KEY_SECP256K1, CN_KEY_ECDSA};
    for (size_t i = 0; i < CN_LEN(types); i++) {
        cn_key *key = NULL;
        cn_key *half = NULL;
        cn_buf out = {0};
        cn_buf message = {0};
        cn_envelope e = {0};
        cn_peer_id id = {0};
        cn_buf_init(&out, cn_mem_default(), 10000);
        cn_buf_init(&message, cn_mem_default(), 10000);
        CHECK_OK(cn_key_generate(cn_mem_default(), types[i], 2048, &key, NULL));
        CHECK_OK(cn_buf_text(&out, "before"));
        CHECK_OK(
            cn_envelope_seal(cn_mem_default(), key, cn_str("d"), cn_str("t"), cn_str(""), &out));
        CHECK_OK(open_it(cn_slice_skip(cn_buf_slice(&out), 6), "d", &e));
        CHECK_OK(cn_peer_id_of_key(key, &id));
        CHECK(cn_peer_id_eq(&id, &e.signer));
        CHECK_BYTES(e.payload, cn_str(""));
        CHECK_ERR(open_it(cn_slice_skip(cn_buf_slice(&out), 6), "e", &e), CN_ERR_HASH_MISMATCH);
        CHECK_OK(cn_key_encode_public(key, &message));
        CHECK_OK(cn_key_decode_public(cn_mem_default(), cn_buf_slice(&message), &half, NULL));
        cn_buf_reset(&out);
        CHECK_ERR(
            cn_envelope_seal(cn_mem_default(), half, cn_str("d"), cn_str("t"), cn_str("p"), &out),
            CN_ERR_USAGE);
        CHECK_EQ(out.len, 0);
        cn_key_free(key);
        cn_key_free(half);
        cn_buf_release(&out);
        cn_buf_release(&message);
    }
}

static void envelopes_have_a_limit(void)
{
    static const uint8_t zeros[CN_ENVELOPE_MAX_BYTES + 1] = {0};
    cn_key *key = NULL;
    cn_buf out = {0};
    cn_envelope e = {0};
    size_t most = CN_ENVELOPE_MAX_BYTES;
    cn_buf_init(&out, cn_mem_default(), (size_t)2 * CN_ENVELOPE_MAX_BYTES);
    CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &key, NULL));
    CHECK_OK(cn_envelope_seal(
        cn_mem_default(), key, cn_str("d"), cn_str("t"), cn_slice_of(zeros, 60000), &out));
    most -= out.len - 60000; /* the payload that fills it */
    cn_buf_reset(&out);
    CHECK_OK(cn_envelope_seal(
        cn_mem_default(), key, cn_str("d"), cn_str("t"), cn_slice_of(zeros, most), &out));
    CHECK_EQ(out.len, CN_ENVELOPE_MAX_BYTES);
    CHECK_OK(open_it(cn_buf_slice(&out), "d", &e));
    cn_buf_reset(&out);
    CHECK_ERR(
        cn_envelope_seal(
            cn_mem_default(), key, cn_str("d"), cn_str("t"), cn_slice_of(zeros, most + 1), &out),
        CN_ERR_TOO_LARGE);
    CHECK_EQ(out.len, 0);
    CHECK_ERR(open_it(cn_slice_of(zeros, sizeof(zeros)), "d", &e), CN_ERR_TOO_LARGE);
    cn_key_free(key);
    cn_buf_release(&out);
}

static void a_missing_field_is_malformed(void)
{
    cn_envelope e = {0};
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), 1000);
    CHECK_ERR(open_it(test_hex(""), "d", &e), CN_ERR_MALFORMED);
    CHECK_OK(cn_pb_put_bytes(&out, 1, cn_str("no key")));
    CHECK_OK(cn_pb_put_bytes(&out, 2, cn_str("t")));
    CHECK_ERR(open_it(cn_buf_slice(&out), "d", &e), CN_ERR_MALFORMED);
    CHECK_OK(cn_pb_put_bytes(&out, 5, cn_str("s")));
    CHECK(open_it(cn_buf_slice(&out), "d", &e) != CN_OK);
    cn_buf_release(&out);
}

static cn_key *lasting_key;

static cn_err seal_and_open(cn_mem *mem)
{
    cn_err err = CN_OK;
    cn_buf out = {0};
    cn_envelope e = {0};
    cn_buf_init(&out, mem, 10000);
    CN_TRY(cn_envelope_seal(mem, lasting_key, cn_str("d"), cn_str("t"), cn_str("p"), &out));
    CN_TRY(cn_envelope_open(mem, cn_buf_slice(&out), cn_str("d"), &e, NULL));
out:
    cn_buf_release(&out);
    return err;
}

static void running_out_of_memory_is_an_error(void)
{
    CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &lasting_key, NULL));
    test_out_of_memory(seal_and_open);
    cn_key_free(lasting_key);
}

int main(void)
{
    TEST(the_published_envelope_opens);
    TEST(every_type_of_key_seals);
    TEST(envelopes_have_a_limit);
    TEST(a_missing_field_is_malformed);
    TEST(running_out_of_memory_is_an_error);
    return test_end();
}
