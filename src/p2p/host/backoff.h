/*
 * cn_backoff: addresses that failed are left alone for a while: 5 s after the first failure, then
 * 5 s + n^2 s after n more, at most 5 minutes. Five minutes after that has run out the count starts
 * anew. Bounded; a full table forgets the older half of its failures.
 * spec: go-libp2p swarm 'DialBackoff'
 */
#pragma once

#include "base/map.h"
#include "base/time.h"
#include "multiformats/peerid.h"

#define CN_BACKOFF_BASE_NS (5 * CN_NS_PER_S)
#define CN_BACKOFF_MAX_NS (300 * CN_NS_PER_S)

typedef struct cn_backoff {
    cn_map entries; /* peer and address, hashed -> backoff_entry */
    uint64_t order; /* of the next failure noted */
} cn_backoff;

/* At most `entries_max` addresses (0: 4096). `seed`: entropy. Takes no memory yet. */
void cn_backoff_init(cn_backoff *b, cn_mem *mem, size_t entries_max, uint64_t seed);
void cn_backoff_release(cn_backoff *b);

/* Dialling `peer` at `address` failed. Where memory has run out it is not noted. */
void cn_backoff_failed(cn_backoff *b, const cn_peer_id *peer, cn_slice address, cn_time now);
/* It worked, or the user asks for it now: forget. */
void cn_backoff_clear(cn_backoff *b, const cn_peer_id *peer, cn_slice address);
/* May it be tried? If not, *ret_until (nullable) says from when on. */
bool cn_backoff_may_dial(
    const cn_backoff *b, const cn_peer_id *peer, cn_slice address, cn_time now, cn_time *ret_until);
