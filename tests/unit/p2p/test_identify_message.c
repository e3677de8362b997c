/*
 * Identify messages: read in any pieces, merged, within limits; ours with what fits; and what must
 * not pass.
 */
#include "p2p/host/identify_message.h"

#include "base/prng.h"
#include "codec/protobuf.h"
#include "lib/test.h"
#include "multiformats/multiaddr.h"

static cn_buf addresses; /* of address_of */

/* The binary form of a text, lasting. */
static cn_slice address_of(const char *text)
{
    size_t at = addresses.len;
    CHECK_OK(cn_multiaddr_parse(cn_str(text), &addresses, NULL));
    return cn_slice_skip(cn_buf_slice(&addresses), at);
}

static void put_message(cn_buf *out, cn_slice body)
{
    CHECK_OK(cn_varint_append(out, body.len));
    CHECK_OK(cn_buf_append(out, body));
}

static void a_message_comes_back_in_any_pieces(void)
{
    cn_slice listen[] = {address_of("/ip4/1.2.3.4/tcp/4001"), address_of("/ip6/::1/udp/1/quic-v1")};
    cn_slice names[] = {cn_str("/ipfs/id/1.0.0"), cn_str("/ipfs/ping/1.0.0"), cn_str("/x")};
    cn_identify_fields own = {
        .public_key = cn_str("key"),
        .protocol_version = cn_str("ipfs/0.1.0"),
        .agent = cn_str("kubo/0.43.0/"),
        .observed = address_of("/ip4/9.9.9.9/tcp/1"),
        .signed_record = cn_str("record"),
        .addresses = listen,
        .addresses_len = CN_LEN(listen),
        .protocols = names,
        .protocols_len = CN_LEN(names)};
    cn_buf bytes = {0};
    cn_buf_init(&bytes, cn_mem_default(), 8192);
    CHECK_OK(cn_identify_encode(&own, &bytes));
    for (size_t piece = 1; piece < bytes.len + 1; piece++) {
        cn_identify_reader r;
        cn_identify_fields got = {0};
        cn_identify_reader_init(&r, cn_mem_default());
        for (size_t at = 0; at < bytes.len; at += piece) {
            cn_slice s = cn_slice_head(cn_slice_skip(cn_buf_slice(&bytes), at), piece);
            CHECK_OK(cn_identify_recv(&r, s, NULL));
        }
        CHECK_OK(cn_identify_end(&r, &got, NULL));
        CHECK_BYTES(got.public_key, own.public_key);
        CHECK_BYTES(got.protocol_version, own.protocol_version);
        CHECK_BYTES(got.agent, own.agent);
        CHECK_BYTES(got.observed, own.observed);
        CHECK_BYTES(got.signed_record, own.signed_record);
        CHECK_EQ(got.addresses_len, 2);
        CHECK_EQ(got.protocols_len, 3);
        for (size_t i = 0; i < 2 && got.addresses_len == 2; i++) {
            CHECK_BYTES(got.addresses[i], listen[i]);
        }
        for (size_t i = 0; i < 3 && got.protocols_len == 3; i++) {
            CHECK_BYTES(got.protocols[i], names[i]);
        }
        cn_identify_reader_release(&r);
    }
    cn_buf_release(&bytes);
}

/* The reader's answer to whole streams. */
static cn_err read_all(cn_slice stream, cn_identify_reader *r, cn_identify_fields *ret)
{
    cn_err err = CN_OK;
    cn_why why = {{0}};
    cn_identify_reader_init(r, cn_mem_default());
    CN_TRY(cn_identify_recv(r, stream, &why));
    CN_TRY(cn_identify_end(r, ret, &why));
out:
    CHECK((err == CN_OK) == (why.text[0] == '\0'));
    return err;
}

static void messages_merge(void)
{
    static const char *const agents[] = {"one", "two"};
    cn_buf stream = {0};
    cn_identify_reader r;
    cn_identify_fields got = {0};
    cn_buf_init(&stream, cn_mem_default(), 8192);
    for (size_t i = 0; i < 2; i++) {
        cn_slice name = cn_str(i == 0 ? "/a" : "/b");
        cn_identify_fields part = {
            .agent = cn_str(agents[i]), .protocols = &name, .protocols_len = 1};
        if (i == 0) {
            part.public_key = cn_str("key");
        } else {
            part.signed_record = cn_str("split off");
        }
        CHECK_OK(cn_identify_encode(&part, &stream));
    }
    CHECK_OK(read_all(cn_buf_slice(&stream), &r, &got));
    CHECK_BYTES(got.agent, cn_str("two"));
    CHECK_BYTES(got.public_key, cn_str("key"));
    CHECK_BYTES(got.signed_record, cn_str("split off"));
    CHECK_EQ(got.protocols_len, 2);
    CHECK(got.observed.data == NULL && got.protocol_version.data == NULL);
    CHECK(got.addresses == NULL);
    cn_identify_reader_release(&r);
    cn_buf_release(&stream);
}

static void limits_of_a_stream_hold(void)
{
    cn_buf stream = {0};
    cn_buf body = {0};
    cn_identify_reader r;
    cn_identify_fields got = {0};
    static const uint8_t zeros[CN_IDENTIFY_MESSAGE_MAX_BYTES] = {0};
    cn_buf_init(&stream, cn_mem_default(), 200000);
    cn_buf_init(&body, cn_mem_default(), 20000);
    /* one unknown field that fills a message to the byte */
    CHECK_OK(cn_pb_put_bytes(&body, 100, cn_slice_of(zeros, sizeof(zeros) - 4)));
    CHECK_EQ(body.len, CN_IDENTIFY_MESSAGE_MAX_BYTES);
    for (int i = 0; i < CN_IDENTIFY_MESSAGES_MAX; i++) {
        put_message(&stream, cn_buf_slice(&body));
    }
    CHECK_OK(read_all(cn_buf_slice(&stream), &r, &got));
    cn_identify_reader_release(&r);
    put_message(&stream, cn_str(""));
    CHECK_ERR(read_all(cn_buf_slice(&stream), &r, &got), CN_ERR_TOO_LARGE);
    cn_identify_reader_release(&r);

    /* one byte more, told by its length alone */
    CHECK_ERR(read_all(test_hex("8140"), &r, &got), CN_ERR_TOO_LARGE);
    cn_identify_reader_release(&r);
    CHECK_ERR(read_all(test_hex("8080"), &r, &got), CN_ERR_TOO_LARGE);
    cn_identify_reader_release(&r);
    CHECK_ERR(read_all(test_hex("808001"), &r, &got), CN_ERR_TOO_LARGE);
    cn_identify_reader_release(&r);
    CHECK_ERR(read_all(test_hex("80808080808080808080"), &r, &got), CN_ERR_TOO_LARGE);
    cn_identify_reader_release(&r);
    CHECK_ERR(read_all(test_hex("00feffffff00"), &r, &got), CN_ERR_TOO_LARGE);
    cn_identify_reader_release(&r);
    CHECK_ERR(read_all(test_hex("8000"), &r, &got), CN_ERR_MALFORMED);
    cn_identify_reader_release(&r);
    CHECK_ERR(read_all(test_hex(""), &r, &got), CN_ERR_TRUNCATED);
    cn_identify_reader_release(&r);
    CHECK_ERR(read_all(test_hex("80"), &r, &got), CN_ERR_TRUNCATED);
    cn_identify_reader_release(&r);
    CHECK_ERR(read_all(test_hex("021a"), &r, &got), CN_ERR_TRUNCATED);
    cn_identify_reader_release(&r);
    CHECK_ERR(read_all(test_hex("021a05"), &r, &got), CN_ERR_MALFORMED);
    cn_identify_reader_release(&r);
    cn_buf_release(&stream);
    cn_buf_release(&body);
}

static void lists_are_cut_at_their_caps(void)
{
    for (int over = 0; over < 2; over++) {
        cn_buf stream = {0};
        cn_buf body = {0};
        cn_identify_reader r;
        cn_identify_fields got = {0};
        cn_slice address = address_of("/ip4/1.2.3.4/tcp/4001");
        cn_buf_init(&stream, cn_mem_default(), 100000);
        cn_buf_init(&body, cn_mem_default(), 20000);
        for (int i = 0; i < CN_IDENTIFY_ADDRESSES_MAX + over; i++) {
            CHECK_OK(cn_pb_put_bytes(&body, 2, address));
            if (body.len > 8000) {
                put_message(&stream, cn_buf_slice(&body));
                cn_buf_reset(&body);
            }
        }
        for (int i = 0; i < CN_IDENTIFY_PROTOCOLS_MAX + over; i++) {
            CHECK_OK(cn_pb_put_bytes(&body, 3, cn_str("/a")));
            if (body.len > 8000) {
                put_message(&stream, cn_buf_slice(&body));
                cn_buf_reset(&body);
            }
        }
        put_message(&stream, cn_buf_slice(&body));
        CHECK_OK(read_all(cn_buf_slice(&stream), &r, &got));
        CHECK_EQ(got.addresses_len, CN_IDENTIFY_ADDRESSES_MAX);
        CHECK_EQ(got.protocols_len, CN_IDENTIFY_PROTOCOLS_MAX);
        cn_identify_reader_release(&r);
        cn_buf_release(&stream);
        cn_buf_release(&body);
    }
}

static void what_is_wrong_is_left_out(void)
{
    static char name[CN_IDENTIFY_NAME_MAX_BYTES + 2];
    cn_buf stream = {0};
    cn_buf body = {0};
    cn_identify_reader r;
    cn_identify_fields got = {0};
    cn_buf_init(&stream, cn_mem_default(), 100000);
    cn_buf_init(&body, cn_mem_default(), 20000);
    for (size_t i = 0; i < sizeof(name); i++) {
        name[i] = 'n';
    }
    CHECK_OK(cn_pb_put_bytes(&body, 2, cn_str("no multiaddr")));
    CHECK_OK(cn_pb_put_bytes(&body, 2, address_of("/ip4/1.2.3.4/tcp/1")));
    CHECK_OK(cn_pb_put_bytes(&body, 4, cn_str("\xff")));
    CHECK_OK(cn_pb_put_bytes(&body, 3, cn_str("")));
    CHECK_OK(cn_pb_put_bytes(&body, 3, cn_str("/a\xff")));
    CHECK_OK(cn_pb_put_bytes(&body, 3, cn_slice_of(name, CN_IDENTIFY_NAME_MAX_BYTES)));
    CHECK_OK(cn_pb_put_bytes(&body, 3, cn_slice_of(name, CN_IDENTIFY_NAME_MAX_BYTES + 1)));
    CHECK_OK(cn_pb_put_bytes(&body, 5, cn_slice_of(name, CN_IDENTIFY_TEXT_MAX_BYTES + 1)));
    CHECK_OK(cn_pb_put_bytes(&body, 6, cn_str("\xc3")));
    CHECK_OK(cn_pb_put_varint(&body, 6, 7)); /* another wire type */
    CHECK_OK(cn_pb_put_varint(&body, 99, 7));
    put_message(&stream, cn_buf_slice(&body));
    CHECK_OK(read_all(cn_buf_slice(&stream), &r, &got));
    CHECK_EQ(got.addresses_len, 1);
    CHECK_EQ(got.protocols_len, 1);
    CHECK(got.observed.data == NULL && got.agent.data == NULL && got.protocol_version.data == NULL);
    cn_identify_reader_release(&r);
    cn_buf_release(&stream);
    cn_buf_release(&body);
}

/* What fits is told in the order key, protocols, record, addresses. */
static void ours_stays_below_four_kib(void)
{
    static cn_slice listen[CN_IDENTIFY_ADDRESSES_MAX];
    static const uint8_t record[4100] = {0};
    static const uint8_t key[1000] = {0};
    cn_identify_fields own = {
        .agent = cn_str("cairn"), .addresses = listen, .addresses_len = CN_LEN(listen)};
    cn_identify_reader r;
    cn_identify_fields got = {0};
    cn_buf out = {0};
    cn_buf_init(&out, cn_mem_default(), 8192);
    for (size_t i = 0; i < CN_LEN(listen); i++) {
        listen[i] = address_of("/ip4/1.2.3.4/tcp/4001"); /* 8 bytes, 10 in the message */
    }
    CHECK_OK(cn_identify_encode(&own, &out));
    CHECK(out.len <= CN_IDENTIFY_OWN_MAX_BYTES && out.len > CN_IDENTIFY_OWN_MAX_BYTES - 10);
    CHECK_OK(read_all(cn_buf_slice(&out), &r, &got));
    CHECK_EQ(got.addresses_len, (4094 - 7) / 10);
    cn_identify_reader_release(&r);

    own.agent = cn_slice_of(record, 12); /* 408 addresses fit to the byte */
    cn_buf_reset(&out);
    CHECK_OK(cn_identify_encode(&own, &out));
    CHECK_EQ(out.len, CN_IDENTIFY_OWN_MAX_BYTES);
    own.addresses_len = 0;
    own.signed_record = cn_slice_of(record, 4094 - 14 - 3); /* and so does a record */
    cn_buf_reset(&out);
    CHECK_OK(cn_identify_encode(&own, &out));
    CHECK_EQ(out.len, CN_IDENTIFY_OWN_MAX_BYTES);

    own.agent = cn_str("cairn");
    own.addresses_len = CN_LEN(listen);
    own.signed_record = cn_slice_of(record, 4000);
    cn_buf_reset(&out);
    CHECK_OK(cn_identify_encode(&own, &out));
    CHECK_OK(read_all(cn_buf_slice(&out), &r, &got));
    CHECK_EQ(got.signed_record.len, 4000);
    CHECK_EQ(got.addresses_len, (4094 - 7 - 4003) / 10);
    cn_identify_reader_release(&r);

    own.public_key = cn_slice_of(key, 1000); /* now the record does not fit, addresses do */
    cn_buf_reset(&out);
    CHECK_OK(cn_identify_encode(&own, &out));
    CHECK_OK(read_all(cn_buf_slice(&out), &r, &got));
    CHECK(got.signed_record.data == NULL);
    CHECK_EQ(got.addresses_len, (4094 - 7 - 1003) / 10);
    cn_identify_reader_release(&r);

    cn_buf_reset(&out);
    CHECK_OK(cn_identify_encode(
        &(cn_identify_fields){
            .public_key = cn_slice_of(record, 4000), .agent = cn_slice_of(record, 89)},
        &out)); /* 4003 + 91 = 4094 to the byte */
    CHECK_EQ(out.len, CN_IDENTIFY_OWN_MAX_BYTES);
    CHECK_ERR(
        cn_identify_encode(
            &(cn_identify_fields){
                .public_key = cn_slice_of(record, 4000), .agent = cn_slice_of(record, 90)},
            &out),
        CN_ERR_TOO_LARGE);
    CHECK_EQ(out.len, CN_IDENTIFY_OWN_MAX_BYTES);
    cn_buf_release(&out);
}

static void bytes_by_chance_are_survived(void)
{
    cn_prng p;
    cn_prng_init(&p, 11);
    for (int round = 0; round < 3000; round++) {
        uint8_t bytes[64];
        size_t len = (size_t)cn_prng_below(&p, sizeof(bytes));
        cn_identify_reader r;
        cn_identify_fields got = {0};
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (uint8_t)(cn_prng_u32(&p) & (i % 3 == 0 ? 0x3f : 0xff));
        }
        (void)!read_all(cn_slice_of(bytes, len), &r, &got);
        cn_identify_reader_release(&r);
    }
}

static cn_err read_with(cn_mem *mem)
{
    cn_err err = CN_OK;
    cn_identify_reader r;
    cn_identify_fields got = {0};
    cn_slice names[] = {cn_str("/a"), cn_str("/b")};
    cn_buf out = {0};
    cn_identify_reader_init(&r, mem);
    cn_buf_init(&out, mem, 8192);
    CN_TRY(cn_identify_encode(
        &(cn_identify_fields){.agent = cn_str("a"), .protocols = names, .protocols_len = 2}, &out));
    CN_TRY(cn_identify_recv(&r, cn_buf_slice(&out), NULL));
    CN_TRY(cn_identify_end(&r, &got, NULL));
    CHECK_EQ(got.protocols_len, 2);
out:
    cn_identify_reader_release(&r);
    cn_buf_release(&out);
    return err;
}

static void running_out_of_memory_is_an_error(void)
{
    test_out_of_memory(read_with);
}

int main(void)
{
    cn_buf_init(&addresses, cn_mem_default(), 1 << 20);
    (void)!cn_buf_reserve(&addresses, 1 << 19); /* so that what is lent stays */
    TEST(a_message_comes_back_in_any_pieces);
    TEST(messages_merge);
    TEST(limits_of_a_stream_hold);
    TEST(lists_are_cut_at_their_caps);
    TEST(what_is_wrong_is_left_out);
    TEST(ours_stays_below_four_kib);
    TEST(bytes_by_chance_are_survived);
    TEST(running_out_of_memory_is_an_error);
    cn_buf_release(&addresses);
    return test_end();
}
