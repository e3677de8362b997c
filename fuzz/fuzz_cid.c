/* Properties: a CID that is read, as bytes or as text, comes back the same from both. */
#include "multiformats/cid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const cn_cid *cid)
{
    cn_cid back = {0};
    char text[CN_CID_TEXT_BYTES];
    CN_ASSERT(cn_cid_decode_all(cn_cid_bytes(cid), &back) == CN_OK && cn_cid_eq(cid, &back));
    CN_ASSERT(back.codec == cid->codec && back.mh_start == cid->mh_start);
    CN_ASSERT(cn_cid_parse(cn_str(cn_cid_text(cid, text)), &back, NULL) == CN_OK);
    CN_ASSERT(cn_cid_eq(cid, &back));
    cn_cid v1 = cn_cid_to_v1(cid);
    CN_ASSERT(v1.version == 1 && cn_slice_eq(cn_cid_key(&v1), cn_cid_key(cid)));
    cn_multihash mh = cn_cid_multihash(cid);
    CN_ASSERT(mh.digest.len <= CN_DIGEST_MAX_BYTES);
    (void)!cn_multihash_allowed(&mh, NULL);
    cn_slice inlined = {0};
    CN_ASSERT(cn_cid_is_identity(cid, &inlined) == (mh.code == CN_MH_IDENTITY));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice in = {data, len};
    cn_cid cid = {0};
    cn_why why = {{0}};
    size_t used = 0;
    if (cn_cid_decode(in, &cid, &used) == CN_OK) {
        CN_ASSERT(used <= len && used == cid.len);
        CN_ASSERT(cn_slice_eq(cn_cid_bytes(&cid), cn_slice_head(in, used)));
        check(&cid);
    }
    if (cn_cid_parse(in, &cid, &why) == CN_OK) {
        check(&cid);
    } else {
        CN_ASSERT(why.text[0] != '\0');
    }
    return 0;
}
