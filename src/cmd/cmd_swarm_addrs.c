/*
 * `swarm addrs`: where peers may be reached; `swarm addrs local` and `listen`: where we may.
 */
#include "cmd/commands.h"
#include "cmd/online.h"

#include <stdlib.h>

enum { PEERS_MAX = 1 << 16, TEXT_MAX_BYTES = 1 << 20 };

typedef struct peer_line {
    cn_buf peer;
    cn_strings addresses;
} peer_line;

typedef struct addrs_run {
    cn_call *call;
    peer_line *lines;
    size_t len;
    size_t cap;
} addrs_run;

static cn_err new_line(addrs_run *run, const cn_peer_id *peer, peer_line **ret)
{
    cn_mem *mem = cn_call_mem(run->call);
    cn_err err = cn_array_grow(
        mem, (void **)&run->lines, &run->cap, run->len, PEERS_MAX, sizeof *run->lines);
    if (err != CN_OK) {
        return err;
    }
    peer_line *l = &run->lines[run->len++];
    cn_buf_init(&l->peer, mem, CN_PEER_TEXT_BYTES);
    cn_strings_init(&l->addresses, mem);
    *ret = l;
    return cn_peer_id_encode_text(peer, 0, &l->peer);
}

static cn_err add_address(peer_line *l, cn_slice address)
{
    cn_buf text;
    cn_err err = CN_OK;
    cn_buf_init(&text, l->addresses.mem, 8 * CN_MULTIADDR_MAX_BYTES);
    CN_TRY(cn_multiaddr_encode_text(address, &text));
    CN_TRY(cn_strings_add(&l->addresses, cn_buf_slice(&text)));
out:
    cn_buf_release(&text);
    return err;
}

/* Our own addresses, one a line. */
static cn_err add_own(cn_network *n, bool listen_only, cn_strings *to)
{
    cn_buf texts;
    cn_slice rest = {0};
    cn_err err = CN_OK;
    cn_buf_init(&texts, to->mem, TEXT_MAX_BYTES);
    CN_TRY(cn_host_addresses(cn_network_host(n), &texts, listen_only));
    for (rest = cn_buf_slice(&texts); rest.len > 0;) {
        size_t end = cn_slice_find(rest, '\n');
        CN_TRY(cn_strings_add(to, cn_slice_head(rest, end)));
        rest = cn_slice_skip(rest, end + 1);
    }
    cn_strings_sort(to);
out:
    cn_buf_release(&texts);
    return err;
}

/* On the loop's thread. */
static cn_err gather(cn_network *n, void *ctx)
{
    addrs_run *run = ctx;
    cn_host *h = cn_network_host(n);
    size_t position = 0;
    cn_host_peer p = {0};
    peer_line *l = NULL;
    cn_err err = CN_OK;
    CN_TRY(new_line(run, cn_host_self(h), &l));
    CN_TRY(add_own(n, false, &l->addresses));
    if (l->addresses.len == 0) {
        cn_buf_release(&l->peer);
        cn_strings_release(&l->addresses);
        run->len = 0;
    }
    while (cn_host_peers(h, &position, &p)) {
        if (p.addresses_len == 0 || cn_peer_id_eq(&p.id, cn_host_self(h))) {
            continue;
        }
        CN_TRY(new_line(run, &p.id, &l));
        for (size_t i = 0; i < p.addresses_len; i++) {
            CN_TRY(add_address(l, p.addresses[i]));
        }
        cn_strings_sort(&l->addresses);
    }
out:
    return err;
}

static int by_peer(const void *a, const void *b)
{
    return cn_slice_cmp(
        cn_buf_slice(&((const peer_line *)a)->peer), cn_buf_slice(&((const peer_line *)b)->peer));
}

static cn_err addrs_json(cn_call *call, cn_buf *out, const void *value)
{
    const addrs_run *run = value;
    cn_json_writer j;
    char name[CN_PEER_TEXT_BYTES];
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_key(&j, "Addrs");
    cn_json_object(&j);
    for (size_t i = 0; i < run->len; i++) {
        const cn_buf *peer = &run->lines[i].peer;
        cn_copy(name, peer->data, CN_MIN(peer->len, sizeof name - 1));
        name[CN_MIN(peer->len, sizeof name - 1)] = '\0';
        cn_json_key(&j, name);
        cn_strings_json(&j, &run->lines[i].addresses);
    }
    cn_json_object_end(&j);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err addrs_text(cn_call *call, cn_buf *out, const void *value)
{
    const addrs_run *run = value;
    cn_err err = CN_OK;
    CN_UNUSED(call);
    for (size_t i = 0; i < run->len; i++) {
        const peer_line *l = &run->lines[i];
        CN_TRY(cn_buf_append(out, cn_buf_slice(&l->peer)));
        CN_TRY(cn_buf_printf(out, " (%zu)\n", l->addresses.len));
        for (size_t k = 0; k < l->addresses.len; k++) {
            CN_TRY(cn_buf_printf(out, "\t%s\n", cn_strings_get(&l->addresses, k)));
        }
    }
out:
    return err;
}

static const cn_output_type addrs_output = {"commands.addrMap", addrs_json, addrs_text};

static cn_err run_addrs(cn_call *call)
{
    addrs_run run = {.call = call};
    cn_network *n = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_call_network(call, CN_OFFLINE_ACTION, &n));
    CN_TRY(cn_call_on_loop(call, n, gather, &run));
    if (run.len > 1) {
        qsort(run.lines, run.len, sizeof *run.lines, by_peer);
    }
    err = cn_call_emit_once(call, &addrs_output, &run);
out:
    for (size_t i = 0; i < run.len; i++) {
        cn_buf_release(&run.lines[i].peer);
        cn_strings_release(&run.lines[i].addresses);
    }
    cn_free(cn_call_mem(call), run.lines);
    return err;
}

const cn_command cn_cmd_swarm_addrs = {
    .path = "swarm/addrs",
    .summary = "List the addresses of peers that are known",
    .output = &addrs_output,
    .run = run_addrs,
};

/* --- ours --- */

typedef struct own_ask {
    cn_strings list;
    bool listen_only;
} own_ask;

static cn_err gather_own(cn_network *n, void *ctx)
{
    own_ask *ask = ctx;
    return add_own(n, ask->listen_only, &ask->list);
}

/* Each with our peer id behind it. */
static cn_err add_ids(cn_call *call, cn_network *n, const cn_strings *from, cn_strings *to)
{
    char text[CN_PEER_TEXT_BYTES];
    cn_err err = CN_OK;
    CN_UNUSED(call);
    (void)cn_peer_text(cn_host_self(cn_network_host(n)), text);
    for (size_t i = 0; err == CN_OK && i < from->len; i++) {
        err = cn_strings_printf(to, "%s/p2p/%s", cn_strings_get(from, i), text);
    }
    return err;
}

static cn_err tell_own(cn_call *call, bool listen_only, bool with_id)
{
    own_ask ask = {.listen_only = listen_only};
    cn_strings named = {0};
    cn_network *n = NULL;
    cn_err err = CN_OK;
    cn_strings_init(&ask.list, cn_call_mem(call));
    cn_strings_init(&named, cn_call_mem(call));
    ask.list.null_if_none = true;
    named.null_if_none = true;
    CN_TRY(cn_call_network(call, CN_OFFLINE_ACTION, &n));
    CN_TRY(cn_call_on_loop(call, n, gather_own, &ask));
    if (with_id) {
        CN_TRY(add_ids(call, n, &ask.list, &named));
    }
    err = cn_call_emit_once(call, &cn_strings_output, with_id ? &named : &ask.list);
out:
    cn_strings_release(&ask.list);
    cn_strings_release(&named);
    return err;
}

static cn_err run_local(cn_call *call)
{
    return tell_own(call, false, cn_call_flag(call, "id", NULL));
}

static cn_err run_listen(cn_call *call)
{
    return tell_own(call, true, false);
}

static const cn_opt local_opts[] = {
    {CN_OPT_BOOL, "id", NULL, NULL, "Put the peer id behind each address."},
    {.name = NULL},
};

const cn_command cn_cmd_swarm_addrs_local = {
    .path = "swarm/addrs/local",
    .summary = "List the addresses that this node tells others",
    .opts = local_opts,
    .output = &cn_strings_output,
    .run = run_local,
};

const cn_command cn_cmd_swarm_addrs_listen = {
    .path = "swarm/addrs/listen",
    .summary = "List the addresses that this node listens at",
    .output = &cn_strings_output,
    .run = run_listen,
};

/* --- reachability --- */

static const char unknown[] = "Unknown"; /* nobody is asked to dial back yet */

static cn_err autonat_json(cn_call *call, cn_buf *out, const void *value)
{
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_text(&j, "reachability", value);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err autonat_text(cn_call *call, cn_buf *out, const void *value)
{
    CN_UNUSED(call);
    return cn_buf_printf(
        out,
        "AutoNAT V2 Status:\n  Reachability: %s\n\nPer-Address Reachability:\n"
        "  (no address reachability data available)\n",
        (const char *)value);
}

static const cn_output_type autonat_output = {
    "commands.reachabilityOutput", autonat_json, autonat_text};

static cn_err run_autonat(cn_call *call)
{
    cn_network *n = NULL;
    cn_err err = cn_call_network(call, CN_OFFLINE_COMMAND, &n);
    return err == CN_OK ? cn_call_emit_once(call, &autonat_output, unknown) : err;
}

const cn_command cn_cmd_swarm_addrs_autonat = {
    .path = "swarm/addrs/autonat",
    .summary = "Show whether others can reach this node: not known yet",
    .output = &autonat_output,
    .run = run_autonat,
};
