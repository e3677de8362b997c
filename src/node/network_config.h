/*
 * What the configuration says about the network, read once and checked: addresses in binary, ids,
 * ranges, limits. Absent keys have Kubo's defaults.
 */
#pragma once

#include "multiformats/multiaddr.h"
#include "node/config.h"

enum {
    CN_NETWORK_ADDRESSES_MAX = 1024, /* of one key */
    CN_NETWORK_CONNS_LOW = 32,
    CN_NETWORK_CONNS_HIGH = 96,
    CN_NETWORK_CONNS_MAX = 1024, /* hard, unless HighWater asks for more */
    CN_NETWORK_GRACE_S = 20,
    CN_NETWORK_SOCKETS_MAX = 1 << 16, /* what the loop may be asked for; memory is taken by use */
    CN_NETWORK_MEMORY_BYTES = 256 << 20, /* what all of the network may hold */
};

/* Binary multiaddrs, each with memory of its own. */
typedef struct cn_address_list {
    cn_slice *items;
    size_t len;
    size_t cap;
} cn_address_list;

/* Texts of the configuration, borrowed from it. */
typedef struct cn_text_list {
    cn_slice *items;
    size_t len;
    size_t cap;
} cn_text_list;

/* A peer and where it is said to be: addresses without /p2p. */
typedef struct cn_known_peer {
    cn_peer_id id;
    cn_address_list addresses;
} cn_known_peer;

typedef struct cn_known_peers {
    cn_known_peer *items;
    size_t len;
    size_t cap;
} cn_known_peers;

typedef struct cn_range_list {
    cn_ip_range *items;
    size_t len;
    size_t cap;
} cn_range_list;

typedef enum cn_security_kind {
    CN_SECURITY_TLS,
    CN_SECURITY_NOISE,
} cn_security_kind;

typedef struct cn_network_config {
    cn_mem *mem;
    cn_address_list swarm;    /* Addresses.Swarm */
    cn_text_list announce;    /* Addresses.Announce: instead of our own */
    cn_text_list append;      /* Addresses.AppendAnnounce: beside them */
    cn_text_list conceal;     /* Addresses.NoAnnounce */
    cn_range_list filters;    /* Swarm.AddrFilters */
    cn_range_list allowed;    /* Swarm.ResourceMgr.Allowlist */
    cn_known_peers bootstrap; /* Bootstrap, "auto" replaced by the public ones */
    cn_known_peers peering;   /* Peering.Peers */
    size_t conns_low;         /* 0 with high 0: no trimming */
    size_t conns_high;
    size_t conns_max;
    int64_t grace_ns;
    size_t memory_max_bytes;
    bool has_tcp;
    cn_security_kind securities[2]; /* the preferred one first */
    size_t securities_len;
    bool has_bandwidth; /* it is counted */
    bool has_bitswap;
    bool serves_bitswap;
} cn_network_config;

/*
 * Read it; texts are borrowed from `config`. Addresses to be announced are not looked at: the host
 * does (cn_announce_init). Errors, with a sentence that names the key: MALFORMED and UNSUPPORTED
 * (an address, an id, a range), USAGE (values that do not go together), TOO_LARGE (more than can be
 * kept), NO_MEMORY. Release in any case.
 */
CN_MUST_USE cn_err
cn_network_config_read(const cn_config *config, cn_mem *mem, cn_network_config *ret, cn_why *why);
/* Accepts a zeroed one. */
void cn_network_config_release(cn_network_config *c);

/* Copies of `address` (binary) at the end. Errors: TOO_LARGE (1,024 of them), NO_MEMORY. */
CN_MUST_USE cn_err cn_address_list_add(cn_mem *mem, cn_address_list *list, cn_slice address);
bool cn_address_list_has(const cn_address_list *list, cn_slice address);
void cn_address_list_release(cn_mem *mem, cn_address_list *list);

/*
 * The peer `id` of the list with one more address (empty: none), made if it was not there.
 * Errors: TOO_LARGE, NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_known_peers_add(cn_mem *mem, cn_known_peers *peers, const cn_peer_id *id, cn_slice address);
/* Which of them it is; peers->len if none. */
size_t cn_known_peers_find(const cn_known_peers *peers, const cn_peer_id *id);
void cn_known_peers_remove(cn_mem *mem, cn_known_peers *peers, size_t at);
void cn_known_peers_release(cn_mem *mem, cn_known_peers *peers);

/* The peers that "auto" stands for among bootstrap addresses: texts, NULL at the end. */
extern const char *const cn_network_bootstrap[];
