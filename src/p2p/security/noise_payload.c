/*
 * A protobuf of identity_key = 1, identity_sig = 2, extensions = 4 {stream_muxers = 2}. Field 3 is
 * retired. What is signed is a fixed prefix and the raw Noise key.
 */
#include "p2p/security/noise_payload.h"

#include "codec/protobuf.h"

static const char PREFIX[] = "noise-libp2p-static-key:";

static cn_err signed_text(cn_mem *mem, cn_slice lasting, cn_buf *ret)
{
    cn_err err = CN_OK;
    cn_buf_init(ret, mem, 256);
    CN_TRY(cn_buf_text(ret, PREFIX));
    CN_TRY(cn_buf_append(ret, lasting));
out:
    return err;
}

cn_err cn_noise_payload_identity(cn_mem *mem, const cn_key *key, cn_slice lasting, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_buf text = {0};
    cn_buf message = {0};
    cn_buf signature = {0};
    cn_buf_init(&message, mem, CN_NOISE_PAYLOAD_MAX_BYTES);
    cn_buf_init(&signature, mem, CN_KEY_SIGNATURE_MAX_BYTES);
    CN_TRY(signed_text(mem, lasting, &text));
    CN_TRY(cn_key_encode_public(key, &message));
    CN_TRY(cn_key_sign(key, cn_buf_slice(&text), &signature));
    CN_TRY(cn_pb_put_bytes(out, 1, cn_buf_slice(&message)));
    CN_TRY(cn_pb_put_bytes(out, 2, cn_buf_slice(&signature)));
out:
    cn_buf_release(&text);
    cn_buf_release(&message);
    cn_buf_release(&signature);
    return err;
}

cn_err
cn_noise_payload_muxers(cn_mem *mem, const char *const *muxers, size_t muxers_len, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_buf list = {0};
    cn_buf_init(&list, mem, CN_NOISE_PAYLOAD_MAX_BYTES);
    for (size_t i = 0; i < muxers_len; i++) {
        CN_TRY(cn_pb_put_bytes(&list, 2, cn_str(muxers[i])));
    }
    if (list.len > 0) {
        CN_TRY(cn_pb_put_bytes(out, 4, cn_buf_slice(&list)));
    }
out:
    cn_buf_release(&list);
    return err;
}

static cn_err decode_extensions(cn_slice in, cn_noise_payload *ret)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(in);
    cn_pb_field f = {0};
    bool is_long = false;
    while (!cn_cur_done(&cur)) {
        CN_TRY(cn_pb_next(&cur, &f));
        if (f.number != 2 || f.wire != CN_PB_BYTES) {
            continue;
        }
        is_long = is_long || ret->muxers_len == CN_NOISE_MUXERS_MAX;
        if (!is_long) {
            ret->muxers[ret->muxers_len++] = f.bytes;
        }
    }
    ret->muxers_len = is_long ? 0 : ret->muxers_len;
out:
    return err;
}

cn_err cn_noise_payload_decode(cn_slice in, cn_noise_payload *ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(in);
    cn_pb_field f = {0};
    ret->identity_key = ret->signature = cn_slice_of(NULL, 0);
    ret->muxers_len = 0;
    while (!cn_cur_done(&cur)) {
        CN_TRY(cn_pb_next(&cur, &f));
        if (f.wire == CN_PB_BYTES && f.number == 1) {
            ret->identity_key = f.bytes;
        } else if (f.wire == CN_PB_BYTES && f.number == 2) {
            ret->signature = f.bytes;
        } else if (f.wire == CN_PB_BYTES && f.number == 4) {
            CN_TRY(decode_extensions(f.bytes, ret));
        }
    }
out:
    return err == CN_OK ? CN_OK
                        : cn_why_set(why, err, "noise: the handshake payload is no protobuf");
}

cn_err cn_noise_payload_verify(
    cn_mem *mem,
    const cn_noise_payload *p,
    cn_slice lasting,
    cn_key **ret_key,
    cn_peer_id *ret_id,
    cn_why *why)
{
    cn_err err = CN_OK;
    cn_buf text = {0};
    cn_key *key = NULL;
    bool good = false;
    CN_TRY(signed_text(mem, lasting, &text));
    CN_TRY(cn_key_decode_public(mem, p->identity_key, &key, why));
    CN_TRY(cn_key_verify(key, cn_buf_slice(&text), p->signature, &good));
    if (!good) {
        err = cn_why_set(
            why, CN_ERR_MALFORMED, "noise: the peer's signature does not match its identity");
        goto out;
    }
    CN_TRY(cn_peer_id_of_key(key, ret_id));
    *ret_key = key;
    key = NULL;
out:
    cn_key_free(key);
    cn_buf_release(&text);
    return err;
}
