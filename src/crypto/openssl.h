/*
 * libcrypto and libssl of OpenSSL 3, each opened when something first asks for it, so that starting
 * costs nothing and a machine without it runs all that does not need it. Only for files of this
 * folder.
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
typedef struct x509_st cn_ssl_x509;
typedef struct X509_pubkey_st cn_ssl_x509_key;
typedef struct X509_name_st cn_ssl_name;
typedef struct X509_extension_st cn_ssl_extension;
typedef struct x509_store_ctx_st cn_ssl_chain;
typedef struct asn1_object_st cn_ssl_oid;
typedef struct asn1_string_st cn_ssl_string; /* also its integers and times */
typedef struct bio_st cn_ssl_bio;
typedef struct bio_method_st cn_ssl_bio_kind;
typedef struct ssl_st cn_ssl;
typedef struct ssl_ctx_st cn_ssl_ctx;
typedef struct ssl_method_st cn_ssl_method;
typedef struct ssl_cipher_st cn_ssl_suite;

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
    X(const cn_ssl_cipher *, EVP_aes_128_gcm, (void))                                              \
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
    X(cn_ssl_x509 *, X509_new, (void))                                                             \
    X(void, X509_free, (cn_ssl_x509 * x))                                                          \
    X(int, X509_set_version, (cn_ssl_x509 * x, long version))                                      \
    X(cn_ssl_string *, X509_get_serialNumber, (cn_ssl_x509 * x))                                   \
    X(int, ASN1_INTEGER_set_uint64, (cn_ssl_string * number, uint64_t value))                      \
    X(cn_ssl_name *, X509_get_subject_name, (const cn_ssl_x509 *x))                                \
    X(int, X509_set_issuer_name, (cn_ssl_x509 * x, const cn_ssl_name *name))                       \
    X(int, X509_NAME_add_entry_by_txt,                                                             \
      (cn_ssl_name * name, const char *field, int type, const unsigned char *text, int len,        \
       int place, int set))                                                                        \
    X(cn_ssl_string *, X509_getm_notBefore, (const cn_ssl_x509 *x))                                \
    X(cn_ssl_string *, X509_getm_notAfter, (const cn_ssl_x509 *x))                                 \
    X(cn_ssl_string *, ASN1_TIME_adj,                                                              \
      (cn_ssl_string * time, int64_t from_s, int days, long seconds))                              \
    X(int, X509_cmp_time, (const cn_ssl_string *time, int64_t *with_s))                            \
    X(int, X509_set_pubkey, (cn_ssl_x509 * x, cn_ssl_key * key))                                   \
    X(cn_ssl_key *, X509_get0_pubkey, (const cn_ssl_x509 *x))                                      \
    X(cn_ssl_x509_key *, X509_get_X509_PUBKEY, (const cn_ssl_x509 *x))                             \
    X(int, i2d_X509_PUBKEY, (const cn_ssl_x509_key *key, unsigned char **out))                     \
    X(cn_ssl_oid *, OBJ_txt2obj, (const char *text, int numbers_only))                             \
    X(int, OBJ_cmp, (const cn_ssl_oid *a, const cn_ssl_oid *b))                                    \
    X(void, ASN1_OBJECT_free, (cn_ssl_oid * oid))                                                  \
    X(cn_ssl_string *, ASN1_STRING_type_new, (int type))                                           \
    X(int, ASN1_STRING_set, (cn_ssl_string * string, const void *data, int len))                   \
    X(const unsigned char *, ASN1_STRING_get0_data, (const cn_ssl_string *string))                 \
    X(int, ASN1_STRING_length, (const cn_ssl_string *string))                                      \
    X(void, ASN1_STRING_free, (cn_ssl_string * string))                                            \
    X(cn_ssl_extension *, X509_EXTENSION_create_by_OBJ,                                            \
      (cn_ssl_extension * *to, const cn_ssl_oid *oid, int is_critical, cn_ssl_string *value))      \
    X(void, X509_EXTENSION_free, (cn_ssl_extension * e))                                           \
    X(int, X509_add_ext, (cn_ssl_x509 * x, cn_ssl_extension * e, int place))                       \
    X(int, X509_get_ext_count, (const cn_ssl_x509 *x))                                             \
    X(cn_ssl_extension *, X509_get_ext, (const cn_ssl_x509 *x, int place))                         \
    X(int, X509_EXTENSION_get_critical, (const cn_ssl_extension *e))                               \
    X(cn_ssl_oid *, X509_EXTENSION_get_object, (cn_ssl_extension * e))                             \
    X(cn_ssl_string *, X509_EXTENSION_get_data, (cn_ssl_extension * e))                            \
    X(int, X509_sign, (cn_ssl_x509 * x, cn_ssl_key * key, const cn_ssl_md *md))                    \
    X(int, X509_verify, (cn_ssl_x509 * x, cn_ssl_key * key))                                       \
    X(int, X509_get_signature_info,                                                                \
      (cn_ssl_x509 * x, int *digest, int *key_type, int *bits, uint32_t *flags))                   \
    X(cn_ssl_x509 *, d2i_X509, (cn_ssl_x509 * *to, const unsigned char **in, long len))            \
    X(int, i2d_X509, (const cn_ssl_x509 *x, unsigned char **out))                                  \
    X(cn_ssl_x509 *, X509_STORE_CTX_get0_cert, (const cn_ssl_chain *chain))                        \
    X(void *, X509_STORE_CTX_get0_untrusted, (const cn_ssl_chain *chain))                          \
    X(void *, X509_STORE_CTX_get_ex_data, (const cn_ssl_chain *chain, int index))                  \
    X(void, X509_STORE_CTX_set_error, (cn_ssl_chain * chain, int error))                           \
    X(int, OPENSSL_sk_num, (const void *stack))                                                    \
    X(const cn_ssl_bio_kind *, BIO_s_mem, (void))                                                  \
    X(cn_ssl_bio *, BIO_new, (const cn_ssl_bio_kind *kind))                                        \
    X(int, BIO_free, (cn_ssl_bio * bio))                                                           \
    X(int, BIO_write, (cn_ssl_bio * bio, const void *data, int len))                               \
    X(int, BIO_read, (cn_ssl_bio * bio, void *data, int len))                                      \
    X(size_t, BIO_ctrl_pending, (cn_ssl_bio * bio))                                                \
    X(void, ERR_clear_error, (void))                                                               \
    X(unsigned long, ERR_peek_last_error, (void))                                                  \
    X(const char *, ERR_reason_error_string, (unsigned long error))                                \
    X(int, OPENSSL_init_crypto, (uint64_t options, const void *settings))                          \
    X(void *, OSSL_LIB_CTX_get0_global_default, (void))

/* The same of libssl. */
#define CN_LIBSSL_FUNCTIONS(X)                                                                     \
    X(int, OPENSSL_init_ssl, (uint64_t options, const void *settings))                             \
    X(const cn_ssl_method *, TLS_method, (void))                                                   \
    X(cn_ssl_ctx *, SSL_CTX_new, (const cn_ssl_method *method))                                    \
    X(void, SSL_CTX_free, (cn_ssl_ctx * ctx))                                                      \
    X(long, SSL_CTX_ctrl, (cn_ssl_ctx * ctx, int what, long number, void *data))                   \
    X(uint64_t, SSL_CTX_set_options, (cn_ssl_ctx * ctx, uint64_t options))                         \
    X(int, SSL_CTX_set_num_tickets, (cn_ssl_ctx * ctx, size_t tickets))                            \
    X(int, SSL_CTX_set_ciphersuites, (cn_ssl_ctx * ctx, const char *names))                        \
    X(int, SSL_CTX_use_certificate, (cn_ssl_ctx * ctx, cn_ssl_x509 * x))                           \
    X(int, SSL_CTX_use_PrivateKey, (cn_ssl_ctx * ctx, cn_ssl_key * key))                           \
    X(void, SSL_CTX_set_verify,                                                                    \
      (cn_ssl_ctx * ctx, int mode, int (*step)(int good, cn_ssl_chain *chain)))                    \
    X(void, SSL_CTX_set_cert_verify_callback,                                                      \
      (cn_ssl_ctx * ctx, int (*check)(cn_ssl_chain * chain, void *arg), void *arg))                \
    X(void, SSL_CTX_set_alpn_select_cb,                                                            \
      (cn_ssl_ctx * ctx,                                                                           \
       int (*choose)(                                                                              \
           cn_ssl * ssl, const unsigned char **name, unsigned char *name_len,                      \
           const unsigned char *offered, unsigned offered_len, void *arg),                         \
       void *arg))                                                                                 \
    X(void, SSL_CTX_set_keylog_callback,                                                           \
      (cn_ssl_ctx * ctx, void (*line)(const cn_ssl *ssl, const char *text)))                       \
    X(cn_ssl *, SSL_new, (cn_ssl_ctx * ctx))                                                       \
    X(void, SSL_free, (cn_ssl * ssl))                                                              \
    X(void, SSL_set_bio, (cn_ssl * ssl, cn_ssl_bio * in, cn_ssl_bio * out))                        \
    X(void, SSL_set_connect_state, (cn_ssl * ssl))                                                 \
    X(void, SSL_set_accept_state, (cn_ssl * ssl))                                                  \
    X(int, SSL_set_alpn_protos, (cn_ssl * ssl, const unsigned char *names, unsigned len))          \
    X(void, SSL_get0_alpn_selected,                                                                \
      (const cn_ssl *ssl, const unsigned char **name, unsigned *len))                              \
    X(int, SSL_set_ex_data, (cn_ssl * ssl, int index, void *data))                                 \
    X(void *, SSL_get_ex_data, (const cn_ssl *ssl, int index))                                     \
    X(int, SSL_get_ex_data_X509_STORE_CTX_idx, (void))                                             \
    X(int, SSL_do_handshake, (cn_ssl * ssl))                                                       \
    X(int, SSL_get_error, (const cn_ssl *ssl, int result))                                         \
    X(const cn_ssl_suite *, SSL_get_current_cipher, (const cn_ssl *ssl))                           \
    X(uint16_t, SSL_CIPHER_get_protocol_id, (const cn_ssl_suite *suite))

typedef struct cn_libssl {
#define CN_OPENSSL_MEMBER(result, name, arguments) result(*name) arguments;
    CN_LIBSSL_FUNCTIONS(CN_OPENSSL_MEMBER)
#undef CN_OPENSSL_MEMBER
} cn_libssl;

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
/* The same for libssl, which opens libcrypto too. */
CN_MUST_USE cn_err cn_libssl_open(const cn_libssl **ret, cn_why *why);
