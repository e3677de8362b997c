/*
 * Peer ids. A cn_peer_id that is not empty always holds one whole multihash.
 */
#include "multiformats/peerid.h"

#include "crypto/sha256.h"
#include "multiformats/key.h"
#include "multiformats/multicodec.h"

enum { PUBLIC_MESSAGE_MAX_BYTES = 8192, TEXT_MAX_BYTES = 200 };

static cn_peer_id from_digest(uint8_t code, cn_slice digest)
{
    cn_peer_id id = {.len = (uint8_t)(2 + digest.len), .bytes = {code, (uint8_t)digest.len}};
    cn_copy(id.bytes + 2, digest.data, digest.len);
    return id;
}

cn_peer_id cn_peer_id_of_message(cn_slice public_message)
{
    if (public_message.len <= CN_PEER_ID_INLINE_MAX_BYTES) {
        return from_digest(CN_MH_IDENTITY, public_message);
    }
    uint8_t digest[CN_SHA256_BYTES];
    cn_sha256(public_message, digest);
    return from_digest(CN_MH_SHA2_256, (cn_slice){digest, sizeof digest});
}

cn_err cn_peer_id_of_key(const cn_key *key, cn_peer_id *ret)
{
    cn_buf message;
    cn_buf_init(&message, cn_mem_default(), PUBLIC_MESSAGE_MAX_BYTES);
    cn_err err = cn_key_encode_public(key, &message);
    if (err == CN_OK) {
        *ret = cn_peer_id_of_message(cn_buf_slice(&message));
    }
    cn_buf_release(&message);
    return err;
}

cn_err cn_peer_id_decode(cn_slice bytes, cn_peer_id *ret)
{
    cn_multihash mh = {0};
    cn_err err = cn_multihash_decode(bytes, &mh);
    if (err != CN_OK) {
        return err;
    }
    if (mh.digest.len > CN_DIGEST_MAX_BYTES || bytes.len > CN_PEER_ID_MAX_BYTES) {
        return CN_ERR_TOO_LARGE;
    }
    *ret = (cn_peer_id){.len = (uint8_t)bytes.len};
    cn_copy(ret->bytes, bytes.data, bytes.len);
    return CN_OK;
}

static cn_err parse_base58(cn_slice text, cn_peer_id *ret, cn_why *why)
{
    cn_buf bytes;
    cn_err err = CN_ERR_TOO_LARGE;
    cn_buf_init(&bytes, cn_mem_default(), TEXT_MAX_BYTES);
    if (text.len <= TEXT_MAX_BYTES) {
        err = cn_base_n_decode(CN_BASE58_BTC, text, &bytes, NULL);
    }
    if (err == CN_OK) {
        err = cn_peer_id_decode(cn_buf_slice(&bytes), ret);
    }
    cn_buf_release(&bytes);
    if (err != CN_OK) {
        return cn_why_set(why, err, "failed to parse peer ID: input isn't valid multihash");
    }
    return CN_OK;
}

cn_err cn_peer_id_parse(cn_slice text, cn_peer_id *ret, cn_why *why)
{
    if (cn_slice_starts(text, cn_str("Qm")) || cn_slice_starts(text, cn_str("1"))) {
        return parse_base58(text, ret, why);
    }
    cn_cid cid = {0};
    cn_err err = cn_cid_parse(text, &cid, why);
    if (err != CN_OK) {
        return cn_why_wrap(why, err, "failed to parse peer ID: ");
    }
    if (cid.codec != CN_CODEC_LIBP2P_KEY) {
        const cn_multicodec *codec = cn_multicodec_by_code(cid.codec);
        return cn_why_set(
            why, CN_ERR_WRONG_TYPE, "can't convert CID of type \"%s\" to a peer ID",
            codec == NULL ? "unknown" : codec->name);
    }
    return cn_peer_id_decode(cn_cid_key(&cid), ret);
}

cn_cid cn_peer_id_to_cid(const cn_peer_id *id)
{
    cn_multihash mh = {0};
    cn_cid cid = {0};
    cn_err err = cn_multihash_decode(cn_peer_id_bytes(id), &mh);
    CN_ASSERT(err == CN_OK);
    err = cn_cid_make(1, CN_CODEC_LIBP2P_KEY, &mh, &cid);
    CN_ASSERT(err == CN_OK);
    return cid;
}

cn_err cn_peer_id_encode_text(const cn_peer_id *id, char base, cn_buf *out)
{
    if (base == '\0') {
        return cn_base_n_encode(CN_BASE58_BTC, cn_peer_id_bytes(id), out);
    }
    cn_cid cid = cn_peer_id_to_cid(id);
    return cn_cid_encode_text(&cid, base, out);
}

bool cn_peer_id_public(const cn_peer_id *id, cn_slice *ret)
{
    cn_multihash mh = {0};
    if (cn_multihash_decode(cn_peer_id_bytes(id), &mh) != CN_OK || mh.code != CN_MH_IDENTITY) {
        return false;
    }
    if (ret != NULL) {
        *ret = mh.digest;
    }
    return true;
}
