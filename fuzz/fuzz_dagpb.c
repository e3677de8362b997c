/* Property: what decodes has links that can be read, and writing it gives bytes that decode to the
 * same; input with Links before Data and shortest numbers comes back byte for byte. */
#include "ipld/dagpb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static cn_err write_again(const cn_dagpb *node, cn_buf *out)
{
    cn_dagpb_iter it = cn_dagpb_links(node);
    cn_dagpb_link link;
    size_t count = 0;
    cn_err err = CN_OK;
    for (; cn_dagpb_next(&it, &link); count++) {
        size_t before = out->len;
        cn_cid cid = cn_dagpb_link_cid(&link);
        CN_ASSERT(cn_slice_eq(cn_cid_bytes(&cid), link.cid));
        err = cn_dagpb_link_append(&link, out);
        CN_ASSERT(err == CN_OK && out->len - before == cn_dagpb_link_bytes(&link));
    }
    CN_ASSERT(count == node->links_len);
    return node->has_data ? cn_dagpb_data_append(node->data, out) : err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_dagpb node;
    cn_why why;
    if (cn_dagpb_decode((cn_slice){data, len}, &node, &why) != CN_OK) {
        return 0;
    }
    cn_buf once;
    cn_buf twice;
    cn_dagpb again;
    cn_buf_init(&once, cn_mem_default(), 2 * len + 64);
    cn_buf_init(&twice, cn_mem_default(), 2 * len + 64);
    CN_ASSERT(write_again(&node, &once) == CN_OK);
    CN_ASSERT(cn_dagpb_decode(cn_buf_slice(&once), &again, &why) == CN_OK);
    CN_ASSERT(again.links_len == node.links_len && again.has_data == node.has_data);
    CN_ASSERT(write_again(&again, &twice) == CN_OK);
    CN_ASSERT(cn_slice_eq(cn_buf_slice(&once), cn_buf_slice(&twice)));
    cn_buf_release(&once);
    cn_buf_release(&twice);
    return 0;
}
