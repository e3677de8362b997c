/*
 * A peer without a host: the TCP transport, yamux and multistream, with two protocols on them,
 * /ipfs/ping/1.0.0 and one of the simulator's own that asks for a block by its CID and gets it, or
 * a no. It keeps connections to its neighbours and asks all it is connected to for what it wants.
 * What lies below it is production code; what it checks is what that code promises.
 */
#pragma once

#include "sim/peer.h"

/* Its setup is a sim_peer. */
extern const sim_program sim_barter;
