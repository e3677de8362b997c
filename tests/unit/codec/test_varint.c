#include "codec/varint.h"
#include "lib/test.h"

/* Reads the whole of `hex`; the value, or the error. */
static cn_err read_all(const char *hex, uint64_t *ret)
{
    cn_cur in = cn_cur_of(test_hex(hex));
    cn_err err = cn_varint_decode(&in, ret);
    if (err == CN_OK) {
        CHECK(cn_cur_done(&in));
    }
    return err;
}

static void published_values(void)
{
    static const struct {
        uint64_t value;
        const char *hex;
    } cases[] = {
        {0, "00"},     {1, "01"},     {127, "7f"},       {128, "8001"},
        {255, "ff01"}, {300, "ac02"}, {16384, "808001"}, {INT64_MAX, "ffffffffffffffff7f"},
    };
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        uint64_t got = 99;
        CHECK_OK(read_all(cases[i].hex, &got));
        CHECK(got == cases[i].value);
        uint8_t bytes[CN_VARINT64_MAX_BYTES];
        size_t len = cn_varint_encode(cases[i].value, bytes);
        CHECK_BYTES(((cn_slice){bytes, len}), test_hex(cases[i].hex));
        CHECK_EQ(cn_varint_len(cases[i].value), len);
    }
    CHECK_EQ(cn_varint_len(UINT64_MAX), 10);
}

static void what_is_refused(void)
{
    uint64_t got = 99;
    CHECK_ERR(read_all("", &got), CN_ERR_TRUNCATED);
    CHECK_ERR(read_all("80", &got), CN_ERR_TRUNCATED);
    CHECK_ERR(read_all("ffffffffffffffff", &got), CN_ERR_TRUNCATED);
    CHECK_ERR(read_all("8000", &got), CN_ERR_MALFORMED);
    CHECK_ERR(read_all("ff00", &got), CN_ERR_MALFORMED);
    CHECK_ERR(read_all("808000", &got), CN_ERR_MALFORMED);
    CHECK_ERR(read_all("ffffffffffffffffff01", &got), CN_ERR_TOO_LARGE);
    CHECK_ERR(read_all("8080808080808080808001", &got), CN_ERR_TOO_LARGE);
    CHECK_EQ(got, 99);
}

static void each_length_goes_round(void)
{
    for (unsigned bit = 0; bit < 63; bit++) {
        for (int step = -1; step <= 1; step++) {
            uint64_t value = ((uint64_t)1 << bit) + (uint64_t)(int64_t)step;
            cn_buf b;
            cn_buf_init(&b, cn_mem_default(), 16);
            CHECK_OK(cn_varint_append(&b, value));
            CHECK_EQ(b.len, cn_varint_len(value));
            cn_cur in = cn_cur_of(cn_buf_slice(&b));
            uint64_t got = 0;
            CHECK_OK(cn_varint_decode(&in, &got));
            CHECK(got == value);
            cn_buf_release(&b);
        }
    }
}

int main(void)
{
    TEST(published_values);
    TEST(what_is_refused);
    TEST(each_length_goes_round);
    return test_end();
}
