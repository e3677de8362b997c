/*
 * TLS 1.3 as libp2p has it, as a cn_security: certificates that sign themselves and carry the
 * peer's identity in an extension, the muxer chosen by ALPN, then records of at most 16,384 plain
 * bytes, sealed from the caller's parts and opened in place.
 *
 * The handshake is libssl's; it is let go of once the channel stands, and the records are ours, so
 * an idle channel holds about 2 KiB.
 * spec: libp2p/tls, RFC 8446
 */
#pragma once

#include "p2p/stack/secure.h"
#include "rt/rt.h"

/*
 * The kind, for connections of the identity `key` (private, borrowed as long as the kind lives).
 * Makes the process's certificate and signs its key once. One thread at a time uses the kind and
 * its ends. Errors: UNSUPPORTED (no libssl), USAGE (no private key), NO_MEMORY. Free with
 * kind->free after all its ends.
 */
CN_MUST_USE cn_err
cn_tls_new(cn_rt *rt, cn_mem *mem, const cn_key *key, cn_security **ret, cn_why *why);
