/*
 * The composition: made from a repo's configuration, giving back all it took however far it came;
 * two of them on one thread meet, ping and part.
 */
#include "lib/test.h"
#include "node/init.h"
#include "node/network.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"

#include <stdio.h>

enum { TURNS_MAX = 2000 };

static cn_rt *rt;
static char folder[256];

/* A repo of the profile `test`, opened. */
static cn_node *open_node(const char *name)
{
    char path[512];
    cn_key *key = NULL;
    cn_peer_id id = {0};
    cn_identity who = {0};
    cn_node *node = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &key, NULL));
    CHECK_OK(cn_peer_id_of_key(key, &id));
    CHECK_OK(cn_identity_of(&id, &who));
    const cn_init_options made = {
        .rt = rt,
        .mem = cn_mem_default(),
        .repo_path = path,
        .profiles = "test",
        .peer_id = who.peer_id,
        .key = key,
        .command = "test"};
    const cn_node_options opened = {.rt = rt, .repo_path = path, .command = "test"};
    CHECK_OK(cn_init_repo(&made, NULL));
    CHECK_OK(cn_node_open(&opened, &node, NULL));
    cn_key_free(key);
    return node;
}

typedef struct place {
    cn_node *node;
    cn_net *net;
    cn_network *network;
} place;

static void take(void *ctx, const cn_net_event *event)
{
    cn_network_take(((place *)ctx)->network, event);
}

static void open_place(place *p, const char *name)
{
    cn_network_options o = {.agent = "cairn/test"};
    cn_why why = {{0}};
    p->node = open_node(name);
    CHECK_OK(cn_rt_os_net_new(rt, cn_mem_default(), 64, &p->net, NULL));
    o.node = p->node;
    o.net = p->net;
    CHECK_OK(cn_network_new(&o, &p->network, &why));
    CHECK_STR(why.text, "");
}

static void close_place(place *p)
{
    cn_network_end(p->network);
    cn_network_end(p->network);
    cn_network_free(p->network);
    cn_rt_os_net_free(p->net);
    CHECK_OK(cn_node_close(p->node, NULL));
}

static void turn(place *p)
{
    cn_time soon = cn_time_after(cn_rt_now(rt), 5 * CN_NS_PER_MS);
    CHECK_OK(cn_rt_os_net_poll(p->net, soon, take, p));
    cn_network_turn(p->network, cn_rt_now(rt));
}

static void note_result(void *ctx, const cn_peer_id *peer, cn_err err, const char *sentence)
{
    CN_UNUSED(peer);
    CHECK_OK(err);
    CHECK(sentence == NULL || err == CN_OK);
    *(bool *)ctx = true;
}

static void note_pong(void *ctx, cn_err err, int64_t rtt_ns, const char *sentence)
{
    CN_UNUSED(sentence);
    CHECK_OK(err);
    CHECK(rtt_ns > 0);
    *(bool *)ctx = true;
}

static void two_meet(void)
{
    place a = {0};
    place b = {0};
    cn_buf text;
    cn_buf address;
    cn_slice at = {0};
    bool met = false;
    bool ponged = false;
    cn_id waiting = CN_ID_NONE;
    (void)snprintf(folder, sizeof folder, "%s", test_temp_dir());
    open_place(&a, "a");
    open_place(&b, "b");
    cn_host *h = cn_network_host(a.network);
    const cn_peer_id *peer = cn_host_self(cn_network_host(b.network));
    cn_buf_init(&text, cn_mem_default(), 4096);
    cn_buf_init(&address, cn_mem_default(), 1024);
    CHECK_OK(cn_host_addresses(cn_network_host(b.network), &text, true));
    CHECK_OK(cn_multiaddr_parse(
        cn_slice_head(cn_buf_slice(&text), cn_slice_find(cn_buf_slice(&text), '\n')), &address,
        NULL));
    at = cn_buf_slice(&address);
    CHECK_OK(cn_host_connect(h, peer, &at, 1, 10 * CN_NS_PER_S, note_result, &met, &waiting, NULL));
    for (int i = 0; i < TURNS_MAX && !met; i++) {
        turn(&a);
        turn(&b);
    }
    CHECK(met && cn_host_is_connected(h, peer));
    CHECK_OK(cn_host_ping(h, peer, 10 * CN_NS_PER_S, note_pong, &ponged, &waiting));
    for (int i = 0; i < TURNS_MAX && !ponged; i++) {
        turn(&a);
        turn(&b);
    }
    CHECK(ponged);
    CHECK(cn_network_fetcher(a.network) != NULL && cn_network_bitswap(a.network) != NULL);
    CHECK(cn_network_deadline(a.network).ns != CN_TIME_NEVER.ns);
    close_place(&a);
    close_place(&b);
    cn_buf_release(&text);
    cn_buf_release(&address);
}

static place made; /* its network is made again and again */

static cn_err make(cn_mem *mem)
{
    cn_network *network = NULL;
    const cn_network_options o = {
        .node = made.node, .net = made.net, .mem = mem, .agent = "cairn/test"};
    cn_err err = cn_network_new(&o, &network, NULL);
    cn_network_free(network); /* without its end: what cannot be saved then is no error */
    return err;
}

static void out_of_memory_is_told(void)
{
    (void)snprintf(folder, sizeof folder, "%s", test_temp_dir());
    made.node = open_node("c");
    CHECK_OK(cn_rt_os_net_new(rt, cn_mem_default(), 64, &made.net, NULL));
    test_out_of_memory(make);
    cn_rt_os_net_free(made.net);
    CHECK_OK(cn_node_close(made.node, NULL));
}

int main(void)
{
    CHECK_OK(cn_rt_os_new(0, &rt));
    TEST(two_meet);
    TEST(out_of_memory_is_told);
    cn_rt_os_free(rt);
    return test_end();
}
