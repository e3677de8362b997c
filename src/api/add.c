/*
 * Adding through the public API: one file whose bytes the caller gives.
 */
#include "api/internal_repo.h"
#include "node/import_config.h"
#include "store/pin.h"
#include "unixfs/add.h"

enum { PUTS_MAX = 256 };

/* Source and sink of one add. */
typedef struct one_file {
    cn_source source;
    cn_import_sink sink;
    cairn_repo *repo;
    cairn_read_fn read;
    void *ctx;
    cn_api_wait wait;
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
        cn_err err = cn_api_wait_check(&f->wait);
        if (err != CN_OK) {
            return err;
        }
        f->failed = f->read(f->ctx, data + done, len - done, &got);
        if (f->failed != CAIRN_OK || got > len - done) {
            return cn_why_set(why, CN_ERR_IO, "the bytes to be added could not be read");
        }
        if (got == 0) {
            break;
        }
        done += got;
    }
    *ret_len = done;
    return CN_OK;
}

static cn_err
put_blocks(cn_import_sink *sink, const cn_import_block *blocks, size_t blocks_len, cn_why *why)
{
    one_file *f = CN_CONTAINER(sink, one_file, sink);
    cn_err err = CN_OK;
    for (size_t i = 0; i < blocks_len && err == CN_OK; i += PUTS_MAX) {
        cn_store_put puts[PUTS_MAX];
        size_t n = CN_MIN(blocks_len - i, (size_t)PUTS_MAX);
        for (size_t k = 0; k < n; k++) {
            puts[k] = (cn_store_put){blocks[i + k].cid, blocks[i + k].data};
        }
        err = cn_store_put_many(cn_node_store(f->repo->node), puts, n, why);
    }
    return err;
}

static cn_err keep(cairn_repo *r, const cn_cid *root, bool pin, cn_why *why)
{
    cn_pins *pins = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_store_flush(cn_node_store(r->node), why));
    if (pin) {
        CN_TRY(cn_node_pins(r->node, &pins, why));
        CN_TRY(cn_pins_set(pins, root, CN_PIN_RECURSIVE, cn_str(""), why));
    }
out:
    return err;
}

static const cn_source_ops source_ops = {.next = next_entry, .read = read_file};

static cn_err may_go_on(void *ctx)
{
    const one_file *f = ctx;
    return cn_api_wait_check(&f->wait);
}

static cn_err add_file(
    one_file *f, const cairn_add_options *options, char ret_cid[CAIRN_CID_TEXT_BYTES], cn_why *why)
{
    cn_node *node = f->repo->node;
    cn_import_options import;
    cn_cid root;
    cn_latch_hold hold = {0};
    const cn_latch_wait wait = {may_go_on, f};
    cn_err err = CN_OK;
    bool only_hash = options != NULL && options->only_hash != 0;
    bool pin = options == NULL || options->unpinned == 0;
    cn_add_request request = {
        .rt = f->repo->rt,
        .mem = cn_node_mem(node),
        .source = &f->source,
        .options = &import,
        .sink = only_hash ? NULL : &f->sink,
    };
    CN_TRY(cn_config_import(cn_node_config(node), &import, why));
    CN_TRY(cn_import_options_settle(&import, why));
    if (!only_hash) {
        CN_TRY(cn_latch_share(cn_node_latch(node), &wait, &hold));
    }
    CN_TRY(cn_add(&request, &root, why));
    if (!only_hash) {
        CN_TRY(keep(f->repo, &root, pin, why));
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
    cn_why why = {0};
    cn_err err = CN_OK;
    one_file f = {
        .source = {&source_ops},
        .sink = {put_blocks},
        .repo = r,
        .read = read,
        .ctx = ctx,
    };
    if (options != NULL && options->struct_size < sizeof *options) {
        CN_TRY(cn_why_set(&why, CN_ERR_USAGE, "struct_size of the options is not set"));
    }
    CN_TRY(cn_api_wait_init(&f.wait, r->rt, wait));
    CN_TRY(add_file(&f, options, ret_cid, &why));
out:
    if (err != CN_OK && f.failed != CAIRN_OK) {
        (void)cn_api_result(err, &why, message);
        return f.failed;
    }
    return cn_api_result(err, &why, message);
}
