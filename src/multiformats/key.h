/*
 * libp2p's key messages: a type and the key's bytes, in protobuf. Public ones are always written in
 * the one form that peer ids are made from.
 * spec: libp2p/peer-ids 'Keys'
 */
#pragma once

#include "crypto/key.h"

/*
 * Read a PrivateKey or a PublicKey message. Errors: MALFORMED, TRUNCATED, UNSUPPORTED (type, or no
 * libcrypto), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_key_decode_private(cn_mem *mem, cn_slice message, cn_key **ret, cn_why *why);
CN_MUST_USE cn_err cn_key_decode_public(cn_mem *mem, cn_slice message, cn_key **ret, cn_why *why);

/*
 * Append the message. The private one is a secret: see cn_key_put_private. Errors: USAGE (no
 * private key), those of the buffer.
 */
CN_MUST_USE cn_err cn_key_encode_private(const cn_key *key, cn_buf *out);
CN_MUST_USE cn_err cn_key_encode_public(const cn_key *key, cn_buf *out);

/* "rsa", "ed25519", "secp256k1", "ecdsa". */
const char *cn_key_type_name(cn_key_type type);
/* The type of that name. Errors: UNSUPPORTED. */
CN_MUST_USE cn_err cn_key_type_parse(cn_slice name, cn_key_type *ret);
