/*
 * What the files of the TCP transport share. tcp.c: listeners, dials, life of connections;
 * tcp_in.c: from socket to events; tcp_out.c: from muxer to socket; tcp_addr.c: addresses;
 * tcp_stream.c: streams; tcp_due.c: deadlines; tcp_refused.c: which security an address takes;
 * tcp_work.c: who is read more slowly.
 */
#pragma once

#include "multiformats/multiaddr.h"
#include "p2p/stack/multistream.h"
#include "p2p/transport/tcp.h"

enum {
    CN_TCP_READ_BYTES = 256 << 10,    /* one read; holds at least one whole record */
    CN_TCP_LEFT_MAX_BYTES = 70 << 10, /* part of a record kept between reads */
    CN_TCP_SEAL_BYTES = 256 << 10,    /* sealed and written at once */
    CN_TCP_TURN_BYTES = 1 << 20,      /* read or written before others have their turn */
    CN_TCP_PARTS = 48,
    CN_TCP_OUT_MAX_BYTES = 1 << 20,
    CN_TCP_ADDRESS_BYTES = 48,
    CN_TCP_UPGRADE_TIMEOUT_S = 15,
    CN_TCP_STUCK_TIMEOUT_S = 30,
    CN_TCP_READ_SMALL_BYTES = 16 << 10, /* one read of a connection that makes much work */
    CN_TCP_KNOWN_MAX = 256,             /* addresses of which the security is remembered */
};

/*
 *   DIALING -> SECURITY -> SECURING -> (MUXER ->) UP -> DOWN
 * ARRIVED connections begin at SECURITY. Each phase may go to DOWN. A dialled one whose security is
 * refused goes from SECURITY back to DIALING, on a new socket, while there is another to offer.
 */
typedef enum tcp_phase {
    TCP_DIALING,
    TCP_SECURITY, /* agreeing on the security, in clear */
    TCP_SECURING, /* its handshake */
    TCP_MUXER,    /* agreeing on the muxer, sealed; left out where the handshake did */
    TCP_UP,
    TCP_DOWN, /* to be told, then gone */
} tcp_phase;

typedef struct tcp_conn {
    struct tcp_conn *next_ready;
    struct tcp_conn *next_dirty;
    cn_id id;
    cn_id sock;
    tcp_phase phase;
    bool is_initiator;
    bool is_ready; /* in the list of those that next looks at */
    bool is_dirty; /* in the list of those that flush looks at */
    bool is_arrived_due;
    bool is_up_due;
    bool is_early; /* the muxer was chosen in the handshake */
    bool is_readable;
    bool is_blocked; /* the socket is full: WRITABLE will come */
    bool is_resting; /* it made too much work: not read until rest_until */
    bool is_wearing; /* its account has been overdrawn, on and off, since worn_since */
    cn_peer_id expected;
    cn_multistream names;
    size_t offered;   /* dialled: which security */
    unsigned refused; /* a bit for each that was refused */
    cn_security *security;
    cn_secure *secure;
    const cn_muxing *muxing;
    cn_muxer *muxer;
    cn_buf left; /* bytes of the wire not dealt with: part of a record */
    cn_buf out;  /* bytes for the wire that the socket has not taken */
    size_t out_sent;
    cn_time deadline; /* of the upgrade */
    cn_time due_at;   /* when to look at it; not later than its deadline */
    size_t due_index;
    cn_time blocked; /* since when the socket is full */
    cn_time rest_until;
    cn_time worn_since;
    cn_time work_at;    /* when work_left was brought up to date */
    int64_t work_left;  /* what it may still make */
    uint64_t work_seen; /* of the muxer's count */
    cn_time since;
    cn_err err; /* DOWN */
    cn_why why;
    cn_endpoint remote_ip;
    uint8_t remote[CN_TCP_ADDRESS_BYTES];
    uint8_t local[CN_TCP_ADDRESS_BYTES];
    size_t remote_len;
    size_t local_len;
    int64_t rtt_ns;
    uint64_t in_bytes;
    uint64_t out_bytes;
} tcp_conn;

/* The security that an address takes. */
typedef struct tcp_known {
    cn_endpoint at;
    uint8_t security; /* index and 1; 0: a free line */
} tcp_known;

typedef struct tcp {
    cn_transport transport;
    cn_tcp_options options;
    cn_security *securities[CN_TCP_KINDS_MAX];
    const cn_muxing *muxings[CN_TCP_KINDS_MAX];
    const char *muxer_names[CN_TCP_KINDS_MAX];
    cn_slots conns;
    tcp_conn *ready_first;
    tcp_conn *ready_last;
    tcp_conn *dirty_first;
    tcp_conn *dirty_last;
    tcp_conn **due; /* all of them, a heap */
    size_t due_len;
    size_t due_cap;
    size_t ups;    /* connections that are UP */
    bool is_again; /* a turn ended early: come back at once */
    tcp_known known[CN_TCP_KNOWN_MAX];

    /* The connection whose bytes lie in `wire`; NULL: none. */
    tcp_conn *current;
    uint8_t *wire;
    size_t wire_at;
    size_t wire_len;
    cn_slice plain;    /* of the current record, not yet dealt with */
    size_t turn_bytes; /* read in this turn */
    cn_buf sealed;
    cn_why told; /* the sentence of the last DOWN */
} tcp;

/* Addresses: "/ip4/.../tcp/..." and nothing behind. */
bool cn_tcp_endpoint(cn_slice address, cn_endpoint *ret);
CN_MUST_USE cn_err cn_tcp_address(const cn_endpoint *e, cn_buf *out);

void cn_tcp_ready(tcp *t, tcp_conn *c);
void cn_tcp_dirty(tcp *t, tcp_conn *c);
/* Put the connection down: told by next. Later causes do not replace the first. */
void cn_tcp_fail(tcp *t, tcp_conn *c, cn_err err);
void cn_tcp_drop(tcp *t, tcp_conn *c);
/* The beginning of the upgrade, once the socket stands. */
CN_MUST_USE cn_err cn_tcp_upgrade(tcp *t, tcp_conn *c);
void cn_tcp_note_deadline(tcp *t, tcp_conn *c);
/* The security offered was refused: dial again with another. Errors: UNSUPPORTED (none is left). */
CN_MUST_USE cn_err cn_tcp_dial_again(tcp *t, tcp_conn *c);

/* Deadlines. Errors: NO_MEMORY, TOO_LARGE. */
CN_MUST_USE cn_err cn_tcp_due_add(tcp *t, tcp_conn *c);
void cn_tcp_due_remove(tcp *t, tcp_conn *c); /* of one that is not there: nothing */
void cn_tcp_due_set(tcp *t, tcp_conn *c, cn_time at);
tcp_conn *cn_tcp_due_first(const tcp *t); /* NULL: none */

/* Remember which of our securities an address takes, and ask; 0, the first, if it is not known. */
void cn_tcp_know(tcp *t, const cn_endpoint *at, size_t security);
size_t cn_tcp_known(tcp *t, const cn_endpoint *at);

/* Work. `begin` when it is UP. May it be read now? If not, it rests, and resume ends that. Errors:
 * TOO_LARGE (it does not stop). */
void cn_tcp_work_begin(tcp *t, tcp_conn *c, cn_time now);
CN_MUST_USE cn_err cn_tcp_work_check(tcp *t, tcp_conn *c, cn_time now, bool *ret_allowed);
void cn_tcp_work_resume(tcp *t, tcp_conn *c);
/* It is to be read in small pieces. */
bool cn_tcp_work_is_much(const tcp *t, const tcp_conn *c);
void cn_tcp_charge(cn_transport *t, cn_id conn, size_t work);

bool cn_tcp_next(cn_transport *transport, cn_time now, cn_conn_event *ret);
void cn_tcp_flush(cn_transport *transport, cn_time now);

/* As cn_transport_ops. */
cn_err cn_tcp_stream_open(cn_transport *t, cn_id conn, cn_stream_no *ret);
size_t cn_tcp_stream_room(const cn_transport *t, cn_id conn, cn_stream_no stream);
cn_err cn_tcp_stream_write(cn_transport *t, cn_id conn, cn_stream_no stream, cn_buf *bytes);
void cn_tcp_stream_consumed(
    cn_transport *t, cn_id conn, cn_stream_no stream, size_t bytes, cn_time now);
void cn_tcp_stream_close(cn_transport *t, cn_id conn, cn_stream_no stream);
void cn_tcp_stream_reset(cn_transport *t, cn_id conn, cn_stream_no stream, uint32_t code);
