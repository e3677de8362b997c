/*
 * /plaintext/2.0.0: both ends say who they are and are believed; bytes go in clear. For tests and
 * the simulator only, where a hundred nodes are cheap with it and wires can be read. The muxer is
 * not negotiated here, so multistream does it.
 * spec: libp2p/plaintext
 */
#pragma once

#include "p2p/stack/secure.h"

/*
 * A kind for the identity `key` (private or public; read within the call). Errors: NO_MEMORY. Free
 * with kind->free after all its ends.
 */
CN_MUST_USE cn_err sim_plaintext_new(cn_mem *mem, const cn_key *key, cn_security **ret);
