/*
 * One end of a TLS channel.
 *
 *   SHAKING (libssl) -> OPEN (tls_record.h)
 *
 * libssl is fed whole records, so when its handshake is done nothing lies in it, and it is freed. A
 * client is open before the server has looked at its certificate: the server's refusal is then the
 * first record that comes, an alert.
 *
 * Open, three kinds of records come: data; alerts; and messages of the handshake, of which tickets
 * are passed over and key updates obeyed.
 */
#include "p2p/security/tls.h"

#include "crypto/tls_handshake.h"
#include "p2p/security/parts.h"
#include "p2p/security/tls_identity.h"
#include "p2p/security/tls_record.h"

enum {
    MESSAGE_TICKET = 4,
    MESSAGE_KEY_UPDATE = 24,
    MESSAGE_HEAD_BYTES = 4,
    KEY_UPDATE_BYTES = 1,
    ALERT_CLOSE = 0,
    ALERT_CANCELED = 90,
    ALERT_BYTES = 2,
    ALERT_LEVEL_WARNING = 1,
    NAMES_MAX = CN_SECURE_MUXERS_MAX + 1,
};

typedef struct tls_kind {
    cn_security kind;
    cn_rt *rt;
    cn_mem *mem;
    cn_certificate *certificate;
    cn_tls_context *context;
    cn_peer_id self;
} tls_kind;

typedef struct tls {
    cn_secure secure;
    cn_secure_options options;
    const tls_kind *kind;
    cn_peer_id expected;         /* empty: anyone */
    cn_tls_handshake *handshake; /* NULL once open */
    const char *names[NAMES_MAX];
    cn_why *why; /* of the step that libssl is in */
    cn_tls_way in;
    cn_tls_way out;
    bool has_heard; /* data of the other side: it has taken us for who we are */
    uint8_t message[MESSAGE_HEAD_BYTES];
    size_t message_len;  /* bytes of the head that are there */
    size_t message_left; /* of the body */
} tls;

static const char PROTOCOL[] = "/tls/1.0.0";
static const char NO_MUXER[] = "libp2p"; /* the muxer is agreed on inside */

/* Called by libssl within a step of the handshake. */
static cn_err check_certificate(void *ctx, cn_slice certificate)
{
    cn_err err = CN_OK;
    tls *t = ctx;
    cn_wall now = cn_rt_wall(t->kind->rt);
    if (t->secure.peer_key != NULL) {
        return CN_ERR_MALFORMED;
    }
    CN_TRY(cn_tls_identity_verify(
        t->options.mem, certificate, now, &t->secure.peer_key, &t->secure.peer, t->why));
    if (t->expected.len > 0 && !cn_peer_id_eq(&t->expected, &t->secure.peer)) {
        err = cn_secure_wrong_peer(t->options.mem, &t->secure.peer, &t->expected, t->why);
    }
out:
    return err;
}

static cn_err open_channel(tls *t)
{
    cn_err err = CN_OK;
    cn_tls_result result;
    bool client = t->options.is_initiator;
    CN_TRY(cn_tls_handshake_result(t->handshake, &result));
    if (t->secure.peer_key == NULL) {
        err = CN_ERR_BUG;
        goto out;
    }
    CN_TRY(cn_tls_way_open(
        &t->out, t->options.mem, result.kind, true, client ? result.client : result.server));
    CN_TRY(cn_tls_way_open(
        &t->in, t->options.mem, result.kind, false, client ? result.server : result.client));
    t->secure.muxer = result.protocol == NO_MUXER ? NULL : result.protocol;
    cn_tls_handshake_free(t->handshake);
    t->handshake = NULL;
    t->secure.is_established = true;
out:
    cn_wipe(&result, sizeof(result));
    return err;
}

static cn_err shake(tls *t, cn_slice record, cn_buf *out, cn_why *why)
{
    bool is_done = false;
    t->why = why;
    cn_err err = cn_tls_handshake_step(t->handshake, record, out, &is_done, why);
    t->why = NULL;
    return err == CN_OK && is_done ? open_channel(t) : err;
}

static cn_err begin(cn_secure *s, cn_buf *out, cn_why *why)
{
    tls *t = (tls *)s;
    return t->options.is_initiator ? shake(t, cn_slice_of(NULL, 0), out, why) : CN_OK;
}

static cn_err take_alert(const tls *t, cn_slice plain, cn_why *why)
{
    cn_err err = CN_OK;
    cn_buf text = {0};
    const char *sentence = "";
    uint8_t alert = plain.len == ALERT_BYTES ? plain.data[1] : UINT8_MAX;
    if (alert == ALERT_CANCELED) {
        return CN_OK; /* the end follows */
    }
    if (alert == ALERT_CLOSE) {
        return CN_ERR_CLOSED;
    }
    cn_buf_init(&text, t->options.mem, 1024);
    CN_TRY(cn_buf_text(&text, "the peer "));
    CN_TRY(cn_peer_id_encode_text(&t->secure.peer, 0, &text));
    if (t->has_heard) {
        CN_TRY(cn_buf_text(&text, " broke off"));
    } else {
        CN_TRY(cn_buf_text(&text, " does not take us for "));
        CN_TRY(cn_peer_id_encode_text(&t->kind->self, 0, &text));
    }
    CN_TRY(cn_buf_printf(&text, ": %s (alert %u)", cn_tls_alert_name(alert), (unsigned)alert));
    CN_TRY(cn_buf_cstr(&text, &sentence));
    err = cn_why_set(why, CN_ERR_MALFORMED, "tls: %s", sentence);
out:
    cn_buf_release(&text);
    return err;
}

/* Say that new keys follow, under the old ones, and take them. */
static cn_err update_ours(tls *t, cn_buf *out)
{
    static const uint8_t message[] = {MESSAGE_KEY_UPDATE, 0, 0, KEY_UPDATE_BYTES, 0};
    cn_slice part = cn_slice_of(message, sizeof(message));
    cn_err err = cn_tls_record_seal(&t->out, CN_TLS_HANDSHAKE, &part, 1, part.len, out);
    return err == CN_OK ? cn_tls_way_next(&t->out) : err;
}

/* The body of a key update; it ends its record, since what follows is under other keys. */
static cn_err take_key_update(tls *t, cn_slice body, cn_buf *out)
{
    if (body.len != KEY_UPDATE_BYTES || body.data[0] > 1) {
        return CN_ERR_MALFORMED;
    }
    t->message_len = 0;
    t->message_left = 0;
    cn_err err = cn_tls_way_next(&t->in);
    return err == CN_OK && body.data[0] == 1 ? update_ours(t, out) : err;
}

/* Messages may be cut anywhere into records, and several may share one. */
static cn_err take_messages(tls *t, cn_slice plain, cn_buf *out)
{
    cn_err err = plain.len == 0 ? CN_ERR_MALFORMED : CN_OK;
    while (err == CN_OK && plain.len > 0) {
        if (t->message_len < MESSAGE_HEAD_BYTES) {
            t->message[t->message_len++] = plain.data[0];
            plain = cn_slice_skip(plain, 1);
            t->message_left =
                (size_t)t->message[1] << 16 | (size_t)t->message[2] << 8 | t->message[3];
            if (t->message_len < MESSAGE_HEAD_BYTES || t->message_left > 0) {
                continue;
            }
        }
        if (t->message[0] == MESSAGE_KEY_UPDATE && t->message_left == KEY_UPDATE_BYTES) {
            return take_key_update(t, plain, out);
        }
        if (t->message[0] != MESSAGE_TICKET || !t->options.is_initiator) {
            return CN_ERR_MALFORMED;
        }
        size_t passed = CN_MIN(plain.len, t->message_left);
        plain = cn_slice_skip(plain, passed);
        t->message_left -= passed;
        t->message_len = t->message_left == 0 ? 0 : t->message_len;
    }
    return err;
}

static cn_err
take_record(tls *t, uint8_t *record, size_t len, cn_slice *ret_plain, cn_buf *out, cn_why *why)
{
    cn_err err = CN_OK;
    uint8_t type = 0;
    cn_slice plain = {0};
    if (record[0] != CN_TLS_DATA) {
        return cn_why_set(why, CN_ERR_MALFORMED, "tls: a record that is not sealed");
    }
    err = cn_tls_record_open(&t->in, record, len, &type, &plain);
    if (err != CN_OK) {
        return cn_why_set(why, err, "tls: a record does not open");
    }
    if (type == CN_TLS_ALERT) {
        return take_alert(t, plain, why);
    }
    if (type == CN_TLS_HANDSHAKE) {
        err = take_messages(t, plain, out);
    } else if (type != CN_TLS_DATA || t->message_len > 0) {
        err = CN_ERR_MALFORMED;
    } else {
        t->has_heard = true;
        *ret_plain = plain;
    }
    return err == CN_ERR_MALFORMED ? cn_why_set(why, err, "tls: a record that has no place here")
                                   : err;
}

static cn_err take(
    cn_secure *s,
    uint8_t *wire,
    size_t len,
    size_t *ret_used,
    cn_slice *ret_plain,
    cn_buf *out,
    cn_why *why)
{
    tls *t = (tls *)s;
    cn_slice plain = {0};
    if (len > 0 && (wire[0] < CN_TLS_CHANGE_CIPHER || wire[0] > CN_TLS_DATA)) {
        return cn_why_set(why, CN_ERR_MALFORMED, "tls: this is no record");
    }
    size_t record = len < CN_TLS_HEAD_BYTES ? 0 : (size_t)wire[3] << 8 | wire[4];
    if (record > CN_TLS_SEALED_MAX_BYTES) {
        return cn_why_set(why, CN_ERR_MALFORMED, "tls: a record that is too long");
    }
    if (len < CN_TLS_HEAD_BYTES || len - CN_TLS_HEAD_BYTES < record) {
        *ret_used = 0;
        *ret_plain = plain;
        return CN_OK;
    }
    record += CN_TLS_HEAD_BYTES;
    cn_err err = t->handshake != NULL ? shake(t, cn_slice_of(wire, record), out, why)
                                      : take_record(t, wire, record, &plain, out, why);
    if (err == CN_OK) {
        *ret_used = record;
        *ret_plain = plain;
    }
    return err;
}

static cn_err seal(cn_secure *s, const cn_slice *parts, size_t parts_len, cn_buf *out)
{
    cn_err err = CN_OK;
    tls *t = (tls *)s;
    cn_parts walk = {.parts = parts, .parts_len = parts_len};
    cn_slice record[CN_PARTS_RECORD_MAX];
    size_t len = 0;
    if (!s->is_established) {
        return CN_ERR_USAGE;
    }
    for (;;) {
        size_t used = cn_parts_next(&walk, CN_TLS_PLAIN_MAX_BYTES, record, &len);
        if (len == 0) {
            break;
        }
        if (cn_tls_way_is_spent(&t->out)) {
            CN_TRY(update_ours(t, out));
        }
        CN_TRY(cn_tls_record_seal(&t->out, CN_TLS_DATA, record, used, len, out));
    }
out:
    return err;
}

static cn_err finish(cn_secure *s, cn_buf *out)
{
    static const uint8_t alert[ALERT_BYTES] = {ALERT_LEVEL_WARNING, ALERT_CLOSE};
    tls *t = (tls *)s;
    cn_slice part = cn_slice_of(alert, sizeof(alert));
    return !s->is_established
               ? CN_OK
               : cn_tls_record_seal(&t->out, CN_TLS_ALERT, &part, 1, sizeof(alert), out);
}

static void free_channel(cn_secure *s)
{
    tls *t = (tls *)s;
    cn_mem *mem = t->options.mem;
    cn_tls_handshake_free(t->handshake);
    cn_tls_way_release(&t->in);
    cn_tls_way_release(&t->out);
    cn_key_free(t->secure.peer_key);
    cn_free(mem, t);
}

static const cn_secure_ops ops = {begin, take, seal, finish, free_channel};

static cn_err
open_end(cn_security *security, const cn_secure_options *options, cn_secure **ret, cn_why *why)
{
    cn_err err = CN_OK;
    const tls_kind *kind = (const tls_kind *)security;
    CN_UNUSED(why);
    CN_ASSERT(options->muxers_len <= CN_SECURE_MUXERS_MAX);
    tls *t = cn_alloc(options->mem, sizeof(*t));
    if (t == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *t = (tls){.secure = {.ops = &ops}, .options = *options, .kind = kind};
    if (options->expected != NULL) {
        t->expected = *options->expected;
    }
    t->options.expected = NULL;
    for (size_t i = 0; i < options->muxers_len; i++) {
        t->names[i] = options->muxers[i];
    }
    t->names[options->muxers_len] = NO_MUXER;
    cn_tls_handshake_options o = {
        .mem = options->mem,
        .is_client = options->is_initiator,
        .protocols = t->names,
        .protocols_len = options->muxers_len + 1,
        .check = check_certificate,
        .ctx = t,
    };
    CN_TRY(cn_tls_handshake_new(kind->context, &o, &t->handshake));
    *ret = &t->secure;
    t = NULL;
out:
    cn_secure_free(t == NULL ? NULL : &t->secure);
    return err;
}

static void free_kind(cn_security *security)
{
    tls_kind *k = (tls_kind *)security;
    cn_tls_context_free(k->context);
    cn_certificate_free(k->certificate);
    cn_free(k->mem, k);
}

static cn_err sign_certificate(tls_kind *k, const cn_key *key)
{
    cn_err err = CN_OK;
    cn_buf public_key = {0};
    cn_buf value = {0};
    cn_buf_init(&public_key, k->mem, CN_CERTIFICATE_MAX_BYTES);
    cn_buf_init(&value, k->mem, CN_CERTIFICATE_MAX_BYTES);
    CN_TRY(cn_certificate_put_public(k->certificate, &public_key));
    CN_TRY(cn_tls_identity_encode(k->mem, key, cn_buf_slice(&public_key), &value));
    CN_TRY(cn_certificate_sign(
        k->certificate, CN_TLS_EXTENSION, cn_buf_slice(&value), cn_rt_wall(k->rt)));
out:
    cn_buf_release(&public_key);
    cn_buf_release(&value);
    return err;
}

cn_err cn_tls_new(cn_rt *rt, cn_mem *mem, const cn_key *key, cn_security **ret, cn_why *why)
{
    cn_err err = CN_OK;
    tls_kind *k = cn_alloc(mem, sizeof(*k));
    if (k == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *k = (tls_kind){.kind = {PROTOCOL, open_end, free_kind}, .rt = rt, .mem = mem};
    CN_TRY(cn_peer_id_of_key(key, &k->self));
    CN_TRY(cn_certificate_new(mem, &k->certificate, why));
    CN_TRY(sign_certificate(k, key));
    CN_TRY(cn_tls_context_new(mem, k->certificate, &k->context, why));
    *ret = &k->kind;
    k = NULL;
out:
    if (k != NULL) {
        free_kind(&k->kind);
    }
    return err;
}
