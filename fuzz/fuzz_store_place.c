/*
 * Property: what an entry of the index says is read without leaving it, and a key and a place that
 * are read are written back to the same bytes. The last 16 bytes are the place, those before it the
 * key. Covers cn_key_*, cn_place_*.
 */
#include "base/mem.h"
#include "store/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t key_len = len < CN_PLACE_BYTES ? 0 : len - CN_PLACE_BYTES;
    cn_slice key = {data, key_len};
    cn_place place = {0};
    cn_key mh;
    cn_key again;
    cn_cid cid;
    uint8_t bytes[CN_PLACE_BYTES];
    if (cn_place_decode((cn_slice){data + key_len, len - key_len}, &place) == CN_OK) {
        cn_place_encode(&place, bytes);
        CN_ASSERT(cn_slice_eq(
            cn_slice_of(bytes, sizeof bytes), cn_slice_skip((cn_slice){data, len}, key_len)));
    }
    if (cn_key_decode(key, &mh) == CN_OK) {
        CN_ASSERT(cn_key_encode(cn_key_slice(&mh), &again) == CN_OK);
        CN_ASSERT(cn_slice_eq(cn_key_slice(&again), key));
        if (cn_place_cid(place.form, cn_key_slice(&mh), &cid) == CN_OK) {
            CN_ASSERT(cn_place_form(&cid) == place.form);
            CN_ASSERT(cn_slice_eq(cn_cid_key(&cid), cn_key_slice(&mh)));
        }
    }
    return 0;
}
