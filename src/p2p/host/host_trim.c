/*
 * Connections that are too many go by worth (p2p/host/trim.h decides), and what peers are worth.
 */
#include "p2p/host/host_internal.h"

#include "p2p/host/trim.h"

static cn_trim_conn judged(const cn_host *h, const host_conn *c)
{
    cn_slice any = {0};
    return (cn_trim_conn){
        .is_protected = cn_tags_is_protected(&h->tags, &c->peer->id, any),
        .worth = cn_tags_worth(&h->tags, &c->peer->id),
        .streams = c->streams_len,
        .opened = c->since,
        .idle_since = c->busy,
    };
}

/* Those that stand, and what they are judged by. */
static size_t collect(cn_host *h, host_conn **conns, cn_trim_conn *about)
{
    size_t len = 0;
    size_t position = 0;
    cn_id id = CN_ID_NONE;
    host_conn *c = NULL;
    while ((c = cn_slots_next(&h->conns, &position, &id)) != NULL) {
        if (c->is_up && !c->is_gone) {
            about[len] = judged(h, c);
            conns[len++] = c;
        }
    }
    return len;
}

static void close_chosen(cn_host *h, const cn_trim_policy *policy, size_t max)
{
    host_conn **conns = cn_alloc_array(h->mem, max, sizeof(host_conn *));
    cn_trim_conn *about = cn_alloc_array(h->mem, max, sizeof(*about));
    size_t *order = cn_alloc_array(h->mem, max, sizeof(*order));
    if (conns != NULL && about != NULL && order != NULL) {
        size_t len = collect(h, conns, about);
        size_t count = cn_trim_count(policy, about, len, h->now);
        cn_trim_choose(policy, about, len, h->now, order);
        for (size_t i = 0; i < count; i++) {
            host_conn *c = conns[order[i]];
            h->counts.trimmed++;
            cn_host_note_it(
                h, CN_HOST_NOTE_TRIMMED, &c->peer->id, cn_slice_of(c->remote, c->remote_len),
                "more connections than Swarm.ConnMgr.HighWater");
            cn_host_conn_close(
                h, c, CN_ERR_CLOSED, "trimmed: more connections than Swarm.ConnMgr.HighWater");
        }
    }
    cn_free(h->mem, conns);
    cn_free(h->mem, about);
    cn_free(h->mem, order);
}

void cn_host_trim(cn_host *h)
{
    const cn_host_options *o = &h->options;
    cn_trim_policy policy = {o->conns_low, o->conns_high, o->grace_ns, o->silence_ns};
    h->is_trim_due = false;
    h->trim_at = CN_TIME_NEVER;
    if (policy.high == 0 || h->conns_up <= policy.high) {
        return;
    }
    if (cn_trim_due(&policy, h->conns_up, h->trimmed, h->now)) {
        h->trimmed = h->now;
        close_chosen(h, &policy, h->conns_up);
    }
    h->trim_at = cn_time_after(h->now, CN_MIN(policy.silence_ns, policy.grace_ns) / 2 + 1);
}

cn_err cn_host_protect(cn_host *h, const cn_peer_id *peer, const char *tag)
{
    return cn_tags_protect(&h->tags, peer, cn_str(tag));
}

void cn_host_unprotect(cn_host *h, const cn_peer_id *peer, const char *tag)
{
    (void)cn_tags_unprotect(&h->tags, peer, cn_str(tag));
}

cn_err cn_host_tag(cn_host *h, const cn_peer_id *peer, const char *tag, int worth)
{
    return cn_tags_set(&h->tags, peer, cn_str(tag), worth);
}
