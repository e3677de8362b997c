/*
 * Emitter. Nodes lie one behind the other in `held`; `pending` has their CIDs and lengths.
 */
#include "unixfs/emit.h"

enum {
    HELD_FLUSH_BYTES = 1 << 20,
    PENDING_MAX = 256,
};

#define HELD_MAX_BYTES ((size_t)1 << 32)

struct cn_emit_pending {
    cn_cid cid;
    size_t len;
};

void cn_emit_init(cn_emit *e, cn_mem *mem, const cn_import_options *options, cn_import_sink *sink)
{
    *e = (cn_emit){.mem = mem, .options = options, .sink = sink};
    cn_buf_init(&e->held, mem, HELD_MAX_BYTES);
}

void cn_emit_release(cn_emit *e)
{
    cn_buf_release(&e->held);
    cn_free(e->mem, e->pending);
    *e = (cn_emit){0};
}

static cn_err gather(cn_emit *e, cn_slice block, const cn_cid *cid)
{
    if (e->pending == NULL) {
        e->pending = cn_alloc_array(e->mem, PENDING_MAX, sizeof *e->pending);
        if (e->pending == NULL) {
            return CN_ERR_NO_MEMORY;
        }
    }
    cn_err err = cn_buf_append(&e->held, block);
    if (err == CN_OK) {
        e->pending[e->pending_len++] = (cn_emit_pending){*cid, block.len};
    }
    return err;
}

cn_err cn_emit_node(cn_emit *e, cn_slice block, cn_cid *ret, cn_why *why)
{
    cn_cid cid;
    cn_err err = cn_import_cid(e->options, CN_CODEC_DAG_PB, block, &cid);
    if (err == CN_OK && e->sink != NULL && !cn_cid_is_identity(&cid, NULL)) {
        err = gather(e, block, &cid);
        if (err == CN_OK && (e->pending_len == PENDING_MAX || e->held.len >= HELD_FLUSH_BYTES)) {
            err = cn_emit_flush(e, why);
        }
    }
    if (err == CN_OK) {
        *ret = cid;
    }
    return err;
}

cn_err cn_emit_flush(cn_emit *e, cn_why *why)
{
    if (e->pending_len == 0) {
        return CN_OK;
    }
    cn_import_block blocks[PENDING_MAX];
    const uint8_t *at = e->held.data;
    for (size_t i = 0; i < e->pending_len; i++) {
        blocks[i] = (cn_import_block){&e->pending[i].cid, {at, e->pending[i].len}};
        at += e->pending[i].len;
    }
    cn_err err = e->sink->put(e->sink, blocks, e->pending_len, why);
    e->pending_len = 0;
    cn_buf_reset(&e->held);
    return err;
}
