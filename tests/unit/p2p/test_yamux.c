/*
 * yamux: frames as the spec has them, windows, two ends joined by bytes cut anywhere, and what a
 * hostile peer may send.
 */
#include "base/prng.h"
#include "lib/test.h"
#include "p2p/muxer/yamux.h"

enum { SIDES = 2, STREAMS = 24 };

typedef struct side {
    cn_muxer *m;
    cn_buf wire; /* what the other side has sent and this one has not read */
} side;

static cn_muxer_options options(bool is_initiator)
{
    return (cn_muxer_options){
        .mem = cn_mem_default(),
        .is_initiator = is_initiator,
        .streams_in_max = 64,
        .streams_out_max = 64,
        .window_max_bytes = 16 << 20,
        .queued_max_bytes = 1 << 20,
        .ping_interval_ns = 30 * CN_NS_PER_S,
        .ping_timeout_ns = 10 * CN_NS_PER_S,
    };
}

static cn_muxer *new_end(bool is_initiator)
{
    cn_muxer *m = NULL;
    cn_muxer_options o = options(is_initiator);
    CHECK_OK(cn_yamux.open(&o, (cn_time){1}, &m));
    return m;
}

/* Move all that `m` wants to send behind `to`. */
static size_t pump(cn_muxer *m, cn_buf *to, cn_time now)
{
    cn_slice parts[32];
    size_t parts_len = 0;
    size_t sum = 0;
    size_t len = 0;
    while ((len = cn_muxer_pull(m, 1 << 18, parts, CN_LEN(parts), &parts_len, now)) > 0) {
        size_t check = 0;
        for (size_t i = 0; i < parts_len; i++) {
            check += parts[i].len;
            CHECK_OK(cn_buf_append(to, parts[i]));
        }
        CHECK_EQ(check, len);
        cn_muxer_pulled(m);
        sum += len;
    }
    cn_muxer_pulled(m);
    return sum;
}

static cn_buf bytes_of(const char *text)
{
    cn_buf b = {0};
    cn_buf_init(&b, cn_mem_default(), 1 << 24);
    CHECK_OK(cn_buf_text(&b, text));
    return b;
}

static cn_err feed(cn_muxer *m, cn_slice *in, cn_mux_event *ret, bool *ret_have)
{
    return cn_muxer_next(m, in, (cn_time){2}, ret, ret_have, NULL);
}

static void an_end_that_does_not_fit_goes_next(void)
{
    cn_muxer *m = new_end(true);
    cn_buf wire = {0};
    cn_buf text = bytes_of("hello");
    cn_slice parts[4];
    size_t parts_len = 0;
    cn_stream_no no = 0;
    static const uint8_t end[] = {0, 1, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0};
    cn_buf_init(&wire, cn_mem_default(), 1 << 20);
    CHECK_OK(cn_muxer_open(m, &no));
    pump(m, &wire, (cn_time){1});
    CHECK_OK(cn_muxer_write(m, no, &text));
    cn_muxer_close(m, no);
    CHECK_EQ(cn_muxer_pull(m, 12 + 5 + 11, parts, CN_LEN(parts), &parts_len, (cn_time){1}), 12 + 5);
    cn_muxer_pulled(m);
    CHECK_EQ(cn_muxer_pull(m, 1 << 18, parts, CN_LEN(parts), &parts_len, (cn_time){1}), 12);
    CHECK_BYTES(parts[0], cn_slice_of(end, sizeof end));
    cn_muxer_pulled(m);
    CHECK_EQ(cn_muxer_pull(m, 1 << 18, parts, CN_LEN(parts), &parts_len, (cn_time){1}), 0);
    cn_muxer_pulled(m);
    cn_buf_release(&text);
    cn_buf_release(&wire);
    cn_muxer_free(m);
}

static void a_stream_opens_speaks_and_ends(void)
{
    cn_muxer *a = new_end(true);
    cn_buf wire = {0};
    cn_stream_no no = 0;
    cn_buf text = bytes_of("hello");
    cn_buf_init(&wire, cn_mem_default(), 1 << 20);
    CHECK_OK(cn_muxer_open(a, &no));
    CHECK_EQ(no, 1);
    CHECK_OK(cn_muxer_write(a, no, &text));
    CHECK_EQ(text.len, 0);
    cn_muxer_close(a, no);
    pump(a, &wire, (cn_time){1});
    static const uint8_t expected[] = {
        0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1,                          /* ping */
        0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0,                          /* window, SYN */
        0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', /* data */
        0, 1, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0,                          /* FIN, apart: js needs it */
    };
    CHECK_BYTES(cn_buf_slice(&wire), cn_slice_of(expected, sizeof(expected)));

    cn_muxer *b = new_end(false);
    cn_slice in = cn_buf_slice(&wire);
    cn_mux_event e = {0};
    bool have = false;
    CHECK_OK(feed(b, &in, &e, &have));
    CHECK(have && e.kind == CN_MUX_OPENED && e.stream == 1);
    CHECK_OK(feed(b, &in, &e, &have));
    CHECK(have && e.kind == CN_MUX_DATA && cn_slice_is(e.data, "hello"));
    CHECK_OK(feed(b, &in, &e, &have));
    CHECK(have && e.kind == CN_MUX_FIN);
    CHECK_OK(feed(b, &in, &e, &have));
    CHECK(!have);
    CHECK_EQ(cn_muxer_streams(b), 1);
    cn_muxer_close(b, 1);
    cn_buf_reset(&wire);
    pump(b, &wire, (cn_time){1});
    CHECK_EQ(cn_muxer_streams(b), 0);
    in = cn_buf_slice(&wire);
    CHECK_OK(feed(a, &in, &e, &have));
    while (have && e.kind != CN_MUX_FIN) {
        CHECK_OK(feed(a, &in, &e, &have));
    }
    CHECK(have);
    CHECK_EQ(cn_muxer_streams(a), 0);
    cn_buf_release(&wire);
    cn_muxer_free(a);
    cn_muxer_free(b);
}

/* Feed raw frames to a fresh responder until it has used all; the error it ends with. */
static cn_err feed_raw(const uint8_t *raw, size_t len)
{
    cn_muxer *m = new_end(false);
    cn_slice in = cn_slice_of(raw, len);
    cn_mux_event e = {0};
    bool have = true;
    cn_err err = CN_OK;
    while (err == CN_OK && have) {
        err = feed(m, &in, &e, &have);
    }
    cn_muxer_free(m);
    return err;
}

static void broken_frames_end_the_connection(void)
{
    static const struct {
        uint8_t raw[24];
        size_t len;
        cn_err err;
    } cases[] = {
        {{1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, 12, CN_ERR_MALFORMED},             /* version */
        {{0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, 12, CN_ERR_MALFORMED},             /* type */
        {{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 12, CN_ERR_MALFORMED},             /* stream 0 */
        {{0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0}, 12, CN_ERR_MALFORMED},             /* our parity */
        {{0, 0, 0, 1, 0, 0, 0, 1, 0, 4, 0, 1}, 12, CN_ERR_MALFORMED},             /* 256 KiB + 1 */
        {{0, 1, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}, 12, CN_ERR_MALFORMED}, /* 4 GiB */
        {{0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0},
         24,
         CN_ERR_MALFORMED}, /* the same number twice */
        {{0, 1, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1},
         24,
         CN_ERR_MALFORMED},                                               /* data behind FIN */
        {{0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 3, 'x', 'y', 'z'}, 15, CN_OK}, /* unknown: ignored */
        {{0, 1, 0, 8, 0, 0, 0, 9, 0xff, 0xff, 0xff, 0xff}, 12, CN_OK},    /* RST with a code */
        {{0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7}, 12, CN_OK},                /* pong not asked for */
    };
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        CHECK_ERR(feed_raw(cases[i].raw, cases[i].len), cases[i].err);
    }
}

static void a_flood_of_pings_or_streams_is_cut(void)
{
    cn_buf raw = {0};
    uint8_t frame[CN_YAMUX_HEADER_BYTES] = {0, 2, 0, 1};
    cn_buf_init(&raw, cn_mem_default(), 1 << 20);
    for (int i = 0; i < 600; i++) {
        CHECK_OK(cn_buf_append(&raw, cn_slice_of(frame, sizeof(frame))));
    }
    CHECK_ERR(feed_raw(raw.data, raw.len), CN_ERR_TOO_LARGE);
    cn_buf_reset(&raw);
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t syn[CN_YAMUX_HEADER_BYTES] = {
            0, 1, 0, 1, 0, 0, (uint8_t)((2 * i + 1) >> 8), (uint8_t)(2 * i + 1)};
        CHECK_OK(cn_buf_append(&raw, cn_slice_of(syn, sizeof(syn))));
    }
    CHECK_ERR(feed_raw(raw.data, raw.len), CN_ERR_TOO_LARGE);
    cn_buf_release(&raw);
}

static void streams_beyond_the_limit_are_reset_the_others_live(void)
{
    cn_muxer *m = new_end(false);
    cn_buf out = {0};
    cn_mux_event e = {0};
    size_t opened = 0;
    cn_buf_init(&out, cn_mem_default(), 1 << 20);
    for (unsigned i = 0; i < 70; i++) {
        uint8_t syn[CN_YAMUX_HEADER_BYTES] = {0, 1, 0, 1, 0, 0, 0, (uint8_t)(2 * i + 1)};
        cn_slice in = cn_slice_of(syn, sizeof(syn));
        bool have = false;
        CHECK_OK(feed(m, &in, &e, &have));
        opened += have ? 1 : 0;
    }
    CHECK_EQ(opened, 64);
    CHECK_EQ(cn_muxer_streams(m), 64);
    pump(m, &out, (cn_time){1});
    size_t resets = 0;
    for (size_t at = 0; at + 12 <= out.len; at += 12) {
        resets += (out.data[at + 3] & 8) != 0 ? 1 : 0;
    }
    CHECK_EQ(resets, 6);
    cn_buf_release(&out);
    cn_muxer_free(m);
}

/* What one side of a random run has sent and got on each stream. */
typedef struct record {
    uint64_t sent;
    uint64_t got;
    uint64_t held; /* got, not yet consumed */
    bool closed;
    bool ended;
} record;

static uint8_t byte_at(cn_stream_no no, int from, uint64_t at)
{
    return (uint8_t)(no * 31 + (uint64_t)from * 7 + at * 13 + (at >> 8));
}

static void write_some(side *s, record *r, cn_stream_no no, int from, cn_prng *prng)
{
    cn_buf b = {0};
    size_t room = cn_muxer_room(s->m, no);
    size_t len = (size_t)cn_prng_below(prng, 200000);
    len = CN_MIN(len, room);
    cn_buf_init(&b, cn_mem_default(), 1 << 20);
    CHECK_OK(cn_buf_reserve(&b, len));
    for (size_t i = 0; i < len; i++) {
        b.data[i] = byte_at(no, from, r->sent + i);
    }
    b.len = len;
    if (len > 0 && !r->closed) {
        CHECK_OK(cn_muxer_write(s->m, no, &b));
        r->sent += len;
    }
    cn_buf_release(&b);
}

static void read_some(side *s, record *records, int from, cn_prng *prng, cn_time now)
{
    size_t cut = (size_t)cn_prng_below(prng, 150000);
    cn_slice in = cn_slice_head(cn_buf_slice(&s->wire), cut);
    size_t taken = in.len;
    cn_mux_event e = {0};
    bool have = true;
    while (have) {
        if (!CHECK_OK(cn_muxer_next(s->m, &in, now, &e, &have, NULL))) {
            return;
        }
        if (!have) {
            break;
        }
        record *r = &records[e.stream % (2 * STREAMS + 2)];
        if (e.kind == CN_MUX_DATA) {
            bool same = true;
            for (size_t i = 0; i < e.data.len; i++) {
                same = same && e.data.data[i] == byte_at(e.stream, from, r->got + i);
            }
            CHECK(same);
            r->got += e.data.len;
            r->held += e.data.len;
        }
        r->ended = r->ended || e.kind == CN_MUX_FIN;
        CHECK(e.kind != CN_MUX_RESET);
    }
    cn_buf_skip(&s->wire, taken);
}

static void consume(side *s, record *records, cn_time now)
{
    for (size_t no = 1; no < 2 * STREAMS + 2; no++) {
        cn_muxer_consumed(s->m, no, (size_t)records[no].held, now);
        records[no].held = 0;
    }
}

/* Two ends, streams from both, bytes cut anywhere: all that was sent arrives, in order, and ends.
 */
static void random_run(uint64_t seed)
{
    static record records[SIDES][2 * STREAMS + 2];
    cn_prng prng = {0};
    side sides[SIDES] = {{new_end(true), {0}}, {new_end(false), {0}}};
    cn_time now = {1};
    cn_prng_init(&prng, seed);
    for (int i = 0; i < SIDES; i++) {
        cn_buf_init(&sides[i].wire, cn_mem_default(), 1 << 28);
        for (size_t n = 0; n < CN_LEN(records[i]); n++) {
            records[i][n] = (record){0};
        }
        for (int n = 0; n < STREAMS; n++) {
            cn_stream_no no = 0;
            CHECK_OK(cn_muxer_open(sides[i].m, &no));
        }
    }
    for (int turn = 0; turn < 3000; turn++) {
        int i = (int)cn_prng_below(&prng, SIDES);
        cn_stream_no no = 1 + cn_prng_below(&prng, 2 * STREAMS);
        record *r = &records[i][no];
        now = cn_time_after(now, (int64_t)cn_prng_below(&prng, 100000));
        bool is_mine = (no % 2 == 1) == (i == 0);
        bool is_late = turn > 1500;
        if (!r->closed && (is_mine || r->got > 0)) {
            if (!is_late) {
                write_some(&sides[i], r, no, i, &prng);
            }
            if (turn > 1000 && cn_prng_below(&prng, 20) == 0) {
                cn_muxer_close(sides[i].m, no);
                r->closed = true;
            }
        }
        pump(sides[i].m, &sides[1 - i].wire, now);
        read_some(&sides[i], records[i], 1 - i, &prng, now);
        consume(&sides[i], records[i], now);
    }
    for (int turn = 0; turn < 4000; turn++) {
        int i = turn % 2;
        for (cn_stream_no no = 1; turn < 2 && no <= 2 * STREAMS; no++) {
            cn_muxer_close(sides[i].m, no);
            records[i][no].closed = true;
        }
        pump(sides[i].m, &sides[1 - i].wire, now);
        read_some(&sides[i], records[i], 1 - i, &prng, now);
        consume(&sides[i], records[i], now);
    }
    for (int i = 0; i < SIDES; i++) {
        for (size_t no = 1; no <= 2 * STREAMS; no++) {
            CHECK_EQ(records[i][no].got, records[1 - i][no].sent);
        }
        CHECK_EQ(cn_muxer_streams(sides[i].m), 0);
        CHECK_EQ(cn_muxer_held_bytes(sides[i].m), 0);
    }
    for (int i = 0; i < SIDES; i++) {
        cn_buf_release(&sides[i].wire);
        cn_muxer_free(sides[i].m);
    }
}

static void all_that_is_sent_arrives(void)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        random_run(seed);
    }
}

/* Join two ends by a link of a fixed delay; how many bytes pass in a time. */
static uint64_t passed_in(int64_t rtt_ns, int64_t for_ns)
{
    cn_muxer *a = new_end(true);
    cn_muxer *b = new_end(false);
    cn_buf to_b = {0};
    cn_buf to_a = {0};
    cn_stream_no no = 0;
    uint64_t got = 0;
    cn_buf_init(&to_b, cn_mem_default(), 1 << 28);
    cn_buf_init(&to_a, cn_mem_default(), 1 << 28);
    CHECK_OK(cn_muxer_open(a, &no));
    for (cn_time now = {1}; now.ns < for_ns; now.ns += rtt_ns / 2) {
        size_t room = cn_muxer_room(a, no);
        cn_buf data = {0};
        cn_buf_init(&data, cn_mem_default(), 1 << 25);
        for (int i = 0; i < 20 && (room > 0 || i < 20); i++) {
            CHECK_OK(cn_buf_reserve(&data, 1 << 20));
            data.len = 1 << 20;
            CHECK_OK(cn_muxer_write(a, no, &data));
            cn_buf_init(&data, cn_mem_default(), 1 << 25);
            if (cn_muxer_room(a, no) == 0 && cn_muxer_held_bytes(a) > (32 << 20)) {
                break;
            }
        }
        cn_slice in_a = cn_buf_slice(&to_a);
        cn_slice in_b = cn_buf_slice(&to_b);
        cn_mux_event e = {0};
        bool have = true;
        while (have) {
            CHECK_OK(cn_muxer_next(b, &in_b, now, &e, &have, NULL));
            if (have && e.kind == CN_MUX_DATA) {
                got += e.data.len;
                cn_muxer_consumed(b, e.stream, e.data.len, now);
            }
        }
        have = true;
        while (have) {
            CHECK_OK(cn_muxer_next(a, &in_a, now, &e, &have, NULL));
        }
        cn_buf_reset(&to_a);
        cn_buf_reset(&to_b);
        pump(a, &to_b, now);
        pump(b, &to_a, now);
    }
    cn_buf_release(&to_a);
    cn_buf_release(&to_b);
    cn_muxer_free(a);
    cn_muxer_free(b);
    return got;
}

static void the_window_grows_with_the_round_trip(void)
{
    uint64_t got = passed_in(60 * CN_NS_PER_MS, 3 * CN_NS_PER_S);
    /* 256 KiB a round trip would be 12.5 MiB in 3 s. */
    CHECK(got > 100u << 20);
}

static void the_budget_of_windows_holds(void)
{
    atomic_size_t windows = 0;
    cn_muxer_options o = options(false);
    cn_muxer *m = NULL;
    o.windows_bytes = &windows;
    o.windows_max_bytes = 1 << 20;
    CHECK_OK(cn_yamux.open(&o, (cn_time){1}, &m));
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), 1 << 20);
    pump(m, &out, (cn_time){1});
    uint8_t pong[] = {0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1};
    uint8_t syn[] = {0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0};
    uint8_t head[] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0};
    static uint8_t data[128 << 10];
    cn_slice ins[] = {cn_slice_of(pong, 12), cn_slice_of(syn, 12)};
    cn_mux_event e = {0};
    bool have = true;
    for (size_t i = 0; i < CN_LEN(ins); i++) {
        for (have = true; have;) {
            CHECK_OK(cn_muxer_next(m, &ins[i], (cn_time){100 * CN_NS_PER_MS}, &e, &have, NULL));
        }
    }
    for (int i = 0; i < 200; i++) {
        cn_slice in = cn_slice_of(head, sizeof(head));
        CHECK_OK(cn_muxer_next(m, &in, (cn_time){100 * CN_NS_PER_MS + i}, &e, &have, NULL));
        in = cn_slice_of(data, sizeof(data));
        CHECK_OK(cn_muxer_next(m, &in, (cn_time){100 * CN_NS_PER_MS + i}, &e, &have, NULL));
        CHECK(have && e.kind == CN_MUX_DATA);
        cn_muxer_consumed(m, 1, sizeof(data), (cn_time){100 * CN_NS_PER_MS + i});
        cn_buf_reset(&out);
        pump(m, &out, (cn_time){1});
    }
    /* 256 KiB to 1 MiB takes 768 KiB of the budget; doubling again would take 1 MiB more. */
    CHECK_EQ(windows, 768 << 10);
    cn_buf_release(&out);
    cn_muxer_free(m);
    CHECK_EQ(windows, 0);
}

static void a_dead_peer_is_noticed(void)
{
    cn_muxer *m = new_end(true);
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), 1 << 20);
    pump(m, &out, (cn_time){1});
    cn_time at = cn_muxer_deadline(m);
    CHECK_EQ(at.ns, 1 + 10 * CN_NS_PER_S);
    CHECK_OK(cn_muxer_tick(m, (cn_time){at.ns - 1}));
    CHECK_ERR(cn_muxer_tick(m, at), CN_ERR_TIMEOUT);
    cn_buf_release(&out);
    cn_muxer_free(m);
}

/* The other side reads nothing: the transport is full, and the ping never leaves. */
static void a_peer_that_takes_nothing_is_noticed(void)
{
    cn_muxer *m = new_end(true);
    cn_buf out = {0};
    CHECK_EQ(cn_muxer_deadline(m).ns, 1 + 10 * CN_NS_PER_S);
    CHECK_OK(cn_muxer_tick(m, (cn_time){10 * CN_NS_PER_S}));
    CHECK_ERR(cn_muxer_tick(m, (cn_time){1 + 10 * CN_NS_PER_S}), CN_ERR_TIMEOUT);
    cn_muxer_free(m);
    /* And later, when the first ping was answered. */
    static const uint8_t pong[] = {0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1};
    cn_slice in = cn_slice_of(pong, sizeof(pong));
    cn_mux_event e = {0};
    bool have = false;
    m = new_end(true);
    cn_buf_init(&out, cn_mem_default(), 1 << 20);
    pump(m, &out, (cn_time){1});
    CHECK_OK(cn_muxer_next(m, &in, (cn_time){2}, &e, &have, NULL));
    CHECK(have && e.kind == CN_MUX_RTT);
    cn_time at = cn_muxer_deadline(m);
    CHECK_EQ(at.ns, 2 + 30 * CN_NS_PER_S);
    CHECK_OK(cn_muxer_tick(m, at));
    CHECK_EQ(cn_muxer_deadline(m).ns, at.ns + 10 * CN_NS_PER_S);
    CHECK_ERR(cn_muxer_tick(m, cn_muxer_deadline(m)), CN_ERR_TIMEOUT);
    cn_buf_release(&out);
    cn_muxer_free(m);
}

/* The answer to a ping stands behind data on a slow line: what comes in shows life. */
static void a_slow_peer_is_not_a_dead_one(void)
{
    static const uint8_t ping[] = {0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7};
    cn_mux_event e = {0};
    bool have = false;
    cn_muxer *m = new_end(true);
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), 1 << 20);
    pump(m, &out, (cn_time){0});
    for (int64_t s = 9; s < 50; s += 9) {
        cn_slice in = cn_slice_of(ping, sizeof(ping));
        CHECK_OK(cn_muxer_tick(m, (cn_time){s * CN_NS_PER_S}));
        CHECK_OK(cn_muxer_next(m, &in, (cn_time){s * CN_NS_PER_S}, &e, &have, NULL));
        pump(m, &out, (cn_time){s * CN_NS_PER_S});
    }
    CHECK_EQ(cn_muxer_deadline(m).ns, 55 * CN_NS_PER_S);
    CHECK_ERR(cn_muxer_tick(m, (cn_time){55 * CN_NS_PER_S}), CN_ERR_TIMEOUT);
    cn_buf_release(&out);
    cn_muxer_free(m);
}

static void late_frames_of_a_reset_stream_are_ignored(void)
{
    cn_muxer *a = new_end(true);
    cn_stream_no no = 0;
    cn_buf out = {0};
    cn_mux_event e = {0};
    bool have = false;
    cn_buf_init(&out, cn_mem_default(), 1 << 20);
    CHECK_OK(cn_muxer_open(a, &no));
    pump(a, &out, (cn_time){1});
    cn_muxer_reset(a, no, 0x1001);
    cn_buf_reset(&out);
    pump(a, &out, (cn_time){1});
    static const uint8_t rst[] = {0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0x10, 1};
    CHECK_BYTES(cn_buf_slice(&out), cn_slice_of(rst, sizeof(rst)));
    static const uint8_t late[] = {0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 'o', 'k'};
    cn_slice in = cn_slice_of(late, sizeof(late));
    CHECK_OK(feed(a, &in, &e, &have));
    CHECK(!have && in.len == 0);
    cn_buf text = bytes_of("x");
    CHECK_ERR(cn_muxer_write(a, no, &text), CN_ERR_CLOSED);
    cn_buf_release(&text);
    cn_buf_release(&out);
    cn_muxer_free(a);
}

static void frame_to(cn_buf *wire, const uint8_t header[12], size_t data_bytes)
{
    CHECK_OK(cn_buf_append(wire, cn_slice_of(header, 12)));
    for (size_t i = 0; i < data_bytes; i++) {
        CHECK_OK(cn_buf_byte(wire, 'x'));
    }
}

/* Work is what moves few bytes: 512 are enough, one less is not. */
static void work_is_counted(void)
{
    static const uint8_t open[] = {0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0};
    static const uint8_t small[] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 255};
    static const uint8_t large[] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 0};
    static const uint8_t reset[] = {0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0};
    static const uint8_t lost[] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x10, 0};
    static const uint64_t expected[] = {5, 6, 6, 7, 11};
    cn_muxer *m = new_end(false);
    cn_buf wire = {0};
    cn_mux_event e = {0};
    cn_buf_init(&wire, cn_mem_default(), 1 << 20);
    for (size_t i = 0; i < CN_LEN(expected); i++) {
        cn_buf_reset(&wire);
        frame_to(
            &wire,
            i == 0   ? open
            : i == 1 ? small
            : i == 2 ? large
            : i == 3 ? reset
                     : lost,
            i == 1   ? 511
            : i == 2 ? 512
            : i == 4 ? 4096
                     : 0);
        cn_slice in = cn_buf_slice(&wire);
        bool have = true;
        while (have) {
            CHECK_OK(feed(m, &in, &e, &have));
        }
        CHECK_EQ(cn_muxer_work(m), expected[i]);
    }
    cn_buf_release(&wire);
    cn_muxer_free(m);
}

/* What waits in the node shrinks the room of each stream, down to one message at a time. */
static void the_budget_of_queues_holds(void)
{
    atomic_size_t queued = 0;
    cn_muxer *m = NULL;
    cn_muxer_options o = options(true);
    cn_stream_no no = 0;
    cn_stream_no other = 0;
    cn_buf text = bytes_of("waits");
    o.queued_max_bytes = 1600;
    o.queued_bytes = &queued;
    o.queued_all_max_bytes = 10000;
    CHECK_OK(cn_yamux.open(&o, (cn_time){1}, &m));
    CHECK_OK(cn_muxer_open(m, &no));
    CHECK_OK(cn_muxer_open(m, &other));
    queued = 4999;
    CHECK_EQ(cn_muxer_room(m, no), 1600);
    queued = 5000;
    CHECK_EQ(cn_muxer_room(m, no), 100);
    queued = 9999;
    CHECK_EQ(cn_muxer_room(m, no), 100);
    queued = 10000;
    CHECK_EQ(cn_muxer_room(m, no), 1);
    CHECK_OK(cn_muxer_write(m, no, &text));
    CHECK(queued > 10000);
    CHECK_EQ(cn_muxer_room(m, no), 0);
    CHECK_EQ(cn_muxer_room(m, other), 1);
    cn_muxer_reset(m, no, 0);
    CHECK_EQ(queued, 10000);
    cn_muxer_free(m);
    CHECK_EQ(queued, 10000);
}

/* go gives numbers and sends them in two steps: streams opened at once may come out of order. */
static void numbers_may_come_out_of_order(void)
{
    static const uint8_t order[] = {5, 1, 3, 9, 7};
    uint8_t raw[CN_LEN(order) * 12 + 12] = {0};
    for (size_t i = 0; i <= CN_LEN(order); i++) {
        raw[12 * i + 1] = 1;
        raw[12 * i + 3] = 1;
        raw[12 * i + 7] = i < CN_LEN(order) ? order[i] : 3;
    }
    CHECK_OK(feed_raw(raw, sizeof raw - 12));
    CHECK_ERR(feed_raw(raw, sizeof raw), CN_ERR_MALFORMED); /* 3 a second time */
    raw[7] = 151;
    CHECK_OK(feed_raw(raw, 12));
    CHECK_ERR(feed_raw(raw, 24), CN_ERR_MALFORMED); /* 1 is too far behind */
}

int main(void)
{
    TEST(an_end_that_does_not_fit_goes_next);
    TEST(a_stream_opens_speaks_and_ends);
    TEST(broken_frames_end_the_connection);
    TEST(a_flood_of_pings_or_streams_is_cut);
    TEST(streams_beyond_the_limit_are_reset_the_others_live);
    TEST(all_that_is_sent_arrives);
    TEST(the_window_grows_with_the_round_trip);
    TEST(the_budget_of_windows_holds);
    TEST(a_dead_peer_is_noticed);
    TEST(a_peer_that_takes_nothing_is_noticed);
    TEST(a_slow_peer_is_not_a_dead_one);
    TEST(late_frames_of_a_reset_stream_are_ignored);
    TEST(work_is_counted);
    TEST(the_budget_of_queues_holds);
    TEST(numbers_may_come_out_of_order);
    return test_end();
}
