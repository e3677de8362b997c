/* The lower of the two s of a signature: against arithmetic done elsewhere, and on fresh
 * signatures. */
#include "crypto/secp256k1.h"

#include "base/buf.h"
#include "base/mem.h"
#include "crypto/key.h"
#include "lib/test.h"

enum { FRESH = 64 };

static const char ONE[] = "0000000000000000000000000000000000000000000000000000000000000001";
static const char HALF[] = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";
static const char HALF_AND_ONE[] =
    "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1";
static const char ORDER_LESS_ONE[] =
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140";
static const char ORDER_LESS_128[] =
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd03640c1";

static void put_number(cn_buf *out, const char *hex)
{
    uint8_t number[33] = {0};
    size_t skip = 0;
    cn_slice given = test_hex(hex);
    cn_copy(number + 1, given.data, 32);
    while (skip < 32 && number[skip] == 0 && number[skip + 1] < 0x80) {
        skip++;
    }
    uint8_t head[] = {0x02, (uint8_t)(33 - skip)};
    CHECK_OK(cn_buf_append(out, cn_slice_of(head, sizeof head)));
    CHECK_OK(cn_buf_append(out, cn_slice_of(number + skip, 33 - skip)));
}

static size_t put_signature(uint8_t ret[CN_SECP256K1_DER_MAX_BYTES], const char *r, const char *s)
{
    cn_buf numbers = {0};
    cn_buf_init(&numbers, cn_mem_default(), 128);
    put_number(&numbers, r);
    put_number(&numbers, s);
    ret[0] = 0x30;
    ret[1] = (uint8_t)numbers.len;
    cn_copy(ret + 2, numbers.data, numbers.len);
    size_t len = numbers.len + 2;
    cn_buf_release(&numbers);
    return len;
}

static void check_lowered(const char *r, const char *from, const char *to)
{
    uint8_t der[CN_SECP256K1_DER_MAX_BYTES] = {0};
    uint8_t expected[CN_SECP256K1_DER_MAX_BYTES] = {0};
    size_t len = put_signature(der, r, from);
    size_t expected_len = put_signature(expected, r, to);
    CHECK(cn_secp256k1_lower(der, &len));
    CHECK_BYTES(cn_slice_of(der, len), cn_slice_of(expected, expected_len));
}

static void the_lower_of_two_is_kept(void)
{
    check_lowered(ONE, ONE, ONE);
    check_lowered(ONE, HALF, HALF);
    check_lowered(ORDER_LESS_ONE, HALF, HALF);
}

static void the_higher_of_two_becomes_the_lower(void)
{
    check_lowered(ONE, HALF_AND_ONE, HALF);
    check_lowered(ORDER_LESS_ONE, ORDER_LESS_ONE, ONE);
    /* A result whose first byte would be taken for a sign keeps a zero before it. */
    check_lowered(
        HALF, ORDER_LESS_128, "0000000000000000000000000000000000000000000000000000000000000080");
}

static void what_is_no_signature_is_left_alone(void)
{
    uint8_t der[CN_SECP256K1_DER_MAX_BYTES] = {0};
    size_t whole = put_signature(der, ORDER_LESS_ONE, ORDER_LESS_ONE);
    CHECK_EQ(whole, CN_SECP256K1_DER_MAX_BYTES);
    for (size_t len = 0; len < whole; len++) {
        size_t cut = len;
        CHECK(!cn_secp256k1_lower(der, &cut));
        CHECK_EQ(cut, len);
    }
    size_t places[] = {0, 1, 2, 3, 37, 38};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        size_t len = put_signature(der, ORDER_LESS_ONE, ORDER_LESS_ONE);
        der[places[i]] ^= 0x40;
        CHECK(!cn_secp256k1_lower(der, &len));
    }
}

/* s of a signature that is right in form. */
static cn_slice s_of(cn_slice der)
{
    size_t at = 4u + der.data[3];
    return cn_slice_skip(der, at + 2);
}

static void fresh_signatures_have_the_lower(void)
{
    cn_key *key = NULL;
    cn_why why = {{0}};
    if (!CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_SECP256K1, 0, &key, &why))) {
        return;
    }
    for (int i = 0; i < FRESH; i++) {
        cn_buf signature = {0};
        bool good = false;
        cn_buf_init(&signature, cn_mem_default(), CN_KEY_SIGNATURE_MAX_BYTES);
        CHECK_OK(cn_key_sign(key, cn_str("message"), &signature));
        cn_slice s = s_of(cn_buf_slice(&signature));
        CHECK(s.len < 32 || (s.len == 32 && cn_slice_cmp(s, test_hex(HALF)) <= 0));
        CHECK_OK(cn_key_verify(key, cn_str("message"), cn_buf_slice(&signature), &good));
        CHECK(good);
        cn_buf_release(&signature);
    }
    cn_key_free(key);
}

/* The sentence for a key that cannot be read was left behind after one that could. */
static void reading_a_key_leaves_no_sentence(void)
{
    cn_key *key = NULL;
    cn_key *again = NULL;
    cn_buf bytes = {0};
    cn_why why = {{0}};
    cn_buf_init(&bytes, cn_mem_default(), CN_KEY_PRIVATE_MAX_BYTES);
    if (CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &key, &why)) &&
        CHECK_OK(cn_key_put_public(key, &bytes)) &&
        CHECK_OK(cn_key_read_public(
            cn_mem_default(), CN_KEY_ED25519, cn_buf_slice(&bytes), &again, &why))) {
        CHECK_STR(why.text, "");
    }
    CHECK_ERR(
        cn_key_read_public(cn_mem_default(), CN_KEY_ED25519, cn_str("short"), &again, &why),
        CN_ERR_MALFORMED);
    CHECK_STR(why.text, "the public key cannot be read");
    cn_key_free(again);
    cn_key_free(key);
    cn_buf_release(&bytes);
}

int main(void)
{
    TEST(the_lower_of_two_is_kept);
    TEST(the_higher_of_two_becomes_the_lower);
    TEST(what_is_no_signature_is_left_alone);
    TEST(fresh_signatures_have_the_lower);
    TEST(reading_a_key_leaves_no_sentence);
    return test_end();
}
