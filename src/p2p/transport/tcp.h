/*
 * TCP as a cn_transport: a socket, made secure, made many streams. Which securities and muxers are
 * given at init. Callers may use any of the securities. Who is dialled is offered one, in one
 * flight with its first message: the first of the list, or what that address took last. If it is
 * refused, the address is dialled again with the next, within the same dial and its time limit.
 *
 * Memory: an idle connection holds no buffers of its own. Reading and sealing go through two
 * buffers of the transport; only what is left over (part of a record, what the socket did not take)
 * is kept with the connection.
 * spec: libp2p/connections
 */
#pragma once

#include "p2p/stack/muxer.h"
#include "p2p/stack/secure.h"
#include "p2p/stack/transport.h"

enum { CN_TCP_KINDS_MAX = 4 };

typedef struct cn_tcp_options {
    cn_mem *mem;
    cn_net *net;                    /* borrowed */
    cn_security *const *securities; /* best first, 1 to CN_TCP_KINDS_MAX; borrowed, array copied */
    size_t securities_len;
    const cn_muxing *const *muxings; /* the same */
    size_t muxings_len;
    cn_muxer_options muxer;     /* template: mem and is_initiator are set here */
    uint8_t mark;               /* tells our sockets from other transports'; 1 to 255 */
    size_t conns_max;           /* below 2^24; of all phases; callers beyond it are turned away */
    int64_t upgrade_timeout_ns; /* from socket to streams; 0: 15 s */
    int64_t stuck_timeout_ns;   /* while the other side takes nothing that is sent; 0: 30 s */
    size_t work_per_s;          /* of one connection, see tcp_work.c; 0: 20,000 */
    size_t work_total_per_s;    /* of all that are up, shared evenly; 0: 100,000 */
} cn_tcp_options;

/* Errors: NO_MEMORY. Free with t->ops->free. */
CN_MUST_USE cn_err cn_tcp_new(const cn_tcp_options *options, cn_transport **ret);
