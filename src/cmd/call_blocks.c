/*
 * Where a call's blocks come from: the repo alone, or peers as well, by a fetch of its own that
 * ends with the call.
 */
#include "cmd/call_internal.h"
#include "exchange/fetch/fetch.h"
#include "node/network.h"

enum { REPORT_MAX_BYTES = 64 << 10, STALL_S = 30 };

static cn_err may_go_on(void *ctx)
{
    cn_call *call = ctx;
    cn_err err = cn_call_check(call);
    if (err == CN_OK && call->parts.has_left != NULL &&
        call->parts.has_left(call->parts.has_left_ctx)) {
        err = CN_ERR_CANCELLED;
    }
    return err;
}

static int64_t stall_ns(const cn_call *call)
{
    return call->host->stall_ns != 0 ? call->host->stall_ns : STALL_S * CN_NS_PER_S;
}

/* Each time as long has passed without a block: say whom was asked. */
static void tell_stall(cn_call *call, int64_t without_progress_ns)
{
    cn_buf report;
    if (without_progress_ns < call->stalled_ns) {
        call->stalled_ns = 0; /* something came meanwhile */
    }
    if (without_progress_ns - call->stalled_ns < stall_ns(call)) {
        return;
    }
    call->stalled_ns = without_progress_ns;
    cn_buf_init(&report, cn_call_mem(call), REPORT_MAX_BYTES);
    if (cn_fetch_report(call->fetch, &report) == CN_OK) {
        call->parts.stalled(call->parts.stalled_ctx, cn_buf_slice(&report));
    }
    cn_buf_release(&report);
}

static void waiting(void *ctx, int64_t without_progress_ns)
{
    cn_call *call = ctx;
    if (call->parts.stalled != NULL) {
        tell_stall(call, without_progress_ns);
    }
    if (call->while_waiting != NULL && without_progress_ns >= CN_NS_PER_S) {
        call->while_waiting(call->while_waiting_ctx);
    }
}

static cn_err open_fetch(cn_call *call, cn_network *network)
{
    const cn_fetch_options options = {
        .fetcher = cn_network_fetcher(network),
        .mem = cn_call_mem(call),
        .deadline = call->deadline,
        .check = may_go_on,
        .ctx = call,
        .follow = call->follows,
        .waiting = waiting,
    };
    cn_err err = cn_fetch_open(&options, &call->fetch, &call->why);
    return err == CN_OK ? err : cn_call_fail_why(call, err);
}

cn_err cn_call_blocks(cn_call *call, cn_blocks **ret)
{
    cn_node *node = NULL;
    cn_network *network = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_call_node(call, &node));
    network = cn_node_network(node);
    if (network == NULL || cn_network_fetcher(network) == NULL ||
        (call->parts.request->command->flags & CN_CMD_OWN_BLOCKS) != 0 ||
        cn_call_flag(call, "offline", NULL)) {
        *ret = cn_node_blocks(node);
        return CN_OK;
    }
    if (call->fetch == NULL) {
        CN_TRY(open_fetch(call, network));
    }
    *ret = cn_fetch_blocks(call->fetch);
out:
    return err;
}

void cn_call_follow(cn_call *call)
{
    call->follows = true;
}

void cn_call_while_waiting(cn_call *call, void (*fn)(void *ctx), void *ctx)
{
    call->while_waiting = fn;
    call->while_waiting_ctx = ctx;
}

void cn_call_have(cn_call *call, const cn_cid *cids, size_t len)
{
    cn_node *node = NULL;
    if (cn_call_node(call, &node) == CN_OK && cn_node_network(node) != NULL) {
        cn_network_have(cn_node_network(node), cids, len);
    }
}
