/*
 * libssl between two memory BIOs. It is fed one record at a time, so at the end nothing of the
 * other side's lies in it; the traffic secrets are read off its key log, which is the one way it
 * has to tell them.
 *
 * libssl calls back for three things: the certificate (check), the protocol (the first of the
 * client's that we have) and the lines of the key log. Each finds its handshake by the SSL's own
 * data.
 */
#include "crypto/tls_handshake.h"

#include "crypto/certificate_internal.h"

enum {
    /* numbers of libssl's */
    CTRL_SESSION_CACHE = 44,
    CTRL_CERTIFICATES_MAX = 51,
    CTRL_GROUPS = 92,
    CTRL_SIGNATURES = 98,
    CTRL_VERSION_MIN = 123,
    CTRL_VERSION_MAX = 124,
    VERSION_1_3 = 0x0304,
    VERIFY_BOTH = 1 | 2, /* ask for a certificate; there must be one */
    ALPN_CHOSEN = 0,
    ALPN_REFUSED = 2,
    ALPN_NONE = 3,
    ERROR_WANTS_READ = 2,
    REASON_ALERT = 1000, /* behind it: alerts of the other side */
    VERIFY_REJECTED = 28,
    SUITE_CHACHA20 = 0x1303,

    OWN_DATA = 0,
    SECRET_CLIENT = 1,
    SECRET_SERVER = 2,
    WIRE_MAX_BYTES = 1 << 20,
};

static const uint64_t OPTION_NO_TICKET = 1u << 14;

struct cn_tls_context {
    cn_mem *mem;
    const cn_openssl *crypto;
    const cn_libssl *ssl;
    cn_ssl_ctx *ctx;
};

struct cn_tls_handshake {
    cn_tls_handshake_options options;
    const cn_tls_context *context;
    cn_ssl *ssl;
    cn_ssl_bio *in; /* both owned by ssl */
    cn_ssl_bio *out;
    cn_tls_result result;
    unsigned secrets; /* which are there */
    bool is_done;
    cn_err refused; /* what check said */
};

static const struct {
    uint8_t alert;
    const char *name;
} alerts[] = {
    {0, "close notify"},
    {10, "unexpected message"},
    {20, "bad record MAC"},
    {22, "record overflow"},
    {40, "handshake failure"},
    {42, "bad certificate"},
    {43, "unsupported certificate"},
    {44, "certificate revoked"},
    {45, "certificate expired"},
    {46, "certificate unknown"},
    {47, "illegal parameter"},
    {48, "unknown authority"},
    {49, "access denied"},
    {50, "decode error"},
    {51, "decrypt error"},
    {70, "protocol version"},
    {71, "insufficient security"},
    {80, "internal error"},
    {90, "user canceled"},
    {109, "missing extension"},
    {110, "unsupported extension"},
    {116, "certificate required"},
    {120, "no application protocol"},
};

const char *cn_tls_alert_name(uint8_t alert)
{
    for (size_t i = 0; i < CN_LEN(alerts); i++) {
        if (alerts[i].alert == alert) {
            return alerts[i].name;
        }
    }
    return "unknown alert";
}

static int check_peer(cn_ssl_chain *chain, void *arg)
{
    const cn_tls_context *c = arg;
    cn_buf der = {0};
    int index = c->ssl->SSL_get_ex_data_X509_STORE_CTX_idx();
    const cn_ssl *ssl = c->crypto->X509_STORE_CTX_get_ex_data(chain, index);
    cn_tls_handshake *h = c->ssl->SSL_get_ex_data(ssl, OWN_DATA);
    const cn_ssl_x509 *x = c->crypto->X509_STORE_CTX_get0_cert(chain);
    unsigned char *at = NULL;
    int len = c->crypto->i2d_X509(x, NULL);
    cn_buf_init(&der, h->options.mem, CN_CERTIFICATE_MAX_BYTES);
    h->refused = len <= 0 || len > CN_CERTIFICATE_MAX_BYTES ? CN_ERR_MALFORMED : CN_OK;
    if (c->crypto->OPENSSL_sk_num(c->crypto->X509_STORE_CTX_get0_untrusted(chain)) != 1) {
        h->refused = CN_ERR_MALFORMED;
    }
    if (h->refused == CN_OK) {
        h->refused = cn_buf_reserve(&der, (size_t)len);
    }
    if (h->refused == CN_OK) {
        at = der.data;
        der.len = (size_t)c->crypto->i2d_X509(x, &at);
        h->refused = h->options.check(h->options.ctx, cn_buf_slice(&der));
    }
    cn_buf_release(&der);
    if (h->refused != CN_OK) {
        c->crypto->X509_STORE_CTX_set_error(chain, VERIFY_REJECTED);
    }
    return h->refused == CN_OK ? 1 : 0;
}

static const char *protocol_of(const cn_tls_handshake *h, cn_slice name)
{
    for (size_t i = 0; i < h->options.protocols_len; i++) {
        if (cn_slice_is(name, h->options.protocols[i])) {
            return h->options.protocols[i];
        }
    }
    return NULL;
}

static int choose_protocol(
    cn_ssl *ssl,
    const unsigned char **name,
    unsigned char *name_len,
    const unsigned char *offered,
    unsigned offered_len,
    void *arg)
{
    const cn_tls_context *c = arg;
    const cn_tls_handshake *h = c->ssl->SSL_get_ex_data(ssl, OWN_DATA);
    size_t at = 0;
    if (h->options.protocols_len == 0) {
        return ALPN_NONE;
    }
    while (at < offered_len) {
        size_t len = offered[at++];
        if (len > offered_len - at) {
            break;
        }
        if (protocol_of(h, cn_slice_of(offered + at, len)) != NULL) {
            *name = offered + at;
            *name_len = (unsigned char)len;
            return ALPN_CHOSEN;
        }
        at += len;
    }
    return ALPN_REFUSED;
}

static bool unhex(cn_slice hex, uint8_t ret[CN_SHA256_BYTES])
{
    for (size_t i = 0; i < CN_SHA256_BYTES * 2 && hex.len >= CN_SHA256_BYTES * 2; i++) {
        uint8_t c = hex.data[i];
        unsigned value = (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        ret[i / 2] = (uint8_t)((unsigned)ret[i / 2] << 4 | (value & 15));
    }
    return hex.len == CN_SHA256_BYTES * 2;
}

/* "LABEL random secret", the last two in hexadecimal. */
static void note_secret(const cn_ssl *ssl, const char *text)
{
    static const struct {
        const char *label;
        unsigned which;
    } known[] = {
        {"CLIENT_TRAFFIC_SECRET_0 ", SECRET_CLIENT}, {"SERVER_TRAFFIC_SECRET_0 ", SECRET_SERVER}};
    const cn_libssl *lib = NULL;
    cn_slice line = cn_str(text);
    if (cn_libssl_open(&lib, NULL) != CN_OK) {
        return;
    }
    cn_tls_handshake *h = lib->SSL_get_ex_data(ssl, OWN_DATA);
    for (size_t i = 0; i < CN_LEN(known); i++) {
        if (cn_slice_starts(line, cn_str(known[i].label))) {
            cn_slice rest = cn_slice_skip(line, strlen(known[i].label));
            size_t gap = cn_slice_find(rest, ' ');
            uint8_t *to = known[i].which == SECRET_CLIENT ? h->result.client : h->result.server;
            if (gap < rest.len && unhex(cn_slice_skip(rest, gap + 1), to)) {
                h->secrets |= known[i].which;
            }
        }
    }
}

static bool set_up(cn_tls_context *c, const cn_certificate *own)
{
    static char groups[] = "X25519:P-256:P-384";
    static char signatures[] =
        "ECDSA+SHA256:ed25519:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:"
        "RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512";
    const cn_libssl *s = c->ssl;
    (void)s->SSL_CTX_set_options(c->ctx, OPTION_NO_TICKET);
    (void)s->SSL_CTX_ctrl(c->ctx, CTRL_SESSION_CACHE, 0, NULL);
    (void)s->SSL_CTX_ctrl(c->ctx, CTRL_CERTIFICATES_MAX, CN_CERTIFICATE_MAX_BYTES, NULL);
    s->SSL_CTX_set_verify(c->ctx, VERIFY_BOTH, NULL);
    s->SSL_CTX_set_cert_verify_callback(c->ctx, check_peer, c);
    s->SSL_CTX_set_alpn_select_cb(c->ctx, choose_protocol, c);
    s->SSL_CTX_set_keylog_callback(c->ctx, note_secret);
    return s->SSL_CTX_ctrl(c->ctx, CTRL_VERSION_MIN, VERSION_1_3, NULL) == 1 &&
           s->SSL_CTX_ctrl(c->ctx, CTRL_VERSION_MAX, VERSION_1_3, NULL) == 1 &&
           s->SSL_CTX_ctrl(c->ctx, CTRL_GROUPS, 0, groups) == 1 &&
           s->SSL_CTX_ctrl(c->ctx, CTRL_SIGNATURES, 0, signatures) == 1 &&
           s->SSL_CTX_set_num_tickets(c->ctx, 0) == 1 &&
           s->SSL_CTX_set_ciphersuites(
               c->ctx, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
           s->SSL_CTX_use_certificate(c->ctx, own->x509) == 1 &&
           s->SSL_CTX_use_PrivateKey(c->ctx, own->key) == 1;
}

cn_err cn_tls_context_new(cn_mem *mem, const cn_certificate *own, cn_tls_context **ret, cn_why *why)
{
    const cn_libssl *ssl = NULL;
    cn_err err = cn_libssl_open(&ssl, why);
    if (err != CN_OK) {
        return err;
    }
    cn_tls_context *c = cn_alloc(mem, sizeof(*c));
    if (c == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *c = (cn_tls_context){.mem = mem, .crypto = own->ssl, .ssl = ssl};
    c->ctx = ssl->SSL_CTX_new(ssl->TLS_method());
    err = c->ctx == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    if (err == CN_OK && !set_up(c, own)) {
        err = cn_why_set(why, CN_ERR_UNSUPPORTED, "libssl cannot be set up for TLS 1.3");
    }
    if (err != CN_OK) {
        own->ssl->ERR_clear_error();
        cn_tls_context_free(c);
        return err;
    }
    *ret = c;
    return CN_OK;
}

void cn_tls_context_free(cn_tls_context *c)
{
    if (c != NULL) {
        c->ssl->SSL_CTX_free(c->ctx);
        cn_free(c->mem, c);
    }
}

/* The client's list as ALPN writes it: each name behind its length. */
static bool offer_protocols(cn_tls_handshake *h)
{
    cn_buf list = {0};
    cn_err err = CN_OK;
    cn_buf_init(&list, h->options.mem, CN_TLS_PROTOCOLS_MAX * 256);
    for (size_t i = 0; i < h->options.protocols_len; i++) {
        cn_slice name = cn_str(h->options.protocols[i]);
        CN_ASSERT(name.len > 0 && name.len < 256);
        CN_TRY(cn_buf_byte(&list, (uint8_t)name.len));
        CN_TRY(cn_buf_append(&list, name));
    }
    if (h->context->ssl->SSL_set_alpn_protos(h->ssl, list.data, (unsigned)list.len) != 0) {
        err = CN_ERR_NO_MEMORY;
    }
out:
    cn_buf_release(&list);
    return err == CN_OK;
}

static bool connect_ends(cn_tls_handshake *h)
{
    const cn_openssl *crypto = h->context->crypto;
    const cn_libssl *ssl = h->context->ssl;
    h->in = crypto->BIO_new(crypto->BIO_s_mem());
    h->out = crypto->BIO_new(crypto->BIO_s_mem());
    if (h->in == NULL || h->out == NULL) {
        (void)crypto->BIO_free(h->in);
        (void)crypto->BIO_free(h->out);
        return false;
    }
    ssl->SSL_set_bio(h->ssl, h->in, h->out);
    if (ssl->SSL_set_ex_data(h->ssl, OWN_DATA, h) != 1) {
        return false;
    }
    if (!h->options.is_client) {
        ssl->SSL_set_accept_state(h->ssl);
        return true;
    }
    ssl->SSL_set_connect_state(h->ssl);
    return h->options.protocols_len == 0 || offer_protocols(h);
}

cn_err cn_tls_handshake_new(
    cn_tls_context *c, const cn_tls_handshake_options *options, cn_tls_handshake **ret)
{
    CN_ASSERT(options->protocols_len <= CN_TLS_PROTOCOLS_MAX);
    cn_tls_handshake *h = cn_alloc(options->mem, sizeof(*h));
    if (h == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *h = (cn_tls_handshake){.options = *options, .context = c};
    h->ssl = c->ssl->SSL_new(c->ctx);
    if (h->ssl == NULL || !connect_ends(h)) {
        c->crypto->ERR_clear_error();
        cn_tls_handshake_free(h);
        return CN_ERR_NO_MEMORY;
    }
    *ret = h;
    return CN_OK;
}

void cn_tls_handshake_free(cn_tls_handshake *h)
{
    if (h != NULL) {
        cn_mem *mem = h->options.mem;
        h->context->ssl->SSL_free(h->ssl);
        cn_wipe(h, sizeof(*h));
        cn_free(mem, h);
    }
}

static cn_err take_out(cn_tls_handshake *h, cn_buf *out)
{
    const cn_openssl *crypto = h->context->crypto;
    size_t waiting = crypto->BIO_ctrl_pending(h->out);
    if (waiting == 0) {
        return CN_OK;
    }
    cn_err err = waiting > WIRE_MAX_BYTES ? CN_ERR_TOO_LARGE : cn_buf_reserve(out, waiting);
    if (err == CN_OK) {
        int got = crypto->BIO_read(h->out, out->data + out->len, (int)waiting);
        out->len += got > 0 ? (size_t)got : 0;
    }
    return err;
}

static cn_err tell_failure(const cn_tls_handshake *h, cn_why *why)
{
    const cn_openssl *crypto = h->context->crypto;
    unsigned long error = crypto->ERR_peek_last_error();
    unsigned long reason = error & 0x7fffff;
    if (h->refused != CN_OK) {
        return h->refused;
    }
    if (reason >= REASON_ALERT && reason < REASON_ALERT + 256) {
        uint8_t alert = (uint8_t)(reason - REASON_ALERT);
        return cn_why_set(
            why, CN_ERR_MALFORMED, "tls: the other side broke the handshake off: %s (alert %u)",
            cn_tls_alert_name(alert), (unsigned)alert);
    }
    const char *text = crypto->ERR_reason_error_string(error);
    return cn_why_set(
        why, CN_ERR_MALFORMED, "tls: the handshake failed: %s", text == NULL ? "no reason" : text);
}

cn_err cn_tls_handshake_step(
    cn_tls_handshake *h, cn_slice record, cn_buf *out, bool *ret_done, cn_why *why)
{
    const cn_openssl *crypto = h->context->crypto;
    const cn_libssl *ssl = h->context->ssl;
    CN_ASSERT(!h->is_done && record.len <= WIRE_MAX_BYTES);
    crypto->ERR_clear_error();
    if (record.len > 0 && crypto->BIO_write(h->in, record.data, (int)record.len) <= 0) {
        crypto->ERR_clear_error();
        return CN_ERR_NO_MEMORY;
    }
    int result = ssl->SSL_do_handshake(h->ssl);
    bool waits = result != 1 && ssl->SSL_get_error(h->ssl, result) == ERROR_WANTS_READ;
    cn_err err = result == 1 || waits ? CN_OK : tell_failure(h, why);
    cn_err out_err = take_out(h, out);
    crypto->ERR_clear_error();
    h->is_done = result == 1;
    *ret_done = h->is_done;
    return err == CN_OK ? out_err : err;
}

cn_err cn_tls_handshake_result(const cn_tls_handshake *h, cn_tls_result *ret)
{
    const cn_libssl *ssl = h->context->ssl;
    const unsigned char *name = NULL;
    unsigned len = 0;
    if (!h->is_done || h->secrets != (SECRET_CLIENT | SECRET_SERVER)) {
        return CN_ERR_BUG;
    }
    *ret = h->result;
    ret->kind =
        ssl->SSL_CIPHER_get_protocol_id(ssl->SSL_get_current_cipher(h->ssl)) == SUITE_CHACHA20
            ? CN_AEAD_CHACHA20
            : CN_AEAD_AES128;
    ssl->SSL_get0_alpn_selected(h->ssl, &name, &len);
    ret->protocol = name == NULL ? NULL : protocol_of(h, cn_slice_of(name, len));
    return CN_OK;
}
