/*
 * The cipher's state keeps the key; each record sets only its nonce.
 */
#include "crypto/aead.h"

#include "crypto/openssl.h"

#include <limits.h>

struct cn_aead {
    cn_mem *mem;
    const cn_openssl *ssl;
    cn_ssl_cipher_state *state;
    bool is_sealing;
};

cn_err cn_aead_new(
    cn_mem *mem,
    cn_aead_kind kind,
    const uint8_t key[CN_AEAD_KEY_BYTES],
    bool is_sealing,
    cn_aead **ret,
    cn_why *why)
{
    cn_err err = CN_OK;
    const cn_openssl *ssl = NULL;
    const cn_ssl_cipher *cipher = NULL;
    cn_aead *a = NULL;
    CN_TRY(cn_openssl_open(&ssl, why));
    a = cn_alloc(mem, sizeof(*a));
    if (a == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *a = (cn_aead){mem, ssl, ssl->EVP_CIPHER_CTX_new(), is_sealing};
    cipher = kind == CN_AEAD_AES128 ? ssl->EVP_aes_128_gcm() : ssl->EVP_chacha20_poly1305();
    if (a->state == NULL ||
        ssl->EVP_CipherInit_ex(a->state, cipher, NULL, key, NULL, is_sealing ? 1 : 0) != 1) {
        cn_aead_free(a);
        return CN_ERR_NO_MEMORY;
    }
    *ret = a;
out:
    return err;
}

void cn_aead_free(cn_aead *a)
{
    if (a != NULL) {
        a->ssl->EVP_CIPHER_CTX_free(a->state);
        cn_free(a->mem, a);
    }
}

/* Set the nonce and bind the additional data. */
static bool begin(cn_aead *a, const uint8_t *nonce, cn_slice ad)
{
    int len = 0;
    CN_ASSERT(ad.len < INT_MAX);
    return a->ssl->EVP_CipherInit_ex(a->state, NULL, NULL, NULL, nonce, -1) == 1 &&
           (ad.len == 0 ||
            a->ssl->EVP_CipherUpdate(a->state, NULL, &len, ad.data, (int)ad.len) == 1);
}

cn_err cn_aead_seal(
    cn_aead *a,
    const uint8_t nonce[CN_AEAD_NONCE_BYTES],
    cn_slice ad,
    const cn_slice *parts,
    size_t parts_len,
    uint8_t *out)
{
    int len = 0;
    CN_ASSERT(a->is_sealing);
    bool good = begin(a, nonce, ad);
    for (size_t i = 0; good && i < parts_len; i++) {
        CN_ASSERT(parts[i].len < INT_MAX);
        good = parts[i].len == 0 ||
               a->ssl->EVP_CipherUpdate(a->state, out, &len, parts[i].data, (int)parts[i].len) == 1;
        out += parts[i].len;
    }
    good = good && a->ssl->EVP_CipherFinal_ex(a->state, out, &len) == 1 &&
           a->ssl->EVP_CIPHER_CTX_ctrl(a->state, CN_SSL_AEAD_GET_TAG, CN_AEAD_TAG_BYTES, out) == 1;
    return good ? CN_OK : CN_ERR_NO_MEMORY;
}

cn_err cn_aead_open(
    cn_aead *a, const uint8_t nonce[CN_AEAD_NONCE_BYTES], cn_slice ad, uint8_t *data, size_t len)
{
    int done = 0;
    CN_ASSERT(!a->is_sealing && len < INT_MAX);
    if (len < CN_AEAD_TAG_BYTES) {
        return CN_ERR_MALFORMED;
    }
    size_t plain = len - CN_AEAD_TAG_BYTES;
    bool ready = begin(a, nonce, ad) &&
                 a->ssl->EVP_CIPHER_CTX_ctrl(
                     a->state, CN_SSL_AEAD_SET_TAG, CN_AEAD_TAG_BYTES, data + plain) == 1;
    if (!ready) {
        return CN_ERR_NO_MEMORY;
    }
    bool good =
        (plain == 0 || a->ssl->EVP_CipherUpdate(a->state, data, &done, data, (int)plain) == 1) &&
        a->ssl->EVP_CipherFinal_ex(a->state, data + plain, &done) == 1;
    a->ssl->ERR_clear_error();
    return good ? CN_OK : CN_ERR_MALFORMED;
}
