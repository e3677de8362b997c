/*
 * Thin over libcrypto's raw keys.
 */
#include "crypto/x25519.h"

#include "crypto/openssl.h"

cn_err
cn_x25519_public(const uint8_t secret[CN_X25519_BYTES], uint8_t ret[CN_X25519_BYTES], cn_why *why)
{
    cn_err err = CN_OK;
    const cn_openssl *ssl = NULL;
    cn_ssl_key *key = NULL;
    size_t len = CN_X25519_BYTES;
    CN_TRY(cn_openssl_open(&ssl, why));
    key = ssl->EVP_PKEY_new_raw_private_key(CN_SSL_X25519, NULL, secret, len);
    if (key == NULL || ssl->EVP_PKEY_get_raw_public_key(key, ret, &len) != 1) {
        err = CN_ERR_NO_MEMORY;
    }
    ssl->EVP_PKEY_free(key);
out:
    return err;
}

cn_err cn_x25519_shared(
    const uint8_t secret[CN_X25519_BYTES],
    const uint8_t public_half[CN_X25519_BYTES],
    uint8_t ret[CN_X25519_BYTES],
    cn_why *why)
{
    cn_err err = CN_OK;
    const cn_openssl *ssl = NULL;
    size_t len = CN_X25519_BYTES;
    cn_ssl_key *ours = NULL;
    cn_ssl_key *theirs = NULL;
    cn_ssl_key_op *op = NULL;
    err = cn_openssl_open(&ssl, why);
    if (err != CN_OK) {
        return err;
    }
    ours = ssl->EVP_PKEY_new_raw_private_key(CN_SSL_X25519, NULL, secret, len);
    theirs = ssl->EVP_PKEY_new_raw_public_key(CN_SSL_X25519, NULL, public_half, len);
    op = ours == NULL ? NULL : ssl->EVP_PKEY_CTX_new(ours, NULL);
    if (op == NULL || theirs == NULL || ssl->EVP_PKEY_derive_init(op) != 1) {
        err = CN_ERR_NO_MEMORY;
    } else if (
        ssl->EVP_PKEY_derive_set_peer(op, theirs) != 1 ||
        ssl->EVP_PKEY_derive(op, ret, &len) != 1) {
        err = cn_why_set(why, CN_ERR_MALFORMED, "a public key that gives no shared secret");
    }
    ssl->EVP_PKEY_CTX_free(op);
    ssl->EVP_PKEY_free(ours);
    ssl->EVP_PKEY_free(theirs);
    ssl->ERR_clear_error();
    return err;
}
