/*
 * identify between a host and a peer that the test plays by hand: answers in several messages and
 * single bytes, signed and foreign records, what swells and what never ends; and pushes both ways.
 */
#include "codec/protobuf.h"
#include "lib/host_world.h"
#include "lib/test.h"
#include "p2p/host/identify_message.h"
#include "p2p/host/peer_record.h"

enum { STREAMS_MAX = 16 };

static world w;

/* The peer played by hand. */
static struct {
    cn_mem mem;
    cn_key *key;
    cn_peer_id id;
    cn_transport *t;
    cn_id conn;
    size_t ups;
    cn_stream_no opened[STREAMS_MAX]; /* by the host */
    size_t opened_len;
    size_t fins;
    size_t resets;
} raw;

static void raw_begin(void)
{
    cn_buf at = {0};
    cn_buf bound = {0};
    cn_id id = CN_ID_NONE;
    raw.ups = raw.opened_len = raw.fins = raw.resets = 0;
    cn_mem_init(&raw.mem, 0);
    CHECK_OK(cn_key_generate(&raw.mem, CN_KEY_ED25519, 0, &raw.key, NULL));
    CHECK_OK(cn_peer_id_of_key(raw.key, &raw.id));
    CHECK_OK(pipe_transport_new(&w.pipes, &raw.mem, raw.key, &raw.t));
    cn_buf_init(&at, cn_mem_default(), 64);
    cn_buf_init(&bound, cn_mem_default(), 64);
    CHECK_OK(cn_multiaddr_parse(cn_str("/ip4/127.0.0.1/udp/50"), &at, NULL));
    CHECK_OK(raw.t->ops->listen(raw.t, cn_buf_slice(&at), &id, &bound, NULL));
    cn_slice address = cn_buf_slice(&at);
    CHECK_OK(cn_host_connect(
        w.hosts[0].h, &raw.id, &address, 1, 0, world_dialled, &w.hosts[0], &id, NULL));
    cn_buf_release(&at);
    cn_buf_release(&bound);
}

static void raw_end(void)
{
    raw.t->ops->free(raw.t);
    cn_key_free(raw.key);
    CHECK_EQ(raw.mem.used_bytes, 0);
}

static void raw_turn(void)
{
    cn_conn_event e = {0};
    world_turn(&w);
    while (raw.t->ops->next(raw.t, cn_rt_now(w.rt), &e)) {
        if (e.kind == CN_CONN_UP) {
            raw.conn = e.conn;
            raw.ups++;
        } else if (e.kind == CN_CONN_STREAM && e.mux.kind == CN_MUX_OPENED) {
            CHECK(raw.opened_len < STREAMS_MAX);
            raw.opened[raw.opened_len++] = e.mux.stream;
        } else if (e.kind == CN_CONN_STREAM) {
            raw.fins += e.mux.kind == CN_MUX_FIN;
            raw.resets += e.mux.kind == CN_MUX_RESET;
        }
    }
}

static bool raw_until(const size_t *flag, size_t least)
{
    cn_time limit = cn_time_after(cn_rt_now(w.rt), 20 * CN_NS_PER_S);
    while (*flag < least) {
        raw_turn();
        if (cn_rt_now(w.rt).ns > limit.ns) {
            return CHECK(false);
        }
    }
    return true;
}

static void raw_write(cn_stream_no no, cn_slice bytes, size_t at_once)
{
    while (bytes.len > 0) {
        cn_slice head = cn_slice_head(bytes, at_once);
        cn_buf b = {0};
        cn_buf_init(&b, cn_mem_default(), head.len);
        CHECK_OK(cn_buf_append(&b, head));
        (void)!raw.t->ops->stream_write(raw.t, raw.conn, no, &b); /* may be reset meanwhile */
        cn_buf_release(&b);
        bytes = cn_slice_skip(bytes, head.len);
        raw_turn();
    }
}

static void put_name(cn_buf *out, const char *name)
{
    CHECK_OK(cn_varint_append(out, strlen(name) + 1));
    CHECK_OK(cn_buf_printf(out, "%s\n", name));
}

/* The answer to the host's question: names agreed on, then `messages`, then the end. */
static void answer(cn_slice messages, size_t at_once)
{
    cn_buf names = {0};
    cn_buf_init(&names, cn_mem_default(), 256);
    (void)raw_until(&raw.opened_len, 1);
    put_name(&names, "/multistream/1.0.0");
    put_name(&names, "/ipfs/id/1.0.0");
    raw_write(raw.opened[0], cn_buf_slice(&names), at_once);
    raw_write(raw.opened[0], messages, at_once);
    raw.t->ops->stream_close(raw.t, raw.conn, raw.opened[0]);
    cn_buf_release(&names);
}

static cn_slice parse(cn_buf *b, const char *text)
{
    cn_buf_init(b, cn_mem_default(), 128);
    CHECK_OK(cn_multiaddr_parse(cn_str(text), b, NULL));
    return cn_buf_slice(b);
}

/* A message of one field that is bytes. */
static void put_message(cn_buf *out, uint32_t number, cn_slice value)
{
    CHECK_OK(cn_varint_append(out, cn_pb_bytes_size(number, value.len)));
    CHECK_OK(cn_pb_put_bytes(out, number, value));
}

static void some_turns(void)
{
    for (int i = 0; i < 10; i++) {
        raw_turn();
    }
}

static void an_answer_in_several_messages_is_merged(void)
{
    world_begin(&w, 1, true, NULL);
    raw_begin();
    cn_buf plain = {0};
    cn_buf signed_one = {0};
    cn_buf envelope = {0};
    cn_buf out = {0};
    cn_buf_init(&envelope, cn_mem_default(), 4096);
    cn_buf_init(&out, cn_mem_default(), 16384);
    cn_slice told = parse(&plain, "/ip4/127.0.0.1/udp/60");
    cn_slice sealed = parse(&signed_one, "/ip4/127.0.0.1/udp/61");
    CHECK_OK(cn_peer_record_seal(&raw.mem, raw.key, 7, &sealed, 1, &envelope));
    put_message(&out, 6, cn_str("by hand/1"));
    put_message(&out, 3, cn_str("/one/1.0.0"));
    put_message(&out, 2, told);
    put_message(&out, 8, cn_buf_slice(&envelope));
    put_message(&out, 3, cn_str("/two/1.0.0"));
    answer(cn_buf_slice(&out), 1);
    (void)raw_until(&w.hosts[0].proto.identified, 1);
    cn_host_peer peer = {0};
    CHECK(cn_host_peer_of(w.hosts[0].h, &raw.id, &peer));
    CHECK(cn_slice_is(peer.agent, "by hand/1"));
    CHECK_EQ(cn_host_speaks(w.hosts[0].h, &raw.id, "/one/1.0.0"), 1);
    CHECK_EQ(cn_host_speaks(w.hosts[0].h, &raw.id, "/two/1.0.0"), 1);
    CHECK_EQ(cn_host_speaks(w.hosts[0].h, &raw.id, "/three/1.0.0"), 0);
    bool has_sealed = false;
    for (size_t i = 0; i < peer.addresses_len; i++) {
        has_sealed = has_sealed || cn_slice_eq(peer.addresses[i], sealed);
        CHECK(!cn_slice_eq(peer.addresses[i], told)); /* the record's go before plain ones */
    }
    CHECK(has_sealed);
    cn_buf_release(&plain);
    cn_buf_release(&signed_one);
    cn_buf_release(&envelope);
    cn_buf_release(&out);
    raw_end();
    world_end(&w);
}

static void the_record_of_another_is_not_believed(void)
{
    world_begin(&w, 1, true, NULL);
    raw_begin();
    cn_buf at = {0};
    cn_buf envelope = {0};
    cn_buf out = {0};
    cn_buf_init(&envelope, cn_mem_default(), 4096);
    cn_buf_init(&out, cn_mem_default(), 16384);
    cn_slice sealed = parse(&at, "/ip4/127.0.0.1/udp/61");
    CHECK_OK(cn_peer_record_seal(&raw.mem, w.hosts[0].key, 7, &sealed, 1, &envelope));
    put_message(&out, 8, cn_buf_slice(&envelope));
    put_message(&out, 3, cn_str("/one/1.0.0"));
    answer(cn_buf_slice(&out), 1000);
    (void)raw_until(&w.hosts[0].proto.identified, 1);
    cn_host_peer peer = {0};
    CHECK(cn_host_peer_of(w.hosts[0].h, &raw.id, &peer));
    for (size_t i = 0; i < peer.addresses_len; i++) {
        CHECK(!cn_slice_eq(peer.addresses[i], sealed));
    }
    cn_buf_release(&at);
    cn_buf_release(&envelope);
    cn_buf_release(&out);
    raw_end();
    world_end(&w);
}

static void an_answer_that_swells_or_is_none_does_no_harm(void)
{
    static uint8_t big[9000];
    for (int kind = 0; kind < 3; kind++) {
        world_begin(&w, 1, true, NULL);
        raw_begin();
        cn_buf out = {0};
        cn_buf_init(&out, cn_mem_default(), 1 << 20);
        if (kind == 0) { /* one message too long */
            put_message(&out, 6, cn_slice_of(big, sizeof(big)));
        } else if (kind == 1) { /* too many */
            for (int i = 0; i < CN_IDENTIFY_MESSAGES_MAX + 1; i++) {
                put_message(&out, 3, cn_str("/one/1.0.0"));
            }
        } else { /* no protobuf */
            CHECK_OK(cn_buf_append(&out, cn_slice_of("\x05\xff\xff\xff\xff\xff", 6)));
        }
        answer(cn_buf_slice(&out), 4096);
        some_turns();
        CHECK_EQ(w.hosts[0].proto.identified, 0);
        CHECK_EQ(raw.resets > 0, kind < 2);
        CHECK(cn_host_is_connected(w.hosts[0].h, &raw.id));
        CHECK_EQ(cn_host_speaks(w.hosts[0].h, &raw.id, "/one/1.0.0"), -1);
        cn_buf_release(&out);
        raw_end();
        world_end(&w);
    }
}

static void who_never_ends_is_cut_off(void)
{
    world_begin(&w, 1, true, NULL);
    raw_begin();
    (void)raw_until(&raw.opened_len, 1);
    cn_time now = cn_rt_now(w.rt);
    /* No name was agreed on: the limit of negotiation. */
    cn_host_tick(w.hosts[0].h, cn_time_after(now, 9 * CN_NS_PER_S));
    some_turns();
    CHECK_EQ(raw.resets, 0);
    cn_host_tick(w.hosts[0].h, cn_time_after(now, 11 * CN_NS_PER_S));
    (void)raw_until(&raw.resets, 1);
    /* A stream of theirs on which nothing comes. */
    cn_stream_no no = 0;
    CHECK_OK(raw.t->ops->stream_open(raw.t, raw.conn, &no));
    some_turns();
    now = cn_rt_now(w.rt);
    cn_host_tick(w.hosts[0].h, cn_time_after(now, 11 * CN_NS_PER_S));
    (void)raw_until(&raw.resets, 2);
    cn_host_resources r = {0};
    cn_host_resources_of(w.hosts[0].h, &r);
    CHECK_EQ(r.streams, 0);
    raw_end();
    world_end(&w);
}

static void an_answer_begun_and_not_ended_is_cut_off(void)
{
    world_begin(&w, 1, true, NULL);
    raw_begin();
    (void)raw_until(&raw.opened_len, 1);
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), 1024);
    put_name(&out, "/multistream/1.0.0");
    put_name(&out, "/ipfs/id/1.0.0");
    put_message(&out, 3, cn_str("/one/1.0.0"));
    raw_write(raw.opened[0], cn_buf_slice(&out), 1000);
    some_turns();
    cn_host_tick(w.hosts[0].h, cn_time_after(cn_rt_now(w.rt), 31 * CN_NS_PER_S));
    (void)raw_until(&raw.resets, 1);
    CHECK_EQ(w.hosts[0].proto.identified, 0);
    cn_buf_release(&out);
    raw_end();
    world_end(&w);
}

/* Good from now on: the answer to the question asked last. */
static void answer_last(cn_slice messages)
{
    raw.opened[0] = raw.opened[raw.opened_len - 1];
    answer(messages, 1000);
}

static void who_did_not_answer_is_asked_again(void)
{
    world_begin(&w, 1, true, NULL);
    raw_begin();
    (void)raw_until(&raw.opened_len, 1);
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), 1024);
    put_message(&out, 3, cn_str("/one/1.0.0"));
    cn_time now = cn_rt_now(w.rt);
    int64_t waits_s[] = {5, 10, 20};
    for (size_t i = 0; i < CN_LEN(waits_s); i++) {
        now = cn_time_after(now, 11 * CN_NS_PER_S); /* the limit of negotiation */
        cn_host_tick(w.hosts[0].h, now);
        CHECK_EQ(cn_host_speaks(w.hosts[0].h, &raw.id, "/one/1.0.0"), -1);
        cn_host_tick(w.hosts[0].h, cn_time_after(now, waits_s[i] * CN_NS_PER_S - 1));
        some_turns();
        CHECK_EQ(raw.opened_len, 1 + i);
        now = cn_time_after(now, waits_s[i] * CN_NS_PER_S);
        CHECK(cn_host_deadline(w.hosts[0].h).ns <= now.ns);
        cn_host_tick(w.hosts[0].h, now);
        (void)raw_until(&raw.opened_len, 2 + i);
    }
    answer_last(cn_buf_slice(&out));
    (void)raw_until(&w.hosts[0].proto.identified, 1);
    CHECK_EQ(cn_host_speaks(w.hosts[0].h, &raw.id, "/one/1.0.0"), 1);
    cn_host_tick(w.hosts[0].h, cn_time_after(now, 3600 * CN_NS_PER_S));
    some_turns();
    CHECK_EQ(raw.opened_len, 1 + CN_LEN(waits_s)); /* it is known: nothing is asked */
    cn_buf_release(&out);
    raw_end();
    world_end(&w);
}

/* The question goes with its connection; the peer has another one, and is asked there. */
static void a_question_lost_with_its_connection_is_asked_on_another(void)
{
    world_begin(&w, 1, true, NULL);
    raw_begin();
    (void)raw_until(&raw.opened_len, 1);
    cn_id asked = raw.conn;
    cn_id second = CN_ID_NONE;
    cn_slice at = world_address(&w, 0);
    CHECK_OK(raw.t->ops->dial(raw.t, at, &w.hosts[0].id, cn_rt_now(w.rt), &second, NULL));
    (void)raw_until(&raw.ups, 2);
    some_turns();
    CHECK_EQ(raw.opened_len, 1);
    raw.t->ops->close(raw.t, asked, 0);
    some_turns();
    CHECK(cn_host_is_connected(w.hosts[0].h, &raw.id));
    cn_host_tick(w.hosts[0].h, cn_time_after(cn_rt_now(w.rt), 6 * CN_NS_PER_S));
    (void)raw_until(&raw.opened_len, 2);
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), 1024);
    put_message(&out, 3, cn_str("/one/1.0.0"));
    answer_last(cn_buf_slice(&out));
    (void)raw_until(&w.hosts[0].proto.identified, 1);
    CHECK_EQ(cn_host_speaks(w.hosts[0].h, &raw.id, "/one/1.0.0"), 1);
    cn_buf_release(&out);
    raw_end();
    world_end(&w);
}

static void a_push_of_theirs_is_taken(void)
{
    world_begin(&w, 1, true, NULL);
    raw_begin();
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), 1024);
    put_message(&out, 3, cn_str("/one/1.0.0"));
    answer(cn_buf_slice(&out), 1000);
    (void)raw_until(&w.hosts[0].proto.identified, 1);
    cn_stream_no no = 0;
    CHECK_OK(raw.t->ops->stream_open(raw.t, raw.conn, &no));
    cn_buf_reset(&out);
    put_name(&out, "/multistream/1.0.0");
    put_name(&out, "/ipfs/id/push/1.0.0");
    put_message(&out, 3, cn_str("/two/1.0.0"));
    raw_write(no, cn_buf_slice(&out), 1000);
    raw.t->ops->stream_close(raw.t, raw.conn, no);
    (void)raw_until(&w.hosts[0].proto.identified, 2);
    CHECK_EQ(cn_host_speaks(w.hosts[0].h, &raw.id, "/one/1.0.0"), 0);
    CHECK_EQ(cn_host_speaks(w.hosts[0].h, &raw.id, "/two/1.0.0"), 1);
    cn_buf_release(&out);
    raw_end();
    world_end(&w);
}

/* Eight at once are taken in, the ninth is not; a machine that takes half a second for them lets it
 * in after all. */
static void who_pushes_all_the_time_is_not_listened_to(void)
{
    world_begin(&w, 1, true, NULL);
    raw_begin();
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), 1024);
    put_message(&out, 3, cn_str("/one/1.0.0"));
    answer(cn_buf_slice(&out), 1000);
    (void)raw_until(&w.hosts[0].proto.identified, 1);
    cn_buf_reset(&out);
    put_name(&out, "/multistream/1.0.0");
    put_name(&out, "/ipfs/id/push/1.0.0");
    put_message(&out, 3, cn_str("/two/1.0.0"));
    size_t pushed = 0;
    while (raw.resets == 0 && pushed < 1000) {
        cn_stream_no no = 0;
        pushed++;
        CHECK_OK(raw.t->ops->stream_open(raw.t, raw.conn, &no));
        raw_write(no, cn_buf_slice(&out), 1000);
        raw.t->ops->stream_close(raw.t, raw.conn, no);
        raw_turn();
        raw_turn();
    }
    CHECK(pushed > 8 && pushed < 1000);
    CHECK(w.hosts[0].proto.identified >= 9);
    cn_buf_release(&out);
    raw_end();
    world_end(&w);
}

static void a_change_of_ours_is_pushed(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 2, pipes == 1, NULL);
        world_join(&w, 0, 1);
        cn_slice text = cn_str("/ip4/198.51.100.7/tcp/4001");
        cn_announce_config c = {.append = &text, .append_len = 1};
        CHECK_OK(cn_host_set_announce(w.hosts[0].h, &c, NULL));
        (void)world_until(&w, &w.hosts[1].proto.identified, 2);
        cn_buf b = {0};
        cn_slice address = parse(&b, "/ip4/198.51.100.7/tcp/4001");
        cn_host_peer peer = {0};
        bool found = false;
        CHECK(cn_host_peer_of(w.hosts[1].h, &w.hosts[0].id, &peer));
        for (size_t i = 0; i < peer.addresses_len; i++) {
            found = found || cn_slice_eq(peer.addresses[i], address);
        }
        CHECK(found);
        cn_buf_release(&b);
        world_end(&w);
    }
}

int main(void)
{
    TEST(an_answer_in_several_messages_is_merged);
    TEST(the_record_of_another_is_not_believed);
    TEST(an_answer_that_swells_or_is_none_does_no_harm);
    TEST(who_never_ends_is_cut_off);
    TEST(an_answer_begun_and_not_ended_is_cut_off);
    TEST(who_did_not_answer_is_asked_again);
    TEST(a_question_lost_with_its_connection_is_asked_on_another);
    TEST(a_push_of_theirs_is_taken);
    TEST(who_pushes_all_the_time_is_not_listened_to);
    TEST(a_change_of_ours_is_pushed);
    return test_end();
}
