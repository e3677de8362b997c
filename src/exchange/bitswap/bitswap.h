/*
 * Bitswap: the exchange and the protocol. It joins the asking side (client.h), the answering side
 * (engine.h) and the way of blocks to the store (arrival.h) to streams of the host. To each peer at
 * most two streams of ours: one says what we want, one brings what it wants, so that wants do not
 * queue behind blocks; whatever comes, comes on streams that the peer opened.
 */
#pragma once

#include "exchange/bitswap/client.h"
#include "exchange/bitswap/engine.h"
#include "exchange/exchange.h"
#include "p2p/host/host.h"

typedef struct cn_bitswap cn_bitswap;

typedef struct cn_bitswap_options {
    cn_mem *mem;
    cn_net *net; /* its bell, its workers */
    cn_host *host;
    cn_blocks *blocks; /* the store itself, not what fetches */
    uint64_t seed;
    bool serve;            /* Bitswap.ServerEnabled: answer wants */
    size_t arriving_bytes; /* on the way to the store, then senders wait; 0: 16 MiB */
} cn_bitswap_options;

/* The protocol is the caller's to give to cn_host_serve. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_bitswap_new(const cn_bitswap_options *options, cn_bitswap **ret);
/* After the host is gone (cn_host_free tells no more), or with no peer connected. Accepts NULL. */
void cn_bitswap_free(cn_bitswap *b);

cn_protocol *cn_bitswap_protocol(cn_bitswap *b);
cn_exchange *cn_bitswap_exchange(cn_bitswap *b);

/* --- for commands; on the loop's thread --- */

typedef struct cn_bitswap_stats {
    cn_client_stats client;
    cn_engine_stats engine;
    uint64_t messages; /* received */
    size_t peers;      /* connected ones that may speak bitswap */
    size_t arriving_bytes;
} cn_bitswap_stats;

void cn_bitswap_stat(const cn_bitswap *b, cn_bitswap_stats *ret);

/* Step through what we want: start with *position 0; false when there are no more. */
bool cn_bitswap_wants(const cn_bitswap *b, size_t *position, const cn_cid **ret);
/* Step through what `peer` wants of us; false also if it is not connected. */
bool cn_bitswap_wants_of(
    const cn_bitswap *b, const cn_peer_id *peer, size_t *position, const cn_cid **ret);
/* Step through the peers. */
bool cn_bitswap_peers(const cn_bitswap *b, size_t *position, cn_peer_id *ret);

/* What was exchanged with a peer since it connected. */
typedef struct cn_bitswap_ledger {
    uint64_t sent_bytes; /* of blocks */
    uint64_t received_bytes;
    uint64_t sent_blocks;
    uint64_t received_blocks;
    uint64_t exchanged; /* blocks both ways */
    cn_client_peer_stats client;
} cn_bitswap_ledger;

/* False: it is not connected; all is 0. */
bool cn_bitswap_ledger_of(const cn_bitswap *b, const cn_peer_id *peer, cn_bitswap_ledger *ret);
