/*
 * Bitswap messages: bytes as other implementations write them, round trips, limits.
 */
#include "exchange/bitswap/message.h"

#include "ipld/blocks.h"
#include "lib/test.h"

static cn_mem *mem(void)
{
    return cn_mem_default();
}

static cn_cid cid_of(const char *text)
{
    cn_cid cid = {0};
    CHECK_OK(cn_cid_parse(cn_str(text), &cid, NULL));
    return cid;
}

static const char RAW[] = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
static const char V0[] = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";

static void what_others_write_is_read(void)
{
    /* wantlist {entry {cid, priority 1, wantType have, sendDontHave}, full} then a presence and
     * pendingBytes, as protobuf libraries lay them out */
    cn_slice bytes =
        test_hex("0a30"
                 "0a2c0a24015512204bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"
                 "100120012801"
                 "1001"
                 "2228"
                 "0a24015512204bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a1001"
                 "2807");
    cn_message m;
    cn_message_item item;
    CHECK_OK(cn_message_decode(bytes, &m, NULL));
    CHECK(m.is_full);
    CHECK_EQ(m.wants, 1);
    CHECK_EQ(m.presences, 1);
    CHECK_EQ(m.blocks, 0);
    cn_message_iter it = cn_message_items(&m);
    CHECK(cn_message_next(&it, &item));
    CHECK_EQ(item.kind, CN_MESSAGE_WANT);
    CHECK_EQ(item.priority, 1);
    CHECK(item.is_have && item.send_dont_have && !item.is_cancel);
    CHECK_EQ(item.cid.codec, CN_CODEC_RAW);
    CHECK(cn_message_next(&it, &item));
    CHECK_EQ(item.kind, CN_MESSAGE_PRESENCE);
    CHECK(!item.is_have);
    CHECK(!cn_message_next(&it, &item));
}

static void what_is_written_is_read(void)
{
    cn_buf entries;
    cn_buf body;
    cn_message m;
    cn_message_item item;
    cn_cid raw = cid_of(RAW);
    cn_cid v0 = cid_of(V0);
    cn_buf_init(&entries, mem(), 1 << 16);
    cn_buf_init(&body, mem(), 1 << 16);
    CHECK_OK(cn_message_put_want(&entries, &raw, 1 << 30, false, true));
    CHECK_OK(cn_message_put_want(&entries, &v0, 7, true, false));
    CHECK_OK(cn_message_put_cancel(&entries, &raw));
    CHECK_OK(cn_message_put_wantlist(&body, cn_buf_slice(&entries), true));
    CHECK_OK(cn_message_put_presence(&body, &raw, true));
    CHECK_OK(cn_message_put_presence(&body, &v0, false));
    CHECK_OK(cn_message_put_block_head(&body, &v0, 3, true));
    CHECK_OK(cn_buf_text(&body, "abc"));
    CHECK_OK(cn_message_put_block_head(&body, &raw, 5, false));
    CHECK_OK(cn_buf_text(&body, "hello"));
    CHECK_OK(cn_message_decode(cn_buf_slice(&body), &m, NULL));
    CHECK(m.is_full);
    CHECK_EQ(m.wants, 3);
    CHECK_EQ(m.presences, 2);
    CHECK_EQ(m.blocks, 2);
    CHECK_EQ(m.block_bytes, 8);
    cn_message_iter it = cn_message_items(&m);
    CHECK(cn_message_next(&it, &item));
    CHECK(cn_cid_eq(&item.cid, &raw) && item.priority == 1 << 30 && item.send_dont_have);
    CHECK(cn_message_next(&it, &item));
    CHECK(cn_cid_eq(&item.cid, &v0) && item.priority == 7 && item.is_have);
    CHECK(cn_message_next(&it, &item));
    CHECK(item.is_cancel);
    CHECK(cn_message_next(&it, &item));
    CHECK(item.kind == CN_MESSAGE_PRESENCE && item.is_have);
    CHECK(cn_message_next(&it, &item));
    CHECK(item.kind == CN_MESSAGE_PRESENCE && !item.is_have && cn_cid_eq(&item.cid, &v0));
    CHECK(cn_message_next(&it, &item));
    CHECK(item.kind == CN_MESSAGE_BLOCK && item.prefix.len == 0);
    CHECK_BYTES(item.data, cn_str("abc"));
    CHECK(cn_message_next(&it, &item));
    CHECK_BYTES(item.prefix, test_hex("01551220"));
    CHECK_BYTES(item.data, cn_str("hello"));
    CHECK(!cn_message_next(&it, &item));
    cn_buf_release(&entries);
    cn_buf_release(&body);
}

static void prefixes_are_read(void)
{
    cn_message_prefix p;
    CHECK_OK(cn_message_prefix_decode(cn_slice_of(NULL, 0), &p));
    CHECK_EQ(p.version, 0);
    CHECK_EQ(p.codec, CN_CODEC_DAG_PB);
    CHECK_EQ(p.digest_bytes, 32);
    CHECK_OK(cn_message_prefix_decode(test_hex("0171a0e40220"), &p));
    CHECK_EQ(p.hash, CN_MH_BLAKE2B_256);
    CHECK_ERR(cn_message_prefix_decode(test_hex("015512"), &p), CN_ERR_TRUNCATED);
    CHECK_ERR(cn_message_prefix_decode(test_hex("0155122000"), &p), CN_ERR_MALFORMED);
    CHECK_ERR(cn_message_prefix_decode(test_hex("02551220"), &p), CN_ERR_MALFORMED);
    CHECK_ERR(cn_message_prefix_decode(test_hex("0155128101"), &p), CN_ERR_TOO_LARGE);
}

static void limits_are_kept(void)
{
    cn_buf body;
    cn_message m;
    cn_cid raw = cid_of(RAW);
    cn_buf_init(&body, mem(), 2 * CN_MESSAGE_MAX_BYTES);
    CHECK_OK(cn_message_put_block_head(&body, &raw, CN_BLOCK_MAX_BYTES, false));
    CHECK_OK(cn_buf_reserve(&body, CN_MESSAGE_MAX_BYTES));
    size_t head = body.len;
    body.len += CN_BLOCK_MAX_BYTES;
    CHECK_OK(cn_message_decode(cn_buf_slice(&body), &m, NULL));
    body.len = 0;
    CHECK_OK(cn_message_put_block_head(&body, &raw, CN_BLOCK_MAX_BYTES + 1, false));
    CHECK_EQ(body.len, head);
    body.len += CN_BLOCK_MAX_BYTES + 1;
    CHECK_ERR(cn_message_decode(cn_buf_slice(&body), &m, NULL), CN_ERR_TOO_LARGE);
    body.len = CN_MESSAGE_MAX_BYTES + 1;
    CHECK_ERR(cn_message_decode(cn_buf_slice(&body), &m, NULL), CN_ERR_TOO_LARGE);
    cn_buf_release(&body);
}

static void broken_messages_are_refused(void)
{
    static const char *const broken[] = {
        "0a",           /* ends in a key's length */
        "0a05",         /* a wantlist that ends too early */
        "0a040a020a05", /* a CID that ends too early */
        "0a020a00",     /* an entry without a CID */
        "22020a00",     /* a presence with an empty one */
        "0a050a030a0101",
        "1b", /* a group */
    };
    cn_message m;
    for (size_t i = 0; i < CN_LEN(broken); i++) {
        CHECK(cn_message_decode(test_hex(broken[i]), &m, NULL) != CN_OK);
    }
    CHECK_OK(cn_message_decode(cn_slice_of(NULL, 0), &m, NULL));
    /* fields of tomorrow are passed over */
    CHECK_OK(cn_message_decode(test_hex("3a0301020340053801"), &m, NULL));
}

int main(void)
{
    TEST(what_others_write_is_read);
    TEST(what_is_written_is_read);
    TEST(prefixes_are_read);
    TEST(limits_are_kept);
    TEST(broken_messages_are_refused);
    return test_end();
}
