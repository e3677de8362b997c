/*
 * Keys over libcrypto's EVP_PKEY. What libp2p and libcrypto write alike (RSA and ECDSA in DER,
 * Ed25519 as raw bytes) is passed through; secp256k1 is put into DER around its raw bytes on the
 * way in and taken out of it on the way out.
 */
#include "crypto/key.h"

#include "crypto/ct.h"
#include "crypto/openssl.h"
#include "crypto/secp256k1.h"

enum { ED25519_BYTES = 32, SCALAR_BYTES = 32, POINT_BYTES = 33, WHOLE_POINT_BYTES = 65 };

struct cn_key {
    cn_mem *mem;
    const cn_openssl *ssl;
    cn_ssl_key *pkey;
    cn_key_type type;
    bool private;
};

/* SEC 1 private key of secp256k1 without its public half: this, the scalar, k1_tail. */
static const uint8_t k1_head[] = {0x30, 0x2e, 0x02, 0x01, 0x01, 0x04, 0x20};
static const uint8_t k1_tail[] = {0xa0, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a};
/* PKIX public key of secp256k1: this, the compressed point. */
static const uint8_t k1_public_head[] = {0x30, 0x36, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                         0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                         0x81, 0x04, 0x00, 0x0a, 0x03, 0x22, 0x00};

/* Wrap `pkey` (taken, also on failure; NULL: malformed). */
static cn_err
wrap(cn_mem *mem, const cn_openssl *ssl, cn_ssl_key *pkey, cn_key_type type, cn_key **ret)
{
    if (pkey == NULL) {
        ssl->ERR_clear_error();
        return CN_ERR_MALFORMED;
    }
    cn_key *key = cn_alloc(mem, sizeof *key);
    if (key == NULL) {
        ssl->EVP_PKEY_free(pkey);
        return CN_ERR_NO_MEMORY;
    }
    *key = (cn_key){.mem = mem, .ssl = ssl, .pkey = pkey, .type = type};
    *ret = key;
    return CN_OK;
}

void cn_key_free(cn_key *key)
{
    if (key != NULL) {
        key->ssl->EVP_PKEY_free(key->pkey); /* libcrypto wipes what is secret */
        cn_free(key->mem, key);
    }
}

cn_key_type cn_key_type_of(const cn_key *key)
{
    return key->type;
}

bool cn_key_is_private(const cn_key *key)
{
    return key->private;
}

void cn_key_wipe(cn_buf *secret)
{
    if (secret->data != NULL) {
        cn_wipe(secret->data, secret->cap);
    }
    cn_buf_release(secret);
}

static bool curve_is(const cn_openssl *ssl, const cn_ssl_key *pkey, const char *name)
{
    char curve[64] = {0};
    size_t len = 0;
    int good = ssl->EVP_PKEY_get_utf8_string_param(pkey, "group", curve, sizeof curve, &len);
    return good == 1 && cn_slice_is(cn_slice_of(curve, len), name);
}

/* Is what was read of the kind it was said to be, and strong enough? */
static cn_err check_kind(const cn_key *key, cn_why *why)
{
    const cn_openssl *ssl = key->ssl;
    int id = ssl->EVP_PKEY_get_base_id(key->pkey);
    int bits = ssl->EVP_PKEY_get_bits(key->pkey);
    bool curve = false;
    switch (key->type) {
    case CN_KEY_ED25519:
        return id == CN_SSL_ED25519 ? CN_OK : CN_ERR_MALFORMED;
    case CN_KEY_RSA:
        if (id != CN_SSL_RSA) {
            return cn_why_set(why, CN_ERR_MALFORMED, "not actually an rsa key");
        }
        if (bits < CN_KEY_RSA_MIN_BITS) {
            return cn_why_set(
                why, CN_ERR_MALFORMED, "rsa keys must be >= %d bits to be useful",
                (int)CN_KEY_RSA_MIN_BITS);
        }
        if (bits > CN_KEY_RSA_MAX_BITS) {
            return cn_why_set(
                why, CN_ERR_MALFORMED, "rsa keys must be <= %d bits", (int)CN_KEY_RSA_MAX_BITS);
        }
        return CN_OK;
    case CN_KEY_SECP256K1:
        curve = id == CN_SSL_EC && curve_is(ssl, key->pkey, "secp256k1");
        break;
    case CN_KEY_ECDSA:
        curve = id == CN_SSL_EC &&
                (curve_is(ssl, key->pkey, "prime256v1") || curve_is(ssl, key->pkey, "secp384r1") ||
                 curve_is(ssl, key->pkey, "secp521r1"));
        break;
    }
    return curve ? CN_OK : cn_why_set(why, CN_ERR_MALFORMED, "the key is on another curve");
}

cn_err cn_key_generate(cn_mem *mem, cn_key_type type, unsigned rsa_bits, cn_key **ret, cn_why *why)
{
    const cn_openssl *ssl = NULL;
    cn_ssl_key *pkey = NULL;
    cn_err err = cn_openssl_open(&ssl, why);
    if (err != CN_OK) {
        return err;
    }
    switch (type) {
    case CN_KEY_RSA:
        if (rsa_bits < CN_KEY_RSA_MIN_BITS || rsa_bits > CN_KEY_RSA_MAX_BITS) {
            return cn_why_set(
                why, CN_ERR_USAGE, "rsa keys must have %d to %d bits, not %u",
                (int)CN_KEY_RSA_MIN_BITS, (int)CN_KEY_RSA_MAX_BITS, rsa_bits);
        }
        pkey = ssl->EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)rsa_bits);
        break;
    case CN_KEY_ED25519:
        pkey = ssl->EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        break;
    case CN_KEY_SECP256K1:
        pkey = ssl->EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1");
        break;
    case CN_KEY_ECDSA:
        pkey = ssl->EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
        break;
    }
    cn_key *key = NULL;
    err = wrap(mem, ssl, pkey, type, &key);
    if (err == CN_ERR_MALFORMED) {
        return cn_why_set(why, CN_ERR_UNSUPPORTED, "libcrypto cannot make a key of this type");
    }
    if (err == CN_OK) {
        key->private = true;
        *ret = key;
    }
    return err;
}

static cn_ssl_key *read_ed25519(const cn_openssl *ssl, cn_slice bytes, cn_why *why)
{
    cn_slice seed = cn_slice_head(bytes, ED25519_BYTES);
    cn_slice public = cn_slice_head(cn_slice_skip(bytes, ED25519_BYTES), ED25519_BYTES);
    cn_slice again = cn_slice_skip(bytes, 2 * ED25519_BYTES);
    uint8_t derived[ED25519_BYTES];
    size_t len = sizeof derived;
    if (bytes.len != 2 * ED25519_BYTES && bytes.len != 3 * ED25519_BYTES) {
        (void)cn_why_set(
            why, CN_ERR_MALFORMED, "expected ed25519 data size to be 64 or 96, got %zu", bytes.len);
        return NULL;
    }
    if (again.len > 0 && !cn_ct_eq(public, again)) {
        (void)cn_why_set(
            why, CN_ERR_MALFORMED, "expected redundant ed25519 public key to be redundant");
        return NULL;
    }
    cn_ssl_key *pkey = ssl->EVP_PKEY_new_raw_private_key(CN_SSL_ED25519, NULL, seed.data, seed.len);
    bool good = pkey != NULL && ssl->EVP_PKEY_get_raw_public_key(pkey, derived, &len) == 1 &&
                cn_ct_eq(public, (cn_slice){derived, len});
    if (!good) {
        (void)cn_why_set(
            why, CN_ERR_MALFORMED, "the ed25519 public key does not belong to the private one");
        ssl->EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

static cn_ssl_key *read_der(const cn_openssl *ssl, cn_slice der, bool private)
{
    const unsigned char *at = der.data;
    if (der.len == 0 || der.len > CN_KEY_PRIVATE_MAX_BYTES) {
        return NULL;
    }
    cn_ssl_key *pkey = private ? ssl->d2i_AutoPrivateKey(NULL, &at, (long)der.len)
                               : ssl->d2i_PUBKEY(NULL, &at, (long)der.len);
    if (pkey != NULL && at != der.data + der.len) {
        ssl->EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

/* The order of the curve; a private key is a number from 1 to one less. */
static const uint8_t k1_order[SCALAR_BYTES] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};

/* Is the number in that range? The time does not depend on it. libcrypto does not look. */
static bool in_range(const uint8_t scalar[SCALAR_BYTES])
{
    unsigned any = 0;
    unsigned borrow = 0;
    for (size_t i = SCALAR_BYTES; i-- > 0;) {
        any |= scalar[i];
        borrow = ((unsigned)scalar[i] - k1_order[i] - borrow) >> 8 & 1;
    }
    return any != 0 && borrow != 0;
}

static cn_ssl_key *read_secp256k1(const cn_openssl *ssl, cn_slice scalar, cn_why *why)
{
    uint8_t der[sizeof k1_head + SCALAR_BYTES + sizeof k1_tail];
    if (scalar.len != SCALAR_BYTES) {
        (void)cn_why_set(why, CN_ERR_MALFORMED, "expected secp256k1 data size to be 32");
        return NULL;
    }
    if (!in_range(scalar.data)) {
        (void)cn_why_set(why, CN_ERR_MALFORMED, "the secp256k1 private key is out of range");
        return NULL;
    }
    cn_copy(der, k1_head, sizeof k1_head);
    cn_copy(der + sizeof k1_head, scalar.data, SCALAR_BYTES);
    cn_copy(der + sizeof k1_head + SCALAR_BYTES, k1_tail, sizeof k1_tail);
    cn_ssl_key *pkey = read_der(ssl, (cn_slice){der, sizeof der}, true);
    cn_wipe(der, sizeof der);
    return pkey;
}

static cn_ssl_key *read_secp256k1_public(const cn_openssl *ssl, cn_slice point)
{
    uint8_t der[sizeof k1_public_head + POINT_BYTES];
    if (point.len != POINT_BYTES) {
        return NULL;
    }
    cn_copy(der, k1_public_head, sizeof k1_public_head);
    cn_copy(der + sizeof k1_public_head, point.data, POINT_BYTES);
    return read_der(ssl, (cn_slice){der, sizeof der}, false);
}

/* What both readers do with what they read; a sentence is left only if it failed. */
static cn_err finish_reading(
    cn_mem *mem,
    const cn_openssl *ssl,
    cn_ssl_key *pkey,
    const cn_key *form,
    cn_key **ret,
    cn_why *why)
{
    cn_key *key = NULL;
    cn_err err = wrap(mem, ssl, pkey, form->type, &key);
    if (err == CN_OK) {
        key->private = form->private;
        err = check_kind(key, why);
    }
    if (err != CN_OK) {
        cn_key_free(key);
        return err;
    }
    if (why != NULL) {
        why->text[0] = '\0';
    }
    *ret = key;
    return CN_OK;
}

cn_err cn_key_read_private(cn_mem *mem, cn_key_type type, cn_slice bytes, cn_key **ret, cn_why *why)
{
    const cn_openssl *ssl = NULL;
    cn_ssl_key *pkey = NULL;
    cn_why said = {{0}}; /* `why` hears of a failure only */
    cn_err err = cn_openssl_open(&ssl, why);
    if (err != CN_OK) {
        return err;
    }
    (void)cn_why_set(&said, CN_ERR_MALFORMED, "the private key cannot be read");
    switch (type) {
    case CN_KEY_ED25519:
        pkey = read_ed25519(ssl, bytes, &said);
        break;
    case CN_KEY_SECP256K1:
        pkey = read_secp256k1(ssl, bytes, &said);
        break;
    case CN_KEY_RSA:
    case CN_KEY_ECDSA:
        pkey = read_der(ssl, bytes, true);
        break;
    }
    err = finish_reading(mem, ssl, pkey, &(cn_key){.type = type, .private = true}, ret, &said);
    return err == CN_OK ? CN_OK : cn_why_set(why, err, "%s", cn_why_text(&said, err));
}

cn_err cn_key_read_public(cn_mem *mem, cn_key_type type, cn_slice bytes, cn_key **ret, cn_why *why)
{
    const cn_openssl *ssl = NULL;
    cn_ssl_key *pkey = NULL;
    cn_why said = {{0}}; /* `why` hears of a failure only */
    cn_err err = cn_openssl_open(&ssl, why);
    if (err != CN_OK) {
        return err;
    }
    (void)cn_why_set(&said, CN_ERR_MALFORMED, "the public key cannot be read");
    switch (type) {
    case CN_KEY_ED25519:
        if (bytes.len == ED25519_BYTES) {
            pkey = ssl->EVP_PKEY_new_raw_public_key(CN_SSL_ED25519, NULL, bytes.data, bytes.len);
        }
        break;
    case CN_KEY_SECP256K1:
        pkey = read_secp256k1_public(ssl, bytes);
        break;
    case CN_KEY_RSA:
    case CN_KEY_ECDSA:
        pkey = read_der(ssl, bytes, false);
        break;
    }
    err = finish_reading(mem, ssl, pkey, &(cn_key){.type = type}, ret, &said);
    return err == CN_OK ? CN_OK : cn_why_set(why, err, "%s", cn_why_text(&said, err));
}

/* Append DER by one of libcrypto's writers, which first tells the length. */
static cn_err
put_der(const cn_key *key, int (*write)(const cn_ssl_key *key, unsigned char **out), cn_buf *out)
{
    int len = write(key->pkey, NULL);
    cn_err err = len <= 0 ? CN_ERR_BUG : cn_buf_reserve(out, (size_t)len);
    if (err != CN_OK) {
        return err;
    }
    unsigned char *at = out->data + out->len;
    if (write(key->pkey, &at) != len) {
        return CN_ERR_BUG;
    }
    out->len += (size_t)len;
    return CN_OK;
}

static cn_err put_ed25519(const cn_key *key, bool private, cn_buf *out)
{
    uint8_t bytes[2 * ED25519_BYTES];
    size_t seed_len = ED25519_BYTES;
    size_t public_len = ED25519_BYTES;
    bool good = true;
    if (private) {
        good = key->ssl->EVP_PKEY_get_raw_private_key(key->pkey, bytes, &seed_len) == 1;
    } else {
        seed_len = 0;
    }
    good = good &&
           key->ssl->EVP_PKEY_get_raw_public_key(key->pkey, bytes + seed_len, &public_len) == 1;
    cn_err err = good ? cn_buf_append(out, (cn_slice){bytes, seed_len + public_len}) : CN_ERR_BUG;
    cn_wipe(bytes, sizeof bytes);
    return err;
}

/* The scalar lies at a fixed place of SEC 1 DER: SEQUENCE, version 1, 32 bytes. */
static cn_err put_secp256k1(const cn_key *key, cn_buf *out)
{
    cn_buf der;
    cn_slice fixed = {k1_head + 2, sizeof k1_head - 2};
    cn_slice rest = {0};
    cn_err err = CN_OK;
    cn_buf_init(&der, key->mem, CN_KEY_PRIVATE_MAX_BYTES);
    CN_TRY(put_der(key, key->ssl->i2d_PrivateKey, &der));
    rest = cn_slice_skip(cn_buf_slice(&der), 2);
    if (!cn_slice_starts(rest, fixed) || rest.len < fixed.len + SCALAR_BYTES) {
        err = CN_ERR_BUG;
        goto out;
    }
    CN_TRY(cn_buf_append(out, cn_slice_head(cn_slice_skip(rest, fixed.len), SCALAR_BYTES)));
out:
    cn_key_wipe(&der);
    return err;
}

static cn_err put_secp256k1_public(const cn_key *key, cn_buf *out)
{
    uint8_t point[WHOLE_POINT_BYTES];
    size_t len = 0;
    if (key->ssl->EVP_PKEY_get_octet_string_param(key->pkey, "pub", point, sizeof point, &len) !=
            1 ||
        (len != WHOLE_POINT_BYTES && len != POINT_BYTES)) {
        return CN_ERR_BUG;
    }
    if (len == WHOLE_POINT_BYTES) {
        point[0] = (uint8_t)(2 | (point[WHOLE_POINT_BYTES - 1] & 1));
    }
    return cn_buf_append(out, (cn_slice){point, POINT_BYTES});
}

cn_err cn_key_put_private(const cn_key *key, cn_buf *out)
{
    if (!key->private) {
        return CN_ERR_USAGE;
    }
    if (key->type == CN_KEY_ED25519) {
        return put_ed25519(key, true, out);
    }
    return key->type == CN_KEY_SECP256K1 ? put_secp256k1(key, out)
                                         : put_der(key, key->ssl->i2d_PrivateKey, out);
}

cn_err cn_key_put_public(const cn_key *key, cn_buf *out)
{
    if (key->type == CN_KEY_ED25519) {
        return put_ed25519(key, false, out);
    }
    return key->type == CN_KEY_SECP256K1 ? put_secp256k1_public(key, out)
                                         : put_der(key, key->ssl->i2d_PUBKEY, out);
}

/* Ed25519 hashes by itself. */
static const cn_ssl_md *digest_of(const cn_key *key)
{
    return key->type == CN_KEY_ED25519 ? NULL : key->ssl->EVP_sha256();
}

cn_err cn_key_sign(const cn_key *key, cn_slice message, cn_buf *out)
{
    const cn_openssl *ssl = key->ssl;
    uint8_t signature[CN_KEY_SIGNATURE_MAX_BYTES];
    size_t len = sizeof signature;
    if (!key->private) {
        return CN_ERR_USAGE;
    }
    cn_ssl_digest *ctx = ssl->EVP_MD_CTX_new();
    if (ctx == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    bool good = ssl->EVP_DigestSignInit(ctx, NULL, digest_of(key), NULL, key->pkey) == 1 &&
                ssl->EVP_DigestSign(ctx, signature, &len, message.data, message.len) == 1;
    ssl->EVP_MD_CTX_free(ctx);
    if (good && key->type == CN_KEY_SECP256K1) {
        good = cn_secp256k1_lower(signature, &len);
    }
    if (!good) {
        ssl->ERR_clear_error();
        return CN_ERR_BUG;
    }
    return cn_buf_append(out, (cn_slice){signature, len});
}

cn_err cn_key_verify(const cn_key *key, cn_slice message, cn_slice signature, bool *ret_good)
{
    const cn_openssl *ssl = key->ssl;
    cn_ssl_digest *ctx = ssl->EVP_MD_CTX_new();
    if (ctx == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    bool good =
        ssl->EVP_DigestVerifyInit(ctx, NULL, digest_of(key), NULL, key->pkey) == 1 &&
        ssl->EVP_DigestVerify(ctx, signature.data, signature.len, message.data, message.len) == 1;
    ssl->EVP_MD_CTX_free(ctx);
    ssl->ERR_clear_error();
    *ret_good = good;
    return CN_OK;
}
