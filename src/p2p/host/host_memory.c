/*
 * The last resort where memory is short: the connection that holds most is closed, one at a time,
 * so that all others go on. Newcomers are turned away before that (host_conns.c), and each kind of
 * thing that is held has a bound of its own long before.
 */
#include "p2p/host/host_internal.h"

enum {
    SHORT_SHARE = 16,           /* less than this part of the memory is free */
    RELIEF_MS = 100,            /* between two */
    HELD_MIN_BYTES = 128 << 10, /* who holds less is not to blame */
};

static host_conn *heaviest(cn_host *h, size_t *ret_bytes)
{
    size_t position = 0;
    cn_id id = CN_ID_NONE;
    host_conn *most = NULL;
    *ret_bytes = 0;
    for (host_conn *c; (c = cn_slots_next(&h->conns, &position, &id)) != NULL;) {
        cn_conn_info info = {0};
        if (c->is_up && !c->is_gone && c->transport->ops->info(c->transport, c->raw, &info) &&
            info.held_bytes > *ret_bytes) {
            *ret_bytes = info.held_bytes;
            most = c;
        }
    }
    return most;
}

void cn_host_relieve(cn_host *h)
{
    size_t limit = h->mem->limit_bytes;
    size_t held = 0;
    if (limit == 0 || h->mem->used_bytes <= limit - limit / SHORT_SHARE ||
        h->now.ns - h->relieved.ns < RELIEF_MS * CN_NS_PER_MS) {
        return;
    }
    h->relieved = h->now;
    host_conn *c = heaviest(h, &held);
    if (c != NULL && held >= HELD_MIN_BYTES) {
        h->counts.cut_memory++;
        cn_host_conn_close(
            h, c, CN_ERR_TOO_LARGE,
            "the node's memory is nearly used up, and this connection holds most of it");
    }
}
