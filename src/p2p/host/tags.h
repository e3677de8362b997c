/*
 * cn_tags: what peers are worth to protocols, and who must not lose its connection, each by a
 * reason's name. Trimming asks here. Bounded in peers and in tags per peer.
 */
#pragma once

#include "base/map.h"
#include "base/slice.h"
#include "multiformats/peerid.h"

enum {
    CN_TAGS_PER_PEER_MAX = 32,
    CN_TAGS_NAME_MAX_BYTES = 47,
};

typedef struct cn_tags {
    cn_map peers; /* id -> its tags */
} cn_tags;

/* At most `peers_max` (0: 16384) peers with tags. `seed`: entropy. Takes no memory yet. */
void cn_tags_init(cn_tags *t, cn_mem *mem, size_t peers_max, uint64_t seed);
void cn_tags_release(cn_tags *t);

/* Worth of `peer` under `name`; 0 removes. Errors: TOO_LARGE (peers, tags, name), NO_MEMORY. */
CN_MUST_USE cn_err cn_tags_set(cn_tags *t, const cn_peer_id *peer, cn_slice name, int worth);
/* The sum over its tags; 0 for a peer without any. */
int64_t cn_tags_worth(const cn_tags *t, const cn_peer_id *peer);

/* Protect `peer` for the reason `name`, once however often. Errors: as cn_tags_set. */
CN_MUST_USE cn_err cn_tags_protect(cn_tags *t, const cn_peer_id *peer, cn_slice name);
/* Take one reason back; true: others are left. */
bool cn_tags_unprotect(cn_tags *t, const cn_peer_id *peer, cn_slice name);
/* Is it protected, for `name` or (empty) for any reason? */
bool cn_tags_is_protected(const cn_tags *t, const cn_peer_id *peer, cn_slice name);
