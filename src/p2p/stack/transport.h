/*
 * cn_transport: ways to reach a peer. It turns an address into a connection that is authenticated
 * and carries streams; how (TCP with Noise or TLS and yamux, later QUIC) is its own affair. The
 * host uses transports through this interface only, so a new one needs no change there.
 *
 * Pull, not call back: the loop gives each event of the network to the transport (take), then asks
 * for what became of it (next) until there is nothing. Between two calls of next the host may call
 * anything.
 */
#pragma once

#include "base/id.h"
#include "p2p/stack/muxer.h"
#include "p2p/stack/secure.h"
#include "rt/net.h"

typedef struct cn_transport cn_transport;

typedef enum cn_conn_kind {
    CN_CONN_ARRIVED, /* an inbound connection begins; close it now or let it go on */
    CN_CONN_UP,      /* dialled or inbound: authenticated, carries streams */
    CN_CONN_DOWN,    /* it is gone, or the dial failed: err, why; the id finds nothing any more */
    CN_CONN_STREAM,  /* a mux event of one stream, or RTT: `mux` */
} cn_conn_kind;

typedef struct cn_conn_event {
    cn_conn_kind kind;
    cn_id conn;
    cn_mux_event mux;     /* STREAM; never GONE */
    cn_err err;           /* DOWN; CLOSED: orderly, by either side */
    const char *sentence; /* DOWN: borrowed until the next call; may be NULL */
} cn_conn_event;

/* What is known of a connection; slices are borrowed as long as it lives. */
typedef struct cn_conn_info {
    bool is_initiator; /* we dialled */
    bool is_up;
    cn_peer_id peer;        /* UP */
    const cn_key *peer_key; /* UP */
    cn_slice remote;        /* multiaddrs, without /p2p */
    cn_slice local;
    cn_endpoint remote_ip; /* for limits; port 0 where there is none */
    const char *security;  /* protocol names; "" for a transport that has its own */
    const char *muxer;
    bool is_muxer_early; /* chosen within the handshake */
    int64_t rtt_ns;      /* 0: not measured yet */
    cn_time since;
    uint64_t in_bytes; /* of the wire */
    uint64_t out_bytes;
    size_t held_bytes; /* of memory, all told */
} cn_conn_info;

typedef struct cn_transport_ops {
    bool (*handles)(const cn_transport *t, cn_slice address);
    cn_err (*listen)(cn_transport *t, cn_slice address, cn_id *ret, cn_buf *ret_bound, cn_why *why);
    void (*unlisten)(cn_transport *t, cn_id listener);
    cn_err (*dial)(
        cn_transport *t,
        cn_slice address,
        const cn_peer_id *peer,
        cn_time now,
        cn_id *ret,
        cn_why *why);

    bool (*take)(cn_transport *t, const cn_net_event *event, cn_time now);
    bool (*next)(cn_transport *t, cn_time now, cn_conn_event *ret);
    cn_time (*deadline)(const cn_transport *t);
    void (*tick)(cn_transport *t, cn_time now);

    cn_err (*stream_open)(cn_transport *t, cn_id conn, cn_stream_no *ret);
    size_t (*stream_room)(const cn_transport *t, cn_id conn, cn_stream_no stream);
    cn_err (*stream_write)(cn_transport *t, cn_id conn, cn_stream_no stream, cn_buf *bytes);
    void (*stream_consumed)(
        cn_transport *t, cn_id conn, cn_stream_no stream, size_t bytes, cn_time now);
    void (*stream_close)(cn_transport *t, cn_id conn, cn_stream_no stream);
    void (*stream_reset)(cn_transport *t, cn_id conn, cn_stream_no stream, uint32_t code);
    void (*charge)(cn_transport *t, cn_id conn, size_t work);
    void (*close)(cn_transport *t, cn_id conn, uint32_t code);
    bool (*info)(const cn_transport *t, cn_id conn, cn_conn_info *ret);
    void (*flush)(cn_transport *t, cn_time now);
    void (*free)(cn_transport *t);
} cn_transport_ops;

/*
 * Implementations put this first in their own struct; one loop each.
 *
 *   handles    can this address (checked multiaddr, without its last /p2p) be dialled or listened
 * at? listen     begin to accept there; `ret_bound` (initialised) gets the address with its real
 * port. Errors as cn_net_listen, UNSUPPORTED (handles says no). dial       begin; UP or DOWN
 * follows. `peer` (nullable) must be who answers. IP addresses only: names are resolved by the
 * host. Errors: UNSUPPORTED, TOO_LARGE, IO, NO_MEMORY. take       an event of the network; false:
 * not of this transport. next       the next event; false: none until more comes in. Slices are
 * borrowed until the next call of next. stream_*   as cn_muxer_*; of a connection that is gone:
 * CLOSED, 0, or nothing. charge     (may be NULL)
 * the other side made us do this much work without worth, in units of about a microsecond (see
 * cn_muxer_work): a connection that makes too much is read more slowly. close      give up a
 * connection or a dial, saying so where that is possible; no DOWN follows. flush      send what has
 * been queued; the host calls it once at the end of each turn. info       what is known; false:
 * gone. Not for hot paths.
 */
struct cn_transport {
    const cn_transport_ops *ops;
    const char *name; /* "tcp" */
};
