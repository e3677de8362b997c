/*
 * TLS against libssl's own records: tickets are passed over, key updates are obeyed and sent, and
 * records with padding or of the other suite are read. The other side here is libssl throughout,
 * where ours uses it for the handshake only.
 */
#include "crypto/certificate_internal.h"
#include "lib/test.h"
#include "p2p/security/tls.h"
#include "p2p/security/tls_identity.h"
#include "rt_os/rt_os.h"

#include <dlfcn.h>

/* What only this test needs of libssl. */
#define OTHER_FUNCTIONS(X)                                                                         \
    X(int, SSL_read, (cn_ssl * ssl, void *data, int len))                                          \
    X(int, SSL_write, (cn_ssl * ssl, const void *data, int len))                                   \
    X(int, SSL_key_update, (cn_ssl * ssl, int kind))                                               \
    X(int, SSL_shutdown, (cn_ssl * ssl))                                                           \
    X(int, SSL_CTX_set_block_padding, (cn_ssl_ctx * ctx, size_t block))

typedef struct other {
#define OTHER_MEMBER(result, name, arguments) result(*name) arguments;
    OTHER_FUNCTIONS(OTHER_MEMBER)
#undef OTHER_MEMBER
    const cn_openssl *crypto;
    const cn_libssl *ssl_lib;
    cn_ssl_ctx *ctx;
    cn_ssl *ssl;
    cn_ssl_bio *in;
    cn_ssl_bio *out;
    cn_rt *rt;
    cn_key *keys[2];
    cn_certificate *certificate;
    cn_security *kind;
    cn_secure *ours;
    cn_buf to_ours;
    cn_buf to_other;
    cn_buf heard; /* by ours */
    cn_why why;
} other;

static int take_anyone(cn_ssl_chain *chain, void *arg)
{
    CN_UNUSED(chain);
    CN_UNUSED(arg);
    return 1;
}

static void find_functions(other *o)
{
    void *library = dlopen("libssl.so.3", RTLD_NOW);
    void *found = NULL;
    CHECK_OK(cn_openssl_open(&o->crypto, NULL));
    CHECK_OK(cn_libssl_open(&o->ssl_lib, NULL));
#define OTHER_FIND(result, name, arguments)                                                        \
    found = dlsym(library, #name);                                                                 \
    CHECK(found != NULL);                                                                          \
    cn_copy(&o->name, &found, sizeof found);
    OTHER_FUNCTIONS(OTHER_FIND)
#undef OTHER_FIND
}

static void make_certificate(other *o)
{
    cn_buf public_key = {0};
    cn_buf value = {0};
    cn_buf_init(&public_key, cn_mem_default(), 4096);
    cn_buf_init(&value, cn_mem_default(), 4096);
    CHECK_OK(cn_certificate_new(cn_mem_default(), &o->certificate, NULL));
    CHECK_OK(cn_certificate_put_public(o->certificate, &public_key));
    CHECK_OK(
        cn_tls_identity_encode(cn_mem_default(), o->keys[1], cn_buf_slice(&public_key), &value));
    CHECK_OK(cn_certificate_sign(
        o->certificate, CN_TLS_EXTENSION, cn_buf_slice(&value), cn_rt_wall(o->rt)));
    cn_buf_release(&public_key);
    cn_buf_release(&value);
}

static void other_begin(other *o, bool we_dial, const char *suites, size_t padding)
{
    *o = (other){0};
    find_functions(o);
    CHECK_OK(cn_rt_os_new(1, &o->rt));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &o->keys[i], NULL));
    }
    make_certificate(o);
    cn_buf_init(&o->to_ours, cn_mem_default(), 1 << 20);
    cn_buf_init(&o->to_other, cn_mem_default(), 1 << 20);
    cn_buf_init(&o->heard, cn_mem_default(), 1 << 20);
    o->ctx = o->ssl_lib->SSL_CTX_new(o->ssl_lib->TLS_method());
    CHECK(o->ssl_lib->SSL_CTX_use_certificate(o->ctx, o->certificate->x509) == 1);
    CHECK(o->ssl_lib->SSL_CTX_use_PrivateKey(o->ctx, o->certificate->key) == 1);
    CHECK(o->ssl_lib->SSL_CTX_set_ciphersuites(o->ctx, suites) == 1);
    o->ssl_lib->SSL_CTX_set_verify(o->ctx, 3, NULL);
    o->ssl_lib->SSL_CTX_set_cert_verify_callback(o->ctx, take_anyone, NULL);
    CHECK(o->SSL_CTX_set_block_padding(o->ctx, padding) == 1);
    o->ssl = o->ssl_lib->SSL_new(o->ctx);
    o->in = o->crypto->BIO_new(o->crypto->BIO_s_mem());
    o->out = o->crypto->BIO_new(o->crypto->BIO_s_mem());
    o->ssl_lib->SSL_set_bio(o->ssl, o->in, o->out);
    we_dial ? o->ssl_lib->SSL_set_accept_state(o->ssl) : o->ssl_lib->SSL_set_connect_state(o->ssl);
    CHECK_OK(cn_tls_new(o->rt, cn_mem_default(), o->keys[0], &o->kind, NULL));
    cn_secure_options so = {.mem = cn_mem_default(), .is_initiator = we_dial};
    CHECK_OK(cn_secure_open(o->kind, &so, &o->ours, NULL));
    CHECK_OK(cn_secure_begin(o->ours, &o->to_other, NULL));
}

static void other_end(other *o)
{
    o->ssl_lib->SSL_free(o->ssl);
    o->ssl_lib->SSL_CTX_free(o->ctx);
    cn_secure_free(o->ours);
    o->kind->free(o->kind);
    cn_certificate_free(o->certificate);
    cn_key_free(o->keys[0]);
    cn_key_free(o->keys[1]);
    cn_buf_release(&o->to_ours);
    cn_buf_release(&o->to_other);
    cn_buf_release(&o->heard);
    cn_rt_os_free(o->rt);
}

/* Carry what libssl has to say, and let ours take it. */
static cn_err carry(other *o)
{
    cn_err err = CN_OK;
    uint8_t piece[4096];
    int got = 0;
    size_t used = 1;
    while ((got = o->crypto->BIO_read(o->out, piece, sizeof(piece))) > 0) {
        CHECK_OK(cn_buf_append(&o->to_ours, cn_slice_of(piece, (size_t)got)));
    }
    while (err == CN_OK && used > 0) {
        cn_slice plain = {0};
        err = cn_secure_take(
            o->ours, o->to_ours.data, o->to_ours.len, &used, &plain, &o->to_other, &o->why);
        if (err == CN_OK && used > 0) {
            CHECK_OK(cn_buf_append(&o->heard, plain));
            cn_buf_skip(&o->to_ours, used);
        }
    }
    if (o->to_other.len > 0) {
        CHECK(o->crypto->BIO_write(o->in, o->to_other.data, (int)o->to_other.len) > 0);
        cn_buf_reset(&o->to_other);
    }
    return err;
}

static void shake(other *o)
{
    int done = 0;
    for (int i = 0; i < 10 && (done != 1 || !o->ours->is_established); i++) {
        done = o->ssl_lib->SSL_do_handshake(o->ssl);
        CHECK_OK(carry(o));
    }
    CHECK(done == 1 && o->ours->is_established);
}

static void hear(other *o, const char *text)
{
    CHECK(o->SSL_write(o->ssl, text, (int)strlen(text)) > 0);
    CHECK_OK(carry(o));
    CHECK_BYTES(cn_buf_slice(&o->heard), cn_str(text));
    cn_buf_reset(&o->heard);
}

static void tell(other *o, const char *text)
{
    char got[256] = {0};
    cn_slice part = cn_str(text);
    CHECK_OK(cn_secure_seal(o->ours, &part, 1, &o->to_other));
    CHECK_OK(carry(o));
    CHECK_EQ(o->SSL_read(o->ssl, got, sizeof(got) - 1), (int)part.len);
    CHECK_STR(got, text);
}

static const char AES[] = "TLS_AES_128_GCM_SHA256";
static const char CHACHA[] = "TLS_CHACHA20_POLY1305_SHA256";

static void both_suites_and_padding_are_read(void)
{
    for (int i = 0; i < 4; i++) {
        other o;
        other_begin(&o, i / 2 == 0, i % 2 == 0 ? AES : CHACHA, i % 2 == 0 ? 1024 : 0);
        shake(&o); /* libssl, accepting, sends two tickets: hear passes over them */
        hear(&o, "first");
        tell(&o, "second");
        hear(&o, "third");
        other_end(&o);
    }
}

static void a_suite_we_do_not_have_is_refused(void)
{
    other o;
    other_begin(&o, false, "TLS_AES_256_GCM_SHA384", 0);
    CHECK(o.ssl_lib->SSL_do_handshake(o.ssl) != 1);
    CHECK_ERR(carry(&o), CN_ERR_MALFORMED);
    CHECK(!o.ours->is_established);
    other_end(&o);
}

static void key_updates_are_obeyed(void)
{
    enum { NOT_WANTED = 0, WANTED = 1 };
    for (int dial = 0; dial < 2; dial++) {
        other o;
        other_begin(&o, dial == 0, dial == 0 ? AES : CHACHA, 0);
        shake(&o);
        hear(&o, "before");
        CHECK(o.SSL_key_update(o.ssl, NOT_WANTED) == 1);
        hear(&o, "one side has new keys");
        tell(&o, "the other not");
        CHECK(o.SSL_key_update(o.ssl, WANTED) == 1);
        hear(&o, "both shall have");
        tell(&o, "and do");
        hear(&o, "and go on");
        other_end(&o);
    }
}

static void the_end_of_the_other_is_orderly(void)
{
    other o;
    other_begin(&o, true, AES, 0);
    shake(&o);
    hear(&o, "first");
    (void)o.SSL_shutdown(o.ssl);
    CHECK_ERR(carry(&o), CN_ERR_CLOSED);
    other_end(&o);
}

int main(void)
{
    TEST(both_suites_and_padding_are_read);
    TEST(a_suite_we_do_not_have_is_refused);
    TEST(key_updates_are_obeyed);
    TEST(the_end_of_the_other_is_orderly);
    return test_end();
}
