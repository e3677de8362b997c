/*
 * A dial plan: which addresses of a peer to try, and when each begins, counted from the start.
 * Nothing is dialled here. Whoever follows the plan begins the next step at once when all steps
 * begun have failed, and gives up the others when one stands.
 *
 *   private and public addresses side by side, from 0; in each group
 *     QUIC: IPv6, one step later IPv4, one more step later all others
 *     TCP (WebSocket too): the same, beginning one step after the last QUIC
 *   relayed ones the same among themselves, 500 ms later if there are public ones
 *   others (names, WebRTC, WebTransport) 1 s after the last of these; at 0 if there are none
 *
 * A step is 250 ms, in the private group 30 ms. Addresses that worked when last tried come first in
 * their kind, and the one of them that worked latest starts at 0 unless it is relayed.
 * spec: go-libp2p swarm 'DefaultDialRanker'
 */
#pragma once

#include "multiformats/multiaddr.h"
#include "p2p/host/book.h"

enum { CN_RANK_MAX = 64 }; /* steps in a plan */

typedef struct cn_rank_step {
    cn_slice address; /* borrowed from the input */
    int64_t delay_ns; /* rising through the plan */
    bool relayed;
} cn_rank_step;

typedef struct cn_rank_plan {
    cn_rank_step steps[CN_RANK_MAX];
    size_t len;
    size_t left_out; /* addresses not in it: filtered, repeated, beyond CN_RANK_MAX, no transport */
} cn_rank_plan;

typedef struct cn_rank_input {
    const cn_slice *addresses;   /* checked multiaddrs without /p2p */
    const cn_book_state *states; /* of each; NULL: nothing known, all given by people */
    size_t addresses_len;
    const cn_ip_range *filters; /* never dialled */
    size_t filters_len;
    const cn_slice *own; /* our listen addresses, unspecified ones replaced: never dialled */
    size_t own_len;
    bool (*can_dial)(void *ctx, cn_slice address); /* is there a transport? NULL: for all */
    void *ctx;
} cn_rank_input;

/*
 * Make the plan. Loopback addresses are in it only if people gave them, they have worked, the peer
 * has no address beyond loopback, or it has one with an IP of ours (it is on this machine).
 * Cost: the square of the addresses.
 */
void cn_rank_make(const cn_rank_input *in, cn_rank_plan *ret);
