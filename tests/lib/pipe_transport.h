/*
 * A transport of the tests' own: two hosts of one process joined by two queues. It handles
 * /ip4/.../udp/PORT, proves an identity in its own way (a hello; bytes are masked), and has its own
 * muxer. Nothing of it is known to p2p/host.
 */
#pragma once

#include "multiformats/multiaddr.h"
#include "p2p/stack/transport.h"

enum { PIPE_LISTENERS_MAX = 16, PIPE_ADDRESS_BYTES = 32, PIPE_WINDOW_BYTES = 256 << 10 };

typedef struct pipe_listener {
    struct pipe_transport *t; /* NULL: free */
    uint8_t address[PIPE_ADDRESS_BYTES];
    size_t len;
} pipe_listener;

/* Where the transports of one test find each other; zeroed at first. */
typedef struct pipe_net {
    pipe_listener listeners[PIPE_LISTENERS_MAX];
    size_t dials; /* ever begun */
} pipe_net;

CN_MUST_USE cn_err
pipe_transport_new(pipe_net *net, cn_mem *mem, const cn_key *key, cn_transport **ret);
