/* Ranges, entity tags, forms. */
#include "gateway/header.h"
#include "lib/test.h"

static void range_is(const char *text, uint64_t size, cn_err expected, uint64_t from, uint64_t to)
{
    uint64_t a = 777;
    uint64_t b = 888;
    CHECK_ERR(cn_range_parse(cn_str(text), size, &a, &b), expected);
    CHECK_EQ(a, expected == CN_OK ? from : 777);
    CHECK_EQ(b, expected == CN_OK ? to : 888);
}

static void single_ranges(void)
{
    range_is("bytes=0-3", 10, CN_OK, 0, 4);
    range_is("bytes=3-", 10, CN_OK, 3, 10);
    range_is("bytes=-3", 10, CN_OK, 7, 10);
    range_is("bytes=-10", 10, CN_OK, 0, 10);
    range_is("bytes=-30", 10, CN_OK, 0, 10);
    range_is("bytes=5-100", 10, CN_OK, 5, 10);
    range_is("bytes=9-9", 10, CN_OK, 9, 10);
    range_is("bytes= 1 - 2 ", 10, CN_OK, 1, 3);
    range_is("bytes=0-18446744073709551615", 10, CN_OK, 0, 10);
    range_is("bytes=10-", 10, CN_ERR_TOO_LARGE, 0, 0);
    range_is("bytes=18446744073709551615-", 10, CN_ERR_TOO_LARGE, 0, 0);
    range_is("bytes=0-0", UINT64_MAX, CN_OK, 0, 1);
    range_is("bytes=0-18446744073709551615", UINT64_MAX, CN_OK, 0, UINT64_MAX);
}

static void malformed_ranges(void)
{
    static const char *const bad[] = {
        "bytes=5-2",   "bytes=x",     "bytes",       "lines=0-1",
        "Bytes=0-1",   "bytes=-",     "bytes=0--1",  "bytes=--3",
        "bytes=+1-2",  "bytes=0x1-2", "bytes=1-2-3", "bytes=18446744073709551616-",
        "bytes=0-1,x", "bytes=-x",
    };
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        range_is(bad[i], 10, CN_ERR_MALFORMED, 0, 0);
    }
}

static void several_ranges_give_the_first_that_overlaps(void)
{
    range_is("bytes=0-1,4-5", 10, CN_OK, 0, 2);
    range_is("bytes=20-30,4-5", 10, CN_OK, 4, 6);
    range_is("bytes=,0-3", 10, CN_OK, 0, 4);
    range_is("bytes=20-,30-", 10, CN_ERR_TOO_LARGE, 0, 0);
    range_is("bytes=0-4,5-9", 10, CN_OK, 0, 5);
    range_is("bytes=0-5,5-9", 10, CN_ERR_NOT_FOUND, 0, 0); /* more than all */
    range_is("bytes=0-9,0-9", 10, CN_ERR_NOT_FOUND, 0, 0);
}

static void no_range_means_all(void)
{
    range_is("", 10, CN_ERR_NOT_FOUND, 0, 0);
    range_is("bytes=", 10, CN_ERR_NOT_FOUND, 0, 0);
    range_is("bytes=,", 10, CN_ERR_NOT_FOUND, 0, 0);
    range_is("bytes=0-", 0, CN_ERR_NOT_FOUND, 0, 0); /* of nothing */
    range_is("bytes=5-6", 0, CN_ERR_NOT_FOUND, 0, 0);
    range_is("bytes=x", 0, CN_ERR_MALFORMED, 0, 0);
}

static void tags_are_found_in_lists(void)
{
    cn_slice tag = cn_str("\"a\"");
    static const char *const listed[] = {
        "\"a\"", "W/\"a\"",   "\"b\", \"a\"", "\"b\",W/\"a\",\"c\"",
        "*",     " , ,\"a\"", "\"b\" \"a\"",  "\t\"a\" "};
    static const char *const not_listed[] = {
        "",   "a",   "\"b\"", "\"a", "'a'", "w/\"a\"", "\"ab\"", "b, \"a\"", "\"b\" x \"a\"",
        "W/", "W/a", ",",     "\""};
    for (size_t i = 0; i < CN_LEN(listed); i++) {
        test_check(cn_etag_listed(cn_str(listed[i]), tag), __FILE__, __LINE__, listed[i]);
        test_check(
            cn_etag_listed(cn_str(listed[i]), cn_str("W/\"a\"")), __FILE__, __LINE__, listed[i]);
    }
    for (size_t i = 0; i < CN_LEN(not_listed); i++) {
        test_check(!cn_etag_listed(cn_str(not_listed[i]), tag), __FILE__, __LINE__, not_listed[i]);
    }
}

static void forms_have_names_and_types(void)
{
    CHECK(cn_form_name(CN_FORM_DEFAULT) == NULL && cn_form_media_type(CN_FORM_DEFAULT) == NULL);
    for (int i = CN_FORM_RAW; i <= CN_FORM_IPNS_RECORD; i++) {
        cn_form form = (cn_form)i;
        CHECK_EQ(cn_form_of_param(cn_str(cn_form_name(form))), form);
        CHECK_EQ(cn_form_of_accept(cn_str(cn_form_media_type(form))), form);
    }
    CHECK_EQ(cn_form_of_param(cn_str("RAW")), CN_FORM_DEFAULT);
    CHECK_EQ(cn_form_of_param(cn_str("ra")), CN_FORM_DEFAULT);
    CHECK_EQ(cn_form_of_param(cn_str("")), CN_FORM_DEFAULT);
}

static void the_first_known_type_is_accepted(void)
{
    CHECK_EQ(cn_form_of_accept(cn_str("")), CN_FORM_DEFAULT);
    CHECK_EQ(cn_form_of_accept(cn_str("*/*")), CN_FORM_DEFAULT);
    CHECK_EQ(cn_form_of_accept(cn_str("text/html, application/vnd.ipld.raw;q=0.1")), CN_FORM_RAW);
    CHECK_EQ(
        cn_form_of_accept(cn_str(" application/vnd.ipld.car ; version=1,application/json")),
        CN_FORM_CAR);
    CHECK_EQ(cn_form_of_accept(cn_str("application/json,application/vnd.ipld.raw")), CN_FORM_JSON);
    CHECK(cn_accepts_html(cn_str("application/xml, text/html;q=0.9")));
    CHECK(!cn_accepts_html(cn_str("text/html5, text/*")));
}

int main(void)
{
    TEST(single_ranges);
    TEST(malformed_ranges);
    TEST(several_ranges_give_the_first_that_overlaps);
    TEST(no_range_means_all);
    TEST(tags_are_found_in_lists);
    TEST(forms_have_names_and_types);
    TEST(the_first_known_type_is_accepted);
    return test_end();
}
