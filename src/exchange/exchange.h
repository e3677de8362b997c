/*
 * cn_exchange: a way to get blocks from peers. Bitswap is one; another (HTTP from gateways) fits
 * the same seat. Whoever wants blocks talks to exchanges through this interface only.
 *
 * All functions are called on the loop's thread. Nothing is delivered from inside `want`.
 */
#pragma once

#include "base/id.h"
#include "base/time.h"
#include "base/why.h"
#include "multiformats/cid.h"
#include "multiformats/peerid.h"

typedef struct cn_exchange cn_exchange;
typedef struct cn_exchange_sink cn_exchange_sink;

/* What a session has seen so far: for reports to people who wait. */
typedef struct cn_exchange_asked {
    cn_peer_id peer;
    const char
        *answer;     /* "has it", "does not have it", "no answer yet", "gone", "sent wrong bytes" */
    uint64_t blocks; /* that came from it in this session */
    uint64_t block_bytes;
} cn_exchange_asked;

typedef struct cn_exchange_ops {
    cn_err (*session_open)(cn_exchange *x, cn_exchange_sink *sink, cn_id *ret);
    void (*session_close)(cn_exchange *x, cn_id session);
    cn_err (*want)(cn_exchange *x, cn_id session, const cn_cid *cids, size_t len);
    void (*cancel)(cn_exchange *x, cn_id session, const cn_cid *cids, size_t len);
    void (*have)(cn_exchange *x, const cn_cid *cids, size_t len);
    void (*provider)(
        cn_exchange *x,
        cn_id session,
        const cn_peer_id *peer,
        const cn_slice *addresses,
        size_t addresses_len);
    size_t (*asked)(
        const cn_exchange *x, cn_id session, const cn_cid *cid, cn_exchange_asked *ret, size_t max);
} cn_exchange_ops;

/*
 * Implementations put this first in their own struct.
 *
 *   session_open   wants that belong together (one command, one DAG): who answered one is asked
 *                  first for the next. Errors: TOO_LARGE (sessions), NO_MEMORY.
 *   session_close  forgets its wants; the sink is not called any more.
 *   want           ask for blocks, most urgent first; asking again for one that is open raises it
 *                  to the front. CIDs are copied. Errors: TOO_LARGE (wants of a session; those
 *                  before the bound are asked for), NO_MEMORY.
 *   cancel         these are not wanted any more; `arrived` does not follow.
 *   have           blocks that came to the store by another way (add, block put): peers who asked
 *                  for them are served, open wants for them end as arrived.
 *   provider       this peer may have what the session wants (a router said so, or the user); it
 *                  is dialled if need be, at these addresses (binary multiaddrs without /p2p; may
 *                  be none) and those that are known.
 *   asked          whom the session asked for `cid` and what became of it; returns how many.
 */
struct cn_exchange {
    const cn_exchange_ops *ops;
    const char *name; /* "bitswap" */
};

typedef struct cn_exchange_sink_ops {
    void (*arrived)(cn_exchange_sink *s, const cn_cid *cid, cn_slice block);
    void (*idle)(cn_exchange_sink *s, const cn_cid *cid);
    void (*failed)(cn_exchange_sink *s, const cn_cid *cid, cn_err err, const char *sentence);
} cn_exchange_sink_ops;

/*
 * Who wants: put first in the wanter's struct, called on the loop's thread.
 *
 *   arrived  the block is verified and in the store; `block` is borrowed for the call. Empty if it
 *            came by `have`: read it from the store.
 *   idle     no peer known to the session has it, or none is known: look for providers. Again each
 *            time all those asked have said no, and now and then while nothing comes.
 *   failed   the block came and could not be kept (NO_SPACE, QUOTA, IO): the want has ended.
 *
 * All of them may call the exchange.
 */
struct cn_exchange_sink {
    const cn_exchange_sink_ops *ops;
};
