/*
 * How the words of $EDITOR are cut, and what is said when it cannot be run.
 */
#include "cli/editor.h"
#include "lib/test.h"

typedef struct cut_case {
    const char *text;
    const char *words; /* with '|' behind each */
} cut_case;

static const cut_case cases[] = {
    {"", ""},
    {"  \t\n", ""},
    {"vi", "vi|"},
    {"  code   --wait ", "code|--wait|"},
    {"'a  b' c", "a  b|c|"},
    {"\"a  b\"c", "a  bc|"},
    {"a\\ b", "a b|"},
    {"\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d|"},
    {"'a\\b'", "a\\b|"},
    {"a ''", "a||"},
    {"$HOME * ~ #x", "$HOME|*|~|#x|"},
};

static void words_are_cut(void)
{
    cn_buf text;
    cn_buf_init(&text, cn_mem_default(), 256);
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        size_t len = 99;
        size_t nuls = 0;
        cn_why why = {{0}};
        cn_buf_reset(&text);
        CHECK_OK(cn_words_cut(cn_str(cases[i].text), &text, &len, &why));
        for (size_t k = 0; k < text.len; k++) {
            nuls += text.data[k] == '\0';
            text.data[k] = text.data[k] == '\0' ? '|' : text.data[k];
        }
        CHECK_BYTES(cn_buf_slice(&text), cn_str(cases[i].words));
        CHECK_EQ(len, nuls);
    }
    cn_buf_release(&text);
}

static void open_quotes_are_refused(void)
{
    static const char *const bad[] = {"a\"b", "'", "\"a\\\"", "a\\"};
    cn_buf text;
    cn_buf_init(&text, cn_mem_default(), 256);
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        size_t len = 99;
        cn_why why = {{0}};
        CHECK_ERR(cn_words_cut(cn_str(bad[i]), &text, &len, &why), CN_ERR_MALFORMED);
        CHECK_EQ(len, 99);
        CHECK(why.text[0] != '\0');
    }
    cn_buf_release(&text);
}

static void the_end_of_the_editor_is_told(void)
{
    cn_mem *mem = cn_mem_default();
    cn_why why = {{0}};
    CHECK_OK(cn_editor_run(mem, "true", "/dev/null", &why));
    CHECK_OK(cn_editor_run(mem, "sh -c 'test \"$1\" = \"a b\"' sh", "a b", &why));
    CHECK_ERR(cn_editor_run(mem, NULL, "x", &why), CN_ERR_USAGE);
    CHECK_STR(why.text, "ENV variable $EDITOR not set");
    CHECK_ERR(cn_editor_run(mem, " ", "x", &why), CN_ERR_USAGE);
    CHECK_ERR(cn_editor_run(mem, "sh -c 'exit 7'", "x", &why), CN_ERR_IO);
    CHECK_STR(why.text, "the editor ended with exit status 7");
    CHECK_ERR(cn_editor_run(mem, "sh -c 'kill -9 $$'", "x", &why), CN_ERR_IO);
    CHECK(strstr(why.text, "signal 9") != NULL);
    CHECK_ERR(cn_editor_run(mem, "./no-such-editor", "x", &why), CN_ERR_NOT_FOUND);
    CHECK_ERR(cn_editor_run(mem, "/dev/null", "x", &why), CN_ERR_PERMISSION);
}

int main(void)
{
    TEST(words_are_cut);
    TEST(open_quotes_are_refused);
    TEST(the_end_of_the_editor_is_told);
    return test_end();
}
