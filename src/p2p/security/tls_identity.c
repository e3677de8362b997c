/*
 * The value is DER: SEQUENCE { OCTET STRING key, OCTET STRING signature }. What is signed is a
 * fixed prefix and the certificate's SubjectPublicKeyInfo.
 */
#include "p2p/security/tls_identity.h"

#include "base/cur.h"

enum { TAG_SEQUENCE = 0x30, TAG_OCTETS = 0x04, VALUE_MAX_BYTES = 16384 };

const char CN_TLS_EXTENSION[] = "1.3.6.1.4.1.53594.1.1";
static const char PREFIX[] = "libp2p-tls-handshake:";

static cn_err put_head(cn_buf *out, uint8_t tag, size_t len)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_byte(out, tag));
    if (len >= 256) {
        CN_TRY(cn_buf_byte(out, 0x82));
        CN_TRY(cn_buf_byte(out, (uint8_t)(len >> 8)));
    } else if (len >= 128) {
        CN_TRY(cn_buf_byte(out, 0x81));
    }
    CN_TRY(cn_buf_byte(out, (uint8_t)len));
out:
    return err;
}

static cn_err put_octets(cn_buf *out, cn_slice bytes)
{
    cn_err err = put_head(out, TAG_OCTETS, bytes.len);
    return err == CN_OK ? cn_buf_append(out, bytes) : err;
}

static cn_err signed_text(cn_mem *mem, cn_slice public_key, cn_buf *ret)
{
    cn_err err = CN_OK;
    cn_buf_init(ret, mem, CN_CERTIFICATE_MAX_BYTES + sizeof(PREFIX));
    CN_TRY(cn_buf_text(ret, PREFIX));
    CN_TRY(cn_buf_append(ret, public_key));
out:
    return err;
}

cn_err cn_tls_identity_encode(cn_mem *mem, const cn_key *key, cn_slice public_key, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_buf text = {0};
    cn_buf message = {0};
    cn_buf signature = {0};
    cn_buf inner = {0};
    cn_buf_init(&message, mem, VALUE_MAX_BYTES);
    cn_buf_init(&signature, mem, CN_KEY_SIGNATURE_MAX_BYTES);
    cn_buf_init(&inner, mem, VALUE_MAX_BYTES);
    CN_TRY(signed_text(mem, public_key, &text));
    CN_TRY(cn_key_encode_public(key, &message));
    CN_TRY(cn_key_sign(key, cn_buf_slice(&text), &signature));
    CN_TRY(put_octets(&inner, cn_buf_slice(&message)));
    CN_TRY(put_octets(&inner, cn_buf_slice(&signature)));
    CN_TRY(put_head(out, TAG_SEQUENCE, inner.len));
    CN_TRY(cn_buf_append(out, cn_buf_slice(&inner)));
out:
    cn_buf_release(&text);
    cn_buf_release(&message);
    cn_buf_release(&signature);
    cn_buf_release(&inner);
    return err;
}

/* One element of DER: its tag, the length in the shortest form, so many bytes. */
static cn_err take_element(cn_cur *cur, uint8_t tag, cn_slice *ret)
{
    cn_err err = CN_OK;
    uint8_t byte = 0;
    size_t len = 0;
    CN_TRY(cn_cur_byte(cur, &byte));
    if (byte != tag) {
        return CN_ERR_MALFORMED;
    }
    CN_TRY(cn_cur_byte(cur, &byte));
    if (byte > 0x82 || byte == 0x80) {
        return CN_ERR_MALFORMED;
    }
    len = byte;
    if (byte > 0x80) {
        len = 0;
        for (int i = byte & 3; i > 0; i--) {
            uint8_t digit = 0;
            CN_TRY(cn_cur_byte(cur, &digit));
            len = len << 8 | digit;
        }
        if (len < (byte == 0x81 ? 128u : 256u)) {
            return CN_ERR_MALFORMED;
        }
    }
    CN_TRY(cn_cur_take(cur, len, ret));
out:
    return err;
}

cn_err cn_tls_identity_decode(cn_slice value, cn_tls_identity *ret)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(value);
    cn_slice inner = {0};
    cn_tls_identity found = {0};
    CN_TRY(take_element(&cur, TAG_SEQUENCE, &inner));
    if (!cn_cur_done(&cur)) {
        return CN_ERR_MALFORMED;
    }
    cur = cn_cur_of(inner);
    CN_TRY(take_element(&cur, TAG_OCTETS, &found.public_key));
    CN_TRY(take_element(&cur, TAG_OCTETS, &found.signature));
    if (!cn_cur_done(&cur)) {
        return CN_ERR_MALFORMED;
    }
    *ret = found;
out:
    return err;
}

cn_err cn_tls_identity_verify(
    cn_mem *mem,
    cn_slice certificate,
    cn_wall now,
    cn_key **ret_key,
    cn_peer_id *ret_id,
    cn_why *why)
{
    cn_err err = CN_OK;
    cn_buf value = {0};
    cn_buf public_key = {0};
    cn_buf text = {0};
    cn_tls_identity identity = {0};
    cn_key *key = NULL;
    bool good = false;
    cn_buf_init(&value, mem, CN_CERTIFICATE_MAX_BYTES);
    cn_buf_init(&public_key, mem, CN_CERTIFICATE_MAX_BYTES);
    CN_TRY(cn_certificate_read(certificate, CN_TLS_EXTENSION, now, &value, &public_key, why));
    err = cn_tls_identity_decode(cn_buf_slice(&value), &identity);
    if (err != CN_OK) {
        err = cn_why_set(why, err, "tls: the extension of the peer's certificate cannot be read");
        goto out;
    }
    CN_TRY(signed_text(mem, cn_buf_slice(&public_key), &text));
    CN_TRY(cn_key_decode_public(mem, identity.public_key, &key, why));
    CN_TRY(cn_key_verify(key, cn_buf_slice(&text), identity.signature, &good));
    if (!good) {
        err = cn_why_set(
            why, CN_ERR_MALFORMED, "tls: the peer's signature does not match its identity");
        goto out;
    }
    CN_TRY(cn_peer_id_of_key(key, ret_id));
    *ret_key = key;
    key = NULL;
out:
    cn_key_free(key);
    cn_buf_release(&value);
    cn_buf_release(&public_key);
    cn_buf_release(&text);
    return err;
}
