/*
 * Dials: one for many who ask, the wrong peer, nobody there and the back-off after it, names, and
 * giving up.
 */
#include "lib/host_world.h"
#include "lib/test.h"

#include <stdio.h>

static world w;

/* Append a checked address from text. */
static cn_slice address(cn_buf *b, const char *text)
{
    cn_buf_init(b, cn_mem_default(), 512);
    CHECK_OK(cn_multiaddr_parse(cn_str(text), b, NULL));
    return cn_buf_slice(b);
}

static cn_err ask(size_t from, const cn_peer_id *peer, cn_slice at, int64_t timeout_ns, cn_id *ret)
{
    world_host *x = &w.hosts[from];
    return cn_host_connect(
        x->h, peer, &at, at.len == 0 ? 0 : 1, timeout_ns, world_dialled, x, ret, NULL);
}

static void many_ask_and_one_dial_answers(void)
{
    world_begin(&w, 2, true, NULL);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(world_dial(&w, 0, 1));
    }
    CHECK_EQ(w.hosts[0].dialled, 0);
    (void)world_until(&w, &w.hosts[0].dialled, 20);
    CHECK_OK(w.hosts[0].err);
    CHECK_EQ(w.pipes.dials, 1);
    /* Where it was met is known at once, before identify tells. */
    cn_host_peer met = {0};
    CHECK(cn_host_peer_of(w.hosts[0].h, &w.hosts[1].id, &met));
    CHECK_EQ(met.addresses_len, 1);
    /* Connected: nothing is dialled, and the answer still does not come within the call. */
    CHECK_OK(world_dial(&w, 0, 1));
    CHECK_EQ(w.hosts[0].dialled, 20);
    (void)world_until(&w, &w.hosts[0].dialled, 21);
    CHECK_EQ(w.pipes.dials, 1);
    world_end(&w);
}

/* Connected to each other for good, and told so once. */
static void check_met(void)
{
    for (size_t i = 0; i < 2; i++) {
        cn_host_resources r = {0};
        CHECK(cn_host_is_connected(w.hosts[i].h, &w.hosts[1 - i].id));
        CHECK_OK(w.hosts[i].err);
        CHECK_EQ(w.hosts[i].proto.ups, 1);
        CHECK_EQ(w.hosts[i].proto.downs, 0);
        cn_host_resources_of(w.hosts[i].h, &r);
        CHECK_EQ(r.dialling, 0);
    }
}

/* Whoever of the two was ahead, and by how many turns. */
static void two_that_dial_each_other_meet(void)
{
    for (int ahead = 0; ahead < 8; ahead++) {
        world_begin(&w, 2, false, NULL);
        w.is_hasty = true;
        CHECK_OK(world_dial(&w, 0, 1));
        for (int i = 0; i < ahead; i++) {
            world_turn(&w);
        }
        CHECK_OK(world_dial(&w, 1, 0));
        w.is_hasty = false;
        (void)world_until(&w, &w.hosts[0].dialled, 1);
        (void)world_until(&w, &w.hosts[1].dialled, 1);
        for (int i = 0; i < 20; i++) {
            world_turn(&w);
        }
        check_met();
        world_end(&w);
    }
}

/* On each side the other's connection stands first, while its own is still under way. */
static void two_that_dial_each_other_in_step_meet(void)
{
    world_begin(&w, 2, true, NULL);
    w.pipes.is_slow = true;
    w.is_hasty = true;
    CHECK_OK(world_dial(&w, 0, 1));
    CHECK_OK(world_dial(&w, 1, 0));
    for (int i = 0; i < 40; i++) {
        world_turn(&w);
        pipe_net_step(&w.pipes);
    }
    CHECK_EQ(w.pipes.dials, 2);
    CHECK_EQ(w.hosts[0].dialled, 1);
    CHECK_EQ(w.hosts[1].dialled, 1);
    check_met();
    world_end(&w);
}

static void another_peer_than_wanted_is_not_taken(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 3, pipes == 1, NULL);
        cn_id id = CN_ID_NONE;
        CHECK_OK(ask(0, &w.hosts[2].id, world_address(&w, 1), 0, &id));
        (void)world_until(&w, &w.hosts[0].dialled, 1);
        CHECK_ERR(w.hosts[0].err, CN_ERR_HASH_MISMATCH);
        CHECK(strstr(w.hosts[0].sentence, "all dials failed\n  * [/ip4/127.0.0.1/") != NULL);
        CHECK(!cn_host_is_connected(w.hosts[0].h, &w.hosts[1].id));
        CHECK(!cn_host_is_connected(w.hosts[0].h, &w.hosts[2].id));
        CHECK_EQ(w.hosts[0].proto.ups, 0);
        CHECK_EQ(w.hosts[0].notes[CN_HOST_NOTE_DIAL], 1);
        world_end(&w);
    }
}

static void what_failed_is_left_alone_for_a_while(void)
{
    world_begin(&w, 2, true, NULL);
    cn_buf at = {0};
    cn_id id = CN_ID_NONE;
    cn_slice nobody = address(&at, "/ip4/127.0.0.1/udp/999");
    CHECK_OK(ask(0, &w.hosts[1].id, nobody, 0, &id));
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK_ERR(w.hosts[0].err, CN_ERR_IO);
    CHECK(strstr(w.hosts[0].sentence, "[/ip4/127.0.0.1/udp/999] nobody is at") != NULL);
    CHECK_EQ(w.pipes.dials, 1);
    CHECK_OK(ask(0, &w.hosts[1].id, nobody, 0, &id));
    (void)world_until(&w, &w.hosts[0].dialled, 2);
    CHECK(w.hosts[0].err != CN_OK);
    CHECK(strstr(w.hosts[0].sentence, "dial backoff") != NULL);
    CHECK_EQ(w.pipes.dials, 1);
    cn_host_forgive(w.hosts[0].h, &w.hosts[1].id, &nobody, 1);
    CHECK_OK(ask(0, &w.hosts[1].id, nobody, 0, &id));
    (void)world_until(&w, &w.hosts[0].dialled, 3);
    CHECK_EQ(w.pipes.dials, 2);
    cn_buf_release(&at);
    world_end(&w);
}

static void a_good_address_makes_up_for_bad_ones(void)
{
    world_begin(&w, 2, true, NULL);
    cn_buf at[3] = {{0}};
    cn_slice all[4] = {
        address(&at[0], "/ip4/127.0.0.1/udp/998"), address(&at[1], "/ip4/127.0.0.1/udp/999"),
        address(&at[2], "/ip4/127.0.0.1/tcp/5"), world_address(&w, 1)};
    cn_id id = CN_ID_NONE;
    CHECK_OK(cn_host_connect(
        w.hosts[0].h, &w.hosts[1].id, all, 4, 0, world_dialled, &w.hosts[0], &id, NULL));
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK_OK(w.hosts[0].err);
    CHECK(cn_host_is_connected(w.hosts[0].h, &w.hosts[1].id));
    for (int i = 0; i < 3; i++) {
        cn_buf_release(&at[i]);
    }
    world_end(&w);
}

static void what_cannot_be_dialled_is_said_at_once(void)
{
    world_begin(&w, 2, true, NULL);
    cn_id id = CN_ID_NONE;
    CHECK_ERR(ask(0, &w.hosts[0].id, world_address(&w, 0), 0, &id), CN_ERR_USAGE);
    CHECK_ERR(ask(0, &w.hosts[1].id, (cn_slice){0}, 0, &id), CN_ERR_NOT_FOUND);
    cn_slice at = world_address(&w, 1);
    CHECK_OK(cn_host_learn(w.hosts[0].h, &w.hosts[1].id, &at, 1, CN_BOOK_TTL_NORMAL_NS));
    CHECK_OK(ask(0, &w.hosts[1].id, (cn_slice){0}, 0, &id));
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK_OK(w.hosts[0].err);
    world_end(&w);
}

static void who_gives_up_is_not_told(void)
{
    world_begin(&w, 2, true, NULL);
    cn_id first = CN_ID_NONE;
    cn_id second = CN_ID_NONE;
    CHECK_OK(ask(0, &w.hosts[1].id, world_address(&w, 1), 0, &first));
    CHECK_OK(ask(0, &w.hosts[1].id, world_address(&w, 1), 0, &second));
    cn_host_connect_cancel(w.hosts[0].h, first);
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    for (int i = 0; i < 5; i++) {
        world_turn(&w);
    }
    CHECK_EQ(w.hosts[0].dialled, 1);
    world_end(&w);
}

static void nobody_waits_and_the_dial_ends(void)
{
    world_begin(&w, 2, true, NULL);
    cn_id id = CN_ID_NONE;
    CHECK_OK(ask(0, &w.hosts[1].id, world_address(&w, 1), 0, &id));
    cn_host_connect_cancel(w.hosts[0].h, id);
    for (int i = 0; i < 10; i++) {
        world_turn(&w);
    }
    CHECK_EQ(w.hosts[0].dialled, 0);
    CHECK_EQ(w.pipes.dials, 0);
    world_end(&w);
}

/* A listener on loopback that says nothing; its address goes to `b`. */
static cn_id listen_silently(cn_buf *b)
{
    cn_endpoint at = {.ip = {127, 0, 0, 1}};
    cn_endpoint bound = {0};
    cn_id listener = CN_ID_NONE;
    char text[64] = {0};
    CHECK_OK(cn_net_listen(w.net, &at, 0, &listener, &bound, NULL));
    (void)snprintf(text, sizeof(text), "/ip4/127.0.0.1/tcp/%u", bound.port);
    (void)address(b, text);
    return listener;
}

static void a_silent_one_is_waited_for_no_longer_than_asked(void)
{
    world_begin(&w, 2, false, NULL);
    cn_buf b = {0};
    cn_id id = CN_ID_NONE;
    cn_id listener = listen_silently(&b);
    CHECK_OK(ask(0, &w.hosts[1].id, cn_buf_slice(&b), 200 * CN_NS_PER_MS, &id));
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK_ERR(w.hosts[0].err, CN_ERR_TIMEOUT);
    CHECK(strstr(w.hosts[0].sentence, "no connection within the time given") != NULL);
    world_turn(&w);
    cn_host_resources r = {0};
    cn_host_resources_of(w.hosts[0].h, &r);
    CHECK_EQ(r.dialling, 0);
    CHECK_EQ(r.conns, 0);
    cn_buf_release(&b);
    cn_net_close(w.net, listener);
    world_end(&w);
}

/* The second address is begun while the first is silent, which is then given up and has not
 * failed. */
static void a_silent_address_does_not_hold_up_the_next(void)
{
    world_begin(&w, 2, false, NULL);
    cn_buf silent = {0};
    cn_id id = CN_ID_NONE;
    cn_id listener = listen_silently(&silent);
    cn_slice all[2] = {cn_buf_slice(&silent), world_address(&w, 1)};
    CHECK_OK(cn_host_learn(w.hosts[0].h, &w.hosts[1].id, all, 2, CN_BOOK_TTL_NORMAL_NS));
    CHECK_OK(ask(0, &w.hosts[1].id, (cn_slice){0}, 0, &id));
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK_OK(w.hosts[0].err);
    cn_book_peer known = {0};
    CHECK(cn_book_find(
        cn_host_book(w.hosts[0].h), &w.hosts[1].id, cn_host_now(w.hosts[0].h), &known));
    CHECK_EQ(known.addresses_len, 2);
    CHECK_EQ(known.states[0].failures, 0);
    CHECK(known.states[1].last_success.ns > 0);
    world_turn(&w);
    cn_host_resources r = {0};
    cn_host_resources_of(w.hosts[0].h, &r);
    CHECK_EQ(r.dialling, 0);
    CHECK_EQ(r.conns, 1);
    cn_buf_release(&silent);
    cn_net_close(w.net, listener);
    world_end(&w);
}

static void an_attempt_on_this_machine_has_5_s(void)
{
    world_begin(&w, 2, false, NULL);
    cn_buf silent = {0};
    cn_id id = CN_ID_NONE;
    cn_id listener = listen_silently(&silent);
    CHECK_OK(ask(0, &w.hosts[1].id, cn_buf_slice(&silent), 0, &id));
    world_turn(&w);
    cn_time now = cn_rt_now(w.rt);
    cn_host_turn(w.hosts[0].h, cn_time_after(now, 4 * CN_NS_PER_S));
    CHECK_EQ(w.hosts[0].dialled, 0);
    cn_host_turn(w.hosts[0].h, cn_time_after(now, 6 * CN_NS_PER_S));
    CHECK_EQ(w.hosts[0].dialled, 1);
    CHECK_ERR(w.hosts[0].err, CN_ERR_TIMEOUT);
    cn_buf_release(&silent);
    cn_net_close(w.net, listener);
    world_end(&w);
}

static void attempts_beyond_the_limit_wait_for_a_place(void)
{
    cn_host_options o = {.dials_max = 1};
    world_begin(&w, 3, false, &o);
    cn_buf silent = {0};
    cn_id id = CN_ID_NONE;
    cn_id other = CN_ID_NONE;
    cn_host_resources r = {0};
    cn_id listener = listen_silently(&silent);
    CHECK_OK(ask(0, &w.hosts[1].id, cn_buf_slice(&silent), 0, &id));
    world_turn(&w);
    CHECK_OK(ask(0, &w.hosts[2].id, world_address(&w, 2), 0, &other));
    for (int i = 0; i < 10; i++) {
        world_turn(&w);
    }
    cn_host_resources_of(w.hosts[0].h, &r);
    CHECK_EQ(r.dialling, 1);
    CHECK_EQ(w.hosts[0].dialled, 0);
    cn_host_connect_cancel(w.hosts[0].h, id);
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK_OK(w.hosts[0].err);
    cn_buf_release(&silent);
    cn_net_close(w.net, listener);
    world_end(&w);
}

static void filters_hold_for_dials(void)
{
    world_begin(&w, 2, true, NULL);
    cn_ip_range range = {0};
    cn_id id = CN_ID_NONE;
    size_t len = 0;
    CHECK_OK(cn_ip_range_parse(cn_str("/ip4/127.0.0.0/ipcidr/8"), &range, NULL));
    CHECK_OK(cn_host_filter_add(w.hosts[0].h, &range));
    CHECK_OK(cn_host_filter_add(w.hosts[0].h, &range));
    (void)cn_host_filters(w.hosts[0].h, &len);
    CHECK_EQ(len, 1);
    CHECK_OK(ask(0, &w.hosts[1].id, world_address(&w, 1), 0, &id));
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK(w.hosts[0].err != CN_OK);
    CHECK_EQ(w.pipes.dials, 0);
    CHECK(cn_host_filter_remove(w.hosts[0].h, &range));
    CHECK(!cn_host_filter_remove(w.hosts[0].h, &range));
    world_join(&w, 0, 1);
    world_end(&w);
}

/* --- names --- */

enum { QUESTIONS_MAX = 64 };

static struct {
    cn_net_ops ops;
    char names[QUESTIONS_MAX][128];
    cn_net_query kinds[QUESTIONS_MAX];
    size_t len;
} dns;

static cn_err resolve(cn_net *n, cn_net_query query, const char *name, uint64_t tag, cn_id *ret)
{
    CN_UNUSED(n);
    CN_UNUSED(tag);
    CHECK(dns.len < QUESTIONS_MAX);
    (void)snprintf(dns.names[dns.len], sizeof(dns.names[0]), "%s", name);
    dns.kinds[dns.len] = query;
    *ret = (cn_id){(uint32_t)dns.len, 77};
    dns.len++;
    return CN_OK;
}

static void dns_begin(void)
{
    dns.len = 0;
    dns.ops = *w.net->ops;
    dns.ops.resolve = resolve;
    w.net->ops = &dns.ops;
}

static void answer_texts(size_t question, const cn_slice *texts, size_t len)
{
    cn_net_event e = {
        .kind = CN_NET_RESOLVED,
        .sock = {(uint32_t)question, 77},
        .texts = texts,
        .answers_len = len,
    };
    cn_host_take(w.hosts[0].h, &e);
}

static void answer_ip(size_t question, const cn_endpoint *ips, size_t len)
{
    cn_net_event e = {
        .kind = CN_NET_RESOLVED,
        .sock = {(uint32_t)question, 77},
        .ips = ips,
        .answers_len = len,
    };
    cn_host_take(w.hosts[0].h, &e);
}

static void names_become_addresses(void)
{
    world_begin(&w, 2, true, NULL);
    dns_begin();
    cn_buf at = {0};
    cn_id id = CN_ID_NONE;
    cn_endpoint local = {.ip = {127, 0, 0, 1}};
    CHECK_OK(ask(0, &w.hosts[1].id, address(&at, "/dns4/node.example/udp/2"), 0, &id));
    CHECK_EQ(dns.len, 1);
    CHECK_STR(dns.names[0], "node.example");
    CHECK_EQ(dns.kinds[0], CN_NET_QUERY_IP4);
    world_turn(&w);
    CHECK_EQ(w.hosts[0].dialled, 0); /* the dial waits for the answer */
    answer_ip(0, &local, 1);
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK_OK(w.hosts[0].err);
    cn_buf_release(&at);
    world_end(&w);
}

/* "dnsaddr=ADDRESS/p2p/ID of host `of`" in `b`. */
static cn_slice text_of(cn_buf *b, const char *before, size_t of)
{
    cn_buf_init(b, cn_mem_default(), 1024);
    CHECK_OK(cn_buf_printf(b, "dnsaddr=%s/p2p/", before));
    CHECK_OK(cn_peer_id_encode_text(&w.hosts[of].id, 0, b));
    return cn_buf_slice(b);
}

static void texts_lead_on_and_other_peers_are_left_out(void)
{
    world_begin(&w, 3, true, NULL);
    dns_begin();
    cn_buf at = {0};
    cn_buf texts[4] = {{0}};
    cn_id id = CN_ID_NONE;
    CHECK_OK(ask(0, &w.hosts[1].id, address(&at, "/dnsaddr/boot.example"), 0, &id));
    CHECK_STR(dns.names[0], "_dnsaddr.boot.example");
    CHECK_EQ(dns.kinds[0], CN_NET_QUERY_TXT);
    cn_slice first[3] = {
        text_of(&texts[0], "/ip4/127.0.0.1/udp/3", 2), /* host 2: not the one wanted */
        text_of(&texts[1], "/dnsaddr/one.example", 1),
        cn_str("v=spf1 -all"),
    };
    answer_texts(0, first, 3);
    CHECK_EQ(dns.len, 2);
    CHECK_STR(dns.names[1], "_dnsaddr.one.example");
    cn_slice second[1] = {text_of(&texts[2], "/ip4/127.0.0.1/udp/2", 1)};
    answer_texts(1, second, 1);
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK_OK(w.hosts[0].err);
    CHECK_EQ(w.pipes.dials, 1);
    cn_buf_release(&at);
    for (int i = 0; i < 4; i++) {
        cn_buf_release(&texts[i]);
    }
    world_end(&w);
}

static void names_that_never_end_are_given_up(void)
{
    world_begin(&w, 2, true, NULL);
    dns_begin();
    cn_buf at = {0};
    cn_id id = CN_ID_NONE;
    CHECK_OK(ask(0, &w.hosts[1].id, address(&at, "/dnsaddr/0.example"), 0, &id));
    for (size_t i = 0; i < dns.len && i < 10; i++) {
        char name[64] = {0};
        cn_buf b = {0};
        (void)snprintf(name, sizeof(name), "/dnsaddr/%zu.example", i + 1);
        cn_slice text = text_of(&b, name, 1);
        answer_texts(i, &text, 1);
        cn_buf_release(&b);
    }
    CHECK_EQ(dns.len, 4);
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK_ERR(w.hosts[0].err, CN_ERR_TOO_DEEP);
    CHECK(strstr(w.hosts[0].sentence, "names lead to names") != NULL);
    cn_buf_release(&at);
    world_end(&w);
}

static void many_names_are_bounded(void)
{
    enum { FLOOD = 40 };
    world_begin(&w, 2, true, NULL);
    dns_begin();
    cn_buf at = {0};
    cn_buf bufs[FLOOD] = {{0}};
    cn_slice texts[FLOOD] = {{0}};
    cn_id id = CN_ID_NONE;
    CHECK_OK(ask(0, &w.hosts[1].id, address(&at, "/dnsaddr/all.example"), 0, &id));
    for (size_t i = 0; i < FLOOD; i++) {
        char name[64] = {0};
        (void)snprintf(name, sizeof(name), "/dnsaddr/%zu.example", i);
        texts[i] = text_of(&bufs[i], name, 1);
    }
    answer_texts(0, texts, FLOOD);
    CHECK_EQ(dns.len, 32); /* of one dial, the first included */
    cn_host_connect_cancel(w.hosts[0].h, id);
    world_turn(&w);
    for (size_t i = 0; i < FLOOD; i++) {
        cn_buf_release(&bufs[i]);
    }
    cn_buf_release(&at);
    world_end(&w);
}

static void a_name_that_is_not_there_is_reported(void)
{
    world_begin(&w, 2, true, NULL);
    dns_begin();
    cn_buf at = {0};
    cn_id id = CN_ID_NONE;
    CHECK_OK(ask(0, &w.hosts[1].id, address(&at, "/dns/gone.example/udp/2"), 0, &id));
    cn_net_event e = {
        .kind = CN_NET_RESOLVED,
        .sock = {0, 77},
        .err = CN_ERR_NOT_FOUND,
        .sentence = "no such host",
    };
    cn_host_take(w.hosts[0].h, &e);
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK_ERR(w.hosts[0].err, CN_ERR_NOT_FOUND);
    CHECK(strstr(w.hosts[0].sentence, "[/dns/gone.example/udp/2] no such host") != NULL);
    cn_buf_release(&at);
    world_end(&w);
}

int main(void)
{
    TEST(many_ask_and_one_dial_answers);
    TEST(two_that_dial_each_other_meet);
    TEST(two_that_dial_each_other_in_step_meet);
    TEST(another_peer_than_wanted_is_not_taken);
    TEST(what_failed_is_left_alone_for_a_while);
    TEST(a_good_address_makes_up_for_bad_ones);
    TEST(what_cannot_be_dialled_is_said_at_once);
    TEST(who_gives_up_is_not_told);
    TEST(nobody_waits_and_the_dial_ends);
    TEST(a_silent_one_is_waited_for_no_longer_than_asked);
    TEST(a_silent_address_does_not_hold_up_the_next);
    TEST(an_attempt_on_this_machine_has_5_s);
    TEST(attempts_beyond_the_limit_wait_for_a_place);
    TEST(filters_hold_for_dials);
    TEST(names_become_addresses);
    TEST(texts_lead_on_and_other_peers_are_left_out);
    TEST(names_that_never_end_are_given_up);
    TEST(many_names_are_bounded);
    TEST(a_name_that_is_not_there_is_reported);
    return test_end();
}
