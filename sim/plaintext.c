/*
 * One message each way, { 1: peer id, 2: public key } behind its length; whatever comes behind it
 * is the channel's.
 */
#include "sim/plaintext.h"

#include "codec/protobuf.h"

enum { MESSAGE_MAX_BYTES = 4096 };

typedef struct plain_kind {
    cn_security kind;
    cn_mem *mem;
    cn_buf message; /* with its length */
} plain_kind;

typedef struct plain {
    cn_secure secure;
    const plain_kind *kind;
    cn_mem *mem;
    cn_peer_id expected; /* empty: anyone */
} plain;

static cn_err begin(cn_secure *s, cn_buf *out, cn_why *why)
{
    CN_UNUSED(why);
    return cn_buf_append(out, cn_buf_slice(&((plain *)s)->kind->message));
}

static cn_err take_message(plain *p, cn_slice message, cn_why *why)
{
    cn_cur in = {message};
    cn_slice id = {0};
    cn_slice key = {0};
    cn_pb_field field = {0};
    cn_err err = CN_OK;
    while (!cn_cur_done(&in)) {
        CN_TRY(cn_pb_next(&in, &field));
        id = field.number == 1 ? field.bytes : id;
        key = field.number == 2 ? field.bytes : key;
    }
    CN_TRY(cn_key_decode_public(p->mem, key, &p->secure.peer_key, why));
    CN_TRY(cn_peer_id_of_key(p->secure.peer_key, &p->secure.peer));
    if (!cn_slice_eq(id, cn_peer_id_bytes(&p->secure.peer))) {
        err = cn_why_set(why, CN_ERR_MALFORMED, "plaintext: id and key do not belong together");
    } else if (p->expected.len > 0 && !cn_peer_id_eq(&p->expected, &p->secure.peer)) {
        err = cn_why_set(why, CN_ERR_HASH_MISMATCH, "another peer than expected is there");
    }
    p->secure.is_established = err == CN_OK;
out:
    return err;
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
    cn_cur in = {cn_slice_of(wire, len)};
    uint64_t message_len = 0;
    cn_slice message = {0};
    cn_err err = CN_OK;
    CN_UNUSED(out);
    *ret_used = 0;
    *ret_plain = (cn_slice){0};
    if (s->is_established) {
        *ret_used = len;
        *ret_plain = cn_slice_of(wire, len);
        return CN_OK;
    }
    err = cn_varint_decode(&in, &message_len);
    if (err == CN_OK && message_len > MESSAGE_MAX_BYTES) {
        return CN_ERR_TOO_LARGE;
    }
    err = err == CN_OK ? cn_cur_take(&in, (size_t)message_len, &message) : err;
    if (err != CN_OK) {
        return err == CN_ERR_TRUNCATED ? CN_OK : err;
    }
    err = take_message((plain *)s, message, why);
    *ret_used = err == CN_OK ? len - in.rest.len : 0;
    return err;
}

static cn_err seal(cn_secure *s, const cn_slice *parts, size_t parts_len, cn_buf *out)
{
    cn_err err = s->is_established ? CN_OK : CN_ERR_USAGE;
    for (size_t i = 0; i < parts_len && err == CN_OK; i++) {
        err = cn_buf_append(out, parts[i]);
    }
    return err;
}

static cn_err finish(cn_secure *s, cn_buf *out)
{
    CN_UNUSED(s);
    CN_UNUSED(out);
    return CN_OK;
}

static void free_end(cn_secure *s)
{
    cn_key_free(s->peer_key);
    cn_free(((plain *)s)->mem, s);
}

static cn_err
open_end(cn_security *security, const cn_secure_options *options, cn_secure **ret, cn_why *why)
{
    static const cn_secure_ops ops = {begin, take, seal, finish, free_end};
    plain *p = cn_alloc(options->mem, sizeof(*p));
    CN_UNUSED(why);
    if (p == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *p = (plain){{.ops = &ops}, .kind = (const plain_kind *)security, .mem = options->mem};
    if (options->expected != NULL) {
        p->expected = *options->expected;
    }
    *ret = &p->secure;
    return CN_OK;
}

static void free_kind(cn_security *security)
{
    plain_kind *k = (plain_kind *)security;
    cn_buf_release(&k->message);
    cn_free(k->mem, k);
}

cn_err sim_plaintext_new(cn_mem *mem, const cn_key *key, cn_security **ret)
{
    cn_err err = CN_OK;
    cn_buf public_message = {0};
    cn_peer_id id = {0};
    plain_kind *k = cn_alloc(mem, sizeof(*k));
    if (k == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *k = (plain_kind){.kind = {"/plaintext/2.0.0", open_end, free_kind}, .mem = mem};
    cn_buf_init(&k->message, mem, MESSAGE_MAX_BYTES);
    cn_buf_init(&public_message, mem, MESSAGE_MAX_BYTES);
    CN_TRY(cn_peer_id_of_key(key, &id));
    CN_TRY(cn_key_encode_public(key, &public_message));
    CN_TRY(cn_varint_append(
        &k->message, cn_pb_bytes_size(1, id.len) + cn_pb_bytes_size(2, public_message.len)));
    CN_TRY(cn_pb_put_bytes(&k->message, 1, cn_peer_id_bytes(&id)));
    CN_TRY(cn_pb_put_bytes(&k->message, 2, cn_buf_slice(&public_message)));
    *ret = &k->kind;
    k = NULL;
out:
    cn_buf_release(&public_message);
    if (k != NULL) {
        free_kind(&k->kind);
    }
    return err;
}
