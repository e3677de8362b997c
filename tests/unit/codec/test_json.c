#include "codec/json.h"
#include "lib/test.h"

enum { DOC_BYTES = 1 << 20 };

/* Parse, write; the text expected, or the sentence of the error. */
static void round_trip(const char *in, unsigned flags, const char *expected)
{
    cn_json_doc d;
    cn_json *j = NULL;
    cn_why why = {0};
    cn_buf out;
    const char *text = NULL;
    cn_json_doc_init(&d, cn_mem_default(), DOC_BYTES);
    cn_buf_init(&out, cn_mem_default(), DOC_BYTES);
    if (cn_json_parse(&d, cn_str(in), CN_JSON_WHOLE, &j, &why) != CN_OK) {
        CHECK_STR(why.text, expected);
    } else {
        CHECK_OK(cn_json_dump(j, flags, &out));
        CHECK_OK(cn_buf_cstr(&out, &text));
        CHECK_STR(text, expected);
    }
    cn_buf_release(&out);
    cn_json_doc_release(&d);
}

static void values_come_out_as_go_writes_them(void)
{
    round_trip("{}", 0, "{}");
    round_trip(
        " [ 1 , {\"a\" :null,\"b\":[]} , true,false ] ", 0, "[1,{\"a\":null,\"b\":[]},true,false]");
    round_trip(
        "{\"a\":{\"b\":[1,2],\"c\":{}},\"d\":\"x\"}", CN_JSON_INDENT,
        "{\n  \"a\": {\n    \"b\": [\n      1,\n      2\n    ],\n    \"c\": {}\n  },\n  "
        "\"d\": \"x\"\n}");
    round_trip(
        "\"c<d>&\\u2028\\u00e9\\/\\t\\u0001\\u007f\"", 0,
        "\"c\\u003cd\\u003e\\u0026\\u2028\xc3\xa9/\\t\\u0001\x7f\"");
    round_trip(
        "\"\\ud83d\\ude00 \\ud83d \\ude00 \xff\xc3\"", 0,
        "\"\xf0\x9f\x98\x80 \xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\"");
    round_trip(
        "\"\\ud83d\\u0041\"", 0,
        "\"\xef\xbf\xbd"
        "A\"");
}

static void numbers_keep_their_digits(void)
{
    round_trip("123456789012345678901234567890", 0, "123456789012345678901234567890");
    round_trip("-0.10e5", 0, "-0.10e5");
    round_trip("9223372036854775808", CN_JSON_GO_NUMBERS, "9223372036854775808");
    round_trip("1e2", CN_JSON_GO_NUMBERS, "100");
    round_trip("91.50", CN_JSON_GO_NUMBERS, "91.5");
    round_trip("0.1", CN_JSON_GO_NUMBERS, "0.1");
    round_trip("1.0", CN_JSON_GO_NUMBERS, "1");
    round_trip("1e21", CN_JSON_GO_NUMBERS, "1e+21");
    round_trip("1.5e-7", CN_JSON_GO_NUMBERS, "1.5e-7");
    round_trip("0.000001", CN_JSON_GO_NUMBERS, "0.000001");
    round_trip("123456789.125e3", CN_JSON_GO_NUMBERS, "123456789125");
    round_trip("1e20", CN_JSON_GO_NUMBERS, "100000000000000000000");
    round_trip("1e400", CN_JSON_GO_NUMBERS, "1e400");
}

static void mistakes_are_said_as_go_says_them(void)
{
    round_trip("", 0, "unexpected end of JSON input");
    round_trip("{", 0, "unexpected end of JSON input");
    round_trip("hello", 0, "invalid character 'h' looking for beginning of value");
    round_trip("foo", 0, "invalid character 'o' in literal false (expecting 'a')");
    round_trip("{a", 0, "invalid character 'a' looking for beginning of object key string");
    round_trip("{\"a\" 1}", 0, "invalid character '1' after object key");
    round_trip("{\"a\":1 2}", 0, "invalid character '2' after object key:value pair");
    round_trip("[1 2]", 0, "invalid character '2' after array element");
    round_trip("[1,]", 0, "invalid character ']' looking for beginning of value");
    round_trip("{\"a\":1,}", 0, "invalid character '}' looking for beginning of object key string");
    round_trip("1 x", 0, "invalid character 'x' after top-level value");
    round_trip("-x", 0, "invalid character 'x' in numeric literal");
    round_trip("1.x", 0, "invalid character 'x' after decimal point in numeric literal");
    round_trip("1ex", 0, "invalid character 'x' in exponent of numeric literal");
    round_trip("01", 0, "invalid character '1' after top-level value");
    round_trip("\"\n\"", 0, "invalid character '\\n' in string literal");
    round_trip("\"\\x\"", 0, "invalid character 'x' in string escape code");
    round_trip("\"\\u12g4\"", 0, "invalid character 'g' in \\u hexadecimal character escape");
    round_trip("'", 0, "invalid character '\\'' looking for beginning of value");
    round_trip("\x01", 0, "invalid character '\\x01' looking for beginning of value");
    round_trip("\xef\xbb\xbf{}", 0, "invalid character '\xc3\xaf' looking for beginning of value");
}

static void first_value_is_enough_where_asked(void)
{
    cn_json_doc d;
    cn_json *j = NULL;
    cn_why why = {0};
    cn_json_doc_init(&d, cn_mem_default(), DOC_BYTES);
    CHECK_OK(cn_json_parse(&d, cn_str("{\"a\":1} garbage"), CN_JSON_FIRST, &j, &why));
    CHECK_ERR(cn_json_parse(&d, cn_str(" \n"), CN_JSON_FIRST, &j, &why), CN_ERR_TRUNCATED);
    CHECK_STR(why.text, "EOF");
    CHECK_ERR(cn_json_parse(&d, cn_str("{"), CN_JSON_FIRST, &j, &why), CN_ERR_TRUNCATED);
    CHECK_STR(why.text, "unexpected EOF");
    cn_json_doc_release(&d);
}

static void depth_and_size_are_bounded(void)
{
    static char deep[2 * CN_JSON_MAX_DEPTH + 8];
    cn_json_doc d;
    cn_json *j = NULL;
    cn_json *copy = NULL;
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), sizeof deep);
    for (size_t i = 0; i < CN_JSON_MAX_DEPTH; i++) {
        deep[i] = '[';
        deep[2 * CN_JSON_MAX_DEPTH - 1 - i] = ']';
    }
    cn_json_doc_init(&d, cn_mem_default(), 64 << 20);
    CHECK_OK(cn_json_parse(&d, cn_str(deep), CN_JSON_WHOLE, &j, NULL));
    CHECK_OK(cn_json_copy(&d, j, &copy));
    cn_json_sort(copy);
    CHECK_OK(cn_json_dump(copy, 0, &out));
    CHECK_BYTES(cn_buf_slice(&out), cn_str(deep));
    deep[CN_JSON_MAX_DEPTH] = '[';
    CHECK_ERR(cn_json_parse(&d, cn_str(deep), CN_JSON_WHOLE, &j, NULL), CN_ERR_TOO_DEEP);
    cn_json_doc_release(&d);
    cn_json_doc_init(&d, cn_mem_default(), 256);
    CHECK_ERR(
        cn_json_parse(&d, cn_str("[1,2,3,4,5,6]"), CN_JSON_WHOLE, &j, NULL), CN_ERR_TOO_LARGE);
    cn_json_doc_release(&d);
    cn_buf_release(&out);
}

static void members_are_found_set_removed_and_sorted(void)
{
    cn_json_doc d;
    cn_json *j = NULL;
    cn_json *v = NULL;
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 4096);
    cn_json_doc_init(&d, cn_mem_default(), DOC_BYTES);
    const char *text = "{\"b\":1,\"a\":2,\"b\":3,\"Zed\":{\"y\":1,\"x\":2},\"c\":4}";
    CHECK_OK(cn_json_parse(&d, cn_str(text), CN_JSON_WHOLE, &j, NULL));
    CHECK_BYTES(cn_json_get(j, cn_str("b"))->text, cn_str("3"));
    CHECK(cn_json_get(j, cn_str("zed")) == NULL);
    CHECK(cn_json_get_fold(j, cn_str("zED")) != NULL);
    CHECK_OK(cn_json_new_number(&d, -7, &v));
    CHECK_OK(cn_json_set(&d, j, cn_str("b"), v));
    CHECK_OK(cn_json_new_bool(&d, true, &v));
    CHECK_OK(cn_json_set(&d, j, cn_str("new"), v));
    CHECK(cn_json_remove(j, cn_str("c")));
    CHECK(!cn_json_remove(j, cn_str("c")));
    CHECK_OK(cn_json_dump(j, 0, &out));
    CHECK_BYTES(
        cn_buf_slice(&out), cn_str("{\"b\":-7,\"a\":2,\"Zed\":{\"y\":1,\"x\":2},\"new\":true}"));
    cn_json_sort(j);
    cn_buf_reset(&out);
    CHECK_OK(cn_json_dump(j, 0, &out));
    CHECK_BYTES(
        cn_buf_slice(&out), cn_str("{\"Zed\":{\"x\":2,\"y\":1},\"a\":2,\"b\":-7,\"new\":true}"));
    cn_buf_reset(&out);
    CHECK_OK(
        cn_json_parse(&d, cn_str("{\"q\":1,\"a\":2,\"q\":{\"z\":5}}"), CN_JSON_WHOLE, &j, NULL));
    cn_json_sort(j);
    CHECK_OK(cn_json_dump(j, 0, &out));
    CHECK_BYTES(cn_buf_slice(&out), cn_str("{\"a\":2,\"q\":{\"z\":5}}"));
    cn_buf_release(&out);
    cn_json_doc_release(&d);
}

static cn_err parse_and_copy(cn_mem *mem)
{
    cn_json_doc d;
    cn_json *j = NULL;
    cn_buf out;
    cn_err err = CN_OK;
    cn_json_doc_init(&d, mem, DOC_BYTES);
    cn_buf_init(&out, mem, DOC_BYTES);
    CN_TRY(cn_json_parse(&d, cn_str("{\"a\":[1,\"two\",{\"b\":null}]}"), CN_JSON_WHOLE, &j, NULL));
    CN_TRY(cn_json_copy(&d, j, &j));
    CN_TRY(cn_json_dump(j, CN_JSON_INDENT, &out));
out:
    cn_buf_release(&out);
    cn_json_doc_release(&d);
    return err;
}

static void memory_may_run_out(void)
{
    test_out_of_memory(parse_and_copy);
}

int main(void)
{
    TEST(values_come_out_as_go_writes_them);
    TEST(numbers_keep_their_digits);
    TEST(mistakes_are_said_as_go_says_them);
    TEST(first_value_is_enough_where_asked);
    TEST(depth_and_size_are_bounded);
    TEST(members_are_found_set_removed_and_sorted);
    TEST(memory_may_run_out);
    return test_end();
}
