/* Property: what decodes can be written, and reads back the same. */
#include "unixfs/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { SIZES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint64_t sizes[SIZES_MAX];
    cn_unixfs_data d;
    cn_unixfs_data again;
    cn_why why;
    if (cn_unixfs_data_decode((cn_slice){data, len}, &d, &why) != CN_OK) {
        return 0;
    }
    cn_unixfs_blocksize_iter it = cn_unixfs_blocksizes(&d);
    uint64_t size = 0;
    size_t count = 0;
    while (cn_unixfs_blocksize_next(&it, &size)) {
        if (count < SIZES_MAX) {
            sizes[count] = size;
        }
        count++;
    }
    CN_ASSERT(count == d.blocksizes_len);
    if (count > SIZES_MAX) {
        return 0;
    }
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 16 * len + 64);
    CN_ASSERT(cn_unixfs_data_encode(&d, sizes, &out) == CN_OK);
    CN_ASSERT(out.len == cn_unixfs_data_bytes(&d, sizes));
    CN_ASSERT(cn_unixfs_data_decode(cn_buf_slice(&out), &again, &why) == CN_OK);
    CN_ASSERT(again.type == d.type && cn_slice_eq(again.data, d.data));
    CN_ASSERT(again.filesize == d.filesize && again.blocksizes_len == d.blocksizes_len);
    CN_ASSERT(again.fanout == d.fanout && again.mode == d.mode && again.mtime_s == d.mtime_s);
    CN_ASSERT(again.mtime_ns == d.mtime_ns && again.has_mtime == d.has_mtime);
    cn_buf_release(&out);
    return 0;
}
