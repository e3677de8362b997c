/*
 * Peers as production has them: a host with identify and ping over the TCP transport, alone or with
 * bitswap over the shelf of its sim_peer. They keep connections to their neighbours, ping them, and
 * want what their sim_peer wants.
 */
#pragma once

#include "sim/peer.h"

extern const sim_program sim_host;    /* identify and ping */
extern const sim_program sim_bitswap; /* and bitswap */
extern const sim_program sim_fetch;   /* and walks over DAGs: sim/follow.h */
