/*
 * What commands that read content share: an argument becomes a path, the path a CID.
 */
#pragma once

#include "cmd/command.h"
#include "ipld/path.h"
#include "node/latch.h"
#include "unixfs/ahead.h"

/* An argument resolved. */
typedef struct cn_content {
    cn_ipfs_path path;
    cn_cid cid;    /* of the block reached */
    cn_slice rest; /* what lies inside that block; borrowed from `path` */
} cn_content;

/*
 * Read `arg` as a path, URI or "CID/path" and resolve it in the call's blocks. Give *ret back with
 * cn_content_release. The sentence of an error is in cn_call_why.
 */
CN_MUST_USE cn_err cn_content_find(cn_call *call, cn_slice arg, cn_content *ret);
/* Accepts a zeroed one. */
void cn_content_release(cn_content *c);

/*
 * For commands that keep or remove something: hold the node's latch until cn_latch_give, with
 * others who keep something, or alone. Waits as long as the call may take. Errors: CANCELLED,
 * TIMEOUT, those of cn_call_node.
 */
CN_MUST_USE cn_err cn_content_share(cn_call *call, cn_latch_hold *ret);
CN_MUST_USE cn_err cn_content_exclude(cn_call *call, cn_latch_hold *ret);

/*
 * Sharing, for commands that may wait for peers meanwhile: while they wait without progress, the
 * hold steps aside for a collection, which may take what nothing keeps yet. So:
 *
 *     do { see that all is there; } while (cn_content_was_aside(&share));
 *
 * and what was there then is kept until cn_content_unshare. It must not be moved until then.
 */
typedef struct cn_content_shared {
    cn_call *call;
    cn_latch_hold hold;
    uint64_t rounds; /* the latch's, when was_aside was asked last */
} cn_content_shared;

/* Errors: as cn_content_share. */
CN_MUST_USE cn_err cn_content_share_aside(cn_call *call, cn_content_shared *ret);
/* Has a collection been let by since this was asked last? */
bool cn_content_was_aside(cn_content_shared *s);
/* Accepts a zeroed one. */
void cn_content_unshare(cn_content_shared *s);

/* A driver for reading files; release with cn_ahead_release. It ends when the call is cancelled. */
CN_MUST_USE cn_err cn_content_ahead(cn_call *call, cn_ahead *ret);
/* A driver over the call's blocks; release with cn_drive_release. */
CN_MUST_USE cn_err cn_content_drive(cn_call *call, cn_drive *ret);
