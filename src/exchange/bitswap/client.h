/*
 * The asking side of bitswap, a core without I/O: sessions, what they want, which peer is asked
 * for what, how much of it at once, and what became of it.
 *
 * A block is asked for at one peer at a time (want-block); others are only asked whether they have
 * it (want-have), and only while nobody is known who probably does. A peer's window - blocks that
 * are open there - is what it delivers within its delay and a quarter of a second, so that several
 * peers share a session's wants in proportion to what they deliver. Peers that are silent, gone or
 * lying lose their wants to others at once.
 *
 * The owner: tells of peers and of what they said (peer_up, presence, match), calls pump before it
 * sends, takes what is to be sent (next_dirty, write), and ticks. Sinks are called from arrived,
 * failed, and tick alone.
 */
#pragma once

#include "base/map.h"
#include "base/prng.h"
#include "exchange/exchange.h"

typedef struct cn_client cn_client;
typedef struct cn_client_peer cn_client_peer;

enum {
    CN_CLIENT_OPEN_MAX = 1000,   /* wants that a peer is asked at once; it keeps 1,024 */
    CN_CLIENT_WINDOW_FIRST = 32, /* blocks open at a peer that has not delivered yet */
    CN_CLIENT_WINDOW_MIN = 8,
    CN_CLIENT_WRONG_MAX = 4, /* blocks nobody asked for, then the peer is let go */
    CN_CLIENT_SESSION_WANTS_MAX = 1 << 14,
    CN_CLIENT_SESSIONS_MAX = 1 << 12,
    CN_CLIENT_PEERS_MAX = 1 << 14,
    CN_CLIENT_BROADCAST_WANTS = 16, /* wants of a session asked of everybody at once */
    CN_CLIENT_BROADCAST_PEERS = 64, /* who everybody is, at most */
};

typedef struct cn_client_stats {
    uint64_t blocks; /* that were wanted, and their bytes */
    uint64_t block_bytes;
    uint64_t duplicates; /* had come already */
    uint64_t duplicate_bytes;
    uint64_t wrong; /* blocks that nobody asked for */
    uint64_t wants_sent;
    uint64_t haves_sent;
    uint64_t cancels_sent;
    uint64_t resent; /* asked again after no answer */
    size_t wants;    /* open now */
    size_t sessions;
} cn_client_stats;

/* Who sent a block, and whether it is of use. */
typedef enum cn_client_match {
    CN_CLIENT_WANTED,
    CN_CLIENT_DUPLICATE,
    CN_CLIENT_WRONG,  /* it was never asked for */
    CN_CLIENT_LET_GO, /* one wrong block too many: disconnect */
} cn_client_match;

CN_MUST_USE cn_err cn_client_new(cn_mem *mem, uint64_t seed, cn_client **ret);
/* Sinks are not called. Accepts NULL. */
void cn_client_free(cn_client *c);

/* --- sessions: see cn_exchange --- */

CN_MUST_USE cn_err cn_client_session(cn_client *c, cn_exchange_sink *sink, cn_id *ret);
void cn_client_session_close(cn_client *c, cn_id session);
CN_MUST_USE cn_err
cn_client_want(cn_client *c, cn_id session, const cn_cid *cids, size_t len, cn_time now);
void cn_client_cancel(cn_client *c, cn_id session, const cn_cid *cids, size_t len);
/* `p` probably has what the session wants. */
void cn_client_provider(cn_client *c, cn_id session, cn_client_peer *p);
size_t cn_client_asked(
    const cn_client *c, cn_id session, const cn_cid *cid, cn_exchange_asked *ret, size_t max);

/* --- peers --- */

/* A connection stands. `ret` lives until peer_down. Errors: TOO_LARGE, NO_MEMORY. */
CN_MUST_USE cn_err
cn_client_peer_up(cn_client *c, const cn_peer_id *id, void *owner, cn_client_peer **ret);
void cn_client_peer_down(cn_client *c, cn_client_peer *p);
/* What was given to peer_up. */
void *cn_client_owner(const cn_client_peer *p);
/* It does not speak bitswap (false), or may: it is asked for nothing, or for all. At first true. */
void cn_client_peer_usable(cn_client *c, cn_client_peer *p, bool usable);
/* It speaks a version before 1.2.0: it answers no want-have and never says that it has not. */
void cn_client_peer_old(cn_client_peer *p, bool old);
/* What was sent and not answered may be lost (the stream was reset): it is all sent again. */
void cn_client_peer_again(cn_client *c, cn_client_peer *p);
/* There is room to tell it more: it is next_dirty again if there is something. */
void cn_client_peer_tell(cn_client *c, cn_client_peer *p);
/* Bytes came from it: it is alive, even if no block is whole yet. */
void cn_client_peer_alive(cn_client_peer *p, cn_time now);

/* --- what peers said --- */

void cn_client_presence(cn_client *c, cn_client_peer *p, const cn_cid *cid, bool has, cn_time now);
/* Is this block wanted, or was `p` asked for it lately? */
bool cn_client_expects(const cn_client *c, const cn_client_peer *p, const cn_cid *cid);
/*
 * A block with this CID (its hash was computed) of `bytes` came from `p` (NULL: it is gone). WANTED
 * means that the caller puts it into the store and then calls arrived or failed. `is_held`: it is
 * in the store already, so that a late one that was not expected any more is no lie.
 */
cn_client_match cn_client_block(
    cn_client *c, cn_client_peer *p, const cn_cid *cid, size_t bytes, bool is_held, cn_time now);
/*
 * The block is in the store, by whichever way it came: sinks are told and the want ends. `block`
 * may be empty. Nothing happens if nobody wants it.
 */
void cn_client_arrived(cn_client *c, const cn_cid *cid, cn_slice block);
void cn_client_failed(cn_client *c, const cn_cid *cid, cn_err err, const char *sentence);

/* --- what goes out --- */

/* Give wants to peers as far as their windows go. */
void cn_client_pump(cn_client *c, cn_time now);
/* The next peer that has something to be told, which it is taken to be from now on; NULL: none. */
cn_client_peer *cn_client_next_dirty(cn_client *c);
/*
 * Append at most `max_bytes` (1 KiB or more) of wantlist entries for `p` to `entries`; what is
 * appended counts as sent. *ret_more: there is more to come, ask again. Errors: NO_MEMORY; nothing
 * is lost.
 */
CN_MUST_USE cn_err cn_client_write(
    cn_client *c,
    cn_client_peer *p,
    cn_buf *entries,
    size_t max_bytes,
    cn_time now,
    bool *ret_more);

cn_time cn_client_deadline(const cn_client *c);
/* Time has come: silent peers lose their wants, sessions are told that they are idle. */
void cn_client_tick(cn_client *c, cn_time now);

/* --- for commands --- */

void cn_client_stat(const cn_client *c, cn_client_stats *ret);
/* Step through all that is wanted: start with *position 0; false when there are no more. */
bool cn_client_wants(const cn_client *c, size_t *position, const cn_cid **ret);

typedef struct cn_client_peer_stats {
    uint64_t blocks;
    uint64_t block_bytes;
    uint64_t duplicates;
    uint64_t wrong;
    uint64_t dont_haves;
    size_t open;   /* wants that it is asked now */
    size_t window; /* blocks that may be open there */
    uint64_t bytes_per_s;
    int64_t delay_ns;
} cn_client_peer_stats;

void cn_client_peer_stat(const cn_client_peer *p, cn_client_peer_stats *ret);
