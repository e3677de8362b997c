/*
 * What is signed is never sent: it is made again from domain, type and payload on both sides. The
 * envelope itself is plain protobuf, each field once; of a repeated one the last counts, as
 * protobuf readers do.
 */
#include "p2p/host/envelope.h"

#include "codec/protobuf.h"
#include "multiformats/key.h"

enum {
    PUBLIC_KEY = 1,
    PAYLOAD_TYPE = 2,
    PAYLOAD = 3,
    SIGNATURE = 5,
    SIGNED_MAX_BYTES = CN_ENVELOPE_MAX_BYTES + CN_ENVELOPE_DOMAIN_MAX_BYTES + 32,
};

static cn_err put_counted(cn_buf *out, cn_slice bytes)
{
    cn_err err = cn_varint_append(out, bytes.len);
    return err == CN_OK ? cn_buf_append(out, bytes) : err;
}

/* Append what the signature is over. */
static cn_err put_signed(cn_buf *out, cn_slice domain, cn_slice payload_type, cn_slice payload)
{
    cn_err err = CN_OK;
    CN_TRY(put_counted(out, domain));
    CN_TRY(put_counted(out, payload_type));
    CN_TRY(put_counted(out, payload));
out:
    return err;
}

cn_err cn_envelope_seal(
    cn_mem *mem,
    const cn_key *key,
    cn_slice domain,
    cn_slice payload_type,
    cn_slice payload,
    cn_buf *out)
{
    cn_err err = CN_OK;
    size_t before = out->len;
    cn_buf message = {0};
    cn_buf public_key = {0};
    cn_buf signature = {0};
    CN_ASSERT(domain.len > 0 && domain.len <= CN_ENVELOPE_DOMAIN_MAX_BYTES);
    cn_buf_init(&message, mem, SIGNED_MAX_BYTES);
    cn_buf_init(&public_key, mem, CN_KEY_PRIVATE_MAX_BYTES);
    cn_buf_init(&signature, mem, CN_KEY_SIGNATURE_MAX_BYTES);
    CN_TRY(put_signed(&message, domain, payload_type, payload));
    CN_TRY(cn_key_encode_public(key, &public_key));
    CN_TRY(cn_key_sign(key, cn_buf_slice(&message), &signature));
    CN_TRY(cn_pb_put_bytes(out, PUBLIC_KEY, cn_buf_slice(&public_key)));
    CN_TRY(cn_pb_put_bytes(out, PAYLOAD_TYPE, payload_type));
    CN_TRY(cn_pb_put_bytes(out, PAYLOAD, payload));
    CN_TRY(cn_pb_put_bytes(out, SIGNATURE, cn_buf_slice(&signature)));
    if (out->len - before > CN_ENVELOPE_MAX_BYTES) {
        err = CN_ERR_TOO_LARGE;
    }
out:
    if (err != CN_OK) {
        out->len = before;
    }
    cn_buf_release(&message);
    cn_buf_release(&public_key);
    cn_buf_release(&signature);
    return err;
}

/* The fields, unverified. */
static cn_err read_fields(cn_slice bytes, cn_envelope *ret, cn_slice *ret_signature)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(bytes);
    while (!cn_cur_done(&cur)) {
        cn_pb_field field = {0};
        CN_TRY(cn_pb_next(&cur, &field));
        if (field.wire != CN_PB_BYTES) {
            continue;
        }
        if (field.number == PUBLIC_KEY) {
            ret->public_key = field.bytes;
        } else if (field.number == PAYLOAD_TYPE) {
            ret->payload_type = field.bytes;
        } else if (field.number == PAYLOAD) {
            ret->payload = field.bytes;
        } else if (field.number == SIGNATURE) {
            *ret_signature = field.bytes;
        }
    }
    if (ret->public_key.len == 0 || ret->payload_type.len == 0 || ret_signature->len == 0) {
        err = CN_ERR_MALFORMED;
    }
out:
    return err;
}

/* `signer` is the id of the key in the form that ids are made from, however it was written. */
static cn_err verify(
    cn_mem *mem, const cn_envelope *e, cn_slice domain, cn_slice signature, cn_peer_id *ret_signer)
{
    cn_err err = CN_OK;
    bool good = false;
    cn_peer_id signer = {0};
    cn_key *key = NULL;
    cn_buf message = {0};
    cn_buf_init(&message, mem, SIGNED_MAX_BYTES);
    CN_TRY(cn_key_decode_public(mem, e->public_key, &key, NULL));
    CN_TRY(put_signed(&message, domain, e->payload_type, e->payload));
    CN_TRY(cn_key_verify(key, cn_buf_slice(&message), signature, &good));
    if (!good) {
        err = CN_ERR_HASH_MISMATCH;
        goto out;
    }
    CN_TRY(cn_peer_id_of_key(key, &signer));
    *ret_signer = signer;
out:
    cn_key_free(key);
    cn_buf_release(&message);
    return err;
}

cn_err cn_envelope_open(cn_mem *mem, cn_slice bytes, cn_slice domain, cn_envelope *ret, cn_why *why)
{
    cn_envelope e = {0};
    cn_slice signature = {0};
    cn_err err = CN_OK;
    CN_ASSERT(domain.len > 0 && domain.len <= CN_ENVELOPE_DOMAIN_MAX_BYTES);
    if (bytes.len > CN_ENVELOPE_MAX_BYTES) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "a signed envelope of %zu bytes; at most %d are read", bytes.len,
            CN_ENVELOPE_MAX_BYTES);
    }
    err = read_fields(bytes, &e, &signature);
    if (err != CN_OK) {
        return cn_why_set(
            why, err, "a signed envelope is not protobuf, or lacks key, type or signature");
    }
    err = verify(mem, &e, domain, signature, &e.signer);
    if (err == CN_ERR_HASH_MISMATCH) {
        return cn_why_set(
            why, err, "the signature of an envelope for %.*s does not verify", (int)domain.len,
            (const char *)domain.data);
    }
    if (err != CN_OK) {
        return cn_why_set(
            why, err, "the key of a signed envelope cannot be used: %s", cn_err_sentence(err));
    }
    *ret = e;
    return CN_OK;
}
