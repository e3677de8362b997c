/*
 * The asking side alone, against peers that a script plays. Time is a number.
 */
#include "exchange/bitswap/client.h"

#include "crypto/sha256.h"
#include "exchange/bitswap/message.h"
#include "lib/test.h"

enum { PEERS = 8, TOLD_MAX = 8192 };

/* What a peer was told, as it would keep it. */
typedef struct told {
    cn_cid cid;
    bool is_have;
    bool is_cancelled;
} told;

typedef struct peer {
    cn_client_peer *p;
    cn_peer_id id;
    told told[TOLD_MAX];
    size_t len;
} peer;

typedef struct wanter {
    cn_exchange_sink sink; /* first: cast back from it */
    size_t arrived;
    size_t idles;
    size_t failed;
    cn_id session;
} wanter;

static cn_mem mem;
static cn_client *c;
static peer peers[PEERS];
static wanter w;
static cn_time now;

static void on_arrived(cn_exchange_sink *s, const cn_cid *cid, cn_slice block)
{
    CN_UNUSED(cid);
    CN_UNUSED(block);
    ((wanter *)s)->arrived++;
}

static void on_idle(cn_exchange_sink *s, const cn_cid *cid)
{
    CN_UNUSED(cid);
    ((wanter *)s)->idles++;
}

static void on_failed(cn_exchange_sink *s, const cn_cid *cid, cn_err err, const char *sentence)
{
    CN_UNUSED(cid);
    CN_UNUSED(err);
    CN_UNUSED(sentence);
    ((wanter *)s)->failed++;
}

static const cn_exchange_sink_ops sink_ops = {on_arrived, on_idle, on_failed};

static cn_cid cid_of(uint64_t n)
{
    uint8_t digest[CN_SHA256_BYTES];
    cn_cid cid;
    cn_sha256(cn_slice_of(&n, sizeof n), digest);
    cn_multihash mh = {CN_MH_SHA2_256, {digest, sizeof digest}};
    CN_ASSERT(cn_cid_make(1, CN_CODEC_RAW, &mh, &cid) == CN_OK);
    return cid;
}

static void up(size_t i)
{
    uint8_t id[34] = {0x12, 32, (uint8_t)(i + 1)};
    peers[i] = (peer){.len = 0};
    CHECK_OK(cn_peer_id_decode(cn_slice_of(id, sizeof id), &peers[i].id));
    CHECK_OK(cn_client_peer_up(c, &peers[i].id, &peers[i], &peers[i].p));
}

static void begin(size_t peers_len)
{
    cn_mem_init(&mem, 0);
    now = (cn_time){CN_NS_PER_S};
    w = (wanter){.sink = {&sink_ops}};
    CHECK_OK(cn_client_new(&mem, 1, &c));
    for (size_t i = 0; i < peers_len; i++) {
        up(i);
    }
    CHECK_OK(cn_client_session(c, &w.sink, &w.session));
}

static void end(void)
{
    cn_client_free(c);
    CHECK_EQ(mem.used_bytes, 0);
}

static void want(uint64_t from, size_t len)
{
    for (uint64_t n = from; n < from + len; n++) {
        cn_cid cid = cid_of(n);
        CHECK_OK(cn_client_want(c, w.session, &cid, 1, now));
    }
}

/* Read what a peer is sent as its ledger would. */
static void read_entries(peer *p, cn_slice entries)
{
    cn_buf body;
    cn_message m;
    cn_message_item item;
    cn_buf_init(&body, cn_mem_default(), CN_MESSAGE_MAX_BYTES);
    CHECK_OK(cn_message_put_wantlist(&body, entries, false));
    CHECK_OK(cn_message_decode(cn_buf_slice(&body), &m, NULL));
    cn_message_iter it = cn_message_items(&m);
    while (cn_message_next(&it, &item)) {
        if (item.is_cancel) {
            for (size_t i = 0; i < p->len; i++) {
                p->told[i].is_cancelled |= cn_cid_eq(&p->told[i].cid, &item.cid);
            }
        } else if (p->len < TOLD_MAX) {
            CHECK(item.send_dont_have);
            p->told[p->len++] = (told){.cid = item.cid, .is_have = item.is_have};
        }
    }
    cn_buf_release(&body);
}

static void step(int64_t ms)
{
    cn_client_peer *p = NULL;
    now.ns += ms * CN_NS_PER_MS;
    cn_client_tick(c, now);
    cn_client_pump(c, now);
    while ((p = cn_client_next_dirty(c)) != NULL) {
        bool more = true;
        while (more) {
            cn_buf entries;
            cn_buf_init(&entries, cn_mem_default(), 1 << 20);
            CHECK_OK(cn_client_write(c, p, &entries, 4096, now, &more));
            read_entries(cn_client_owner(p), cn_buf_slice(&entries));
            cn_buf_release(&entries);
        }
    }
}

/* Wants of a kind told to a peer and not cancelled. */
static size_t count(const peer *p, bool is_have)
{
    size_t n = 0;
    for (size_t i = 0; i < p->len; i++) {
        n += p->told[i].is_have == is_have && !p->told[i].is_cancelled;
    }
    return n;
}

/* The peer sends a block and it is stored. */
static cn_client_match give(size_t peer_no, const cn_cid *cid)
{
    cn_client_match m = cn_client_block(c, peers[peer_no].p, cid, 1000, false, now);
    if (m == CN_CLIENT_WANTED) {
        cn_client_arrived(c, cid, cn_str("x"));
    }
    return m;
}

/* It sends all blocks it was asked for and has not sent. */
static size_t give_all(size_t peer_no, size_t max)
{
    peer *p = &peers[peer_no];
    size_t given = 0;
    for (size_t i = 0; i < p->len && given < max; i++) {
        told *t = &p->told[i];
        if (!t->is_have && !t->is_cancelled) {
            t->is_cancelled = true; /* answered */
            given += give(peer_no, &t->cid) == CN_CLIENT_WANTED;
        }
    }
    return given;
}

static void say(size_t peer_no, uint64_t n, bool has)
{
    cn_cid cid = cid_of(n);
    cn_client_presence(c, peers[peer_no].p, &cid, has, now);
}

static void one_is_asked_for_the_block_the_others_whether_they_have_it(void)
{
    begin(3);
    want(1, 1);
    step(1);
    size_t blocks = 0;
    size_t haves = 0;
    for (size_t i = 0; i < 3; i++) {
        blocks += count(&peers[i], false);
        haves += count(&peers[i], true);
    }
    CHECK_EQ(blocks, 1);
    CHECK_EQ(haves, 2);
    for (size_t i = 0; i < 3; i++) {
        (void)give_all(i, 10);
    }
    CHECK_EQ(w.arrived, 1);
    step(1);
    for (size_t i = 0; i < 3; i++) { /* those who were only asked are told that it is over */
        CHECK_EQ(count(&peers[i], true), 0);
    }
    end();
}

static void what_one_does_not_have_another_is_asked_for(void)
{
    begin(2);
    want(1, 1);
    step(1);
    size_t asked = count(&peers[0], false) == 1 ? 0 : 1;
    say(asked, 1, false);
    say(1 - asked, 1, true);
    step(1);
    CHECK_EQ(count(&peers[1 - asked], false), 1);
    CHECK_EQ(w.idles, 0);
    end();
}

static void when_all_say_no_the_session_is_idle_and_a_late_have_is_used(void)
{
    begin(3);
    want(1, 1);
    step(1);
    for (size_t i = 0; i < 3; i++) {
        say(i, 1, false);
    }
    step(1);
    CHECK_EQ(w.idles, 0);
    step(0);
    step(1);
    CHECK(w.idles >= 1);
    cn_exchange_asked asked[4];
    cn_cid cid = cid_of(1);
    CHECK_EQ(cn_client_asked(c, w.session, &cid, asked, 4), 3);
    CHECK_STR(asked[0].answer, "does not have it");
    say(1, 1, true);
    size_t before = count(&peers[1], false);
    step(1);
    CHECK_EQ(count(&peers[1], false), before + 1);
    CHECK_EQ(give_all(1, 10), 1);
    end();
}

static void a_peer_that_goes_loses_its_wants_to_others(void)
{
    begin(2);
    want(1, 20);
    step(1);
    size_t first = count(&peers[0], false) > 0 ? 0 : 1;
    for (uint64_t n = 1; n <= 20; n++) {
        say(1 - first, n, true);
    }
    step(1);
    cn_client_peer_down(c, peers[first].p);
    step(1);
    while (give_all(1 - first, 100) > 0) {
        step(1);
    }
    CHECK_EQ(w.arrived, 20);
    end();
}

static void a_silent_peer_loses_its_wants_to_others(void)
{
    begin(2);
    want(1, 10);
    step(1);
    size_t first = count(&peers[0], false) > 0 ? 0 : 1;
    for (uint64_t n = 1; n <= 10; n++) {
        say(1 - first, n, true);
    }
    for (int i = 0; i < 30; i++) {
        step(250);
        (void)give_all(1 - first, 100);
    }
    CHECK_EQ(w.arrived, 10);
    end();
}

static void a_silent_peer_that_comes_back_is_asked_again(void)
{
    begin(1);
    want(1, 10);
    for (int i = 0; i < 30; i++) {
        step(250);
    }
    CHECK(w.idles > 0);
    cn_cid cid = cid_of(1);
    CHECK_EQ(give(0, &cid), CN_CLIENT_WANTED);
    peers[0].len = 0; /* it has forgotten the others */
    step(1);
    while (give_all(0, 100) > 0) {
        step(1);
    }
    CHECK_EQ(w.arrived, 10);
    end();
}

/* It is alone, and was asked for a part only: the rest, which it never heard of, is not forgotten.
 */
static void a_silent_peer_that_comes_back_is_asked_the_rest(void)
{
    begin(1);
    want(1, 600);
    step(1);
    CHECK(count(&peers[0], false) < 100);
    for (int i = 0; i < 30; i++) {
        step(250);
    }
    cn_cid cid = peers[0].told[0].cid;
    CHECK_EQ(give(0, &cid), CN_CLIENT_WANTED);
    for (int i = 0; i < 100 && w.arrived < 600; i++) {
        step(1);
        (void)give_all(0, 100);
    }
    CHECK_EQ(w.arrived, 600);
    end();
}

static void a_liar_is_let_go(void)
{
    begin(2);
    want(1, 10);
    step(1);
    size_t liar = count(&peers[0], false) > 0 ? 0 : 1;
    for (uint64_t n = 0; n + 1 < CN_CLIENT_WRONG_MAX; n++) {
        cn_cid cid = cid_of(1000 + n);
        CHECK_EQ(give(liar, &cid), CN_CLIENT_WRONG);
    }
    cn_cid cid = cid_of(2000);
    CHECK_EQ(give(liar, &cid), CN_CLIENT_LET_GO);
    cn_client_peer_usable(c, peers[liar].p, false);
    for (int i = 0; i < 40; i++) {
        step(1);
        (void)give_all(1 - liar, 100);
        for (uint64_t n = 1; n <= 10; n++) {
            say(1 - liar, n, true);
        }
    }
    CHECK_EQ(w.arrived, 10);
    end();
}

static void an_old_peer_is_asked_for_blocks_only(void)
{
    begin(2);
    cn_client_peer_old(peers[0].p, true);
    cn_client_peer_old(peers[1].p, true);
    want(1, 1);
    step(1);
    CHECK_EQ(count(&peers[0], true) + count(&peers[1], true), 0);
    CHECK_EQ(count(&peers[0], false) + count(&peers[1], false), 1);
    size_t first = count(&peers[0], false) > 0 ? 0 : 1;
    for (int i = 0; i < 30; i++) { /* it says nothing of this, but lives */
        cn_client_peer_alive(peers[first].p, now);
        step(250);
    }
    CHECK_EQ(count(&peers[1 - first], false), 1);
    CHECK_EQ(give_all(1 - first, 1), 1);
    end();
}

static void duplicates_are_counted_and_no_lie(void)
{
    cn_client_stats stats;
    begin(2);
    want(1, 1);
    step(1);
    cn_cid cid = cid_of(1);
    CHECK_EQ(give(0, &cid), CN_CLIENT_WANTED);
    CHECK_EQ(give(0, &cid), CN_CLIENT_DUPLICATE);
    CHECK_EQ(give(1, &cid), CN_CLIENT_DUPLICATE);
    cn_client_stat(c, &stats);
    CHECK_EQ(stats.duplicates, 2);
    CHECK_EQ(stats.duplicate_bytes, 2000);
    CHECK_EQ(stats.wrong, 0);
    end();
}

static void no_peer_is_asked_for_more_than_it_keeps(void)
{
    cn_client_peer_stats stats;
    begin(1);
    want(0, 6000);
    step(1);
    /* it delivers quickly: the window opens to its bound and no further */
    for (int i = 0; i < 200; i++) {
        (void)give_all(0, 60);
        step(10);
        cn_client_peer_stat(peers[0].p, &stats);
        CHECK(stats.open <= CN_CLIENT_OPEN_MAX);
    }
    CHECK_EQ(w.arrived, 6000);
    end();
}

static void the_window_opens_to_what_is_delivered(void)
{
    cn_client_peer_stats stats;
    begin(1);
    want(0, 8000);
    step(1);
    for (int i = 0; i < 30; i++) {
        now.ns += 10 * CN_NS_PER_MS; /* its delay */
        (void)give_all(0, 60);
        step(0);
    }
    cn_client_peer_stat(peers[0].p, &stats);
    CHECK_EQ(stats.window, CN_CLIENT_OPEN_MAX);
    end();
}

/* The first answer tells of the round trip, not of the line: 256 KiB are asked for all the same. */
static void small_blocks_open_the_window_at_once(void)
{
    cn_client_peer_stats stats;
    begin(1);
    want(0, 1);
    step(1);
    now.ns += 60 * CN_NS_PER_MS;
    (void)give_all(0, 1);
    cn_client_peer_stat(peers[0].p, &stats);
    CHECK_EQ(stats.window, (256 << 10) / 1000);
    end();
}

static void peers_share_in_proportion(void)
{
    begin(2);
    want(0, 4000);
    step(1);
    for (uint64_t n = 0; n < CN_CLIENT_BROADCAST_WANTS; n++) {
        say(0, n, true);
        say(1, n, true);
    }
    size_t given[2] = {0, 0};
    for (int i = 0; i < 2000 && w.arrived < 4000; i++) {
        step(10);
        given[0] += give_all(0, 30);
        given[1] += give_all(1, 10);
    }
    CHECK_EQ(w.arrived, 4000);
    CHECK(given[0] > 2 * given[1]);
    CHECK(given[1] > 500);
    end();
}

static void what_was_lost_on_the_way_is_asked_again(void)
{
    cn_client_stats stats;
    begin(1);
    want(0, 4000);
    step(1);
    /* the first want is dropped there */
    peers[0].told[0].is_cancelled = true;
    for (int i = 0; i < 200; i++) {
        (void)give_all(0, 50);
        step(10);
    }
    (void)give_all(0, 50);
    cn_client_stat(c, &stats);
    CHECK_EQ(stats.resent, 1);
    CHECK_EQ(w.arrived, 4000);
    end();
}

static void the_last_want_is_not_lost_either(void)
{
    begin(1);
    want(0, 10);
    step(1);
    peers[0].told[0].is_cancelled = true; /* dropped there */
    (void)give_all(0, 50);
    CHECK_EQ(w.arrived, 9);
    for (int i = 0; i < 4 && w.arrived < 10; i++) { /* 1 s */
        step(250);
        (void)give_all(0, 50);
    }
    CHECK_EQ(w.arrived, 10);
    end();
}

static void what_is_not_wanted_any_more_is_cancelled(void)
{
    begin(1);
    want(0, 10);
    step(1);
    CHECK_EQ(count(&peers[0], false), 10);
    for (uint64_t n = 0; n < 5; n++) {
        cn_cid cid = cid_of(n);
        cn_client_cancel(c, w.session, &cid, 1);
    }
    step(1);
    CHECK_EQ(count(&peers[0], false), 5);
    cn_client_session_close(c, w.session);
    step(1);
    CHECK_EQ(count(&peers[0], false), 0);
    cn_client_stats stats;
    cn_client_stat(c, &stats);
    CHECK_EQ(stats.wants, 0);
    end();
}

static void two_sessions_want_the_same(void)
{
    wanter other = {.sink = {&sink_ops}};
    begin(1);
    CHECK_OK(cn_client_session(c, &other.sink, &other.session));
    want(0, 5);
    for (uint64_t n = 0; n < 5; n++) {
        cn_cid cid = cid_of(n);
        CHECK_OK(cn_client_want(c, other.session, &cid, 1, now));
    }
    step(1);
    CHECK_EQ(count(&peers[0], false), 5);
    cn_client_session_close(c, w.session); /* the other takes them over */
    step(1);
    CHECK_EQ(count(&peers[0], false), 5);
    CHECK_EQ(give_all(0, 10), 5);
    CHECK_EQ(other.arrived, 5);
    CHECK_EQ(w.arrived, 0);
    end();
}

static void a_block_that_cannot_be_kept_is_told(void)
{
    begin(1);
    want(0, 1);
    step(1);
    cn_cid cid = cid_of(0);
    CHECK_EQ(cn_client_block(c, peers[0].p, &cid, 10, false, now), CN_CLIENT_WANTED);
    cn_client_failed(c, &cid, CN_ERR_NO_SPACE, "the disk is full");
    CHECK_EQ(w.failed, 1);
    end();
}

/* Everything once, with memory that may fail anywhere. */
static cn_err attempt(cn_mem *m)
{
    cn_client *x = NULL;
    cn_client_peer *p = NULL;
    cn_id session = CN_ID_NONE;
    cn_cid cids[3] = {cid_of(1), cid_of(2), cid_of(3)};
    cn_peer_id id = peers[0].id;
    cn_time at = {CN_NS_PER_S};
    bool more = false;
    cn_buf entries;
    long long failing = m->fail_after;
    cn_err err = CN_OK;
    cn_buf_init(&entries, m, 1 << 20);
    CN_TRY(cn_client_new(m, 1, &x));
    CN_TRY(cn_client_peer_up(x, &id, NULL, &p));
    CN_TRY(cn_client_session(x, &w.sink, &session));
    CN_TRY(cn_client_want(x, session, cids, 3, at));
    cn_client_pump(x, at);
    cn_client_tick(x, (cn_time){at.ns + CN_NS_PER_S});
    CN_TRY(cn_client_write(x, p, &entries, 4096, at, &more));
    cn_client_presence(x, p, &cids[1], false, at);
    (void)cn_client_block(x, p, &cids[0], 10, false, at);
    cn_client_arrived(x, &cids[0], cn_str("x"));
    cn_client_cancel(x, session, &cids[2], 1);
    CN_TRY(cn_client_write(x, p, &entries, 4096, at, &more));
out:
    CN_UNUSED(failing);
    cn_client_free(x);
    cn_buf_release(&entries);
    return err == CN_OK && m->used_bytes == 0 && failing != 0 && m->fail_after == 0
               ? CN_ERR_NO_MEMORY /* it failed where that only delays */
               : err;
}

static void running_out_of_memory_is_an_error(void)
{
    begin(1);
    test_out_of_memory(attempt);
    end();
}

int main(void)
{
    TEST(one_is_asked_for_the_block_the_others_whether_they_have_it);
    TEST(what_one_does_not_have_another_is_asked_for);
    TEST(when_all_say_no_the_session_is_idle_and_a_late_have_is_used);
    TEST(a_peer_that_goes_loses_its_wants_to_others);
    TEST(a_silent_peer_loses_its_wants_to_others);
    TEST(a_silent_peer_that_comes_back_is_asked_again);
    TEST(a_silent_peer_that_comes_back_is_asked_the_rest);
    TEST(a_liar_is_let_go);
    TEST(an_old_peer_is_asked_for_blocks_only);
    TEST(duplicates_are_counted_and_no_lie);
    TEST(no_peer_is_asked_for_more_than_it_keeps);
    TEST(the_window_opens_to_what_is_delivered);
    TEST(small_blocks_open_the_window_at_once);
    TEST(peers_share_in_proportion);
    TEST(what_was_lost_on_the_way_is_asked_again);
    TEST(the_last_want_is_not_lost_either);
    TEST(what_is_not_wanted_any_more_is_cancelled);
    TEST(two_sessions_want_the_same);
    TEST(a_block_that_cannot_be_kept_is_told);
    TEST(running_out_of_memory_is_an_error);
    return test_end();
}
