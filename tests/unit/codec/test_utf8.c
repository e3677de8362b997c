/* UTF-8: what is a character, at the edges of each length, and what is not. */
#include "codec/utf8.h"
#include "lib/test.h"

static void characters_at_the_edges_have_their_lengths(void)
{
    static const struct {
        const char *hex;
        size_t len;
    } cases[] = {{"00", 1},       {"7f", 1},       {"c280", 2},     {"dfbf", 2},
                 {"e0a080", 3},   {"ed9fbf", 3},   {"ee8080", 3},   {"efbfbf", 3},
                 {"f0908080", 4}, {"f48fbfbf", 4}, {"80", 0},       {"c0af", 0},
                 {"c1bf", 0},     {"e09fbf", 0},   {"eda080", 0},   {"edbfbf", 0},
                 {"f08fbfbf", 0}, {"f4908080", 0}, {"f5808080", 0}, {"ff", 0},
                 {"c2", 0},       {"e0a0", 0},     {"f09080", 0},   {"c220", 0},
                 {"e0a020", 0},   {"f0908020", 0}, {"f0902080", 0}};
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        cn_slice s = test_hex(cases[i].hex);
        CHECK_EQ(cn_utf8_len(s), cases[i].len);
        CHECK_EQ(cn_utf8_check(s), cases[i].len > 0);
    }
}

static void all_of_a_text_is_looked_at(void)
{
    CHECK(cn_utf8_check(cn_str("")));
    CHECK(cn_utf8_check(cn_str("kubo/0.43.0/\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xbf")));
    CHECK(!cn_utf8_check(cn_str("kubo/0.43.0/\xc3")));
    CHECK(!cn_utf8_check(cn_str("a\xffz")));
    CHECK_EQ(cn_utf8_len((cn_slice){0}), 0);
}

int main(void)
{
    TEST(characters_at_the_edges_have_their_lengths);
    TEST(all_of_a_text_is_looked_at);
    return test_end();
}
