/*
 * cn_gate: who may connect. Counts connections by address and by network, in all and while they
 * are still being set up, and slows new ones from one address, and from all: a handshake costs us
 * more than it costs who begins it. Loopback and the allow-list are
 * counted in the totals but have no limit of their own. An IPv6 /56 counts as one address, since
 * one household has that many.
 * spec: go-libp2p resource manager (limits per subnet and their defaults)
 */
#pragma once

#include "base/map.h"
#include "base/time.h"
#include "base/why.h"
#include "multiformats/multiaddr.h"

typedef struct cn_gate_limits {
    size_t total_max;         /* connections; 0: 1024 */
    size_t inbound_max;       /* of them inbound; 0: as total_max */
    size_t pending_max;       /* inbound, not yet secure; 0: 128 */
    size_t address_max;       /* per IPv4 address, per IPv6 /56; 0: 8 */
    size_t network_max;       /* per IPv4 /24, per IPv6 /48; 0: 64 */
    size_t burst;             /* new inbound ones of one address at once; 0: 16 */
    int64_t refill_ns;        /* for each further one; 0: 5 s */
    size_t all_burst;         /* new inbound ones of all addresses at once; 0: 256 */
    int64_t all_refill_ns;    /* for each further one; 0: 5 ms */
    const cn_ip_range *allow; /* exempt; borrowed */
    size_t allow_len;
    const cn_ip_range *deny; /* never, in or out (Swarm.AddrFilters); borrowed */
    size_t deny_len;
    uint64_t seed; /* of the tables; entropy */
} cn_gate_limits;

typedef struct cn_gate {
    cn_gate_limits limits;
    cn_map addresses; /* key -> size_t: connections */
    cn_map networks;
    cn_map buckets; /* key -> int64_t: when the bucket is full again, ns */
    size_t total;
    size_t inbound;
    size_t pending;
    int64_t all_full_at; /* ns, as in buckets; for all addresses */
} cn_gate;

/* What a connection holds while it is counted; the caller keeps it beside the connection. */
typedef struct cn_gate_pass {
    uint8_t address[8]; /* key: family and prefix */
    uint8_t network[8];
    bool held;
    bool counted; /* by address and network */
    bool inbound;
    bool pending;
} cn_gate_pass;

/* `limits` may be NULL. Takes no memory yet. */
void cn_gate_init(cn_gate *g, cn_mem *mem, const cn_gate_limits *limits);
void cn_gate_release(cn_gate *g);

/*
 * May a connection with `remote` (a binary multiaddr; one without an IP address of its own, by name
 * or over a relay, counts in the totals alone) begin? If so it is counted until cn_gate_leave; an
 * inbound one is pending until cn_gate_settle. Errors: TOO_LARGE (a limit; `why` says which and
 * what it is), BUSY (too many new ones, later perhaps), PERMISSION (denied), NO_MEMORY; nothing is
 * counted then.
 */
CN_MUST_USE cn_err cn_gate_enter(
    cn_gate *g, cn_slice remote, bool inbound, cn_time now, cn_gate_pass *ret, cn_why *why);
/* The connection is secure. */
void cn_gate_settle(cn_gate *g, cn_gate_pass *pass);
/* The connection, or the attempt, is over. Once is enough; accepts a zeroed pass. */
void cn_gate_leave(cn_gate *g, cn_gate_pass *pass);

/* Is this address denied? For what is to be dialled. */
bool cn_gate_denies(const cn_gate *g, cn_slice address);
