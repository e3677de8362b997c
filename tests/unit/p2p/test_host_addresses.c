/*
 * Where a host says it is: unspecified addresses become those of the interfaces, the config adds
 * and takes away, and a peer hears what is for its scope.
 */
#include "lib/host_world.h"
#include "lib/test.h"

static world w;
static cn_net_ops net_ops;

static cn_err three_interfaces(cn_net *n, cn_endpoint *ret, size_t max, size_t *ret_len)
{
    CN_UNUSED(n);
    CHECK(max >= 4);
    ret[0] = (cn_endpoint){.ip = {127, 0, 0, 1}};
    ret[1] = (cn_endpoint){.ip = {10, 1, 2, 3}};
    ret[2] = (cn_endpoint){.ip = {203, 0, 113, 5}};
    ret[3] = (cn_endpoint){.ip = {0xfe, 0x80}, .is_ip6 = true, .zone = 2};
    *ret_len = 4;
    return CN_OK;
}

static void begin(void)
{
    world_begin(&w, 2, true, NULL);
    net_ops = *w.net->ops;
    net_ops.interfaces = three_interfaces;
    w.net->ops = &net_ops;
}

static void listen_everywhere(void)
{
    cn_buf at = {0};
    cn_buf_init(&at, cn_mem_default(), 64);
    CHECK_OK(cn_multiaddr_parse(cn_str("/ip4/0.0.0.0/udp/9"), &at, NULL));
    CHECK_OK(cn_host_listen(w.hosts[0].h, cn_buf_slice(&at), NULL));
    cn_buf_release(&at);
}

static void check_addresses(bool listen_only, const char *expected)
{
    cn_buf text = {0};
    const char *got = "";
    cn_buf_init(&text, cn_mem_default(), 4096);
    CHECK_OK(cn_host_addresses(w.hosts[0].h, &text, listen_only));
    CHECK_OK(cn_buf_cstr(&text, &got));
    CHECK_STR(got, expected);
    cn_buf_release(&text);
}

static void unspecified_becomes_the_interfaces(void)
{
    begin();
    listen_everywhere();
    check_addresses(
        true, "/ip4/127.0.0.1/udp/1\n/ip4/127.0.0.1/udp/9\n/ip4/10.1.2.3/udp/9\n"
              "/ip4/203.0.113.5/udp/9\n");
    world_end(&w);
}

static void the_config_adds_and_takes_away(void)
{
    begin();
    listen_everywhere();
    cn_slice append = cn_str("/dns4/node.example/tcp/4001");
    cn_slice never[2] = {cn_str("/ip4/10.0.0.0/ipcidr/8"), cn_str("/ip4/127.0.0.1/udp/1")};
    cn_announce_config c = {.append = &append, .append_len = 1, .never = never, .never_len = 2};
    CHECK_OK(cn_host_set_announce(w.hosts[0].h, &c, NULL));
    check_addresses(
        false, "/ip4/127.0.0.1/udp/9\n/ip4/203.0.113.5/udp/9\n/dns4/node.example/tcp/4001\n");
    cn_slice bad = cn_str("/ip4/nowhere");
    cn_why why = {{0}};
    CHECK(
        cn_host_set_announce(
            w.hosts[0].h, &(cn_announce_config){.append = &bad, .append_len = 1}, &why) != CN_OK);
    CHECK(strstr(why.text, "/ip4/nowhere") != NULL);
    /* The old ones stay. */
    check_addresses(
        false, "/ip4/127.0.0.1/udp/9\n/ip4/203.0.113.5/udp/9\n/dns4/node.example/tcp/4001\n");
    cn_slice only = cn_str("/ip4/198.51.100.1/tcp/4001");
    CHECK_OK(cn_host_set_announce(
        w.hosts[0].h, &(cn_announce_config){.announce = &only, .announce_len = 1}, NULL));
    check_addresses(false, "/ip4/198.51.100.1/tcp/4001\n");
    world_end(&w);
}

static void a_peer_on_this_machine_hears_them_all(void)
{
    begin();
    listen_everywhere();
    world_join(&w, 1, 0);
    cn_host_peer peer = {0};
    CHECK(cn_host_peer_of(w.hosts[1].h, &w.hosts[0].id, &peer));
    CHECK_EQ(peer.addresses_len, 4);
    world_end(&w);
}

static void no_transport_no_listening(void)
{
    begin();
    cn_buf at = {0};
    cn_buf_init(&at, cn_mem_default(), 64);
    CHECK_OK(cn_multiaddr_parse(cn_str("/ip4/127.0.0.1/tcp/0"), &at, NULL));
    CHECK_ERR(cn_host_listen(w.hosts[0].h, cn_buf_slice(&at), NULL), CN_ERR_UNSUPPORTED);
    cn_buf_release(&at);
    world_end(&w);
}

int main(void)
{
    TEST(unspecified_becomes_the_interfaces);
    TEST(the_config_adds_and_takes_away);
    TEST(a_peer_on_this_machine_hears_them_all);
    TEST(no_transport_no_listening);
    return test_end();
}
