#include "lib/table.h"
#include "unixfs/list.h"
#include "unixfs/read.h"
#include "unixfs/resolve.h"
#include "unixfs/walk.h"

/* Resolve `path` and append the file's bytes, or a range of them. */
static cn_err
read_path(test_table *t, const char *path, uint64_t from, uint64_t len, cn_buf *out, cn_why *why)
{
    cn_ipfs_path p = {0};
    cn_cid cid = {0};
    cn_slice rest = {0};
    cn_read r = {0};
    cn_drive d = {0};
    cn_pull step = {.kind = CN_PULL_DATA};
    cn_read_options options = {.ahead = 16};
    cn_err err = CN_OK;
    CN_TRY(cn_ipfs_path_parse_arg(cn_str(path), cn_mem_default(), &p, why));
    CN_TRY(cn_resolve_local(&t->blocks, cn_mem_default(), &p, &cid, &rest, why));
    cn_read_init(&r, cn_mem_default(), &cid, &options);
    cn_drive_init(&d, cn_mem_default(), &t->blocks, CN_DRIVE_BLOCK_MAX_BYTES);
    cn_read_range(&r, from, len);
    while (step.kind != CN_PULL_END) {
        CN_TRY(cn_drive_next(&d, &r.pull, &step, why));
        if (step.kind == CN_PULL_DATA) {
            CN_TRY(cn_buf_append(out, step.data));
        }
    }
out:
    cn_read_release(&r);
    cn_drive_release(&d);
    cn_ipfs_path_release(&p);
    return err;
}

#define MULTIBLOCK "bafybeigcisqd7m5nf3qmuvjdbakl5bdnh4ocrmacaqkpuh77qjvggmt2sa"

static void a_file_of_many_blocks_is_read_in_any_range(void)
{
    test_table t;
    cn_buf whole, part;
    cn_why why = {0};
    if (!test_table_load(
            &t, "unixfs/boxo-gateway/directory-with-multilayer-hamt-and-multiblock-files.car")) {
        return;
    }
    cn_buf_init(&whole, cn_mem_default(), 1 << 20);
    cn_buf_init(&part, cn_mem_default(), 1 << 20);
    CHECK_OK(read_path(&t, MULTIBLOCK, 0, UINT64_MAX, &whole, &why));
    CHECK_EQ(whole.len, 1026);
    CHECK_EQ(t.gets, 1 + 5);
    for (size_t from = 0; from <= 1030; from += 5) {
        for (size_t len = 0; len <= 1030; len += 103) {
            size_t gets = t.gets;
            cn_slice expected = cn_slice_head(cn_slice_skip(cn_buf_slice(&whole), from), len);
            cn_buf_reset(&part);
            CHECK_OK(read_path(&t, MULTIBLOCK, from, len, &part, &why));
            CHECK_BYTES(cn_buf_slice(&part), expected);
            size_t first = from / 256;
            size_t last = (from + expected.len - 1) / 256;
            CHECK_EQ(t.gets - gets, expected.len == 0 ? 1 : 1 + last - first + 1);
        }
    }
    cn_buf_release(&whole);
    cn_buf_release(&part);
    test_table_release(&t);
}

/* A file node over `links` with the sizes given; a filesize that is `off` beside their sum. */
static cn_cid
file_node(test_table *t, const cn_cid *links, const uint64_t *sizes, size_t len, uint64_t off)
{
    cn_dagpb_link pb[4] = {0};
    cn_unixfs_data d = {.type = CN_UNIXFS_FILE, .has_filesize = true, .blocksizes_len = len};
    cn_buf message, block;
    cn_buf_init(&message, cn_mem_default(), 1 << 20);
    cn_buf_init(&block, cn_mem_default(), 1 << 20);
    for (size_t i = 0; i < len; i++) {
        pb[i] = (cn_dagpb_link){.cid = cn_cid_bytes(&links[i]), .has_name = true};
        d.filesize += sizes[i];
    }
    d.filesize += off;
    CHECK_OK(cn_unixfs_data_encode(&d, sizes, &message));
    cn_slice data = cn_buf_slice(&message);
    CHECK_OK(cn_dagpb_encode(pb, len, &data, &block));
    cn_cid cid = test_table_add(t, CN_CODEC_DAG_PB, cn_buf_slice(&block));
    cn_buf_release(&message);
    cn_buf_release(&block);
    return cid;
}

static cn_err read_cid(test_table *t, const cn_cid *cid, cn_buf *out)
{
    char text[CN_CID_TEXT_BYTES];
    return read_path(t, cn_cid_text(cid, text), 0, UINT64_MAX, out, NULL);
}

static void a_chain_of_ten_thousand_takes_no_memory(void)
{
    test_table t;
    cn_buf out;
    uint64_t one = 1;
    test_table_init(&t);
    cn_buf_init(&out, cn_mem_default(), 100);
    cn_cid cid = test_table_add(&t, CN_CODEC_RAW, cn_str("x"));
    for (int i = 0; i < 10000; i++) {
        cid = file_node(&t, &cid, &one, 1, 0);
    }
    size_t peak = atomic_load(&cn_mem_default()->peak_bytes);
    CHECK_OK(read_cid(&t, &cid, &out));
    CHECK_BYTES(cn_buf_slice(&out), cn_str("x"));
    CHECK(atomic_load(&cn_mem_default()->peak_bytes) < peak + (1 << 20));
    cn_buf_release(&out);
    test_table_release(&t);
}

static void a_deep_tree_ends_in_an_error(void)
{
    test_table t;
    cn_buf out;
    test_table_init(&t);
    cn_buf_init(&out, cn_mem_default(), 100000);
    cn_cid leaf = test_table_add(&t, CN_CODEC_RAW, cn_str("x"));
    cn_cid top = leaf;
    for (uint64_t i = 1; i <= 10000; i++) {
        cn_cid links[2] = {top, leaf};
        uint64_t sizes[2] = {i, 1};
        top = file_node(&t, links, sizes, 2, 0);
        if (i == 1000) {
            CHECK_OK(read_cid(&t, &top, &out));
            CHECK_EQ(out.len, 1001);
        }
    }
    CHECK_ERR(read_cid(&t, &top, &out), CN_ERR_TOO_DEEP);
    cn_buf_release(&out);
    test_table_release(&t);
}

static void sizes_that_do_not_agree_are_errors(void)
{
    test_table t;
    cn_buf out;
    test_table_init(&t);
    cn_buf_init(&out, cn_mem_default(), 1000);
    cn_cid leaf = test_table_add(&t, CN_CODEC_RAW, cn_str("xyz"));
    uint64_t right = 3, wrong = 4;
    cn_cid good = file_node(&t, &leaf, &right, 1, 0);
    cn_cid sum = file_node(&t, &leaf, &right, 1, 1);
    cn_cid child = file_node(&t, &leaf, &wrong, 1, 0);
    cn_cid inner = file_node(&t, &good, &wrong, 1, 0);
    CHECK_OK(read_cid(&t, &good, &out));
    CHECK_ERR(read_cid(&t, &sum, &out), CN_ERR_MALFORMED);
    CHECK_ERR(read_cid(&t, &child, &out), CN_ERR_MALFORMED);
    CHECK_ERR(read_cid(&t, &inner, &out), CN_ERR_MALFORMED);
    cn_buf_release(&out);
    test_table_release(&t);
}

static void raw_leaves_are_named_instead_of_read(void)
{
    test_table t;
    test_table_init(&t);
    cn_cid leaf = test_table_add(&t, CN_CODEC_RAW, cn_str("wxyz"));
    cn_cid links[2] = {leaf, leaf};
    uint64_t sizes[2] = {4, 4};
    cn_cid root = file_node(&t, links, sizes, 2, 0);
    cn_read r;
    cn_drive d;
    cn_pull step = {0};
    cn_read_options options = {.spans = true};
    cn_read_init(&r, cn_mem_default(), &root, &options);
    cn_drive_init(&d, cn_mem_default(), &t.blocks, 1000);
    CHECK_OK(cn_drive_next(&d, &r.pull, &step, NULL));
    CHECK_EQ(step.kind, CN_PULL_ENTRY);
    CHECK_EQ(((const cn_read_info *)step.entry)->size_bytes, 8);
    cn_read_range(&r, 3, 2);
    CHECK_OK(cn_drive_next(&d, &r.pull, &step, NULL));
    CHECK_EQ(step.kind, CN_PULL_SPAN);
    CHECK_EQ(step.span_offset, 3);
    CHECK_EQ(step.span_len, 1);
    CHECK_EQ(step.span_block_bytes, 4);
    CHECK_OK(cn_drive_next(&d, &r.pull, &step, NULL));
    CHECK_EQ(step.span_offset, 0);
    CHECK_EQ(step.span_len, 1);
    CHECK(cn_cid_eq(&step.span_cid, &leaf));
    CHECK_OK(cn_drive_next(&d, &r.pull, &step, NULL));
    CHECK_EQ(step.kind, CN_PULL_END);
    CHECK_EQ(t.gets, 1);
    cn_read_release(&r);
    cn_drive_release(&d);
    test_table_release(&t);
}

static size_t count_walk(test_table *t, const cn_cid *root, const cn_walk_options *options)
{
    cn_walk w;
    cn_drive d;
    cn_pull step = {0};
    size_t n = 0;
    cn_err err = CN_OK;
    cn_walk_init(&w, cn_mem_default(), root, options);
    cn_drive_init(&d, cn_mem_default(), &t->blocks, CN_DRIVE_BLOCK_MAX_BYTES);
    while ((err = cn_drive_next(&d, &w.pull, &step, NULL)) == CN_OK && step.kind == CN_PULL_ENTRY) {
        n++;
    }
    CHECK_OK(err);
    cn_walk_release(&w);
    cn_drive_release(&d);
    return n;
}

static void a_walk_meets_every_block(void)
{
    test_table t;
    cn_walk_options unique = {.unique = true};
    cn_walk_options direct = {.has_depth_max = true, .depth_max = 1};
    cn_walk_options unseen = {.unique = true, .raw_unseen = true};
    if (!test_table_load(&t, "kubo/TestGatewayHAMTDirectory.car")) {
        return;
    }
    CHECK_EQ(count_walk(&t, &t.roots[0], NULL), 1 + 966);
    CHECK_EQ(count_walk(&t, &t.roots[0], &unique), 1 + 966);
    size_t gets = t.gets;
    CHECK_EQ(count_walk(&t, &t.roots[0], &unseen), 1 + 966);
    CHECK_EQ(t.gets - gets, 1 + 1); /* all others are raw */
    CHECK_EQ(count_walk(&t, &t.roots[0], &direct), 1 + 963);
    test_table_release(&t);
}

static void a_walk_can_go_on_beside_what_is_missing(void)
{
    test_table t;
    test_table_init(&t);
    cn_cid leaf = test_table_add(&t, CN_CODEC_RAW, cn_str("a"));
    cn_cid gone = test_cid("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
    cn_cid links[3] = {leaf, gone, leaf};
    uint64_t sizes[3] = {1, 1, 1};
    cn_cid root = file_node(&t, links, sizes, 3, 0);
    cn_walk_options options = {.go_on = true};
    cn_walk w;
    cn_drive d;
    cn_pull step = {0};
    size_t missing = 0;
    size_t all = 0;
    cn_walk_init(&w, cn_mem_default(), &root, &options);
    cn_drive_init(&d, cn_mem_default(), &t.blocks, 1000);
    while (cn_drive_next(&d, &w.pull, &step, NULL) == CN_OK && step.kind == CN_PULL_ENTRY) {
        const cn_walk_entry *e = step.entry;
        all++;
        if (e->missing != CN_OK) {
            missing++;
            CHECK_ERR(e->missing, CN_ERR_NOT_FOUND);
            CHECK(cn_cid_eq(e->cid, &gone));
            CHECK(cn_cid_eq(e->parent, &root));
        }
    }
    CHECK_EQ(all, 4);
    CHECK_EQ(missing, 1);
    cn_walk_release(&w);
    options.go_on = false;
    cn_walk_init(&w, cn_mem_default(), &root, &options);
    CHECK_OK(cn_drive_next(&d, &w.pull, &step, NULL));
    CHECK_OK(cn_drive_next(&d, &w.pull, &step, NULL));
    CHECK_ERR(cn_drive_next(&d, &w.pull, &step, NULL), CN_ERR_NOT_FOUND);
    cn_walk_release(&w);
    cn_drive_release(&d);
    test_table_release(&t);
}

static void what_is_no_file_is_named(void)
{
    test_table t;
    cn_buf out;
    cn_why why = {0};
    char root[CN_CID_TEXT_BYTES];
    if (!test_table_load(&t, "unixfs/boxo-gateway/fixtures.car")) {
        return;
    }
    (void)cn_cid_text(&t.roots[0], root);
    cn_buf_init(&out, cn_mem_default(), 1 << 20);
    CHECK_ERR(read_path(&t, root, 0, UINT64_MAX, &out, &why), CN_ERR_WRONG_TYPE);
    CHECK_STR(why.text, "this dag node is a directory");
    cn_buf_release(&out);
    test_table_release(&t);
}

static void a_large_directory_is_listed_and_looked_up(void)
{
    test_table t;
    if (!test_table_load(&t, "kubo/TestGatewayHAMTDirectory.car")) {
        return;
    }
    cn_list l;
    cn_drive d;
    cn_pull step = {0};
    cn_err err = CN_OK;
    size_t entries = 0;
    char root[CN_CID_TEXT_BYTES];
    cn_buf path;
    cn_buf_init(&path, cn_mem_default(), 1 << 20);
    cn_cid dir = test_cid("bafybeiggvykl7skb2ndlmacg2k5modvudocffxjesexlod2pfvg5yhwrqm");
    cn_list_init(&l, cn_mem_default(), &dir, NULL);
    cn_drive_init(&d, cn_mem_default(), &t.blocks, CN_DRIVE_BLOCK_MAX_BYTES);
    while ((err = cn_drive_next(&d, &l.pull, &step, NULL)) == CN_OK && step.kind == CN_PULL_ENTRY) {
        const cn_list_entry *e = step.entry;
        entries++;
        if (entries % 100 == 0) { /* some of them by path */
            cn_ipfs_path p = {0};
            cn_cid found = {0};
            cn_slice rest = {0};
            const char *text = NULL;
            cn_buf_reset(&path);
            CHECK_OK(cn_buf_printf(&path, "/ipfs/%s/", cn_cid_text(&dir, root)));
            CHECK_OK(cn_buf_append(&path, e->name));
            CHECK_OK(cn_buf_cstr(&path, &text));
            CHECK_OK(cn_ipfs_path_parse(cn_str(text), cn_mem_default(), &p, NULL));
            CHECK_OK(cn_resolve_local(&t.blocks, cn_mem_default(), &p, &found, &rest, NULL));
            CHECK(cn_cid_eq(&found, &e->cid));
            cn_ipfs_path_release(&p);
        }
    }
    CHECK_OK(err);
    CHECK_EQ(entries, 10100);
    cn_buf_release(&path);
    cn_list_release(&l);
    cn_drive_release(&d);
    test_table_release(&t);
}

int main(void)
{
    TEST(a_file_of_many_blocks_is_read_in_any_range);
    TEST(a_chain_of_ten_thousand_takes_no_memory);
    TEST(a_deep_tree_ends_in_an_error);
    TEST(sizes_that_do_not_agree_are_errors);
    TEST(raw_leaves_are_named_instead_of_read);
    TEST(a_walk_meets_every_block);
    TEST(a_walk_can_go_on_beside_what_is_missing);
    TEST(what_is_no_file_is_named);
    TEST(a_large_directory_is_listed_and_looked_up);
    return test_end();
}
