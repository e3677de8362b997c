/*
 * The address book's file: what is saved comes back with the time that is left, a file damaged at
 * any byte is set aside, failures of the disk leave the old file, and a large book loads fast
 * enough to be of use (printed, not judged).
 */
#include "p2p/host/book_file.h"

#include "base/le.h"
#include "codec/protobuf.h"
#include "crypto/sha256.h"
#include "host_lib.h"
#include "lib/fault_rt.h"
#include "rt_os/rt_os.h"

#include <stdio.h>

enum { HEADER_BYTES = 51 };

static cn_rt *rt;

static cn_book *new_book(const cn_book_limits *limits)
{
    cn_book *b = NULL;
    CHECK_OK(cn_book_new(cn_mem_default(), limits, &b));
    return b;
}

static void learn(cn_book *b, unsigned number, const char *text, int64_t ttl_ns, cn_time now)
{
    cn_peer_id peer = peer_of(number);
    cn_slice address = address_of(text);
    const cn_book_terms terms = {
        ttl_ns == CN_BOOK_TTL_PERMANENT_NS ? CN_BOOK_GIVEN : CN_BOOK_TOLD, ttl_ns};
    CHECK_OK(cn_book_learn(b, &peer, &address, 1, &terms, now));
}

/* A book with all kinds of things in it, at 100 s by its clock. */
static cn_book *full_book(void)
{
    cn_book *b = new_book(NULL);
    cn_peer_id one = peer_of(1);
    cn_peer_id two = peer_of(2);
    const cn_slice names[] = {cn_str("/b"), cn_str("/a")};
    learn(b, 1, "/ip4/1.1.1.1/tcp/1", 200 * CN_NS_PER_S, at_s(50));
    learn(b, 1, "/ip6/2001:db8::1/udp/1/quic-v1", CN_BOOK_TTL_NORMAL_NS, at_s(50));
    learn(b, 2, "/dns4/example.com/tcp/443/wss", CN_BOOK_TTL_PERMANENT_NS, at_s(50));
    learn(b, 3, "/ip4/3.3.3.3/tcp/1", 60 * CN_NS_PER_S, at_s(50));
    cn_book_failed(b, &one, address_of("/ip4/1.1.1.1/tcp/1"), at_s(60));
    cn_book_succeeded(b, &two, address_of("/dns4/example.com/tcp/443/wss"), at_s(70));
    CHECK_OK(cn_book_describe(
        b, &one, &(cn_book_about){cn_str("kubo"), cn_str("ipfs/0.1.0"), {0}, names, 2}, at_s(50)));
    CHECK_OK(cn_book_take_record(
        b, &one,
        &(cn_book_record){
            77,
            (const cn_slice[]){
                address_of("/ip4/1.1.1.1/tcp/1"), address_of("/ip6/2001:db8::1/udp/1/quic-v1")},
            2, 200 * CN_NS_PER_S},
        at_s(50)));
    return b;
}

static cn_book_clock clock_of(int64_t now_s, int64_t wall_s)
{
    return (cn_book_clock){at_s(now_s), {wall_s * CN_NS_PER_S}};
}

static cn_buf encoded(const cn_book *b, cn_book_clock clock)
{
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), CN_BOOK_FILE_MAX_BYTES);
    CHECK_OK(cn_book_file_encode(b, clock, &out));
    return out;
}

static void a_book_comes_back(void)
{
    cn_book *b = full_book();
    cn_buf bytes = encoded(b, clock_of(100, 1000000));
    cn_book *again = new_book(NULL);
    cn_peer_id one = peer_of(1);
    cn_peer_id two = peer_of(2);
    cn_peer_id three = peer_of(3);
    cn_book_peer got = {0};
    /* 5 s later by the wall, in a process whose clock stands at 3 s */
    CHECK_OK(cn_book_file_decode(again, cn_buf_slice(&bytes), clock_of(3, 1000005), NULL));
    CHECK_EQ(cn_book_len(again), 3);
    CHECK(cn_book_find(again, &one, at_s(3), &got));
    CHECK_EQ(got.addresses_len, 2);
    CHECK_BYTES(got.addresses[0], address_of("/ip4/1.1.1.1/tcp/1"));
    CHECK_EQ(got.states[0].expires.ns, at_s(3 + 250 - 100 - 5).ns);
    CHECK_EQ(got.states[0].last_failure.ns, at_s(3 - 40 - 5).ns);
    CHECK_EQ(got.states[0].last_success.ns, CN_BOOK_NEVER.ns);
    CHECK_EQ(got.states[0].failures, 1);
    CHECK_EQ(got.states[0].source, CN_BOOK_SIGNED);
    CHECK_BYTES(got.agent, cn_str("kubo"));
    CHECK_BYTES(got.protocol_version, cn_str("ipfs/0.1.0"));
    CHECK_EQ(got.protocols_len, 2);
    CHECK_EQ(cn_book_speaks(again, &one, cn_str("/a")), 1);
    CHECK_EQ(got.sequence, 77);
    CHECK(!got.connected);
    CHECK(cn_book_find(again, &two, at_s(3), &got));
    CHECK_EQ(got.states[0].expires.ns, at_s(3 + 3600).ns); /* permanent becomes normal */
    CHECK_EQ(got.states[0].last_success.ns, at_s(3 - 30 - 5).ns);
    CHECK_EQ(got.states[0].source, CN_BOOK_GIVEN);
    CHECK(!got.protocols_known);
    CHECK(cn_book_find(again, &three, at_s(3), &got));
    CHECK_EQ(got.states[0].expires.ns, at_s(3 + 5).ns);
    cn_book_free(again);
    cn_book_free(b);
    cn_buf_release(&bytes);
}

static void what_has_run_out_stays_away_unless_it_worked_lately(void)
{
    static const struct {
        int64_t away_s;
        size_t peers;
    } cases[] = {{0, 2}, {899, 2}, {7 * 86400 - 1 - 30, 1}, {7 * 86400 - 30, 0}};
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        cn_book *b = new_book(NULL);
        cn_book *again = new_book(NULL);
        cn_peer_id worked = peer_of(1);
        cn_peer_id never = peer_of(2);
        cn_book_peer got = {0};
        learn(b, 1, "/ip4/1.1.1.1/tcp/1", 200 * CN_NS_PER_S, at_s(0));
        learn(b, 2, "/ip4/1.1.1.1/tcp/2", 200 * CN_NS_PER_S, at_s(0));
        cn_book_succeeded(b, &worked, address_of("/ip4/1.1.1.1/tcp/1"), at_s(70));
        CHECK_OK(cn_book_connected(b, &never, at_s(70))); /* 15 minutes more as it is saved */
        cn_buf bytes = encoded(b, clock_of(100, 1000000));
        CHECK_OK(cn_book_file_decode(
            again, cn_buf_slice(&bytes), clock_of(0, 1000000 + cases[i].away_s), NULL));
        CHECK_EQ(cn_book_len(again), cases[i].peers);
        if (cases[i].peers > 0 && CHECK(cn_book_find(again, &worked, at_s(0), &got))) {
            CHECK_EQ(got.states[0].expires.ns, at_s(3600).ns);
        }
        cn_book_free(b);
        cn_book_free(again);
        cn_buf_release(&bytes);
    }
}

static void a_smaller_book_takes_the_newest(void)
{
    const cn_book_limits limits = {.peers_max = 2};
    cn_book *b = new_book(NULL);
    cn_book *small = new_book(&limits);
    const cn_book_limits tiny_limits = {.bytes_max = 100};
    cn_book *tiny = new_book(&tiny_limits);
    cn_peer_id one = peer_of(1);
    cn_peer_id three = peer_of(3);
    cn_book_peer got = {0};
    for (unsigned i = 1; i < 5; i++) {
        learn(b, i, "/ip4/1.1.1.1/tcp/1", CN_BOOK_TTL_NORMAL_NS, at_s(0));
    }
    learn(b, 1, "/ip4/1.1.1.1/tcp/1", CN_BOOK_TTL_NORMAL_NS, at_s(1));
    cn_buf bytes = encoded(b, clock_of(2, 1000000));
    CHECK_OK(cn_book_file_decode(small, cn_buf_slice(&bytes), clock_of(2, 1000000), NULL));
    CHECK_EQ(cn_book_len(small), 2);
    CHECK(cn_book_find(small, &one, at_s(2), &got) && !cn_book_find(small, &three, at_s(2), &got));
    CHECK_OK(cn_book_file_decode(tiny, cn_buf_slice(&bytes), clock_of(2, 1000000), NULL));
    CHECK_EQ(cn_book_len(tiny), 0);
    cn_book_free(b);
    cn_book_free(small);
    cn_book_free(tiny);
    cn_buf_release(&bytes);
}

static void any_byte_wrong_is_damage(void)
{
    cn_book *b = full_book();
    cn_book *again = new_book(NULL);
    cn_buf bytes = encoded(b, clock_of(100, 1000000));
    for (size_t i = 0; i < bytes.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            cn_why why = {{0}};
            bytes.data[i] ^= (uint8_t)(1u << bit);
            cn_err err =
                cn_book_file_decode(again, cn_buf_slice(&bytes), clock_of(0, 1000000), &why);
            CHECK(err == CN_ERR_CORRUPT || (i == 10 && err == CN_ERR_UNSUPPORTED));
            CHECK(why.text[0] != '\0');
            bytes.data[i] ^= (uint8_t)(1u << bit);
        }
    }
    for (size_t len = 0; len < bytes.len; len++) {
        CHECK_ERR(
            cn_book_file_decode(again, cn_slice_of(bytes.data, len), clock_of(0, 1000000), NULL),
            CN_ERR_CORRUPT);
    }
    CHECK_OK(cn_buf_byte(&bytes, 0));
    CHECK_ERR(
        cn_book_file_decode(again, cn_buf_slice(&bytes), clock_of(0, 1000000), NULL),
        CN_ERR_CORRUPT);
    CHECK_EQ(cn_book_len(again), 0);
    cn_book_free(b);
    cn_book_free(again);
    cn_buf_release(&bytes);
}

/* Give a file the length and the hash that its contents ask for. */
static void reseal(cn_buf *bytes)
{
    cn_sha256_state sha;
    cn_le_put(bytes->data + 11, bytes->len - HEADER_BYTES, 8);
    cn_sha256_init(&sha);
    cn_sha256_update(&sha, cn_slice_of(bytes->data, 19));
    cn_sha256_update(&sha, cn_slice_of(bytes->data + HEADER_BYTES, bytes->len - HEADER_BYTES));
    cn_sha256_final(&sha, bytes->data + 19);
}

/* Even with a good checksum nothing in it is trusted. */
static void contents_that_are_wrong_are_damage(void)
{
    static const char *const bodies[] = {
        "0a",
        "0a00",
        "0a0212ff",
        "0a060a01ff120100",
        "0a080a03000107120100",
        "ffff",
        "0a130a03000107120c0a0804010203040600011004" /* a source that there is not */};
    cn_book *b = new_book(NULL);
    cn_buf bytes = encoded(b, clock_of(0, 1000000));
    CHECK_OK(cn_book_file_decode(b, cn_buf_slice(&bytes), clock_of(0, 1000000), NULL));
    for (size_t i = 0; i < CN_LEN(bodies); i++) {
        bytes.len = HEADER_BYTES;
        CHECK_OK(cn_buf_append(&bytes, test_hex(bodies[i])));
        reseal(&bytes);
        CHECK_ERR(
            cn_book_file_decode(b, cn_buf_slice(&bytes), clock_of(0, 1000000), NULL),
            CN_ERR_CORRUPT);
        CHECK_EQ(cn_book_len(b), 0);
    }
    cn_book_free(b);
    cn_buf_release(&bytes);
}

static char path[512];
static char aside[520];

static void use_folder(void)
{
    (void)snprintf(path, sizeof(path), "%s/peers", test_temp_dir());
    (void)snprintf(aside, sizeof(aside), "%s.damaged", path);
}

static void a_file_is_saved_loaded_and_set_aside(void)
{
    cn_book *b = full_book();
    cn_book *again = new_book(NULL);
    cn_path_stat stat = {0};
    cn_why why = {{0}};
    cn_buf bytes = {0};
    use_folder();
    CHECK_OK(cn_book_file_load(again, rt, cn_mem_default(), path, &why)); /* none yet */
    CHECK_EQ(why.text[0], '\0');
    CHECK_OK(cn_book_file_save(b, rt, cn_mem_default(), path, NULL));
    CHECK_OK(cn_book_file_save(b, rt, cn_mem_default(), path, NULL));
    CHECK_OK(cn_book_file_load(again, rt, cn_mem_default(), path, NULL));
    CHECK(cn_book_len(again) >= 1);
    cn_book_free(again);
    for (int kind = 0; kind < 2; kind++) {
        again = new_book(NULL);
        cn_buf_init(&bytes, cn_mem_default(), 10000);
        CHECK_OK(cn_book_file_save(b, rt, cn_mem_default(), path, NULL));
        CHECK_OK(cn_rt_read_file(rt, path, &bytes, NULL));
        bytes.data[kind == 0 ? 60 : 10] = 9;
        CHECK_OK(cn_rt_write_file(rt, path, cn_buf_slice(&bytes), NULL));
        CHECK_ERR(
            cn_book_file_load(again, rt, cn_mem_default(), path, &why),
            kind == 0 ? CN_ERR_CORRUPT : CN_ERR_UNSUPPORTED);
        CHECK(strstr(why.text, aside) != NULL);
        CHECK(strstr(why.text, kind == 0 ? "checksum" : "version 9") != NULL);
        CHECK_EQ(cn_book_len(again), 0);
        CHECK_ERR(cn_path_stat_of(rt, path, &stat), CN_ERR_NOT_FOUND);
        CHECK_OK(cn_path_stat_of(rt, aside, &stat));
        cn_book_free(again);
        cn_buf_release(&bytes);
    }
    cn_book_free(b);
}

static void a_failing_disk_leaves_the_old_file(void)
{
    cn_rt *faulty = fault_rt_new(rt);
    cn_book *b = full_book();
    use_folder();
    CHECK_OK(cn_book_file_save(b, rt, cn_mem_default(), path, NULL));
    for (unsigned n = 1; n < 50; n++) {
        cn_why why = {{0}};
        cn_book *again = new_book(NULL);
        fault_rt_set(faulty, FAULT_ANY, n, CN_ERR_IO, false);
        cn_err err = cn_book_file_save(b, faulty, cn_mem_default(), path, &why);
        bool fired = fault_rt_fired(faulty);
        fault_rt_set(faulty, FAULT_ANY, 0, CN_OK, false);
        CHECK(err == CN_OK || fired);
        CHECK_OK(cn_book_file_load(again, rt, cn_mem_default(), path, NULL));
        CHECK(cn_book_len(again) >= 1);
        cn_book_free(again);
        if (!fired) {
            CHECK(n > 3);
            break;
        }
    }
    cn_book *none = new_book(NULL);
    fault_rt_set(faulty, FAULT_READ, 1, CN_ERR_IO, false);
    CHECK_ERR(cn_book_file_load(none, faulty, cn_mem_default(), path, NULL), CN_ERR_IO);
    cn_path_stat stat = {0};
    CHECK_OK(cn_path_stat_of(rt, path, &stat)); /* not set aside for what the disk did */
    cn_book_free(none);
    cn_book_free(b);
    fault_rt_free(faulty);
}

static void ten_thousand_peers_load(void)
{
    cn_book *b = new_book(NULL);
    cn_book *again = new_book(NULL);
    const cn_slice names[] = {
        cn_str("/ipfs/id/1.0.0"), cn_str("/ipfs/ping/1.0.0"), cn_str("/ipfs/bitswap/1.2.0"),
        cn_str("/ipfs/kad/1.0.0"), cn_str("/libp2p/circuit/relay/0.2.0/hop")};
    use_folder();
    for (unsigned i = 0; i < 10000; i++) {
        cn_peer_id peer = peer_of(i);
        size_t before = host_addresses.len;
        learn(b, i, "/ip4/1.1.1.1/tcp/4001", CN_BOOK_TTL_NORMAL_NS, cn_rt_now(rt));
        learn(b, i, "/ip4/1.1.1.1/udp/4001/quic-v1", CN_BOOK_TTL_NORMAL_NS, cn_rt_now(rt));
        learn(b, i, "/ip6/2001:db8::1/tcp/4001", CN_BOOK_TTL_NORMAL_NS, cn_rt_now(rt));
        CHECK_OK(cn_book_describe(
            b, &peer, &(cn_book_about){cn_str("kubo/0.43.0/"), cn_str("ipfs/0.1.0"), {0}, names, 5},
            cn_rt_now(rt)));
        host_addresses.len = before;
    }
    cn_time start = cn_rt_now(rt);
    CHECK_OK(cn_book_file_save(b, rt, cn_mem_default(), path, NULL));
    cn_time saved = cn_rt_now(rt);
    CHECK_OK(cn_book_file_load(again, rt, cn_mem_default(), path, NULL));
    cn_time loaded = cn_rt_now(rt);
    printf(
        "10,000 peers, %zu bytes in memory: saved in %lld us, loaded in %lld us\n",
        cn_book_bytes(b), (long long)(saved.ns - start.ns) / 1000,
        (long long)(loaded.ns - saved.ns) / 1000);
    CHECK_EQ(cn_book_len(again), 10000);
    CHECK_EQ(cn_book_bytes(again), cn_book_bytes(b));
    cn_book_free(b);
    cn_book_free(again);
}

static cn_buf lasting;

static cn_err encode_and_decode(cn_mem *mem)
{
    cn_err err = CN_OK;
    cn_book *b = NULL;
    cn_buf out = {0};
    cn_buf_init(&out, mem, 1 << 20);
    CN_TRY(cn_book_new(mem, NULL, &b));
    err = cn_book_file_decode(b, cn_buf_slice(&lasting), clock_of(0, 1000000), NULL);
    CHECK((err == CN_OK) == (cn_book_len(b) > 0));
    CN_TRY(err);
    CN_TRY(cn_book_file_encode(b, clock_of(0, 1000000), &out));
out:
    cn_book_free(b);
    cn_buf_release(&out);
    return err;
}

static void running_out_of_memory_is_an_error(void)
{
    cn_book *b = full_book();
    lasting = encoded(b, clock_of(100, 1000000));
    test_out_of_memory(encode_and_decode);
    cn_buf_release(&lasting);
    cn_book_free(b);
}

int main(void)
{
    CHECK_OK(cn_rt_os_new(1, &rt));
    TEST(a_book_comes_back);
    TEST(what_has_run_out_stays_away_unless_it_worked_lately);
    TEST(a_smaller_book_takes_the_newest);
    TEST(any_byte_wrong_is_damage);
    TEST(contents_that_are_wrong_are_damage);
    TEST(a_file_is_saved_loaded_and_set_aside);
    TEST(a_failing_disk_leaves_the_old_file);
    TEST(ten_thousand_peers_load);
    TEST(running_out_of_memory_is_an_error);
    cn_rt_os_free(rt);
    return host_lib_end();
}
