/*
 * Tombstones as bytes. Each carries a check over itself and its segment's number, so that a torn or
 * misplaced one is seen.
 */
#include "store/tomb.h"

#include "base/le.h"

enum { TOMB_VERSION = 1, MAGIC_BYTES = 9 };

static const uint8_t magic[MAGIC_BYTES] = {'c', 'a', 'i', 'r', 'n', '-', 'd', 'e', 'l'};

/* FNV-1a over the segment's number and the eight bytes of the tombstone. */
static uint64_t check_of(uint32_t segment, const uint8_t bytes[8])
{
    uint64_t h = 0xcbf29ce484222325u;
    for (unsigned i = 0; i < 12; i++) {
        uint8_t byte = i < 4 ? (uint8_t)(segment >> 8 * i) : bytes[i - 4];
        h = (h ^ byte) * 0x100000001b3u;
    }
    return h;
}

static void head_of(uint32_t segment, uint8_t out[CN_TOMB_HEAD_BYTES])
{
    cn_copy(out, magic, MAGIC_BYTES);
    out[MAGIC_BYTES] = TOMB_VERSION;
    cn_le_put(out + 10, segment, 4);
    cn_le_put(out + 14, 0, 2);
}

cn_err cn_tomb_head_encode(uint32_t segment, cn_buf *out)
{
    uint8_t head[CN_TOMB_HEAD_BYTES];
    head_of(segment, head);
    return cn_buf_append(out, cn_slice_of(head, sizeof head));
}

cn_err cn_tomb_encode(uint32_t segment, const cn_tomb *tomb, cn_buf *out)
{
    uint8_t bytes[CN_TOMB_BYTES];
    cn_le_put(bytes, tomb->offset, 5);
    cn_le_put(bytes + 5, tomb->ordinal, 3);
    cn_le_put(bytes + 8, check_of(segment, bytes), 8);
    return cn_buf_append(out, cn_slice_of(bytes, sizeof bytes));
}

cn_err cn_tomb_head_decode(uint32_t segment, cn_cur *in)
{
    uint8_t expected[CN_TOMB_HEAD_BYTES];
    cn_slice head = {0};
    head_of(segment, expected);
    cn_err err = cn_cur_take(in, CN_TOMB_HEAD_BYTES, &head);
    if (err != CN_OK) {
        return err;
    }
    if (!cn_slice_starts(head, cn_slice_of(expected, MAGIC_BYTES))) {
        return CN_ERR_MALFORMED;
    }
    if (head.data[MAGIC_BYTES] != TOMB_VERSION) {
        return CN_ERR_UNSUPPORTED;
    }
    return cn_slice_eq(head, cn_slice_of(expected, sizeof expected)) ? CN_OK : CN_ERR_MALFORMED;
}

cn_err cn_tomb_decode(uint32_t segment, cn_cur *in, cn_tomb *ret)
{
    cn_cur cur = *in;
    cn_slice bytes = {0};
    uint64_t check = 0;
    cn_err err = CN_OK;
    CN_TRY(cn_cur_take(&cur, 8, &bytes));
    CN_TRY(cn_cur_le64(&cur, &check));
    if (check != check_of(segment, bytes.data)) {
        return CN_ERR_MALFORMED;
    }
    *ret = (cn_tomb){
        .offset = cn_le_get(bytes.data, 5), .ordinal = (uint32_t)cn_le_get(bytes.data + 5, 3)};
    *in = cur;
out:
    return err;
}
