/*
 * Reports of calls that wait: found by name, told once, gone with their call.
 */
#include "lib/test.h"
#include "rpc/stall.h"

static void check_told(cn_stalls *l, const char *name, const char *text)
{
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 1 << 20);
    CHECK_OK(cn_stalls_take(l, cn_str(name), &out));
    CHECK_BYTES(cn_buf_slice(&out), cn_str(text));
    cn_buf_release(&out);
}

static void a_report_is_told_once(void)
{
    cn_stalls l = {0};
    cn_stall a = {0};
    cn_stall b = {0};
    cn_stall c = {0};
    CHECK_OK(cn_stalls_init(&l, cn_mem_default()));
    cn_stall_begin(&a, &l, cn_mem_default(), cn_str("a"));
    cn_stall_begin(&b, &l, cn_mem_default(), cn_str("b"));
    cn_stall_begin(&c, &l, cn_mem_default(), cn_str("c"));
    check_told(&l, "a", "");
    cn_stall_say(&a, cn_str("first"));
    cn_stall_say(&a, cn_str("second"));
    cn_stall_say(&b, cn_str("other"));
    check_told(&l, "a", "second");
    check_told(&l, "a", "");
    cn_stall_end(&b);
    cn_stall_end(&b);
    check_told(&l, "b", "");
    cn_stall_end(&c);
    cn_stall_end(&a);
    CHECK(l.first == NULL);
    cn_stalls_release(&l);
}

static void without_a_name_nothing_is_kept(void)
{
    cn_stalls l = {0};
    cn_stall none = {0};
    cn_stall long_one = {0};
    cn_stall longest = {0};
    CHECK_OK(cn_stalls_init(&l, cn_mem_default()));
    cn_stall_begin(&none, &l, cn_mem_default(), (cn_slice){0});
    cn_stall_begin(&longest, &l, cn_mem_default(), cn_str("0123456789abcdef0123456789abcdef"));
    cn_stall_begin(&long_one, &l, cn_mem_default(), cn_str("0123456789abcdef0123456789abcdef0"));
    cn_stall_say(&none, cn_str("x"));
    cn_stall_say(&longest, cn_str("y"));
    cn_stall_say(&long_one, cn_str("z"));
    check_told(&l, "", "");
    check_told(&l, "0123456789abcdef0123456789abcdef", "y");
    cn_stall_end(&none);
    cn_stall_end(&longest);
    cn_stall_end(&long_one);
    cn_stalls_release(&l);
}

int main(void)
{
    TEST(a_report_is_told_once);
    TEST(without_a_name_nothing_is_kept);
    return test_end();
}
