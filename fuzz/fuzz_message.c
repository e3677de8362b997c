/*
 * Properties: what was checked is read to its end with the counts that were told, all within the
 * bytes; what is read can be written again and reads the same.
 */
#include "exchange/bitswap/message.h"

#include "ipld/blocks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Write an item again, without the data of blocks. */
static void rewrite(const cn_message_item *item, cn_buf *entries, cn_buf *body)
{
    cn_message_prefix p = {0};
    if (item->kind == CN_MESSAGE_WANT && item->is_cancel) {
        CN_ASSERT(cn_message_put_cancel(entries, &item->cid) == CN_OK);
    } else if (item->kind == CN_MESSAGE_WANT) {
        CN_ASSERT(
            cn_message_put_want(
                entries, &item->cid, item->priority, item->is_have, item->send_dont_have) == CN_OK);
    } else if (item->kind == CN_MESSAGE_PRESENCE) {
        CN_ASSERT(cn_message_put_presence(body, &item->cid, item->is_have) == CN_OK);
    } else if (cn_message_prefix_decode(item->prefix, &p) == CN_OK) {
        CN_ASSERT(p.version <= 1 && p.digest_bytes <= CN_DIGEST_MAX_BYTES);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_message m = {0};
    cn_message again = {0};
    cn_message_item item;
    cn_why why = {{0}};
    size_t counts[3] = {0};
    cn_buf entries;
    cn_buf body;
    if (cn_message_decode(cn_slice_of(data, len), &m, &why) != CN_OK) {
        CN_ASSERT(why.text[0] != '\0');
        return 0;
    }
    cn_buf_init(&entries, cn_mem_default(), 64 << 20);
    cn_buf_init(&body, cn_mem_default(), 64 << 20);
    cn_message_iter it = cn_message_items(&m);
    while (cn_message_next(&it, &item)) {
        counts[item.kind]++;
        CN_ASSERT(item.data.len <= CN_BLOCK_MAX_BYTES);
        CN_ASSERT(item.data.len == 0 || (item.data.data >= data && item.data.data < data + len));
        rewrite(&item, &entries, &body);
    }
    CN_ASSERT(counts[CN_MESSAGE_WANT] == m.wants && counts[CN_MESSAGE_BLOCK] == m.blocks);
    CN_ASSERT(counts[CN_MESSAGE_PRESENCE] == m.presences);
    CN_ASSERT(cn_message_put_wantlist(&body, cn_buf_slice(&entries), m.is_full) == CN_OK);
    if (body.len <= CN_MESSAGE_MAX_BYTES) {
        CN_ASSERT(cn_message_decode(cn_buf_slice(&body), &again, NULL) == CN_OK);
        CN_ASSERT(again.wants == m.wants && again.presences == m.presences);
        CN_ASSERT(again.is_full == m.is_full);
    }
    cn_buf_release(&entries);
    cn_buf_release(&body);
    return 0;
}
