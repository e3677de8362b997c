/*
 * What both implementations of the index share: the record about a segment.
 */
#include "store/index.h"

#include "base/le.h"

void cn_segment_meta_encode(const cn_segment_meta *m, uint8_t out[CN_SEGMENT_META_BYTES])
{
    cn_le_put(out, m->checkpoint, 8);
    cn_le_put(out + 8, m->live_bytes, 8);
    cn_le_put(out + 16, m->live_whole, 8);
    cn_le_put(out + 24, m->tomb_bytes, 8);
    cn_le_put(out + 32, m->records, 4);
    cn_le_put(out + 36, m->live_records, 4);
    cn_le_put(out + 40, m->sealed ? 1 : 0, 4);
}

cn_err cn_segment_meta_decode(uint32_t segment, cn_slice in, cn_segment_meta *ret)
{
    if (in.len != CN_SEGMENT_META_BYTES || segment == 0) {
        return CN_ERR_MALFORMED;
    }
    *ret = (cn_segment_meta){
        .segment = segment,
        .checkpoint = cn_le_get(in.data, 8),
        .live_bytes = cn_le_get(in.data + 8, 8),
        .live_whole = cn_le_get(in.data + 16, 8),
        .tomb_bytes = cn_le_get(in.data + 24, 8),
        .records = (uint32_t)cn_le_get(in.data + 32, 4),
        .live_records = (uint32_t)cn_le_get(in.data + 36, 4),
        .sealed = cn_le_get(in.data + 40, 4) != 0,
    };
    return CN_OK;
}

void cn_index_close(cn_index *x)
{
    if (x != NULL) {
        x->ops->close(x);
    }
}
