/*
 * Reading through the public API: resolve, one block, a file by pulling.
 */
#include "api/internal_repo.h"
#include "ipld/path.h"
#include "unixfs/ahead.h"
#include "unixfs/read.h"
#include "unixfs/resolve.h"

struct cairn_reader {
    cairn_repo *repo;
    cn_api_wait wait;
    cn_ahead ahead;
    cn_read read;
    uint64_t size_bytes;
    cn_err failed; /* what ended it */
};

cn_err
cn_api_resolve(cairn_repo *r, const char *path, const cn_api_wait *wait, cn_cid *ret, cn_why *why)
{
    cn_ipfs_path parsed = {0};
    cn_slice rest = {0};
    cn_err err = CN_OK;
    CN_TRY(cn_api_given(path, "path", why));
    CN_TRY(cn_api_wait_check(wait));
    CN_TRY(cn_ipfs_path_parse_arg(cn_str(path), cn_node_mem(r->node), &parsed, why));
    CN_TRY(
        cn_resolve_local(cn_node_blocks(r->node), cn_node_mem(r->node), &parsed, ret, &rest, why));
    if (rest.len > 0) {
        err = cn_why_set(
            why, CN_ERR_WRONG_TYPE, "%s ends inside a block, at what is not a link", path);
    }
out:
    cn_ipfs_path_release(&parsed);
    return err;
}

cairn_result cairn_resolve(
    cairn_repo *r,
    const char *path,
    const cairn_wait *wait,
    char ret_cid[CAIRN_CID_TEXT_BYTES],
    cairn_message *message)
{
    _Static_assert((int)CAIRN_CID_TEXT_BYTES == (int)CN_CID_TEXT_BYTES, "the same array");
    cn_api_wait limits;
    cn_cid cid;
    cn_why why = {0};
    cn_err err = CN_OK;
    CN_TRY(cn_api_given(r, "repo", &why));
    CN_TRY(cn_api_given(ret_cid, "place for the CID", &why));
    CN_TRY(cn_api_wait_init(&limits, r->rt, wait, &why));
    CN_TRY(cn_api_resolve(r, path, &limits, &cid, &why));
    (void)cn_cid_text(&cid, ret_cid);
out:
    return cn_api_result(err, &why, message);
}

cairn_result cairn_block_get(
    cairn_repo *r,
    const char *cid,
    const cairn_wait *wait,
    void **ret_data,
    size_t *ret_len,
    cairn_message *message)
{
    cn_api_wait limits;
    cn_cid parsed;
    cn_buf block = {0};
    cn_why why = {0};
    cn_err err = CN_OK;
    cn_buf_init(&block, cn_mem_default(), CN_DRIVE_BLOCK_MAX_BYTES);
    CN_TRY(cn_api_given(r, "repo", &why));
    CN_TRY(cn_api_given(cid, "CID", &why));
    CN_TRY(cn_api_given(ret_data, "place for the data", &why));
    CN_TRY(cn_api_given(ret_len, "place for the length", &why));
    CN_TRY(cn_api_wait_init(&limits, r->rt, wait, &why));
    CN_TRY(cn_api_wait_check(&limits));
    CN_TRY(cn_cid_parse(cn_str(cid), &parsed, &why));
    CN_TRY(cn_buf_reserve(&block, 1)); /* so that an empty block has an address too */
    CN_TRY(cn_blocks_get(cn_node_blocks(r->node), &parsed, &block, &why));
    *ret_data = block.data;
    *ret_len = block.len;
    block = (cn_buf){0};
out:
    cn_buf_release(&block);
    return cn_api_result(err, &why, message);
}

void cairn_free(void *data)
{
    cn_free(cn_mem_default(), data);
}

static cn_err may_go_on(void *ctx)
{
    return cn_api_wait_check(ctx);
}

/* Read up to the ENTRY, so that the size is known and a directory is refused at once. */
static cn_err start_reading(
    cairn_reader *reader, const cn_cid *cid, const cairn_cat_options *options, cn_why *why)
{
    cn_read_options how = {.ahead = CN_PULL_AHEAD};
    cn_pull step;
    cn_err err = CN_OK;
    cn_mem *mem = cn_node_mem(reader->repo->node);
    const cn_ahead_options drive = {
        .rt = reader->repo->rt,
        .mem = mem,
        .blocks = cn_node_blocks(reader->repo->node),
        .check = may_go_on,
        .ctx = &reader->wait};
    cn_ahead_init(&reader->ahead, &drive);
    cn_read_init(&reader->read, mem, cid, &how);
    CN_TRY(cn_ahead_next(&reader->ahead, &reader->read.pull, &step, why));
    CN_ASSERT(step.kind == CN_PULL_ENTRY);
    reader->size_bytes = ((const cn_read_info *)step.entry)->size_bytes;
    cn_read_range(
        &reader->read, options->offset_bytes,
        options->length_bytes == 0 ? UINT64_MAX : options->length_bytes);
out:
    return err;
}

cairn_result cairn_cat(
    cairn_repo *r,
    const char *path,
    const cairn_cat_options *options,
    const cairn_wait *wait,
    cairn_reader **ret,
    cairn_message *message)
{
    cn_cid cid;
    cairn_cat_options how;
    cairn_reader *reader = NULL;
    cn_why why = {0};
    cn_err err = CN_OK;
    CN_TRY(cn_api_given(r, "repo", &why));
    CN_TRY(cn_api_given(ret, "place for the reader", &why));
    CN_TRY(cn_api_options(&how, sizeof how, options, &why));
    reader = cn_alloc(cn_node_mem(r->node), sizeof *reader);
    CN_TRY(reader == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    reader->repo = r;
    (void)atomic_fetch_add(&r->readers, 1);
    CN_TRY(cn_api_wait_init(&reader->wait, r->rt, wait, &why));
    CN_TRY(cn_api_resolve(r, path, &reader->wait, &cid, &why));
    CN_TRY(start_reading(reader, &cid, &how, &why));
    *ret = reader;
    reader = NULL;
out:
    cairn_reader_close(reader);
    return cn_api_result(err, &why, message);
}

uint64_t cairn_reader_size(const cairn_reader *reader)
{
    return reader == NULL ? 0 : reader->size_bytes;
}

cairn_result cairn_reader_next(
    cairn_reader *reader, const void **ret_data, size_t *ret_len, cairn_message *message)
{
    cn_pull step = {.kind = CN_PULL_END};
    cn_why why = {0};
    cn_err err = CN_OK;
    CN_TRY(cn_api_given(reader, "reader", &why));
    CN_TRY(cn_api_given(ret_data, "place for the data", &why));
    CN_TRY(cn_api_given(ret_len, "place for the length", &why));
    if (reader->failed != CN_OK) {
        CN_TRY(cn_why_set(&why, reader->failed, "the reader has failed before: close it"));
    }
    cn_api_wait_restart(&reader->wait);
    err = cn_api_wait_check(&reader->wait);
    if (err == CN_OK) {
        err = cn_ahead_next(&reader->ahead, &reader->read.pull, &step, &why);
    }
    reader->failed = err == CN_ERR_TIMEOUT ? CN_OK : err;
    CN_TRY(err);
    *ret_data = step.kind == CN_PULL_END ? NULL : step.data.data;
    *ret_len = step.kind == CN_PULL_END ? 0 : step.data.len;
out:
    return cn_api_result(err, &why, message);
}

void cairn_reader_close(cairn_reader *reader)
{
    if (reader != NULL) {
        cairn_repo *r = reader->repo;
        cn_read_release(&reader->read);
        cn_ahead_release(&reader->ahead);
        cn_free(cn_node_mem(r->node), reader);
        (void)atomic_fetch_sub(&r->readers, 1);
    }
}
