/*
 * What is said to people who wait: the loop writes it, since it knows whom the exchange asked.
 */
#include "exchange/fetch/fetch_internal.h"

enum { ASKED_MAX = 20 };

static const int64_t patience_ns = CN_NS_PER_S;

static const char *phase(const cn_fetch *f, size_t asked)
{
    if (f->has_query) {
        return "looking for peers that have it";
    }
    return asked > 0 ? "asking peers" : "waiting for a peer to ask";
}

static cn_err put_peer(const cn_exchange_asked *a, cn_buf *out)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_text(out, "  "));
    CN_TRY(cn_peer_id_encode_text(&a->peer, 0, out));
    CN_TRY(cn_buf_printf(out, ": %s", a->answer));
    if (a->blocks > 0) {
        CN_TRY(cn_buf_printf(
            out, " (%llu blocks, %llu bytes came from it before)", (unsigned long long)a->blocks,
            (unsigned long long)a->block_bytes));
    }
    CN_TRY(cn_buf_text(out, "\n"));
out:
    return err;
}

cn_err cn_fetch_report_write(cn_fetch *f, const cn_cid *cid, int64_t waited_ns, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_exchange *x = f->fetcher->options.exchange;
    cn_exchange_asked asked[ASKED_MAX];
    char text[CN_CID_TEXT_BYTES];
    size_t len = f->has_session ? x->ops->asked(x, f->session, cid, asked, ASKED_MAX) : 0;
    CN_TRY(cn_buf_printf(
        out, "waiting %lld s for block %s: %s\n", (long long)(waited_ns / CN_NS_PER_S),
        cn_cid_text(cid, text), phase(f, len)));
    for (size_t i = 0; i < len; i++) {
        CN_TRY(put_peer(&asked[i], out));
    }
    if (len == 0) {
        CN_TRY(cn_buf_text(out, "  no connected peer could be asked\n"));
    }
    if (f->fetcher->options.router == NULL) {
        CN_TRY(cn_buf_text(out, "  only connected peers are asked: there is no routing\n"));
    } else {
        CN_TRY(cn_buf_printf(
            out, "  providers were looked for %u times, %u found\n", f->searches, f->providers));
    }
out:
    return err;
}

void cn_fetch_report_fill(cn_fetch *f, cn_time now)
{
    cn_buf text = {0};
    cn_buf_init(&text, f->options.mem, 64 << 10);
    cn_lock_take(f->hub->lock);
    bool is_waiting = f->has_awaited;
    cn_cid cid = f->awaited;
    int64_t waited_ns = now.ns - f->awaited_since.ns;
    cn_lock_give(f->hub->lock);
    cn_err err = is_waiting ? cn_fetch_report_write(f, &cid, waited_ns, &text)
                            : cn_buf_text(&text, "not waiting for any block\n");
    cn_lock_take(f->hub->lock);
    if (f->report != NULL) { /* whoever asked may have given up */
        f->report_err = err == CN_OK ? cn_buf_append(f->report, cn_buf_slice(&text)) : err;
        f->is_reported = true;
        cn_cond_wake_all(f->cond);
    }
    cn_lock_give(f->hub->lock);
    cn_buf_release(&text);
}

cn_err cn_fetch_report(cn_fetch *f, cn_buf *out)
{
    cn_time until = cn_time_after(cn_rt_now(f->rt), patience_ns);
    cn_lock_take(f->hub->lock);
    cn_err err = f->fetcher == NULL ? CN_ERR_CLOSED : CN_OK;
    if (err == CN_OK) {
        f->report = out;
        f->is_reported = false;
        cn_fetch_dirty(f);
        cn_net_wake(f->net);
    }
    while (err == CN_OK && !f->is_reported) {
        int64_t left = until.ns - cn_rt_now(f->rt).ns;
        if (left <= 0) {
            err = CN_ERR_TIMEOUT;
        } else if (f->fetcher == NULL) {
            err = CN_ERR_CLOSED;
        } else {
            cn_cond_wait(f->cond, f->hub->lock, left);
        }
    }
    f->report = NULL;
    err = err == CN_OK ? f->report_err : err;
    cn_lock_give(f->hub->lock);
    return err;
}

cn_err cn_fetch_report_late(cn_fetch *f, cn_buf *out)
{
    cn_lock_take(f->hub->lock);
    cn_err err = cn_buf_append(out, cn_buf_slice(&f->late));
    cn_lock_give(f->hub->lock);
    return err;
}
