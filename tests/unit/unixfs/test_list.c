/*
 * Listing directories made by hand: what each child is told to be, wants ahead, what is no
 * directory, and failing memory in all pull machines.
 */
#include "lib/table.h"
#include "unixfs/list.h"
#include "unixfs/read.h"
#include "unixfs/resolve.h"
#include "unixfs/tree_read.h"
#include "unixfs/walk.h"

enum { LINKS_MAX = 8 };

typedef struct child {
    const char *name;
    cn_cid cid;
    uint64_t tsize;
} child;

/* A DAG-PB node of UnixFS with links. */
static cn_cid make_node(test_table *t, const cn_unixfs_data *d, const child *children, size_t len)
{
    cn_dagpb_link links[LINKS_MAX] = {0};
    cn_buf message, block;
    cn_buf_init(&message, cn_mem_default(), 1 << 16);
    cn_buf_init(&block, cn_mem_default(), 1 << 16);
    for (size_t i = 0; i < len; i++) {
        links[i] = (cn_dagpb_link){
            .cid = cn_cid_bytes(&children[i].cid),
            .name = cn_str(children[i].name),
            .tsize_bytes = children[i].tsize,
            .has_name = true,
            .has_tsize = true};
    }
    CHECK_OK(cn_unixfs_data_encode(d, NULL, &message));
    cn_slice data = cn_buf_slice(&message);
    CHECK_OK(cn_dagpb_encode(links, len, &data, &block));
    cn_cid cid = test_table_add(t, CN_CODEC_DAG_PB, cn_buf_slice(&block));
    cn_buf_release(&message);
    cn_buf_release(&block);
    return cid;
}

static cn_cid make_dir(test_table *t, const child *children, size_t len)
{
    cn_unixfs_data d = {.type = CN_UNIXFS_DIRECTORY};
    return make_node(t, &d, children, len);
}

/* A folder with one child of each kind. */
static cn_cid make_all_kinds(test_table *t)
{
    cn_unixfs_data file = {
        .type = CN_UNIXFS_FILE,
        .data = cn_str("hello"),
        .has_data = true,
        .has_filesize = true,
        .filesize = 5,
        .has_mode = true,
        .mode = 0640,
        .has_mtime = true,
        .mtime_s = -7,
        .mtime_ns = 9};
    cn_unixfs_data link = {.type = CN_UNIXFS_SYMLINK, .data = cn_str("../to"), .has_data = true};
    const child all[] = {
        {"", make_dir(t, NULL, 0), 4},
        {"a dir", make_dir(t, NULL, 0), 4},
        {"a file", make_node(t, &file, NULL, 0), 99},
        {"a link", make_node(t, &link, NULL, 0), 11},
        {"cbor", test_table_add(t, CN_CODEC_DAG_CBOR, test_hex("a0")), 1},
        {"raw", test_table_add(t, CN_CODEC_RAW, cn_str("xyz")), 3},
    };
    return make_dir(t, all, CN_LEN(all));
}

typedef struct listed {
    cn_list_kind kinds[LINKS_MAX];
    uint64_t sizes[LINKS_MAX];
    size_t len;
    size_t wants_most;
} listed;

/* List `root`, step by step; checks what is to be seen of the file and the link of all kinds. */
static cn_err
list_all(test_table *t, cn_mem *mem, const cn_cid *root, const cn_list_options *o, listed *ret)
{
    cn_list l;
    cn_pull step = {.kind = CN_PULL_WANT};
    cn_buf block;
    cn_err err = CN_OK;
    *ret = (listed){.len = 0};
    cn_list_init(&l, mem, root, o);
    cn_buf_init(&block, mem, 1 << 20);
    while (step.kind != CN_PULL_END) {
        CN_TRY(cn_pull_next(&l.pull, &step, NULL));
        if (step.kind == CN_PULL_WANT) {
            ret->wants_most = CN_MAX(ret->wants_most, step.wants_len);
            CN_TRY(cn_blocks_get(&t->blocks, &step.wants[0], &block, NULL));
            CN_TRY(cn_pull_give(&l.pull, &step.wants[0], cn_buf_slice(&block), NULL));
        } else if (step.kind == CN_PULL_ENTRY) {
            const cn_list_entry *e = step.entry;
            ret->kinds[ret->len] = e->kind;
            ret->sizes[ret->len++] = e->size_bytes;
            if (e->kind == CN_LIST_SYMLINK) {
                CHECK_BYTES(e->target, cn_str("../to"));
            }
            if (cn_slice_is(e->name, "a file") && e->kind == CN_LIST_FILE) {
                CHECK(e->has_mode && e->mode == 0640 && e->has_mtime && e->mtime_s == -7);
                CHECK_EQ(e->mtime_ns, 9);
                CHECK_EQ(e->tsize_bytes, 99);
            }
        }
    }
out:
    cn_buf_release(&block);
    cn_list_release(&l);
    cn_list_release(&l);
    return err;
}

static void children_are_told_where_asked_for(void)
{
    test_table t;
    listed got;
    test_table_init(&t);
    cn_cid root = make_all_kinds(&t);
    static const cn_list_kind kinds[] = {CN_LIST_DIR,     CN_LIST_DIR,     CN_LIST_FILE,
                                         CN_LIST_SYMLINK, CN_LIST_UNKNOWN, CN_LIST_FILE};
    static const uint64_t sizes[] = {0, 0, 5, 5, 0, 3};
    cn_list_options o = {.with_children = true, .ahead = 100};
    CHECK_OK(list_all(&t, cn_mem_default(), &root, &o, &got));
    CHECK_EQ(got.len, CN_LEN(kinds));
    for (size_t i = 0; i < CN_LEN(kinds); i++) {
        CHECK_EQ(got.kinds[i], kinds[i]);
        CHECK_EQ(got.sizes[i], sizes[i]);
    }
    CHECK_EQ(got.wants_most, 4); /* the children of dag-pb */
    CHECK_EQ(t.gets, 5);
    o.ahead = 2;
    CHECK_OK(list_all(&t, cn_mem_default(), &root, &o, &got));
    CHECK_EQ(got.wants_most, 2);
    /* without children only the directory is read */
    t.gets = 0;
    CHECK_OK(list_all(&t, cn_mem_default(), &root, NULL, &got));
    CHECK_EQ(t.gets, 1);
    CHECK_EQ(got.len, CN_LEN(kinds));
    CHECK_EQ(got.kinds[0], CN_LIST_UNKNOWN);
    CHECK_EQ(got.kinds[5], CN_LIST_FILE);
    CHECK_EQ(got.sizes[5], 3);
    test_table_release(&t);
}

static void an_empty_one_has_no_entries(void)
{
    test_table t;
    listed got;
    test_table_init(&t);
    cn_cid root = make_dir(&t, NULL, 0);
    cn_list_options o = {.only_dirs = true};
    CHECK_OK(list_all(&t, cn_mem_default(), &root, &o, &got));
    CHECK_EQ(got.len, 0);
    test_table_release(&t);
}

static void what_is_no_directory(void)
{
    test_table t;
    listed got;
    test_table_init(&t);
    cn_cid raw = test_table_add(&t, CN_CODEC_RAW, cn_str("x"));
    cn_cid broken = test_table_add(&t, CN_CODEC_DAG_PB, test_hex("ff"));
    cn_cid no_unixfs = test_table_add(&t, CN_CODEC_DAG_PB, (cn_slice){0});
    cn_unixfs_data d = {.type = CN_UNIXFS_FILE};
    cn_cid file = make_node(&t, &d, NULL, 0);
    cn_list_options strict = {.only_dirs = true};
    CHECK_OK(list_all(&t, cn_mem_default(), &raw, NULL, &got));
    CHECK_EQ(got.len, 0);
    CHECK_OK(list_all(&t, cn_mem_default(), &file, NULL, &got));
    CHECK_ERR(list_all(&t, cn_mem_default(), &raw, &strict, &got), CN_ERR_WRONG_TYPE);
    CHECK_ERR(list_all(&t, cn_mem_default(), &file, &strict, &got), CN_ERR_WRONG_TYPE);
    CHECK(list_all(&t, cn_mem_default(), &broken, NULL, &got) != CN_OK);
    CHECK_ERR(list_all(&t, cn_mem_default(), &no_unixfs, NULL, &got), CN_ERR_MALFORMED);
    const child children[] = {{"broken", broken, 0}};
    cn_cid root = make_dir(&t, children, 1);
    cn_list_options o = {.with_children = true};
    CHECK_OK(list_all(&t, cn_mem_default(), &root, NULL, &got));
    CHECK(list_all(&t, cn_mem_default(), &root, &o, &got) != CN_OK);
    test_table_release(&t);
}

/* The machines with failing memory, over a folder and a sharded one with files of many blocks. */
static test_table table;
static cn_cid folder;
static cn_cid sharded;

static cn_err drive(cn_mem *mem, cn_pull_machine *m)
{
    cn_drive d;
    cn_pull step = {.kind = CN_PULL_WANT};
    cn_err err = CN_OK;
    cn_drive_init(&d, mem, &table.blocks, CN_DRIVE_BLOCK_MAX_BYTES);
    while (err == CN_OK && step.kind != CN_PULL_END) {
        err = cn_drive_next(&d, m, &step, NULL);
    }
    cn_drive_release(&d);
    return err;
}

static cn_err list_it(cn_mem *mem)
{
    cn_list l;
    cn_list_options o = {.with_children = true, .ahead = 8};
    cn_list_init(&l, mem, &sharded, &o);
    cn_err err = drive(mem, &l.pull);
    cn_list_release(&l);
    return err;
}

static cn_err walk_it(cn_mem *mem)
{
    cn_walk w;
    cn_walk_options o = {.unique = true, .ahead = 8};
    cn_walk_init(&w, mem, &sharded, &o);
    cn_err err = drive(mem, &w.pull);
    cn_walk_release(&w);
    return err;
}

static cn_err read_tree(cn_mem *mem)
{
    cn_tree_read r;
    cn_tree_read_init(&r, mem, &folder);
    cn_err err = drive(mem, &r.pull);
    cn_tree_read_release(&r);
    return err;
}

static cn_err read_file(cn_mem *mem)
{
    cn_read r;
    cn_cid file = test_cid("bafybeigcisqd7m5nf3qmuvjdbakl5bdnh4ocrmacaqkpuh77qjvggmt2sa");
    cn_read_options o = {.ahead = 8};
    cn_read_init(&r, mem, &file, &o);
    cn_err err = drive(mem, &r.pull);
    cn_read_release(&r);
    return err;
}

static cn_err resolve_it(cn_mem *mem)
{
    cn_ipfs_path path = {0};
    cn_buf text;
    cn_cid cid;
    cn_slice rest;
    char root[CN_CID_TEXT_BYTES];
    cn_err err = CN_OK;
    cn_buf_init(&text, mem, 1000);
    CN_TRY(cn_buf_printf(&text, "/ipfs/%s/sub/again", cn_cid_text(&folder, root)));
    CN_TRY(cn_ipfs_path_parse_arg(cn_buf_slice(&text), mem, &path, NULL));
    CN_TRY(cn_resolve_local(&table.blocks, mem, &path, &cid, &rest, NULL));
    CHECK(cn_cid_eq(&cid, &sharded));
out:
    cn_ipfs_path_release(&path);
    cn_buf_release(&text);
    return err;
}

static void out_of_memory(void)
{
    if (!test_table_load(
            &table,
            "unixfs/boxo-gateway/directory-with-multilayer-hamt-and-multiblock-files.car")) {
        return;
    }
    sharded = table.roots[0];
    const child again[] = {{"again", sharded, 0}, {"empty", make_dir(&table, NULL, 0), 0}};
    const child sub[] = {{"sub", make_dir(&table, again, CN_LEN(again)), 0}};
    folder = make_dir(&table, sub, 1);
    test_out_of_memory(list_it);
    test_out_of_memory(walk_it);
    test_out_of_memory(read_tree);
    test_out_of_memory(read_file);
    test_out_of_memory(resolve_it);
    test_table_release(&table);
}

int main(void)
{
    TEST(children_are_told_where_asked_for);
    TEST(an_empty_one_has_no_entries);
    TEST(what_is_no_directory);
    TEST(out_of_memory);
    return test_end();
}
