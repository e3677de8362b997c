/*
 * cn_book: the address book - where peers may be reached, how that went, and what they are. Bounded
 * in peers, addresses per peer and bytes; beyond a bound the peer that was longest without news
 * goes first, never one that is connected or has a permanent address. Nothing here knows a clock:
 * `now` comes in and ages what is looked at.
 *
 * What is handed in is copied and must not be borrowed from the book itself. Addresses are binary
 * multiaddrs without their own peer's /p2p at the end (cn_book_learn cuts it off; an address
 * that ends in another peer's is passed over).
 */
#pragma once

#include "base/buf.h"
#include "base/time.h"
#include "multiformats/peerid.h"

#define CN_BOOK_TTL_NORMAL_NS (3600 * CN_NS_PER_S)
#define CN_BOOK_TTL_TEMPORARY_NS (120 * CN_NS_PER_S)
#define CN_BOOK_TTL_RECENT_NS (900 * CN_NS_PER_S) /* was connected */
#define CN_BOOK_TTL_PERMANENT_NS INT64_MAX        /* bootstrap, peering; protects its peer */

/* "never" of a last success or failure. */
#define CN_BOOK_NEVER ((cn_time){INT64_MIN})

enum { CN_BOOK_ADDRESSES_MAX = 500 }; /* per peer, the most that may be asked for at init */

/* Who says that an address is the peer's, least trusted first. */
typedef enum cn_book_source {
    CN_BOOK_HEARSAY, /* other peers: routing, mDNS, bitswap */
    CN_BOOK_TOLD,    /* the peer, by identify without a signature */
    CN_BOOK_SIGNED,  /* the peer, in a signed record */
    CN_BOOK_GIVEN,   /* people: config and commands */
} cn_book_source;

typedef struct cn_book_state {
    cn_book_source source;
    uint32_t failures;    /* in a row, since the last success */
    cn_time expires;      /* CN_TIME_NEVER: permanent */
    cn_time last_success; /* a connection stood; CN_BOOK_NEVER */
    cn_time last_failure;
} cn_book_state;

/* All that is known of a peer, borrowed until the next call that is not const. */
typedef struct cn_book_peer {
    cn_peer_id id;
    const cn_slice *addresses;   /* in the order learnt */
    const cn_book_state *states; /* of each */
    size_t addresses_len;
    const cn_slice *protocols; /* as told last; sorted by bytes */
    size_t protocols_len;
    bool protocols_known; /* told at all: an empty list is an answer too */
    cn_slice agent;       /* empty: not known, as the next two */
    cn_slice protocol_version;
    cn_slice public_key; /* message; also for ids that hold their key */
    uint64_t sequence;   /* of the last signed record; 0: none */
    bool connected;
} cn_book_peer;

typedef struct cn_book_limits {
    size_t peers_max;              /* 0: 10,000 */
    size_t addresses_per_peer_max; /* 0: 64 */
    size_t bytes_max;              /* of all that is kept; 0: 16 MiB */
    uint64_t seed;                 /* of the table; entropy */
} cn_book_limits;

typedef struct cn_book cn_book;

/* `limits` may be NULL. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_book_new(cn_mem *mem, const cn_book_limits *limits, cn_book **ret);
/* Accepts NULL. */
void cn_book_free(cn_book *b);

/* --- addresses --- */

typedef struct cn_book_terms {
    cn_book_source source;
    int64_t ttl_ns; /* CN_BOOK_TTL_* or any other above 0 */
} cn_book_terms;

/*
 * Learn addresses of `peer` (copied). One known already keeps the longer time and the higher
 * source. What is no multiaddr, or unspecified, is passed over. While a signed record is held and
 * has not run out, TOLD ones are ignored. Beyond the peer's cap the least trusted, then the one
 * that runs out first, goes; a new one goes itself if all others are worth more. Errors: NO_MEMORY
 * (some may have been learnt), TOO_LARGE (no room, and all others are protected).
 */
CN_MUST_USE cn_err cn_book_learn(
    cn_book *b,
    const cn_peer_id *peer,
    const cn_slice *addresses,
    size_t addresses_len,
    const cn_book_terms *terms,
    cn_time now);

/*
 * A peer's signed record, verified: its addresses replace those of HEARSAY, TOLD and SIGNED that
 * it does not name (but the one a connection stands at, see cn_book_connected). Errors: EXISTS (a
 * record with a higher number is held; the same number only renews the time), and those of
 * cn_book_learn.
 */
typedef struct cn_book_record {
    uint64_t sequence;
    const cn_slice *addresses;
    size_t addresses_len;
    int64_t ttl_ns;
} cn_book_record;

CN_MUST_USE cn_err
cn_book_take_record(cn_book *b, const cn_peer_id *peer, const cn_book_record *record, cn_time now);

/* How dialling `address` went. Unknown peers and addresses are ignored. */
void cn_book_succeeded(cn_book *b, const cn_peer_id *peer, cn_slice address, cn_time now);
void cn_book_failed(cn_book *b, const cn_peer_id *peer, cn_slice address, cn_time now);

/*
 * The first connection to `peer` stands: until cn_book_disconnected neither it nor its addresses
 * run out or are evicted, and afterwards they stay 15 minutes at least. The peer is made if it was
 * not known. Errors: those of cn_book_learn.
 */
CN_MUST_USE cn_err cn_book_connected(cn_book *b, const cn_peer_id *peer, cn_time now);
void cn_book_disconnected(cn_book *b, const cn_peer_id *peer, cn_time now);

/* Drop all addresses of a peer, permanent ones too (a peer no longer wanted), unless connected;
 * false: it was not known. */
bool cn_book_forget(cn_book *b, const cn_peer_id *peer);

/* --- what they are --- */

/* Fields whose `data` (`protocols`: NULL) is NULL stay as they are. */
typedef struct cn_book_about {
    cn_slice agent;
    cn_slice protocol_version;
    cn_slice public_key;
    const cn_slice *protocols;
    size_t protocols_len;
} cn_book_about;

/*
 * Note what a peer tells of itself (copied). A public key that is not the id's is ignored. The
 * peer is made if it was not known and goes with its last address, unless connected. Errors: those
 * of cn_book_learn.
 */
CN_MUST_USE cn_err
cn_book_describe(cn_book *b, const cn_peer_id *peer, const cn_book_about *about, cn_time now);

/* --- asking --- */

/* What is known of `peer`, after dropping what has run out; false: nothing. */
bool cn_book_find(cn_book *b, const cn_peer_id *peer, cn_time now, cn_book_peer *ret);
/* Does it speak `name`? 1 yes, 0 no, -1 not known. Cost: log of its protocols. */
int cn_book_speaks(const cn_book *b, const cn_peer_id *peer, cn_slice name);
/*
 * Step through the peers in the order they were met: start with *position 0; false when there are
 * no more. cn_book_find of the peer just given is allowed while stepping; learning is not.
 */
bool cn_book_next(const cn_book *b, size_t *position, cn_book_peer *ret);

size_t cn_book_len(const cn_book *b);
size_t cn_book_bytes(const cn_book *b);

/* Drop everything that has run out: once a minute is enough. Cost: all addresses. */
void cn_book_tick(cn_book *b, cn_time now);
cn_time cn_book_deadline(const cn_book *b);
