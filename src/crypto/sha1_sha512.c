/*
 * SHA-1 and SHA-512 through libcrypto.
 */
#include "crypto/sha1_sha512.h"

#include "crypto/openssl.h"

cn_err cn_sha1(cn_slice in, uint8_t ret[20])
{
    const cn_openssl *ssl = NULL;
    cn_err err = cn_openssl_open(&ssl, NULL);
    if (err != CN_OK) {
        return err;
    }
    return ssl->SHA1(in.data, in.len, ret) == NULL ? CN_ERR_BUG : CN_OK;
}

cn_err cn_sha512(cn_slice in, uint8_t ret[64])
{
    const cn_openssl *ssl = NULL;
    cn_err err = cn_openssl_open(&ssl, NULL);
    if (err != CN_OK) {
        return err;
    }
    return ssl->SHA512(in.data, in.len, ret) == NULL ? CN_ERR_BUG : CN_OK;
}
