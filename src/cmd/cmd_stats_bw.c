/*
 * `stats bw`: bytes that went over the network.
 */
#include "cmd/commands.h"
#include "cmd/human.h"
#include "cmd/online.h"

#include "base/duration.h"

typedef struct bw_line {
    cn_host_bandwidth use;
    bool is_polled;
    bool is_first;
} bw_line;

static cn_err line_json(cn_call *call, cn_buf *out, const void *value)
{
    const bw_line *l = value;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_put_uint(&j, "TotalIn", l->use.in_bytes);
    cn_json_put_uint(&j, "TotalOut", l->use.out_bytes);
    cn_json_key(&j, "RateIn");
    cn_json_float(&j, l->use.in_rate);
    cn_json_key(&j, "RateOut");
    cn_json_float(&j, l->use.out_rate);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err line_text(cn_call *call, cn_buf *out, const void *value)
{
    const bw_line *l = value;
    char in[CN_HUMAN_BYTES];
    char out_text[CN_HUMAN_BYTES];
    char in_rate[CN_HUMAN_BYTES];
    char out_rate[CN_HUMAN_BYTES];
    CN_UNUSED(call);
    (void)cn_human_size(l->use.in_bytes, in);
    (void)cn_human_size(l->use.out_bytes, out_text);
    (void)cn_human_size((uint64_t)l->use.in_rate, in_rate);
    (void)cn_human_size((uint64_t)l->use.out_rate, out_rate);
    if (l->is_polled) {
        return cn_buf_printf(
            out, "%s%8s    %8s    %8s/s  %8s/s      \r",
            l->is_first ? "Total Up    Total Down  Rate Up     Rate Down\n" : "", out_text, in,
            out_rate, in_rate);
    }
    return cn_buf_printf(
        out, "Bandwidth\nTotalIn: %s\nTotalOut: %s\nRateIn: %s/s\nRateOut: %s/s\n", in, out_text,
        in_rate, out_rate);
}

static const cn_output_type line_output = {"metrics.Stats", line_json, line_text};

typedef struct bw_ask {
    bool by_peer;
    bool by_protocol;
    cn_peer_id peer;
    cn_slice protocol;
    cn_host_bandwidth use;
} bw_ask;

static cn_err gather(cn_network *n, void *ctx)
{
    bw_ask *ask = ctx;
    cn_host *h = cn_network_host(n);
    if (ask->by_peer) {
        cn_host_bandwidth_peer(h, &ask->peer, &ask->use);
    } else if (ask->by_protocol) {
        cn_host_bandwidth_protocol(h, ask->protocol, &ask->use);
    } else {
        cn_host_bandwidth_total(h, &ask->use);
    }
    return CN_OK;
}

static cn_err take_options(cn_call *call, bw_ask *ask, int64_t *ret_interval_ns)
{
    const char *peer = cn_call_string(call, "peer", &ask->by_peer);
    cn_err err = CN_OK;
    ask->protocol = cn_str(cn_call_string(call, "proto", &ask->by_protocol));
    if (ask->by_peer && ask->by_protocol) {
        return cn_call_fail_client(call, CN_ERR_USAGE, "please only specify peer OR protocol");
    }
    if (ask->by_peer) {
        CN_TRY(cn_call_peer(call, cn_str(peer), &ask->peer));
    }
    err = cn_duration_parse(
        cn_str(cn_call_string(call, "interval", NULL)), ret_interval_ns, cn_call_why(call));
    err = err == CN_OK ? err : cn_call_fail_why(call, err);
out:
    return err;
}

static cn_err run_bw(cn_call *call)
{
    bw_ask ask = {0};
    cn_node *node = NULL;
    cn_network *n = NULL;
    int64_t interval_ns = 0;
    bool polls = cn_call_flag(call, "poll", NULL);
    bw_line line = {.is_polled = polls, .is_first = true};
    cn_err err = CN_OK;
    CN_TRY(cn_call_node(call, &node));
    n = cn_node_network(node);
    if (n == NULL) {
        err = cn_call_fail_client(call, CN_ERR_USAGE, "%s", cn_offline_sentence(CN_OFFLINE_UNABLE));
        goto out;
    }
    CN_TRY(take_options(call, &ask, &interval_ns));
    do {
        CN_TRY(cn_call_on_loop(call, n, gather, &ask));
        line.use = ask.use;
        CN_TRY(cn_call_emit(call, &line_output, &line));
        line.is_first = false;
        CN_TRY(polls ? cn_call_sleep(call, CN_MAX(interval_ns, CN_NS_PER_MS)) : CN_OK);
    } while (polls);
out:
    return err;
}

static const cn_opt bw_opts[] = {
    {CN_OPT_STRING, "peer", "p", NULL, "Those of one peer, since it is connected."},
    {CN_OPT_STRING, "proto", "t", NULL, "Those of one protocol: /ipfs/bitswap/1.2.0"},
    {CN_OPT_BOOL, "poll", NULL, NULL, "Go on, once each interval."},
    {CN_OPT_STRING, "interval", "i", "1s", "With --poll: how often."},
    {.name = NULL},
};

const cn_command cn_cmd_stats_bw = {
    .path = "stats/bw",
    .summary = "Show how much went over the network",
    .opts = bw_opts,
    .flags = CN_CMD_TEXT,
    .output = &line_output,
    .run = run_bw,
};
