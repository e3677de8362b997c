/*
 * The network as commands reach it: everything is done on the loop's thread, by calls that gather
 * what is known and by tasks that wait.
 */
#include "cmd/online.h"

#include "rt/lock.h"

enum { SENTENCE_MAX_BYTES = 64 << 10 };

#define CONNECT_TIMEOUT_NS (60 * CN_NS_PER_S)
#define SLEEP_STEP_NS (100 * CN_NS_PER_MS)

const char *cn_offline_sentence(cn_offline_words words)
{
    switch (words) {
    case CN_OFFLINE_ACTION:
        return "this action must be run in online mode, try running 'ipfs daemon' first";
    case CN_OFFLINE_UNABLE:
        return "unable to run offline: this command must be run in online mode. Try running "
               "'ipfs daemon' first";
    case CN_OFFLINE_COMMAND:
        break;
    }
    return "this command must be run in online mode. Try running 'ipfs daemon' first";
}

cn_err cn_call_network(cn_call *call, cn_offline_words words, cn_network **ret)
{
    cn_node *node = NULL;
    cn_err err = cn_call_node(call, &node);
    if (err != CN_OK) {
        return err;
    }
    if (cn_node_network(node) == NULL) {
        return cn_call_fail(call, CN_ERR_USAGE, "%s", cn_offline_sentence(words));
    }
    *ret = cn_node_network(node);
    return CN_OK;
}

cn_err
cn_call_on_loop(cn_call *call, cn_network *n, cn_err (*fn)(cn_network *n, void *ctx), void *ctx)
{
    cn_err err = cn_network_call(n, fn, ctx);
    if (err == CN_ERR_CLOSED) {
        return cn_call_fail(call, err, "the daemon is shutting down");
    }
    return err == CN_OK ? err : cn_call_fail_why(call, err);
}

static cn_err may_go_on(void *ctx)
{
    return cn_call_check(ctx);
}

cn_err cn_call_run_task(cn_call *call, cn_network *n, cn_network_task *t)
{
    const cn_network_wait wait = {may_go_on, call};
    return cn_network_run(n, t, &wait);
}

cn_err cn_call_peer(cn_call *call, cn_slice text, cn_peer_id *ret)
{
    cn_err err = cn_peer_id_parse(text, ret, cn_call_why(call));
    return err == CN_OK ? err : cn_call_fail_why(call, err);
}

const char *cn_peer_text(const cn_peer_id *id, char text[CN_PEER_TEXT_BYTES])
{
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), CN_PEER_TEXT_BYTES - 1);
    text[0] = '\0';
    if (cn_peer_id_encode_text(id, 0, &b) == CN_OK) {
        cn_copy(text, b.data, b.len);
        text[b.len] = '\0';
    }
    cn_buf_release(&b);
    return text;
}

static cn_err add_address(cn_call *call, cn_slice text, const char *no_peer, cn_known_peers *to)
{
    cn_buf address;
    cn_slice at = {0};
    cn_peer_id id = {0};
    cn_err err = CN_OK;
    cn_buf_init(&address, cn_call_mem(call), CN_MULTIADDR_MAX_BYTES);
    err = cn_multiaddr_parse(text, &address, cn_call_why(call));
    if (err != CN_OK) {
        err = cn_call_fail_why(call, err);
        goto out;
    }
    cn_multiaddr_split_peer(cn_buf_slice(&address), &at, &id);
    if (id.len == 0) {
        bool named = cn_slice_ends(cn_str(no_peer), cn_str(" "));
        err = cn_call_fail(
            call, CN_ERR_MALFORMED, "%s%.*s", no_peer, named ? (int)CN_MIN(text.len, 1024) : 0,
            (const char *)text.data);
        goto out;
    }
    err = cn_known_peers_add(cn_call_mem(call), to, &id, at);
out:
    cn_buf_release(&address);
    return err;
}

cn_err cn_call_peer_addresses(cn_call *call, const char *no_peer, cn_known_peers *ret)
{
    cn_err err = cn_call_read_args(call);
    *ret = (cn_known_peers){0};
    for (size_t i = 0; err == CN_OK && i < cn_call_args_len(call); i++) {
        err = add_address(call, cn_call_arg(call, i), no_peer, ret);
    }
    return err;
}

cn_err cn_call_sleep(cn_call *call, int64_t ns)
{
    cn_lock *lock = NULL;
    cn_cond *never = NULL;
    cn_time until = cn_time_after(cn_rt_now(cn_call_rt(call)), ns);
    int64_t left_ns = ns;
    cn_err err = CN_OK;
    CN_TRY(cn_lock_new(cn_call_mem(call), &lock));
    CN_TRY(cn_cond_new(cn_call_mem(call), &never));
    while (left_ns > 0) {
        CN_TRY(cn_call_check(call));
        cn_lock_take(lock);
        cn_cond_wait(never, lock, CN_MIN(left_ns, SLEEP_STEP_NS));
        cn_lock_give(lock);
        left_ns = until.ns - cn_rt_now(cn_call_rt(call)).ns;
    }
out:
    cn_cond_free(never);
    cn_lock_free(lock);
    return err;
}

/* --- connecting --- */

static void say_undialled(cn_connect_task *t, const char *sentence)
{
    (void)!cn_buf_printf(&t->sentence, "failed to dial: %s", sentence);
}

static void dialled(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    cn_connect_task *t = ctx;
    CN_UNUSED(peer);
    if (err != CN_OK) {
        say_undialled(t, sentence == NULL ? cn_err_sentence(err) : sentence);
    }
    t->waiting = CN_ID_NONE;
    cn_network_task_end(t->task.owner, &t->task, err);
}

static void connect_run(cn_network_task *task, cn_network *n)
{
    cn_connect_task *t = (cn_connect_task *)task;
    cn_why why = {{0}};
    cn_host_forgive(cn_network_host(n), &t->peer, t->addresses, t->addresses_len);
    cn_err err = cn_host_connect(
        cn_network_host(n), &t->peer, t->addresses, t->addresses_len, CONNECT_TIMEOUT_NS, dialled,
        t, &t->waiting, &why);
    if (err == CN_ERR_NOT_FOUND) {
        (void)!cn_buf_text(&t->sentence, "routing: not found"); /* nobody else is asked yet */
    } else if (err != CN_OK) {
        say_undialled(t, cn_why_text(&why, err));
    }
    if (err != CN_OK) {
        cn_network_task_end(n, task, err);
    }
}

static void connect_give_up(cn_network_task *task, cn_network *n)
{
    cn_connect_task *t = (cn_connect_task *)task;
    cn_host_connect_cancel(cn_network_host(n), t->waiting);
}

void cn_connect_task_init(cn_connect_task *t, cn_mem *mem, const cn_peer_id *peer)
{
    *t = (cn_connect_task){.task = {.run = connect_run, .give_up = connect_give_up}, .peer = *peer};
    cn_buf_init(&t->sentence, mem, SENTENCE_MAX_BYTES);
}

cn_err cn_call_connect(cn_call *call, cn_network *n, cn_connect_task *t)
{
    cn_err err = cn_call_run_task(call, n, &t->task);
    if (err != CN_OK && t->sentence.len == 0) {
        const char *why = err == CN_ERR_TIMEOUT     ? "context deadline exceeded"
                          : err == CN_ERR_CANCELLED ? "context canceled"
                                                    : cn_err_sentence(err);
        (void)!cn_buf_text(&t->sentence, why);
    }
    return err;
}
