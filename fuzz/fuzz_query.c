/* Any RPC URL, "path?query": what is read, written again and read again stays the same. */
#include "cmd/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_slice all = cn_slice_of(data, size);
    size_t mark = cn_slice_find(all, '?');
    cn_request r;
    cn_request back;
    cn_buf url;
    cn_request_init(&r, cn_mem_default());
    cn_request_init(&back, cn_mem_default());
    cn_buf_init(&url, cn_mem_default(), 1 << 24);
    if (cn_request_from_query(
            &r, cn_slice_head(all, mark), cn_slice_skip(all, mark + 1), false, NULL) == CN_OK) {
        CN_ASSERT(cn_request_to_query(&r, CN_ENC_JSON, &url) == CN_OK);
        cn_slice again = cn_buf_slice(&url);
        mark = cn_slice_find(again, '?');
        CN_ASSERT(
            cn_request_from_query(
                &back, cn_slice_head(again, mark), cn_slice_skip(again, mark + 1), false, NULL) ==
            CN_OK);
        CN_ASSERT(back.command == r.command && back.args.len == r.args.len);
        for (size_t i = 0; i < r.args.len; i++) {
            CN_ASSERT(cn_slice_eq(r.args.items[i], back.args.items[i]));
        }
    }
    cn_buf_release(&url);
    cn_request_release(&r);
    cn_request_release(&back);
    return 0;
}
