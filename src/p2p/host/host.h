/*
 * cn_host: a node among peers. It keeps connections (dials, accepts, ranks, backs off, trims),
 * knows addresses and what peers speak, negotiates streams and gives them to protocols. It lives on
 * one loop; all functions are called on that loop's thread.
 */
#pragma once

#include "multiformats/key.h"
#include "multiformats/multiaddr.h"
#include "p2p/host/announce.h"
#include "p2p/host/book.h"
#include "p2p/host/gate.h"
#include "p2p/host/protocol.h"
#include "p2p/stack/transport.h"
#include "rt/net.h"

typedef struct cn_host cn_host;

/* Something that happened, for the log. */
typedef enum cn_host_note_kind {
    CN_HOST_NOTE_UP,      /* a connection stands */
    CN_HOST_NOTE_DOWN,    /* one is gone, ended by either side or broken: why */
    CN_HOST_NOTE_CUT,     /* one was cut off, or came to nothing, by what the peer did: why */
    CN_HOST_NOTE_REFUSED, /* a caller was turned away: why */
    CN_HOST_NOTE_DIAL,    /* a dial of a peer failed: what was tried */
    CN_HOST_NOTE_TRIMMED, /* closed to come back to the low water mark */
    CN_HOST_NOTE_STREAM,  /* a stream was refused or cut off: why */
} cn_host_note_kind;

typedef struct cn_host_note {
    cn_host_note_kind kind;
    const cn_peer_id *peer; /* NULL: not known */
    cn_slice address;       /* of the other side; may be empty */
    const char *sentence;
} cn_host_note;

typedef struct cn_host_options {
    cn_mem *mem;       /* the node's memory budget */
    cn_net *net;       /* borrowed */
    const cn_key *key; /* private; borrowed */
    const char *agent; /* "kubo/0.43.0/cairn" as identify tells; borrowed */
    uint64_t seed;     /* jitter */
    size_t conns_max;  /* hard: further ones are refused; 0: 1024 */
    size_t conns_low;  /* Swarm.ConnMgr.LowWater; 0 with high 0: no trimming */
    size_t conns_high;
    int64_t grace_ns;           /* young connections are not trimmed; 0: 20 s */
    int64_t silence_ns;         /* between two trims; 0: 10 s */
    const cn_ip_range *filters; /* never dialled, never accepted; copied */
    size_t filters_len;
    cn_gate_limits gate;         /* total_max, deny and seed are set by the host */
    cn_book *book;               /* borrowed, e.g. loaded from the disk; NULL: an own one */
    size_t conns_per_peer_max;   /* 0: 8 */
    size_t streams_max;          /* of all connections, both ways; 0: 16,384 */
    size_t streams_per_peer_max; /* both ways; 0: 1,024 */
    size_t dials_max;            /* attempts at once; further ones wait; 0: 160 */
    bool is_bandwidth_uncounted; /* Swarm.DisableBandwidthMetrics: the figures below stay 0 */
    /* What happened, for the log; nullable. The note is borrowed for the call, in which no function
     * of the host may be called. */
    void (*note)(void *ctx, const cn_host_note *note);
    void *note_ctx;
} cn_host_options;

CN_MUST_USE cn_err cn_host_new(const cn_host_options *options, cn_host **ret, cn_why *why);
/* Closes everything; protocols are told nothing more. Accepts NULL. Transports and protocols added
 * are the caller's to free after. */
void cn_host_free(cn_host *h);

/* Both before the first event. Borrowed. Errors: NO_MEMORY, TOO_LARGE. */
CN_MUST_USE cn_err cn_host_add_transport(cn_host *h, cn_transport *t);
CN_MUST_USE cn_err cn_host_serve(cn_host *h, cn_protocol *p);

/* --- the loop's side: not from handlers --- */

void cn_host_take(cn_host *h, const cn_net_event *event);
cn_time cn_host_deadline(const cn_host *h);
void cn_host_tick(cn_host *h, cn_time now);
/* Deal with all that came of take and tick, then send; once at the end of each turn of the loop. */
void cn_host_turn(cn_host *h, cn_time now);
/* Now, as sampled at the beginning of this turn. */
cn_time cn_host_now(const cn_host *h);
/* The address book, for what only it can do (files, terms); changes of it are changes of ours. */
cn_book *cn_host_book(const cn_host *h);

/* --- who we are --- */

const cn_peer_id *cn_host_self(const cn_host *h);
/* Listen at a multiaddr. Errors: UNSUPPORTED (no transport for it), those of cn_net_listen. */
CN_MUST_USE cn_err cn_host_listen(cn_host *h, cn_slice address, cn_why *why);
/* Addresses.Announce, AppendAnnounce, NoAnnounce (copied). Peers are told of the change. Errors: as
 * cn_announce_init; the old ones stay then. */
CN_MUST_USE cn_err cn_host_set_announce(cn_host *h, const cn_announce_config *config, cn_why *why);

/* --- connections --- */

/* Called once, with CN_OK when a connection stands; `sentence` says what was tried. */
typedef void (*cn_host_dialled)(
    void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence);

/*
 * See that a connection to `peer` stands: one dial however many ask; addresses are those known and
 * those given (binary multiaddrs without /p2p; may be none). `done` is called within the call only
 * if it fails to begin (then the error is returned and done is not called).
 * Errors: NOT_FOUND (no address known), USAGE (ourselves), TOO_LARGE, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_host_connect(
    cn_host *h,
    const cn_peer_id *peer,
    const cn_slice *addresses,
    size_t addresses_len,
    int64_t timeout_ns,
    cn_host_dialled done,
    void *ctx,
    cn_id *ret,
    cn_why *why);
/* Give up waiting: `done` is not called any more. */
void cn_host_connect_cancel(cn_host *h, cn_id waiting);
/*
 * Forget that dials of `peer` failed lately, at addresses known and given: people want it now.
 * Without it an address that failed is left alone for 5 s to 5 minutes.
 */
void cn_host_forgive(
    cn_host *h, const cn_peer_id *peer, const cn_slice *addresses, size_t addresses_len);
/* Close all connections to a peer; false: there was none. */
bool cn_host_disconnect(cn_host *h, const cn_peer_id *peer);
/* The same for what the peer did: `sentence` (lasting) goes into the log. */
bool cn_host_cut_off(cn_host *h, const cn_peer_id *peer, const char *sentence);
bool cn_host_is_connected(const cn_host *h, const cn_peer_id *peer);

/* Keep connections to `peer` from being trimmed, by a reason's name; and let go again. Errors: as
 * cn_tags_protect. */
CN_MUST_USE cn_err cn_host_protect(cn_host *h, const cn_peer_id *peer, const char *tag);
void cn_host_unprotect(cn_host *h, const cn_peer_id *peer, const char *tag);
/* Worth of a peer to a protocol, for trimming: the sum over tags decides. 0 removes. Errors: as
 * cn_tags_set. */
CN_MUST_USE cn_err cn_host_tag(cn_host *h, const cn_peer_id *peer, const char *tag, int worth);

/* Swarm.AddrFilters: never dialled, never accepted. Connections that stand stay. EXISTS is no
 * error: adding twice is once. Errors: TOO_LARGE, NO_MEMORY. Remove: false, it was not there. */
CN_MUST_USE cn_err cn_host_filter_add(cn_host *h, const cn_ip_range *range);
bool cn_host_filter_remove(cn_host *h, const cn_ip_range *range);
/* Borrowed until the next change. */
const cn_ip_range *cn_host_filters(const cn_host *h, size_t *ret_len);

/*
 * Peering: keep a connection to `peer`, dialled at once and again whenever it is gone, 5 s after
 * the first failure and later and later up to 10 minutes; never trimmed. Adding one that is there
 * adds its addresses. Errors: USAGE (ourselves), TOO_LARGE, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_host_peering_add(
    cn_host *h, const cn_peer_id *peer, const cn_slice *addresses, size_t addresses_len);
/* Its connections stay, but may be trimmed. False: it was not there. */
bool cn_host_peering_remove(cn_host *h, const cn_peer_id *peer);
/* One of them; addresses as given, borrowed until the next change. */
typedef struct cn_host_peered {
    cn_peer_id peer;
    const cn_slice *addresses;
    size_t addresses_len;
} cn_host_peered;
/* Step through them: start with *position 0; false when there are no more. */
bool cn_host_peerings(const cn_host *h, size_t *position, cn_host_peered *ret);

/* Called once; `rtt_ns` with CN_OK. */
typedef void (*cn_host_pinged)(void *ctx, cn_err err, int64_t rtt_ns, const char *sentence);
/*
 * One ping of a connected peer; `done` follows, not within the call. Pings of one peer share a
 * stream and are answered in their order. Errors: NOT_FOUND (not connected), CLOSED (its connection
 * has just gone), UNSUPPORTED (known not to speak it), TOO_LARGE, NO_MEMORY; then `done` does not.
 */
CN_MUST_USE cn_err cn_host_ping(
    cn_host *h,
    const cn_peer_id *peer,
    int64_t timeout_ns,
    cn_host_pinged done,
    void *ctx,
    cn_id *ret);
void cn_host_ping_cancel(cn_host *h, cn_id ping);

/* Addresses to dial `peer` at, kept for `ttl_ns`; hearsay, but for CN_BOOK_TTL_PERMANENT_NS, which
 * is what people gave. Errors: NO_MEMORY; beyond caps the oldest go. */
CN_MUST_USE cn_err cn_host_learn(
    cn_host *h,
    const cn_peer_id *peer,
    const cn_slice *addresses,
    size_t addresses_len,
    int64_t ttl_ns);

/* Does the peer speak `name`? 1 yes, 0 no, -1 not known (yet). */
int cn_host_speaks(const cn_host *h, const cn_peer_id *peer, const char *name);

/* --- streams --- */

/*
 * Open a stream to a connected peer for protocol `p`, with the best of `names` (lasting) that it
 * speaks. Bytes may be written at once; they go out with the negotiation where one name comes into
 * question, and before identify has told which: then the name that it spoke last time is
 * taken, or that of a stream that it opened, or names[0]. p->opened follows when agreed, or ended
 * (REFUSED; RESET, also where such a guess was wrong: open another, which asks for each name).
 * Errors: NOT_FOUND (not connected), UNSUPPORTED (known not to speak any), TOO_LARGE, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_host_stream(
    cn_host *h,
    cn_protocol *p,
    const cn_peer_id *peer,
    const char *const *names,
    size_t names_len,
    cn_id *ret);
/* See cn_muxer_room, _write, _consumed, _close, _reset. */
size_t cn_host_room(const cn_host *h, cn_id stream);
CN_MUST_USE cn_err cn_host_write(cn_host *h, cn_id stream, cn_buf *bytes);
void cn_host_consumed(cn_host *h, cn_id stream, size_t bytes);
/* The peer made us do work without worth, in units of about a microsecond: its connection is read
 * more slowly where that adds up. */
void cn_host_charge(cn_host *h, cn_id stream, size_t work);
void cn_host_close_stream(cn_host *h, cn_id stream);
void cn_host_reset_stream(cn_host *h, cn_id stream, uint32_t code);

/* --- what is known, for commands --- */

typedef struct cn_host_conn {
    cn_conn_info info;
    cn_id id;
    size_t streams_len;
} cn_host_conn;

/* Step through connections that are up: start with *position 0; false when there are no more. */
bool cn_host_conns(const cn_host *h, size_t *position, cn_host_conn *ret);
/* The protocol of its stream `number` (below streams_len), "" while negotiating; NULL: none such.
 */
const char *cn_host_conn_stream(const cn_host *h, cn_id conn, size_t number);

/* What identify told of a peer; slices borrowed until the next event. False: nothing known. */
typedef struct cn_host_peer {
    cn_peer_id id;
    cn_slice public_key;       /* message; empty: not known */
    const cn_slice *addresses; /* binary multiaddrs, without /p2p */
    size_t addresses_len;
    const cn_slice *protocols;
    size_t protocols_len;
    cn_slice agent;
    cn_slice protocol_version;
} cn_host_peer;

bool cn_host_peer_of(const cn_host *h, const cn_peer_id *peer, cn_host_peer *ret);
/* Step through all peers with known addresses. */
bool cn_host_peers(const cn_host *h, size_t *position, cn_host_peer *ret);

/* Our own addresses, listened at and observed, unspecified ones replaced by interfaces' and those
 * of the config applied, each with a newline; `listen_only`: just what we listen at. */
CN_MUST_USE cn_err cn_host_addresses(cn_host *h, cn_buf *texts_out, bool listen_only);

/* Bytes of streams, names of protocols included, and their rate of late (a second). */
typedef struct cn_host_bandwidth {
    uint64_t in_bytes;
    uint64_t out_bytes;
    double in_rate;
    double out_rate;
} cn_host_bandwidth;

void cn_host_bandwidth_total(cn_host *h, cn_host_bandwidth *ret);
/* Of one protocol by name; of one peer since it connected. Zeros: none, or nothing known. */
void cn_host_bandwidth_protocol(cn_host *h, cn_slice name, cn_host_bandwidth *ret);
void cn_host_bandwidth_peer(cn_host *h, const cn_peer_id *peer, cn_host_bandwidth *ret);

/* What was turned away since the start, by reason. */
typedef struct cn_host_counts {
    uint64_t refused_filter; /* callers: Swarm.AddrFilters */
    uint64_t refused_limit;  /* a count of connections */
    uint64_t refused_rate;   /* too many new ones of one address */
    uint64_t refused_memory;
    uint64_t refused_streams;
    uint64_t failed_in;  /* callers that came to nothing: too slow, wrong, no identity */
    uint64_t cut_memory; /* closed to get memory back */
    uint64_t dials_failed;
    uint64_t trimmed;
} cn_host_counts;

/* What is held now, with limits (0: none). */
typedef struct cn_host_resources {
    size_t memory_bytes, memory_max_bytes;
    size_t conns, conns_max;       /* of all phases */
    size_t conns_up, conns_in;     /* of them authenticated; inbound */
    size_t conns_pending;          /* inbound, not authenticated yet */
    size_t dialling, dialling_max; /* attempts */
    size_t streams, streams_max;
    size_t peers; /* connected or dialled */
    size_t book_peers, book_bytes;
    cn_host_counts counts;
} cn_host_resources;

void cn_host_resources_of(const cn_host *h, cn_host_resources *ret);
/* Streams open of each protocol that was ever spoken here: start with *position 0. */
typedef struct cn_host_protocol_use {
    const char *name;
    size_t streams_in;
    size_t streams_out;
} cn_host_protocol_use;
bool cn_host_protocols(const cn_host *h, size_t *position, cn_host_protocol_use *ret);
/* Step through the names that are answered here, ours included. */
bool cn_host_served(const cn_host *h, size_t *position, const char **ret);
