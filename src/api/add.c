/*
 * Adding through the public API: one file whose bytes the caller gives, or what lies on the disk.
 * The limits of the call are asked before each piece of the caller's, after each leaf, and while
 * another holds the store.
 */
#include "api/internal_repo.h"
#include "node/import_config.h"
#include "rt_os/tree.h"
#include "store/pin.h"
#include "unixfs/add.h"

enum { PUTS_MAX = 256 };

/* One add: where blocks go, and who is asked whether to go on. */
typedef struct adding {
    cn_import_sink sink;
    cn_add_observer observer;
    cairn_repo *repo;
    cairn_add_options options;
    cn_api_wait wait;
} adding;

/* The caller's bytes as a source. */
typedef struct one_file {
    cn_source source;
    const cn_api_wait *wait;
    cairn_read_fn read;
    void *ctx;
    bool given;          /* the file's entry was handed out */
    cairn_result failed; /* what the caller's function said */
} one_file;

static cn_err next_entry(cn_source *s, cn_source_entry *ret, cn_why *why)
{
    one_file *f = (one_file *)s;
    CN_UNUSED(why);
    *ret = (cn_source_entry){.kind = f->given ? CN_SOURCE_END : CN_SOURCE_FILE};
    f->given = true;
    return CN_OK;
}

/* The caller may give fewer bytes at a time than a source must. */
static cn_err read_file(cn_source *s, uint8_t *data, size_t len, size_t *ret_len, cn_why *why)
{
    one_file *f = (one_file *)s;
    size_t done = 0;
    while (done < len) {
        size_t got = 0;
        cn_err err = cn_api_wait_check(f->wait);
        if (err != CN_OK) {
            return err;
        }
        f->failed = f->read(f->ctx, data + done, len - done, &got);
        if (f->failed != CAIRN_OK) {
            return cn_why_set(why, CN_ERR_IO, "the bytes to be added could not be read");
        }
        if (got > len - done) {
            return cn_why_set(
                why, CN_ERR_USAGE, "the read function gave %zu bytes where there is room for %zu",
                got, len - done);
        }
        if (got == 0) {
            break;
        }
        done += got;
    }
    *ret_len = done;
    return CN_OK;
}

static const cn_source_ops source_ops = {.next = next_entry, .read = read_file};

static cn_err
put_blocks(cn_import_sink *sink, const cn_import_block *blocks, size_t blocks_len, cn_why *why)
{
    adding *a = CN_CONTAINER(sink, adding, sink);
    cn_err err = CN_OK;
    for (size_t i = 0; i < blocks_len && err == CN_OK; i += PUTS_MAX) {
        cn_store_put puts[PUTS_MAX];
        size_t n = CN_MIN(blocks_len - i, (size_t)PUTS_MAX);
        for (size_t k = 0; k < n; k++) {
            puts[k] = (cn_store_put){blocks[i + k].cid, blocks[i + k].data};
        }
        err = cn_store_put_many(cn_node_store(a->repo->node), puts, n, why);
    }
    return err;
}

static cn_err may_go_on(void *ctx)
{
    const adding *a = ctx;
    return cn_api_wait_check(&a->wait);
}

static cn_err note_added(cn_add_observer *o, const cn_add_event *event, cn_why *why)
{
    CN_UNUSED(event);
    CN_UNUSED(why);
    return may_go_on(CN_CONTAINER(o, adding, observer));
}

static cn_err note_progress(cn_add_observer *o, cn_slice path, uint64_t file_bytes, cn_why *why)
{
    CN_UNUSED(path);
    CN_UNUSED(file_bytes);
    CN_UNUSED(why);
    return may_go_on(CN_CONTAINER(o, adding, observer));
}

/* On the disk, and pinned unless that was not wanted. */
static cn_err keep(const adding *a, const cn_cid *root, cn_why *why)
{
    cn_pins *pins = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_store_flush(cn_node_store(a->repo->node), why));
    if (a->options.unpinned == 0) {
        CN_TRY(cn_node_pins(a->repo->node, &pins, why));
        CN_TRY(cn_pins_set(pins, root, CN_PIN_RECURSIVE, cn_str(""), why));
    }
out:
    return err;
}

/* Check what was given and take options and limits. */
static cn_err begin(
    adding *a,
    cairn_repo *r,
    const cairn_add_options *options,
    const cairn_wait *wait,
    const char *ret_cid,
    cn_why *why)
{
    cn_err err = CN_OK;
    *a = (adding){
        .sink = {put_blocks},
        .observer = {.added = note_added, .progress = note_progress},
        .repo = r,
    };
    CN_TRY(cn_api_given(r, "repo", why));
    CN_TRY(cn_api_given(ret_cid, "place for the CID", why));
    CN_TRY(cn_api_options(&a->options, sizeof a->options, options, why));
    CN_TRY(cn_api_wait_init(&a->wait, r->rt, wait, why));
    CN_TRY(cn_api_wait_check(&a->wait));
out:
    return err;
}

static cn_err add_source(adding *a, cn_source *source, char *ret_cid, cn_why *why)
{
    cn_node *node = a->repo->node;
    cn_import_options import;
    cn_cid root;
    cn_latch_hold hold = {0};
    const cn_latch_wait wait = {may_go_on, a};
    cn_err err = CN_OK;
    bool only_hash = a->options.only_hash != 0;
    cn_add_request request = {
        .rt = a->repo->rt,
        .mem = cn_node_mem(node),
        .source = source,
        .options = &import,
        .sink = only_hash ? NULL : &a->sink,
        .observer = &a->observer,
    };
    CN_TRY(cn_config_import(cn_node_config(node), &import, why));
    CN_TRY(cn_import_options_settle(&import, why));
    if (!only_hash) {
        CN_TRY(cn_latch_share(cn_node_latch(node), &wait, &hold));
    }
    CN_TRY(cn_add(&request, &root, why));
    if (!only_hash) {
        CN_TRY(keep(a, &root, why));
    }
    (void)cn_cid_text(&root, ret_cid);
out:
    cn_latch_give(&hold);
    return err;
}

cairn_result cairn_add(
    cairn_repo *r,
    const cairn_add_options *options,
    cairn_read_fn read,
    void *ctx,
    const cairn_wait *wait,
    char ret_cid[CAIRN_CID_TEXT_BYTES],
    cairn_message *message)
{
    adding a;
    one_file f = {.source = {&source_ops}, .wait = &a.wait, .read = read, .ctx = ctx};
    cn_why why = {0};
    cn_err err = CN_OK;
    CN_TRY(begin(&a, r, options, wait, ret_cid, &why));
    if (read == NULL) {
        CN_TRY(cn_why_set(&why, CN_ERR_USAGE, "no function that reads was given (it is NULL)"));
    }
    CN_TRY(add_source(&a, &f.source, ret_cid, &why));
out:
    if (err != CN_OK && f.failed != CAIRN_OK) {
        (void)cn_api_result(err, &why, message);
        return f.failed;
    }
    return cn_api_result(err, &why, message);
}

cairn_result cairn_add_path(
    cairn_repo *r,
    const cairn_add_options *options,
    const char *path,
    const cairn_wait *wait,
    char ret_cid[CAIRN_CID_TEXT_BYTES],
    cairn_message *message)
{
    adding a;
    cn_tree *tree = NULL;
    cn_tree_options how = {.recursive = true};
    cn_why why = {0};
    cn_err err = CN_OK;
    CN_TRY(begin(&a, r, options, wait, ret_cid, &why));
    CN_TRY(cn_api_given(path, "path", &why));
    how.hidden = a.options.hidden != 0;
    CN_TRY(cn_tree_new(cn_node_mem(r->node), &how, &tree));
    CN_TRY(cn_tree_add_path(tree, path));
    CN_TRY(add_source(&a, cn_tree_source(tree), ret_cid, &why));
out:
    cn_tree_free(tree);
    return cn_api_result(err, &why, message);
}
