#include "rt_os/tree.h"

#include "lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[256];
static char path[512];

static const char *in_dir(const char *name)
{
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(in_dir(name), "wb");
    if (CHECK(f != NULL)) {
        CHECK_EQ(fwrite(text, 1, strlen(text), f), strlen(text));
        CHECK(fclose(f) == 0);
    }
}

static void make_tree(void)
{
    (void)snprintf(dir, sizeof dir, "%s", test_temp_dir());
    CHECK(mkdir(in_dir("t"), 0755) == 0);
    CHECK(mkdir(in_dir("t/b"), 0700) == 0);
    write_file("t/b/x", "xyz");
    write_file("t/a", "");
    write_file("t/b.txt", "12");
    write_file("t/.hidden", "h");
    write_file("t/\xff\n", "odd");
    CHECK(symlink("nowhere", in_dir("t/l")) == 0);
}

/* Walk `name` and write each step, with what a file holds, into `out`. */
static cn_err walk(const cn_tree_options *options, const char *name, cn_buf *out, cn_why *why)
{
    static const char *const kinds[] = {"end", "file", "link", "dir", "up"};
    cn_tree *t = NULL;
    cn_err err = cn_tree_new(cn_mem_default(), options, &t);
    CN_TRY(err);
    CN_TRY(cn_tree_add_path(t, in_dir(name)));
    for (;;) {
        cn_source_entry e;
        uint8_t data[16];
        size_t len = 0;
        CN_TRY(cn_source_next(cn_tree_source(t), &e, why));
        if (e.kind == CN_SOURCE_END) {
            break;
        }
        if (e.kind == CN_SOURCE_FILE) {
            CN_TRY(cn_source_read(cn_tree_source(t), data, sizeof data, &len, why));
            CHECK_EQ(len, e.size_bytes);
        }
        CN_TRY(cn_buf_printf(
            out, "%s %.*s %.*s%.*s|", kinds[e.kind], (int)e.name.len, (const char *)e.name.data,
            (int)len, (const char *)data, (int)e.target.len, (const char *)e.target.data));
    }
out:
    cn_tree_free(t);
    return err;
}

static void check_walk(const cn_tree_options *options, const char *name, const char *expected)
{
    cn_buf out;
    cn_why why = {{0}};
    const char *text = NULL;
    cn_buf_init(&out, cn_mem_default(), 4096);
    if (CHECK_OK(walk(options, name, &out, &why)) && CHECK_OK(cn_buf_cstr(&out, &text))) {
        CHECK_STR(text, expected);
    }
    cn_buf_release(&out);
}

static void check_refused(
    const cn_tree_options *options, const char *name, cn_err expected, const char *sentence)
{
    cn_buf out;
    cn_why why = {{0}};
    cn_buf_init(&out, cn_mem_default(), 4096);
    CHECK_ERR(walk(options, name, &out, &why), expected);
    if (!CHECK(strstr(why.text, sentence) != NULL)) {
        printf("  %s\n", why.text);
    }
    cn_buf_release(&out);
}

static void folders_are_walked_in_order_of_names(void)
{
    make_tree();
    check_walk(
        &(cn_tree_options){.recursive = true}, "t",
        "dir t |file a |dir b |file x xyz|up  |file b.txt 12|link l nowhere|file \xff\n odd|up  |");
    check_walk(
        &(cn_tree_options){.recursive = true, .hidden = true}, "t/",
        "dir t |file .hidden h|file a |dir b |file x xyz|up  |file b.txt 12|link l nowhere|"
        "file \xff\n odd|up  |");
}

static void ignored_names_are_left_out(void)
{
    cn_ignore g;
    make_tree();
    cn_ignore_init(&g, cn_mem_default());
    CHECK_OK(cn_ignore_add_lines(&g, cn_str("b*\n!b.txt\n\xff*\nl")));
    check_walk(
        &(cn_tree_options){.recursive = true, .ignore = &g}, "t",
        "dir t |file a |file b.txt 12|up  |");
    cn_ignore_release(&g);
}

static void links_are_followed_when_asked(void)
{
    make_tree();
    CHECK(symlink("t/b", in_dir("to-b")) == 0);
    check_walk(&(cn_tree_options){.recursive = true}, "to-b", "link to-b t/b|");
    check_walk(
        &(cn_tree_options){.recursive = true, .dereference_paths = true}, "to-b",
        "dir to-b |file x xyz|up  |");
    CHECK(symlink("..", in_dir("t/b/loop")) == 0);
    check_refused(
        &(cn_tree_options){.recursive = true, .dereference = true}, "t", CN_ERR_TOO_DEEP,
        "back into a folder");
}

static void what_cannot_be_read_is_refused_with_a_sentence(void)
{
    cn_tree_options options = {.recursive = true};
    make_tree();
    check_refused(&options, "none", CN_ERR_NOT_FOUND, "no such file or directory");
    check_refused(&(cn_tree_options){0}, "t", CN_ERR_WRONG_TYPE, "is a directory, use the '-r'");
    CHECK(mkfifo(in_dir("fifo"), 0600) == 0);
    check_refused(&options, "fifo", CN_ERR_WRONG_TYPE, "named pipe");
    CHECK(mkfifo(in_dir("t/0"), 0600) == 0);
    check_refused(&options, "t", CN_ERR_WRONG_TYPE, "named pipe");
    if (geteuid() != 0) {
        CHECK(chmod(in_dir("t/a"), 0) == 0);
        check_refused(&options, "t/a", CN_ERR_PERMISSION, "permission denied");
    }
}

static void a_descriptor_is_read_to_its_end(void)
{
    int pipe_fds[2];
    cn_tree *t = NULL;
    cn_source_entry e;
    uint8_t data[16];
    size_t len = 0;
    CHECK(pipe(pipe_fds) == 0);
    CHECK_EQ(write(pipe_fds[1], "hello", 5), 5);
    CHECK(close(pipe_fds[1]) == 0);
    CHECK_OK(cn_tree_new(cn_mem_default(), &(cn_tree_options){0}, &t));
    CHECK_OK(cn_tree_add_fd(t, pipe_fds[0], cn_str("in")));
    CHECK_OK(cn_source_next(cn_tree_source(t), &e, NULL));
    CHECK_EQ(e.kind, CN_SOURCE_FILE);
    CHECK_BYTES(e.name, cn_str("in"));
    CHECK(!e.has_mode && !e.has_size);
    CHECK_OK(cn_source_read(cn_tree_source(t), data, 3, &len, NULL));
    CHECK_EQ(len, 3);
    CHECK_OK(cn_source_read(cn_tree_source(t), data, sizeof data, &len, NULL));
    CHECK_BYTES(((cn_slice){data, len}), cn_str("lo"));
    cn_tree_free(t);
    CHECK(close(pipe_fds[0]) == 0);
}

int main(void)
{
    TEST(folders_are_walked_in_order_of_names);
    TEST(ignored_names_are_left_out);
    TEST(links_are_followed_when_asked);
    TEST(what_cannot_be_read_is_refused_with_a_sentence);
    TEST(a_descriptor_is_read_to_its_end);
    return test_end();
}
