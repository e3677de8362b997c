/*
 * rt/net.h for a node of the simulator, and the wires between nodes: net_sim.c is a node's side
 * (sockets, what is ready, names), wire.c the world's (connections, packets, windows, faults).
 *
 * A connection is two directions. Each is a queue of packets that arrive in order, each after the
 * link's latency, the line's rate and what the plan adds; a direction never has more bytes in
 * flight and unread than its window.
 */
#pragma once

#include "sim/world.h"

typedef enum sim_packet_kind {
    SIM_SYN,
    SIM_SYNACK,
    SIM_DATA,
    SIM_CREDIT, /* the other side has read: `len` more bytes may come */
    SIM_FIN,
    SIM_RST,
} sim_packet_kind;

typedef struct sim_packet {
    struct sim_packet *next;
    int64_t arrives_ns;
    sim_packet_kind kind;
    uint32_t len;
    uint32_t at;     /* bytes read of it */
    uint8_t bytes[]; /* DATA */
} sim_packet;

typedef struct sim_queue {
    sim_packet *first;
    sim_packet *last;
} sim_queue;

/*
 *   NONE -> OPEN -> GONE (closed by its program: packets are answered with RST)
 *                -> DARK (its machine went off: packets are lost; after a start answered with RST)
 */
typedef enum sim_end_state {
    SIM_END_NONE,
    SIM_END_OPEN,
    SIM_END_GONE,
    SIM_END_DARK,
} sim_end_state;

typedef struct sim_end {
    sim_node *node;
    sim_end_state state;
    cn_id sock; /* of the node's net; NONE: waits to be accepted */
    cn_endpoint at;
    sim_queue unread;
    size_t unread_bytes;
    uint32_t credit_due;  /* read and not told yet */
    uint32_t window_left; /* bytes that may be sent from here */
    bool has_fin;
    bool is_reset;
    bool is_shut;
} sim_end;

typedef struct sim_way {
    sim_queue flying;
    int64_t line_free_ns;
    int64_t last_ns;   /* arrival of the last one */
    bool is_scheduled; /* the first one's arrival stands in the world's queue */
} sim_way;

/* ends[0] dialled; ways[i] leads from ends[i]. */
struct sim_conn {
    cn_id id;
    uint64_t number; /* in the order of their making, for traces */
    sim_end ends[2];
    sim_way ways[2];
    cn_prng chance;
};

/* --- a node's side --- */

sim_net *sim_net_new(sim_node *n);
/* Accepts NULL. */
void sim_net_free(sim_net *net);
cn_net *sim_net_of(sim_node *n);
/* Hand over at most `max` events. */
void sim_net_poll(sim_net *net, size_t max, void (*take)(void *, const cn_net_event *), void *ctx);
bool sim_net_has_ready(sim_net *net);
/* The program is about to vanish: from now on nothing that it calls has any effect. */
void sim_net_cut(sim_net *net, bool is_dark);
/* The program is gone: close what it left open; the net is as new. */
void sim_net_end(sim_net *net);
void sim_net_named(sim_net *net, cn_id query);
/* Sockets of all kinds that are open. */
size_t sim_net_sockets(const sim_net *net);

/* --- what the two sides ask of each other --- */

/* `sock` may have something to tell. */
void sim_net_ready(sim_net *net, cn_id sock);
/* Bytes may be written again. */
void sim_net_room(sim_net *net, cn_id sock);
/* A dial has ended, with CN_OK or an error. */
void sim_net_dialled(sim_net *net, cn_id sock, cn_err err);
/* A caller for the listener at `at`; false: nobody listens there. */
bool sim_net_call(sim_net *net, const cn_endpoint *at, cn_id conn);

sim_conn *sim_conn_get(const sim *w, cn_id id);
sim_conn *sim_conn_new(sim_node *from, const cn_endpoint *to, cn_id sock);
/* Bytes of `parts` that go out now. */
size_t sim_conn_write(sim_conn *c, unsigned end, const cn_slice *parts, size_t parts_len);
size_t sim_conn_read(sim_conn *c, unsigned end, uint8_t *data, size_t len);
void sim_conn_shutdown(sim_conn *c, unsigned end);
/* The end is given up; frees `c` when both are. */
void sim_conn_close(sim_conn *c, unsigned end, bool is_dark);

/* The first packet of a direction arrives (the event's id and arg). */
void sim_net_arrive(sim *w, cn_id conn, unsigned way);
void sim_net_reset_any(sim *w);
void sim_net_drop_conns(sim *w);
