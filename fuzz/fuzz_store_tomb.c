/* Property: tombstones that are read are written back to the same bytes. Covers cn_tomb_*. */
#include "base/mem.h"
#include "store/tomb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    enum { SEGMENT = 1 };
    cn_cur cur = cn_cur_of((cn_slice){data, len});
    cn_buf out;
    cn_tomb tomb;
    cn_buf_init(&out, cn_mem_default(), 1 << 20);
    if (cn_tomb_head_decode(SEGMENT, &cur) == CN_OK &&
        cn_tomb_head_encode(SEGMENT, &out) == CN_OK) {
        bool good = true;
        while (good && cn_tomb_decode(SEGMENT, &cur, &tomb) == CN_OK) {
            good = cn_tomb_encode(SEGMENT, &tomb, &out) == CN_OK;
        }
        CN_ASSERT(
            !good || cn_slice_eq(cn_buf_slice(&out), (cn_slice){data, len - cn_cur_left(&cur)}));
    }
    cn_buf_release(&out);
    return 0;
}
