/*
 * What both implementations of the index share: the record about a segment.
 */
#include "store/index.h"

static void put_le(uint8_t *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(value >> 8 * i);
    }
}

static uint64_t get_le(const uint8_t *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)in[i] << 8 * i;
    }
    return value;
}

void cn_segment_meta_encode(const cn_segment_meta *m, uint8_t out[CN_SEGMENT_META_BYTES])
{
    put_le(out, m->checkpoint, 8);
    put_le(out + 8, m->live_bytes, 8);
    put_le(out + 16, m->live_whole, 8);
    put_le(out + 24, m->tomb_bytes, 8);
    put_le(out + 32, m->records, 4);
    put_le(out + 36, m->live_records, 4);
    put_le(out + 40, m->sealed ? 1 : 0, 4);
}

cn_err cn_segment_meta_decode(uint32_t segment, cn_slice in, cn_segment_meta *ret)
{
    if (in.len != CN_SEGMENT_META_BYTES || segment == 0) {
        return CN_ERR_MALFORMED;
    }
    *ret = (cn_segment_meta){
        .segment = segment,
        .checkpoint = get_le(in.data, 8),
        .live_bytes = get_le(in.data + 8, 8),
        .live_whole = get_le(in.data + 16, 8),
        .tomb_bytes = get_le(in.data + 24, 8),
        .records = (uint32_t)get_le(in.data + 32, 4),
        .live_records = (uint32_t)get_le(in.data + 36, 4),
        .sealed = get_le(in.data + 40, 4) != 0,
    };
    return CN_OK;
}

void cn_index_close(cn_index *x)
{
    if (x != NULL) {
        x->ops->close(x);
    }
}
