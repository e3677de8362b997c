/*
 * What the files of the host share. host.c: life, the loop's side; host_conns.c: connections and
 * who is there; host_streams.c: what protocols call; host_streams_in.c: what comes in, negotiation;
 * host_dial.c: dials; host_wait.c: those who wait for one; host_names.c: names to addresses;
 * host_identify.c, host_own.c, host_told.c, host_ping.c: what every node speaks; host_peering.c,
 * host_trim.c: whom to keep; host_addresses.c: where we are; host_report.c: what commands ask.
 *
 * No handler of a protocol runs inside a call of a protocol: what calls cause (a connection closed,
 * a dial that is over already) is marked, and told in the turn. A connection or stream may be gone
 * after any handler has run, so both are looked up again by id.
 */
#pragma once

#include "base/map.h"
#include "base/prng.h"
#include "p2p/host/announce.h"
#include "p2p/host/backoff.h"
#include "p2p/host/book.h"
#include "p2p/host/gate.h"
#include "p2p/host/host.h"
#include "p2p/host/identify_message.h"
#include "p2p/host/meter.h"
#include "p2p/host/observed.h"
#include "p2p/host/tags.h"
#include "p2p/stack/multistream.h"

enum {
    HOST_TRANSPORTS_MAX = 8,
    HOST_PROTOCOLS_MAX = 16,
    HOST_NAMES_MAX = 64, /* protocol names ever spoken here: our own code's, not the peers' */
    HOST_LISTEN_MAX = 64,
    HOST_IPS_MAX = 64,
    HOST_ATTEMPTS_MAX = 64, /* addresses tried in one dial */
    HOST_QUERIES_MAX = 32,  /* names asked for in one dial, all levels */
    HOST_NAME_DEPTH_MAX = 4,
    HOST_WAITERS_MAX = 65536,
    HOST_PEERS_MAX = 65536,
    HOST_FILTERS_MAX = 1024,
    HOST_PEERINGS_MAX = 1024,
    HOST_REPORT_MAX_BYTES = 8192,
    HOST_ADDRESS_BYTES = 64, /* of a connection's other side, kept for notes */
    HOST_EARLY_MAX_BYTES = 5 << 20,
    HOST_EARLY_ROOM_BYTES = 256 << 10,
    HOST_DIAL_PER_PEER_MAX = 8,
    HOST_NEGOTIATION_S = 10,
    HOST_DIAL_S = 15,
    HOST_DIAL_LOCAL_S = 5,
    HOST_EVENTS_MAX = 4096, /* of one transport, before what they caused is sent */
    HOST_PASSES_MAX = 16,   /* of one turn, before the loop may look at its sockets again */
};

typedef struct host_conn host_conn;
typedef struct host_dial host_dial;
typedef struct host_peer host_peer;
typedef struct host_stream host_stream;

/* How far a peer has told who it is. */
typedef enum host_known {
    HOST_UNASKED,
    HOST_ASKED,
    HOST_KNOWN, /* what it speaks is in the book */
    HOST_SILENT /* asked in vain, asked again after a while */
} host_known;

/* Somebody with whom we have to do now: connected or dialled. */
struct host_peer {
    cn_peer_id id;
    host_conn *conns; /* up */
    size_t conns_len; /* with those that are closed and not told yet */
    host_dial *dial;
    host_known known;
    uint32_t asked_in_vain; /* times, by identify */
    cn_time ask_at;         /* SILENT: again */
    uint32_t version_told;  /* of what we told it by identify */
    bool is_told;           /* peer_up was */
    bool is_hard_to_guess;  /* a name was guessed before it told which it speaks, and refused */
    cn_time since;
    cn_time pushes_at; /* when it may push as often as at first again; see host_identify.c */
    uint16_t streams_in[HOST_PROTOCOLS_MAX];
    size_t streams_len;
    cn_meter meter;
};

struct host_conn {
    cn_id id;
    cn_transport *transport;
    uint32_t transport_no;
    cn_id raw;       /* the transport's name of it */
    host_peer *peer; /* UP; for a dial, whom we want */
    host_conn *next; /* of the peer, UP; inbound and not UP: of those that are pending, by age */
    host_conn *prev;
    host_conn *next_gone;
    host_stream *streams;
    size_t streams_len;
    host_dial *dial;  /* of which it is an attempt, not UP */
    cn_time deadline; /* of an attempt */
    bool is_up;
    bool is_gone; /* closed; to be told and freed in the turn */
    bool is_initiator;
    bool is_pending; /* in the list of those */
    cn_gate_pass pass;
    cn_err err;     /* gone: why */
    char *sentence; /* the same; owned; NULL: that of err */
    uint8_t remote_len;
    uint8_t remote[HOST_ADDRESS_BYTES];
    cn_time since; /* it stood */
    cn_time busy;  /* last stream opened or ended, or data moved */
};

struct host_stream {
    cn_id id;
    host_conn *conn;
    cn_stream_no no;
    host_stream *next; /* of the connection */
    host_stream *prev;
    host_stream *later; /* of those that negotiate, by deadline */
    host_stream *earlier;
    uint32_t protocol;     /* number; UINT32_MAX while an inbound one negotiates */
    uint32_t name;         /* number in host names; UINT32_MAX: not agreed */
    cn_multistream *names; /* while negotiating */
    const char *const *choices;
    cn_buf early; /* written before the name was agreed on */
    cn_time deadline;
    const char *one;
    bool is_ours;
    bool is_guess; /* ours: the one name it was opened with was not known to be spoken */
    bool is_lazy;  /* our bytes go out before the answer */
    bool is_fin_in;
    bool is_fin_out;
    bool is_close_wanted;
    bool is_room_wanted;
};

typedef struct host_name {
    const char *text;
    cn_meter meter;
    size_t streams_in;
    size_t streams_out;
} host_name;

typedef struct host_protocol {
    cn_protocol *p;
    size_t streams_in;
} host_protocol;

/* Somebody who wants a connection: hangs at a dial, then among those to be told. */
typedef struct host_waiter {
    struct host_waiter *next;
    cn_id id;
    cn_peer_id peer;
    host_dial *dial; /* NULL: over, to be told */
    cn_host_dialled done;
    void *ctx;
    cn_time deadline;
    cn_err err;
    char *sentence; /* owned; NULL: that of err */
} host_waiter;

typedef struct host_attempt {
    uint8_t *address; /* owned */
    size_t len;
    cn_time due;
    cn_id conn; /* running */
    bool is_begun;
    bool is_over;
} host_attempt;

typedef struct host_query {
    cn_id id;         /* of the net; none: over */
    uint8_t *address; /* with the name; owned */
    size_t len;
    uint8_t depth;
} host_query;

struct host_dial {
    host_dial *next;
    host_dial *prev;
    host_peer *peer;
    host_waiter *waiters;
    host_attempt *attempts;
    size_t attempts_len;
    size_t attempts_cap;
    host_query *queries;
    size_t queries_len;
    size_t queries_cap;
    size_t queries_open;
    size_t running;
    bool is_met; /* the peer came in: what runs goes on, nothing is begun */
    cn_err err;  /* of the attempt that failed last */
    cn_buf report;
};

typedef struct host_listener {
    cn_transport *transport;
    cn_id id;
    uint8_t *bound; /* owned */
    size_t len;
} host_listener;

/* Our signed record for peers of one scope, and the addresses it was made of. */
typedef struct host_record {
    cn_buf addresses;
    cn_buf envelope;
} host_record;

struct host_peering;
struct host_identify;
struct host_ping;

struct cn_host {
    cn_host_options options;
    cn_mem *mem;
    cn_peer_id self;
    cn_buf public_key; /* message */
    cn_time now;
    cn_prng prng;
    bool is_again; /* a turn ended early */
    bool is_book_own;
    bool is_ending; /* being freed: protocols are told nothing */

    cn_transport *transports[HOST_TRANSPORTS_MAX];
    size_t transports_len;
    host_protocol protocols[HOST_PROTOCOLS_MAX];
    size_t protocols_len;
    host_name names[HOST_NAMES_MAX];
    size_t names_len;

    cn_slots conns;
    cn_map conns_by_raw;  /* transport and its id -> host_conn * */
    host_conn *conn_last; /* found last: events come in runs */
    host_conn *gone_first;
    host_conn *gone_last;
    host_conn *pending_first;
    host_conn *pending_last;
    cn_time relieved; /* when a connection was last closed for memory */
    size_t conns_up;
    size_t attempts_running;

    cn_slots streams;
    cn_map streams_by_no; /* connection and number -> host_stream * */
    host_stream *stream_last;
    host_stream *negotiating_first;
    host_stream *negotiating_last;

    cn_map peers; /* id -> host_peer * */
    cn_book *book;
    cn_gate gate;
    cn_observed observed;
    cn_backoff backoff;
    cn_tags tags;
    cn_announce announce;

    host_dial *dials;
    cn_slots waiters;
    host_waiter *due_first; /* to be told */
    host_waiter *due_last;
    cn_time dial_deadline; /* not later than anything of dials and waiters */

    host_listener listeners[HOST_LISTEN_MAX];
    size_t listeners_len;
    cn_endpoint ips[HOST_IPS_MAX];
    size_t ips_len;
    cn_time ips_until;
    uint64_t sequence; /* of our last signed record */
    host_record records[CN_SCOPE_PUBLIC + 1];

    cn_ip_range *filters;
    size_t filters_len;
    size_t filters_cap;

    struct host_identify *identify;
    struct host_ping *ping;
    struct host_peering *peerings;
    size_t peerings_len;
    cn_time trimmed; /* last */
    cn_time trim_at;
    bool is_trim_due;
    cn_meter meter;
    cn_host_counts counts;
    cn_buf own; /* lent by cn_host_own */
};

/* --- host.c --- */

void cn_host_note_it(
    cn_host *h,
    cn_host_note_kind kind,
    const cn_peer_id *peer,
    cn_slice address,
    const char *sentence);
/* Earlier of the two. */
static inline cn_time cn_host_sooner(cn_time a, cn_time b)
{
    return a.ns < b.ns ? a : b;
}

/* --- host_conns.c --- */

/* Make and find; a peer's place goes when nothing keeps it (cn_host_let_go). Errors: TOO_LARGE,
 * NO_MEMORY. */
CN_MUST_USE cn_err cn_host_peer_get(cn_host *h, const cn_peer_id *id, host_peer **ret);
host_peer *cn_host_peer_find(const cn_host *h, const cn_peer_id *id);
void cn_host_let_go(cn_host *h, host_peer *peer);

/* A connection of the transport, told to the host; for a dial, before it is UP. */
CN_MUST_USE cn_err cn_host_conn_add(cn_host *h, uint32_t transport_no, cn_id raw, host_conn **ret);
host_conn *cn_host_conn_find(cn_host *h, uint32_t transport_no, cn_id raw);
/* Close it now, tell and free it in the turn. `sentence` may be NULL. */
void cn_host_conn_close(cn_host *h, host_conn *c, cn_err err, const char *sentence);
/* The same of one that the transport has closed already. */
void cn_host_conn_lost(cn_host *h, host_conn *c, cn_err err, const char *sentence);
/* Tell and free those that are gone; false: there were none. */
bool cn_host_conns_bury(cn_host *h);
void cn_host_conn_arrived(cn_host *h, uint32_t transport_no, cn_id raw);
void cn_host_conn_up(cn_host *h, host_conn *c);

/* --- host_streams.c, host_streams_in.c --- */

CN_MUST_USE cn_err cn_host_stream_open(
    cn_host *h,
    host_conn *c,
    cn_protocol *p,
    const char *const *names,
    size_t names_len,
    cn_id *ret);
CN_MUST_USE cn_err cn_host_stream_add(cn_host *h, host_conn *c, cn_stream_no no, host_stream **ret);
host_stream *cn_host_stream_find(cn_host *h, host_conn *c, cn_stream_no no);
void cn_host_stream_drop(cn_host *h, host_stream *s);
/* Both directions have ended: free it. */
void cn_host_stream_settle(cn_host *h, host_stream *s);
void cn_host_stream_agreed(cn_host *h, host_stream *s);
void cn_host_take_mux(cn_host *h, host_conn *c, const cn_mux_event *e);
void cn_host_streams_tick(cn_host *h, cn_time now);
/* Count `s` under `name`; errors TOO_LARGE (names). */
CN_MUST_USE cn_err cn_host_stream_name(cn_host *h, host_stream *s, const char *name);
cn_protocol *cn_host_protocol_of(const cn_host *h, const host_stream *s);
cn_err cn_host_send(cn_host *h, host_stream *s, cn_buf *bytes);

/* --- host_wait.c --- */

/* Whoever this is hears of the end in the turn; it hangs at no dial any more. */
void cn_host_waiter_tell(cn_host *h, host_waiter *w, cn_err err, const char *sentence);
/* Tell those who are to be told; false: there were none. */
bool cn_host_waiters_turn(cn_host *h);
void cn_host_waiters_free(cn_host *h);

/* --- host_dial.c, host_names.c --- */

/* Look at the dials in this turn. */
static inline void cn_host_dial_soon(cn_host *h)
{
    h->dial_deadline = h->now;
}
/* The dial of a peer, made if there is none. Errors: TOO_LARGE, NO_MEMORY. */
CN_MUST_USE cn_err cn_host_dial_get(cn_host *h, const cn_peer_id *peer, host_dial **ret);
/* End it without a word; nobody waits for it. */
void cn_host_dial_free(cn_host *h, host_dial *d);

void cn_host_dial_up(cn_host *h, host_conn *c);
void cn_host_dial_failed(cn_host *h, host_conn *c);
/* Whoever waits for `peer` has it, by a connection of ours or one that came in. */
void cn_host_dial_met(cn_host *h, host_peer *peer, bool is_ours);
/* Begin what is due, give up what is late, tell who waited; false: nothing was told. */
bool cn_host_dials_turn(cn_host *h);
void cn_host_dials_free(cn_host *h);
/* Rank addresses without names and add them to the plan. `states` may be NULL. Errors: NO_MEMORY.
 */
CN_MUST_USE cn_err cn_host_dial_plan(
    cn_host *h,
    host_dial *d,
    const cn_slice *addresses,
    const cn_book_state *states,
    size_t addresses_len);
/* Say in the report that an address failed. */
void cn_host_dial_report(host_dial *d, cn_slice address, const char *sentence);
bool cn_host_is_name(cn_slice address);
/* Ask for the name in an address that has one; `depth` counts names that led to it. What cannot be
 * asked is reported. */
void cn_host_names_ask(cn_host *h, host_dial *d, cn_slice address, uint8_t depth);
/* An answer; false: not to a question of the host. */
bool cn_host_names_take(cn_host *h, const cn_net_event *event);
void cn_host_names_free(cn_host *h, host_dial *d);

/* --- host_own.c, host_told.c --- */

void cn_host_own_init(cn_host *h);
void cn_host_own_release(cn_host *h);
/* Append our identify message for the other end of a connection. Errors: those of the buffer,
 * NO_MEMORY. */
CN_MUST_USE cn_err cn_host_own_encode(cn_host *h, const cn_conn_info *info, cn_buf *out);
/* Put into the book what the peer at the other end told. Errors: CLOSED, NO_MEMORY, TOO_LARGE. */
CN_MUST_USE cn_err
cn_host_told_take(cn_host *h, const host_conn *c, const cn_identify_fields *told);

/* --- host_identify.c, host_ping.c --- */

CN_MUST_USE cn_err cn_host_identify_new(cn_host *h);
void cn_host_identify_free(cn_host *h);
/* Ask the peer at the other end of a new connection who it is, unless that is known. */
void cn_host_identify_begin(cn_host *h, host_conn *c);
/* Our addresses or protocols have changed: tell all, not too often. */
void cn_host_identify_changed(cn_host *h);
CN_MUST_USE cn_err cn_host_ping_new(cn_host *h);
void cn_host_ping_free(cn_host *h);

/* --- host_peering.c, host_trim.c --- */

/* The last connection to a peer is gone. */
void cn_host_peering_left(cn_host *h, const cn_peer_id *peer);
void cn_host_peering_tick(cn_host *h, cn_time now);
cn_time cn_host_peering_deadline(const cn_host *h);
void cn_host_peering_free(cn_host *h);
void cn_host_trim(cn_host *h);
/* Where memory is nearly used up, close the connection that holds most. */
void cn_host_relieve(cn_host *h);

/* --- host_addresses.c --- */

/*
 * Our own addresses, binary, borrowed from the host until the next call: listened at, unspecified
 * ones replaced, and, unless `listen_only`, observed. At most `max`; the count is returned.
 */
size_t cn_host_own(cn_host *h, bool listen_only, cn_slice *ret, size_t max);
void cn_host_addresses_free(cn_host *h);
