/*
 * Addresses with a name in front become addresses that can be dialled: /dns4, /dns6 and /dns by IP
 * addresses, /dnsaddr by TXT strings "dnsaddr=MULTIADDR", which may hold names again. Levels and
 * questions of one dial are bounded, and what names another peer than the one wanted is left out.
 * spec: multiformats/multiaddr 'dnsaddr'
 */
#include "p2p/host/host_internal.h"

enum { ANSWERS_MAX = 64, NAME_MAX_BYTES = 300 };

bool cn_host_is_name(cn_slice address)
{
    cn_cur cur = {address};
    cn_multiaddr_part part = {0};
    return cn_multiaddr_next(&cur, &part) &&
           (part.code == CN_MA_DNS || part.code == CN_MA_DNS4 || part.code == CN_MA_DNS6 ||
            part.code == CN_MA_DNSADDR);
}

static cn_net_query kind_of(uint32_t code)
{
    return code == CN_MA_DNS4   ? CN_NET_QUERY_IP4
           : code == CN_MA_DNS6 ? CN_NET_QUERY_IP6
           : code == CN_MA_DNS  ? CN_NET_QUERY_IP
                                : CN_NET_QUERY_TXT;
}

static cn_err resolve(cn_host *h, const cn_multiaddr_part *part, cn_id *ret)
{
    cn_err err = CN_OK;
    cn_buf name = {0};
    const char *text = NULL;
    cn_net *net = h->options.net;
    if (net->ops->resolve == NULL) {
        return CN_ERR_UNSUPPORTED;
    }
    cn_buf_init(&name, h->mem, NAME_MAX_BYTES);
    CN_TRY(cn_buf_text(&name, part->code == CN_MA_DNSADDR ? "_dnsaddr." : ""));
    CN_TRY(cn_buf_append(&name, part->value));
    CN_TRY(cn_buf_cstr(&name, &text));
    CN_TRY(cn_net_resolve(net, kind_of(part->code), text, 0, ret));
out:
    cn_buf_release(&name);
    return err;
}

static bool was_asked(const host_dial *d, cn_slice address)
{
    for (size_t i = 0; i < d->queries_len; i++) {
        if (cn_slice_eq(cn_slice_of(d->queries[i].address, d->queries[i].len), address)) {
            return true;
        }
    }
    return false;
}

static cn_err ask(cn_host *h, host_dial *d, cn_slice address, uint8_t depth)
{
    cn_err err = CN_OK;
    cn_cur cur = {address};
    cn_multiaddr_part part = {0};
    host_query q = {.depth = depth, .len = address.len};
    if (depth >= HOST_NAME_DEPTH_MAX) {
        return CN_ERR_TOO_DEEP;
    }
    (void)cn_multiaddr_next(&cur, &part);
    CN_TRY(cn_array_grow(
        h->mem, (void **)&d->queries, &d->queries_cap, d->queries_len, HOST_QUERIES_MAX,
        sizeof(*d->queries)));
    q.address = cn_alloc_dirty(h->mem, address.len);
    if (q.address == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_copy(q.address, address.data, address.len);
    CN_TRY(resolve(h, &part, &q.id));
    d->queries[d->queries_len++] = q;
    d->queries_open++;
    q.address = NULL;
out:
    cn_free(h->mem, q.address);
    return err;
}

void cn_host_names_ask(cn_host *h, host_dial *d, cn_slice address, uint8_t depth)
{
    if (was_asked(d, address)) {
        return;
    }
    cn_err err = ask(h, d, address, depth);
    if (err != CN_OK) {
        d->err = err;
        cn_host_dial_report(
            d, address,
            err == CN_ERR_TOO_DEEP    ? "not resolved: names lead to names too often"
            : err == CN_ERR_TOO_LARGE ? "not resolved: too many names in one dial"
                                      : cn_err_sentence(err));
    }
}

/* One TXT string's address, appended to `out`; false: none, or not of the peer wanted. */
static bool read_text(const host_dial *d, cn_slice text, cn_slice rest, cn_buf *out)
{
    static const char prefix[] = "dnsaddr=";
    cn_buf whole = {0};
    cn_slice address = {0};
    cn_peer_id peer = {0};
    bool is_good = false;
    if (!cn_slice_starts(text, cn_str(prefix))) {
        return false;
    }
    cn_buf_init(&whole, out->mem, CN_MULTIADDR_MAX_BYTES);
    if (cn_multiaddr_parse(cn_slice_skip(text, sizeof(prefix) - 1), &whole, NULL) == CN_OK) {
        cn_multiaddr_split_peer(cn_buf_slice(&whole), &address, &peer);
        bool is_peer = peer.len == 0 || cn_peer_id_eq(&peer, &d->peer->id);
        bool is_end = address.len >= rest.len &&
                      cn_slice_eq(cn_slice_skip(address, address.len - rest.len), rest);
        is_good = is_peer && is_end && address.len > 0 && cn_buf_append(out, address) == CN_OK;
    }
    cn_buf_release(&whole);
    return is_good;
}

/* The address with an IP where the name was. */
static bool with_ip(const cn_endpoint *ip, cn_slice rest, cn_buf *out)
{
    cn_slice value = cn_slice_of(ip->ip, ip->is_ip6 ? 16 : 4);
    return cn_multiaddr_put(out, ip->is_ip6 ? CN_MA_IP6 : CN_MA_IP4, value) == CN_OK &&
           cn_buf_append(out, rest) == CN_OK;
}

static void take_answers(cn_host *h, host_dial *d, const host_query *q, const cn_net_event *event)
{
    cn_buf bytes = {0};
    size_t ends[ANSWERS_MAX];
    cn_slice plain[ANSWERS_MAX];
    size_t len = 0;
    size_t plain_len = 0;
    cn_cur cur = {cn_slice_of(q->address, q->len)};
    cn_multiaddr_part part = {0};
    uint8_t depth = q->depth;
    (void)cn_multiaddr_next(&cur, &part);
    cn_buf_init(&bytes, h->mem, ANSWERS_MAX * (size_t)CN_MULTIADDR_MAX_BYTES);
    for (size_t i = 0; i < event->answers_len && len < ANSWERS_MAX; i++) {
        size_t before = bytes.len;
        bool is_good = part.code == CN_MA_DNSADDR ? read_text(d, event->texts[i], cur.rest, &bytes)
                                                  : with_ip(&event->ips[i], cur.rest, &bytes);
        bytes.len = is_good ? bytes.len : before;
        ends[len] = bytes.len;
        len += is_good ? 1 : 0;
    }
    for (size_t i = 0; i < len; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        cn_slice address = cn_slice_of(bytes.data + start, ends[i] - start);
        if (cn_host_is_name(address)) {
            cn_host_names_ask(h, d, address, (uint8_t)(depth + 1));
        } else {
            plain[plain_len++] = address;
        }
    }
    if (len == 0) {
        cn_host_dial_report(
            d, cn_slice_of(q->address, q->len), "the name has no address of this peer");
    } else if (cn_host_dial_plan(h, d, plain, NULL, plain_len) != CN_OK) {
        d->err = CN_ERR_NO_MEMORY;
    }
    cn_buf_release(&bytes);
}

bool cn_host_names_take(cn_host *h, const cn_net_event *event)
{
    for (host_dial *d = h->dials; d != NULL; d = d->next) {
        for (size_t i = 0; i < d->queries_len; i++) {
            if (cn_id_is_none(d->queries[i].id) || !cn_id_eq(d->queries[i].id, event->sock)) {
                continue;
            }
            host_query q = d->queries[i]; /* the array may move */
            d->queries[i].id = CN_ID_NONE;
            d->queries_open--;
            h->dial_deadline = h->now;
            if (event->err == CN_OK) {
                take_answers(h, d, &q, event);
            } else {
                d->err = event->err;
                cn_host_dial_report(
                    d, cn_slice_of(q.address, q.len),
                    event->sentence == NULL ? cn_err_sentence(event->err) : event->sentence);
            }
            return true;
        }
    }
    return false;
}

void cn_host_names_free(cn_host *h, host_dial *d)
{
    for (size_t i = 0; i < d->queries_len; i++) {
        if (!cn_id_is_none(d->queries[i].id)) {
            cn_net_close(h->options.net, d->queries[i].id);
        }
        cn_free(h->mem, d->queries[i].address);
    }
    cn_free(h->mem, d->queries);
}
