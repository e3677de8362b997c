/*
 * Peer records: a peer's own statement of its addresses, with a number that only rises, in a signed
 * envelope. Where one is held its addresses replace all that were told without a signature.
 * spec: libp2p RFC 0003
 */
#pragma once

#include "base/cur.h"
#include "base/time.h"
#include "p2p/host/envelope.h"

#define CN_PEER_RECORD_DOMAIN "libp2p-peer-record"

typedef struct cn_peer_record {
    cn_peer_id peer;
    uint64_t sequence;
    cn_cur addresses; /* for cn_peer_record_next; borrowed from the envelope's bytes */
} cn_peer_record;

/*
 * Append the envelope of a record of ours. `addresses` are binary multiaddrs without /p2p; sign one
 * record per scope told to, each with its own next sequence. Errors: those of cn_envelope_seal.
 */
CN_MUST_USE cn_err cn_peer_record_seal(
    cn_mem *mem,
    const cn_key *key,
    uint64_t sequence,
    const cn_slice *addresses,
    size_t addresses_len,
    cn_buf *out);

/*
 * Open, verify and read the record in `envelope`. It is the signer's own (else HASH_MISMATCH);
 * whether that is the peer it came from is the caller's to compare. Errors: those of
 * cn_envelope_open; MALFORMED (another payload type, or the record itself).
 */
CN_MUST_USE cn_err
cn_peer_record_open(cn_mem *mem, cn_slice envelope, cn_peer_record *ret, cn_why *why);

/*
 * Read a record as it lies in an envelope's payload; nothing is verified. Errors: MALFORMED,
 * TRUNCATED, TOO_LARGE (of the peer id).
 */
CN_MUST_USE cn_err cn_peer_record_decode(cn_slice payload, cn_peer_record *ret);

/* The next address that is a multiaddr (others are passed over); false at the end. */
bool cn_peer_record_next(cn_cur *addresses, cn_slice *ret);

/* The next sequence of ours: the wall clock in nanoseconds, but always above `last`. */
uint64_t cn_peer_record_sequence(cn_wall now, uint64_t last);
