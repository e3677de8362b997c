/*
 * `bitswap`: what is exchanged with peers, and with whom.
 */
#include "cmd/commands.h"
#include "cmd/human.h"
#include "cmd/online.h"
#include "exchange/bitswap/bitswap.h"

#include <stdio.h>

/* {"/":"bafy..."} for each, in a list. */
static void cids_json(cn_json_writer *j, const cn_strings *cids)
{
    cn_json_list(j);
    for (size_t i = 0; i < cids->len; i++) {
        cn_json_object(j);
        cn_json_put_text(j, "/", cn_strings_get(cids, i));
        cn_json_object_end(j);
    }
    cn_json_list_end(j);
}

static cn_err add_cid(cn_call *call, const cn_cid *cid, cn_strings *to)
{
    cn_buf text;
    cn_buf_init(&text, cn_call_mem(call), 4096);
    cn_err err = cn_call_cid_text(call, cid, &text);
    if (err == CN_OK) {
        err = cn_strings_add(to, cn_buf_slice(&text));
    }
    cn_buf_release(&text);
    return err;
}

/* --- stat --- */

typedef struct stat_answer {
    cn_call *call;
    cn_bitswap_stats stats;
    cn_strings wants;
    cn_strings peers;
} stat_answer;

static cn_err gather_stat(cn_network *n, void *ctx)
{
    stat_answer *a = ctx;
    cn_bitswap *b = cn_network_bitswap(n);
    size_t position = 0;
    const cn_cid *cid = NULL;
    cn_peer_id peer = {0};
    char text[CN_PEER_TEXT_BYTES];
    cn_err err = CN_OK;
    if (b == NULL) { /* Bitswap.Libp2pEnabled is false: nothing was exchanged */
        return CN_OK;
    }
    cn_bitswap_stat(b, &a->stats);
    while (cn_bitswap_wants(b, &position, &cid)) {
        CN_TRY(add_cid(a->call, cid, &a->wants));
    }
    position = 0;
    while (cn_bitswap_peers(b, &position, &peer)) {
        size_t first = 0;
        if (cn_bitswap_wants_of(b, &peer, &first, &cid)) { /* as Kubo: those that want something */
            CN_TRY(cn_strings_add(&a->peers, cn_str(cn_peer_text(&peer, text))));
        }
    }
    cn_strings_sort(&a->peers);
out:
    return err;
}

static cn_err stat_json(cn_call *call, cn_buf *out, const void *value)
{
    const stat_answer *a = value;
    const cn_client_stats *c = &a->stats.client;
    const cn_engine_stats *e = &a->stats.engine;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_key(&j, "Wantlist");
    cids_json(&j, &a->wants);
    cn_json_key(&j, "Peers");
    cn_strings_json(&j, &a->peers);
    cn_json_put_uint(&j, "BlocksReceived", c->blocks + c->duplicates);
    cn_json_put_uint(&j, "DataReceived", c->block_bytes + c->duplicate_bytes);
    cn_json_put_uint(&j, "DupBlksReceived", c->duplicates);
    cn_json_put_uint(&j, "DupDataReceived", c->duplicate_bytes);
    cn_json_put_uint(&j, "MessagesReceived", a->stats.messages);
    cn_json_put_uint(&j, "BlocksSent", e->blocks);
    cn_json_put_uint(&j, "DataSent", e->block_bytes);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err put_bytes(cn_buf *out, const char *name, bool human, uint64_t bytes)
{
    char text[CN_HUMAN_BYTES];
    return human ? cn_buf_printf(out, "\t%s: %s\n", name, cn_human_size(bytes, text))
                 : cn_buf_printf(out, "\t%s: %llu\n", name, (unsigned long long)bytes);
}

static cn_err put_list(cn_buf *out, const char *head, const cn_strings *list, bool shown)
{
    cn_err err = cn_buf_printf(out, "\t%s\n", head);
    for (size_t i = 0; err == CN_OK && shown && i < list->len; i++) {
        err = cn_buf_printf(out, "\t\t%s\n", cn_strings_get(list, i));
    }
    return err;
}

static cn_err stat_text(cn_call *call, cn_buf *out, const void *value)
{
    const stat_answer *a = value;
    const cn_client_stats *c = &a->stats.client;
    const cn_engine_stats *e = &a->stats.engine;
    bool human = cn_call_flag(call, "human", NULL);
    char head[64];
    cn_err err = CN_OK;
    CN_TRY(cn_buf_printf(
        out, "bitswap status\n\tblocks received: %llu\n\tblocks sent: %llu\n",
        (unsigned long long)(c->blocks + c->duplicates), (unsigned long long)e->blocks));
    CN_TRY(put_bytes(out, "data received", human, c->block_bytes + c->duplicate_bytes));
    CN_TRY(put_bytes(out, "data sent", human, e->block_bytes));
    CN_TRY(cn_buf_printf(out, "\tdup blocks received: %llu\n", (unsigned long long)c->duplicates));
    CN_TRY(put_bytes(out, "dup data received", human, c->duplicate_bytes));
    (void)snprintf(head, sizeof head, "wantlist [%zu keys]", a->wants.len);
    CN_TRY(put_list(out, head, &a->wants, true));
    (void)snprintf(head, sizeof head, "partners [%zu]", a->peers.len);
    CN_TRY(put_list(out, head, &a->peers, cn_call_flag(call, "verbose", NULL)));
out:
    return err;
}

static const cn_output_type stat_output = {"bitswap.Stat", stat_json, stat_text};

static cn_err run_stat(cn_call *call)
{
    stat_answer a = {.call = call};
    cn_network *n = NULL;
    cn_node *node = NULL;
    cn_err err = CN_OK;
    cn_strings_init(&a.wants, cn_call_mem(call));
    cn_strings_init(&a.peers, cn_call_mem(call));
    CN_TRY(cn_call_check_base(call));
    CN_TRY(cn_call_node(call, &node));
    if (cn_node_network(node) == NULL) {
        err = cn_call_fail_client(call, CN_ERR_USAGE, "%s", cn_offline_sentence(CN_OFFLINE_UNABLE));
        goto out;
    }
    CN_TRY(cn_call_network(call, CN_OFFLINE_UNABLE, &n));
    CN_TRY(cn_call_on_loop(call, n, gather_stat, &a));
    err = cn_call_emit_once(call, &stat_output, &a);
out:
    cn_strings_release(&a.wants);
    cn_strings_release(&a.peers);
    return err;
}

static const cn_opt stat_opts[] = {
    {CN_OPT_BOOL, "verbose", "v", NULL, "Show the peers, too."},
    {CN_OPT_BOOL, "human", NULL, NULL, "Sizes for people."},
    {.name = NULL},
};

const cn_command cn_cmd_bitswap_stat = {
    .path = "bitswap/stat",
    .summary = "Show what was exchanged with peers",
    .opts = stat_opts,
    .output = &stat_output,
    .run = run_stat,
};

const cn_command cn_cmd_stats_bitswap = {
    .path = "stats/bitswap",
    .summary = "Show what was exchanged with peers",
    .opts = stat_opts,
    .output = &stat_output,
    .run = run_stat,
};

/* --- wantlist --- */

typedef struct want_list {
    cn_call *call;
    bool of_peer;
    cn_peer_id peer;
    cn_strings cids;
} want_list;

static cn_err gather_wants(cn_network *n, void *ctx)
{
    want_list *l = ctx;
    cn_bitswap *b = cn_network_bitswap(n);
    size_t position = 0;
    const cn_cid *cid = NULL;
    cn_err err = CN_OK;
    while (b != NULL && err == CN_OK &&
           (l->of_peer ? cn_bitswap_wants_of(b, &l->peer, &position, &cid)
                       : cn_bitswap_wants(b, &position, &cid))) {
        err = add_cid(l->call, cid, &l->cids);
    }
    return err;
}

static cn_err wants_json(cn_call *call, cn_buf *out, const void *value)
{
    const want_list *l = value;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_key(&j, "Keys");
    if (l->of_peer && l->cids.len == 0) {
        cn_json_null(&j); /* as Kubo */
    } else {
        cids_json(&j, &l->cids);
    }
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err wants_text(cn_call *call, cn_buf *out, const void *value)
{
    const want_list *l = value;
    cn_err err = CN_OK;
    CN_UNUSED(call);
    for (size_t i = 0; err == CN_OK && i < l->cids.len; i++) {
        err = cn_buf_printf(out, "%s\n", cn_strings_get(&l->cids, i));
    }
    return err;
}

static const cn_output_type wants_output = {"commands.KeyList", wants_json, wants_text};

static cn_err run_wantlist(cn_call *call)
{
    want_list l = {.call = call};
    cn_network *n = NULL;
    const char *peer = cn_call_string(call, "peer", &l.of_peer);
    cn_err err = CN_OK;
    cn_strings_init(&l.cids, cn_call_mem(call));
    CN_TRY(cn_call_check_base(call));
    CN_TRY(cn_call_network(call, CN_OFFLINE_COMMAND, &n));
    if (l.of_peer) {
        CN_TRY(cn_call_peer(call, cn_str(peer), &l.peer));
        l.of_peer = !cn_peer_id_eq(&l.peer, cn_host_self(cn_network_host(n)));
    }
    CN_TRY(cn_call_on_loop(call, n, gather_wants, &l));
    err = cn_call_emit_once(call, &wants_output, &l);
out:
    cn_strings_release(&l.cids);
    return err;
}

static const cn_opt wants_opts[] = {
    {CN_OPT_STRING, "peer", "p", NULL, "What this peer wants of us."},
    {.name = NULL},
};

const cn_command cn_cmd_bitswap_wantlist = {
    .path = "bitswap/wantlist",
    .summary = "List the blocks that are wanted now",
    .opts = wants_opts,
    .output = &wants_output,
    .run = run_wantlist,
};

/* --- ledger --- */

typedef struct ledger_answer {
    cn_peer_id peer;
    cn_bitswap_ledger ledger;
} ledger_answer;

static cn_err gather_ledger(cn_network *n, void *ctx)
{
    ledger_answer *a = ctx;
    cn_bitswap *b = cn_network_bitswap(n);
    if (b != NULL) {
        (void)cn_bitswap_ledger_of(b, &a->peer, &a->ledger);
    }
    return CN_OK;
}

/* As Kubo counts: what was sent for each byte received, and one. */
static double debt(const cn_bitswap_ledger *l)
{
    return (double)l->sent_bytes / ((double)l->received_bytes + 1);
}

static cn_err ledger_json(cn_call *call, cn_buf *out, const void *value)
{
    const ledger_answer *a = value;
    char text[CN_PEER_TEXT_BYTES];
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_text(&j, "Peer", cn_peer_text(&a->peer, text));
    cn_json_key(&j, "Value");
    cn_json_float(&j, debt(&a->ledger));
    cn_json_put_uint(&j, "Sent", a->ledger.sent_bytes);
    cn_json_put_uint(&j, "Recv", a->ledger.received_bytes);
    cn_json_put_uint(&j, "Exchanged", a->ledger.exchanged);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err ledger_text(cn_call *call, cn_buf *out, const void *value)
{
    const ledger_answer *a = value;
    char text[CN_PEER_TEXT_BYTES];
    CN_UNUSED(call);
    return cn_buf_printf(
        out,
        "Ledger for %s\nDebt ratio:\t%f\nExchanges:\t%llu\nBytes sent:\t%llu\n"
        "Bytes received:\t%llu\n\n",
        cn_peer_text(&a->peer, text), debt(&a->ledger), (unsigned long long)a->ledger.exchanged,
        (unsigned long long)a->ledger.sent_bytes, (unsigned long long)a->ledger.received_bytes);
}

static const cn_output_type ledger_output = {"decision.Receipt", ledger_json, ledger_text};

static cn_err run_ledger(cn_call *call)
{
    ledger_answer a = {0};
    cn_network *n = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_call_network(call, CN_OFFLINE_COMMAND, &n));
    CN_TRY(cn_call_peer(call, cn_call_arg(call, 0), &a.peer));
    CN_TRY(cn_call_on_loop(call, n, gather_ledger, &a));
    err = cn_call_emit_once(call, &ledger_output, &a);
out:
    return err;
}

static const cn_arg ledger_args[] = {
    {"peer", 0, "A peer id."},
    {.name = NULL},
};

const cn_command cn_cmd_bitswap_ledger = {
    .path = "bitswap/ledger",
    .summary = "Show what was exchanged with one peer",
    .about = "Since it is connected.",
    .args = ledger_args,
    .output = &ledger_output,
    .run = run_ledger,
};

/* --- reprovide --- */

static cn_err run_reprovide(cn_call *call)
{
    cn_network *n = NULL;
    cn_err err = cn_call_network(call, CN_OFFLINE_COMMAND, &n);
    if (err != CN_OK) {
        return err;
    }
    return cn_call_fail(
        call, CN_ERR_UNSUPPORTED,
        "manual reprovide is not available: no router is built yet, so there is nobody to tell "
        "what is here");
}

const cn_command cn_cmd_bitswap_reprovide = {
    .path = "bitswap/reprovide",
    .summary = "Tell routers what is here: none is built yet",
    .run = run_reprovide,
};
