#include "ipld/dagjson.h"

#include "ipld/dagjson_text.h"
#include "unit/ipld/codec_lib.h"

#include <jansson.h>

#define A_CID "bafkreifw7plhl6mofk6sfvhnfh64qmkq73oeqwl6sloru6rehaoujituke"

static cn_err check(const char *text)
{
    return cn_dagjson_check(cn_str(text), NULL);
}

/* Each fixture is good, and cut anywhere it is not. */
static void check_file(const char *name)
{
    cn_buf b;
    if (!CHECK(codec_file(name, ".dag-json", &b))) {
        return;
    }
    cn_slice block = cn_buf_slice(&b);
    CHECK_OK(cn_dagjson_check(block, NULL));
    bool is_number = b.len > 0 && (b.data[0] == '-' || (b.data[0] >= '0' && b.data[0] <= '9'));
    for (size_t cut = 0; !is_number && cut < CN_MIN(b.len, (size_t)1000); cut++) {
        CHECK(cn_dagjson_check(cn_slice_head(block, cut), NULL) != CN_OK);
    }
    cn_buf_release(&b);
}

static void published_files(void)
{
    size_t count = codec_folders(check_file);
    CHECK(count == SIZE_MAX || count > 50);
}

static void keys_may_not_repeat(void)
{
    cn_why why = {0};
    cn_buf b;
    CHECK_ERR(cn_dagjson_check(cn_str("{\"foo\":1,\"foo\":2}"), &why), CN_ERR_MALFORMED);
    CHECK_STR(why.text, "cannot repeat map key \"foo\"");
    CHECK_ERR(check("{\"foo\":1,\"bar\":3,\"foo\":2}"), CN_ERR_MALFORMED);
    CHECK_ERR(check("{\"\":1,\"\":2}"), CN_ERR_MALFORMED);
    CHECK_ERR(check("{\"a\":1,\"\\u0061\":2}"), CN_ERR_MALFORMED); /* said in two ways */
    CHECK_ERR(check("{\"\\u00e9\":1,\"\xc3\xa9\":2}"), CN_ERR_MALFORMED);
    CHECK_ERR(check("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"), CN_ERR_MALFORMED);
    CHECK_ERR(check("[0,{\"z\":1,\"a\":{\"q\":1,\"p\":2,\"q\":1}}]"), CN_ERR_MALFORMED);
    CHECK_OK(check("{\"a\":{\"a\":{\"a\":1}}}"));
    CHECK_OK(check("[{\"a\":1},{\"a\":1}]"));
    CHECK_OK(check("{\"a\":1,\"ab\":2,\"\":3,\"A\":4}"));
    if (test_fixture(
            "ipld-codec-fixtures/negative-fixtures/dag-json/decode/duplicate-keys.json", &b)) {
        json_t *root = json_loadb((const char *)b.data, b.len, 0, NULL);
        const json_t *v = NULL;
        size_t i = 0;
        json_array_foreach(root, i, v)
        {
            cn_slice block = test_hex(json_string_value(json_object_get(v, "hex")));
            CHECK_ERR(cn_dagjson_check(block, NULL), CN_ERR_MALFORMED);
        }
        CHECK(i > 0);
        json_decref(root);
        cn_buf_release(&b);
    }
}

/* As Kubo: a float that 64 bits cannot hold is none, one that is nearly nothing is. */
static void floats_have_64_bits(void)
{
    static const char *const good[] = {
        "1e308",
        "-1.7976931348623157e308",
        "1.7976931348623158e308",
        "17976931348623157.9e292",
        "0.00017976931348623157e312",
        "1e-400",
        "1e-999999999999999999999",
        "0.0e999",
        "0e999999999999999999999999",
        "100000000000000000000000000000.5e-300",
    };
    static const char *const bad[] = {
        "1e309",
        "1e400",
        "-1e400",
        "1.7976931348623159e308",
        "1.7976931348623158079372897140530341507993e308",
        "1e999999999999",
        "0.0001e313",
        "12345678901234567890.0e290",
    };
    for (size_t i = 0; i < CN_LEN(good); i++) {
        CHECK_OK(check(good[i]));
    }
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        CHECK_ERR(check(bad[i]), CN_ERR_MALFORMED);
    }
}

static void what_is_dag_json(void)
{
    static const char *const good[] = {
        "null",
        " 1 ",
        "-0",
        "18446744073709551615",
        "-18446744073709551615",
        "1.5e+3",
        "1E5",
        "\"\\/\\u00e9\\n\"",
        "[]",
        "{}",
        "[[],{}]",
        "{\"/\":1}",
        "{\"/\":{\"x\":1}}",
        "{\"x\":1,\"/\":\"y\"}",
        "{\"/\":{\"bytes\":\"\"}}",
        "{\"/\":{\"bytes\":\"AQI\"}}",
        "{\"/\":{\"bytes\":\"AQI=\"}}",
        "{\"/\":\"" A_CID "\"}",
        "\t[1 , 2]\n"};
    static const char *const bad[] = {
        "",
        "[",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "[1 2]",
        "[1",
        "{\"a\":1",
        "1 2",
        "01",
        "1.",
        "-",
        "+1",
        "nul",
        "True",
        "'a'",
        "{1:2}",
        "\"a",
        "\"\x01\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12x4\"",
        "\"\\",
        "\"\\u",
        "18446744073709551616",
        "-18446744073709551616",
        "{\"/\":\"x\"}",
        "{\"/\":\"" A_CID "\",\"x\":1}",
        "{\"/\":{\"bytes\":\"A Q\"}}",
        "{\"/\":{\"bytes\":\"A\"}}",
        "{\"/\":{\"bytes\":\"AQ-_\"}}",
        "{\"/\":{\"bytes\":\"AQ=\"}}",
        "{\"/\":{\"bytes\":\"AQI\"},\"x\":1}",
        "]",
        "}",
        ",",
        ":"};
    for (size_t i = 0; i < CN_LEN(good); i++) {
        if (!CHECK_OK(check(good[i]))) {
            printf("  %s\n", good[i]);
        }
    }
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        if (!CHECK(check(bad[i]) != CN_OK)) {
            printf("  %s\n", bad[i]);
        }
    }
}

static void depth_is_bounded(void)
{
    enum { MAX = CN_DAGJSON_DEPTH_MAX };
    static uint8_t nested[2 * (MAX + 1) + 1];
    for (size_t depth = MAX; depth <= MAX + 1; depth++) {
        for (size_t i = 0; i < depth; i++) {
            nested[i] = '[';
            nested[depth + 1 + i] = ']';
        }
        nested[depth] = '1';
        CHECK_ERR(
            cn_dagjson_check(cn_slice_of(nested, 2 * depth + 1), NULL),
            depth <= MAX ? CN_OK : CN_ERR_TOO_DEEP);
    }
}

static void links_come_in_their_order(void)
{
    cn_cid found[FIXTURE_LINKS_MAX];
    cn_slice block = cn_str("[{\"/\":\"" A_CID "\"},{\"a\":{\"/\":\"bafkqaaa\"},"
                            "\"b\":{\"/\":{\"bytes\":\"AQ\"}},\"c\":\"{\\\"/\\\":\"}]");
    CHECK_EQ(codec_links(CN_CODEC_DAG_JSON, block, found), 2);
    char text[CN_CID_TEXT_BYTES];
    CHECK_STR(cn_cid_text(&found[0], text), A_CID);
    CHECK_STR(cn_cid_text(&found[1], text), "bafkqaaa");
}

static void paths_lead_into_a_block(void)
{
    cn_slice block = cn_str(
        "{ \"a\" : [1, {\"b\":{\"/\":\"bafkqaaa\"}}], \"caf\\u00e9\":\"d\", \"e\":{}, \"f\":[] }");
    static const struct {
        const char *path, *rest;
        cn_err err;
        bool is_link;
    } cases[] = {
        {"", "", CN_OK, false},
        {"a", "", CN_OK, false},
        {"a/0", "", CN_OK, false},
        {"a/1/b", "", CN_OK, true},
        {"a/1/b/x/y", "x/y", CN_OK, true},
        {"caf\xc3\xa9", "", CN_OK, false},
        {"cafe", "cafe", CN_ERR_NO_LINK, false},
        {"a/2", "2", CN_ERR_NO_LINK, false},
        {"a/b", "b", CN_ERR_NO_LINK, false},
        {"e/x", "x", CN_ERR_NO_LINK, false},
        {"f/0", "0", CN_ERR_NO_LINK, false},
        {"a/0/x", "x", CN_ERR_NO_LINK, false},
    };
    CHECK_OK(cn_dagjson_check(block, NULL));
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        cn_slice rest = cn_str(cases[i].path);
        cn_cid link;
        bool is_link = false;
        CHECK_ERR(cn_dagjson_find(block, &rest, &link, &is_link, NULL), cases[i].err);
        CHECK_EQ(is_link, cases[i].is_link);
        if (!CHECK_BYTES(rest, cn_str(cases[i].rest))) {
            printf("  %s\n", cases[i].path);
        }
    }
}

static void texts_are_ordered_by_what_they_say(void)
{
    static const char *const texts[] = {"",      "\\u0000", "A",       "a",
                                        "a\\nb", "ab",      "\\u00e9", "\\ud83d\\ude00"};
    for (size_t i = 0; i < CN_LEN(texts); i++) {
        for (size_t k = 0; k < CN_LEN(texts); k++) {
            int order = cn_json_text_order(cn_str(texts[i]), cn_str(texts[k]));
            CHECK_EQ((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
    CHECK_EQ(cn_json_text_order(cn_str("\\u0041\\/"), cn_str("A/")), 0);
    CHECK(cn_json_text_is(cn_str("\\u0041\\t"), cn_str("A\t")));
    CHECK(!cn_json_text_is(cn_str("\\u0041\\t"), cn_str("A")));
}

int main(void)
{
    TEST(published_files);
    TEST(keys_may_not_repeat);
    TEST(floats_have_64_bits);
    TEST(what_is_dag_json);
    TEST(depth_is_bounded);
    TEST(links_come_in_their_order);
    TEST(paths_lead_into_a_block);
    TEST(texts_are_ordered_by_what_they_say);
    return test_end();
}
