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
