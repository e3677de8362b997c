/*
 * Whose certificate is it: the published vectors, the extension's form, and certificates that are
 * wrong in one way each.
 */
#include "crypto/openssl.h"
#include "lib/test.h"
#include "p2p/security/tls_identity.h"

#include <jansson.h>

static const cn_wall NOW = {(int64_t)1790000000 * CN_NS_PER_S};

static void unhex_into(const char *hex, cn_buf *ret)
{
    for (size_t i = 0; hex[i] != '\0'; i += 2) {
        CHECK_OK(cn_buf_append(ret, test_hex((char[]){hex[i], hex[i + 1], '\0'})));
    }
}

static cn_err verify(cn_slice der, cn_wall now, cn_peer_id *ret, cn_why *why)
{
    cn_key *key = NULL;
    cn_err err = cn_tls_identity_verify(cn_mem_default(), der, now, &key, ret, why);
    cn_key_free(key);
    return err;
}

static void check_vector(const json_t *one)
{
    cn_buf der = {0};
    cn_buf text = {0};
    cn_peer_id id = {0};
    cn_why why = {{0}};
    cn_buf_init(&der, cn_mem_default(), 1 << 16);
    cn_buf_init(&text, cn_mem_default(), 1 << 10);
    unhex_into(json_string_value(json_object_get(one, "certificate")), &der);
    cn_err err = verify(cn_buf_slice(&der), NOW, &id, &why);
    if (json_is_true(json_object_get(one, "valid"))) {
        CHECK_OK(err);
        CHECK_OK(cn_peer_id_encode_text(&id, 0, &text));
        CHECK_BYTES(
            cn_buf_slice(&text), cn_str(json_string_value(json_object_get(one, "peer_id"))));
        for (size_t i = 0; i < der.len; i++) { /* no byte is free to change */
            der.data[i] ^= 1;
            CHECK(verify(cn_buf_slice(&der), NOW, &id, NULL) != CN_OK);
            CHECK(verify(cn_slice_of(der.data, i), NOW, &id, NULL) != CN_OK);
            der.data[i] ^= 1;
        }
    } else {
        CHECK_ERR(err, CN_ERR_MALFORMED);
        CHECK_STR(why.text, "tls: the peer's signature does not match its identity");
    }
    cn_buf_release(&der);
    cn_buf_release(&text);
}

static void published_vectors_come_out(void)
{
    cn_buf file = {0};
    size_t index = 0;
    json_t *one = NULL;
    if (!test_fixture("keys/libp2p-tls-certificates.json", &file)) {
        return;
    }
    json_t *root = json_loadb((const char *)file.data, file.len, 0, NULL);
    CHECK_EQ(json_array_size(json_object_get(root, "cases")), 4);
    json_array_foreach(json_object_get(root, "cases"), index, one)
    {
        check_vector(one);
    }
    json_decref(root);
    cn_buf_release(&file);
}

/* A certificate made as told. */
typedef struct forged {
    const char *type; /* of its key, as EVP_PKEY_Q_keygen takes it */
    const char *curve;
    size_t bits;
    const char *oid;
    const char *oid2;       /* a second extension */
    bool is_critical2;      /* and the first */
    bool is_critical;       /* libp2p's own may be */
    bool is_other_identity; /* signed by another than it names */
    bool is_other_signer;   /* the certificate is signed by another key */
    long from_s;
    long until_s;
} forged;

static void add_extension(
    const cn_openssl *ssl, cn_ssl_x509 *x, const char *oid, bool is_critical, cn_slice value)
{
    enum { OCTET_STRING = 4 };
    cn_ssl_oid *name = ssl->OBJ_txt2obj(oid, 1);
    cn_ssl_string *s = ssl->ASN1_STRING_type_new(OCTET_STRING);
    CHECK(ssl->ASN1_STRING_set(s, value.data, (int)value.len) == 1);
    cn_ssl_extension *e = ssl->X509_EXTENSION_create_by_OBJ(NULL, name, is_critical ? 1 : 0, s);
    CHECK(e != NULL && ssl->X509_add_ext(x, e, -1) == 1);
    ssl->X509_EXTENSION_free(e);
    ssl->ASN1_STRING_free(s);
    ssl->ASN1_OBJECT_free(name);
}

static cn_ssl_key *make_key(const cn_openssl *ssl, const forged *f)
{
    if (f->curve != NULL) {
        return ssl->EVP_PKEY_Q_keygen(NULL, NULL, f->type, f->curve);
    }
    return ssl->EVP_PKEY_Q_keygen(NULL, NULL, f->type, f->bits);
}

static void put_value(const cn_openssl *ssl, cn_ssl_key *pkey, const forged *f, cn_buf *ret)
{
    cn_key *key = NULL;
    cn_key *named = NULL;
    unsigned char *spki = NULL;
    unsigned char room[1024];
    spki = room;
    int len = ssl->i2d_PUBKEY(pkey, &spki);
    CHECK(len > 0);
    CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &key, NULL));
    CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &named, NULL));
    CHECK_OK(cn_tls_identity_encode(cn_mem_default(), key, cn_slice_of(room, (size_t)len), ret));
    if (f->is_other_identity) {
        cn_buf message = {0};
        cn_buf_init(&message, cn_mem_default(), 256);
        CHECK_OK(cn_key_encode_public(named, &message));
        cn_copy(ret->data + 4, message.data, message.len);
        cn_buf_release(&message);
    }
    cn_key_free(key);
    cn_key_free(named);
}

static void forge(const forged *f, cn_buf *ret)
{
    const cn_openssl *ssl = NULL;
    cn_buf value = {0};
    unsigned char room[4096];
    unsigned char *at = room;
    CHECK_OK(cn_openssl_open(&ssl, NULL));
    cn_buf_init(&value, cn_mem_default(), 4096);
    cn_ssl_key *key = make_key(ssl, f);
    cn_ssl_key *other = make_key(ssl, f);
    cn_ssl_x509 *x = ssl->X509_new();
    put_value(ssl, key, f, &value);
    CHECK(ssl->X509_set_version(x, 2) == 1);
    CHECK(ssl->ASN1_TIME_adj(ssl->X509_getm_notBefore(x), NOW.ns / CN_NS_PER_S, 0, f->from_s));
    CHECK(ssl->ASN1_TIME_adj(ssl->X509_getm_notAfter(x), NOW.ns / CN_NS_PER_S, 0, f->until_s));
    CHECK(ssl->X509_set_pubkey(x, key) == 1);
    if (f->oid != NULL) {
        add_extension(ssl, x, f->oid, f->is_critical, cn_buf_slice(&value));
    }
    if (f->oid2 != NULL) {
        add_extension(ssl, x, f->oid2, f->is_critical2, cn_str("\x05"));
    }
    bool hashes = strcmp(f->type, "ED25519") != 0;
    CHECK(
        ssl->X509_sign(x, f->is_other_signer ? other : key, hashes ? ssl->EVP_sha256() : NULL) > 0);
    int len = ssl->i2d_X509(x, &at);
    CHECK(len > 0 && (size_t)len <= sizeof(room));
    CHECK_OK(cn_buf_append(ret, cn_slice_of(room, (size_t)len)));
    ssl->X509_free(x);
    ssl->EVP_PKEY_free(key);
    ssl->EVP_PKEY_free(other);
    cn_buf_release(&value);
}

static void check_forged(const forged *f, const char *reason)
{
    cn_buf der = {0};
    cn_why why = {{0}};
    cn_peer_id id = {0};
    cn_buf_init(&der, cn_mem_default(), 8192);
    forge(f, &der);
    cn_err err = verify(cn_buf_slice(&der), NOW, &id, &why);
    if (reason == NULL) {
        CHECK_OK(err);
        CHECK(id.len > 0);
    } else {
        CHECK_ERR(err, CN_ERR_MALFORMED);
        CHECK_STR(why.text, reason);
    }
    cn_buf_release(&der);
}

#define LIBP2P .oid = "1.3.6.1.4.1.53594.1.1"
#define P256 .type = "EC", .curve = "P-256"
#define HOUR .from_s = -3600, .until_s = 3600

static void keys_in_use_are_taken(void)
{
    static const forged good[] = {
        {P256, LIBP2P, HOUR},
        {.type = "EC", .curve = "P-384", LIBP2P, HOUR},
        {.type = "ED25519", LIBP2P, HOUR},
        {.type = "RSA", .bits = 2048, LIBP2P, HOUR},
        {P256, LIBP2P, HOUR, .is_critical = true},
        {P256, LIBP2P, HOUR, .oid2 = "1.2.3.4"},
    };
    for (size_t i = 0; i < CN_LEN(good); i++) {
        check_forged(&good[i], NULL);
    }
}

static void what_is_wrong_is_said(void)
{
    static const struct {
        forged f;
        const char *reason;
    } bad[] = {
        {{P256, LIBP2P, .from_s = 60, .until_s = 3600},
         "tls: the peer's certificate is not valid yet"},
        {{P256, LIBP2P, .from_s = -3600, .until_s = -60},
         "tls: the peer's certificate has expired"},
        {{P256, HOUR}, "tls: the peer's certificate has no extension of libp2p's"},
        {{P256, .oid = "1.3.6.1.4.1.53594.1.2", HOUR},
         "tls: the peer's certificate has no extension of libp2p's"},
        {{P256, LIBP2P, HOUR, .oid2 = "1.2.3.4", .is_critical2 = true},
         "tls: the peer's certificate has a critical extension that libp2p does not know"},
        {{P256, LIBP2P, HOUR, .oid2 = "1.3.6.1.4.1.53594.1.1"},
         "tls: the peer's certificate has libp2p's extension twice"},
        {{P256, LIBP2P, HOUR, .is_other_signer = true},
         "tls: the peer's certificate is not signed by its own key"},
        {{P256, LIBP2P, HOUR, .is_other_identity = true},
         "tls: the peer's signature does not match its identity"},
        {{.type = "RSA", .bits = 1024, LIBP2P, HOUR},
         "tls: the peer's certificate has a key of a kind or size not in use"},
    };
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        check_forged(&bad[i].f, bad[i].reason);
    }
}

static void only_the_one_form_of_the_extension_is_read(void)
{
    cn_tls_identity got = {0};
    CHECK_OK(cn_tls_identity_decode(test_hex("30060401aa0401bb"), &got));
    CHECK_BYTES(got.public_key, test_hex("aa"));
    CHECK_BYTES(got.signature, test_hex("bb"));
    static const char *const bad[] = {
        "",
        "30",
        "3006",
        "30060401aa0401",     /* cut short */
        "31060401aa0401bb",   /* no sequence */
        "30060301aa0401bb",   /* no octet string */
        "30060401aa0401bb00", /* something behind */
        "30070401aa0401bb00", /* something behind, inside */
        "30030401aa",         /* no signature */
        "3081060401aa0401bb", /* a length longer than needed */
        "308200060401aa0401bb",
        "30800401aa0401bb0000", /* no length at all */
        "30830000060401aa0401bb",
        "300604ffaa0401bb",
    };
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        CHECK(cn_tls_identity_decode(test_hex(bad[i]), &got) != CN_OK);
    }
}

static cn_err read_once(cn_mem *mem)
{
    static cn_buf der;
    static const forged good = {P256, LIBP2P, HOUR};
    cn_key *key = NULL;
    cn_peer_id id = {0};
    if (der.len == 0) {
        cn_buf_init(&der, cn_mem_default(), 8192);
        forge(&good, &der);
    }
    cn_err err = cn_tls_identity_verify(mem, cn_buf_slice(&der), NOW, &key, &id, NULL);
    cn_key_free(key);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(read_once);
}

int main(void)
{
    TEST(published_vectors_come_out);
    TEST(keys_in_use_are_taken);
    TEST(what_is_wrong_is_said);
    TEST(only_the_one_form_of_the_extension_is_read);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
