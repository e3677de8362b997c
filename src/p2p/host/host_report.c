/*
 * What commands ask: connections, peers, filters, bytes, what is held.
 */
#include "p2p/host/host_internal.h"

bool cn_host_conns(const cn_host *h, size_t *position, cn_host_conn *ret)
{
    cn_id id = CN_ID_NONE;
    const host_conn *c = NULL;
    cn_conn_info info = {0};
    do {
        c = cn_slots_next(&h->conns, position, &id);
        if (c == NULL) {
            return false;
        }
    } while (!c->is_up || c->is_gone || !c->transport->ops->info(c->transport, c->raw, &info));
    *ret = (cn_host_conn){.info = info, .id = c->id, .streams_len = c->streams_len};
    return true;
}

const char *cn_host_conn_stream(const cn_host *h, cn_id conn, size_t number)
{
    const host_conn *c = cn_slots_get(&h->conns, conn);
    const host_stream *s = c == NULL ? NULL : c->streams;
    while (s != NULL && number > 0) {
        s = s->next;
        number--;
    }
    return s == NULL ? NULL : s->name == UINT32_MAX ? "" : h->names[s->name].text;
}

static void describe(const cn_book_peer *known, cn_host_peer *ret)
{
    *ret = (cn_host_peer){
        .id = known->id,
        .public_key = known->public_key,
        .addresses = known->addresses,
        .addresses_len = known->addresses_len,
        .protocols = known->protocols,
        .protocols_len = known->protocols_len,
        .agent = known->agent,
        .protocol_version = known->protocol_version,
    };
}

bool cn_host_peer_of(const cn_host *h, const cn_peer_id *peer, cn_host_peer *ret)
{
    cn_book_peer known = {0};
    if (!cn_book_find(h->book, peer, h->now, &known)) {
        return false;
    }
    describe(&known, ret);
    return true;
}

bool cn_host_peers(const cn_host *h, size_t *position, cn_host_peer *ret)
{
    cn_book_peer known = {0};
    do {
        if (!cn_book_next(h->book, position, &known)) {
            return false;
        }
    } while (known.addresses_len == 0);
    describe(&known, ret);
    return true;
}

int cn_host_speaks(const cn_host *h, const cn_peer_id *peer, const char *name)
{
    const host_peer *p = cn_host_peer_find(h, peer);
    int told = cn_book_speaks(h->book, peer, cn_str(name));
    /* What it did not speak last time it may have learnt since: wait for what it tells now. */
    bool is_old = p != NULL && p->conns_len > 0 && p->known != HOST_KNOWN;
    return told == 0 && is_old ? -1 : told;
}

cn_err cn_host_learn(
    cn_host *h,
    const cn_peer_id *peer,
    const cn_slice *addresses,
    size_t addresses_len,
    int64_t ttl_ns)
{
    bool is_given = ttl_ns == CN_BOOK_TTL_PERMANENT_NS;
    cn_book_terms terms = {is_given ? CN_BOOK_GIVEN : CN_BOOK_HEARSAY, ttl_ns};
    return cn_book_learn(h->book, peer, addresses, addresses_len, &terms, h->now);
}

/* --- filters --- */

static size_t find_filter(const cn_host *h, const cn_ip_range *range)
{
    size_t i = 0;
    while (i < h->filters_len &&
           !(h->filters[i].bits == range->bits && h->filters[i].is_ip6 == range->is_ip6 &&
             cn_slice_eq(
                 cn_slice_of(h->filters[i].ip, sizeof(range->ip)),
                 cn_slice_of(range->ip, sizeof(range->ip))))) {
        i++;
    }
    return i;
}

static void lend_filters(cn_host *h)
{
    h->gate.limits.deny = h->filters;
    h->gate.limits.deny_len = h->filters_len;
}

cn_err cn_host_filter_add(cn_host *h, const cn_ip_range *range)
{
    cn_err err = CN_OK;
    if (find_filter(h, range) < h->filters_len) {
        return CN_OK;
    }
    CN_TRY(cn_array_grow(
        h->mem, (void **)&h->filters, &h->filters_cap, h->filters_len, HOST_FILTERS_MAX,
        sizeof(*h->filters)));
    h->filters[h->filters_len++] = *range;
    lend_filters(h);
out:
    return err;
}

bool cn_host_filter_remove(cn_host *h, const cn_ip_range *range)
{
    size_t i = find_filter(h, range);
    if (i == h->filters_len) {
        return false;
    }
    h->filters_len--;
    cn_move(&h->filters[i], &h->filters[i + 1], (h->filters_len - i) * sizeof(*h->filters));
    lend_filters(h);
    return true;
}

const cn_ip_range *cn_host_filters(const cn_host *h, size_t *ret_len)
{
    *ret_len = h->filters_len;
    return h->filters;
}

/* --- bytes --- */

static void read_meter(cn_meter *m, cn_time now, cn_host_bandwidth *ret)
{
    cn_meter_step(m, now);
    *ret = (cn_host_bandwidth){m->in_bytes, m->out_bytes, m->in_rate, m->out_rate};
}

void cn_host_bandwidth_total(cn_host *h, cn_host_bandwidth *ret)
{
    read_meter(&h->meter, h->now, ret);
}

void cn_host_bandwidth_protocol(cn_host *h, cn_slice name, cn_host_bandwidth *ret)
{
    *ret = (cn_host_bandwidth){0};
    for (size_t i = 0; i < h->names_len; i++) {
        if (cn_slice_is(name, h->names[i].text)) {
            read_meter(&h->names[i].meter, h->now, ret);
        }
    }
}

void cn_host_bandwidth_peer(cn_host *h, const cn_peer_id *id, cn_host_bandwidth *ret)
{
    host_peer *peer = cn_host_peer_find(h, id);
    *ret = (cn_host_bandwidth){0};
    if (peer != NULL) {
        read_meter(&peer->meter, h->now, ret);
    }
}

/* --- what is held --- */

void cn_host_resources_of(const cn_host *h, cn_host_resources *ret)
{
    *ret = (cn_host_resources){
        .memory_bytes = h->mem->used_bytes,
        .memory_max_bytes = h->mem->limit_bytes,
        .conns = h->gate.total,
        .conns_max = h->options.conns_max,
        .conns_up = h->conns_up,
        .conns_in = h->gate.inbound,
        .conns_pending = h->gate.pending,
        .dialling = h->attempts_running,
        .dialling_max = h->options.dials_max,
        .streams = h->streams.len,
        .streams_max = h->options.streams_max,
        .peers = h->peers.len,
        .book_peers = cn_book_len(h->book),
        .book_bytes = cn_book_bytes(h->book),
        .counts = h->counts,
    };
}

bool cn_host_protocols(const cn_host *h, size_t *position, cn_host_protocol_use *ret)
{
    if (*position >= h->names_len) {
        return false;
    }
    const host_name *n = &h->names[(*position)++];
    *ret = (cn_host_protocol_use){n->text, n->streams_in, n->streams_out};
    return true;
}

bool cn_host_served(const cn_host *h, size_t *position, const char **ret)
{
    size_t at = *position;
    for (size_t i = 0; i < h->protocols_len; i++) {
        const cn_protocol *p = h->protocols[i].p;
        if (at < p->names_len) {
            *ret = p->names[at];
            (*position)++;
            return true;
        }
        at -= p->names_len;
    }
    return false;
}
