/*
 * The empty directory's four bytes: DAG-PB with a UnixFS message of type directory.
 */
#include "node/empty.h"

static const uint8_t block[] = {0x0a, 0x02, 0x08, 0x01};

cn_slice cn_empty_dir_block(void)
{
    return cn_slice_of(block, sizeof block);
}

cn_err cn_empty_dir_cid(cn_cid *ret)
{
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    cn_err err = cn_multihash_sum(CN_MH_SHA2_256, 0, cn_empty_dir_block(), digest, &len);
    if (err == CN_OK) {
        cn_multihash mh = {CN_MH_SHA2_256, {digest, len}};
        err = cn_cid_make(0, CN_CODEC_DAG_PB, &mh, ret);
    }
    return err;
}
