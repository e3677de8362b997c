#include "import_source.h"

#include "unixfs/dir.h"

#include "kubo_files.h"

#include <stdio.h>

static cn_import_options o;

static void set_variant(const kubo_file *k)
{
    cn_import_options_init(&o);
    CHECK_OK(cn_chunker_parse(cn_str(k->chunker), &o.chunker, NULL));
    o.layout = k->layout;
    o.raw_leaves = k->variant == RAW ? CN_CHOICE_YES : CN_CHOICE_UNSET;
    o.cid_version = k->variant == VERSION_1 ? 1 : -1;
    o.file_links_max = k->variant == NARROW ? 3 : o.file_links_max;
    o.inline_blocks = k->variant == INLINE;
    o.inline_limit_bytes = 64;
    if (k->variant == META) {
        o.has_mode = true;
        o.mode = 0764;
        o.has_mtime = true;
        o.mtime_s = 1603539720;
        o.mtime_ns = 54321;
    }
}

static void files_get_the_cids_that_kubo_gives(void)
{
    for (size_t i = 0; i < CN_LEN(kubo_files); i++) {
        const kubo_file *k = &kubo_files[i];
        step file = {CN_SOURCE_FILE, "f", NULL, k->size};
        memory_source s = source_of(&file, 1, "cairn-import");
        set_variant(k);
        if (!CHECK_STR(import_root(&s.source, &o, false), k->cid)) {
            printf("  row %zu: %s, %llu bytes\n", i, k->chunker, (unsigned long long)k->size);
        }
    }
}

/* The empty file, with mode and time: published vectors of sharness. */
static void modes_and_times(void)
{
    static const struct {
        uint32_t mode;
        int64_t mtime_s;
        uint32_t mtime_ns;
        bool link;
        const char *cid;
    } rows[] = {
        {0640, 0, 0, false, "QmQLgxypSNGNFTuUPGCecq6dDEjb6hNB5xSyVmP3cEuNtq"},
        {0, 1604320482, 0, false, "QmQ6kErEW8kztQFV8vbwNU8E4dmtGsYpRiboiLxUEwibvj"},
        {0640, 1604320482, 0, false, "QmYkvboLsvLFcSYmqVJRxvBdYRQLroLv9kELf3LRiCqBri"},
        {0764, 0, 0, false, "QmchD3BN8TQ3RW6jPLxSaNkqvfuj7syKhzTRmL4EpyY1Nz"},
        {0, 1603539720, 0, false, "QmT3aY4avDcYXCWpU8CJzqUkW7YEuEsx36S8cTNoLcuK1B"},
        {0, 1603539720, 54321, false, "QmaKH8H5rXBUBCX4vdxi7ktGQEL7wejV7L9rX2qpZjwncz"},
        {0764, 1603539720, 54321, false, "QmUkxrtBA8tPjwCYz1HrsoRfDz6NgKut3asVeHVQNH4C8L"},
        {0, 1604320482, 0, true, "QmbJwotgtr84JxcnjpwJ86uZiyMoxbZuNH4YrdJMypkYaB"},
        {0, 1603539720, 0, true, "QmV1Uot2gy4bhY9yvYiZxhhchhyYC6MKKoGV1XtWNmpCLe"},
        {0777, 1603539720, 54321, true, "QmPHYCxYvvHj6VxiPNJ3kXxcPsnJLDYUJqsDJWjvytmrmY"},
    };
    for (size_t i = 0; i < CN_LEN(rows); i++) {
        step entry = {
            rows[i].link ? CN_SOURCE_SYMLINK : CN_SOURCE_FILE, "f", rows[i].link ? "nothing" : "",
            0};
        memory_source s = source_of(&entry, 1, "");
        cn_import_options_init(&o);
        o.has_mode = rows[i].mode != 0;
        o.mode = rows[i].mode;
        o.has_mtime = rows[i].mtime_s != 0;
        o.mtime_s = rows[i].mtime_s;
        o.mtime_ns = rows[i].mtime_ns;
        CHECK_STR(import_root(&s.source, &o, false), rows[i].cid);
    }
}

static const step planets[] = {
    {CN_SOURCE_DIR_START, "planets", NULL, 0},
    {CN_SOURCE_FILE, "mars.txt", "Hello Mars!\n", 0},
    {CN_SOURCE_FILE, "venus.txt", "Hello Venus!\n", 0},
    {CN_SOURCE_DIR_END, "", NULL, 0},
};

static void folders(void)
{
    memory_source s = source_of(planets, CN_LEN(planets), "");
    cn_import_options_init(&o);
    CHECK_STR(import_root(&s.source, &o, false), "QmWSgS32xQEcXMeqd3YPJLrNBLSdsfYCep2U7CFkyrjXwY");
    s = source_of(planets, CN_LEN(planets), "");
    cn_import_options_init(&o);
    o.raw_leaves = CN_CHOICE_YES;
    CHECK_STR(import_root(&s.source, &o, false), "QmfWfQfKCY5Ukv9peBbxM5vqWM9BzmqUSXvdCgjT2wsiBT");
    s = source_of(planets, CN_LEN(planets), "");
    cn_import_options_init(&o);
    o.cid_version = 1;
    CHECK_STR(
        import_root(&s.source, &o, false),
        "bafybeih7e5dmkyk25up5vxug4q3hrg2fxbzf23dfrac2fns5h7z4aa7ioi");
    s = source_of(planets, CN_LEN(planets), "");
    cn_import_options_init(&o);
    o.hash = CN_MH_BLAKE2B_256;
    CHECK_STR(
        import_root(&s.source, &o, false),
        "bafykbzaceaptbcs7ik5mdfpot3b4ackvxlwh7loc5jcrtkayf64ukl7zyk46e");
    static const step empty[] = {
        {CN_SOURCE_DIR_START, "e", NULL, 0}, {CN_SOURCE_DIR_END, "", NULL, 0}};
    s = source_of(empty, 2, "");
    cn_import_options_init(&o);
    CHECK_STR(import_root(&s.source, &o, false), "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
    s = source_of(empty, 2, "");
    cn_import_options_init(&o);
    o.inline_blocks = true;
    CHECK_STR(import_root(&s.source, &o, false), "bafyaabakaieac");
}

enum { SHARDED_FILES = 2000 };

/* 2000 files, file1 to file2000, plain and as a HAMT. */
static const char *two_thousand(size_t links_max)
{
    static step steps[SHARDED_FILES + 2];
    static char names[SHARDED_FILES][16];
    static char texts[SHARDED_FILES][16];
    steps[0] = (step){CN_SOURCE_DIR_START, "d", NULL, 0};
    for (int i = 0; i < SHARDED_FILES; i++) {
        (void)snprintf(names[i], sizeof names[i], "file%d", i + 1);
        (void)snprintf(texts[i], sizeof texts[i], "%d\n", i + 1);
        steps[i + 1] = (step){CN_SOURCE_FILE, names[i], texts[i], 0};
    }
    steps[SHARDED_FILES + 1] = (step){CN_SOURCE_DIR_END, "", NULL, 0};
    memory_source s = source_of(steps, CN_LEN(steps), "");
    cn_import_options_init(&o);
    o.dir_links_max = links_max;
    return import_root(&s.source, &o, false);
}

static void large_folders_are_sharded(void)
{
    CHECK_STR(two_thousand(0), "QmavrTrQG4VhoJmantURAYuw3bowq3E2WcvP36NRQDAC1N");
    CHECK_STR(two_thousand(2000), "QmavrTrQG4VhoJmantURAYuw3bowq3E2WcvP36NRQDAC1N");
    CHECK_STR(two_thousand(1999), "QmSCJD1KYLhVVHqBK3YyXuoEqHt7vggyJhzoFYbT8v1XYL");
}

static void inline_blocks_stop_at_128_bytes(void)
{
    char text[130];
    (void)memset(text, 'B', sizeof text);
    text[128] = '\0';
    step file = {CN_SOURCE_FILE, "f", text, 0};
    memory_source s = source_of(&file, 1, "");
    cn_import_options_init(&o);
    o.cid_version = 1;
    o.inline_blocks = true;
    o.inline_limit_bytes = 128;
    const char *root = import_root(&s.source, &o, false);
    CHECK(strncmp(root, "bafkqbaab", 9) == 0);
    o.inline_limit_bytes = 129;
    cn_why why = {{0}};
    CHECK_ERR(cn_import_options_settle(&o, &why), CN_ERR_USAGE);
    CHECK_STR(why.text, "inline-limit 129 exceeds maximum allowed size of 128 bytes");
}

/* What was told, one line each. */
typedef struct teller {
    cn_add_observer observer; /* first */
    cn_buf lines;
} teller;

static cn_err told(cn_add_observer *ob, const cn_add_event *e, cn_why *why)
{
    CN_UNUSED(why);
    return cn_buf_printf(
        &((teller *)ob)->lines, "%.*s %llu%s%s\n", (int)e->path.len, (const char *)e->path.data,
        (unsigned long long)e->size_bytes, e->is_dir ? " dir" : "", e->is_root ? " root" : "");
}

/* A sink that counts, and checks that nothing links to what has not come yet. */
typedef struct counter {
    cn_import_sink sink; /* first */
    size_t blocks;
} counter;

static cn_err count(cn_import_sink *sink, const cn_import_block *blocks, size_t len, cn_why *why)
{
    CN_UNUSED(why);
    for (size_t i = 0; i < len; i++) {
        cn_multihash mh = cn_cid_multihash(blocks[i].cid);
        CHECK_OK(cn_multihash_verify(&mh, blocks[i].data));
    }
    ((counter *)sink)->blocks += len;
    return CN_OK;
}

static const step tree[] = {
    {CN_SOURCE_DIR_START, "top", NULL, 0}, {CN_SOURCE_FILE, "a", "1", 0},
    {CN_SOURCE_DIR_START, "b", NULL, 0},   {CN_SOURCE_DIR_START, "hollow", NULL, 0},
    {CN_SOURCE_DIR_END, "", NULL, 0},      {CN_SOURCE_FILE, "big", NULL, 1000000},
    {CN_SOURCE_DIR_END, "", NULL, 0},      {CN_SOURCE_SYMLINK, "c", "a", 0},
    {CN_SOURCE_DIR_END, "", NULL, 0},      {CN_SOURCE_FILE, "z", "2", 0},
};

static cn_err add_tree(cn_mem *mem, teller *t, counter *c, bool wrap, bool skip)
{
    cn_rt *rt = NULL;
    cn_cid root;
    memory_source s = source_of(tree, CN_LEN(tree), "cairn-import");
    cn_import_options_init(&o);
    cn_err err = cn_rt_os_new(2, &rt);
    if (err == CN_OK) {
        err = cn_import_options_settle(&o, NULL);
    }
    cn_add_request request = {
        .rt = rt,
        .mem = mem,
        .source = &s.source,
        .options = &o,
        .sink = c == NULL ? NULL : &c->sink,
        .observer = t == NULL ? NULL : &t->observer,
        .wrap = wrap,
        .skip_empty_dirs = skip,
    };
    if (err == CN_OK) {
        err = cn_add(&request, &root, NULL);
    }
    cn_rt_os_free(rt);
    return err;
}

static void check_told(bool wrap, bool skip, const char *expected)
{
    teller t = {.observer = {told, NULL}};
    counter c = {.sink = {count}};
    const char *text = NULL;
    cn_buf_init(&t.lines, cn_mem_default(), 4096);
    CHECK_OK(add_tree(cn_mem_default(), &t, &c, wrap, skip));
    CHECK_OK(cn_buf_cstr(&t.lines, &text));
    CHECK_STR(text, expected);
    CHECK_EQ(c.blocks, wrap ? 12 : skip ? 10 : 11);
    cn_buf_release(&t.lines);
}

static void files_are_told_as_they_come_and_folders_after_them(void)
{
    check_told(
        false, false,
        "top/a 9\ntop/b/big 1000256\ntop/c 7\ntop/b/hollow 4 dir\ntop/b 1000359 dir\n"
        "top 1000510 dir root\nz 9 root\n");
    check_told(
        false, true,
        "top/a 9\ntop/b/big 1000256\ntop/c 7\ntop/b 1000307 dir\ntop 1000458 dir root\n"
        "z 9 root\n");
    check_told(
        true, false,
        "top/a 9\ntop/b/big 1000256\ntop/c 7\nz 9\ntop/b/hollow 4 dir\ntop/b 1000359 dir\n"
        "top 1000510 dir\n 1000613 dir root\n");
}

static void a_name_twice_is_refused(void)
{
    static const step twice[] = {
        {CN_SOURCE_FILE, "a", "1", 0},
        {CN_SOURCE_FILE, "b", "1", 0},
        {CN_SOURCE_FILE, "a", "2", 0}};
    for (int sharded = 0; sharded < 2; sharded++) {
        memory_source s = source_of(twice, 3, "");
        cn_rt *rt = NULL;
        cn_cid root;
        cn_why why = {{0}};
        cn_import_options_init(&o);
        o.dir_links_max = sharded == 1 ? 1 : 0;
        CHECK_OK(cn_import_options_settle(&o, NULL));
        CHECK_OK(cn_rt_os_new(1, &rt));
        cn_add_request request = {rt, cn_mem_default(), &s.source, &o, NULL, NULL, true, false};
        CHECK_ERR(cn_add(&request, &root, &why), CN_ERR_EXISTS);
        CHECK_STR(why.text, "directory already has entry by that name: a");
        cn_rt_os_free(rt);
    }
}

static cn_err add_under_test(cn_mem *mem)
{
    return add_tree(mem, NULL, NULL, true, false);
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(add_under_test);
}

enum { MANY = 1000000, MANY_MEM_BYTES = 192 << 20 };

/* Many names straight into the builder, with a bound on memory. */
static void a_million_names_fit_into_bounded_memory(void)
{
    cn_mem mem;
    cn_emit emit;
    cn_dir_builder b;
    cn_import_ref made;
    cn_import_ref child = {.tsize_bytes = 9};
    cn_mem_init(&mem, MANY_MEM_BYTES);
    cn_import_options_init(&o);
    CHECK_OK(cn_import_options_settle(&o, NULL));
    CHECK_OK(cn_import_cid(&o, CN_CODEC_DAG_PB, cn_str("x"), &child.cid));
    cn_emit_init(&emit, &mem, &o, NULL);
    cn_dir_builder_init(&b, &emit, NULL);
    cn_err err = CN_OK;
    for (int i = 0; i < MANY && err == CN_OK; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "photo-%08d.jpeg", i * 7);
        err = cn_dir_builder_add(&b, cn_str(name), &child);
    }
    CHECK_OK(err);
    CHECK_OK(cn_dir_builder_finish(&b, &made, NULL));
    cn_dir_builder_release(&b);
    cn_emit_release(&emit);
    CHECK_EQ(atomic_load(&mem.used_bytes), 0);
}

int main(void)
{
    TEST(files_get_the_cids_that_kubo_gives);
    TEST(modes_and_times);
    TEST(folders);
    TEST(large_folders_are_sharded);
    TEST(inline_blocks_stop_at_128_bytes);
    TEST(files_are_told_as_they_come_and_folders_after_them);
    TEST(a_name_twice_is_refused);
    TEST(out_of_memory_leaves_nothing);
    TEST(a_million_names_fit_into_bounded_memory);
    return test_end();
}
