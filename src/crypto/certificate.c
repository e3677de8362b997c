/*
 * Certificates over libcrypto's X509. Every object that libcrypto makes is freed here, in the
 * function that asked for it.
 */
#include "crypto/certificate_internal.h"

enum {
    VERSION_3 = 2, /* counted from 0 */
    ASCII = 0x1001,
    OCTET_STRING = 4,
    SECONDS_BEFORE = 3600,
    DAYS_AFTER = 36500,
    SIGNATURE_MIN_BITS = 112, /* SHA-1 is below it */
    RSA_MIN_BITS = 2048,
    RSA_MAX_BITS = 8192,
};

cn_err cn_certificate_new(cn_mem *mem, cn_certificate **ret, cn_why *why)
{
    const cn_openssl *ssl = NULL;
    cn_err err = cn_openssl_open(&ssl, why);
    if (err != CN_OK) {
        return err;
    }
    cn_certificate *c = cn_alloc(mem, sizeof(*c));
    if (c == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *c = (cn_certificate){.mem = mem, .ssl = ssl};
    c->key = ssl->EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    if (c->key == NULL) {
        ssl->ERR_clear_error();
        cn_certificate_free(c);
        return CN_ERR_NO_MEMORY;
    }
    *ret = c;
    return CN_OK;
}

void cn_certificate_free(cn_certificate *c)
{
    if (c != NULL) {
        c->ssl->X509_free(c->x509);
        c->ssl->EVP_PKEY_free(c->key);
        cn_free(c->mem, c);
    }
}

/* Room for what a writer of libcrypto says it needs; *ret_at NULL: it failed. */
static cn_err make_room(int len, cn_buf *out, unsigned char **ret_at)
{
    cn_err err = len <= 0 ? CN_ERR_NO_MEMORY : cn_buf_reserve(out, (size_t)len);
    if (err == CN_OK) {
        *ret_at = out->data + out->len;
    }
    return err;
}

cn_err cn_certificate_put_public(const cn_certificate *c, cn_buf *out)
{
    unsigned char *at = NULL;
    int len = c->ssl->i2d_PUBKEY(c->key, NULL);
    cn_err err = make_room(len, out, &at);
    if (err == CN_OK) {
        out->len += (size_t)c->ssl->i2d_PUBKEY(c->key, &at);
    }
    return err;
}

static cn_err put_x509(const cn_openssl *ssl, const cn_ssl_x509 *x, cn_buf *out)
{
    unsigned char *at = NULL;
    int len = ssl->i2d_X509(x, NULL);
    cn_err err = make_room(len, out, &at);
    if (err == CN_OK) {
        out->len += (size_t)ssl->i2d_X509(x, &at);
    }
    return err;
}

cn_err cn_certificate_encode(const cn_certificate *c, cn_buf *out)
{
    return c->x509 == NULL ? CN_ERR_USAGE : put_x509(c->ssl, c->x509, out);
}

static bool add_extension(const cn_openssl *ssl, cn_ssl_x509 *x, const char *oid, cn_slice value)
{
    cn_ssl_oid *name = ssl->OBJ_txt2obj(oid, 1);
    cn_ssl_string *string = ssl->ASN1_STRING_type_new(OCTET_STRING);
    cn_ssl_extension *e = NULL;
    if (name != NULL && string != NULL &&
        ssl->ASN1_STRING_set(string, value.data, (int)value.len) == 1) {
        e = ssl->X509_EXTENSION_create_by_OBJ(NULL, name, 0, string);
    }
    bool good = e != NULL && ssl->X509_add_ext(x, e, -1) == 1;
    ssl->X509_EXTENSION_free(e);
    ssl->ASN1_STRING_free(string);
    ssl->ASN1_OBJECT_free(name);
    return good;
}

/* Who it is for does not count, but a name may not be empty. */
static bool add_names(const cn_openssl *ssl, cn_ssl_x509 *x)
{
    static const unsigned char NAME[] = "libp2p";
    cn_ssl_name *name = ssl->X509_get_subject_name(x);
    return ssl->X509_NAME_add_entry_by_txt(name, "O", ASCII, NAME, -1, -1, 0) == 1 &&
           ssl->X509_set_issuer_name(x, name) == 1;
}

cn_err cn_certificate_sign(cn_certificate *c, const char *oid, cn_slice value, cn_wall now)
{
    const cn_openssl *ssl = c->ssl;
    uint64_t serial = 0;
    int64_t now_s = now.ns / CN_NS_PER_S;
    CN_ASSERT(c->x509 == NULL && value.len < CN_CERTIFICATE_MAX_BYTES);
    cn_ssl_x509 *x = ssl->X509_new();
    bool good =
        x != NULL && ssl->RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1 &&
        ssl->X509_set_version(x, VERSION_3) == 1 &&
        ssl->ASN1_INTEGER_set_uint64(ssl->X509_get_serialNumber(x), (serial >> 1) | 1) == 1 &&
        ssl->ASN1_TIME_adj(ssl->X509_getm_notBefore(x), now_s, 0, -SECONDS_BEFORE) != NULL &&
        ssl->ASN1_TIME_adj(ssl->X509_getm_notAfter(x), now_s, DAYS_AFTER, 0) != NULL &&
        add_names(ssl, x) && ssl->X509_set_pubkey(x, c->key) == 1 &&
        add_extension(ssl, x, oid, value) && ssl->X509_sign(x, c->key, ssl->EVP_sha256()) > 0;
    if (!good) {
        ssl->ERR_clear_error();
        ssl->X509_free(x);
        return CN_ERR_NO_MEMORY;
    }
    c->x509 = x;
    return CN_OK;
}

static cn_err refuse(cn_why *why, const char *reason)
{
    return cn_why_set(why, CN_ERR_MALFORMED, "tls: the peer's certificate %s", reason);
}

/* The one extension that counts; others may be there if they are not critical. */
static cn_err
read_extension(const cn_openssl *ssl, cn_ssl_x509 *x, const char *oid, cn_buf *ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_ssl_extension *found = NULL;
    cn_ssl_oid *wanted = ssl->OBJ_txt2obj(oid, 1);
    if (wanted == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    for (int i = 0; i < ssl->X509_get_ext_count(x) && err == CN_OK; i++) {
        cn_ssl_extension *e = ssl->X509_get_ext(x, i);
        if (ssl->OBJ_cmp(ssl->X509_EXTENSION_get_object(e), wanted) == 0) {
            err = found == NULL ? CN_OK : refuse(why, "has libp2p's extension twice");
            found = e;
        } else if (ssl->X509_EXTENSION_get_critical(e) != 0) {
            err = refuse(why, "has a critical extension that libp2p does not know");
        }
    }
    if (err == CN_OK && found == NULL) {
        err = refuse(why, "has no extension of libp2p's");
    }
    if (err == CN_OK) {
        const cn_ssl_string *value = ssl->X509_EXTENSION_get_data(found);
        err = cn_buf_append(
            ret,
            cn_slice_of(ssl->ASN1_STRING_get0_data(value), (size_t)ssl->ASN1_STRING_length(value)));
    }
    ssl->ASN1_OBJECT_free(wanted);
    return err;
}

static cn_err check_signature(const cn_openssl *ssl, cn_ssl_x509 *x, cn_why *why)
{
    cn_ssl_key *key = ssl->X509_get0_pubkey(x);
    int bits = 0;
    if (key == NULL) {
        return refuse(why, "has a key that cannot be read");
    }
    int kind = ssl->EVP_PKEY_get_base_id(key);
    int key_bits = ssl->EVP_PKEY_get_bits(key);
    if (kind != CN_SSL_EC && kind != CN_SSL_ED25519 &&
        (kind != CN_SSL_RSA || key_bits < RSA_MIN_BITS || key_bits > RSA_MAX_BITS)) {
        return refuse(why, "has a key of a kind or size not in use");
    }
    if (ssl->X509_get_signature_info(x, NULL, NULL, &bits, NULL) != 1 ||
        bits < SIGNATURE_MIN_BITS) {
        return refuse(why, "is signed in a way not in use");
    }
    return ssl->X509_verify(x, key) == 1 ? CN_OK : refuse(why, "is not signed by its own key");
}

/* X509_cmp_time: below 0 is past, above 0 to come, 0 is no time at all. */
static cn_err check_time(const cn_openssl *ssl, cn_ssl_x509 *x, cn_wall now, cn_why *why)
{
    int64_t now_s = now.ns / CN_NS_PER_S;
    if (ssl->X509_cmp_time(ssl->X509_getm_notBefore(x), &now_s) >= 0) {
        return refuse(why, "is not valid yet");
    }
    return ssl->X509_cmp_time(ssl->X509_getm_notAfter(x), &now_s) > 0 ? CN_OK
                                                                      : refuse(why, "has expired");
}

static cn_err put_public(const cn_openssl *ssl, const cn_ssl_x509 *x, cn_buf *out)
{
    unsigned char *at = NULL;
    const cn_ssl_x509_key *key = ssl->X509_get_X509_PUBKEY(x);
    int len = ssl->i2d_X509_PUBKEY(key, NULL);
    cn_err err = make_room(len, out, &at);
    if (err == CN_OK) {
        out->len += (size_t)ssl->i2d_X509_PUBKEY(key, &at);
    }
    return err;
}

cn_err cn_certificate_read(
    cn_slice der, const char *oid, cn_wall now, cn_buf *ret_value, cn_buf *ret_public, cn_why *why)
{
    cn_err err = CN_OK;
    const cn_openssl *ssl = NULL;
    cn_ssl_x509 *x = NULL;
    const unsigned char *at = der.data;
    CN_TRY(cn_openssl_open(&ssl, why));
    if (der.len > 0 && der.len <= CN_CERTIFICATE_MAX_BYTES) {
        x = ssl->d2i_X509(NULL, &at, (long)der.len);
    }
    if (x == NULL || at != der.data + der.len) {
        err = refuse(why, "cannot be read");
        goto out;
    }
    CN_TRY(check_time(ssl, x, now, why));
    CN_TRY(check_signature(ssl, x, why));
    CN_TRY(read_extension(ssl, x, oid, ret_value, why));
    CN_TRY(put_public(ssl, x, ret_public));
out:
    if (ssl != NULL) {
        ssl->X509_free(x);
        ssl->ERR_clear_error();
    }
    return err;
}
