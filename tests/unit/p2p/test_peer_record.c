/*
 * Peer records: the published one of go-libp2p, round trips, records that are another's, and the
 * sequence that never goes back.
 */
#include "p2p/host/peer_record.h"

#include "base/prng.h"
#include "codec/base_n.h"
#include "codec/protobuf.h"
#include "lib/test.h"
#include "multiformats/multiaddr.h"

static void the_published_record_reads(void)
{
    static const char *const addresses[] = {"/ip4/1.2.3.4/tcp/0", "/ip4/1.2.3.4/tcp/1"};
    cn_buf bytes = {0};
    cn_peer_record r = {0};
    cn_slice address = {0};
    size_t n = 0;
    cn_buf_init(&bytes, cn_mem_default(), 1000);
    CHECK_OK(cn_base_n_decode(
        CN_BASE16,
        cn_str(
            "0a2600240801122011bba3ed1721948cefb4e50b0a0bb5cad8a6b52dc7b1a40f4f6652105c91e2c4109bf5"
            "9d8dd99d8ddb161a0a0a0804010203040600001a0a0a080401020304060001"),
        &bytes, NULL));
    CHECK_OK(cn_peer_record_decode(cn_buf_slice(&bytes), &r));
    cn_buf text = {0};
    cn_buf_init(&text, cn_mem_default(), 1000);
    CHECK_OK(cn_peer_id_encode_text(&r.peer, 0, &text));
    CHECK_BYTES(
        cn_buf_slice(&text), cn_str("12D3KooWB1b3qZxWJanuhtseF3DmPggHCtG36KZ9ixkqHtdKH9fh"));
    CHECK(r.sequence == 1636553709551319707u);
    while (cn_peer_record_next(&r.addresses, &address)) {
        cn_buf_reset(&text);
        CHECK_OK(cn_multiaddr_encode_text(address, &text));
        CHECK(n < 2 && cn_slice_is(cn_buf_slice(&text), addresses[n % 2]));
        n++;
    }
    CHECK_EQ(n, 2);
    for (size_t len = 0; len < 40; len++) {
        CHECK(cn_peer_record_decode(cn_slice_of(bytes.data, len), &r) != CN_OK);
    }
    cn_buf_release(&text);
    cn_buf_release(&bytes);
}

static void records_come_back(void)
{
    cn_prng p;
    cn_key *key = NULL;
    cn_prng_init(&p, 5);
    CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &key, NULL));
    for (int round = 0; round < 50; round++) {
        cn_slice addresses[20];
        cn_buf bytes = {0};
        cn_buf out = {0};
        cn_peer_record r = {0};
        cn_peer_id id = {0};
        cn_slice got = {0};
        size_t len = (size_t)cn_prng_below(&p, 20);
        uint64_t sequence = cn_prng_u64(&p);
        cn_buf_init(&bytes, cn_mem_default(), 4000);
        cn_buf_init(&out, cn_mem_default(), 4000);
        CHECK_OK(cn_buf_reserve(&bytes, 1000));
        for (size_t i = 0; i < len; i++) {
            uint8_t ip[4] = {(uint8_t)cn_prng_u32(&p), 2, 3, 4};
            size_t at = bytes.len;
            CHECK_OK(cn_multiaddr_put(&bytes, CN_MA_IP4, cn_slice_of(ip, 4)));
            CHECK_OK(cn_multiaddr_put_port(&bytes, CN_MA_TCP, (uint16_t)cn_prng_u32(&p)));
            addresses[i] = cn_slice_skip(cn_buf_slice(&bytes), at);
        }
        CHECK_OK(cn_peer_record_seal(cn_mem_default(), key, sequence, addresses, len, &out));
        CHECK_OK(cn_peer_record_open(cn_mem_default(), cn_buf_slice(&out), &r, NULL));
        CHECK_OK(cn_peer_id_of_key(key, &id));
        CHECK(cn_peer_id_eq(&id, &r.peer));
        CHECK(r.sequence == sequence);
        for (size_t i = 0; i < len; i++) {
            CHECK(cn_peer_record_next(&r.addresses, &got));
            CHECK_BYTES(got, addresses[i]);
        }
        CHECK(!cn_peer_record_next(&r.addresses, &got));
        cn_buf_release(&bytes);
        cn_buf_release(&out);
    }
    cn_key_free(key);
}

/* A payload sealed by `key` as a record, of `type`. */
static cn_err open_sealed(const cn_key *key, cn_slice type, cn_slice payload, cn_peer_record *ret)
{
    cn_buf out = {0};
    cn_why why = {{0}};
    cn_buf_init(&out, cn_mem_default(), 4000);
    CHECK_OK(cn_envelope_seal(
        cn_mem_default(), key, cn_str(CN_PEER_RECORD_DOMAIN), type, payload, &out));
    cn_err err = cn_peer_record_open(cn_mem_default(), cn_buf_slice(&out), ret, &why);
    CHECK((err == CN_OK) == (why.text[0] == '\0'));
    cn_buf_release(&out);
    return err;
}

static void what_is_no_record_of_the_signer_is_refused(void)
{
    static const uint8_t type[] = {3, 1};
    cn_slice good_type = cn_slice_of(type, 2);
    cn_key *key = NULL;
    cn_key *other = NULL;
    cn_peer_id id = {0};
    cn_buf payload = {0};
    cn_peer_record r = {0};
    cn_slice address = {0};
    cn_buf_init(&payload, cn_mem_default(), 4000);
    CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &key, NULL));
    CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &other, NULL));
    CHECK_OK(cn_peer_id_of_key(key, &id));
    CHECK_OK(cn_pb_put_bytes(&payload, 1, cn_peer_id_bytes(&id)));
    CHECK_OK(open_sealed(key, good_type, cn_buf_slice(&payload), &r));
    CHECK_EQ(r.sequence, 0);
    CHECK(!cn_peer_record_next(&r.addresses, &address));
    CHECK_ERR(open_sealed(other, good_type, cn_buf_slice(&payload), &r), CN_ERR_HASH_MISMATCH);
    CHECK_ERR(open_sealed(key, cn_str("\x03\x02"), cn_buf_slice(&payload), &r), CN_ERR_MALFORMED);
    CHECK_ERR(open_sealed(key, good_type, cn_str("\xff"), &r), CN_ERR_MALFORMED);
    CHECK_ERR(open_sealed(key, good_type, cn_str(""), &r), CN_ERR_MALFORMED);
    cn_key_free(key);
    cn_key_free(other);
    cn_buf_release(&payload);
}

static void bad_addresses_are_passed_over(void)
{
    cn_buf payload = {0};
    cn_peer_record r = {0};
    cn_slice address = {0};
    size_t n = 0;
    static const uint8_t id[] = {0x00, 0x01, 0x07};
    cn_buf_init(&payload, cn_mem_default(), 4000);
    CHECK_OK(cn_pb_put_bytes(&payload, 3, cn_str("\x0a\x03xyz")));
    CHECK_OK(cn_pb_put_bytes(&payload, 3, cn_str("\xff")));
    CHECK_OK(cn_pb_put_bytes(&payload, 3, test_hex("0a080401020304060001")));
    CHECK_OK(cn_pb_put_varint(&payload, 3, 3));
    CHECK_OK(cn_pb_put_bytes(&payload, 3, cn_str("")));
    CHECK_OK(cn_pb_put_bytes(&payload, 1, cn_slice_of(id, 3)));
    CHECK_OK(cn_peer_record_decode(cn_buf_slice(&payload), &r));
    while (cn_peer_record_next(&r.addresses, &address)) {
        CHECK_BYTES(address, test_hex("0401020304060001"));
        n++;
    }
    CHECK_EQ(n, 1);
    cn_buf_release(&payload);
}

static void the_sequence_only_rises(void)
{
    CHECK(cn_peer_record_sequence((cn_wall){1000}, 0) == 1000);
    CHECK(cn_peer_record_sequence((cn_wall){1000}, 999) == 1000);
    CHECK(cn_peer_record_sequence((cn_wall){1000}, 1000) == 1001);
    CHECK(cn_peer_record_sequence((cn_wall){1000}, 5000) == 5001);
    CHECK(cn_peer_record_sequence((cn_wall){-5}, 0) == 1);
}

static cn_key *lasting_key;

static cn_err seal_and_open(cn_mem *mem)
{
    cn_err err = CN_OK;
    cn_buf out = {0};
    cn_peer_record r = {0};
    cn_slice address = cn_str("any");
    cn_buf_init(&out, mem, 10000);
    CN_TRY(cn_peer_record_seal(mem, lasting_key, 1, &address, 1, &out));
    CN_TRY(cn_peer_record_open(mem, cn_buf_slice(&out), &r, NULL));
out:
    cn_buf_release(&out);
    return err;
}

static void running_out_of_memory_is_an_error(void)
{
    CHECK_OK(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &lasting_key, NULL));
    test_out_of_memory(seal_and_open);
    cn_key_free(lasting_key);
}

int main(void)
{
    TEST(the_published_record_reads);
    TEST(records_come_back);
    TEST(what_is_no_record_of_the_signer_is_refused);
    TEST(bad_addresses_are_passed_over);
    TEST(the_sequence_only_rises);
    TEST(running_out_of_memory_is_an_error);
    return test_end();
}
