#include "store/record.h"

#include "store/store.h"
#include "unit/store/bytes_lib.h"

static cn_err decode_record(cn_slice in)
{
    cn_record_head head;
    return cn_record_head_decode(in, &head);
}

static cn_err decode_segment(cn_slice in)
{
    uint32_t segment = 0;
    uint8_t id[CN_SEGMENT_ID_BYTES];
    return cn_segment_head_decode(in, &segment, id);
}

static void check_round_trip(const cn_cid *cid, uint32_t data_bytes)
{
    uint8_t bytes[CN_RECORD_HEAD_MAX_BYTES];
    cn_record_head head = {.data_bytes = 7};
    size_t len = cn_record_head_encode(cid, data_bytes, bytes);
    CHECK(len <= sizeof bytes);
    CHECK_OK(cn_record_head_decode(cn_slice_of(bytes, len), &head));
    CHECK_EQ(head.head_bytes, len);
    CHECK_EQ(head.data_bytes, data_bytes);
    CHECK(cn_cid_eq(&head.cid, cid));
    each_cut(cn_slice_of(bytes, len), decode_record, CN_ERR_TRUNCATED);
}

static void records_come_back(void)
{
    static const uint32_t sizes[] = {0,   1,     91,    92,      127,
                                     128, 16383, 16384, 1 << 20, CN_STORE_BLOCK_MAX_BYTES};
    cn_cid v0 = cid_with(0, CN_CODEC_DAG_PB, CN_MH_SHA2_256, 32, 1);
    cn_cid raw = cid_with(1, CN_CODEC_RAW, CN_MH_SHA2_256, 32, 2);
    cn_cid longest = cid_with(1, (uint64_t)1 << 62, (uint64_t)1 << 62, CN_DIGEST_MAX_BYTES, 3);
    for (size_t i = 0; i < CN_LEN(sizes); i++) {
        check_round_trip(&v0, sizes[i]);
        check_round_trip(&raw, sizes[i]);
        check_round_trip(&longest, sizes[i]);
    }
}

static void records_have_the_bytes_of_car(void)
{
    cn_cid raw = cid_with(1, CN_CODEC_RAW, CN_MH_SHA2_256, 32, 0);
    uint8_t bytes[CN_RECORD_HEAD_MAX_BYTES];
    size_t len = cn_record_head_encode(&raw, 164, bytes);
    CHECK_BYTES(
        cn_slice_of(bytes, len),
        test_hex("c80101551220000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
}

static void records_that_cannot_be_are_refused(void)
{
    cn_cid raw = cid_with(1, CN_CODEC_RAW, CN_MH_SHA2_256, 32, 0);
    uint8_t bytes[CN_RECORD_HEAD_MAX_BYTES];
    size_t len = cn_record_head_encode(&raw, (size_t)CN_STORE_BLOCK_MAX_BYTES + 1, bytes);
    CHECK_ERR(decode_record(cn_slice_of(bytes, len)), CN_ERR_MALFORMED);
    CHECK_ERR(decode_record(test_hex("00")), CN_ERR_MALFORMED);   /* no CID in it */
    CHECK_ERR(decode_record(test_hex("8000")), CN_ERR_MALFORMED); /* not the shortest length */
    CHECK_ERR(decode_record(test_hex("0301551220")), CN_ERR_MALFORMED); /* the CID is longer */
    CHECK_ERR(decode_record(test_hex("ffffffffffffffff7f")), CN_ERR_MALFORMED);
    CHECK_ERR(decode_record(test_hex("ffffffffffffffffffff01")), CN_ERR_MALFORMED);
    CHECK_ERR(decode_record(test_hex("2602551220")), CN_ERR_MALFORMED); /* a CID of version 2 */
    /* zero bytes, as a file extended by a crash has them */
    CHECK_ERR(decode_record(test_hex("00000000000000000000")), CN_ERR_MALFORMED);
}

static void segment_heads_come_back(void)
{
    uint8_t id[CN_SEGMENT_ID_BYTES];
    uint8_t bytes[CN_SEGMENT_HEAD_BYTES];
    static const uint32_t numbers[] = {1, 255, 256, UINT32_MAX};
    for (size_t i = 0; i < sizeof id; i++) {
        id[i] = (uint8_t)(0xf0 + i);
    }
    for (size_t i = 0; i < CN_LEN(numbers); i++) {
        uint32_t segment = 0;
        uint8_t back[CN_SEGMENT_ID_BYTES] = {0};
        cn_segment_head_encode(numbers[i], id, bytes);
        CHECK_OK(cn_segment_head_decode(cn_slice_of(bytes, sizeof bytes), &segment, back));
        CHECK_EQ(segment, numbers[i]);
        CHECK_BYTES(cn_slice_of(back, sizeof back), cn_slice_of(id, sizeof id));
    }
    each_cut(cn_slice_of(bytes, sizeof bytes), decode_segment, CN_ERR_TRUNCATED);
    /* number and id stand in it twice, so any one bit that is turned over is seen */
    CHECK_EQ(each_flip(cn_slice_of(bytes, sizeof bytes), decode_segment), 8 * sizeof bytes);
}

static void a_newer_segment_is_told_from_a_broken_one(void)
{
    enum { VERSION_AT = 31 + 9, VERSION_AGAIN_AT = 61 + 9 };
    uint8_t id[CN_SEGMENT_ID_BYTES] = {0};
    uint8_t bytes[CN_SEGMENT_HEAD_BYTES];
    cn_segment_head_encode(1, id, bytes);
    bytes[VERSION_AT]++;
    CHECK_ERR(decode_segment(cn_slice_of(bytes, sizeof bytes)), CN_ERR_MALFORMED);
    bytes[VERSION_AGAIN_AT]++;
    CHECK_ERR(decode_segment(cn_slice_of(bytes, sizeof bytes)), CN_ERR_UNSUPPORTED);
}

int main(void)
{
    TEST(records_come_back);
    TEST(records_have_the_bytes_of_car);
    TEST(records_that_cannot_be_are_refused);
    TEST(segment_heads_come_back);
    TEST(a_newer_segment_is_told_from_a_broken_one);
    return test_end();
}
