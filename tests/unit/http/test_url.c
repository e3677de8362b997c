/* Targets: cutting, escapes both ways, queries as Go reads them. */
#include "http/url.h"
#include "lib/test.h"

static void targets_are_cut_at_the_first_question_mark(void)
{
    CHECK_BYTES(cn_url_path(cn_str("/a/b?x=y?z")), cn_str("/a/b"));
    CHECK_BYTES(cn_url_query(cn_str("/a/b?x=y?z")), cn_str("x=y?z"));
    CHECK_BYTES(cn_url_path(cn_str("/a")), cn_str("/a"));
    CHECK_EQ(cn_url_query(cn_str("/a")).len, 0);
    CHECK_EQ(cn_url_query(cn_str("/a?")).len, 0);
    CHECK_EQ(cn_url_path(cn_str("?x")).len, 0);
    CHECK_EQ(cn_url_path((cn_slice){0}).len, 0);
}

static void decodes(const char *in, bool plus, cn_err expected, cn_slice out)
{
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), 100);
    CHECK_ERR(cn_url_decode(cn_str(in), plus, &b), expected);
    if (expected == CN_OK) {
        CHECK_BYTES(cn_buf_slice(&b), out);
    }
    cn_buf_release(&b);
}

static void escapes_are_undone(void)
{
    decodes("a%20b+c", false, CN_OK, cn_str("a b+c"));
    decodes("a%20b+c", true, CN_OK, cn_str("a b c"));
    decodes("%2B%2b", true, CN_OK, cn_str("++"));
    decodes("%00%fF", false, CN_OK, cn_slice_of("\0\xff", 2));
    decodes("%2541", false, CN_OK, cn_str("%41"));
    decodes("", false, CN_OK, cn_str(""));
    decodes("%", false, CN_ERR_MALFORMED, cn_str(""));
    decodes("a%4", false, CN_ERR_MALFORMED, cn_str(""));
    decodes("%g0", false, CN_ERR_MALFORMED, cn_str(""));
    decodes("%0g", false, CN_ERR_MALFORMED, cn_str(""));
    decodes("% 1", false, CN_ERR_MALFORMED, cn_str(""));
    decodes("%%41", false, CN_ERR_MALFORMED, cn_str(""));
}

static void what_does_not_fit_is_too_large(void)
{
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), 3);
    CHECK_ERR(cn_url_encode_path(cn_str(" a"), &b), CN_ERR_TOO_LARGE);
    cn_buf_reset(&b);
    CHECK_OK(cn_url_encode_path(cn_str(" "), &b));
    CHECK_BYTES(cn_buf_slice(&b), cn_str("%20"));
    cn_buf_release(&b);
}

static void each_byte_is_escaped_where_it_must_be(void)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    static const struct {
        cn_err (*encode)(cn_slice in, cn_buf *out);
        const char *also;
    } ways[] = {
        {cn_url_encode_path, "$&+,/:;=@"},
        {cn_url_encode_segment, "$&+:=@"},
        {cn_url_encode_component, ""},
    };
    for (size_t w = 0; w < CN_LEN(ways); w++) {
        for (unsigned c = 0; c < 256; c++) {
            uint8_t byte = (uint8_t)c;
            char escaped[] = {'%', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]};
            bool kept = c != 0 && (strchr(plain, (int)c) != NULL || strchr(ways[w].also, (int)c));
            cn_buf out;
            cn_buf back;
            cn_buf_init(&out, cn_mem_default(), 8);
            cn_buf_init(&back, cn_mem_default(), 8);
            CHECK_OK(ways[w].encode(cn_slice_of(&byte, 1), &out));
            CHECK_BYTES(cn_buf_slice(&out), kept ? cn_slice_of(&byte, 1) : cn_slice_of(escaped, 3));
            CHECK_OK(cn_url_decode(cn_buf_slice(&out), false, &back));
            CHECK_BYTES(cn_buf_slice(&back), cn_slice_of(&byte, 1));
            cn_buf_release(&out);
            cn_buf_release(&back);
        }
    }
}

static void queries_are_read_in_order(void)
{
    cn_query q = {0};
    CHECK_OK(cn_query_parse(
        cn_str("a=1&b=%20+x&a=2&c&=v&&%zz=1&d=%&e;f=1&g=a=b"), cn_mem_default(), &q));
    CHECK_EQ(q.len, 6);
    CHECK_BYTES(*cn_query_get(&q, "a"), cn_str("1"));
    CHECK_BYTES(*cn_query_get(&q, "b"), cn_str("  x"));
    CHECK_BYTES(*cn_query_get(&q, "c"), cn_str(""));
    CHECK_BYTES(*cn_query_get(&q, ""), cn_str("v"));
    CHECK_BYTES(*cn_query_get(&q, "g"), cn_str("a=b"));
    CHECK(cn_query_get(&q, "d") == NULL);
    CHECK(cn_query_get(&q, "e;f") == NULL);
    CHECK(cn_query_get(&q, "A") == NULL);
    if (q.len == 6) {
        CHECK_BYTES(q.params[2].value, cn_str("2"));
        CHECK_EQ(q.params[2].value.data[1], 0);
    }
    cn_query_release(&q);
    cn_query_release(&q);
    CHECK_OK(cn_query_parse((cn_slice){0}, cn_mem_default(), &q));
    CHECK_EQ(q.len, 0);
    cn_query_release(&q);
}

static void parameters_are_bounded(void)
{
    cn_query q = {0};
    cn_buf text;
    cn_buf_init(&text, cn_mem_default(), 4 << 20);
    for (size_t i = 0; i < CN_QUERY_PARAMS_MAX; i++) {
        CHECK_OK(cn_buf_text(&text, "a&"));
    }
    CHECK_OK(cn_query_parse(cn_buf_slice(&text), cn_mem_default(), &q));
    CHECK_EQ(q.len, CN_QUERY_PARAMS_MAX);
    cn_query_release(&q);
    CHECK_OK(cn_buf_text(&text, "a"));
    CHECK_ERR(cn_query_parse(cn_buf_slice(&text), cn_mem_default(), &q), CN_ERR_TOO_LARGE);
    CHECK_EQ(q.len, 0);
    cn_buf_release(&text);
}

static cn_err parse_some(cn_mem *mem)
{
    cn_query q = {0};
    cn_err err = cn_query_parse(cn_str("a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9"), mem, &q);
    cn_query_release(&q);
    return err;
}

static void memory_may_run_out(void)
{
    test_out_of_memory(parse_some);
}

int main(void)
{
    TEST(targets_are_cut_at_the_first_question_mark);
    TEST(escapes_are_undone);
    TEST(what_does_not_fit_is_too_large);
    TEST(each_byte_is_escaped_where_it_must_be);
    TEST(queries_are_read_in_order);
    TEST(parameters_are_bounded);
    TEST(memory_may_run_out);
    return test_end();
}
