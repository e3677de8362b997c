/*
 * The address book: what is learnt, how it ages, what a signed record does, who goes at each limit,
 * and that its bytes are counted right whatever happens.
 */
#include "p2p/host/book.h"

#include "base/prng.h"
#include "host_lib.h"

#include <stdio.h>

static cn_book *new_book(size_t peers, size_t addresses, size_t bytes)
{
    cn_book *b = NULL;
    const cn_book_limits limits = {peers, addresses, bytes, 7};
    CHECK_OK(cn_book_new(cn_mem_default(), &limits, &b));
    return b;
}

static void learn(
    cn_book *b,
    unsigned number,
    const char *text,
    cn_book_source source,
    int64_t ttl_s,
    int64_t now)
{
    cn_peer_id peer = peer_of(number);
    cn_slice address = address_of(text);
    const cn_book_terms terms = {
        source, ttl_s == 0 ? CN_BOOK_TTL_PERMANENT_NS : ttl_s * CN_NS_PER_S};
    CHECK_OK(cn_book_learn(b, &peer, &address, 1, &terms, at_s(now)));
}

/* How many addresses of a peer are known. */
static size_t known(cn_book *b, unsigned number, int64_t now)
{
    cn_peer_id peer = peer_of(number);
    cn_book_peer got = {0};
    return cn_book_find(b, &peer, at_s(now), &got) ? got.addresses_len : 0;
}

static bool has(cn_book *b, unsigned number, const char *text, int64_t now)
{
    cn_peer_id peer = peer_of(number);
    cn_book_peer got = {0};
    bool found = cn_book_find(b, &peer, at_s(now), &got);
    for (size_t i = 0; found && i < got.addresses_len; i++) {
        if (cn_slice_eq(got.addresses[i], address_of(text))) {
            return true;
        }
    }
    return false;
}

static void addresses_run_out(void)
{
    cn_book *b = new_book(0, 0, 0);
    learn(b, 1, "/ip4/1.2.3.4/tcp/1", CN_BOOK_HEARSAY, 120, 0);
    learn(b, 1, "/ip4/1.2.3.4/tcp/2", CN_BOOK_TOLD, 3600, 0);
    learn(b, 2, "/ip4/1.2.3.4/tcp/3", CN_BOOK_GIVEN, 0, 0);
    CHECK_EQ(known(b, 1, 119), 2);
    CHECK_EQ(known(b, 1, 120), 1);
    learn(b, 1, "/ip4/1.2.3.4/tcp/2", CN_BOOK_HEARSAY, 10, 3000); /* the longer time stays */
    CHECK_EQ(known(b, 1, 3599), 1);
    CHECK_EQ(known(b, 1, 3600), 0);
    CHECK_EQ(known(b, 2, 1000000), 1);
    learn(b, 3, "/ip4/1.2.3.4/tcp/3", CN_BOOK_HEARSAY, 10, 2000000);
    CHECK_EQ(cn_book_len(b), 2);
    cn_book_tick(b, at_s(2000009));
    CHECK_EQ(cn_book_len(b), 2);
    CHECK_EQ(cn_book_deadline(b).ns, at_s(2000069).ns);
    cn_book_tick(b, at_s(2000068)); /* not due */
    CHECK_EQ(cn_book_len(b), 2);
    cn_book_tick(b, at_s(2000069));
    CHECK_EQ(cn_book_len(b), 1);
    cn_book_free(b);
}

static void only_addresses_of_the_peer_are_kept(void)
{
    cn_book *b = new_book(0, 0, 0);
    cn_peer_id peer = peer_of(1);
    cn_peer_id other = peer_of(2);
    cn_buf own = {0};
    cn_buf others = {0};
    const cn_book_terms terms = {CN_BOOK_HEARSAY, CN_BOOK_TTL_NORMAL_NS};
    cn_book_peer got = {0};
    cn_buf_init(&own, cn_mem_default(), 1000);
    cn_buf_init(&others, cn_mem_default(), 1000);
    CHECK_OK(cn_buf_append(&own, address_of("/ip4/1.2.3.4/tcp/1")));
    CHECK_OK(cn_buf_append(&others, cn_buf_slice(&own)));
    CHECK_OK(cn_multiaddr_put_peer(&own, &peer));
    CHECK_OK(cn_multiaddr_put_peer(&others, &other));
    const cn_slice told[] = {
        cn_buf_slice(&others), cn_str("nonsense"), cn_str(""), address_of("/ip4/0.0.0.0/tcp/1")};
    CHECK_OK(cn_book_learn(b, &peer, told, CN_LEN(told), &terms, at_s(0)));
    CHECK(!cn_book_find(b, &peer, at_s(0), &got));
    CHECK_EQ(cn_book_len(b), 0);
    const cn_slice good = cn_buf_slice(&own);
    CHECK_OK(cn_book_learn(b, &peer, &good, 1, &terms, at_s(0)));
    CHECK(has(b, 1, "/ip4/1.2.3.4/tcp/1", 0));
    learn(b, 1, "/ip4/1.2.3.4/tcp/1", CN_BOOK_TOLD, 60, 0); /* the same */
    CHECK_EQ(known(b, 1, 0), 1);
    cn_buf_release(&own);
    cn_buf_release(&others);
    cn_book_free(b);
}

static cn_err take(cn_book *b, uint64_t sequence, const char *const *texts, size_t len, int64_t now)
{
    cn_peer_id peer = peer_of(1);
    cn_slice addresses[4];
    for (size_t i = 0; i < len; i++) {
        addresses[i] = address_of(texts[i]);
    }
    return cn_book_take_record(
        b, &peer, &(cn_book_record){sequence, addresses, len, CN_BOOK_TTL_NORMAL_NS}, at_s(now));
}

static void a_record_replaces_what_was_told(void)
{
    cn_book *b = new_book(0, 0, 0);
    static const char *const first[] = {"/ip4/5.5.5.5/tcp/1", "/ip4/5.5.5.5/tcp/2"};
    static const char *const second[] = {"/ip4/5.5.5.5/tcp/2"};
    learn(b, 1, "/ip4/1.1.1.1/tcp/1", CN_BOOK_HEARSAY, 100, 0);
    learn(b, 1, "/ip4/1.1.1.1/tcp/2", CN_BOOK_TOLD, 100, 0);
    learn(b, 1, "/ip4/1.1.1.1/tcp/3", CN_BOOK_GIVEN, 0, 0);
    CHECK_OK(take(b, 10, first, 2, 0));
    CHECK_EQ(known(b, 1, 0), 3);
    CHECK(has(b, 1, "/ip4/1.1.1.1/tcp/3", 0) && has(b, 1, first[0], 0));
    learn(b, 1, "/ip4/6.6.6.6/tcp/1", CN_BOOK_TOLD, 100, 1); /* says less than the record */
    CHECK(!has(b, 1, "/ip4/6.6.6.6/tcp/1", 1));
    learn(b, 1, "/ip4/6.6.6.6/tcp/2", CN_BOOK_HEARSAY, 100, 1);
    CHECK(has(b, 1, "/ip4/6.6.6.6/tcp/2", 1));
    CHECK_ERR(take(b, 9, second, 1, 2), CN_ERR_EXISTS);
    CHECK(has(b, 1, first[0], 2));
    CHECK_OK(take(b, 10, first, 2, 2)); /* renews */
    CHECK_OK(take(b, 11, second, 1, 3));
    CHECK(!has(b, 1, first[0], 3) && has(b, 1, second[0], 3));
    CHECK_EQ(known(b, 1, 3), 2);
    CHECK_EQ(known(b, 1, 3700), 1); /* the record has run out, told ones count again */
    learn(b, 1, "/ip4/6.6.6.6/tcp/1", CN_BOOK_TOLD, 100, 3700);
    CHECK(has(b, 1, "/ip4/6.6.6.6/tcp/1", 3700));
    cn_book_free(b);
}

static void the_address_of_a_connection_outlives_a_record(void)
{
    cn_book *b = new_book(0, 0, 0);
    cn_peer_id peer = peer_of(1);
    static const char *const record[] = {"/ip4/5.5.5.5/tcp/1"};
    learn(b, 1, "/ip4/1.1.1.1/tcp/1", CN_BOOK_HEARSAY, 100, 0);
    learn(b, 1, "/ip4/1.1.1.1/tcp/2", CN_BOOK_HEARSAY, 100, 0);
    cn_book_succeeded(b, &peer, address_of("/ip4/1.1.1.1/tcp/2"), at_s(1));
    CHECK_OK(cn_book_connected(b, &peer, at_s(1)));
    CHECK_OK(take(b, 1, record, 1, 2));
    CHECK(has(b, 1, "/ip4/1.1.1.1/tcp/2", 2) && !has(b, 1, "/ip4/1.1.1.1/tcp/1", 2));
    learn(b, 1, "/ip4/1.1.1.1/tcp/3", CN_BOOK_HEARSAY, 100, 2);
    cn_book_succeeded(b, &peer, address_of("/ip4/1.1.1.1/tcp/3"), at_s(3)); /* later: this one */
    CHECK_OK(take(b, 1, record, 1, 3));
    CHECK(has(b, 1, "/ip4/1.1.1.1/tcp/3", 3) && !has(b, 1, "/ip4/1.1.1.1/tcp/2", 3));
    cn_book_disconnected(b, &peer, at_s(3));
    CHECK_OK(take(b, 2, record, 1, 4));
    CHECK_EQ(known(b, 1, 4), 1);
    cn_book_free(b);
}

static void connected_peers_stay_and_then_fifteen_minutes(void)
{
    cn_book *b = new_book(0, 0, 0);
    cn_peer_id peer = peer_of(1);
    cn_peer_id bare = peer_of(2);
    learn(b, 1, "/ip4/1.1.1.1/tcp/1", CN_BOOK_TOLD, 120, 0);
    CHECK_OK(cn_book_connected(b, &peer, at_s(1)));
    CHECK_OK(cn_book_connected(b, &bare, at_s(1)));
    cn_book_tick(b, at_s(10000));
    CHECK_EQ(known(b, 1, 10000), 1);
    CHECK_EQ(cn_book_len(b), 2);
    cn_book_disconnected(b, &peer, at_s(10000));
    cn_book_disconnected(b, &bare, at_s(10000));
    cn_book_disconnected(b, &bare, at_s(10000));
    CHECK_EQ(cn_book_len(b), 1);
    CHECK_EQ(known(b, 1, 10899), 1);
    CHECK_EQ(known(b, 1, 10900), 0);
    cn_book_free(b);
}

static void how_dialling_went_is_remembered(void)
{
    cn_book *b = new_book(0, 0, 0);
    cn_peer_id peer = peer_of(1);
    cn_peer_id unknown = peer_of(9);
    cn_slice address = address_of("/ip4/1.1.1.1/tcp/1");
    cn_book_peer got = {0};
    learn(b, 1, "/ip4/1.1.1.1/tcp/1", CN_BOOK_TOLD, 1000, 0);
    CHECK(cn_book_find(b, &peer, at_s(0), &got));
    CHECK_EQ(got.states[0].last_success.ns, CN_BOOK_NEVER.ns);
    cn_book_failed(b, &peer, address, at_s(1));
    cn_book_failed(b, &peer, address, at_s(2));
    cn_book_failed(b, &unknown, address, at_s(2));
    CHECK_EQ(got.states[0].failures, 2);
    CHECK_EQ(got.states[0].last_failure.ns, at_s(2).ns);
    cn_book_succeeded(b, &peer, address, at_s(3));
    cn_book_succeeded(b, &peer, address_of("/ip4/1.1.1.1/tcp/2"), at_s(3));
    CHECK_EQ(got.states[0].failures, 0);
    CHECK_EQ(got.states[0].last_success.ns, at_s(3).ns);
    learn(b, 1, "/ip4/1.1.1.1/tcp/1", CN_BOOK_HEARSAY, 10, 4); /* told again: nothing is lost */
    CHECK(cn_book_find(b, &peer, at_s(4), &got));
    CHECK_EQ(got.states[0].last_success.ns, at_s(3).ns);
    CHECK_EQ(got.states[0].last_failure.ns, at_s(2).ns);
    CHECK_EQ(got.states[0].source, CN_BOOK_TOLD);
    CHECK_EQ(got.states[0].expires.ns, at_s(1000).ns);
    static const char *const record[] = {"/ip4/1.1.1.1/tcp/1"};
    CHECK_OK(take(b, 1, record, 1, 5)); /* nor by a record that names it */
    CHECK(cn_book_find(b, &peer, at_s(5), &got));
    CHECK_EQ(got.states[0].last_success.ns, at_s(3).ns);
    CHECK_EQ(got.states[0].source, CN_BOOK_SIGNED);
    CHECK_EQ(cn_book_len(b), 1);
    cn_book_free(b);
}

static void what_a_peer_is_comes_back(void)
{
    cn_book *b = new_book(0, 0, 0);
    cn_peer_id peer = peer_of(1);
    const cn_slice names[] = {cn_str("/b"), cn_str("/a"), cn_str("/c")};
    cn_book_peer got = {0};
    CHECK_EQ(cn_book_speaks(b, &peer, cn_str("/a")), -1);
    learn(b, 1, "/ip4/1.1.1.1/tcp/1", CN_BOOK_TOLD, 1000, 0);
    CHECK_EQ(cn_book_speaks(b, &peer, cn_str("/a")), -1);
    size_t before = cn_book_bytes(b);
    CHECK_OK(cn_book_describe(
        b, &peer,
        &(cn_book_about){
            .agent = cn_str("kubo"),
            .public_key = cn_str("another's"),
            .protocols = names,
            .protocols_len = 3},
        at_s(0)));
    CHECK_OK(cn_book_describe(
        b, &peer, &(cn_book_about){.protocol_version = cn_str("ipfs/0.1.0")}, at_s(0)));
    CHECK(cn_book_bytes(b) > before + 3 * sizeof(cn_slice));
    CHECK(cn_book_find(b, &peer, at_s(0), &got));
    CHECK_BYTES(got.agent, cn_str("kubo"));
    CHECK_BYTES(got.protocol_version, cn_str("ipfs/0.1.0"));
    CHECK_EQ(got.public_key.len, 36); /* the one in its id */
    CHECK_EQ(got.protocols_len, 3);
    CHECK_BYTES(got.protocols[0], cn_str("/a"));
    CHECK_EQ(cn_book_speaks(b, &peer, cn_str("/a")), 1);
    CHECK_EQ(cn_book_speaks(b, &peer, cn_str("/c")), 1);
    CHECK_EQ(cn_book_speaks(b, &peer, cn_str("/d")), 0);
    CHECK_EQ(cn_book_speaks(b, &peer, cn_str("/")), 0);
    CHECK_OK(cn_book_describe(
        b, &peer, &(cn_book_about){.agent = cn_str(""), .protocols = names}, at_s(0)));
    CHECK_EQ(cn_book_speaks(b, &peer, cn_str("/a")), 0);
    CHECK(cn_book_find(b, &peer, at_s(0), &got));
    CHECK_EQ(got.agent.len, 0);
    CHECK(got.protocols_known);
    cn_book_free(b);
}

static void a_key_that_hashes_to_the_id_is_kept(void)
{
    cn_book *b = new_book(0, 0, 0);
    uint8_t message[300] = {8, 0, 18};
    cn_slice key = cn_slice_of(message, sizeof(message));
    cn_peer_id peer = cn_peer_id_of_message(key);
    cn_book_peer got = {0};
    CHECK_OK(cn_book_connected(b, &peer, at_s(0)));
    CHECK_OK(cn_book_describe(b, &peer, &(cn_book_about){.public_key = cn_str("x")}, at_s(0)));
    CHECK(cn_book_find(b, &peer, at_s(0), &got));
    CHECK_EQ(got.public_key.len, 0);
    message[9] = 1; /* a long key, but another's */
    CHECK_OK(cn_book_describe(b, &peer, &(cn_book_about){.public_key = key}, at_s(0)));
    message[9] = 0;
    CHECK(cn_book_find(b, &peer, at_s(0), &got));
    CHECK_EQ(got.public_key.len, 0);
    CHECK_OK(cn_book_describe(b, &peer, &(cn_book_about){.public_key = key}, at_s(0)));
    CHECK(cn_book_find(b, &peer, at_s(0), &got));
    CHECK_BYTES(got.public_key, key);
    cn_book_free(b);
}

static void at_the_cap_of_peers_the_oldest_unprotected_goes(void)
{
    cn_book *b = new_book(4, 0, 0);
    cn_peer_id connected = peer_of(2);
    cn_peer_id late = peer_of(9);
    cn_slice address = address_of("/ip4/1.1.1.1/tcp/9");
    const cn_book_terms terms = {CN_BOOK_HEARSAY, CN_BOOK_TTL_NORMAL_NS};
    learn(b, 1, "/ip4/1.1.1.1/tcp/1", CN_BOOK_GIVEN, 0, 0);
    learn(b, 2, "/ip4/1.1.1.1/tcp/2", CN_BOOK_HEARSAY, 100, 0);
    learn(b, 3, "/ip4/1.1.1.1/tcp/3", CN_BOOK_HEARSAY, 100, 0);
    learn(b, 4, "/ip4/1.1.1.1/tcp/4", CN_BOOK_HEARSAY, 100, 0);
    CHECK_OK(cn_book_connected(b, &connected, at_s(0)));
    CHECK_EQ(cn_book_len(b), 4);
    learn(b, 3, "/ip4/1.1.1.1/tcp/3", CN_BOOK_HEARSAY, 100, 0); /* news of 3: 4 is older now */
    learn(b, 5, "/ip4/1.1.1.1/tcp/5", CN_BOOK_HEARSAY, 100, 0);
    CHECK_EQ(cn_book_len(b), 4);
    CHECK(known(b, 1, 0) && known(b, 2, 0) && known(b, 3, 0) && !known(b, 4, 0) && known(b, 5, 0));
    learn(b, 3, "/ip4/1.1.1.1/tcp/3", CN_BOOK_GIVEN, 0, 0);
    learn(b, 5, "/ip4/1.1.1.1/tcp/5", CN_BOOK_GIVEN, 0, 0);
    CHECK_ERR(cn_book_learn(b, &late, &address, 1, &terms, at_s(0)), CN_ERR_TOO_LARGE);
    CHECK_ERR(cn_book_connected(b, &late, at_s(0)), CN_ERR_TOO_LARGE);
    cn_peer_id five = peer_of(5);
    CHECK(cn_book_forget(b, &five));
    CHECK(!cn_book_forget(b, &five));
    CHECK_OK(cn_book_learn(b, &late, &address, 1, &terms, at_s(0)));
    CHECK(cn_book_forget(b, &connected)); /* stays, without addresses */
    CHECK_EQ(cn_book_len(b), 4);
    cn_book_free(b);
}

static void at_the_cap_of_addresses_the_least_trusted_goes(void)
{
    cn_book *b = new_book(0, 3, 0);
    cn_peer_id peer = peer_of(1);
    learn(b, 1, "/ip4/1.1.1.1/tcp/1", CN_BOOK_TOLD, 100, 0);
    learn(b, 1, "/ip4/1.1.1.1/tcp/2", CN_BOOK_HEARSAY, 200, 0);
    learn(b, 1, "/ip4/1.1.1.1/tcp/3", CN_BOOK_HEARSAY, 100, 0);
    CHECK_EQ(known(b, 1, 0), 3);
    learn(b, 1, "/ip4/1.1.1.1/tcp/4", CN_BOOK_HEARSAY, 150, 0);
    CHECK(!has(b, 1, "/ip4/1.1.1.1/tcp/3", 0) && has(b, 1, "/ip4/1.1.1.1/tcp/4", 0));
    learn(b, 1, "/ip4/1.1.1.1/tcp/5", CN_BOOK_HEARSAY, 10, 0); /* worth least itself */
    CHECK(!has(b, 1, "/ip4/1.1.1.1/tcp/5", 0));
    cn_book_succeeded(b, &peer, address_of("/ip4/1.1.1.1/tcp/4"), at_s(0));
    learn(b, 1, "/ip4/1.1.1.1/tcp/6", CN_BOOK_GIVEN, 0, 0);
    CHECK(!has(b, 1, "/ip4/1.1.1.1/tcp/2", 0));                   /* 4 works, so 2 went */
    learn(b, 1, "/ip4/1.1.1.1/tcp/7", CN_BOOK_HEARSAY, 500, 120); /* 1 has run out */
    CHECK(!has(b, 1, "/ip4/1.1.1.1/tcp/1", 120) && has(b, 1, "/ip4/1.1.1.1/tcp/7", 120));
    CHECK_EQ(known(b, 1, 120), 3);
    cn_book_free(b);
}

static void at_the_cap_of_bytes_the_oldest_goes(void)
{
    size_t one = 0;
    cn_book *b = new_book(0, 0, 0);
    learn(b, 1, "/ip4/1.1.1.1/tcp/1", CN_BOOK_HEARSAY, 100, 0);
    one = cn_book_bytes(b);
    cn_book_free(b);
    b = new_book(0, 0, 3 * one);
    for (unsigned i = 1; i < 5; i++) {
        learn(b, i, "/ip4/1.1.1.1/tcp/1", CN_BOOK_HEARSAY, 100, 0);
        CHECK_EQ(cn_book_len(b), CN_MIN(i, 3u));
        CHECK(cn_book_bytes(b) <= 3 * one);
    }
    CHECK(!known(b, 1, 0) && known(b, 2, 0));
    cn_book_free(b);
    b = new_book(0, 0, one - 1);
    cn_peer_id peer = peer_of(1);
    cn_slice address = address_of("/ip4/1.1.1.1/tcp/1");
    const cn_book_terms terms = {CN_BOOK_HEARSAY, CN_BOOK_TTL_NORMAL_NS};
    CHECK_ERR(cn_book_learn(b, &peer, &address, 1, &terms, at_s(0)), CN_ERR_TOO_LARGE);
    CHECK_EQ(cn_book_len(b), 0);
    cn_book_free(b);
}

static void peers_are_stepped_through_in_the_order_met(void)
{
    cn_book *b = new_book(0, 0, 0);
    size_t position = 0;
    cn_book_peer got = {0};
    for (unsigned i = 0; i < 100; i++) {
        learn(b, i * 37 % 100, "/ip4/1.1.1.1/tcp/1", CN_BOOK_HEARSAY, i % 2 == 0 ? 10 : 100, 0);
    }
    for (unsigned i = 0; i < 100; i++) {
        cn_peer_id expected = peer_of(i * 37 % 100);
        CHECK(cn_book_next(b, &position, &got));
        CHECK(cn_peer_id_eq(&got.id, &expected));
        CHECK_EQ(cn_book_find(b, &expected, at_s(50), &got), i % 2 == 1); /* allowed */
    }
    CHECK(!cn_book_next(b, &position, &got));
    CHECK_EQ(cn_book_len(b), 50);
    cn_book_free(b);
}

/* Anything in any order: no bound is passed, and cn_book_free asserts that all bytes came back. */
static void a_long_life_stays_within_bounds(void)
{
    cn_prng p;
    cn_book *b = new_book(20, 5, 12000);
    char text[64];
    char agent[32];
    cn_prng_init(&p, 99);
    for (int round = 0; round < 20000; round++) {
        cn_peer_id peer = peer_of((unsigned)cn_prng_below(&p, 40));
        cn_time now = at_s(round / 10);
        (void)snprintf(text, sizeof(text), "/ip4/1.1.1.%d/tcp/1", (int)cn_prng_below(&p, 9));
        size_t before = host_addresses.len;
        cn_slice address = address_of(text);
        cn_slice names[3] = {cn_str("/a"), cn_str("/long/name"), cn_str("/b")};
        cn_book_peer got = {0};
        const cn_book_terms terms = {
            (cn_book_source)cn_prng_below(&p, 4),
            cn_prng_below(&p, 40) == 0 ? INT64_MAX : (int64_t)cn_prng_below(&p, 90) * CN_NS_PER_S};
        const cn_book_record record = {cn_prng_below(&p, 90), &address, 1, CN_BOOK_TTL_RECENT_NS};
        (void)snprintf(
            agent, sizeof(agent), "%.*s", (int)cn_prng_below(&p, 30),
            "kubo/0.43.0/abcdefghijklmnop");
        switch (cn_prng_below(&p, 10)) {
        case 0:
            (void)!cn_book_connected(b, &peer, now);
            break;
        case 1:
        case 2:
            cn_book_disconnected(b, &peer, now);
            break;
        case 3:
            (void)!cn_book_describe(
                b, &peer,
                &(cn_book_about){cn_str(agent), cn_str(text), {0}, names, cn_prng_below(&p, 4)},
                now);
            break;
        case 4:
            (void)!cn_book_take_record(b, &peer, &record, now);
            break;
        case 5:
            cn_book_succeeded(b, &peer, address, now);
            cn_book_tick(b, now);
            break;
        case 6:
            cn_book_failed(b, &peer, address, now);
            (void)cn_book_find(b, &peer, now, &got);
            break;
        case 7:
            if (cn_prng_below(&p, 3) == 0) {
                (void)cn_book_forget(b, &peer);
            }
            break;
        default:
            (void)!cn_book_learn(b, &peer, &address, 1, &terms, now);
        }
        host_addresses.len = before;
        if (cn_book_len(b) > 20 || cn_book_bytes(b) > 12000 ||
            (cn_book_find(b, &peer, now, &got) && got.addresses_len > 5)) {
            FAIL("a bound was passed");
            break;
        }
    }
    CHECK(cn_book_len(b) > 5);
    cn_book_free(b);
}

static cn_err live(cn_mem *mem)
{
    cn_err err = CN_OK;
    cn_book *b = NULL;
    const cn_book_terms terms = {CN_BOOK_TOLD, CN_BOOK_TTL_NORMAL_NS};
    const cn_slice names[] = {cn_str("/b"), cn_str("/a")};
    uint8_t message[300] = {8, 0, 18};
    cn_slice key = cn_slice_of(message, sizeof(message));
    cn_peer_id peer = cn_peer_id_of_message(key);
    cn_slice told[6];
    for (size_t i = 0; i < CN_LEN(told); i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "/ip4/1.1.1.%zu/tcp/1", i);
        told[i] = address_of(text);
    }
    CN_TRY(cn_book_new(mem, NULL, &b));
    CN_TRY(cn_book_learn(b, &peer, told, CN_LEN(told), &terms, at_s(0)));
    CN_TRY(cn_book_connected(b, &peer, at_s(0)));
    CN_TRY(cn_book_describe(
        b, &peer, &(cn_book_about){cn_str("agent"), cn_str("version"), key, names, 2}, at_s(0)));
    CN_TRY(cn_book_take_record(b, &peer, &(cn_book_record){1, told, 1, 1}, at_s(0)));
out:
    cn_book_free(b);
    return err;
}

static void running_out_of_memory_is_an_error(void)
{
    test_out_of_memory(live);
}

int main(void)
{
    TEST(addresses_run_out);
    TEST(only_addresses_of_the_peer_are_kept);
    TEST(a_record_replaces_what_was_told);
    TEST(the_address_of_a_connection_outlives_a_record);
    TEST(connected_peers_stay_and_then_fifteen_minutes);
    TEST(how_dialling_went_is_remembered);
    TEST(what_a_peer_is_comes_back);
    TEST(a_key_that_hashes_to_the_id_is_kept);
    TEST(at_the_cap_of_peers_the_oldest_unprotected_goes);
    TEST(at_the_cap_of_addresses_the_least_trusted_goes);
    TEST(at_the_cap_of_bytes_the_oldest_goes);
    TEST(peers_are_stepped_through_in_the_order_met);
    TEST(a_long_life_stays_within_bounds);
    TEST(running_out_of_memory_is_an_error);
    return host_lib_end();
}
