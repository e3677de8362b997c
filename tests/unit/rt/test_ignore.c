#include "rt/ignore.h"

#include "lib/test.h"

/* Do the rules (one a line) leave out `name`? */
static bool leaves_out(const char *rules, const char *name)
{
    cn_ignore g;
    cn_ignore_init(&g, cn_mem_default());
    CHECK_OK(cn_ignore_add_lines(&g, cn_str(rules)));
    bool out = cn_ignore_matches(&g, cn_str(name));
    cn_ignore_release(&g);
    return out;
}

static void names_and_stars(void)
{
    CHECK(leaves_out("foo.txt", "foo.txt"));
    CHECK(!leaves_out("foo.txt", "fooxtxt"));
    CHECK(!leaves_out("foo.txt", "a-foo.txt"));
    CHECK(leaves_out("*.app", "x.app"));
    CHECK(leaves_out("a*b*c", "a--b-b-c"));
    CHECK(!leaves_out("a*b*c", "a--b-b-"));
    CHECK(leaves_out("*", "anything"));
    CHECK(leaves_out("/top", "top"));
    CHECK(leaves_out("**/baz", "baz"));
    CHECK(leaves_out("fizz/**", "fizz"));
    CHECK(leaves_out("\\*", "*"));
    CHECK(!leaves_out("\\*", "x"));
    CHECK(leaves_out("what?", "what?"));
    CHECK(!leaves_out("what?", "whats"));
    CHECK(leaves_out("[a-c]x", "bx"));
    CHECK(!leaves_out("[^a-c]x", "bx"));
    CHECK(leaves_out("\xff*", "\xff\xfe"));
}

static void rules_that_need_a_folder_never_match_a_name(void)
{
    CHECK(!leaves_out("bar/", "bar"));
    CHECK(!leaves_out("a/b", "b"));
}

static void the_last_rule_decides(void)
{
    CHECK(!leaves_out("*.txt\n!keep.txt", "keep.txt"));
    CHECK(leaves_out("*.txt\n!keep.txt", "other.txt"));
    CHECK(leaves_out("!keep.txt\n*.txt", "keep.txt"));
}

static void comments_and_blanks_are_no_rules(void)
{
    CHECK(!leaves_out("# *\n\n   \n\r\n", "x"));
    CHECK(leaves_out("  x  \r\n", "x"));
}

static cn_err add_some(cn_mem *mem)
{
    cn_ignore g;
    cn_ignore_init(&g, mem);
    cn_err err = cn_ignore_add_lines(&g, cn_str("a\nb\nc\nd\ne\nf\ng\nh\ni\nj"));
    cn_ignore_release(&g);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(add_some);
}

int main(void)
{
    TEST(names_and_stars);
    TEST(rules_that_need_a_folder_never_match_a_name);
    TEST(the_last_rule_decides);
    TEST(comments_and_blanks_are_no_rules);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
