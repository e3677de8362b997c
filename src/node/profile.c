/*
 * Profiles as a table of changes: a dotted key, what to do with it, a value in JSON.
 */
#include "node/profile.h"

#include "node/schema.h"

#include <stdio.h>

typedef enum change_kind {
    SET,
    SET_IF_NULL,
    ADD,         /* those of the list that are not there yet */
    TAKE_OUT,    /* those of the list */
    RANDOM_PORT, /* Addresses.Swarm */
} change_kind;

typedef struct change {
    const char *profile; /* NULL: as the row before */
    change_kind kind;
    const char *key;
    const char *json;
} change;

#define SERVER_FILTERS                                                                             \
    "[\"/ip4/10.0.0.0/ipcidr/8\",\"/ip4/100.64.0.0/ipcidr/10\",\"/ip4/127.0.0.0/ipcidr/8\","       \
    "\"/ip4/169.254.0.0/ipcidr/16\",\"/ip4/172.16.0.0/ipcidr/12\",\"/ip4/192.0.0.0/ipcidr/24\","   \
    "\"/ip4/192.0.2.0/ipcidr/24\",\"/ip4/192.168.0.0/ipcidr/16\",\"/ip4/198.18.0.0/ipcidr/15\","   \
    "\"/ip4/198.51.100.0/ipcidr/24\",\"/ip4/203.0.113.0/ipcidr/24\",\"/ip4/240.0.0.0/ipcidr/4\","  \
    "\"/ip6/::/ipcidr/3\",\"/ip6/::1/ipcidr/128\",\"/ip6/100::/ipcidr/64\","                       \
    "\"/ip6/2001:2::/ipcidr/48\",\"/ip6/2001:db8::/ipcidr/32\",\"/ip6/fc00::/ipcidr/7\","          \
    "\"/ip6/fe80::/ipcidr/10\"]"

#define ADDRESSES                                                                                  \
    "{\"Swarm\":[\"/ip4/0.0.0.0/tcp/4001\",\"/ip6/::/tcp/4001\","                                  \
    "\"/ip4/0.0.0.0/udp/4001/webrtc-direct\",\"/ip4/0.0.0.0/udp/4001/quic-v1\","                   \
    "\"/ip4/0.0.0.0/udp/4001/quic-v1/webtransport\",\"/ip6/::/udp/4001/webrtc-direct\","           \
    "\"/ip6/::/udp/4001/quic-v1\",\"/ip6/::/udp/4001/quic-v1/webtransport\"],\"Announce\":[],"     \
    "\"AppendAnnounce\":[],\"NoAnnounce\":[],\"API\":\"/ip4/127.0.0.1/tcp/5001\","                 \
    "\"Gateway\":\"/ip4/127.0.0.1/tcp/8080\"}"

#define FLATFS                                                                                     \
    "\"type\":\"flatfs\",\"path\":\"blocks\",\"sync\":false,"                                      \
    "\"shardFunc\":\"/repo/flatfs/shard/v1/next-to-last/2\""
#define LEVELDB "\"type\":\"levelds\",\"path\":\"datastore\",\"compression\":\"none\""
#define PEBBLE "\"type\":\"pebbleds\",\"path\":\"pebbleds\",\"formatMajorVersion\":24"
#define BADGER "\"type\":\"badgerds\",\"path\":\"badgerds\",\"syncWrites\":false,\"truncate\":true"
#define MEASURE(prefix, child)                                                                     \
    "\"type\":\"measure\",\"prefix\":\"" prefix "\",\"child\":{" child "}"
#define FLATFS_SPEC                                                                                \
    "{\"type\":\"mount\",\"mounts\":[{\"mountpoint\":\"/"                                          \
    "blocks\",\"prefix\":\"flatfs.datastore\"," FLATFS                                             \
    "},{\"mountpoint\":\"/\",\"prefix\":\"leveldb.datastore\"," LEVELDB "}]}"
#define FLATFS_MEASURE_SPEC                                                                        \
    "{\"type\":\"mount\",\"mounts\":[{\"mountpoint\":\"/blocks\"," MEASURE(                        \
        "flatfs.datastore",                                                                        \
        FLATFS) "},{\"mountpoint\":\"/\"," MEASURE("leveldb.datastore", LEVELDB) "}]}"

static const change changes[] = {
    {"server", ADD, "Addresses.NoAnnounce", SERVER_FILTERS},
    {NULL, ADD, "Swarm.AddrFilters", SERVER_FILTERS},
    {NULL, SET, "Discovery.MDNS.Enabled", "false"},
    {NULL, SET, "Swarm.DisableNatPortMap", "true"},
    {"local-discovery", TAKE_OUT, "Addresses.NoAnnounce", SERVER_FILTERS},
    {NULL, TAKE_OUT, "Swarm.AddrFilters", SERVER_FILTERS},
    {NULL, SET, "Discovery.MDNS.Enabled", "true"},
    {NULL, SET, "Swarm.DisableNatPortMap", "false"},
    {"test", SET, "Addresses.API", "\"/ip4/127.0.0.1/tcp/0\""},
    {NULL, SET, "Addresses.Gateway", "\"/ip4/127.0.0.1/tcp/0\""},
    {NULL, SET, "Addresses.Swarm", "[\"/ip4/127.0.0.1/tcp/0\"]"},
    {NULL, SET, "Swarm.DisableNatPortMap", "true"},
    {NULL, SET, "Routing.LoopbackAddressesOnLanDHT", "true"},
    {NULL, SET, "Bootstrap", "[]"},
    {NULL, SET, "Discovery.MDNS.Enabled", "false"},
    {NULL, SET, "AutoTLS.Enabled", "false"},
    {NULL, SET, "AutoConf.Enabled", "false"},
    {NULL, SET, "DNS.Resolvers", "{}"},
    {NULL, SET, "Routing.DelegatedRouters", "[]"},
    {NULL, SET, "Ipns.DelegatedPublishers", "[]"},
    {"default-networking", SET, "Addresses", ADDRESSES},
    {NULL, SET, "Bootstrap", "[\"auto\"]"},
    {NULL, SET, "AutoConf.Enabled", "null"},
    {NULL, SET, "AutoConf.URL", "null"},
    {NULL, SET, "Swarm.DisableNatPortMap", "false"},
    {NULL, SET, "Discovery.MDNS.Enabled", "true"},
    {NULL, SET, "AutoTLS.Enabled", "null"},
    {"default-datastore", SET, "Datastore.Spec", FLATFS_SPEC},
    {"flatfs", SET, "Datastore.Spec", FLATFS_SPEC},
    {"flatfs-measure", SET, "Datastore.Spec", FLATFS_MEASURE_SPEC},
    {"pebbleds", SET, "Datastore.Spec", "{\"prefix\":\"pebble.datastore\"," PEBBLE "}"},
    {"pebbleds-measure", SET, "Datastore.Spec", "{" MEASURE("pebble.datastore", PEBBLE) "}"},
    {"badgerds", SET, "Datastore.Spec", "{\"prefix\":\"badger.datastore\"," BADGER "}"},
    {"badgerds-measure", SET, "Datastore.Spec", "{" MEASURE("badger.datastore", BADGER) "}"},
    {"lowpower", SET, "Routing.Type", "\"autoclient\""},
    {NULL, SET, "AutoNAT.ServiceMode", "\"disabled\""},
    {NULL, SET, "Swarm.RelayService.Enabled", "false"},
    {NULL, SET, "Swarm.ConnMgr.Type", "\"basic\""},
    {NULL, SET, "Swarm.ConnMgr.LowWater", "20"},
    {NULL, SET, "Swarm.ConnMgr.HighWater", "40"},
    {NULL, SET, "Swarm.ConnMgr.GracePeriod", "\"1m0s\""},
    {"announce-off", SET, "Provide.Enabled", "false"},
    {NULL, SET, "Provide.DHT.Interval", "\"0s\""},
    {"announce-on", SET, "Provide.Enabled", "true"},
    {NULL, SET, "Provide.DHT.Interval", "\"22h0m0s\""},
    {"randomports", RANDOM_PORT, "Addresses.Swarm", ""},
    {"unixfs-v0-2015", SET, "Import.CidVersion", "0"},
    {NULL, SET, "Import.UnixFSRawLeaves", "false"},
    {NULL, SET, "Import.UnixFSChunker", "\"size-262144\""},
    {NULL, SET, "Import.HashFunction", "\"sha2-256\""},
    {NULL, SET, "Import.UnixFSFileMaxLinks", "174"},
    {NULL, SET, "Import.UnixFSDirectoryMaxLinks", "0"},
    {NULL, SET, "Import.UnixFSHAMTDirectoryMaxFanout", "256"},
    {NULL, SET, "Import.UnixFSHAMTDirectorySizeThreshold", "\"256KiB\""},
    {NULL, SET, "Import.UnixFSHAMTDirectorySizeEstimation", "\"links\""},
    {NULL, SET, "Import.UnixFSDAGLayout", "\"balanced\""},
    {"unixfs-v1-2025", SET, "Import.CidVersion", "1"},
    {NULL, SET, "Import.UnixFSRawLeaves", "true"},
    {NULL, SET, "Import.UnixFSChunker", "\"size-1048576\""},
    {NULL, SET, "Import.HashFunction", "\"sha2-256\""},
    {NULL, SET, "Import.UnixFSFileMaxLinks", "1024"},
    {NULL, SET, "Import.UnixFSDirectoryMaxLinks", "0"},
    {NULL, SET, "Import.UnixFSHAMTDirectoryMaxFanout", "256"},
    {NULL, SET, "Import.UnixFSHAMTDirectorySizeThreshold", "\"256KiB\""},
    {NULL, SET, "Import.UnixFSHAMTDirectorySizeEstimation", "\"block\""},
    {NULL, SET, "Import.UnixFSDAGLayout", "\"balanced\""},
    {"autoconf-on", SET, "Bootstrap", "[\"auto\"]"},
    {NULL, SET, "DNS.Resolvers", "{\".\":\"auto\"}"},
    {NULL, SET, "Routing.DelegatedRouters", "[\"auto\"]"},
    {NULL, SET, "Ipns.DelegatedPublishers", "[\"auto\"]"},
    {NULL, SET, "AutoConf.Enabled", "true"},
    {NULL, SET_IF_NULL, "AutoConf.URL", "\"https://conf.ipfs-mainnet.org/autoconf.json\""},
    {"autoconf-off", SET, "Bootstrap", "null"},
    {NULL, SET, "DNS.Resolvers", "null"},
    {NULL, SET, "Routing.DelegatedRouters", "null"},
    {NULL, SET, "Ipns.DelegatedPublishers", "null"},
    {NULL, SET, "AutoConf.Enabled", "false"},
};

static const char skeleton_front[] = "{\"Identity\":{\"PeerID\":";
static const char skeleton_rest[] =
    "},\"Datastore\":{\"StorageMax\":\"10GB\",\"StorageGCWatermark\":90,\"GCPeriod\":\"1h\","
    "\"Spec\":" FLATFS_SPEC "},\"Addresses\":" ADDRESSES ",\"Mounts\":{\"IPFS\":\"/ipfs\","
    "\"IPNS\":\"/ipns\",\"MFS\":\"/mfs\"},\"Discovery\":{\"MDNS\":{\"Enabled\":true}},"
    "\"Routing\":{\"DelegatedRouters\":[\"auto\"]},\"Ipns\":{\"ResolveCacheSize\":128,"
    "\"DelegatedPublishers\":[\"auto\"]},\"Bootstrap\":[\"auto\"],\"Gateway\":{\"HTTPHeaders\":{}},"
    "\"API\":{\"HTTPHeaders\":{}},\"DNS\":{\"Resolvers\":{\".\":\"auto\"}},"
    "\"Pinning\":{\"RemoteServices\":{}}}";

static const char *canonical(cn_slice name)
{
    /* unixfs-v0-2015 by its older name */
    return cn_slice_is(name, "legacy-cid-v0") ? "unixfs-v0-2015" : NULL;
}

/* Index of a profile's first row, CN_LEN(changes) if there is none. */
static size_t find(cn_slice name)
{
    const char *other = canonical(name);
    for (size_t i = 0; i < CN_LEN(changes); i++) {
        bool here = changes[i].profile != NULL &&
                    (cn_slice_is(name, changes[i].profile) ||
                     (other != NULL && cn_slice_is(cn_str(other), changes[i].profile)));
        if (here) {
            return i;
        }
    }
    return CN_LEN(changes);
}

bool cn_profile_exists(cn_slice name)
{
    return find(name) < CN_LEN(changes);
}

/* The object that holds a dotted key, made where it is missing, and the key's last part. */
static cn_err
holder_of(cn_json_doc *d, cn_json *root, const char *key, cn_json **ret_holder, cn_slice *ret_last)
{
    cn_slice rest = cn_str(key);
    cn_json *at = root;
    cn_err err = CN_OK;
    for (size_t len = cn_slice_find(rest, '.'); len < rest.len; len = cn_slice_find(rest, '.')) {
        cn_json *next = cn_json_get(at, cn_slice_head(rest, len));
        if (next == NULL || next->kind != CN_JSON_OBJECT) {
            CN_TRY(cn_json_new(d, CN_JSON_OBJECT, &next));
            CN_TRY(cn_json_set(d, at, cn_slice_head(rest, len), next));
        }
        at = next;
        rest = cn_slice_skip(rest, len + 1);
    }
    *ret_holder = at;
    *ret_last = rest;
out:
    return err;
}

static bool list_has(const cn_json *list, cn_slice text)
{
    for (const cn_json *m = list == NULL ? NULL : list->first; m != NULL; m = m->next) {
        if (m->kind == CN_JSON_STRING && cn_slice_eq(m->text, text)) {
            return true;
        }
    }
    return false;
}

/* The old list with those of `extra` added, or without them. No string twice. */
static cn_err
change_list(cn_json_doc *d, const cn_json *old, const cn_json *extra, bool add, cn_json **ret)
{
    cn_json *list = NULL;
    cn_json *copy = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_json_new(d, CN_JSON_ARRAY, &list));
    for (int turn = 0; turn < 2; turn++) {
        const cn_json *from = turn == 0 ? old : add ? extra : NULL;
        for (const cn_json *m = from == NULL ? NULL : from->first; m != NULL; m = m->next) {
            if (!list_has(list, m->text) && (add || !list_has(extra, m->text))) {
                CN_TRY(cn_json_copy(d, m, &copy));
                cn_json_append(list, copy);
            }
        }
    }
    *ret = list;
out:
    return err;
}

static cn_err random_ports(cn_rt *rt, char *json, size_t json_bytes)
{
    enum { LOWEST = 32768, SPAN = 28232 }; /* below it, ports are given out by name */
    uint8_t bytes[2];
    cn_err err = cn_rt_entropy(rt, bytes, sizeof bytes);
    if (err == CN_OK) {
        unsigned port = LOWEST + ((unsigned)bytes[0] << 8 | bytes[1]) % SPAN;
        (void)snprintf(
            json, json_bytes, "[\"/ip4/0.0.0.0/tcp/%u\",\"/ip6/::/tcp/%u\"]", port, port);
    }
    return err;
}

static cn_err apply_one(cn_rt *rt, cn_json_doc *d, cn_json *root, const change *c)
{
    char ports[96];
    const char *json = c->json;
    cn_json *value = NULL;
    cn_json *holder = NULL;
    const cn_json *old = NULL;
    cn_slice last = {0};
    cn_err err = CN_OK;
    if (c->kind == RANDOM_PORT) {
        CN_TRY(random_ports(rt, ports, sizeof ports));
        json = ports;
    }
    CN_TRY(holder_of(d, root, c->key, &holder, &last));
    CN_TRY(cn_json_parse(d, cn_str(json), CN_JSON_WHOLE, &value, NULL));
    old = cn_json_get(holder, last);
    if (c->kind == SET_IF_NULL && old != NULL && old->kind != CN_JSON_NULL) {
        goto out;
    }
    if (c->kind == ADD || c->kind == TAKE_OUT) {
        CN_TRY(change_list(d, old, value, c->kind == ADD, &value));
    }
    CN_TRY(cn_json_set(d, holder, last, value));
out:
    return err;
}

cn_err cn_profile_apply(cn_rt *rt, cn_json_doc *d, cn_json *root, cn_slice name, cn_why *why)
{
    size_t i = find(name);
    if (i == CN_LEN(changes)) {
        return cn_why_set(
            why, CN_ERR_NOT_FOUND, "%.*s is not a profile", (int)CN_MIN(name.len, (size_t)200),
            name.len == 0 ? "" : (const char *)name.data);
    }
    cn_err err = CN_OK;
    do {
        err = apply_one(rt, d, root, &changes[i]);
        i++;
    } while (err == CN_OK && i < CN_LEN(changes) && changes[i].profile == NULL);
    return err;
}

cn_err cn_profile_skeleton(cn_json_doc *d, cn_slice peer_id, cn_json **ret)
{
    cn_buf text;
    cn_json *raw = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&text, d->mem, 16 * 1024);
    CN_TRY(cn_buf_text(&text, skeleton_front));
    CN_TRY(cn_json_dump_string(peer_id, &text));
    CN_TRY(cn_buf_text(&text, skeleton_rest));
    CN_TRY(cn_json_parse(d, cn_buf_slice(&text), CN_JSON_WHOLE, &raw, NULL));
    CN_TRY(cn_schema_shape(d, &cn_schema_config, raw, ret));
out:
    cn_buf_release(&text);
    return err;
}
