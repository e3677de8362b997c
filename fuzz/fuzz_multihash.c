/* Properties: what is read is written back as the same bytes; any function can be asked for. */
#include "multiformats/multihash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice in = {data, len};
    cn_multihash mh = {0};
    if (cn_multihash_decode(in, &mh) != CN_OK) {
        return 0;
    }
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), len + 1);
    CN_ASSERT(cn_multihash_encode(&mh, &out) == CN_OK);
    CN_ASSERT(cn_slice_eq(cn_buf_slice(&out), in));
    cn_buf_release(&out);
    (void)!cn_multihash_allowed(&mh, NULL);
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t made = 0;
    if (cn_multihash_sum(mh.code, mh.digest.len, in, digest, &made) == CN_OK) {
        CN_ASSERT(made <= sizeof digest && (mh.digest.len == 0 || made == mh.digest.len));
    }
    (void)!cn_multihash_verify(&mh, in);
    return 0;
}
