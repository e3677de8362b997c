/*
 * The answering side of bitswap, a core without I/O: what each peer wants of us, in which order it
 * is read and sent, and how much of it at once.
 *
 * Whether a block is here is asked of the store's index as a want arrives. Blocks are read by the
 * workers, in pieces of several, into whole messages; peers take turns by bytes, and what is read
 * and not yet sent is bounded for each peer and for all. What we lack stays wanted as long as the
 * peer is connected, and is served if it comes.
 *
 * The owner: hands in wantlists, calls read when there is room to send to a peer and collect each
 * turn of its loop, and takes messages out.
 */
#pragma once

#include "exchange/bitswap/message.h"
#include "ipld/blocks.h"
#include "multiformats/peerid.h"
#include "rt/rt.h"

typedef struct cn_engine cn_engine;
typedef struct cn_engine_peer cn_engine_peer;

enum {
    CN_ENGINE_WANTS_MAX = 1024,                            /* of a peer; further ones are dropped */
    CN_ENGINE_MESSAGE_WANTS_MAX = 2 * CN_ENGINE_WANTS_MAX, /* of one message */
    CN_ENGINE_HAVE_MAX_BYTES = 1024,    /* blocks up to this size are sent instead of HAVE */
    CN_ENGINE_PEER_MAX_BYTES = 8 << 20, /* read for one peer and not yet handed out */
    CN_ENGINE_MAX_BYTES = 32 << 20,     /* for all peers */
    CN_ENGINE_WANTS_TOTAL = 1 << 17, /* kept for all peers; above half of it each has its share */
    CN_ENGINE_WANTS_SHARE_MIN = 16,  /* but this many at least */
    CN_ENGINE_WANT_BYTES = 400,      /* about what one holds */
    CN_ENGINE_PEERS_MAX = 1 << 14,
};

typedef struct cn_engine_options {
    cn_mem *mem;
    cn_rt *rt; /* its workers read */
    cn_blocks *blocks;
    void (*wake)(void *ctx); /* on a worker: something was read, collect it */
    void *ctx;
    uint64_t seed;
    size_t max_bytes; /* read for all peers and not handed out; 0: CN_ENGINE_MAX_BYTES */
    size_t wants_max; /* of all peers; 0: CN_ENGINE_WANTS_TOTAL */
} cn_engine_options;

typedef struct cn_engine_stats {
    uint64_t blocks; /* sent, and their bytes */
    uint64_t block_bytes;
    uint64_t haves;
    uint64_t dont_haves;
    uint64_t wants;    /* received */
    uint64_t dropped;  /* wants beyond the limit */
    size_t held_bytes; /* read and not handed out */
    size_t kept;       /* wants held now */
} cn_engine_stats;

CN_MUST_USE cn_err cn_engine_new(const cn_engine_options *options, cn_engine **ret);
/* Waits for the workers. Accepts NULL. */
void cn_engine_free(cn_engine *e);

/* Errors: TOO_LARGE, NO_MEMORY. `ret` lives until peer_down. */
CN_MUST_USE cn_err cn_engine_peer_up(cn_engine *e, void *owner, cn_engine_peer **ret);
void cn_engine_peer_down(cn_engine *e, cn_engine_peer *p);
void *cn_engine_owner(const cn_engine_peer *p);
/* It speaks version 1.0.0: blocks are sent to it without prefixes. */
void cn_engine_peer_bare(cn_engine_peer *p, bool bare);
/* Forget what was read for it and not handed out. */
void cn_engine_peer_drop(cn_engine *e, cn_engine_peer *p);

/* The wants of a message; without memory, and beyond CN_ENGINE_MESSAGE_WANTS_MAX, some are dropped.
 * Gives how many of them asked for nothing that is here. */
size_t cn_engine_take(cn_engine *e, cn_engine_peer *p, const cn_message *m);
/* These blocks are here now. */
void cn_engine_have(cn_engine *e, const cn_cid *cids, size_t len);

/* The next peer that has something to be read or taken out, which it is taken to be from now on:
 * the one that got the fewest bytes. NULL: none. */
cn_engine_peer *cn_engine_next_active(cn_engine *e);
/* Have more read for `p` as far as the bounds allow; without room to send only what goes next. */
void cn_engine_read(cn_engine *e, cn_engine_peer *p, bool has_room);
/* Take in what workers have read; the peers concerned are active again. */
void cn_engine_collect(cn_engine *e);
/*
 * The next message for `p`: `ret_length`, `ret_body` and `ret_block` (may be empty), which go to
 * the wire in this order. The buffers must be empty, and become the caller's. False: none now.
 */
bool cn_engine_next(
    cn_engine *e, cn_engine_peer *p, cn_buf *ret_length, cn_buf *ret_body, cn_buf *ret_block);
/* It could not be handed on, or there was no room: look at `p` again later. */
void cn_engine_activate(cn_engine *e, cn_engine_peer *p);

/* --- for commands --- */

void cn_engine_stat(const cn_engine *e, cn_engine_stats *ret);

typedef struct cn_engine_peer_stats {
    uint64_t blocks;
    uint64_t block_bytes;
    uint64_t messages;
    size_t wants; /* open now */
} cn_engine_peer_stats;

void cn_engine_peer_stat(const cn_engine_peer *p, cn_engine_peer_stats *ret);
/* Step through what `p` wants of us: start with *position 0; false when there are no more. */
bool cn_engine_wants(const cn_engine_peer *p, size_t *position, const cn_cid **ret);
