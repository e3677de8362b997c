/*
 * `swarm peers`: the connections that stand.
 */
#include "cmd/commands.h"
#include "cmd/id_answer.h"
#include "cmd/online.h"

#include "base/duration.h"

#include <stdlib.h>

enum { PEERS_MAX = 1 << 16, ADDRESS_TEXT_MAX = 8 * CN_MULTIADDR_MAX_BYTES };

/* As Kubo counts directions. */
enum { INBOUND = 1, OUTBOUND = 2 };

typedef struct conn_line {
    cn_buf address;
    cn_buf peer;
    cn_buf latency; /* empty: not asked for */
    int direction;  /* 0: not asked for */
    cn_strings streams;
    cn_id_answer about; /* empty texts where it was not asked for */
} conn_line;

typedef struct peers_run {
    cn_call *call;
    cn_network *network;
    bool latency;
    bool direction;
    bool streams;
    bool identify;
    conn_line *lines;
    size_t len;
    size_t cap;
} peers_run;

static void init_line(conn_line *l, cn_mem *mem)
{
    cn_buf_init(&l->address, mem, ADDRESS_TEXT_MAX);
    cn_buf_init(&l->peer, mem, CN_PEER_TEXT_BYTES);
    cn_buf_init(&l->latency, mem, 64);
    l->direction = 0;
    cn_strings_init(&l->streams, mem);
    cn_id_answer_init(&l->about, mem);
}

static void release_line(conn_line *l)
{
    cn_buf_release(&l->address);
    cn_buf_release(&l->peer);
    cn_buf_release(&l->latency);
    cn_strings_release(&l->streams);
    cn_id_answer_release(&l->about);
}

static cn_err fill_line(const peers_run *run, const cn_host_conn *c, conn_line *l)
{
    bool known = false;
    cn_err err = CN_OK;
    CN_TRY(cn_multiaddr_encode_text(c->info.remote, &l->address));
    CN_TRY(cn_peer_id_encode_text(&c->info.peer, 0, &l->peer));
    if (run->latency) {
        CN_TRY(
            c->info.rtt_ns == 0 ? cn_buf_text(&l->latency, "n/a")
                                : cn_duration_text(c->info.rtt_ns, &l->latency));
    }
    l->direction = !run->direction ? 0 : c->info.is_initiator ? OUTBOUND : INBOUND;
    for (size_t i = 0; run->streams && i < c->streams_len; i++) {
        const char *name = cn_host_conn_stream(cn_network_host(run->network), c->id, i);
        CN_TRY(name == NULL ? CN_OK : cn_strings_add(&l->streams, cn_str(name)));
    }
    cn_strings_sort(&l->streams);
    if (run->identify) {
        CN_TRY(cn_buf_append(&l->about.id, cn_buf_slice(&l->peer)));
        CN_TRY(cn_id_answer_of_peer(run->network, &c->info.peer, &l->about, &known));
    }
out:
    return err;
}

/* On the loop's thread. */
static cn_err gather(cn_network *n, void *ctx)
{
    peers_run *run = ctx;
    size_t position = 0;
    cn_host_conn c = {0};
    cn_err err = CN_OK;
    while (cn_host_conns(cn_network_host(n), &position, &c)) {
        CN_TRY(cn_array_grow(
            cn_call_mem(run->call), (void **)&run->lines, &run->cap, run->len, PEERS_MAX,
            sizeof *run->lines));
        init_line(&run->lines[run->len], cn_call_mem(run->call));
        CN_TRY(fill_line(run, &c, &run->lines[run->len++]));
    }
out:
    return err;
}

static int by_address(const void *a, const void *b)
{
    const conn_line *left = a;
    const conn_line *right = b;
    int order = cn_slice_cmp(cn_buf_slice(&left->address), cn_buf_slice(&right->address));
    return order != 0 ? order : cn_slice_cmp(cn_buf_slice(&left->peer), cn_buf_slice(&right->peer));
}

static void line_json(cn_json_writer *j, const conn_line *l)
{
    cn_json_object(j);
    cn_json_put_string(j, "Addr", cn_buf_slice(&l->address));
    cn_json_put_string(j, "Peer", cn_buf_slice(&l->peer));
    if (l->latency.len > 0) {
        cn_json_put_string(j, "Latency", cn_buf_slice(&l->latency));
    }
    if (l->direction != 0) {
        cn_json_put_int(j, "Direction", l->direction);
    }
    if (l->streams.len > 0) {
        cn_json_key(j, "Streams");
        cn_json_list(j);
        for (size_t i = 0; i < l->streams.len; i++) {
            cn_json_object(j);
            cn_json_put_text(j, "Protocol", cn_strings_get(&l->streams, i));
            cn_json_object_end(j);
        }
        cn_json_list_end(j);
    }
    cn_json_key(j, "Identify");
    cn_id_answer_json(j, &l->about);
    cn_json_object_end(j);
}

static cn_err peers_json(cn_call *call, cn_buf *out, const void *value)
{
    const peers_run *run = value;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_key(&j, "Peers");
    if (run->len == 0) {
        cn_json_null(&j);
    } else {
        cn_json_list(&j);
        for (size_t i = 0; i < run->len; i++) {
            line_json(&j, &run->lines[i]);
        }
        cn_json_list_end(&j);
    }
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err line_text(cn_buf *out, const conn_line *l)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_append(out, cn_buf_slice(&l->address)));
    CN_TRY(cn_buf_text(out, "/p2p/"));
    CN_TRY(cn_buf_append(out, cn_buf_slice(&l->peer)));
    if (l->latency.len > 0) {
        CN_TRY(cn_buf_byte(out, ' '));
        CN_TRY(cn_buf_append(out, cn_buf_slice(&l->latency)));
    }
    if (l->direction != 0) {
        CN_TRY(cn_buf_text(out, l->direction == INBOUND ? " inbound" : " outbound"));
    }
    CN_TRY(cn_buf_byte(out, '\n'));
    for (size_t i = 0; i < l->streams.len; i++) {
        const char *name = cn_strings_get(&l->streams, i);
        CN_TRY(cn_buf_printf(out, "  %s\n", name[0] == '\0' ? "<no protocol name>" : name));
    }
out:
    return err;
}

static cn_err peers_text(cn_call *call, cn_buf *out, const void *value)
{
    const peers_run *run = value;
    cn_err err = CN_OK;
    CN_UNUSED(call);
    for (size_t i = 0; err == CN_OK && i < run->len; i++) {
        err = line_text(out, &run->lines[i]);
    }
    return err;
}

static const cn_output_type peers_output = {"commands.connInfos", peers_json, peers_text};

static cn_err run_peers(cn_call *call)
{
    peers_run run = {.call = call};
    bool all = cn_call_flag(call, "verbose", NULL);
    cn_err err = CN_OK;
    CN_TRY(cn_call_network(call, CN_OFFLINE_ACTION, &run.network));
    run.latency = all || cn_call_flag(call, "latency", NULL);
    run.direction = all || cn_call_flag(call, "direction", NULL);
    run.streams = all || cn_call_flag(call, "streams", NULL);
    run.identify = all || cn_call_flag(call, "identify", NULL);
    CN_TRY(cn_call_on_loop(call, run.network, gather, &run));
    if (run.len > 1) {
        qsort(run.lines, run.len, sizeof *run.lines, by_address);
    }
    err = cn_call_emit_once(call, &peers_output, &run);
out:
    for (size_t i = 0; i < run.len; i++) {
        release_line(&run.lines[i]);
    }
    cn_free(cn_call_mem(call), run.lines);
    return err;
}

static const cn_opt peers_opts[] = {
    {CN_OPT_BOOL, "verbose", "v", NULL, "Show all that is known."},
    {CN_OPT_BOOL, "streams", NULL, NULL, "Show the streams that are open."},
    {CN_OPT_BOOL, "latency", NULL, NULL, "Show how long a message takes there and back."},
    {CN_OPT_BOOL, "direction", NULL, NULL, "Show who dialled."},
    {CN_OPT_BOOL, "identify", NULL, NULL, "Show what the peers tell of themselves (in JSON)."},
    {.name = NULL},
};

const cn_command cn_cmd_swarm_peers = {
    .path = "swarm/peers",
    .summary = "List the peers that this node is connected to",
    .opts = peers_opts,
    .output = &peers_output,
    .run = run_peers,
};
