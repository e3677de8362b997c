/*
 * libcrypto of OpenSSL 3, opened when something first asks for it, so that starting costs nothing
 * and a machine without it runs all that does not need it. Only for files of this folder.
 *
 * The declarations are our own, of what we use, since its headers need not be installed.
 */
#pragma once

#include "base/slice.h"
#include "base/why.h"

typedef struct evp_pkey_st cn_ssl_key;
typedef struct evp_md_ctx_st cn_ssl_digest;
typedef struct evp_md_st cn_ssl_md;
typedef struct evp_cipher_st cn_ssl_cipher;
typedef struct evp_cipher_ctx_st cn_ssl_cipher_state;
typedef struct evp_pkey_ctx_st cn_ssl_key_op;

enum { CN_SSL_AEAD_GET_TAG = 16, CN_SSL_AEAD_SET_TAG = 17 };
enum { CN_SSL_X25519 = 1034, CN_SSL_ED25519 = 1087, CN_SSL_EC = 408, CN_SSL_RSA = 6 };

/* result, name, arguments */
#define CN_OPENSSL_FUNCTIONS(X)                                                                    \
    X(unsigned char *, SHA1, (const unsigned char *data, size_t len, unsigned char *digest))       \
    X(unsigned char *, SHA512, (const unsigned char *data, size_t len, unsigned char *digest))     \
    X(cn_ssl_key *, EVP_PKEY_Q_keygen,                                                             \
      (void *context, const char *properties, const char *type, ...))                              \
    X(cn_ssl_key *, EVP_PKEY_new_raw_private_key,                                                  \
      (int type, void *engine, const unsigned char *key, size_t len))                              \
    X(cn_ssl_key *, EVP_PKEY_new_raw_public_key,                                                   \
      (int type, void *engine, const unsigned char *key, size_t len))                              \
    X(int, EVP_PKEY_get_raw_private_key, (const cn_ssl_key *key, unsigned char *raw, size_t *len)) \
    X(int, EVP_PKEY_get_raw_public_key, (const cn_ssl_key *key, unsigned char *raw, size_t *len))  \
    X(int, EVP_PKEY_get_octet_string_param,                                                        \
      (const cn_ssl_key *key, const char *name, unsigned char *value, size_t max, size_t *len))    \
    X(int, EVP_PKEY_get_utf8_string_param,                                                         \
      (const cn_ssl_key *key, const char *name, char *value, size_t max, size_t *len))             \
    X(int, EVP_PKEY_get_base_id, (const cn_ssl_key *key))                                          \
    X(int, EVP_PKEY_get_bits, (const cn_ssl_key *key))                                             \
    X(void, EVP_PKEY_free, (cn_ssl_key * key))                                                     \
    X(cn_ssl_key *, d2i_AutoPrivateKey, (cn_ssl_key * *to, const unsigned char **in, long len))    \
    X(cn_ssl_key *, d2i_PUBKEY, (cn_ssl_key * *to, const unsigned char **in, long len))            \
    X(int, i2d_PrivateKey, (const cn_ssl_key *key, unsigned char **out))                           \
    X(int, i2d_PUBKEY, (const cn_ssl_key *key, unsigned char **out))                               \
    X(const cn_ssl_md *, EVP_sha256, (void))                                                       \
    X(cn_ssl_digest *, EVP_MD_CTX_new, (void))                                                     \
    X(void, EVP_MD_CTX_free, (cn_ssl_digest * ctx))                                                \
    X(int, EVP_DigestSignInit,                                                                     \
      (cn_ssl_digest * ctx, void **pctx, const cn_ssl_md *md, void *engine, cn_ssl_key *key))      \
    X(int, EVP_DigestSign,                                                                         \
      (cn_ssl_digest * ctx, unsigned char *sig, size_t *sig_len, const unsigned char *data,        \
       size_t len))                                                                                \
    X(int, EVP_DigestVerifyInit,                                                                   \
      (cn_ssl_digest * ctx, void **pctx, const cn_ssl_md *md, void *engine, cn_ssl_key *key))      \
    X(int, EVP_DigestVerify,                                                                       \
      (cn_ssl_digest * ctx, const unsigned char *sig, size_t sig_len, const unsigned char *data,   \
       size_t len))                                                                                \
    X(cn_ssl_key_op *, EVP_PKEY_CTX_new, (cn_ssl_key * key, void *engine))                         \
    X(void, EVP_PKEY_CTX_free, (cn_ssl_key_op * op))                                               \
    X(int, EVP_PKEY_derive_init, (cn_ssl_key_op * op))                                             \
    X(int, EVP_PKEY_derive_set_peer, (cn_ssl_key_op * op, cn_ssl_key * peer))                      \
    X(int, EVP_PKEY_derive, (cn_ssl_key_op * op, unsigned char *out, size_t *len))                 \
    X(const cn_ssl_cipher *, EVP_chacha20_poly1305, (void))                                        \
    X(cn_ssl_cipher_state *, EVP_CIPHER_CTX_new, (void))                                           \
    X(void, EVP_CIPHER_CTX_free, (cn_ssl_cipher_state * state))                                    \
    X(int, EVP_CIPHER_CTX_ctrl, (cn_ssl_cipher_state * state, int type, int arg, void *data))      \
    X(int, EVP_CipherInit_ex,                                                                      \
      (cn_ssl_cipher_state * state, const cn_ssl_cipher *cipher, void *engine,                     \
       const unsigned char *key, const unsigned char *nonce, int is_sealing))                      \
    X(int, EVP_CipherUpdate,                                                                       \
      (cn_ssl_cipher_state * state, unsigned char *out, int *out_len, const unsigned char *in,     \
       int in_len))                                                                                \
    X(int, EVP_CipherFinal_ex, (cn_ssl_cipher_state * state, unsigned char *out, int *out_len))    \
    X(int, RAND_bytes, (unsigned char *out, int len))                                              \
    X(void, ERR_clear_error, (void))                                                               \
    X(int, OPENSSL_init_crypto, (uint64_t options, const void *settings))                          \
    X(void *, OSSL_LIB_CTX_get0_global_default, (void))

typedef struct cn_openssl {
#define CN_OPENSSL_MEMBER(result, name, arguments) result(*name) arguments;
    CN_OPENSSL_FUNCTIONS(CN_OPENSSL_MEMBER)
#undef CN_OPENSSL_MEMBER
} cn_openssl;

/*
 * The functions, for the life of the process. Any thread; the first call opens the library (about a
 * millisecond). Errors: UNSUPPORTED (not installed, or too old), NO_MEMORY (for good: what failed
 * to start inside it is not started again), with the reason in `why`.
 */
CN_MUST_USE cn_err cn_openssl_open(const cn_openssl **ret, cn_why *why);
