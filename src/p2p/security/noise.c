/*
 * One end of a Noise channel.
 *
 *   initiator: begin sends 1, AWAITS 2, sends 3, OPEN
 *   responder: AWAITS 1, sends 2, AWAITS 3, OPEN
 *
 * Every message and record is a 2-byte length and as many bytes. The handshake's secrets are wiped
 * when it is over. A nonce counts up and ends the channel before it could come twice.
 */
#include "p2p/security/noise.h"

#include "p2p/security/noise_handshake.h"
#include "p2p/security/noise_payload.h"
#include "p2p/security/parts.h"

enum {
    LENGTH_BYTES = 2,
    RECORD_PLAIN_MAX_BYTES = 65535 - CN_AEAD_TAG_BYTES,
};

typedef struct noise_kind {
    cn_security kind;
    cn_rt *rt;
    cn_mem *mem;
    cn_noise_pair lasting;
    cn_buf identity; /* the payload's part that never changes */
} noise_kind;

typedef struct noise {
    cn_secure secure;
    cn_secure_options options;
    const noise_kind *kind;
    cn_peer_id expected; /* empty: anyone */
    cn_noise_xx *xx;     /* NULL once open */
    int awaits;          /* the message that comes next; 0: open */
    cn_aead *sealer;
    cn_aead *opener;
    uint64_t sealed;
    uint64_t opened;
} noise;

static const char PROTOCOL[] = "/noise";

/* Append message `number` behind its length. */
static cn_err send_message(noise *n, int number, cn_buf *out, cn_why *why)
{
    cn_err err = CN_OK;
    cn_buf payload = {0};
    size_t at = out->len;
    size_t len = 0;
    cn_buf_init(&payload, n->options.mem, CN_NOISE_PAYLOAD_MAX_BYTES);
    if (number > 1) {
        CN_TRY(cn_buf_append(&payload, cn_buf_slice(&n->kind->identity)));
        CN_TRY(cn_noise_payload_muxers(
            n->options.mem, n->options.muxers, n->options.muxers_len, &payload));
    }
    CN_TRY(cn_buf_append(out, cn_slice_of("\0", LENGTH_BYTES)));
    CN_TRY(cn_noise_write(n->xx, number, cn_buf_slice(&payload), out, why));
    len = out->len - at - LENGTH_BYTES;
    out->data[at] = (uint8_t)(len >> 8);
    out->data[at + 1] = (uint8_t)len;
out:
    cn_buf_release(&payload);
    return err;
}

static cn_err begin(cn_secure *s, cn_buf *out, cn_why *why)
{
    noise *n = (noise *)s;
    n->awaits = n->options.is_initiator ? 2 : 1;
    return n->options.is_initiator ? send_message(n, 1, out, why) : CN_OK;
}

/* The first muxer of the initiator's list that the other side has too; one of our own names. */
static const char *choose_muxer(const noise *n, const cn_noise_payload *p)
{
    size_t outer = n->options.is_initiator ? n->options.muxers_len : p->muxers_len;
    size_t inner = n->options.is_initiator ? p->muxers_len : n->options.muxers_len;
    for (size_t i = 0; i < outer; i++) {
        for (size_t j = 0; j < inner; j++) {
            const char *ours = n->options.muxers[n->options.is_initiator ? i : j];
            if (cn_slice_is(p->muxers[n->options.is_initiator ? j : i], ours)) {
                return ours;
            }
        }
    }
    return NULL;
}

static cn_err take_identity(noise *n, cn_slice payload, cn_why *why)
{
    cn_err err = CN_OK;
    cn_noise_payload *p = cn_alloc(n->options.mem, sizeof(*p));
    if (p == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    CN_TRY(cn_noise_payload_decode(payload, p, why));
    CN_TRY(cn_noise_payload_verify(
        n->options.mem, p, cn_slice_of(n->xx->their_lasting, CN_X25519_BYTES), &n->secure.peer_key,
        &n->secure.peer, why));
    if (n->expected.len > 0 && !cn_peer_id_eq(&n->expected, &n->secure.peer)) {
        err = cn_secure_wrong_peer(n->options.mem, &n->secure.peer, &n->expected, why);
        goto out;
    }
    n->secure.muxer = choose_muxer(n, p);
out:
    cn_free(n->options.mem, p);
    return err;
}

static void drop_handshake(noise *n)
{
    if (n->xx != NULL) {
        cn_wipe(n->xx, sizeof(*n->xx));
        cn_free(n->options.mem, n->xx);
        n->xx = NULL;
    }
}

static cn_err open_channel(noise *n, cn_why *why)
{
    cn_err err = CN_OK;
    uint8_t keys[2][CN_SHA256_BYTES];
    int ours = n->options.is_initiator ? 0 : 1;
    cn_noise_split(&n->xx->state, keys[0], keys[1]);
    cn_mem *mem = n->options.mem;
    CN_TRY(cn_aead_new(mem, CN_AEAD_CHACHA20, keys[ours], true, &n->sealer, why));
    CN_TRY(cn_aead_new(mem, CN_AEAD_CHACHA20, keys[1 - ours], false, &n->opener, why));
    drop_handshake(n);
    n->awaits = 0;
    n->secure.is_established = true;
out:
    cn_wipe(keys, sizeof(keys));
    return err;
}

static cn_err take_handshake(noise *n, uint8_t *data, size_t len, cn_buf *out, cn_why *why)
{
    cn_err err = CN_OK;
    cn_slice payload = {0};
    int number = n->awaits;
    CN_TRY(cn_noise_read(n->xx, number, data, len, &payload, why));
    if (number == 1) {
        n->awaits = 3;
        return send_message(n, 2, out, why);
    }
    CN_TRY(take_identity(n, payload, why));
    if (number == 2) {
        CN_TRY(send_message(n, 3, out, why));
    }
    CN_TRY(open_channel(n, why));
out:
    return err;
}

static cn_err take_record(noise *n, uint8_t *data, size_t len, cn_slice *ret_plain, cn_why *why)
{
    uint8_t nonce[CN_AEAD_NONCE_BYTES];
    if (n->opened == UINT64_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    cn_noise_nonce(n->opened++, nonce);
    cn_err err = cn_aead_open(n->opener, nonce, cn_slice_of(NULL, 0), data, len);
    if (err != CN_OK) {
        return cn_why_set(why, err, "noise: a record does not open");
    }
    *ret_plain = cn_slice_of(data, len - CN_AEAD_TAG_BYTES);
    return CN_OK;
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
    noise *n = (noise *)s;
    cn_slice plain = {0};
    size_t record = len < LENGTH_BYTES ? 0 : (size_t)wire[0] << 8 | wire[1];
    if (len < LENGTH_BYTES || len - LENGTH_BYTES < record) {
        *ret_used = 0;
        *ret_plain = plain;
        return CN_OK;
    }
    cn_err err = n->awaits == 0 ? take_record(n, wire + LENGTH_BYTES, record, &plain, why)
                                : take_handshake(n, wire + LENGTH_BYTES, record, out, why);
    if (err == CN_OK) {
        *ret_used = LENGTH_BYTES + record;
        *ret_plain = plain;
    }
    return err;
}

static cn_err seal(cn_secure *s, const cn_slice *parts, size_t parts_len, cn_buf *out)
{
    cn_err err = CN_OK;
    noise *n = (noise *)s;
    cn_parts walk = {.parts = parts, .parts_len = parts_len};
    cn_slice record[CN_PARTS_RECORD_MAX];
    uint8_t nonce[CN_AEAD_NONCE_BYTES];
    size_t len = 0;
    if (!s->is_established) {
        return CN_ERR_USAGE;
    }
    for (;;) {
        size_t used = cn_parts_next(&walk, RECORD_PLAIN_MAX_BYTES, record, &len);
        if (len == 0) {
            break;
        }
        if (n->sealed == UINT64_MAX) {
            return CN_ERR_TOO_LARGE;
        }
        size_t whole = len + CN_AEAD_TAG_BYTES;
        CN_TRY(cn_buf_reserve(out, LENGTH_BYTES + whole));
        uint8_t *to = out->data + out->len;
        to[0] = (uint8_t)(whole >> 8);
        to[1] = (uint8_t)whole;
        cn_noise_nonce(n->sealed++, nonce);
        CN_TRY(
            cn_aead_seal(n->sealer, nonce, cn_slice_of(NULL, 0), record, used, to + LENGTH_BYTES));
        out->len += LENGTH_BYTES + whole;
    }
out:
    return err;
}

/* Noise has no orderly end of its own. */
static cn_err finish(cn_secure *s, cn_buf *out)
{
    CN_UNUSED(s);
    CN_UNUSED(out);
    return CN_OK;
}

static void free_channel(cn_secure *s)
{
    noise *n = (noise *)s;
    drop_handshake(n);
    cn_aead_free(n->sealer);
    cn_aead_free(n->opener);
    cn_key_free(n->secure.peer_key);
    cn_free(n->options.mem, n);
}

static const cn_secure_ops ops = {begin, take, seal, finish, free_channel};

static cn_err new_pair(cn_rt *rt, cn_noise_pair *ret, cn_why *why)
{
    cn_err err = cn_rt_entropy(rt, ret->secret, sizeof(ret->secret));
    return err == CN_OK ? cn_x25519_public(ret->secret, ret->public_half, why) : err;
}

static cn_err
open_end(cn_security *security, const cn_secure_options *options, cn_secure **ret, cn_why *why)
{
    cn_err err = CN_OK;
    const noise_kind *kind = (const noise_kind *)security;
    noise *n = cn_alloc(options->mem, sizeof(*n));
    if (n == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *n = (noise){.secure = {.ops = &ops}, .options = *options, .kind = kind};
    if (options->expected != NULL) {
        n->expected = *options->expected;
    }
    n->options.expected = NULL;
    n->xx = cn_alloc(options->mem, sizeof(*n->xx));
    if (n->xx == NULL) {
        err = CN_ERR_NO_MEMORY;
        goto out;
    }
    n->xx->is_initiator = options->is_initiator;
    n->xx->lasting = kind->lasting;
    cn_noise_state_init(&n->xx->state, options->mem, cn_slice_of(NULL, 0));
    CN_TRY(new_pair(kind->rt, &n->xx->passing, why));
    *ret = &n->secure;
    n = NULL;
out:
    cn_secure_free(n == NULL ? NULL : &n->secure);
    return err;
}

static void free_kind(cn_security *security)
{
    noise_kind *k = (noise_kind *)security;
    cn_buf_release(&k->identity);
    cn_wipe(&k->lasting, sizeof(k->lasting));
    cn_free(k->mem, k);
}

cn_err cn_noise_new(cn_rt *rt, cn_mem *mem, const cn_key *key, cn_security **ret, cn_why *why)
{
    cn_err err = CN_OK;
    noise_kind *k = cn_alloc(mem, sizeof(*k));
    if (k == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *k = (noise_kind){.kind = {PROTOCOL, open_end, free_kind}, .rt = rt, .mem = mem};
    cn_buf_init(&k->identity, mem, CN_NOISE_PAYLOAD_MAX_BYTES);
    CN_TRY(new_pair(rt, &k->lasting, why));
    CN_TRY(cn_noise_payload_identity(
        mem, key, cn_slice_of(k->lasting.public_half, CN_X25519_BYTES), &k->identity));
    *ret = &k->kind;
    k = NULL;
out:
    if (k != NULL) {
        free_kind(&k->kind);
    }
    return err;
}
