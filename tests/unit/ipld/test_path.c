#include "ipld/path.h"
#include "lib/test.h"

#define DIR "QmUSGLRkVh3XNPCAF9EgT6FfATuWPtHX8kJM8ThSEPPar8"

static void check_path(const char *in, const char *text, const char *rest)
{
    cn_ipfs_path p = {0};
    cn_why why = {0};
    if (!CHECK_OK(cn_ipfs_path_parse_arg(cn_str(in), cn_mem_default(), &p, &why))) {
        FAIL(why.text);
        return;
    }
    CHECK_BYTES(cn_buf_slice(&p.text), cn_str(text));
    CHECK_BYTES(p.rest, cn_str(rest));
    cn_ipfs_path_release(&p);
}

static void all_forms_are_read(void)
{
    check_path("/ipfs/" DIR, "/ipfs/" DIR, "");
    check_path("/ipfs/" DIR "/", "/ipfs/" DIR "/", "");
    check_path(DIR, "/ipfs/" DIR, "");
    check_path(DIR "/a/b", "/ipfs/" DIR "/a/b", "a/b");
    check_path(DIR "//a/./b/", "/ipfs/" DIR "/a/b/", "a/b");
    check_path(DIR "/a/../b", "/ipfs/" DIR "/b", "b");
    check_path("IPFS://" DIR "/a%20b", "/ipfs/" DIR "/a%20b", "a%20b");
    check_path("ipfs:" DIR "/a", "/ipfs/" DIR "/a", "a");
    check_path("/ipld/" DIR "/Links/0", "/ipld/" DIR "/Links/0", "Links/0");
    check_path("ipns://example.org/x", "/ipns/example.org/x", "x");
    check_path("/ipfs/../ipfs/" DIR "/..../...", "/ipfs/" DIR "/..../...", "..../...");
}

static void check_refused(const char *in, const char *sentence)
{
    cn_ipfs_path p = {0};
    cn_why why = {0};
    cn_err err = cn_ipfs_path_parse_arg(cn_str(in), cn_mem_default(), &p, &why);
    CHECK(err != CN_OK);
    CHECK_STR(why.text, sentence);
    cn_ipfs_path_release(&p);
}

static void what_is_no_path_is_refused_with_a_known_sentence(void)
{
    check_refused("foo", "invalid path \"foo\": path does not have enough components");
    check_refused("", "invalid path \"\": path does not have enough components");
    check_refused("/", "invalid path \"/\": path does not have enough components");
    check_refused("/ipfs/", "invalid path \"/ipfs/\": path does not have enough components");
    check_refused("/foo/bar", "invalid path \"/foo/bar\": unknown namespace: \"foo\"");
    check_refused(
        "a\n\"\\\x01\xff\xc3\xa9",
        "invalid path \"a\\n\\\"\\\\\\x01\\xff\xc3\xa9\": path does not have enough "
        "components");
    check_refused(
        "/ipfs/" DIR "/../../x",
        "invalid path \"/ipfs/" DIR "/../../x\": path does not have enough components");
}

static void segments_are_stepped_through(void)
{
    cn_slice rest = cn_str("a/bc/d");
    cn_slice segment = {0};
    CHECK(cn_ipfs_path_next(&rest, &segment));
    CHECK_BYTES(segment, cn_str("a"));
    CHECK(cn_ipfs_path_next(&rest, &segment));
    CHECK_BYTES(segment, cn_str("bc"));
    CHECK_BYTES(rest, cn_str("d"));
    CHECK(cn_ipfs_path_next(&rest, &segment));
    CHECK(!cn_ipfs_path_next(&rest, &segment));
}

static cn_err attempt(cn_mem *mem)
{
    cn_ipfs_path p = {0};
    cn_err err = cn_ipfs_path_parse_arg(cn_str(DIR "/a/b"), mem, &p, NULL);
    cn_ipfs_path_release(&p);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(attempt);
}

static void a_path_beyond_the_bound_is_refused(void)
{
    cn_buf long_path;
    cn_ipfs_path p = {0};
    cn_buf_init(&long_path, cn_mem_default(), 1 << 20);
    CHECK_OK(cn_buf_text(&long_path, "/ipfs/" DIR));
    while (long_path.len <= CN_IPFS_PATH_MAX_BYTES) {
        CHECK_OK(cn_buf_text(&long_path, "/a"));
    }
    CHECK_ERR(
        cn_ipfs_path_parse(cn_buf_slice(&long_path), cn_mem_default(), &p, NULL), CN_ERR_TOO_LARGE);
    cn_buf_release(&long_path);
}

int main(void)
{
    TEST(all_forms_are_read);
    TEST(what_is_no_path_is_refused_with_a_known_sentence);
    TEST(segments_are_stepped_through);
    TEST(out_of_memory_leaves_nothing);
    TEST(a_path_beyond_the_bound_is_refused);
    return test_end();
}
