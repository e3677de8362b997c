/*
 * Noise as libp2p has it, as a cn_security: the XX handshake with identities and the muxer in its
 * payloads, then records of at most 65,519 plain bytes, sealed from the caller's parts and opened
 * in place.
 * spec: libp2p/noise
 */
#pragma once

#include "p2p/stack/secure.h"
#include "rt/rt.h"

/*
 * The kind, for connections of the identity `key` (private, borrowed as long as the kind lives).
 * Makes the process's lasting Noise key and signs it once. Errors: UNSUPPORTED (no libcrypto),
 * USAGE (no private key), IO (no entropy), NO_MEMORY. Free with kind->free after all its ends.
 */
CN_MUST_USE cn_err
cn_noise_new(cn_rt *rt, cn_mem *mem, const cn_key *key, cn_security **ret, cn_why *why);
