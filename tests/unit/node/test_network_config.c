/*
 * What the configuration says about the network: defaults, values, and sentences that name the key.
 */
#include "lib/test.h"
#include "node/network_config.h"

#define ID "12D3KooWGC6TvWhfagpX6wvJHjMRTXGKKDFsv2cCAcAtmaQiYwZx"
#define OTHER "QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN"

static cn_config *config; /* texts of what was read are borrowed from it */

static cn_err read_text(cn_mem *mem, const char *text, cn_network_config *ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_config_free(config);
    config = NULL;
    CN_TRY(cn_config_parse(cn_mem_default(), cn_str(text), &config, why));
    err = cn_network_config_read(config, mem, ret, why);
out:
    return err;
}

static void says(const char *text, cn_err expected, const char *sentence)
{
    cn_network_config c = {0};
    cn_why why = {{0}};
    CHECK_ERR(read_text(cn_mem_default(), text, &c, &why), expected);
    CHECK_STR(why.text, sentence);
    cn_network_config_release(&c);
}

static void an_empty_one_has_defaults(void)
{
    cn_network_config c = {0};
    CHECK_OK(read_text(cn_mem_default(), "{}", &c, NULL));
    CHECK_EQ(c.swarm.len, 0);
    CHECK_EQ(c.bootstrap.len, 0);
    CHECK_EQ(c.conns_low, 32);
    CHECK_EQ(c.conns_high, 96);
    CHECK_EQ(c.conns_max, 1024);
    CHECK_EQ(c.grace_ns, 20 * CN_NS_PER_S);
    CHECK_EQ(c.memory_max_bytes, 256 << 20);
    CHECK_EQ(c.securities_len, 2);
    CHECK_EQ(c.securities[0], CN_SECURITY_TLS);
    CHECK_EQ(c.securities[1], CN_SECURITY_NOISE);
    CHECK(c.has_tcp && c.has_bandwidth && c.has_bitswap && c.serves_bitswap);
    cn_network_config_release(&c);
    cn_network_config_release(&c);
}

static void values_are_taken(void)
{
    cn_network_config c = {0};
    CHECK_OK(read_text(
        cn_mem_default(),
        "{\"Addresses\":{\"Swarm\":[\"/ip4/0.0.0.0/tcp/4001\",\"/ip4/0.0.0.0/udp/4001/quic-v1\"],"
        "\"Announce\":[\"a\"],\"AppendAnnounce\":[\"b\",\"c\"],\"NoAnnounce\":[]},"
        "\"Bootstrap\":[\"/ip4/1.2.3.4/tcp/1/p2p/" ID "\",\"/dns4/x.example/tcp/1/ipfs/" ID "\","
        "\"/p2p/" OTHER "\"],"
        "\"Peering\":{\"Peers\":[{\"ID\":\"" ID "\",\"Addrs\":[\"/ip4/9.9.9.9/tcp/2\"]},"
        "{\"ID\":\"" OTHER "\",\"Addrs\":null}]},"
        "\"Swarm\":{\"AddrFilters\":[\"/ip4/10.0.0.0/ipcidr/8\"],\"DisableBandwidthMetrics\":true,"
        "\"ConnMgr\":{\"LowWater\":600,\"HighWater\":900,\"GracePeriod\":\"1m\"},"
        "\"ResourceMgr\":{\"MaxMemory\":\"64MiB\",\"Allowlist\":[\"/ip4/1.2.3.4/ipcidr/32\",\"/ip6/"
        "::1\","
        "\"/ip4/1.2.3.4/p2p/" OTHER "\",\"/ip4/1.2.0.0/ipcidr/16/p2p/" OTHER "\"]},"
        "\"Transports\":{\"Network\":{\"TCP\":false},\"Security\":{\"TLS\":300}}},"
        "\"Bitswap\":{\"Libp2pEnabled\":false,\"ServerEnabled\":false}}",
        &c, NULL));
    CHECK_EQ(c.swarm.len, 2);
    CHECK_EQ(c.announce.len, 1);
    CHECK_EQ(c.append.len, 2);
    CHECK_EQ(c.conceal.len, 0);
    CHECK_EQ(c.bootstrap.len, 2);
    CHECK_EQ(c.bootstrap.items[0].addresses.len, 2);
    CHECK_EQ(c.bootstrap.items[1].addresses.len, 0);
    CHECK_EQ(c.peering.len, 2);
    CHECK_EQ(c.peering.items[0].addresses.len, 1);
    CHECK_EQ(c.filters.len, 1);
    CHECK_EQ(c.filters.items[0].bits, 8);
    CHECK_EQ(c.allowed.len, 4);
    CHECK_EQ(c.conns_low, 600);
    CHECK_EQ(c.conns_high, 900);
    CHECK_EQ(c.conns_max, 1800);
    CHECK_EQ(c.grace_ns, 60 * CN_NS_PER_S);
    CHECK_EQ(c.memory_max_bytes, 64 << 20);
    CHECK_EQ(c.securities[0], CN_SECURITY_NOISE);
    CHECK(!c.has_tcp && !c.has_bandwidth && !c.has_bitswap && !c.serves_bitswap);
    cn_network_config_release(&c);
}

static void no_manager_no_trimming(void)
{
    cn_network_config c = {0};
    CHECK_OK(read_text(
        cn_mem_default(),
        "{\"Swarm\":{\"ConnMgr\":{\"Type\":\"none\",\"LowWater\":5},"
        "\"Transports\":{\"Security\":{\"TLS\":false}}}}",
        &c, NULL));
    CHECK_EQ(c.conns_low, 0);
    CHECK_EQ(c.conns_high, 0);
    CHECK_EQ(c.securities_len, 1);
    CHECK_EQ(c.securities[0], CN_SECURITY_NOISE);
    cn_network_config_release(&c);
}

static void auto_stands_for_the_public_peers(void)
{
    cn_network_config c = {0};
    CHECK_OK(read_text(cn_mem_default(), "{\"Bootstrap\":[\"auto\"]}", &c, NULL));
    CHECK_EQ(c.bootstrap.len, 6);
    CHECK_EQ(c.bootstrap.items[5].addresses.len, 2);
    cn_network_config_release(&c);
    says(
        "{\"Bootstrap\":[\"auto\"],\"AutoConf\":{\"Enabled\":false}}", CN_ERR_USAGE,
        "Bootstrap[0] is \"auto\" although AutoConf.Enabled is false: name the peers, or remove "
        "it");
}

static void what_is_wrong_is_named(void)
{
    says(
        "{\"Addresses\":{\"Swarm\":[\"/ip4/1.2.3.4/tcp/1\",\"foo\"]}}", CN_ERR_MALFORMED,
        "Addresses.Swarm[1]: failed to parse multiaddr \"foo\": must begin with /");
    says(
        "{\"Bootstrap\":[\"/ip4/1.2.3.4/tcp/1\"]}", CN_ERR_MALFORMED,
        "Bootstrap[0]: no /p2p/<peer id> at the end of /ip4/1.2.3.4/tcp/1");
    says(
        "{\"Swarm\":{\"AddrFilters\":[\"x\"]}}", CN_ERR_MALFORMED,
        "Swarm.AddrFilters[0]: incorrectly formatted address filter in config: x");
    says(
        "{\"Peering\":{\"Peers\":[{\"ID\":\"" ID "\",\"Addrs\":[\"x\"]}]}}", CN_ERR_MALFORMED,
        "Peering.Peers[0].Addrs[0]: failed to parse multiaddr \"x\": must begin with /");
    says(
        "{\"Swarm\":{\"ConnMgr\":{\"LowWater\":97}}}", CN_ERR_USAGE,
        "Swarm.ConnMgr.LowWater (97) is above HighWater (96)");
    says(
        "{\"Swarm\":{\"ConnMgr\":{\"LowWater\":-1}}}", CN_ERR_USAGE,
        "Swarm.ConnMgr.LowWater must not be below 0");
    says(
        "{\"Swarm\":{\"ConnMgr\":{\"Type\":\"x\"}}}", CN_ERR_USAGE,
        "Swarm.ConnMgr.Type is neither \"basic\" nor \"none\"");
    says(
        "{\"Swarm\":{\"Transports\":{\"Security\":{\"TLS\":false,\"Noise\":false}}}}", CN_ERR_USAGE,
        "Swarm.Transports.Security: TLS and Noise are both off, and one is needed");
    says(
        "{\"Swarm\":{\"Transports\":{\"Multiplexers\":{\"Yamux\":false}}}}", CN_ERR_USAGE,
        "Swarm.Transports.Multiplexers.Yamux is off, and there is no other multiplexer");
}

static void lists_are_bounded(void)
{
    cn_address_list list = {0};
    cn_known_peers peers = {0};
    cn_peer_id id = {0};
    CHECK_OK(cn_peer_id_parse(cn_str(ID), &id, NULL));
    for (int i = 0; i < CN_NETWORK_ADDRESSES_MAX; i++) {
        CHECK_OK(cn_address_list_add(cn_mem_default(), &list, cn_str("x")));
    }
    CHECK_ERR(cn_address_list_add(cn_mem_default(), &list, cn_str("x")), CN_ERR_TOO_LARGE);
    CHECK_OK(cn_known_peers_add(cn_mem_default(), &peers, &id, cn_str("a")));
    CHECK_OK(cn_known_peers_add(cn_mem_default(), &peers, &id, cn_str("a")));
    CHECK_OK(cn_known_peers_add(cn_mem_default(), &peers, &id, cn_str("b")));
    CHECK_EQ(peers.len, 1);
    CHECK_EQ(peers.items[0].addresses.len, 2);
    cn_known_peers_remove(cn_mem_default(), &peers, 0);
    CHECK_EQ(cn_known_peers_find(&peers, &id), 0);
    CHECK_EQ(peers.len, 0);
    cn_known_peers_release(cn_mem_default(), &peers);
    cn_address_list_release(cn_mem_default(), &list);
}

static cn_err read_all(cn_mem *mem)
{
    cn_network_config c = {0};
    cn_err err = cn_network_config_read(config, mem, &c, NULL);
    cn_network_config_release(&c);
    return err;
}

static void out_of_memory_is_told(void)
{
    cn_config_free(config);
    config = NULL;
    CHECK_OK(cn_config_parse(
        cn_mem_default(),
        cn_str("{\"Addresses\":{\"Swarm\":[\"/ip4/0.0.0.0/tcp/4001\"],\"Announce\":[\"a\"]},"
               "\"Bootstrap\":[\"/ip4/1.2.3.4/tcp/1/p2p/" ID "\"],"
               "\"Swarm\":{\"AddrFilters\":[\"/ip4/10.0.0.0/ipcidr/8\"]}}"),
        &config, NULL));
    test_out_of_memory(read_all);
}

int main(void)
{
    TEST(an_empty_one_has_defaults);
    TEST(values_are_taken);
    TEST(no_manager_no_trimming);
    TEST(auto_stands_for_the_public_peers);
    TEST(what_is_wrong_is_named);
    TEST(lists_are_bounded);
    TEST(out_of_memory_is_told);
    cn_config_free(config);
    return test_end();
}
