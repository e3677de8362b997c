/*
 * Cleaning of paths: what Go's filepath.Clean says of the same ones.
 */
#include "cli/path_clean.h"
#include "lib/test.h"

typedef struct clean_case {
    const char *path;
    const char *clean;
} clean_case;

static const clean_case cases[] = {
    {"", "."},
    {".", "."},
    {"./", "."},
    {"a", "a"},
    {"a/", "a"},
    {"a//b///", "a/b"},
    {"./a/./b/.", "a/b"},
    {"a/..", "."},
    {"a/../b", "b"},
    {"a/b/../../c", "c"},
    {"a/b/../..", "."},
    {"a/../../b", "../b"},
    {"..", ".."},
    {"../", ".."},
    {"../..", "../.."},
    {"../../a/../b", "../../b"},
    {"a/../../..", "../.."},
    {"/", "/"},
    {"//", "/"},
    {"/..", "/"},
    {"/../a", "/a"},
    {"/a/..", "/"},
    {"/a/../b/", "/b"},
    {"//a//b/../c", "/a/c"},
    {"...", "..."},
    {"a/.../..b", "a/.../..b"},
    {"..a/..", "."},
};

static void paths_are_cleaned(void)
{
    cn_buf text;
    cn_buf_init(&text, cn_mem_default(), 256);
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        cn_buf_reset(&text);
        CHECK_OK(cn_path_clean(cn_str(cases[i].path), &text));
        CHECK_BYTES(cn_buf_slice(&text), cn_str(cases[i].clean));
    }
    cn_buf_release(&text);
}

static void what_stands_before_is_kept(void)
{
    cn_buf text;
    cn_buf_init(&text, cn_mem_default(), 256);
    CHECK_OK(cn_buf_text(&text, "x="));
    CHECK_OK(cn_path_clean(cn_str("a/../.."), &text));
    CHECK_BYTES(cn_buf_slice(&text), cn_str("x=.."));
    cn_buf_release(&text);
}

static void a_full_buffer_is_an_error(void)
{
    cn_buf text;
    for (size_t max = 1; max < 5; max++) {
        cn_buf_init(&text, cn_mem_default(), max);
        CHECK_ERR(cn_path_clean(cn_str("/ab/c"), &text), CN_ERR_TOO_LARGE);
        cn_buf_release(&text);
    }
}

int main(void)
{
    TEST(paths_are_cleaned);
    TEST(what_stands_before_is_kept);
    TEST(a_full_buffer_is_an_error);
    return test_end();
}
