/*
 * Targets of requests: path and query. A decoded path encoded again decodes to the same.
 */
#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_slice in = cn_slice_of(data, size);
    cn_query q = {0};
    cn_buf plain;
    cn_buf coded;
    cn_buf again;
    cn_buf_init(&plain, cn_mem_default(), 1 << 20);
    cn_buf_init(&coded, cn_mem_default(), 4 << 20);
    cn_buf_init(&again, cn_mem_default(), 4 << 20);
    if (cn_url_decode(cn_url_path(in), false, &plain) == CN_OK &&
        cn_url_encode_path(cn_buf_slice(&plain), &coded) == CN_OK) {
        CN_ASSERT(cn_url_decode(cn_buf_slice(&coded), false, &again) == CN_OK);
        CN_ASSERT(cn_slice_eq(cn_buf_slice(&plain), cn_buf_slice(&again)));
    }
    if (cn_query_parse(cn_url_query(in), cn_mem_default(), &q) == CN_OK) {
        for (size_t i = 0; i < q.len; i++) {
            CN_ASSERT(q.params[i].name.data[q.params[i].name.len] == 0);
            CN_ASSERT(q.params[i].value.data[q.params[i].value.len] == 0);
        }
        cn_query_release(&q);
    }
    cn_buf_release(&plain);
    cn_buf_release(&coded);
    cn_buf_release(&again);
    return 0;
}
