/*
 * Where we are: listeners, the interfaces behind unspecified addresses (asked anew once a minute),
 * what others see of us, and what the config says about telling it.
 */
#include "p2p/host/host_internal.h"

enum { IPS_S = 60, OWN_BYTES = 64 };

static const uint8_t ZERO[16];

cn_err cn_host_listen(cn_host *h, cn_slice address, cn_why *why)
{
    cn_err err = CN_ERR_UNSUPPORTED;
    cn_buf bound = {0};
    host_listener l = {0};
    if (h->listeners_len == HOST_LISTEN_MAX) {
        return cn_why_set(why, CN_ERR_TOO_LARGE, "as many listen addresses as are allowed");
    }
    cn_buf_init(&bound, h->mem, CN_MULTIADDR_MAX_BYTES);
    for (size_t i = 0; i < h->transports_len; i++) {
        l.transport = h->transports[i];
        if (l.transport->ops->handles(l.transport, address)) {
            err = l.transport->ops->listen(l.transport, address, &l.id, &bound, why);
            break;
        }
    }
    if (err == CN_OK) {
        l.bound = bound.data;
        l.len = bound.len;
        h->listeners[h->listeners_len++] = l;
        cn_host_identify_changed(h);
        return CN_OK;
    }
    cn_buf_release(&bound);
    return err;
}

/* The interfaces, asked anew when a minute has passed. */
static void refresh_ips(cn_host *h)
{
    if (h->ips_until.ns > h->now.ns) {
        return;
    }
    size_t len = 0;
    if (cn_net_interfaces(h->options.net, h->ips, HOST_IPS_MAX, &len) == CN_OK) {
        h->ips_len = len;
    }
    h->ips_until = cn_time_after(h->now, IPS_S * CN_NS_PER_S);
}

static bool is_known(const cn_slice *all, size_t len, cn_slice one)
{
    for (size_t i = 0; i < len; i++) {
        if (cn_slice_eq(all[i], one)) {
            return true;
        }
    }
    return false;
}

/* `rest` behind an interface's address, put into the host's room for it. */
static bool put_own(cn_host *h, const cn_endpoint *ip, cn_slice rest, cn_slice *ret)
{
    size_t before = h->own.len;
    cn_slice value = cn_slice_of(ip->ip, ip->is_ip6 ? 16 : 4);
    cn_err err = cn_multiaddr_put(&h->own, ip->is_ip6 ? CN_MA_IP6 : CN_MA_IP4, value);
    err = err == CN_OK ? cn_buf_append(&h->own, rest) : err;
    *ret = cn_slice_of(h->own.data + before, h->own.len - before);
    return err == CN_OK;
}

static size_t
add_interfaces(cn_host *h, const cn_multiaddr_part *ip, cn_slice rest, cn_slice *ret, size_t max)
{
    size_t len = 0;
    refresh_ips(h);
    for (size_t i = 0; i < h->ips_len && len < max; i++) {
        const cn_endpoint *e = &h->ips[i];
        bool is_same = e->is_ip6 == (ip->value.len == 16);
        len += is_same && e->zone == 0 && put_own(h, e, rest, &ret[len]) ? 1 : 0;
    }
    return len;
}

size_t cn_host_own(cn_host *h, bool listen_only, cn_slice *ret, size_t max)
{
    size_t len = 0;
    cn_buf_reset(&h->own);
    /* All at once: what was lent must not move. */
    if (cn_buf_reserve(&h->own, (size_t)HOST_LISTEN_MAX * OWN_BYTES) != CN_OK) {
        return 0;
    }
    h->own.max = h->own.cap;
    for (size_t i = 0; i < h->listeners_len && len < max; i++) {
        cn_slice bound = cn_slice_of(h->listeners[i].bound, h->listeners[i].len);
        cn_cur cur = {bound};
        cn_multiaddr_part part = {0};
        bool is_ip =
            cn_multiaddr_next(&cur, &part) && (part.code == CN_MA_IP4 || part.code == CN_MA_IP6);
        if (is_ip && cn_slice_eq(part.value, cn_slice_of(ZERO, part.value.len))) {
            len += add_interfaces(h, &part, cur.rest, ret + len, max - len);
        } else {
            ret[len++] = bound;
        }
    }
    if (!listen_only) {
        cn_slice seen[HOST_LISTEN_MAX];
        size_t seen_len = cn_observed_list(&h->observed, h->now, seen, CN_LEN(seen));
        for (size_t i = 0; i < seen_len && len < max; i++) {
            if (!is_known(ret, len, seen[i])) {
                ret[len++] = seen[i];
            }
        }
    }
    return len;
}

cn_err cn_host_addresses(cn_host *h, cn_buf *texts_out, bool listen_only)
{
    cn_err err = CN_OK;
    cn_slice own[HOST_LISTEN_MAX * 2];
    cn_slice told[HOST_LISTEN_MAX * 4];
    size_t len = cn_host_own(h, listen_only, own, CN_LEN(own));
    const cn_slice *all = own;
    if (!listen_only) {
        len = cn_announce_list(&h->announce, own, len, told, CN_LEN(told));
        all = told;
    }
    for (size_t i = 0; i < len; i++) {
        CN_TRY(cn_multiaddr_encode_text(all[i], texts_out));
        CN_TRY(cn_buf_byte(texts_out, '\n'));
    }
out:
    return err;
}

cn_err cn_host_set_announce(cn_host *h, const cn_announce_config *config, cn_why *why)
{
    cn_announce fresh = {0};
    cn_err err = cn_announce_init(&fresh, h->mem, config, why);
    if (err != CN_OK) {
        cn_announce_release(&fresh);
        return err;
    }
    cn_announce_release(&h->announce);
    h->announce = fresh;
    cn_host_identify_changed(h);
    return CN_OK;
}

void cn_host_addresses_free(cn_host *h)
{
    for (size_t i = 0; i < h->listeners_len; i++) {
        host_listener *l = &h->listeners[i];
        l->transport->ops->unlisten(l->transport, l->id);
        cn_free(h->mem, l->bound);
    }
    cn_buf_release(&h->own);
}
