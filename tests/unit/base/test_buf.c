#include "base/buf.h"
#include "base/num.h"
#include "lib/test.h"

static void grows_to_its_bound_and_no_further(void)
{
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), 100);
    for (int i = 0; i < 10; i++) {
        CHECK_OK(cn_buf_text(&b, "0123456789"));
    }
    CHECK_ERR(cn_buf_byte(&b, 1), CN_ERR_TOO_LARGE);
    CHECK_EQ(b.len, 100);
    const char *text = NULL;
    CHECK_OK(cn_buf_cstr(&b, &text));
    CHECK_EQ(strlen(text), 100);
    cn_buf_skip(&b, 95);
    CHECK_BYTES(cn_buf_slice(&b), cn_str("56789"));
    CHECK_OK(cn_buf_printf(&b, "%d-%s", 42, "x"));
    CHECK_BYTES(cn_buf_slice(&b), cn_str("5678942-x"));
    cn_buf_release(&b);
}

static void numbers_are_read_whole_or_not_at_all(void)
{
    uint64_t u = 7;
    int64_t i = 7;
    CHECK_OK(cn_num_u64(cn_str("18446744073709551615"), &u));
    CHECK(u == UINT64_MAX);
    CHECK_ERR(cn_num_u64(cn_str("18446744073709551616"), &u), CN_ERR_TOO_LARGE);
    CHECK_ERR(cn_num_u64(cn_str(""), &u), CN_ERR_MALFORMED);
    CHECK_ERR(cn_num_u64(cn_str("1 "), &u), CN_ERR_MALFORMED);
    CHECK_OK(cn_num_i64(cn_str("-9223372036854775808"), &i));
    CHECK(i == INT64_MIN);
    CHECK_ERR(cn_num_i64(cn_str("9223372036854775808"), &i), CN_ERR_TOO_LARGE);
    CHECK_ERR(cn_num_i64(cn_str("-"), &i), CN_ERR_MALFORMED);
}

static cn_err build(cn_mem *mem)
{
    cn_buf b;
    cn_buf_init(&b, mem, 1 << 20);
    cn_err err = CN_OK;
    for (int i = 0; i < 100 && err == CN_OK; i++) {
        err = cn_buf_printf(&b, "line %d\n", i);
    }
    cn_buf_release(&b);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(build);
}

int main(void)
{
    TEST(grows_to_its_bound_and_no_further);
    TEST(numbers_are_read_whole_or_not_at_all);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
