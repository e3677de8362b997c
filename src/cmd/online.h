/*
 * What commands about the network share: the network, or Kubo's sentence that there is none; peers
 * and addresses as arguments.
 */
#pragma once

#include "cmd/command.h"
#include "cmd/strings.h"
#include "node/network.h"

/* Which of its sentences Kubo says without a network. */
typedef enum cn_offline_words {
    CN_OFFLINE_ACTION,  /* "this action must be run in online mode, try ..." */
    CN_OFFLINE_COMMAND, /* "this command must be run in online mode. Try ..." */
    CN_OFFLINE_UNABLE,  /* the same behind "unable to run offline: " */
} cn_offline_words;

/* The network of the daemon that runs the call. Errors: USAGE (none), as cn_call_node; said. */
CN_MUST_USE cn_err cn_call_network(cn_call *call, cn_offline_words words, cn_network **ret);
/* The sentence itself. */
const char *cn_offline_sentence(cn_offline_words words);

/* Run `fn` on the loop's thread for this call; an error is said. */
CN_MUST_USE cn_err
cn_call_on_loop(cn_call *call, cn_network *n, cn_err (*fn)(cn_network *n, void *ctx), void *ctx);
/* Have a task done, within the call's time. Not said. */
CN_MUST_USE cn_err cn_call_run_task(cn_call *call, cn_network *n, cn_network_task *t);

/* Do nothing for so long. Errors: as cn_call_check; NO_MEMORY. */
CN_MUST_USE cn_err cn_call_sleep(cn_call *call, int64_t ns);

/* An argument that is a peer id; fails with "failed to parse peer ID: ...". */
CN_MUST_USE cn_err cn_call_peer(cn_call *call, cn_slice text, cn_peer_id *ret);
/* The id as text. */
const char *cn_peer_text(const cn_peer_id *id, char text[CN_PEER_TEXT_BYTES]);

/*
 * All arguments as addresses with peers at their ends, gathered by peer in the order given. Errors:
 * MALFORMED: "failed to parse multiaddr ...", or for an address without a peer `no_peer` with the
 * address behind it if it ends in a space; said. Release with cn_known_peers_release.
 */
CN_MUST_USE cn_err cn_call_peer_addresses(cn_call *call, const char *no_peer, cn_known_peers *ret);

/* A connection to be made: a task. */
typedef struct cn_connect_task {
    cn_network_task task;
    cn_peer_id peer;
    const cn_slice *addresses; /* more than those known; borrowed */
    size_t addresses_len;
    cn_id waiting;
    cn_buf sentence; /* init by cn_connect_task_init */
} cn_connect_task;

void cn_connect_task_init(cn_connect_task *t, cn_mem *mem, const cn_peer_id *peer);
/* Have it done; the sentence of a failure is in t->sentence. */
CN_MUST_USE cn_err cn_call_connect(cn_call *call, cn_network *n, cn_connect_task *t);
