/*
 * Hosts on one loop for tests: each with its own memory, key, transport and a protocol that notes
 * what it hears and echoes if told to. Time is the real one; `until` turns the loop for 20 s at
 * most.
 */
#pragma once

#include "lib/pipe_transport.h"
#include "p2p/host/host.h"
#include "rt_os/net.h"

enum { WORLD_HOSTS_MAX = 4, WORLD_TEXT_BYTES = 2048 };

/* What the protocol of a host noted. */
typedef struct world_protocol {
    cn_protocol p;
    cn_host *h;
    bool echoes;      /* data goes back as it came */
    bool keeps;       /* data is not consumed */
    bool refuses;     /* opened fails */
    bool breaks;      /* data fails */
    bool closes;      /* at FIN, ours too */
    cn_id stream;     /* opened last */
    const char *name; /* of it */
    size_t opened;
    size_t fins;
    size_t resets;
    size_t refused;
    size_t writable;
    size_t ups;
    size_t downs;
    size_t identified;
    size_t got_bytes;
    uint8_t first[64]; /* the first bytes that came */
    char sentence[WORLD_TEXT_BYTES];
} world_protocol;

typedef struct world_host {
    cn_mem mem;
    cn_key *key;
    cn_security *noise;
    cn_transport *t;
    cn_host *h;
    cn_peer_id id;
    world_protocol proto;
    size_t dialled; /* times `done` was called */
    cn_err err;     /* of the last */
    char sentence[WORLD_TEXT_BYTES];
    size_t pings;
    cn_err ping_err;
    int64_t rtt_ns;
    size_t notes[8]; /* by kind */
    char note[WORLD_TEXT_BYTES];
    uint8_t listen[64]; /* the bound address */
    size_t listen_len;
} world_host;

typedef struct world {
    cn_rt *rt;
    cn_net *net;
    pipe_net pipes;
    bool is_hasty; /* turns do not wait */
    bool is_pipe;  /* transports of the tests' own instead of TCP */
    size_t len;
    world_host hosts[WORLD_HOSTS_MAX];
} world;

/* Names of the tests' protocol, best first. */
extern const char *const world_names[2];

/* Hosts with the same options (mem, net, key are set here; NULL: none); each listens. */
void world_begin(world *w, size_t hosts, bool is_pipe, const cn_host_options *options);
/* Checks that all memory came back. */
void world_end(world *w);
/* End one host, as if its process had: its sockets are closed. */
void world_kill(world *w, size_t host);
/* One turn of the loop, at most 20 ms. */
void world_turn(world *w);
/* Turn until `*flag` is at least `least`; false (and a failed check) after 20 s. */
bool world_until(world *w, const size_t *flag, size_t least);

cn_slice world_address(const world *w, size_t host);
/* Ask `from` for a connection to `to` at its address. */
cn_err world_dial(world *w, size_t from, size_t to);
/* The same, and wait for it. */
void world_join(world *w, size_t from, size_t to);
/* Open a stream of the tests' protocol; write `text`. */
cn_id world_say(world *w, size_t from, size_t to, const char *text);
void world_write(world *w, size_t host, cn_id stream, cn_slice bytes);
/* The callbacks, for tests that call the host themselves; ctx is the world_host. */
void world_dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence);
void world_pinged(void *ctx, cn_err err, int64_t rtt_ns, const char *sentence);
