/*
 * `swarm connect` and `swarm disconnect`.
 */
#include "cmd/commands.h"
#include "cmd/online.h"

/* --- connect --- */

static cn_err
connect_one(cn_call *call, cn_network *network, const cn_known_peer *p, cn_strings *answer)
{
    char text[CN_PEER_TEXT_BYTES];
    const char *sentence = cn_offline_sentence(CN_OFFLINE_ACTION);
    cn_connect_task task;
    cn_err err = CN_ERR_USAGE;
    cn_connect_task_init(&task, cn_call_mem(call), &p->id);
    task.addresses = p->addresses.items;
    task.addresses_len = p->addresses.len;
    if (network != NULL) {
        err = cn_call_connect(call, network, &task);
        if (cn_buf_cstr(&task.sentence, &sentence) != CN_OK) {
            sentence = cn_err_sentence(err);
        }
    }
    if (err != CN_OK) {
        (void)cn_peer_text(&p->id, text);
        bool late = err == CN_ERR_TIMEOUT || err == CN_ERR_CANCELLED;
        err = cn_call_fail(call, late ? CN_ERR_IO : err, "connect %s failure: %s", text, sentence);
    } else {
        err = cn_strings_printf(answer, "connect %s success", cn_peer_text(&p->id, text));
    }
    cn_buf_release(&task.sentence);
    return err;
}

static cn_err run_connect(cn_call *call)
{
    cn_known_peers peers = {0};
    cn_strings answer = {0};
    cn_node *node = NULL;
    cn_err err = CN_OK;
    cn_strings_init(&answer, cn_call_mem(call));
    CN_TRY(cn_call_node(call, &node));
    CN_TRY(cn_call_peer_addresses(call, "found no ipfs peers at ", &peers));
    for (size_t i = 0; i < peers.len; i++) {
        CN_TRY(connect_one(call, cn_node_network(node), &peers.items[i], &answer));
    }
    err = cn_call_emit_once(call, &cn_strings_output, &answer);
out:
    cn_known_peers_release(cn_call_mem(call), &peers);
    cn_strings_release(&answer);
    return err;
}

static const cn_arg connect_args[] = {
    {"address", CN_ARG_VARIADIC | CN_ARG_STDIN, "Where peers are, each with /p2p/<peer id>."},
    {.name = NULL},
};

const cn_command cn_cmd_swarm_connect = {
    .path = "swarm/connect",
    .summary = "Connect to a peer",
    .about = "The addresses given are tried beside those that are known already. A connection\n"
             "that stands is kept: then there is nothing to do.",
    .args = connect_args,
    .output = &cn_strings_output,
    .run = run_connect,
};

/* --- disconnect --- */

typedef struct disconnect_ask {
    const cn_known_peer *peer;
    const cn_slice *address; /* NULL: whichever */
    bool done;
} disconnect_ask;

/* On the loop's thread. Peers are let go as a whole: one connection of several is of no use. */
static cn_err disconnect_now(cn_network *n, void *ctx)
{
    disconnect_ask *ask = ctx;
    cn_host *h = cn_network_host(n);
    cn_host_conn c = {0};
    size_t position = 0;
    bool found = ask->address == NULL;
    while (!found && cn_host_conns(h, &position, &c)) {
        found = cn_peer_id_eq(&c.info.peer, &ask->peer->id) &&
                cn_slice_eq(c.info.remote, *ask->address);
    }
    ask->done = found && cn_host_disconnect(h, &ask->peer->id);
    return CN_OK;
}

static cn_err disconnect_one(
    cn_call *call, cn_network *network, const cn_known_peer *p, size_t at, cn_strings *answer)
{
    disconnect_ask ask = {
        .peer = p, .address = p->addresses.len == 0 ? NULL : &p->addresses.items[at]};
    const char *failed = ask.address == NULL ? "not connected" : "conn not found";
    char text[CN_PEER_TEXT_BYTES];
    cn_err err = CN_OK;
    if (network == NULL) {
        failed = cn_offline_sentence(CN_OFFLINE_ACTION);
    } else {
        CN_TRY(cn_call_on_loop(call, network, disconnect_now, &ask));
    }
    err = cn_strings_printf(
        answer, "disconnect %s %s%s", cn_peer_text(&p->id, text),
        ask.done ? "success" : "failure: ", ask.done ? "" : failed);
out:
    return err;
}

static cn_err run_disconnect(cn_call *call)
{
    cn_known_peers peers = {0};
    cn_strings answer = {0};
    cn_node *node = NULL;
    cn_err err = CN_OK;
    cn_strings_init(&answer, cn_call_mem(call));
    CN_TRY(cn_call_node(call, &node));
    CN_TRY(cn_call_peer_addresses(call, "found no ipfs peers at ", &peers));
    for (size_t i = 0; i < peers.len; i++) {
        const cn_known_peer *p = &peers.items[i];
        for (size_t k = 0; k < CN_MAX(p->addresses.len, (size_t)1); k++) {
            CN_TRY(disconnect_one(call, cn_node_network(node), p, k, &answer));
        }
    }
    err = cn_call_emit_once(call, &cn_strings_output, &answer);
out:
    cn_known_peers_release(cn_call_mem(call), &peers);
    cn_strings_release(&answer);
    return err;
}

static const cn_arg disconnect_args[] = {
    {"address", CN_ARG_VARIADIC | CN_ARG_STDIN, "The address connected to, or /p2p/<peer id>."},
    {.name = NULL},
};

const cn_command cn_cmd_swarm_disconnect = {
    .path = "swarm/disconnect",
    .summary = "Close the connections to a peer",
    .about = "Not for good: whoever needs the peer may connect again.",
    .args = disconnect_args,
    .output = &cn_strings_output,
    .run = run_disconnect,
};
