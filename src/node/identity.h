/*
 * Who a node is: its peer id, its public key, and (only when asked for) its private key.
 *
 * The private key lies in `identity.key` beside the config, base64 of the libp2p protobuf as in
 * Kubo's Identity.PrivKey, mode 0600. A config that carries Identity.PrivKey is honoured.
 */
#pragma once

#include "multiformats/cid.h"
#include "node/config.h"
#include "rt/rt.h"

enum { CN_PEER_TEXT_BYTES = 96, CN_PUBLIC_KEY_MAX_BYTES = 2048, CN_PRIVATE_KEY_MAX_BYTES = 8192 };

typedef struct cn_identity {
    char peer_id[CN_PEER_TEXT_BYTES]; /* base58btc, as in the config; NUL-terminated */
    uint8_t peer_bytes[64];           /* the multihash */
    size_t peer_len;
    uint8_t public_key[CN_PUBLIC_KEY_MAX_BYTES]; /* libp2p protobuf */
    size_t public_len;                           /* 0: not known */
} cn_identity;

/*
 * What a peer id says, written in base58btc or as a CID; the public key where the id holds it.
 * Errors: MALFORMED.
 */
CN_MUST_USE cn_err cn_identity_parse(cn_slice text, cn_identity *ret, cn_why *why);

/*
 * The identity that `config` names. The public key comes out of the peer id where that holds it
 * (ed25519, secp256k1), else from the private key file. Errors: MALFORMED, NOT_FOUND, PERMISSION.
 */
CN_MUST_USE cn_err cn_identity_load(
    cn_rt *rt, const char *repo, const cn_config *config, cn_identity *ret, cn_why *why);

/*
 * Replace the contents of `ret` by the private key (libp2p protobuf); wipe it after use. Checks
 * that it belongs to the peer id. Errors: NOT_FOUND, MALFORMED, PERMISSION, NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_identity_private(cn_rt *rt, const char *repo, const cn_config *config, cn_buf *ret, cn_why *why);
