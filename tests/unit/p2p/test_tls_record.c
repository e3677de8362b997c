/*
 * Records: the keys and the record of the published handshake, keys that follow one another, and
 * the bounds.
 */
#include "lib/test.h"
#include "p2p/security/tls_record.h"

/* RFC 8448 chapter 3: the client's secret, and its first record: the bytes 0 to 49. */
static const char SECRET[] = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
static const char RECORD[] = "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b"
                             "9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aee"
                             "bb21694915e4";

typedef struct ways {
    cn_tls_way out;
    cn_tls_way in;
    cn_buf wire;
} ways;

static void ways_begin(ways *w, cn_aead_kind kind)
{
    cn_buf_init(&w->wire, cn_mem_default(), 1 << 20);
    CHECK_OK(cn_tls_way_open(&w->out, cn_mem_default(), kind, true, test_hex(SECRET).data));
    CHECK_OK(cn_tls_way_open(&w->in, cn_mem_default(), kind, false, test_hex(SECRET).data));
}

static void ways_end(ways *w)
{
    cn_tls_way_release(&w->out);
    cn_tls_way_release(&w->in);
    cn_buf_release(&w->wire);
}

static cn_err pass(ways *w, cn_slice plain, cn_slice *ret)
{
    uint8_t type = 0;
    cn_buf_reset(&w->wire);
    CHECK_OK(cn_tls_record_seal(&w->out, CN_TLS_DATA, &plain, 1, plain.len, &w->wire));
    cn_err err = cn_tls_record_open(&w->in, w->wire.data, w->wire.len, &type, ret);
    CHECK(err != CN_OK || type == CN_TLS_DATA);
    return err;
}

static void the_published_record_comes_out(void)
{
    ways w;
    uint8_t plain[50];
    cn_slice got = {0};
    for (size_t i = 0; i < sizeof(plain); i++) {
        plain[i] = (uint8_t)i;
    }
    ways_begin(&w, CN_AEAD_AES128);
    cn_slice part = cn_slice_of(plain, sizeof(plain));
    CHECK_OK(cn_tls_record_seal(&w.out, CN_TLS_DATA, &part, 1, part.len, &w.wire));
    CHECK_BYTES(cn_buf_slice(&w.wire), test_hex(RECORD));
    uint8_t type = 0;
    CHECK_OK(cn_tls_record_open(&w.in, w.wire.data, w.wire.len, &type, &got));
    CHECK_BYTES(got, part);
    ways_end(&w);
}

static void keys_follow_one_another(void)
{
    for (int kind = 0; kind < 2; kind++) {
        ways w;
        cn_slice got = {0};
        ways_begin(&w, kind == 0 ? CN_AEAD_AES128 : CN_AEAD_CHACHA20);
        for (int i = 0; i < 5; i++) {
            CHECK_OK(pass(&w, cn_str("hello"), &got));
            CHECK_BYTES(got, cn_str("hello"));
            CHECK_OK(cn_tls_way_next(&w.out));
            CHECK_OK(cn_tls_way_next(&w.in));
        }
        CHECK_OK(cn_tls_way_next(&w.out));
        CHECK_ERR(pass(&w, cn_str("hello"), &got), CN_ERR_MALFORMED);
        ways_end(&w);
    }
}

static void keys_are_spent_at_their_limit(void)
{
    ways w;
    cn_slice got = {0};
    ways_begin(&w, CN_AEAD_AES128);
    w.out.number = w.in.number = CN_TLS_RECORDS_PER_KEY - 1;
    CHECK(!cn_tls_way_is_spent(&w.out));
    CHECK_OK(pass(&w, cn_str("hello"), &got));
    CHECK(cn_tls_way_is_spent(&w.out));
    CHECK_OK(cn_tls_way_next(&w.out));
    CHECK(!cn_tls_way_is_spent(&w.out));
    w.out.number = UINT64_MAX;
    cn_slice part = cn_str("x");
    CHECK_ERR(cn_tls_record_seal(&w.out, CN_TLS_DATA, &part, 1, 1, &w.wire), CN_ERR_TOO_LARGE);
    ways_end(&w);
}

static void bounds_of_what_is_inside(void)
{
    ways w;
    static uint8_t inside[CN_TLS_PLAIN_MAX_BYTES + 2];
    uint8_t nonce[CN_AEAD_NONCE_BYTES];
    uint8_t type = 0;
    cn_slice got = {0};
    ways_begin(&w, CN_AEAD_AES128);
    CHECK_OK(pass(&w, cn_slice_of(inside, CN_TLS_PLAIN_MAX_BYTES), &got));
    CHECK_EQ(got.len, CN_TLS_PLAIN_MAX_BYTES);
    /* one byte more, and nothing but padding: sealed by hand, since seal does not */
    for (int i = 0; i < 2; i++) {
        size_t len = i == 0 ? sizeof(inside) : 5;
        size_t sealed = len + CN_AEAD_TAG_BYTES;
        inside[sizeof(inside) - 1] = CN_TLS_DATA;
        uint8_t head[] = {CN_TLS_DATA, 3, 3, (uint8_t)(sealed >> 8), (uint8_t)sealed};
        cn_slice part = cn_slice_of(inside, len);
        cn_buf_reset(&w.wire);
        CHECK_OK(cn_buf_append(&w.wire, cn_slice_of(head, sizeof(head))));
        CHECK_OK(cn_buf_reserve(&w.wire, sealed));
        cn_copy(nonce, w.in.iv, sizeof(nonce));
        nonce[CN_AEAD_NONCE_BYTES - 1] ^= (uint8_t)w.in.number;
        CHECK_OK(cn_aead_seal(
            w.out.aead, nonce, cn_slice_of(head, sizeof(head)), &part, 1,
            w.wire.data + sizeof(head)));
        w.wire.len += sealed;
        CHECK_ERR(
            cn_tls_record_open(&w.in, w.wire.data, w.wire.len, &type, &got), CN_ERR_MALFORMED);
    }
    /* shorter than its tag */
    CHECK_ERR(cn_tls_record_open(&w.in, w.wire.data, 20, &type, &got), CN_ERR_MALFORMED);
    ways_end(&w);
}

int main(void)
{
    TEST(the_published_record_comes_out);
    TEST(keys_follow_one_another);
    TEST(keys_are_spent_at_their_limit);
    TEST(bounds_of_what_is_inside);
    return test_end();
}
