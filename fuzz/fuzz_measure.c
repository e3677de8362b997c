/*
 * Sizes and durations: a duration that is read is written in a form that is read as the same.
 */
#include "base/duration.h"
#include "node/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_buf out;
    cn_why why;
    uint64_t bytes = 0;
    int64_t ns = 0;
    int64_t again = 0;
    cn_slice text = cn_slice_of(data, len);
    cn_buf_init(&out, cn_mem_default(), 256);
    (void)!cn_size_parse(text, &bytes, &why);
    if (cn_duration_parse(text, &ns, &why) == CN_OK) {
        CN_ASSERT(cn_duration_text(ns, &out) == CN_OK);
        CN_ASSERT(cn_duration_parse(cn_buf_slice(&out), &again, &why) == CN_OK);
        CN_ASSERT(again == ns);
    }
    cn_buf_release(&out);
    return 0;
}
