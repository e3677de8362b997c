/* Any bytes as a daemon's answer, whole and byte by byte: the same outcome and body. */
#include "cli/http_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static cn_err gather(void *ctx, cn_slice bytes)
{
    return cn_buf_append(ctx, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_http_in a;
    cn_http_in b;
    cn_buf whole;
    cn_buf parts;
    cn_buf_init(&whole, cn_mem_default(), 1 << 20);
    cn_buf_init(&parts, cn_mem_default(), 1 << 20);
    cn_http_in_init(&a, cn_mem_default(), gather, &whole);
    cn_http_in_init(&b, cn_mem_default(), gather, &parts);
    cn_err first = cn_http_in_feed(&a, cn_slice_of(data, size));
    cn_err second = CN_OK;
    for (size_t i = 0; i < size && second == CN_OK; i++) {
        second = cn_http_in_feed(&b, cn_slice_of(data + i, 1));
    }
    CN_ASSERT(first == second || first == CN_ERR_TOO_LARGE || second == CN_ERR_TOO_LARGE);
    CN_ASSERT(first != CN_OK || cn_slice_eq(cn_buf_slice(&whole), cn_buf_slice(&parts)));
    (void)!cn_http_in_end(&a);
    cn_http_in_release(&a);
    cn_http_in_release(&b);
    cn_buf_release(&whole);
    cn_buf_release(&parts);
    return 0;
}
