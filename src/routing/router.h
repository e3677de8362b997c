/*
 * cn_router: finds who provides a CID and where a peer is. The DHT will be one, delegated routing
 * another; until then no router is given and sessions ask connected peers only. Called on the
 * loop's thread; answers come later, never from inside the call.
 */
#pragma once

#include "base/id.h"
#include "base/why.h"
#include "multiformats/cid.h"
#include "multiformats/peerid.h"

typedef struct cn_router cn_router;
typedef struct cn_router_asker cn_router_asker;

typedef struct cn_router_ops {
    cn_err (*find_providers)(cn_router *r, const cn_cid *cid, cn_router_asker *asker, cn_id *ret);
    cn_err (*find_peer)(cn_router *r, const cn_peer_id *peer, cn_router_asker *asker, cn_id *ret);
    void (*provide)(cn_router *r, const cn_cid *cids, size_t len);
    void (*cancel)(cn_router *r, cn_id query);
} cn_router_ops;

/*
 * Implementations put this first in their own struct.
 *
 *   find_providers, find_peer  begin; `asker` is told until its `ended` or until cancel.
 *                              Errors: TOO_LARGE (queries), NO_MEMORY.
 *   provide                    tell others that we have these; copied, at leisure.
 *   cancel                     `asker` is not called any more.
 */
struct cn_router {
    const cn_router_ops *ops;
    const char *name;
};

typedef struct cn_router_asker_ops {
    /* A peer, with addresses (binary multiaddrs without /p2p) that may be none; all borrowed. */
    void (*found)(
        cn_router_asker *a,
        cn_id query,
        const cn_peer_id *peer,
        const cn_slice *addresses,
        size_t addresses_len);
    /* That is all. CN_OK, or why it ended early; `sentence` (nullable) is for people. */
    void (*ended)(cn_router_asker *a, cn_id query, cn_err err, const char *sentence);
} cn_router_asker_ops;

/* Put first in the struct of whoever asks. */
struct cn_router_asker {
    const cn_router_asker_ops *ops;
};
