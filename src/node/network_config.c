/*
 * Reading the network's part of the configuration. Types have been checked when it was loaded;
 * what is wrong here are addresses, ids and values that do not go together.
 */
#include "node/network_config.h"

#include <stdio.h>

enum { KEY_MAX_BYTES = 128, TEXT_SHOWN_MAX = 200 };

/* What people begin with, as Kubo 0.43 has them when its list cannot be fetched. */
const char *const cn_network_bootstrap[] = {
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmQCU2EcMqAqQPR2i9bChDtGNJchTbq5TbXJJ16u19uLTa",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmbLHAnMoJPWSCR5Zhtx6BHJX9KiKNN6tpvbUcqanj75Nb",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmcZf59bWwK5XFi76CZX8cbJ4BhTzzA3gU1ZjYZcYW3dwt",
    "/dnsaddr/va1.bootstrap.libp2p.io/p2p/12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8",
    "/ip4/104.131.131.82/tcp/4001/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ",
    "/ip4/104.131.131.82/udp/4001/quic-v1/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ",
    NULL,
};

typedef struct reader {
    const cn_config *config;
    cn_network_config *c;
    cn_buf address; /* binary, of the text read last */
    cn_why *why;
} reader;

static cn_err parse_address(reader *r, const char *key, size_t i, cn_slice text)
{
    cn_buf_reset(&r->address);
    cn_err err = cn_multiaddr_parse(text, &r->address, r->why);
    return err == CN_OK ? err : cn_why_wrap(r->why, err, "%s[%zu]: ", key, i);
}

static cn_err read_addresses(reader *r, const char *key, cn_address_list *ret)
{
    cn_slice text = {0};
    cn_err err = CN_OK;
    for (size_t i = 0; cn_config_strings(r->config, key, i, &text); i++) {
        CN_TRY(parse_address(r, key, i, text));
        CN_TRY(cn_address_list_add(r->c->mem, ret, cn_buf_slice(&r->address)));
    }
out:
    return err;
}

static cn_err add_range(reader *r, cn_range_list *to, const cn_ip_range *range)
{
    cn_err err = cn_array_grow(
        r->c->mem, (void **)&to->items, &to->cap, to->len, CN_NETWORK_ADDRESSES_MAX,
        sizeof *to->items);
    if (err == CN_OK) {
        to->items[to->len++] = *range;
    }
    return err;
}

/*
 * "/ip4/1.2.3.4/p2p/<id>" without its end. Who calls is known only after the limits were asked, so
 * an address is allowed for all or for none.
 */
static cn_slice without_peer(cn_slice text)
{
    static const char mark[] = "/p2p/";
    for (size_t i = 0; i + sizeof mark - 1 <= text.len; i++) {
        cn_peer_id id = {0};
        if (cn_slice_starts(cn_slice_skip(text, i), cn_str(mark))) {
            cn_slice end = cn_slice_skip(text, i + sizeof mark - 1);
            return cn_peer_id_parse(end, &id, NULL) == CN_OK ? cn_slice_head(text, i) : text;
        }
    }
    return text;
}

/* Of the allow-list: a range, or one address ("/ip4/1.2.3.4"); with a peer id or without. */
static cn_err parse_allowed(reader *r, cn_slice text, cn_ip_range *ret)
{
    cn_slice at = without_peer(text);
    cn_slice ip = {0};
    cn_err err = cn_ip_range_parse(at, ret, NULL);
    if (err != CN_ERR_MALFORMED) {
        return err;
    }
    cn_buf_reset(&r->address);
    CN_TRY(cn_multiaddr_parse(at, &r->address, NULL));
    ip = cn_multiaddr_ip(cn_buf_slice(&r->address));
    if (ip.len != 4 && ip.len != sizeof ret->ip) {
        return CN_ERR_MALFORMED;
    }
    *ret = (cn_ip_range){.bits = (uint8_t)(8 * ip.len), .is_ip6 = ip.len != 4};
    cn_copy(ret->ip, ip.data, ip.len);
out:
    return err;
}

static cn_err read_ranges(reader *r, const char *key, bool is_allowlist, cn_range_list *ret)
{
    cn_slice text = {0};
    cn_ip_range range = {0};
    cn_err err = CN_OK;
    for (size_t i = 0; cn_config_strings(r->config, key, i, &text); i++) {
        err = is_allowlist ? parse_allowed(r, text, &range) : cn_ip_range_parse(text, &range, NULL);
        if (err != CN_OK) {
            return cn_why_set(
                r->why, err, "%s[%zu]: incorrectly formatted address filter in config: %.*s", key,
                i, (int)CN_MIN(text.len, (size_t)TEXT_SHOWN_MAX), (const char *)text.data);
        }
        CN_TRY(add_range(r, ret, &range));
    }
out:
    return err;
}

static cn_err read_texts(reader *r, const char *key, cn_text_list *ret)
{
    cn_slice text = {0};
    cn_err err = CN_OK;
    for (size_t i = 0; cn_config_strings(r->config, key, i, &text); i++) {
        CN_TRY(cn_array_grow(
            r->c->mem, (void **)&ret->items, &ret->cap, ret->len, CN_NETWORK_ADDRESSES_MAX,
            sizeof *ret->items));
        ret->items[ret->len++] = text;
    }
out:
    return err;
}

/* One address with a peer id at its end. */
static cn_err add_bootstrap(reader *r, size_t i, cn_slice text)
{
    cn_slice address = {0};
    cn_peer_id id = {0};
    cn_err err = parse_address(r, "Bootstrap", i, text);
    if (err != CN_OK) {
        return err;
    }
    cn_multiaddr_split_peer(cn_buf_slice(&r->address), &address, &id);
    if (id.len == 0) {
        return cn_why_set(
            r->why, CN_ERR_MALFORMED, "Bootstrap[%zu]: no /p2p/<peer id> at the end of %.*s", i,
            (int)CN_MIN(text.len, (size_t)TEXT_SHOWN_MAX), (const char *)text.data);
    }
    return cn_known_peers_add(r->c->mem, &r->c->bootstrap, &id, address);
}

static cn_err read_bootstrap(reader *r)
{
    cn_slice text = {0};
    cn_err err = CN_OK;
    for (size_t i = 0; cn_config_strings(r->config, "Bootstrap", i, &text); i++) {
        if (!cn_slice_is(text, "auto")) {
            CN_TRY(add_bootstrap(r, i, text));
            continue;
        }
        if (!cn_config_bool(r->config, "AutoConf.Enabled", true)) {
            return cn_why_set(
                r->why, CN_ERR_USAGE,
                "Bootstrap[%zu] is \"auto\" although AutoConf.Enabled is false: name the peers, or "
                "remove it",
                i);
        }
        for (const char *const *p = cn_network_bootstrap; *p != NULL; p++) {
            CN_TRY(add_bootstrap(r, i, cn_str(*p)));
        }
    }
out:
    return err;
}

static cn_err read_peering(reader *r)
{
    const cn_json *peers = cn_config_get(r->config, "Peering.Peers");
    size_t i = 0;
    cn_err err = CN_OK;
    for (const cn_json *p = peers == NULL ? NULL : peers->first; p != NULL; p = p->next, i++) {
        const cn_json *id_text = cn_json_get_fold(p, cn_str("ID"));
        const cn_json *addresses = cn_json_get_fold(p, cn_str("Addrs"));
        char key[KEY_MAX_BYTES];
        cn_peer_id id = {0};
        size_t k = 0;
        err = cn_peer_id_parse(id_text == NULL ? (cn_slice){0} : id_text->text, &id, r->why);
        if (err != CN_OK) {
            return cn_why_wrap(r->why, err, "Peering.Peers[%zu].ID: ", i);
        }
        (void)snprintf(key, sizeof key, "Peering.Peers[%zu].Addrs", i);
        CN_TRY(cn_known_peers_add(r->c->mem, &r->c->peering, &id, (cn_slice){0}));
        for (const cn_json *a = addresses == NULL ? NULL : addresses->first; a != NULL;
             a = a->next, k++) {
            cn_slice address = {0};
            cn_peer_id said = {0};
            CN_TRY(parse_address(r, key, k, a->text));
            cn_multiaddr_split_peer(cn_buf_slice(&r->address), &address, &said);
            CN_TRY(cn_known_peers_add(r->c->mem, &r->c->peering, &id, address));
        }
    }
out:
    return err;
}

/* An integer that may be absent and must not be negative. */
static cn_err read_count(reader *r, const char *key, size_t fallback, size_t *ret)
{
    int64_t value = cn_config_i64(r->config, key, (int64_t)fallback);
    if (value < 0) {
        return cn_why_set(r->why, CN_ERR_USAGE, "%s must not be below 0", key);
    }
    *ret = (size_t)value;
    return CN_OK;
}

static cn_err read_limits(reader *r)
{
    cn_network_config *c = r->c;
    cn_slice type = cn_config_string(r->config, "Swarm.ConnMgr.Type", "basic");
    uint64_t memory_bytes = CN_NETWORK_MEMORY_BYTES;
    bool has_limits = cn_config_bool(r->config, "Swarm.ResourceMgr.Enabled", true);
    cn_err err = CN_OK;
    if (cn_slice_is(type, "basic") || type.len == 0) {
        CN_TRY(read_count(r, "Swarm.ConnMgr.LowWater", CN_NETWORK_CONNS_LOW, &c->conns_low));
        CN_TRY(read_count(r, "Swarm.ConnMgr.HighWater", CN_NETWORK_CONNS_HIGH, &c->conns_high));
    } else if (!cn_slice_is(type, "none")) {
        return cn_why_set(
            r->why, CN_ERR_USAGE, "Swarm.ConnMgr.Type is neither \"basic\" nor \"none\"");
    }
    if (c->conns_low > c->conns_high) {
        return cn_why_set(
            r->why, CN_ERR_USAGE, "Swarm.ConnMgr.LowWater (%zu) is above HighWater (%zu)",
            c->conns_low, c->conns_high);
    }
    CN_TRY(cn_config_duration(
        r->config, "Swarm.ConnMgr.GracePeriod", CN_NETWORK_GRACE_S * CN_NS_PER_S, &c->grace_ns,
        r->why));
    if (has_limits) {
        CN_TRY(cn_config_bytes(
            r->config, "Swarm.ResourceMgr.MaxMemory", memory_bytes, &memory_bytes, r->why));
        CN_TRY(read_count(
            r, "Swarm.ResourceMgr.MaxFileDescriptors", CN_NETWORK_CONNS_MAX, &c->conns_max));
    }
    memory_bytes = memory_bytes == 0 ? CN_NETWORK_MEMORY_BYTES : memory_bytes; /* not said */
    c->memory_max_bytes = (size_t)CN_MIN(memory_bytes, (uint64_t)SIZE_MAX / 2);
    c->conns_max =
        CN_MAX(c->conns_max == 0 ? (size_t)CN_NETWORK_CONNS_MAX : c->conns_max, (size_t)8);
    if (c->conns_high > c->conns_max / 2 && c->conns_max == CN_NETWORK_CONNS_MAX) {
        c->conns_max = 2 * c->conns_high;
    }
    CN_TRY(read_ranges(r, "Swarm.ResourceMgr.Allowlist", true, &c->allowed));
out:
    return err;
}

/* A priority: false gives 0, absent the fallback. */
static int64_t priority(const reader *r, const char *key, int64_t fallback)
{
    const cn_json *value = cn_config_get(r->config, key);
    if (value != NULL && value->kind == CN_JSON_BOOL) {
        return 0;
    }
    return cn_config_i64(r->config, key, fallback);
}

static cn_err read_transports(reader *r)
{
    cn_network_config *c = r->c;
    int64_t tls = priority(r, "Swarm.Transports.Security.TLS", 100);
    int64_t noise = priority(r, "Swarm.Transports.Security.Noise", 200);
    c->has_tcp = cn_config_bool(r->config, "Swarm.Transports.Network.TCP", true);
    if (tls > 0) {
        c->securities[c->securities_len++] = CN_SECURITY_TLS;
    }
    if (noise > 0) {
        c->securities[c->securities_len++] = CN_SECURITY_NOISE;
    }
    if (tls > 0 && noise > 0 && noise < tls) {
        c->securities[0] = CN_SECURITY_NOISE;
        c->securities[1] = CN_SECURITY_TLS;
    }
    if (c->securities_len == 0) {
        return cn_why_set(
            r->why, CN_ERR_USAGE,
            "Swarm.Transports.Security: TLS and Noise are both off, and one is needed");
    }
    if (priority(r, "Swarm.Transports.Multiplexers.Yamux", 100) <= 0) {
        return cn_why_set(
            r->why, CN_ERR_USAGE,
            "Swarm.Transports.Multiplexers.Yamux is off, and there is no other multiplexer");
    }
    return CN_OK;
}

cn_err
cn_network_config_read(const cn_config *config, cn_mem *mem, cn_network_config *ret, cn_why *why)
{
    reader r = {.config = config, .c = ret, .why = why};
    cn_err err = CN_OK;
    *ret = (cn_network_config){.mem = mem};
    cn_buf_init(&r.address, mem, CN_MULTIADDR_MAX_BYTES);
    CN_TRY(read_addresses(&r, "Addresses.Swarm", &ret->swarm));
    CN_TRY(read_texts(&r, "Addresses.Announce", &ret->announce));
    CN_TRY(read_texts(&r, "Addresses.AppendAnnounce", &ret->append));
    CN_TRY(read_texts(&r, "Addresses.NoAnnounce", &ret->conceal));
    CN_TRY(read_ranges(&r, "Swarm.AddrFilters", false, &ret->filters));
    CN_TRY(read_bootstrap(&r));
    CN_TRY(read_peering(&r));
    CN_TRY(read_limits(&r));
    CN_TRY(read_transports(&r));
    ret->has_bandwidth = !cn_config_bool(config, "Swarm.DisableBandwidthMetrics", false);
    ret->has_bitswap = cn_config_bool(config, "Bitswap.Libp2pEnabled", true);
    ret->serves_bitswap = cn_config_bool(config, "Bitswap.ServerEnabled", true);
out:
    cn_buf_release(&r.address);
    return err;
}

void cn_network_config_release(cn_network_config *c)
{
    if (c->mem == NULL) {
        return;
    }
    cn_address_list_release(c->mem, &c->swarm);
    cn_free(c->mem, c->announce.items);
    cn_free(c->mem, c->append.items);
    cn_free(c->mem, c->conceal.items);
    cn_free(c->mem, c->filters.items);
    cn_free(c->mem, c->allowed.items);
    cn_known_peers_release(c->mem, &c->bootstrap);
    cn_known_peers_release(c->mem, &c->peering);
    *c = (cn_network_config){0};
}
