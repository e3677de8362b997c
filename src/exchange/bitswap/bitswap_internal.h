/*
 * What the files of the protocol share: peers and streams.
 *
 * Invariants: a peer is in `peers` from peer_up to peer_down and has its halves in client and
 * engine for as long. A stream is in `streams` until it ends; those of ours are named by their
 * peer. Only flush sends.
 */
#pragma once

#include "exchange/bitswap/arrival.h"
#include "exchange/bitswap/bitswap.h"
#include "exchange/bitswap/ring.h"

typedef struct cn_bs_peer cn_bs_peer;
typedef struct cn_bs_stream cn_bs_stream;
typedef struct cn_bs_dial cn_bs_dial;

enum {
    CN_BS_PEERS_MAX = 1 << 14,
    CN_BS_STREAMS_MAX = 1 << 14,
    /* inbound: a Kubo opens one for each message, and ends it later */
    CN_BS_STREAMS_PER_PEER_MAX = 1000,
    CN_BS_DIALS_MAX = 256,
    CN_BS_BANNED_MAX = 1024,
    CN_BS_INBOX_MAX_BYTES = 64 << 20, /* of unfinished messages, all together; at most */
    CN_BS_SHARE = 8, /* and this part of the memory, where that has a limit; as the engine */
};

typedef enum cn_bs_kind {
    CN_BS_IN,
    CN_BS_WANTS,  /* ours: what we want */
    CN_BS_BLOCKS, /* ours: what the peer wants */
} cn_bs_kind;

struct cn_bs_stream {
    cn_id id;
    cn_bs_kind kind;
    cn_bs_peer *peer;
    cn_ring node; /* of the peer */
    cn_ring owed; /* of those whose sender waits, or alone */
    size_t owed_bytes;
    cn_buf inbox;    /* of the message that comes */
    size_t need;     /* its length; 0: not known yet */
    uint64_t prefix; /* of its length, as far as it is there */
    unsigned prefix_bits;
    cn_time came;    /* theirs: when bytes came last */
    cn_time written; /* ours: when something was last accepted */
    bool is_full;    /* ours: there was no room; writable follows */
};

struct cn_bs_peer {
    cn_id id; /* of `slots` */
    cn_peer_id peer;
    cn_client_peer *client;
    cn_engine_peer *engine;
    cn_ring streams;
    cn_bs_stream *out[3]; /* by kind; NULL: none */
    size_t inbox_bytes;   /* of its unfinished messages */
    bool tell_all;        /* the next wantlist replaces what was told */
    bool is_let_go;
    bool is_tagged;
};

/* A provider that is being dialled for a session. */
struct cn_bs_dial {
    cn_ring node;
    cn_bitswap *owner;
    cn_id session;
    cn_id waiting;
};

struct cn_bitswap {
    cn_protocol protocol; /* first: cast back from it */
    cn_exchange exchange;
    cn_bitswap_options options;
    cn_client *client;
    cn_engine *engine;
    cn_arrival *arrival;
    cn_map peers;   /* peer id to cn_bs_peer pointer */
    cn_map streams; /* cn_id to cn_bs_stream pointer */
    cn_slots slots; /* peers, for what comes back later */
    cn_map banned;  /* peer id to cn_time: until when */
    cn_ring owed;
    cn_ring dials;
    size_t dials_len;
    size_t inbox_bytes;
    size_t inbox_max_bytes;
    size_t engine_max_bytes;
    uint64_t messages;
    cn_time checked; /* when streams were last looked at */
    bool is_due;     /* flush at the next tick */
    bool has_liars;  /* peers to be let go */
};

/* bitswap.c */
cn_bs_peer *cn_bs_peer_of(const cn_bitswap *b, const cn_peer_id *peer);

/* bitswap_in.c */
CN_MUST_USE cn_err cn_bs_take(cn_bitswap *b, cn_bs_stream *s, cn_slice bytes);
/* Senders that waited may go on. */
void cn_bs_pay(cn_bitswap *b);

/* bitswap_out.c */
void cn_bs_flush(cn_bitswap *b);
/* Streams that take nothing for too long are given up. */
void cn_bs_check_stuck(cn_bitswap *b, cn_time now);

/* bitswap_stream.c */
CN_MUST_USE cn_err
cn_bs_stream_add(cn_bitswap *b, cn_bs_peer *p, cn_id id, cn_bs_kind kind, cn_bs_stream **ret);
cn_bs_stream *cn_bs_stream_of(const cn_bitswap *b, cn_id id);
/* Forget it; the host knows already, or is told by the caller. */
void cn_bs_stream_drop(cn_bitswap *b, cn_bs_stream *s);
extern const char *const cn_bs_names[4];

/* bitswap_exchange.c */
extern const cn_exchange_ops cn_bs_exchange_ops;
void cn_bs_dials_free(cn_bitswap *b);
