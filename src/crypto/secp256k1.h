/*
 * What libcrypto does not do for signatures of secp256k1. Of each there are two that verify, with s
 * and with n - s; libcrypto makes and takes either, but several implementations of libp2p (js,
 * rust) take only the lower one, as Bitcoin's rules demand.
 */
#pragma once

#include "base/slice.h"

enum { CN_SECP256K1_DER_MAX_BYTES = 72 };

/*
 * Make s of a signature in DER the lower of the two, in place; it may become shorter. `len` is at
 * most CN_SECP256K1_DER_MAX_BYTES and holds the new length on return. False, and nothing changed:
 * it is no such signature.
 */
CN_MUST_USE bool cn_secp256k1_lower(uint8_t *der, size_t *len);
