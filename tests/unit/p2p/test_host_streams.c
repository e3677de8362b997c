/*
 * Streams of a host: early data, names guessed, names tried one after the other, refusals, resets,
 * half-closes, back pressure, and limits per protocol, peer and in all.
 */
#include "lib/host_world.h"
#include "lib/test.h"

static world w;

static const char *const WRONG_FIRST[] = {"/nobody/1.0.0", "/test/1.0.0"};
static const char *const WRONG[] = {"/nobody/1.0.0"};

static cn_id open_as(size_t from, size_t to, const char *const *names, size_t len)
{
    world_host *x = &w.hosts[from];
    cn_id stream = CN_ID_NONE;
    CHECK_OK(cn_host_stream(x->h, &x->proto.p, &w.hosts[to].id, names, len, &stream));
    return stream;
}

/* Connected, but what the other side speaks is not known yet. */
static void connect_only(void)
{
    CHECK_OK(world_dial(&w, 0, 1));
    (void)world_until(&w, &w.hosts[0].dialled, 1);
    CHECK_OK(w.hosts[0].err);
}

/* Streams of ours in which `name` is spoken. */
static size_t streams_out(size_t host, const char *name)
{
    cn_host_protocol_use use = {0};
    size_t position = 0;
    while (cn_host_protocols(w.hosts[host].h, &position, &use)) {
        if (strcmp(use.name, name) == 0) {
            return use.streams_out;
        }
    }
    return 0;
}

/* A wrong guess, before identify has told; after it bytes wait until a name is agreed on. */
static void early_bytes_wait_for_the_name_that_is_spoken(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 2, pipes == 1, NULL);
        w.hosts[1].proto.echoes = true;
        w.hosts[1].proto.closes = true;
        connect_only();
        CHECK_EQ(cn_host_speaks(w.hosts[0].h, &w.hosts[1].id, WRONG[0]), -1);
        world_write(&w, 0, open_as(0, 1, WRONG_FIRST, 2), cn_str("read by nobody"));
        CHECK_EQ(streams_out(0, WRONG_FIRST[0]), 1);
        (void)world_until(&w, &w.hosts[0].proto.resets, 1);
        CHECK_EQ(w.hosts[0].proto.refused + w.hosts[1].proto.got_bytes, 0);
        cn_id stream = open_as(0, 1, WRONG_FIRST, 2);
        CHECK_EQ(streams_out(0, WRONG_FIRST[0]), 0);
        world_write(&w, 0, stream, cn_str("early "));
        world_write(&w, 0, stream, cn_str("bird"));
        cn_host_close_stream(w.hosts[0].h, stream);
        (void)world_until(&w, &w.hosts[0].proto.fins, 1);
        CHECK_EQ(w.hosts[1].proto.got_bytes, 10);
        CHECK_BYTES(cn_slice_of(w.hosts[0].proto.first, 10), cn_str("early bird"));
        CHECK_STR(w.hosts[0].proto.name, "/test/1.0.0");
        CHECK_STR(w.hosts[1].proto.name, "/test/1.0.0");
        CHECK_EQ(w.hosts[1].proto.fins, 1);
        world_end(&w);
    }
}

/* Before identify has told: the newest name goes out with the first bytes, or the one in use. */
static void a_name_is_guessed_until_identify_tells(void)
{
    static const char *const RIGHT_FIRST[] = {"/test/1.0.0", "/nobody/1.0.0"};
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 2, pipes == 1, NULL);
        connect_only();
        CHECK_EQ(cn_host_speaks(w.hosts[0].h, &w.hosts[1].id, RIGHT_FIRST[0]), -1);
        world_write(&w, 0, open_as(0, 1, RIGHT_FIRST, 2), cn_str("guess"));
        CHECK_EQ(streams_out(0, "/test/1.0.0"), 1);
        (void)world_until(&w, &w.hosts[1].proto.got_bytes, 5);
        if (cn_host_speaks(w.hosts[1].h, &w.hosts[0].id, RIGHT_FIRST[0]) != 0) {
            world_write(&w, 1, open_as(1, 0, WRONG_FIRST, 2), cn_str("in use"));
            CHECK_EQ(streams_out(1, "/test/1.0.0"), 1);
            (void)world_until(&w, &w.hosts[0].proto.got_bytes, 6);
        }
        CHECK_EQ(w.hosts[0].proto.resets + w.hosts[1].proto.resets, 0);
        world_end(&w);
    }
}

static void no_name_in_common_is_a_refusal(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 2, pipes == 1, NULL);
        connect_only();
        cn_id stream = open_as(0, 1, WRONG, 1);
        world_write(&w, 0, stream, cn_str("for nobody"));
        (void)world_until(&w, &w.hosts[0].proto.refused, 1);
        CHECK(strstr(w.hosts[0].proto.sentence, "/nobody/1.0.0") != NULL);
        CHECK_EQ(w.hosts[0].proto.opened + w.hosts[1].proto.opened, 0);
        CHECK_EQ(w.hosts[1].proto.got_bytes, 0);
        (void)world_until(&w, &w.hosts[0].proto.identified, 1);
        cn_id id = CN_ID_NONE;
        CHECK_ERR(
            cn_host_stream(w.hosts[0].h, &w.hosts[0].proto.p, &w.hosts[1].id, WRONG, 1, &id),
            CN_ERR_UNSUPPORTED);
        world_end(&w);
    }
}

static void a_protocol_may_refuse_and_give_up(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 2, pipes == 1, NULL);
        world_join(&w, 0, 1);
        w.hosts[1].proto.refuses = true;
        (void)world_say(&w, 0, 1, "no");
        (void)world_until(&w, &w.hosts[0].proto.resets, 1);
        CHECK_EQ(w.hosts[1].proto.got_bytes, 0);
        w.hosts[1].proto.refuses = false;
        w.hosts[1].proto.breaks = true;
        (void)world_say(&w, 0, 1, "bad");
        (void)world_until(&w, &w.hosts[0].proto.resets, 2);
        CHECK_EQ(w.hosts[1].proto.resets + w.hosts[1].proto.fins, 0); /* it knows itself */
        CHECK_EQ(w.hosts[1].notes[CN_HOST_NOTE_STREAM], 1);
        w.hosts[1].proto.breaks = false;
        cn_id stream = world_say(&w, 0, 1, "good");
        (void)world_until(&w, &w.hosts[1].proto.got_bytes, 7);
        cn_host_reset_stream(w.hosts[0].h, stream, 0);
        (void)world_until(&w, &w.hosts[1].proto.resets, 1);
        CHECK_EQ(cn_host_room(w.hosts[0].h, stream), 0);
        world_end(&w);
    }
}

/* One side ends, the other still speaks. */
static void half_closed_is_half_open(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 2, pipes == 1, NULL);
        world_join(&w, 0, 1);
        cn_id stream = world_say(&w, 0, 1, "question");
        cn_host_close_stream(w.hosts[0].h, stream);
        (void)world_until(&w, &w.hosts[1].proto.fins, 1);
        world_write(&w, 1, w.hosts[1].proto.stream, cn_str("answer"));
        (void)world_until(&w, &w.hosts[0].proto.got_bytes, 6);
        cn_host_close_stream(w.hosts[1].h, w.hosts[1].proto.stream);
        (void)world_until(&w, &w.hosts[0].proto.fins, 1);
        cn_host_protocol_use use = {0};
        size_t position = 0;
        while (cn_host_protocols(w.hosts[0].h, &position, &use)) {
            CHECK(strcmp(use.name, world_names[0]) != 0 || use.streams_in + use.streams_out == 0);
        }
        world_end(&w);
    }
}

static void who_does_not_read_stops_the_writer(void)
{
    enum { PIECE = 64 << 10 };
    static uint8_t piece[PIECE];
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 2, pipes == 1, NULL);
        world_join(&w, 0, 1);
        w.hosts[1].proto.keeps = true;
        cn_id stream = world_say(&w, 0, 1, "x");
        size_t sent = 1;
        for (int i = 0; i < 200; i++) {
            while (cn_host_room(w.hosts[0].h, stream) > 0) {
                world_write(&w, 0, stream, cn_slice_of(piece, PIECE));
                sent += PIECE;
            }
            world_turn(&w);
        }
        CHECK(sent < 8 << 20);
        CHECK_EQ(cn_host_room(w.hosts[0].h, stream), 0);
        w.hosts[1].proto.keeps = false;
        cn_host_consumed(w.hosts[1].h, w.hosts[1].proto.stream, w.hosts[1].proto.got_bytes);
        (void)world_until(&w, &w.hosts[0].proto.writable, 1);
        (void)world_until(&w, &w.hosts[1].proto.got_bytes, sent);
        world_end(&w);
    }
}

static void streams_of_a_protocol_are_bounded_per_peer_and_in_all(void)
{
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 4, pipes == 1, NULL);
        for (size_t i = 0; i < 3; i++) {
            world_join(&w, i, 3);
        }
        for (int i = 0; i < 8; i++) {
            (void)world_say(&w, 0, 3, "x");
        }
        (void)world_until(&w, &w.hosts[3].proto.opened, 8);
        CHECK_EQ(w.hosts[0].proto.resets, 0);
        (void)world_say(&w, 0, 3, "x"); /* the ninth of one peer */
        (void)world_until(&w, &w.hosts[0].proto.resets, 1);
        for (int i = 0; i < 8; i++) {
            (void)world_say(&w, 1, 3, "x");
        }
        (void)world_until(&w, &w.hosts[3].proto.opened, 16);
        CHECK_EQ(w.hosts[1].proto.resets, 0);
        (void)world_say(&w, 2, 3, "x"); /* the seventeenth of all */
        (void)world_until(&w, &w.hosts[2].proto.resets, 1);
        CHECK_EQ(w.hosts[3].proto.opened, 16);
        cn_host_resources r = {0};
        cn_host_resources_of(w.hosts[3].h, &r);
        CHECK_EQ(r.counts.refused_streams, 2);
        /* One that ends makes room for one. */
        cn_host_reset_stream(w.hosts[3].h, w.hosts[3].proto.stream, 0);
        (void)world_until(&w, &w.hosts[1].proto.resets, 1);
        (void)world_say(&w, 2, 3, "x");
        (void)world_until(&w, &w.hosts[3].proto.opened, 17);
        world_end(&w);
    }
}

static void streams_of_a_peer_are_bounded_at_the_limit_and_one_past_it(void)
{
    cn_host_options o = {.streams_per_peer_max = 6};
    for (int pipes = 0; pipes < 2; pipes++) {
        world_begin(&w, 2, pipes == 1, &o);
        world_join(&w, 0, 1);
        for (int i = 0; i < 50; i++) {
            world_turn(&w); /* identify's streams end */
            cn_host_resources r = {0};
            cn_host_resources_of(w.hosts[0].h, &r);
            if (r.streams == 0) {
                break;
            }
        }
        cn_id id = CN_ID_NONE;
        for (int i = 0; i < 6; i++) {
            (void)world_say(&w, 0, 1, "x");
        }
        CHECK_ERR(
            cn_host_stream(w.hosts[0].h, &w.hosts[0].proto.p, &w.hosts[1].id, world_names, 2, &id),
            CN_ERR_TOO_LARGE);
        (void)world_until(&w, &w.hosts[1].proto.opened, 6);
        CHECK_EQ(w.hosts[0].proto.resets, 0);
        world_end(&w);
    }
}

static void bytes_are_counted(void)
{
    world_begin(&w, 2, false, NULL);
    world_join(&w, 0, 1);
    (void)world_say(&w, 0, 1, "0123456789");
    (void)world_until(&w, &w.hosts[1].proto.got_bytes, 10);
    cn_host_bandwidth a = {0};
    cn_host_bandwidth b = {0};
    cn_host_bandwidth_protocol(w.hosts[0].h, cn_str(world_names[0]), &a);
    cn_host_bandwidth_protocol(w.hosts[1].h, cn_str(world_names[0]), &b);
    CHECK(a.out_bytes >= 10 && a.out_bytes < 100);
    CHECK(b.in_bytes >= 10 && b.in_bytes < 100);
    cn_host_bandwidth_peer(w.hosts[0].h, &w.hosts[1].id, &a);
    cn_host_bandwidth_total(w.hosts[0].h, &b);
    CHECK(a.out_bytes > 0 && a.out_bytes == b.out_bytes && a.in_bytes == b.in_bytes);
    size_t position = 0;
    cn_host_conn c = {0};
    CHECK(cn_host_conns(w.hosts[0].h, &position, &c));
    CHECK(c.info.in_bytes > a.in_bytes && c.info.out_bytes > a.out_bytes);
    bool found = false;
    for (size_t i = 0; i < c.streams_len; i++) {
        found = found || strcmp(cn_host_conn_stream(w.hosts[0].h, c.id, i), world_names[0]) == 0;
    }
    CHECK(found);
    CHECK(cn_host_conn_stream(w.hosts[0].h, c.id, c.streams_len) == NULL);
    CHECK(!cn_host_conns(w.hosts[0].h, &position, &c));
    world_end(&w);
}

int main(void)
{
    TEST(early_bytes_wait_for_the_name_that_is_spoken);
    TEST(a_name_is_guessed_until_identify_tells);
    TEST(no_name_in_common_is_a_refusal);
    TEST(a_protocol_may_refuse_and_give_up);
    TEST(half_closed_is_half_open);
    TEST(who_does_not_read_stops_the_writer);
    TEST(streams_of_a_protocol_are_bounded_per_peer_and_in_all);
    TEST(streams_of_a_peer_are_bounded_at_the_limit_and_one_past_it);
    TEST(bytes_are_counted);
    return test_end();
}
