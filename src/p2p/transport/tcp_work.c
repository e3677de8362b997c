/*
 * Work that the other side makes: small frames, streams opened, questions with nothing behind them.
 * Each connection has an account that fills by the second up to one second's worth, never above its
 * share of what all may make; while it is overdrawn the socket is not read: a peer that only
 * says too much too fast is slowed down by the window of TCP. One that has not left half of its
 * account in peace for 20 s means no good and is cut off.
 *
 * Bytes are no work here: whoever moves blocks is bounded by turns (CN_TCP_TURN_BYTES) alone.
 */
#include "p2p/transport/tcp_internal.h"

enum { WORK_PER_S = 20000, WORK_TOTAL_PER_S = 100000, WORN_S = 20 };

static int64_t rate_of(const tcp *t)
{
    size_t one = t->options.work_per_s == 0 ? WORK_PER_S : t->options.work_per_s;
    size_t all = t->options.work_total_per_s == 0 ? WORK_TOTAL_PER_S : t->options.work_total_per_s;
    return (int64_t)CN_MAX(CN_MIN(one, all / CN_MAX(t->ups, (size_t)1)), (size_t)1);
}

bool cn_tcp_work_is_much(const tcp *t, const tcp_conn *c)
{
    return c->work_left < rate_of(t) / 2;
}

void cn_tcp_work_begin(tcp *t, tcp_conn *c, cn_time now)
{
    t->ups++;
    c->work_at = now;
    c->work_left = rate_of(t);
}

static void bring_up_to_date(const tcp *t, tcp_conn *c, cn_time now)
{
    int64_t rate = rate_of(t);
    int64_t passed_ns = CN_MIN(now.ns - c->work_at.ns, CN_NS_PER_S);
    int64_t more = passed_ns * rate / CN_NS_PER_S;
    uint64_t seen = cn_muxer_work(c->muxer);
    if (more > 0) {
        c->work_at = now;
        c->work_left = CN_MIN(c->work_left + more, rate);
    }
    c->work_left -= (int64_t)(seen - c->work_seen);
    c->work_seen = seen;
    c->is_wearing = c->is_wearing && cn_tcp_work_is_much(t, c);
}

static void rest(tcp *t, tcp_conn *c, cn_time now)
{
    /* until a tenth of a second's worth is there again, so that it does not come in drops */
    int64_t owed_s_1024 = -c->work_left * 1024 / rate_of(t);
    int64_t rest_ns = CN_NS_PER_S / 10 + owed_s_1024 * (CN_NS_PER_S / 1024);
    c->is_resting = true;
    c->rest_until = cn_time_after(now, CN_MIN(rest_ns, CN_NS_PER_S));
    cn_net_pause(t->options.net, c->sock, true);
    cn_tcp_note_deadline(t, c);
}

cn_err cn_tcp_work_check(tcp *t, tcp_conn *c, cn_time now, bool *ret_allowed)
{
    *ret_allowed = false;
    if (c->is_resting) {
        return CN_OK;
    }
    bring_up_to_date(t, c, now);
    if (c->work_left > 0) {
        *ret_allowed = true;
        return CN_OK;
    }
    c->worn_since = c->is_wearing ? c->worn_since : now;
    c->is_wearing = true;
    if (now.ns - c->worn_since.ns >= WORN_S * CN_NS_PER_S) {
        return cn_why_set(
            &c->why, CN_ERR_TOO_LARGE,
            "the peer has asked for more work than is allowed (%lld small things a second) for %d "
            "s",
            (long long)rate_of(t), WORN_S);
    }
    rest(t, c, now);
    return CN_OK;
}

void cn_tcp_work_resume(tcp *t, tcp_conn *c)
{
    c->is_resting = false;
    cn_net_pause(t->options.net, c->sock, false);
    cn_tcp_ready(t, c);
}

void cn_tcp_charge(cn_transport *transport, cn_id conn, size_t work)
{
    tcp *t = (tcp *)transport;
    tcp_conn *c = cn_slots_get(&t->conns, conn);
    if (c != NULL && c->phase == TCP_UP) {
        c->work_left -= (int64_t)CN_MIN(work, (size_t)INT32_MAX);
    }
}
