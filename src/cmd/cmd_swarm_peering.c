/*
 * `swarm peering`: the peers that connections are kept to, as long as the daemon runs.
 */
#include "cmd/commands.h"
#include "cmd/online.h"

typedef struct peering_line {
    const char *verb; /* "add", "remove" */
    const cn_peer_id *peer;
} peering_line;

static cn_err line_json(cn_call *call, cn_buf *out, const void *value)
{
    const peering_line *l = value;
    char text[CN_PEER_TEXT_BYTES];
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_text(&j, "ID", cn_peer_text(l->peer, text));
    cn_json_put_text(&j, "Status", "success");
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err line_text(cn_call *call, cn_buf *out, const void *value)
{
    const peering_line *l = value;
    char text[CN_PEER_TEXT_BYTES];
    CN_UNUSED(call);
    return cn_buf_printf(out, "%s %s success\n", l->verb, cn_peer_text(l->peer, text));
}

static const cn_output_type line_output = {"commands.peeringResult", line_json, line_text};

/* --- add, rm --- */

static cn_err add_now(cn_network *n, void *ctx)
{
    const cn_known_peer *p = ctx;
    cn_err err =
        cn_host_peering_add(cn_network_host(n), &p->id, p->addresses.items, p->addresses.len);
    return err == CN_ERR_USAGE ? CN_OK : err; /* ourselves: there is nothing to keep */
}

static cn_err run_add(cn_call *call)
{
    cn_known_peers peers = {0};
    cn_network *n = NULL;
    cn_node *node = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_call_node(call, &node));
    CN_TRY(cn_call_peer_addresses(call, "invalid p2p multiaddr", &peers));
    CN_TRY(cn_call_network(call, CN_OFFLINE_COMMAND, &n));
    for (size_t i = 0; i < peers.len; i++) {
        const peering_line line = {"add", &peers.items[i].id};
        CN_TRY(cn_call_on_loop(call, n, add_now, &peers.items[i]));
        CN_TRY(cn_call_emit(call, &line_output, &line));
    }
out:
    cn_known_peers_release(cn_call_mem(call), &peers);
    return err;
}

static cn_err remove_now(cn_network *n, void *ctx)
{
    (void)cn_host_peering_remove(cn_network_host(n), ctx);
    return CN_OK;
}

static cn_err run_rm(cn_call *call)
{
    cn_network *n = NULL;
    cn_peer_id *ids = NULL;
    size_t len = cn_call_args_len(call);
    cn_err err = CN_OK;
    ids = cn_alloc_array(cn_call_mem(call), len + 1, sizeof *ids);
    CN_TRY(ids == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    CN_TRY(cn_call_network(call, CN_OFFLINE_COMMAND, &n));
    for (size_t i = 0; i < len; i++) {
        CN_TRY(cn_call_peer(call, cn_call_arg(call, i), &ids[i]));
    }
    for (size_t i = 0; i < len; i++) {
        const peering_line line = {"remove", &ids[i]};
        CN_TRY(cn_call_on_loop(call, n, remove_now, &ids[i]));
        CN_TRY(cn_call_emit(call, &line_output, &line));
    }
out:
    cn_free(cn_call_mem(call), ids);
    return err;
}

/* --- ls --- */

typedef struct peering_list {
    cn_call *call;
    cn_known_peers peers;
} peering_list;

static cn_err gather(cn_network *n, void *ctx)
{
    peering_list *l = ctx;
    cn_host_peered p = {0};
    size_t position = 0;
    cn_err err = CN_OK;
    while (cn_host_peerings(cn_network_host(n), &position, &p)) {
        CN_TRY(cn_known_peers_add(cn_call_mem(l->call), &l->peers, &p.peer, (cn_slice){0}));
        for (size_t i = 0; i < p.addresses_len; i++) {
            CN_TRY(cn_known_peers_add(cn_call_mem(l->call), &l->peers, &p.peer, p.addresses[i]));
        }
    }
out:
    return err;
}

/* Write each peer and its addresses, as text or into `j`. */
static cn_err write_peer(const cn_known_peer *p, cn_buf *scratch, cn_json_writer *j, cn_buf *out)
{
    char text[CN_PEER_TEXT_BYTES];
    cn_err err = CN_OK;
    (void)cn_peer_text(&p->id, text);
    if (j == NULL) {
        CN_TRY(cn_buf_printf(out, "%s\n", text));
    } else {
        cn_json_object(j);
        cn_json_put_text(j, "ID", text);
        cn_json_key(j, "Addrs");
        cn_json_list(j);
    }
    for (size_t i = 0; i < p->addresses.len; i++) {
        cn_buf_reset(scratch);
        CN_TRY(cn_multiaddr_encode_text(p->addresses.items[i], scratch));
        if (j != NULL) {
            cn_json_string(j, cn_buf_slice(scratch));
            continue;
        }
        CN_TRY(cn_buf_byte(out, '\t'));
        CN_TRY(cn_buf_append(out, cn_buf_slice(scratch)));
        CN_TRY(cn_buf_byte(out, '\n'));
    }
    if (j != NULL) {
        cn_json_list_end(j);
        cn_json_object_end(j);
    }
out:
    return err;
}

static cn_err write_list(cn_call *call, const peering_list *l, cn_json_writer *j, cn_buf *out)
{
    cn_buf scratch;
    cn_err err = CN_OK;
    cn_buf_init(&scratch, cn_call_mem(call), 8 * CN_MULTIADDR_MAX_BYTES);
    for (size_t i = 0; err == CN_OK && i < l->peers.len; i++) {
        err = write_peer(&l->peers.items[i], &scratch, j, out);
    }
    cn_buf_release(&scratch);
    return err;
}

static cn_err list_json(cn_call *call, cn_buf *out, const void *value)
{
    cn_json_writer j;
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_key(&j, "Peers");
    cn_json_list(&j);
    cn_err err = write_list(call, value, &j, out);
    cn_json_list_end(&j);
    cn_json_object_end(&j);
    return err == CN_OK ? cn_json_finish(&j) : err;
}

static cn_err list_text(cn_call *call, cn_buf *out, const void *value)
{
    return write_list(call, value, NULL, out);
}

static const cn_output_type list_output = {"commands.addrInfos", list_json, list_text};

static cn_err run_ls(cn_call *call)
{
    peering_list l = {.call = call};
    cn_network *n = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_call_network(call, CN_OFFLINE_COMMAND, &n));
    CN_TRY(cn_call_on_loop(call, n, gather, &l));
    err = cn_call_emit_once(call, &list_output, &l);
out:
    cn_known_peers_release(cn_call_mem(call), &l.peers);
    return err;
}

static const cn_arg add_args[] = {
    {"address", CN_ARG_VARIADIC, "Where peers are, each with /p2p/<peer id>."},
    {.name = NULL},
};

static const cn_arg rm_args[] = {
    {"ID", CN_ARG_VARIADIC, "Peer ids."},
    {.name = NULL},
};

const cn_command cn_cmd_swarm_peering_add = {
    .path = "swarm/peering/add",
    .summary = "Keep a connection to a peer",
    .about =
        "It is dialled again whenever it is gone. For as long as the daemon runs: Peering.Peers\n"
        "of the configuration is for good.",
    .args = add_args,
    .output = &line_output,
    .run = run_add,
};

const cn_command cn_cmd_swarm_peering_rm = {
    .path = "swarm/peering/rm",
    .summary = "Keep connections to a peer no longer",
    .args = rm_args,
    .output = &line_output,
    .run = run_rm,
};

const cn_command cn_cmd_swarm_peering_ls = {
    .path = "swarm/peering/ls",
    .summary = "List the peers that connections are kept to",
    .output = &list_output,
    .run = run_ls,
};
