/*
 * Who a node is: its peer id, its public key, and (only when asked for) its private key.
 *
 * The private key lies in `identity.key` beside the config, base64 of the libp2p protobuf as in
 * Kubo's Identity.PrivKey, mode 0600. A config that carries Identity.PrivKey is honoured.
 */
#pragma once

#include "multiformats/key.h"
#include "multiformats/peerid.h"
#include "node/config.h"
#include "rt/rt.h"

enum { CN_PEER_TEXT_BYTES = 280, CN_PUBLIC_KEY_MAX_BYTES = 2048 };

typedef struct cn_identity {
    cn_peer_id id;
    char peer_id[CN_PEER_TEXT_BYTES];            /* base58btc, NUL-terminated */
    uint8_t public_key[CN_PUBLIC_KEY_MAX_BYTES]; /* libp2p protobuf */
    size_t public_len;                           /* 0: not known */
} cn_identity;

/*
 * What a peer id says, written in base58btc or as a CID; the public key where the id holds it.
 * Errors: MALFORMED.
 */
CN_MUST_USE cn_err cn_identity_parse(cn_slice text, cn_identity *ret, cn_why *why);

/* The same from the id itself. */
CN_MUST_USE cn_err cn_identity_of(const cn_peer_id *id, cn_identity *ret);

/*
 * The identity that `config` names. The public key comes out of the peer id where that holds it
 * (ed25519, secp256k1), else from the private key, which is then checked against the id.
 * Errors: MALFORMED, NOT_FOUND, PERMISSION, UNSUPPORTED (RSA without libcrypto), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_identity_load(
    cn_rt *rt, const char *repo, const cn_config *config, cn_identity *ret, cn_why *why);

/*
 * The private key; give back with cn_key_free. Checks that it belongs to the peer id.
 * Errors: NOT_FOUND, MALFORMED, PERMISSION, UNSUPPORTED, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_identity_private(
    cn_rt *rt, const char *repo, const cn_config *config, cn_key **ret, cn_why *why);

/* Append the private key as it stands in the key file: base64 of its message. Wipe after use. */
CN_MUST_USE cn_err cn_identity_key_text(const cn_key *key, cn_buf *out);
