/* The writer's bytes are those of Go's encoding/json. */
#include "codec/json_write.h"
#include "lib/test.h"

static void check_string(cn_slice in, const char *expected)
{
    cn_buf out;
    cn_json_writer j;
    cn_buf_init(&out, cn_mem_default(), 1000);
    cn_json_init(&j, &out, NULL);
    cn_json_string(&j, in);
    CHECK_OK(cn_json_finish(&j));
    CHECK_BYTES(cn_buf_slice(&out), cn_str(expected));
    cn_buf_release(&out);
}

static void strings_are_escaped_as_go_does(void)
{
    check_string(cn_str(""), "\"\"");
    check_string(cn_str("a\"b\\c/\b\f\n\r\t"), "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\"");
    check_string(cn_slice_of("\0\x1f\x7f", 3), "\"\\u0000\\u001f\x7f\"");
    check_string(cn_str("<a>&"), "\"\\u003ca\\u003e\\u0026\"");
    check_string(cn_str("\xe2\x80\xa8\xe2\x80\xa9\xc3\xa4"), "\"\\u2028\\u2029\xc3\xa4\"");
    check_string(cn_str("a\xff\xfe"), "\"a\\ufffd\\ufffd\"");
    check_string(cn_str("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");
    check_string(
        cn_str("\xc0\xaf|\xf4\x90\x80\x80|\xe2\x82"),
        "\"\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd\\ufffd|\\ufffd\\ufffd\"");
    check_string(cn_str("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"");
}

static void check_float(double in, const char *expected)
{
    cn_buf out;
    cn_json_writer j;
    cn_buf_init(&out, cn_mem_default(), 1000);
    cn_json_init(&j, &out, NULL);
    cn_json_float(&j, in);
    CHECK_OK(cn_json_finish(&j));
    CHECK_BYTES(cn_buf_slice(&out), cn_str(expected));
    cn_buf_release(&out);
}

static void floats_are_written_as_go_does(void)
{
    check_float(0, "0");
    check_float(-0.0, "-0");
    check_float(1, "1");
    check_float(0.1, "0.1");
    check_float(1.5, "1.5");
    check_float(100000, "100000");
    check_float(123456789.125, "123456789.125");
    check_float(1e20, "100000000000000000000");
    check_float(1e21, "1e+21");
    check_float(1e-6, "0.000001");
    check_float(1e-7, "1e-7");
    check_float(1.25e-10, "1.25e-10");
    check_float(-2.5e300, "-2.5e+300");
}

static cn_err write_all(cn_mem *mem)
{
    cn_buf out;
    cn_json_writer j;
    cn_buf_init(&out, mem, 1000);
    cn_json_init(&j, &out, "\t");
    cn_json_object(&j);
    cn_json_put_text(&j, "A", "x");
    cn_json_key(&j, "L");
    cn_json_list(&j);
    cn_json_int(&j, INT64_MIN);
    cn_json_uint(&j, UINT64_MAX);
    cn_json_null(&j);
    cn_json_list_end(&j);
    cn_json_key(&j, "E");
    cn_json_object(&j);
    cn_json_object_end(&j);
    cn_json_put_bool(&j, "B", true);
    cn_json_object_end(&j);
    cn_err err = cn_json_finish(&j);
    if (err == CN_OK) {
        CHECK_BYTES(
            cn_buf_slice(&out),
            cn_str("{\n\t\"A\": \"x\",\n\t\"L\": [\n\t\t-9223372036854775808,\n\t\t"
                   "18446744073709551615,\n\t\tnull\n\t],\n\t\"E\": {},\n\t\"B\": true\n}"));
    }
    cn_buf_release(&out);
    return err;
}

static void nesting_and_indentation_as_go_does(void)
{
    test_out_of_memory(write_all);
}

int main(void)
{
    TEST(strings_are_escaped_as_go_does);
    TEST(floats_are_written_as_go_does);
    TEST(nesting_and_indentation_as_go_does);
    return test_end();
}
