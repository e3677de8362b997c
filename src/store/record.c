/*
 * Heads of segments and records. A record: varint of what follows, CID, data.
 */
#include "store/record.h"

#include "base/le.h"
#include "codec/varint.h"
#include "store/store.h"

enum { MAGIC_AT = 31, DATA_BYTES = 30, DATA_AT = 61, VERSION_AT = 9, NUMBER_AT = 10, ID_AT = 14 };

/* {"roots": [the empty identity CID], "version": 1}, then length and CID of the first record. */
static const uint8_t car_head[MAGIC_AT] = {
    0x19, 0xa2, 0x65, 'r', 'o', 'o', 't', 's', 0x81, 0xd8, 0x2a, 0x45, 0x00, 0x01, 0x55,      0x00,
    0x00, 0x67, 'v',  'e', 'r', 's', 'i', 'o', 'n',  0x01, 0x40, 0x01, 0x55, 0x00, DATA_BYTES};
static const uint8_t v0_start[] = {CN_MH_SHA2_256, 32};
static const uint8_t magic[VERSION_AT] = {'c', 'a', 'i', 'r', 'n', '-', 's', 'e', 'g'};

size_t
cn_record_head_encode(const cn_cid *cid, size_t data_bytes, uint8_t out[CN_RECORD_HEAD_MAX_BYTES])
{
    size_t len = cn_varint_encode(cid->len + data_bytes, out);
    cn_copy(out + len, cid->bytes, cid->len);
    return len + cid->len;
}

cn_err cn_record_head_decode(cn_slice in, cn_record_head *ret)
{
    cn_cur cur = cn_cur_of(in);
    cn_record_head head = {0};
    uint64_t len = 0;
    size_t cid_bytes = 0;
    cn_err err = cn_varint_decode(&cur, &len);
    if (err == CN_OK && len > CN_STORE_BLOCK_MAX_BYTES + (uint64_t)CN_CID_MAX_BYTES) {
        return CN_ERR_MALFORMED;
    }
    if (err == CN_OK) {
        cn_slice rest = cn_slice_head(cur.rest, (size_t)len);
        err = cn_cid_decode(rest, &head.cid, &cid_bytes);
        if (err == CN_ERR_TRUNCATED && rest.len == len) {
            return CN_ERR_MALFORMED; /* the CID does not fit into its record */
        }
        if (rest.len < len && cn_slice_starts(cn_slice_of(v0_start, sizeof v0_start), rest)) {
            return CN_ERR_TRUNCATED; /* too short to be told from a CID of version 1 */
        }
    }
    if (err != CN_OK) {
        return err == CN_ERR_TRUNCATED ? err : CN_ERR_MALFORMED;
    }
    if (len - cid_bytes > CN_STORE_BLOCK_MAX_BYTES) {
        return CN_ERR_MALFORMED;
    }
    head.head_bytes = (uint32_t)(in.len - cur.rest.len + cid_bytes);
    head.data_bytes = (uint32_t)(len - cid_bytes);
    *ret = head;
    return CN_OK;
}

void cn_segment_head_encode(
    uint32_t segment, const uint8_t id[CN_SEGMENT_ID_BYTES], uint8_t out[CN_SEGMENT_HEAD_BYTES])
{
    uint8_t *data = out + MAGIC_AT;
    cn_copy(out, car_head, sizeof car_head);
    cn_copy(data, magic, sizeof magic);
    data[VERSION_AT] = CN_SEGMENT_VERSION;
    cn_le_put(data + NUMBER_AT, segment, 4);
    cn_copy(data + ID_AT, id, CN_SEGMENT_ID_BYTES);
    cn_copy(out + DATA_AT, data, DATA_BYTES);
}

cn_err
cn_segment_head_decode(cn_slice in, uint32_t *ret_segment, uint8_t ret_id[CN_SEGMENT_ID_BYTES])
{
    if (in.len < CN_SEGMENT_HEAD_BYTES) {
        return CN_ERR_TRUNCATED;
    }
    cn_slice data = {in.data + MAGIC_AT, DATA_BYTES};
    cn_slice again = {in.data + DATA_AT, DATA_BYTES};
    if (!cn_slice_starts(in, cn_slice_of(car_head, sizeof car_head)) ||
        !cn_slice_starts(data, cn_slice_of(magic, sizeof magic)) || !cn_slice_eq(data, again)) {
        return CN_ERR_MALFORMED;
    }
    if (data.data[VERSION_AT] != CN_SEGMENT_VERSION) {
        return CN_ERR_UNSUPPORTED;
    }
    cn_cur cur = {cn_slice_skip(data, NUMBER_AT)};
    uint32_t segment = 0;
    cn_err err = cn_cur_le32(&cur, &segment);
    if (err == CN_OK) {
        *ret_segment = segment;
        cn_copy(ret_id, data.data + ID_AT, CN_SEGMENT_ID_BYTES);
    }
    return err;
}
