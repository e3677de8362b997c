/*
 * HMAC by two passes over padded keys; what held key material is wiped.
 */
#include "crypto/hmac.h"

#include "base/mem.h"

static void pass(const uint8_t key[CN_SHA256_BLOCK_BYTES], uint8_t pad, cn_slice in, uint8_t *ret)
{
    cn_sha256_state s;
    uint8_t block[CN_SHA256_BLOCK_BYTES];
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] = key[i] ^ pad;
    }
    cn_sha256_init(&s);
    cn_sha256_update(&s, cn_slice_of(block, sizeof(block)));
    cn_sha256_update(&s, in);
    cn_sha256_final(&s, ret);
    cn_wipe(block, sizeof(block));
    cn_wipe(&s, sizeof(s));
}

void cn_hmac_sha256(cn_slice key, cn_slice message, uint8_t ret[CN_SHA256_BYTES])
{
    uint8_t block[CN_SHA256_BLOCK_BYTES] = {0};
    uint8_t inner[CN_SHA256_BYTES];
    if (key.len > sizeof(block)) {
        cn_sha256(key, block);
    } else {
        cn_copy(block, key.data, key.len);
    }
    pass(block, 0x36, message, inner);
    pass(block, 0x5c, cn_slice_of(inner, sizeof(inner)), ret);
    cn_wipe(block, sizeof(block));
    cn_wipe(inner, sizeof(inner));
}

void cn_hkdf2_sha256(
    cn_slice chain,
    cn_slice material,
    uint8_t ret_first[CN_SHA256_BYTES],
    uint8_t ret_second[CN_SHA256_BYTES])
{
    uint8_t key[CN_SHA256_BYTES];
    uint8_t first[CN_SHA256_BYTES];
    uint8_t next[CN_SHA256_BYTES + 1] = {0};
    static const uint8_t one = 1;
    cn_hmac_sha256(chain, material, key);
    cn_hmac_sha256(cn_slice_of(key, sizeof(key)), cn_slice_of(&one, 1), first);
    cn_copy(next, first, sizeof(first));
    next[CN_SHA256_BYTES] = 2;
    cn_hmac_sha256(cn_slice_of(key, sizeof(key)), cn_slice_of(next, sizeof(next)), ret_second);
    cn_copy(ret_first, first, sizeof(first));
    cn_wipe(key, sizeof(key));
    cn_wipe(first, sizeof(first));
    cn_wipe(next, sizeof(next));
}
