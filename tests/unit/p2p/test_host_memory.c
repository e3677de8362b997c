/*
 * A host whose memory runs out at the 1st, 2nd, 3rd, ... allocation: making it fails cleanly; one
 * that runs loses a connection or a stream, says so, and gives everything back at its end.
 */
#include "lib/host_world.h"
#include "lib/test.h"

#include "rt_os/rt_os.h"

enum { TURNS = 12, TRIES_MAX = 3000 };

static world w;

static cn_err make(cn_mem *mem)
{
    cn_err err = CN_OK;
    cn_rt *rt = NULL;
    cn_net *net = NULL;
    cn_key *key = NULL;
    cn_host *h = NULL;
    cn_slice text = cn_str("/ip4/198.51.100.7/tcp/4001");
    cn_announce_config announce = {.append = &text, .append_len = 1};
    cn_ip_range filter = {.ip = {10}, .bits = 8};
    cn_host_options o = {.mem = mem, .agent = "x", .filters = &filter, .filters_len = 1};
    CN_TRY(cn_rt_os_new(1, &rt));
    CN_TRY(cn_rt_os_net_new(rt, mem, 8, &net, NULL));
    CN_TRY(cn_key_generate(mem, CN_KEY_ED25519, 0, &key, NULL));
    o.net = net;
    o.key = key;
    CN_TRY(cn_host_new(&o, &h, NULL));
    CN_TRY(cn_host_set_announce(h, &announce, NULL));
    CN_TRY(cn_host_peering_add(h, &(cn_peer_id){.len = 2, .bytes = {0, 0}}, NULL, 0));
out:
    cn_host_free(h);
    cn_key_free(key);
    cn_rt_os_net_free(net);
    cn_rt_os_free(rt);
    return err;
}

static void making_one_fails_cleanly(void)
{
    test_out_of_memory(make);
}

static void some_turns(void)
{
    for (int i = 0; i < TURNS; i++) {
        world_turn(&w);
    }
}

/* Dial, speak, ping, push, end: whatever fails on the way. */
static void live(size_t victim)
{
    world_host *a = &w.hosts[0];
    cn_slice at = world_address(&w, 1);
    cn_slice text = cn_str("/ip4/198.51.100.7/udp/4001");
    cn_announce_config announce = {.append = &text, .append_len = 1};
    cn_id id = CN_ID_NONE;
    w.hosts[1].proto.echoes = true;
    (void)!cn_host_peering_add(w.hosts[victim].h, &w.hosts[2].id, &at, 1);
    (void)!world_dial(&w, 0, 1);
    some_turns();
    if (cn_host_stream(a->h, &a->proto.p, &w.hosts[1].id, world_names, 2, &id) == CN_OK) {
        cn_buf b = {0};
        cn_buf_init(&b, cn_mem_default(), 16);
        CHECK_OK(cn_buf_text(&b, "hello"));
        (void)!cn_host_write(a->h, id, &b);
        cn_buf_release(&b);
    }
    (void)!cn_host_ping(a->h, &w.hosts[1].id, CN_NS_PER_S, world_pinged, a, &id);
    (void)!cn_host_set_announce(w.hosts[victim].h, &announce, NULL);
    some_turns();
    cn_host_tick(w.hosts[victim].h, cn_time_after(cn_rt_now(w.rt), 15 * CN_NS_PER_S));
    some_turns();
    (void)cn_host_disconnect(a->h, &w.hosts[1].id);
    some_turns();
}

/* world_end checks that nothing was left behind. */
static void run_with_failures(size_t victim)
{
    bool is_used = true;
    int n = 0;
    for (n = 1; is_used && n < TRIES_MAX; n++) {
        world_begin(&w, 3, true, NULL);
        w.is_hasty = true;
        w.hosts[victim].mem.fail_after = n;
        live(victim);
        is_used = w.hosts[victim].mem.fail_after <= 0;
        w.hosts[victim].mem.fail_after = 0;
        CHECK(is_used || w.hosts[0].pings == 1); /* the last, undisturbed, did all there is to do */
        CHECK(is_used || w.hosts[1 - victim].proto.identified >= 2);
        world_end(&w);
    }
    CHECK(n > 50);
    CHECK(!is_used);
}

static void a_dialler_lives_through_it(void)
{
    run_with_failures(0);
}

static void who_is_dialled_lives_through_it(void)
{
    run_with_failures(1);
}

int main(void)
{
    TEST(making_one_fails_cleanly);
    TEST(a_dialler_lives_through_it);
    TEST(who_is_dialled_lives_through_it);
    return test_end();
}
