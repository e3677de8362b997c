/*
 * The face of cn_blocks: identity CIDs are answered here, so no implementation sees them.
 */
#include "ipld/blocks.h"

cn_err cn_blocks_get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
{
    cn_slice inlined = {0};
    if (cn_cid_is_identity(cid, &inlined)) {
        cn_buf_reset(ret);
        return cn_buf_append(ret, inlined);
    }
    return b->ops->get(b, cid, ret, why);
}

void cn_blocks_get_many(
    cn_blocks *b, const cn_cid *cids, size_t len, cn_buf *rets, cn_err *ret_errs)
{
    bool inlined = false;
    for (size_t i = 0; i < len; i++) {
        inlined = inlined || cn_cid_is_identity(&cids[i], NULL);
    }
    if (b->ops->get_many != NULL && !inlined) {
        b->ops->get_many(b, cids, len, rets, ret_errs);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        ret_errs[i] = cn_blocks_get(b, &cids[i], &rets[i], NULL);
    }
}

cn_err cn_blocks_get_plain(cn_blocks *b, const cn_cid *cid, cn_buf *ret)
{
    if (b->ops->get_plain == NULL || cn_cid_is_identity(cid, NULL)) {
        return cn_blocks_get(b, cid, ret, NULL);
    }
    return b->ops->get_plain(b, cid, ret);
}

void cn_blocks_expect(cn_blocks *b, const cn_cid *cids, size_t len)
{
    if (b->ops->expect != NULL && len > 0) {
        b->ops->expect(b, cids, len);
    }
}

cn_err cn_blocks_size(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes)
{
    cn_slice inlined = {0};
    if (cn_cid_is_identity(cid, &inlined)) {
        *ret_bytes = inlined.len;
        return CN_OK;
    }
    return b->ops->size(b, cid, ret_bytes);
}

cn_err cn_blocks_put(cn_blocks *b, const cn_cid *cid, cn_slice data, cn_why *why)
{
    return cn_cid_is_identity(cid, NULL) ? CN_OK : b->ops->put(b, cid, data, why);
}

cn_err cn_blocks_put_many(cn_blocks *b, const cn_blocks_item *items, size_t len, cn_why *why)
{
    bool inlined = false;
    cn_err err = CN_OK;
    for (size_t i = 0; i < len; i++) {
        inlined = inlined || cn_cid_is_identity(items[i].cid, NULL);
    }
    if (b->ops->put_many != NULL && !inlined) {
        return b->ops->put_many(b, items, len, why);
    }
    for (size_t i = 0; i < len && err == CN_OK; i++) {
        err = cn_blocks_put(b, items[i].cid, items[i].data, why);
    }
    return err;
}
