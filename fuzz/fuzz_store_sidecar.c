/*
 * Property: entries of any sidecar can be read without leaving it; its checksum is made right
 * first, so that what lies behind it is reached. Covers cn_sidecar_*, cn_key_*, cn_place_*.
 */
#include "base/cur.h"
#include "base/mem.h"
#include "crypto/sha256.h"
#include "store/sidecar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_buf whole;
    cn_sidecar about;
    cn_cur entries;
    cn_slice key;
    cn_place place;
    cn_key multihash;
    cn_key again;
    uint8_t sum[CN_SHA256_BYTES];
    cn_buf_init(&whole, cn_mem_default(), 1 << 20);
    cn_sha256((cn_slice){data, len}, sum);
    if (cn_buf_append(&whole, (cn_slice){data, len}) == CN_OK &&
        cn_buf_append(&whole, cn_slice_of(sum, sizeof sum)) == CN_OK &&
        cn_sidecar_decode(cn_buf_slice(&whole), &about, &entries) == CN_OK) {
        while (cn_sidecar_next(&about, &entries, &key, &place) == CN_OK) {
            if (cn_key_decode(key, &multihash) == CN_OK) {
                cn_err err = cn_key_encode(cn_key_slice(&multihash), &again);
                CN_ASSERT(err == CN_OK && cn_slice_eq(cn_key_slice(&again), key));
            }
        }
    }
    cn_buf_release(&whole);
    return 0;
}
