/*
 * The public C API: what goes in comes out, what is wrong has a sentence, and nothing crashes.
 */
#include "lib/api.h"
#include "rt_os/rt_os.h"

static void the_versions_agree(void)
{
    CHECK_EQ(cairn_api_version(), CAIRN_API_VERSION);
    CHECK_STR(cairn_version(), CAIRN_VERSION);
}

static void files_of_all_sizes_come_back(void)
{
    static const size_t sizes[] = {0, 1, 4096, MIB - 1, MIB, MIB + 1, 5 * MIB + 17};
    static const size_t steps[] = {SIZE_MAX, 1000, 65536};
    cairn_repo *r = fresh_repo();
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 64 * MIB);
    for (size_t i = 0; i < CN_LEN(sizes); i++) {
        char cid[CAIRN_CID_TEXT_BYTES] = "";
        char again[CAIRN_CID_TEXT_BYTES] = "";
        given g = bytes_of(sizes[i]);
        add(r, &g, cid);
        for (size_t k = 0; k < CN_LEN(steps); k++) {
            g.step = steps[k];
            add(r, &g, again);
            CHECK_STR(again, cid);
        }
        CHECK_EQ(cat(r, cid, NULL, &out), CAIRN_OK);
        CHECK_BYTES(cn_buf_slice(&out), cn_slice_of(g.data, g.len));
        drop(&g);
    }
    cn_buf_release(&out);
    close_repo(r);
}

static void ranges_are_cut_at_each_side(void)
{
    static const uint64_t offsets[] = {0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB, 3 * MIB + 99};
    static const uint64_t lengths[] = {0, 1, 2, MIB, 2 * MIB + 5, UINT64_MAX};
    cairn_repo *r = fresh_repo();
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    given g = bytes_of(3 * MIB + 100);
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 64 * MIB);
    add(r, &g, cid);
    for (size_t i = 0; i < CN_LEN(offsets); i++) {
        for (size_t k = 0; k < CN_LEN(lengths); k++) {
            cairn_cat_options options = CAIRN_INIT(cairn_cat_options);
            options.offset_bytes = offsets[i];
            options.length_bytes = lengths[k];
            cn_slice expected = cn_slice_skip(cn_slice_of(g.data, g.len), (size_t)offsets[i]);
            if (lengths[k] != 0) {
                expected =
                    cn_slice_head(expected, (size_t)CN_MIN(lengths[k], (uint64_t)expected.len));
            }
            CHECK_EQ(cat(r, cid, &options, &out), CAIRN_OK);
            CHECK_BYTES(cn_buf_slice(&out), expected);
        }
    }
    cairn_cat_options beyond = CAIRN_INIT(cairn_cat_options);
    beyond.offset_bytes = UINT64_MAX;
    CHECK_EQ(cat(r, cid, &beyond, &out), CAIRN_OK);
    CHECK_EQ(out.len, 0);
    cn_buf_release(&out);
    drop(&g);
    close_repo(r);
}

static void a_reader_tells_size_and_end(void)
{
    cairn_repo *r = fresh_repo();
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    given g = bytes_of(2 * MIB + 3);
    cairn_reader *reader = NULL;
    cairn_cat_options options = CAIRN_INIT(cairn_cat_options);
    const void *data = &said;
    size_t len = 1;
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 64 * MIB);
    add(r, &g, cid);
    options.offset_bytes = 2 * MIB;
    CHECK_EQ(cairn_cat(r, cid, &options, NULL, &reader, &said), CAIRN_OK);
    CHECK_EQ(cairn_reader_size(reader), 2 * MIB + 3);
    CHECK_EQ(read_rest(reader, &out), CAIRN_OK);
    CHECK_EQ(out.len, 3);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(cairn_reader_next(reader, &data, &len, NULL), CAIRN_OK);
        CHECK(data == NULL);
        CHECK_EQ(len, 0);
    }
    CHECK_SAYS(cairn_repo_close(r, &said), CAIRN_ERROR_USE, "still open");
    cairn_reader_close(reader);
    cn_buf_release(&out);
    drop(&g);
    close_repo(r);
}

/* A folder on the disk: a, .hidden, sub/b. */
static const char *make_folder(void)
{
    static char dir[900];
    cn_rt *rt = NULL;
    (void)snprintf(dir, sizeof dir, "%s", below(test_temp_dir(), "folder"));
    CHECK_OK(cn_rt_os_new(1, &rt));
    CHECK_OK(cn_path_mkdir(rt, dir, 0755));
    CHECK_OK(cn_path_mkdir(rt, below(dir, "sub"), 0755));
    CHECK_OK(cn_rt_write_file(rt, below(dir, "a"), cn_str("alpha"), NULL));
    CHECK_OK(cn_rt_write_file(rt, below(dir, ".hidden"), cn_str("psst"), NULL));
    CHECK_OK(cn_rt_write_file(rt, below(dir, "sub/b"), cn_str("beta"), NULL));
    cn_rt_os_free(rt);
    return dir;
}

static void a_folder_is_added_and_its_paths_resolve(void)
{
    const char *dir = make_folder();
    cairn_repo *r = fresh_repo();
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    char file[CAIRN_CID_TEXT_BYTES] = "";
    char found[CAIRN_CID_TEXT_BYTES] = "";
    char path[CAIRN_CID_TEXT_BYTES + 32];
    static const char *const forms[] = {"/ipfs/%s/sub/b", "%s/sub/b", "ipfs://%s/sub/b"};
    cairn_add_options options = CAIRN_INIT(cairn_add_options);
    cairn_reader *reader = NULL;
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 1000);
    CHECK_EQ(cairn_add_path(r, NULL, dir, NULL, cid, &said), CAIRN_OK);
    CHECK_EQ(cairn_add_path(r, NULL, below(dir, "sub/b"), NULL, file, &said), CAIRN_OK);
    for (size_t i = 0; i < CN_LEN(forms); i++) {
        size_t at = 0;
        for (const char *p = forms[i]; *p != '\0'; p++) {
            if (*p == '%') {
                at += (size_t)snprintf(path + at, sizeof path - at, "%s", cid);
                p++;
            } else {
                path[at++] = *p;
            }
        }
        path[at] = '\0';
        CHECK_EQ(cairn_resolve(r, path, NULL, found, &said), CAIRN_OK);
        CHECK_STR(found, file);
        CHECK_EQ(cat(r, path, NULL, &out), CAIRN_OK);
        CHECK_BYTES(cn_buf_slice(&out), cn_str("beta"));
    }
    (void)snprintf(path, sizeof path, "%s/.hidden", cid);
    CHECK_SAYS(cairn_resolve(r, path, NULL, found, &said), CAIRN_ERROR_NOT_FOUND, ".hidden");
    options.hidden = 1;
    CHECK_EQ(cairn_add_path(r, &options, dir, NULL, found, &said), CAIRN_OK);
    (void)snprintf(path, sizeof path, "%s/.hidden", found);
    CHECK_EQ(cat(r, path, NULL, &out), CAIRN_OK);
    CHECK_BYTES(cn_buf_slice(&out), cn_str("psst"));
    CHECK_SAYS(cairn_cat(r, cid, NULL, NULL, &reader, &said), CAIRN_ERROR_USE, "is a directory");
    CHECK(reader == NULL);
    CHECK_SAYS(
        cairn_add_path(r, NULL, below(dir, "none"), NULL, found, &said), CAIRN_ERROR_NOT_FOUND,
        "none");
    cn_buf_release(&out);
    close_repo(r);
}

static void a_block_comes_as_it_is(void)
{
    cairn_repo *r = fresh_repo();
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    given g = bytes_of(1000);
    void *data = NULL;
    size_t len = 0;
    add(r, &g, cid);
    CHECK_EQ(cairn_block_get(r, cid, NULL, &data, &len, &said), CAIRN_OK);
    CHECK_BYTES(cn_slice_of(data, len), cn_slice_of(g.data, g.len));
    cairn_free(data);
    g.len = 0;
    add(r, &g, cid);
    CHECK_EQ(cairn_block_get(r, cid, NULL, &data, &len, &said), CAIRN_OK);
    CHECK(data != NULL);
    CHECK_EQ(len, 0);
    cairn_free(data);
    cairn_free(NULL);
    drop(&g);
    close_repo(r);
}

#define ABSENT "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"

static void what_is_wrong_is_said(void)
{
    cairn_repo *r = fresh_repo();
    char cid[CAIRN_CID_TEXT_BYTES] = "kept";
    void *data = &said;
    size_t len = 7;
    cairn_reader *reader = NULL;
    CHECK_SAYS(cairn_resolve(r, "no path", NULL, cid, &said), CAIRN_ERROR_INPUT, "no path");
    CHECK_SAYS(cairn_resolve(r, "", NULL, cid, &said), CAIRN_ERROR_INPUT, "");
    CHECK_SAYS(cairn_block_get(r, "x", NULL, &data, &len, &said), CAIRN_ERROR_INPUT, "cid");
    CHECK_SAYS(cairn_block_get(r, ABSENT, NULL, &data, &len, &said), CAIRN_ERROR_NOT_FOUND, ABSENT);
    CHECK_SAYS(
        cairn_cat(r, "/ipfs/" ABSENT, NULL, NULL, &reader, &said), CAIRN_ERROR_NOT_FOUND, ABSENT);
    CHECK_STR(cid, "kept");
    CHECK(data == &said && len == 7 && reader == NULL);
    CHECK_EQ(cairn_block_get(r, ABSENT, NULL, &data, &len, NULL), CAIRN_ERROR_NOT_FOUND);
    close_repo(r);
}

static void what_the_reader_of_an_add_says_ends_it(void)
{
    static const cairn_result results[] = {
        CAIRN_ERROR_DISK, CAIRN_ERROR_CANCELLED, CAIRN_ERROR_NOT_FOUND};
    cairn_repo *r = fresh_repo();
    char cid[CAIRN_CID_TEXT_BYTES] = "kept";
    given g = bytes_of(3 * MIB);
    for (size_t i = 0; i < CN_LEN(results); i++) {
        g.at = 0;
        g.fail = results[i];
        CHECK_SAYS(cairn_add(r, NULL, give, &g, NULL, cid, &said), results[i], "could not be read");
    }
    g.at = 0;
    g.fail = CAIRN_OK;
    g.lie_bytes = 1;
    CHECK_SAYS(cairn_add(r, NULL, give, &g, NULL, cid, &said), CAIRN_ERROR_USE, "room for");
    CHECK_STR(cid, "kept");
    g.lie_bytes = 0;
    add(r, &g, cid);
    drop(&g);
    close_repo(r);
}

static void only_hash_keeps_nothing(void)
{
    cairn_repo *r = fresh_repo();
    char hashed[CAIRN_CID_TEXT_BYTES] = "";
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    cairn_add_options options = CAIRN_INIT(cairn_add_options);
    given g = bytes_of(2 * MIB);
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 4 * MIB);
    options.only_hash = 1;
    CHECK_EQ(cairn_add(r, &options, give, &g, NULL, hashed, &said), CAIRN_OK);
    CHECK_EQ(cat(r, hashed, NULL, &out), CAIRN_ERROR_NOT_FOUND);
    add(r, &g, cid);
    CHECK_STR(hashed, cid);
    cn_buf_release(&out);
    drop(&g);
    close_repo(r);
}

/* The options as a program knew them that was built when they had only `path`. */
typedef struct old_open_options {
    size_t struct_size;
    const char *path;
} old_open_options;

/* And as one will know them. */
typedef struct new_cat_options {
    cairn_cat_options known;
    uint64_t later;
} new_cat_options;

static void structs_of_other_sizes(void)
{
    cairn_repo *r = fresh_repo();
    cairn_repo *other = NULL;
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    given g = bytes_of(10);
    cn_buf out;
    new_cat_options newer = {.known = {.struct_size = sizeof newer, .offset_bytes = 4}};
    struct {
        old_open_options old;
        uint8_t beyond[64]; /* not ours: must not be looked at */
    } open = {.old = {sizeof open.old, below(test_temp_dir(), "none")}};
    cairn_wait unset = {0};
    cairn_wait wild = {.struct_size = (size_t)1 << 40};
    cairn_wait negative = CAIRN_INIT(cairn_wait);
    cn_buf_init(&out, cn_mem_default(), 100);
    add(r, &g, cid);
    for (size_t i = 0; i < sizeof open.beyond; i++) {
        open.beyond[i] = 0xff;
    }
    const void *old = &open;
    CHECK_SAYS(cairn_repo_open(old, NULL, &other, &said), CAIRN_ERROR_NOT_FOUND, "none");
    CHECK_EQ(cat(r, cid, &newer.known, &out), CAIRN_OK);
    CHECK_BYTES(cn_buf_slice(&out), cn_slice_of(g.data + 4, 6));
    newer.later = 1;
    CHECK_SAYS(cat(r, cid, &newer.known, &out), CAIRN_ERROR_USE, "later version");
    newer.known.struct_size = 2 * sizeof(size_t); /* offset_bytes, nothing else */
    newer.known.length_bytes = 1;
    CHECK_EQ(cat(r, cid, &newer.known, &out), CAIRN_OK);
    CHECK_EQ(out.len, 6);
    CHECK_SAYS(cairn_resolve(r, cid, &unset, cid, &said), CAIRN_ERROR_USE, "CAIRN_INIT");
    CHECK_SAYS(cairn_resolve(r, cid, &wild, cid, &said), CAIRN_ERROR_USE, "CAIRN_INIT");
    negative.timeout_ns = -1;
    CHECK_SAYS(cairn_resolve(r, cid, &negative, cid, &said), CAIRN_ERROR_USE, "negative");
    cn_buf_release(&out);
    drop(&g);
    close_repo(r);
}

static void nulls_are_answered(void)
{
    cairn_repo *r = fresh_repo();
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    given g = bytes_of(10);
    cairn_reader *reader = NULL;
    const void *lent = NULL;
    void *data = NULL;
    size_t len = 0;
    const cairn_result use = CAIRN_ERROR_USE;
    add(r, &g, cid);
    CHECK_SAYS(cairn_repo_open(NULL, NULL, NULL, &said), use, "NULL");
    CHECK_SAYS(cairn_add(NULL, NULL, give, &g, NULL, cid, &said), use, "no repo");
    CHECK_SAYS(cairn_add(r, NULL, NULL, &g, NULL, cid, &said), use, "NULL");
    CHECK_SAYS(cairn_add(r, NULL, give, &g, NULL, NULL, &said), use, "CID");
    CHECK_SAYS(cairn_add_path(NULL, NULL, "x", NULL, cid, &said), use, "no repo");
    CHECK_SAYS(cairn_add_path(r, NULL, NULL, NULL, cid, &said), use, "no path");
    CHECK_SAYS(cairn_resolve(NULL, cid, NULL, cid, &said), use, "no repo");
    CHECK_SAYS(cairn_resolve(r, NULL, NULL, cid, &said), use, "no path");
    CHECK_SAYS(cairn_resolve(r, cid, NULL, NULL, &said), use, "CID");
    CHECK_SAYS(cairn_block_get(NULL, cid, NULL, &data, &len, &said), use, "no repo");
    CHECK_SAYS(cairn_block_get(r, NULL, NULL, &data, &len, &said), use, "no CID");
    CHECK_SAYS(cairn_block_get(r, cid, NULL, NULL, &len, &said), use, "data");
    CHECK_SAYS(cairn_block_get(r, cid, NULL, &data, NULL, &said), use, "length");
    CHECK_SAYS(cairn_cat(NULL, cid, NULL, NULL, &reader, &said), use, "no repo");
    CHECK_SAYS(cairn_cat(r, NULL, NULL, NULL, &reader, &said), use, "no path");
    CHECK_SAYS(cairn_cat(r, cid, NULL, NULL, NULL, &said), use, "reader");
    CHECK_EQ(cairn_cat(r, cid, NULL, NULL, &reader, NULL), CAIRN_OK);
    CHECK_SAYS(cairn_reader_next(NULL, &lent, &len, &said), use, "no reader");
    CHECK_SAYS(cairn_reader_next(reader, NULL, &len, &said), use, "data");
    CHECK_SAYS(cairn_reader_next(reader, &lent, NULL, &said), use, "length");
    CHECK_EQ(cairn_reader_next(reader, &lent, &len, NULL), CAIRN_OK);
    CHECK_EQ(len, 10);
    CHECK_EQ(cairn_reader_size(NULL), 0);
    cairn_reader_close(reader);
    cairn_reader_close(NULL);
    cairn_cancel_now(NULL);
    cairn_cancel_free(NULL);
    CHECK_EQ(cairn_repo_close(NULL, NULL), CAIRN_OK);
    drop(&g);
    close_repo(r);
}

static void two_repos_at_once_but_not_one_twice(void)
{
    char first_path[1024];
    cairn_open_options options = CAIRN_INIT(cairn_open_options);
    char cid[CAIRN_CID_TEXT_BYTES] = "";
    given g = bytes_of(MIB + 5);
    cairn_repo *twice = NULL;
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 4 * MIB);
    (void)snprintf(first_path, sizeof first_path, "%s", below(test_temp_dir(), "first"));
    cairn_repo *first = open_repo(first_path);
    cairn_repo *second = fresh_repo();
    add(first, &g, cid);
    CHECK_EQ(cat(second, cid, NULL, &out), CAIRN_ERROR_NOT_FOUND);
    add(second, &g, cid);
    options.path = first_path;
    CHECK_SAYS(
        cairn_repo_open(&options, NULL, &twice, &said), CAIRN_ERROR_BUSY,
        "a program with libcairn");
    close_repo(second);
    CHECK_EQ(cat(first, cid, NULL, &out), CAIRN_OK);
    CHECK_BYTES(cn_buf_slice(&out), cn_slice_of(g.data, g.len));
    close_repo(first);
    options.path = first_path; /* closed: it opens again, and has kept */
    CHECK_EQ(cairn_repo_open(&options, NULL, &twice, &said), CAIRN_OK);
    CHECK_EQ(cat(twice, cid, NULL, &out), CAIRN_OK);
    CHECK_EQ(out.len, MIB + 5);
    close_repo(twice);
    cn_buf_release(&out);
    drop(&g);
}

int main(void)
{
    TEST(the_versions_agree);
    TEST(files_of_all_sizes_come_back);
    TEST(ranges_are_cut_at_each_side);
    TEST(a_reader_tells_size_and_end);
    TEST(a_folder_is_added_and_its_paths_resolve);
    TEST(a_block_comes_as_it_is);
    TEST(what_is_wrong_is_said);
    TEST(what_the_reader_of_an_add_says_ends_it);
    TEST(only_hash_keeps_nothing);
    TEST(structs_of_other_sizes);
    TEST(nulls_are_answered);
    TEST(two_repos_at_once_but_not_one_twice);
    return test_end();
}
