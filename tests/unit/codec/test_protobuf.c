#include "codec/protobuf.h"
#include "lib/test.h"

static cn_err first(const char *hex, cn_pb_field *ret)
{
    cn_cur in = cn_cur_of(test_hex(hex));
    return cn_pb_next(&in, ret);
}

static void the_examples_of_the_format(void)
{
    cn_pb_field f = {0};
    CHECK_OK(first("089601", &f));
    CHECK_EQ(f.number, 1);
    CHECK_EQ(f.wire, CN_PB_VARINT);
    CHECK_EQ(f.value, 150);
    CHECK_OK(first("120774657374696e67", &f));
    CHECK_EQ(f.number, 2);
    CHECK_BYTES(f.bytes, cn_str("testing"));
    CHECK_OK(first("0d01020304", &f));
    CHECK_EQ(f.value, 0x04030201);
    CHECK_OK(first("090102030405060708", &f));
    CHECK(f.value == 0x0807060504030201u);
    CHECK_OK(first("08ffffffffffffffffff01", &f));
    CHECK(f.value == UINT64_MAX);
    CHECK_OK(first("088000", &f)); /* longer than needed: protobuf readers take it */
    CHECK_EQ(f.value, 0);
}

static void what_is_refused(void)
{
    cn_pb_field f = {0};
    CHECK_ERR(first("0001", &f), CN_ERR_MALFORMED); /* field number 0 */
    CHECK_ERR(first("0b", &f), CN_ERR_MALFORMED);   /* group start */
    CHECK_ERR(first("0c", &f), CN_ERR_MALFORMED);   /* group end */
    CHECK_ERR(first("0e", &f), CN_ERR_MALFORMED);
    CHECK_ERR(first("0f", &f), CN_ERR_MALFORMED);
    CHECK_ERR(first("8080808010", &f), CN_ERR_MALFORMED); /* field number 2^29 */
    CHECK_ERR(first("08ffffffffffffffffff02", &f), CN_ERR_MALFORMED);
    CHECK_ERR(first("08", &f), CN_ERR_TRUNCATED);
    CHECK_ERR(first("0880", &f), CN_ERR_TRUNCATED);
    CHECK_ERR(first("0d010203", &f), CN_ERR_TRUNCATED);
    CHECK_ERR(first("0901020304050607", &f), CN_ERR_TRUNCATED);
    CHECK_ERR(first("120774657374696e", &f), CN_ERR_TRUNCATED);
    CHECK_ERR(first("12ffffffffffffffffff01", &f), CN_ERR_TRUNCATED);
}

static void writers_and_sizes_agree(void)
{
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), 4096);
    size_t size = 0;
    static const uint32_t numbers[] = {1, 15, 16, 2047, 2048, CN_PB_NUMBER_MAX};
    for (size_t i = 0; i < CN_LEN(numbers); i++) {
        uint32_t n = numbers[i];
        CHECK_OK(cn_pb_put_varint(&b, n, UINT64_MAX >> i * 10));
        CHECK_OK(cn_pb_put_fixed32(&b, n, 0x01020304));
        CHECK_OK(cn_pb_put_fixed64(&b, n, 0x0102030405060708));
        CHECK_OK(cn_pb_put_bytes(&b, n, cn_str("abc")));
        size += cn_pb_varint_size(n, UINT64_MAX >> i * 10) + cn_pb_fixed32_size(n) +
                cn_pb_fixed64_size(n) + cn_pb_bytes_size(n, 3);
    }
    CHECK_EQ(b.len, size);
    cn_cur in = cn_cur_of(cn_buf_slice(&b));
    for (size_t i = 0; i < CN_LEN(numbers); i++) {
        cn_pb_field f[4] = {{0}};
        for (int k = 0; k < 4; k++) {
            CHECK_OK(cn_pb_next(&in, &f[k]));
            CHECK_EQ(f[k].number, numbers[i]);
        }
        CHECK(f[0].value == UINT64_MAX >> i * 10);
        CHECK(f[1].value == 0x01020304);
        CHECK(f[2].value == 0x0102030405060708);
        CHECK_BYTES(f[3].bytes, cn_str("abc"));
    }
    cn_pb_field f = {0};
    CHECK(cn_cur_done(&in));
    CHECK_ERR(cn_pb_next(&in, &f), CN_ERR_TRUNCATED);
    cn_buf_release(&b);
}

static void a_full_buffer_is_left_as_it_was(void)
{
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), 4);
    CHECK_ERR(cn_pb_put_bytes(&b, 1, cn_str("abc")), CN_ERR_TOO_LARGE);
    CHECK_EQ(b.len, 0);
    cn_buf_release(&b);
}

int main(void)
{
    TEST(the_examples_of_the_format);
    TEST(what_is_refused);
    TEST(writers_and_sizes_agree);
    TEST(a_full_buffer_is_left_as_it_was);
    return test_end();
}
