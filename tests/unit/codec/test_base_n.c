#include "base/prng.h"
#include "codec/base_n.h"
#include "lib/test.h"

static const char *encode(cn_base base, cn_slice in)
{
    static cn_buf b;
    cn_buf_release(&b);
    cn_buf_init(&b, cn_mem_default(), 1 << 20);
    const char *text = NULL;
    CHECK_OK(cn_base_n_encode(base, in, &b));
    CHECK_OK(cn_buf_cstr(&b, &text));
    return text;
}

static void published_vectors(void)
{
    /* RFC 4648 chapter 10, RFC 9285 chapter 4 */
    CHECK_STR(encode(CN_BASE64_PAD, cn_str("f")), "Zg==");
    CHECK_STR(encode(CN_BASE64_PAD, cn_str("foobar")), "Zm9vYmFy");
    CHECK_STR(encode(CN_BASE64, cn_str("fooba")), "Zm9vYmE");
    CHECK_STR(encode(CN_BASE32_PAD_UPPER, cn_str("f")), "MY======");
    CHECK_STR(encode(CN_BASE32_PAD_UPPER, cn_str("foob")), "MZXW6YQ=");
    CHECK_STR(encode(CN_BASE32_HEX_PAD_UPPER, cn_str("fooba")), "CPNMUOJ1");
    CHECK_STR(encode(CN_BASE16_UPPER, cn_str("foobar")), "666F6F626172");
    CHECK_STR(encode(CN_BASE45, cn_str("AB")), "BB8");
    CHECK_STR(encode(CN_BASE45, cn_str("Hello!!")), "%69 VD92EX0");
    CHECK_STR(encode(CN_BASE45, cn_str("base-45")), "UJCLQE7W581");
    CHECK_STR(encode(CN_BASE58_BTC, cn_str("Hello World!")), "2NEpo7TZRRrLZSi2U");
    CHECK_STR(encode(CN_BASE58_BTC, test_hex("0000287fb4cd")), "11233QC4");
    CHECK_STR(encode(CN_BASE10, test_hex("0000ff")), "00255");
    CHECK_STR(encode(CN_BASE8, cn_str("yes")), "36262563");
    CHECK_STR(encode(CN_BASE2, test_hex("a5")), "10100101");
}

static void every_base_goes_round(void)
{
    cn_prng p;
    cn_prng_init(&p, 7);
    uint8_t data[600];
    for (size_t len = 0; len <= sizeof data; len += len < 40 ? 1 : 80) {
        for (size_t i = 0; i < len; i++) {
            data[i] = i < len % 3 ? 0 : (uint8_t)cn_prng_u32(&p);
        }
        for (int base = 0; base < CN_BASE_COUNT; base++) {
            bool number = base == CN_BASE36 || base == CN_BASE36_UPPER || base == CN_BASE58_BTC ||
                          base == CN_BASE58_FLICKR;
            cn_buf text;
            cn_buf back;
            cn_buf_init(&text, cn_mem_default(), 1 << 16);
            cn_buf_init(&back, cn_mem_default(), 1 << 16);
            CHECK_OK(cn_base_n_encode((cn_base)base, (cn_slice){data, len}, &text));
            if (len == 0 && number) {
                CHECK_ERR(
                    cn_base_n_decode((cn_base)base, cn_buf_slice(&text), &back, NULL),
                    CN_ERR_MALFORMED);
            } else {
                CHECK_OK(cn_base_n_decode((cn_base)base, cn_buf_slice(&text), &back, NULL));
                CHECK_BYTES(cn_buf_slice(&back), ((cn_slice){data, len}));
            }
            cn_buf_release(&text);
            cn_buf_release(&back);
        }
    }
}

static void check_bad(cn_base base, const char *text, const char *sentence)
{
    cn_buf out;
    cn_why why = {{0}};
    cn_buf_init(&out, cn_mem_default(), 1000);
    CHECK_OK(cn_buf_text(&out, "kept"));
    CHECK_ERR(cn_base_n_decode(base, cn_str(text), &out, &why), CN_ERR_MALFORMED);
    CHECK_STR(why.text, sentence);
    CHECK_BYTES(cn_buf_slice(&out), cn_str("kept"));
    cn_buf_release(&out);
}

static void sentences_are_those_users_know(void)
{
    check_bad(CN_BASE16, "oo", "encoding/hex: invalid byte: U+006F 'o'");
    check_bad(CN_BASE16, "abc", "encoding/hex: odd length hex string");
    check_bad(CN_BASE16, "a\x01", "encoding/hex: invalid byte: U+0001");
    check_bad(CN_BASE16, "a\xc3", "encoding/hex: invalid byte: U+00C3 '\xc3\x83'");
    check_bad(CN_BASE32, "aa1a", "illegal base32 data at input byte 2");
    check_bad(CN_BASE64, "aa!a", "illegal base64 data at input byte 2");
    check_bad(CN_BASE58_BTC, "ab0", "invalid base58 digit ('0')");
    check_bad(CN_BASE58_BTC, "ab\xff", "high-bit set on invalid digit");
    check_bad(CN_BASE58_BTC, "ab\n", "invalid base58 digit ('\\n')");
    check_bad(CN_BASE58_BTC, "", "zero length string");
    check_bad(CN_BASE36, "ab-", "invalid base36 character ('-')");
    check_bad(CN_BASE36, "ab\x7f", "invalid base36 character ('\\x7f')");
    check_bad(CN_BASE36, "\xc3\xa9", "invalid base36 character ('\xc3\xa9')");
    check_bad(CN_BASE36, "", "can not decode zero-length string");
    check_bad(
        CN_BASE2, "0101010101010121",
        "error while conversion: strconv.ParseInt: parsing \"01010121\": invalid syntax");
}

static void padding_must_be_whole(void)
{
    static const char *const bad[] = {
        "MY", "MY=====", "MY=======", "M=======", "MZXW6YQ==", "MY======MY======", "="};
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        cn_buf out;
        cn_buf_init(&out, cn_mem_default(), 1000);
        CHECK_ERR(cn_base_n_decode(CN_BASE32_PAD, cn_str(bad[i]), &out, NULL), CN_ERR_MALFORMED);
        cn_buf_release(&out);
    }
}

static void newlines_and_both_cases(void)
{
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 1000);
    CHECK_OK(cn_base_n_decode(CN_BASE32, cn_str("mZx\r\nW6\n"), &out, NULL));
    CHECK_OK(cn_base_n_decode(CN_BASE64_PAD, cn_str("Zm9v\nYg==\n"), &out, NULL));
    CHECK_OK(cn_base_n_decode(CN_BASE16, cn_str("6F6f"), &out, NULL));
    CHECK_OK(cn_base_n_decode(CN_BASE2, cn_str("101"), &out, NULL));
    CHECK_BYTES(cn_buf_slice(&out), cn_str("foofooboo\x05"));
    cn_buf_release(&out);
}

static cn_err long_number(cn_mem *mem)
{
    static const uint8_t data[1000] = {1, 2, 3};
    cn_buf text;
    cn_buf back;
    cn_buf_init(&text, mem, 4000);
    cn_buf_init(&back, mem, 4000);
    cn_err err = cn_base_n_encode(CN_BASE58_BTC, (cn_slice){data, sizeof data}, &text);
    if (err == CN_OK) {
        err = cn_base_n_decode(CN_BASE58_BTC, cn_buf_slice(&text), &back, NULL);
    }
    cn_buf_release(&text);
    cn_buf_release(&back);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(long_number);
}

int main(void)
{
    TEST(published_vectors);
    TEST(every_base_goes_round);
    TEST(sentences_are_those_users_know);
    TEST(padding_must_be_whole);
    TEST(newlines_and_both_cases);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
