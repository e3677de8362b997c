/*
 * What every program of the simulator that is a peer needs: an identity, neighbours, blocks it
 * holds and wants, and the TCP transport as production has it. A sim_peer is a node's setup: it
 * outlives crashes, as what is on a disk does.
 */
#pragma once

#include "base/map.h"
#include "crypto/key.h"
#include "ipld/blocks.h"
#include "p2p/stack/transport.h"
#include "sim/world.h"

enum { SIM_NEIGHBOURS_MAX = 16, SIM_PORT = 4001 };

/* Blocks in memory. Each put is checked against its CID; one that does not match fails the world.
 */
typedef struct sim_shelf {
    cn_blocks blocks;
    sim *world;
    cn_map at;     /* multihash to sim_kept */
    bool is_lying; /* what is read of it has a wrong byte */
} sim_shelf;

typedef struct sim_peer {
    sim *world;
    cn_key *key;
    cn_peer_id id;
    bool is_noise;                           /* else plaintext */
    uint32_t neighbours[SIM_NEIGHBOURS_MAX]; /* nodes to keep a connection to */
    size_t neighbours_len;
    sim_shelf shelf;
    const cn_cid *wants; /* borrowed */
    size_t wants_len;
    bool is_in_step; /* redials after a second exactly, as its neighbours do */
    bool is_quiet;   /* asks for nothing any more */
    uint64_t pings;
    uint64_t fetched; /* blocks that came from others */
    uint64_t downs;   /* connections lost */
    uint64_t wrong;   /* blocks that were not what was asked for, and were not taken */
} sim_peer;

void sim_shelf_init(sim_shelf *s, sim *w);
void sim_shelf_release(sim_shelf *s);
bool sim_shelf_has(const sim_shelf *s, const cn_cid *cid);
/* The block of `data` under its CID version 1 with sha2-256. */
cn_cid sim_shelf_add(sim_shelf *s, uint64_t codec, cn_slice data);
/* The bytes, borrowed until the shelf's release; an empty slice: not there. */
cn_slice sim_shelf_get(const sim_shelf *s, const cn_cid *cid);

/* An identity from the world's chance. */
void sim_peer_init(sim_peer *p, sim *w);
void sim_peer_release(sim_peer *p);
/* How many of its wants are not there yet. */
size_t sim_peer_missing(const sim_peer *p);

/* The address of a node at SIM_PORT, "/ip4/45.../tcp/4001", appended to `ret`. */
void sim_peer_address(const sim_node *n, cn_buf *ret);
/*
 * The transport of `n`, whose setup is a sim_peer. Free with ops->free, then `*ret_security` with
 * free.
 */
CN_MUST_USE cn_err
sim_peer_transport(sim_node *n, cn_security **ret_security, cn_transport **ret, cn_why *why);
