/*
 * Key messages: field 1 the type, field 2 the bytes. Both must be there; other fields are passed
 * over, and of repeated ones the last counts, as protobuf readers do.
 */
#include "multiformats/key.h"

#include "codec/protobuf.h"

enum { FIELD_TYPE = 1, FIELD_DATA = 2, TYPE_MAX = CN_KEY_ECDSA };

typedef struct message {
    uint64_t type;
    cn_slice data;
    bool has_type;
    bool has_data;
} message;

static cn_err read_message(cn_slice bytes, message *ret, cn_why *why)
{
    cn_cur in = cn_cur_of(bytes);
    message m = {0};
    cn_pb_field field = {0};
    cn_err err = CN_OK;
    while (err == CN_OK && !cn_cur_done(&in)) {
        err = cn_pb_next(&in, &field);
        if (err != CN_OK) {
            break;
        }
        if (field.number == FIELD_TYPE && field.wire == CN_PB_VARINT) {
            m.type = field.value;
            m.has_type = true;
        } else if (field.number == FIELD_DATA && field.wire == CN_PB_BYTES) {
            m.data = field.bytes;
            m.has_data = true;
        } else if (field.number == FIELD_TYPE || field.number == FIELD_DATA) {
            err = CN_ERR_MALFORMED;
        }
    }
    if (err != CN_OK || !m.has_type || !m.has_data) {
        return cn_why_set(
            why, err == CN_OK ? CN_ERR_MALFORMED : err,
            "the key is no libp2p key message: a type and the key's bytes in protobuf");
    }
    if (m.type > TYPE_MAX) {
        return cn_why_set(why, CN_ERR_UNSUPPORTED, "invalid or unsupported key type");
    }
    *ret = m;
    return CN_OK;
}

cn_err cn_key_decode_private(cn_mem *mem, cn_slice bytes, cn_key **ret, cn_why *why)
{
    message m = {0};
    cn_err err = read_message(bytes, &m, why);
    return err == CN_OK ? cn_key_read_private(mem, (cn_key_type)m.type, m.data, ret, why) : err;
}

cn_err cn_key_decode_public(cn_mem *mem, cn_slice bytes, cn_key **ret, cn_why *why)
{
    message m = {0};
    cn_err err = read_message(bytes, &m, why);
    return err == CN_OK ? cn_key_read_public(mem, (cn_key_type)m.type, m.data, ret, why) : err;
}

static cn_err write_message(const cn_key *key, bool private, cn_buf *out)
{
    cn_buf data;
    cn_err err = CN_OK;
    size_t before = out->len;
    cn_buf_init(&data, out->mem, CN_KEY_PRIVATE_MAX_BYTES);
    CN_TRY(private ? cn_key_put_private(key, &data) : cn_key_put_public(key, &data));
    CN_TRY(cn_buf_reserve(
        out, cn_pb_varint_size(FIELD_TYPE, cn_key_type_of(key)) +
                 cn_pb_bytes_size(FIELD_DATA, data.len)));
    CN_TRY(cn_pb_put_varint(out, FIELD_TYPE, cn_key_type_of(key)));
    CN_TRY(cn_pb_put_bytes(out, FIELD_DATA, cn_buf_slice(&data)));
out:
    if (err != CN_OK) {
        out->len = before;
    }
    cn_key_wipe(&data);
    return err;
}

cn_err cn_key_encode_private(const cn_key *key, cn_buf *out)
{
    return write_message(key, true, out);
}

cn_err cn_key_encode_public(const cn_key *key, cn_buf *out)
{
    return write_message(key, false, out);
}

static const char *const type_names[] = {
    [CN_KEY_RSA] = "rsa",
    [CN_KEY_ED25519] = "ed25519",
    [CN_KEY_SECP256K1] = "secp256k1",
    [CN_KEY_ECDSA] = "ecdsa",
};

const char *cn_key_type_name(cn_key_type type)
{
    return type_names[type];
}

cn_err cn_key_type_parse(cn_slice name, cn_key_type *ret)
{
    for (unsigned i = 0; i < CN_LEN(type_names); i++) {
        if (cn_slice_is(name, type_names[i])) {
            *ret = (cn_key_type)i;
            return CN_OK;
        }
    }
    return CN_ERR_UNSUPPORTED;
}
