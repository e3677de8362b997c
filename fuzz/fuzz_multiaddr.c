/* Properties: what is read, from bytes or text, comes back the same from the other form. */
#include "multiformats/multiaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(cn_slice address)
{
    cn_buf text = {0};
    cn_buf back = {0};
    cn_slice rest = {0};
    cn_peer_id id = {0};
    cn_buf_init(&text, cn_mem_default(), 1 << 16);
    cn_buf_init(&back, cn_mem_default(), 1 << 16);
    CN_ASSERT(cn_multiaddr_encode_text(address, &text) == CN_OK && text.len > 0);
    (void)cn_multiaddr_scope_of(address);
    cn_multiaddr_split_peer(address, &rest, &id);
    CN_ASSERT(rest.len <= address.len);
    if (cn_multiaddr_parse(cn_buf_slice(&text), &back, NULL) == CN_OK) {
        CN_ASSERT(cn_multiaddr_check(cn_buf_slice(&back), NULL) == CN_OK);
    }
    cn_buf_release(&text);
    cn_buf_release(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice in = {data, len};
    cn_buf address = {0};
    cn_why why = {{0}};
    cn_ip_range range = {{0}, 0, false};
    cn_buf_init(&address, cn_mem_default(), 1 << 16);
    if (cn_multiaddr_check(in, &why) == CN_OK) {
        check(in);
    } else {
        CN_ASSERT(why.text[0] != '\0');
    }
    if (cn_multiaddr_parse(in, &address, &why) == CN_OK) {
        CN_ASSERT(cn_multiaddr_check(cn_buf_slice(&address), NULL) == CN_OK);
        check(cn_buf_slice(&address));
    }
    (void)!cn_ip_range_parse(in, &range, &why);
    cn_buf_release(&address);
    return 0;
}
