/*
 * `ping`: how long a message takes to a peer and back, once a second.
 */
#include "cmd/commands.h"
#include "cmd/online.h"

#include <stdio.h>

#define PING_TIMEOUT_NS (10 * CN_NS_PER_S)
#define PAUSE_NS CN_NS_PER_S

typedef struct ping_line {
    bool success;
    int64_t time_ns;
    const char *text; /* empty: a pong */
} ping_line;

static cn_err line_json(cn_call *call, cn_buf *out, const void *value)
{
    const ping_line *l = value;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_bool(&j, "Success", l->success);
    cn_json_put_int(&j, "Time", l->time_ns);
    cn_json_put_text(&j, "Text", l->text);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err line_text(cn_call *call, cn_buf *out, const void *value)
{
    const ping_line *l = value;
    CN_UNUSED(call);
    if (l->text[0] != '\0') {
        return cn_buf_printf(out, "%s\n", l->text);
    }
    return l->success ? cn_buf_printf(
                            out, "Pong received: time=%.2f ms\n",
                            (double)l->time_ns / (double)CN_NS_PER_MS)
                      : cn_buf_text(out, "Pong failed\n");
}

static const cn_output_type line_output = {"commands.PingResult", line_json, line_text};

static cn_err emit(cn_call *call, bool success, int64_t time_ns, const char *text)
{
    const ping_line line = {success, time_ns, text};
    return cn_call_emit(call, &line_output, &line);
}

/* --- one ping --- */

typedef struct ping_task {
    cn_network_task task;
    cn_peer_id peer;
    cn_id ping;
    int64_t rtt_ns;
    cn_why why;
} ping_task;

static void pinged(void *ctx, cn_err err, int64_t rtt_ns, const char *sentence)
{
    ping_task *t = ctx;
    t->rtt_ns = rtt_ns;
    if (err != CN_OK) {
        (void)cn_why_set(&t->why, err, "%s", sentence == NULL ? cn_err_sentence(err) : sentence);
    }
    cn_network_task_end(t->task.owner, &t->task, err);
}

static void ping_run(cn_network_task *task, cn_network *n)
{
    ping_task *t = (ping_task *)task;
    cn_err err = cn_host_ping(cn_network_host(n), &t->peer, PING_TIMEOUT_NS, pinged, t, &t->ping);
    if (err != CN_OK) {
        (void)cn_why_set(&t->why, err, "%s", cn_err_sentence(err));
        cn_network_task_end(n, task, err);
    }
}

static void ping_give_up(cn_network_task *task, cn_network *n)
{
    cn_host_ping_cancel(cn_network_host(n), ((ping_task *)task)->ping);
}

typedef struct ping_run_state {
    cn_call *call;
    cn_network *network;
    cn_peer_id peer;
    int64_t total_ns;
    int64_t pongs;
} ping_run_state;

static cn_err say_failed(cn_call *call, const char *sentence)
{
    cn_buf text;
    const char *line = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&text, cn_call_mem(call), 64 << 10);
    CN_TRY(cn_buf_printf(&text, "Ping error: %s", sentence));
    CN_TRY(cn_buf_cstr(&text, &line));
    err = emit(call, false, 0, line);
out:
    cn_buf_release(&text);
    return err;
}

/* Up to `count` pings, until one fails. */
static cn_err send_pings(ping_run_state *run, int64_t count)
{
    cn_err err = CN_OK;
    for (int64_t i = 0; err == CN_OK && i < count; i++) {
        ping_task t = {.task = {.run = ping_run, .give_up = ping_give_up}, .peer = run->peer};
        CN_TRY(i == 0 ? CN_OK : cn_call_sleep(run->call, PAUSE_NS));
        err = cn_call_run_task(run->call, run->network, &t.task);
        if (err != CN_OK) {
            CN_TRY(cn_call_check(run->call));
            return say_failed(run->call, cn_why_text(&t.why, err));
        }
        run->total_ns += t.rtt_ns;
        run->pongs++;
        err = emit(run->call, true, t.rtt_ns, "");
    }
out:
    return err;
}

static cn_err tell_average(const ping_run_state *run)
{
    char text[64];
    double ms = (double)run->total_ns / (double)CN_NS_PER_MS / (double)run->pongs;
    (void)snprintf(text, sizeof text, "Average latency: %.2fms", ms);
    return emit(run->call, true, 0, text);
}

/* Connected, or said why not: then *ret_done. */
static cn_err reach(ping_run_state *run, const cn_slice *address, bool *ret_done)
{
    cn_call *call = run->call;
    cn_connect_task task;
    const char *sentence = NULL;
    char peer[CN_PEER_TEXT_BYTES];
    char text[CN_PEER_TEXT_BYTES + 32];
    cn_connect_task_init(&task, cn_call_mem(call), &run->peer);
    task.addresses = address;
    task.addresses_len = address == NULL ? 0 : 1;
    cn_err failed = cn_call_connect(call, run->network, &task);
    cn_err err = cn_buf_cstr(&task.sentence, &sentence);
    (void)cn_peer_text(&run->peer, peer);
    CN_TRY(err);
    CN_TRY(cn_call_check(call));
    if (failed == CN_ERR_NOT_FOUND) {
        (void)snprintf(text, sizeof text, "Looking up peer %s", peer);
        CN_TRY(emit(call, true, 0, text));
        err = cn_call_fail(call, failed, "peer lookup failed: %s", sentence);
        goto out;
    }
    (void)snprintf(text, sizeof text, "PING %s.", peer);
    CN_TRY(emit(call, true, 0, text));
    if (failed != CN_OK) {
        CN_TRY(say_failed(call, sentence));
        *ret_done = true;
    }
out:
    cn_buf_release(&task.sentence);
    return err;
}

/* "ID", "/p2p/ID" or an address with it at its end. */
static cn_err
parse_target(cn_call *call, cn_slice arg, cn_buf *address, cn_slice *ret_at, cn_peer_id *ret)
{
    cn_why why = {{0}};
    cn_err err = CN_OK;
    if (cn_slice_starts(arg, cn_str("/"))) {
        err = cn_multiaddr_parse(arg, address, &why);
        if (err == CN_OK) {
            cn_multiaddr_split_peer(cn_buf_slice(address), ret_at, ret);
            err =
                ret->len > 0 ? CN_OK : cn_why_set(&why, CN_ERR_MALFORMED, "invalid p2p multiaddr");
        }
    } else {
        err = cn_peer_id_parse(arg, ret, &why);
    }
    return err == CN_OK
               ? err
               : cn_call_fail(
                     call, err, "failed to parse peer address '%.*s': %s",
                     (int)CN_MIN(arg.len, 1024), (const char *)arg.data, cn_why_text(&why, err));
}

static cn_err run_ping(cn_call *call)
{
    ping_run_state run = {.call = call};
    cn_buf address;
    cn_slice at = {0};
    bool done = false;
    int64_t count = cn_call_int(call, "count", NULL);
    cn_err err = CN_OK;
    cn_buf_init(&address, cn_call_mem(call), CN_MULTIADDR_MAX_BYTES);
    CN_TRY(cn_call_network(call, CN_OFFLINE_COMMAND, &run.network));
    CN_TRY(cn_call_read_args(call));
    CN_TRY(parse_target(call, cn_call_arg(call, 0), &address, &at, &run.peer));
    if (cn_peer_id_eq(&run.peer, cn_host_self(cn_network_host(run.network)))) {
        err = cn_call_fail(call, CN_ERR_USAGE, "error: can't ping self");
        goto out;
    }
    if (count <= 0) {
        err = cn_call_fail(
            call, CN_ERR_USAGE, "ping count must be greater than 0, was %lld", (long long)count);
        goto out;
    }
    CN_TRY(reach(&run, at.len > 0 ? &at : NULL, &done));
    if (!done) {
        CN_TRY(send_pings(&run, count));
    }
    err = run.pongs > 0 ? tell_average(&run) : cn_call_fail(call, CN_ERR_IO, "ping failed");
out:
    cn_buf_release(&address);
    return err;
}

static const cn_arg ping_args[] = {
    {"peer ID", CN_ARG_VARIADIC | CN_ARG_STDIN, "A peer id, or an address with /p2p/<peer id>."},
    {.name = NULL},
};

static const cn_opt ping_opts[] = {
    {CN_OPT_INT, "count", "n", "10", "How many."},
    {.name = NULL},
};

const cn_command cn_cmd_ping = {
    .path = "ping",
    .summary = "Measure how long a message takes to a peer and back",
    .about = "The peer is connected to first, if it is not. One ping a second.",
    .args = ping_args,
    .opts = ping_opts,
    .output = &line_output,
    .run = run_ping,
};
