/*
 * TLS: two ends of the channel with every kind of identity, the choice of the muxer, what must be
 * refused and in which words, and what goes on after the handshake.
 */
#include "lib/test.h"
#include "p2p/security/tls.h"
#include "rt_os/rt_os.h"

typedef struct channel {
    cn_rt *rt;
    cn_key *keys[2];
    cn_security *kinds[2];
    cn_secure *ends[2];
    cn_buf wires[2]; /* towards end 0, end 1 */
    cn_why whys[2];
} channel;

static const char *const YAMUX[] = {"/yamux/1.0.0"};
static const char *const BOTH[] = {"/other/1", "/yamux/1.0.0"};
static const char *const TURNED[] = {"/yamux/1.0.0", "/other/1"};
static const char *const OTHER[] = {"/strange/1"};

static void channel_begin(channel *c, cn_key_type a, cn_key_type b)
{
    *c = (channel){0};
    CHECK_OK(cn_rt_os_new(1, &c->rt));
    for (int i = 0; i < 2; i++) {
        cn_buf_init(&c->wires[i], cn_mem_default(), 1 << 24);
        CHECK_OK(cn_key_generate(cn_mem_default(), i == 0 ? a : b, 2048, &c->keys[i], NULL));
        CHECK_OK(cn_tls_new(c->rt, cn_mem_default(), c->keys[i], &c->kinds[i], NULL));
    }
}

static void open_end(channel *c, int i, const char *const *muxers, size_t len, const cn_peer_id *p)
{
    cn_secure_options o = {
        .mem = cn_mem_default(),
        .is_initiator = i == 0,
        .expected = p,
        .muxers = muxers,
        .muxers_len = len,
    };
    CHECK_OK(cn_secure_open(c->kinds[i], &o, &c->ends[i], NULL));
    CHECK_OK(cn_secure_begin(c->ends[i], &c->wires[1 - i], NULL));
}

static void channel_open(channel *c, const cn_peer_id *expected)
{
    open_end(c, 0, BOTH, 2, expected);
    open_end(c, 1, YAMUX, 1, NULL);
}

static void close_ends(channel *c)
{
    for (int i = 0; i < 2; i++) {
        cn_secure_free(c->ends[i]);
        c->ends[i] = NULL;
        cn_buf_reset(&c->wires[i]);
    }
}

static void channel_end(channel *c)
{
    close_ends(c);
    for (int i = 0; i < 2; i++) {
        c->kinds[i]->free(c->kinds[i]);
        cn_key_free(c->keys[i]);
        cn_buf_release(&c->wires[i]);
    }
    cn_rt_os_free(c->rt);
}

/* Let end `i` take one record, the wire lengthened byte by byte. */
static cn_err step(channel *c, int i, cn_slice *ret_plain)
{
    cn_buf *wire = &c->wires[i];
    size_t used = 0;
    cn_err err = CN_OK;
    for (size_t len = 0; len <= wire->len && used == 0 && err == CN_OK; len++) {
        err = cn_secure_take(
            c->ends[i], wire->data, len, &used, ret_plain, &c->wires[1 - i], &c->whys[i]);
    }
    if (err == CN_OK && used > 0 && ret_plain->len == 0) {
        cn_buf_skip(wire, used);
    }
    return err;
}

/* Until nothing is left to be taken; the first error. */
static cn_err shake(channel *c)
{
    cn_slice plain = {0};
    cn_err err = CN_OK;
    while (err == CN_OK && (c->wires[0].len > 0 || c->wires[1].len > 0)) {
        for (int i = 1; i >= 0 && err == CN_OK; i--) {
            err = c->wires[i].len > 0 ? step(c, i, &plain) : CN_OK;
        }
    }
    return err;
}

static void every_identity_shakes_hands(void)
{
    static const cn_key_type types[] = {CN_KEY_RSA, CN_KEY_ED25519, CN_KEY_SECP256K1, CN_KEY_ECDSA};
    for (size_t i = 0; i < CN_LEN(types); i++) {
        channel c;
        cn_peer_id ids[2];
        channel_begin(&c, types[i], types[(i + 1) % CN_LEN(types)]);
        for (int k = 0; k < 2; k++) {
            CHECK_OK(cn_peer_id_of_key(c.keys[k], &ids[k]));
        }
        channel_open(&c, &ids[1]);
        CHECK_OK(shake(&c));
        for (int k = 0; k < 2; k++) {
            CHECK(c.ends[k]->is_established);
            CHECK(cn_peer_id_eq(&c.ends[k]->peer, &ids[1 - k]));
            CHECK(c.ends[k]->peer_key != NULL);
            CHECK(c.ends[k]->muxer != NULL && strcmp(c.ends[k]->muxer, "/yamux/1.0.0") == 0);
        }
        channel_end(&c);
    }
}

static void the_muxer_is_the_first_of_the_client(void)
{
    channel c;
    channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
    open_end(&c, 0, BOTH, 2, NULL);
    open_end(&c, 1, TURNED, 2, NULL);
    CHECK_OK(shake(&c));
    CHECK_STR(c.ends[0]->muxer, "/other/1");
    CHECK_STR(c.ends[1]->muxer, "/other/1");
    close_ends(&c);
    /* none in common, or none named: it is agreed on inside */
    open_end(&c, 0, BOTH, 2, NULL);
    open_end(&c, 1, OTHER, 1, NULL);
    CHECK_OK(shake(&c));
    CHECK(c.ends[0]->is_established && c.ends[0]->muxer == NULL && c.ends[1]->muxer == NULL);
    close_ends(&c);
    open_end(&c, 0, NULL, 0, NULL);
    open_end(&c, 1, YAMUX, 1, NULL);
    CHECK_OK(shake(&c));
    CHECK(c.ends[1]->is_established && c.ends[0]->muxer == NULL && c.ends[1]->muxer == NULL);
    channel_end(&c);
}

static bool names(const char *sentence, const cn_peer_id *id)
{
    cn_buf text = {0};
    const char *name = "";
    cn_buf_init(&text, cn_mem_default(), 256);
    CHECK_OK(cn_peer_id_encode_text(id, 0, &text));
    CHECK_OK(cn_buf_cstr(&text, &name));
    bool found = strstr(sentence, name) != NULL;
    cn_buf_release(&text);
    return found;
}

/* The client finds another peer; the server hears of it by an alert within its handshake. */
static void another_server_than_expected_is_refused(void)
{
    channel c;
    cn_peer_id ids[2];
    channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
    for (int k = 0; k < 2; k++) {
        CHECK_OK(cn_peer_id_of_key(c.keys[k], &ids[k]));
    }
    channel_open(&c, &ids[0]);
    CHECK_ERR(shake(&c), CN_ERR_HASH_MISMATCH);
    CHECK(!c.ends[0]->is_established);
    CHECK(names(c.whys[0].text, &ids[0]) && names(c.whys[0].text, &ids[1]));
    cn_slice plain = {0};
    cn_err err = CN_OK;
    while (err == CN_OK && c.wires[1].len > 0) {
        err = step(&c, 1, &plain);
    }
    CHECK_ERR(err, CN_ERR_MALFORMED);
    CHECK(strstr(c.whys[1].text, "bad certificate (alert 42)") != NULL);
    CHECK(!c.ends[1]->is_established);
    channel_end(&c);
}

/* The client stands already when the server's refusal comes. */
static void a_refusal_after_the_handshake_names_both(void)
{
    channel c;
    cn_peer_id ids[2];
    cn_slice plain = {0};
    channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
    for (int k = 0; k < 2; k++) {
        CHECK_OK(cn_peer_id_of_key(c.keys[k], &ids[k]));
    }
    open_end(&c, 0, YAMUX, 1, &ids[1]);
    open_end(&c, 1, YAMUX, 1, &ids[1]); /* the server wants somebody else */
    CHECK_ERR(shake(&c), CN_ERR_HASH_MISMATCH);
    CHECK(c.ends[0]->is_established && !c.ends[1]->is_established);
    cn_err err = CN_OK;
    while (err == CN_OK && c.wires[0].len > 0) {
        err = step(&c, 0, &plain);
    }
    CHECK_ERR(err, CN_ERR_MALFORMED);
    CHECK(strstr(c.whys[0].text, "does not take us for") != NULL);
    CHECK(names(c.whys[0].text, &ids[0]) && names(c.whys[0].text, &ids[1]));
    channel_end(&c);
}

static void ready(channel *c)
{
    channel_begin(c, CN_KEY_ED25519, CN_KEY_ED25519);
    channel_open(c, NULL);
    CHECK_OK(shake(c));
}

/* All that end 1 gets, whole records at a time. */
static cn_err take_all(channel *c, cn_buf *got)
{
    cn_slice plain = {0};
    cn_err err = CN_OK;
    while (err == CN_OK && c->wires[1].len > 0) {
        size_t used = 0;
        err = cn_secure_take(
            c->ends[1], c->wires[1].data, c->wires[1].len, &used, &plain, &c->wires[0],
            &c->whys[1]);
        if (err == CN_OK) {
            CHECK(used > 0);
            CHECK_OK(cn_buf_append(got, plain));
            cn_buf_skip(&c->wires[1], used);
        }
    }
    return err;
}

static void large_writes_are_cut_and_come_back(void)
{
    enum { RECORDS = 13, OVERHEAD = 5 + 1 + 16 };
    channel c;
    static uint8_t big[200000];
    cn_buf got = {0};
    cn_buf_init(&got, cn_mem_default(), 1 << 20);
    for (size_t i = 0; i < sizeof(big); i++) {
        big[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    ready(&c);
    cn_slice parts[] = {
        cn_slice_of(big, 1), cn_slice_of(big + 1, 65518), cn_slice_of(big, 0),
        cn_slice_of(big + 65519, sizeof(big) - 65519)};
    CHECK_OK(cn_secure_seal(c.ends[0], parts, CN_LEN(parts), &c.wires[1]));
    CHECK_EQ(c.wires[1].len, sizeof(big) + RECORDS * OVERHEAD);
    CHECK_OK(take_all(&c, &got));
    CHECK(cn_slice_eq(cn_buf_slice(&got), cn_slice_of(big, sizeof(big))));
    cn_buf_release(&got);
    channel_end(&c);
}

static void an_orderly_end_is_told(void)
{
    channel c;
    cn_slice plain = {0};
    ready(&c);
    CHECK_OK(cn_secure_finish(c.ends[0], &c.wires[1]));
    CHECK_ERR(step(&c, 1, &plain), CN_ERR_CLOSED);
    channel_end(&c);
}

/* In what the server says first, and in the client's answer. */
static void any_flipped_bit_in_the_handshake_is_refused(void)
{
    channel c;
    channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
    for (int end = 0; end < 2; end++) {
        for (size_t bit = 0; bit < 48; bit++) {
            cn_slice none = {0};
            channel_open(&c, NULL);
            CHECK_OK(step(&c, 1, &none));
            while (end == 1 && c.wires[0].len > 0) {
                CHECK_OK(step(&c, 0, &none));
            }
            /* behind the change of ciphers, which means nothing */
            size_t from = end == 1 ? 6 : 0;
            size_t at = from + 5 + (c.wires[end].len - from - 6) * bit / 48;
            c.wires[end].data[at] ^= (uint8_t)(1 << (bit % 8));
            cn_err err = CN_OK;
            for (int i = 0; err == CN_OK && c.wires[end].len > 0 && i < 100; i++) {
                size_t before = c.wires[end].len;
                err = step(&c, end, &none);
                if (c.wires[end].len == before) {
                    break; /* a length was made longer: it waits for more */
                }
            }
            CHECK(!c.ends[end]->is_established);
            close_ends(&c);
        }
    }
    channel_end(&c);
}

static void any_flipped_bit_of_a_record_is_refused(void)
{
    channel c;
    cn_buf record = {0};
    cn_slice plain = {0};
    cn_slice text = cn_str("hello");
    cn_buf_init(&record, cn_mem_default(), 1 << 16);
    ready(&c);
    CHECK_OK(cn_secure_seal(c.ends[0], &text, 1, &record));
    for (size_t bit = 0; bit < record.len * 8; bit++) {
        size_t used = 0;
        channel_end(&c);
        ready(&c);
        cn_buf_reset(&record);
        CHECK_OK(cn_secure_seal(c.ends[0], &text, 1, &record));
        record.data[bit / 8] ^= (uint8_t)(1 << (bit % 8));
        cn_err err = cn_secure_take(
            c.ends[1], record.data, record.len, &used, &plain, &c.wires[0], &c.whys[1]);
        CHECK(err != CN_OK || used == 0);
    }
    cn_buf_release(&record);
    channel_end(&c);
}

static void records_out_of_turn_are_refused(void)
{
    channel c;
    cn_slice plain = {0};
    cn_slice text = cn_str("hello");
    static const uint8_t clear[] = {23, 3, 3, 0, 1, 0};
    static const uint8_t change[] = {20, 3, 3, 0, 1, 1};
    static const uint8_t huge[] = {23, 3, 3, 0x41, 1};
    ready(&c);
    CHECK_OK(cn_secure_seal(c.ends[0], &text, 1, &c.wires[1]));
    cn_buf_reset(&c.wires[1]); /* lost */
    CHECK_OK(cn_secure_seal(c.ends[0], &text, 1, &c.wires[1]));
    CHECK_ERR(step(&c, 1, &plain), CN_ERR_MALFORMED);
    static const struct {
        const uint8_t *bytes;
        size_t len;
    } bad[] = {{clear, sizeof(clear)}, {change, sizeof(change)}, {huge, sizeof(huge)}};
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        channel_end(&c);
        ready(&c);
        CHECK_OK(cn_buf_append(&c.wires[1], cn_slice_of(bad[i].bytes, bad[i].len)));
        CHECK_ERR(step(&c, 1, &plain), CN_ERR_MALFORMED);
    }
    channel_end(&c);
}

static void bytes_that_are_no_tls_end_at_the_first(void)
{
    channel c;
    cn_slice plain = {0};
    channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
    open_end(&c, 1, YAMUX, 1, NULL);
    CHECK_OK(cn_buf_text(&c.wires[1], "GET / HTTP/1.1\r\n"));
    CHECK_ERR(step(&c, 1, &plain), CN_ERR_MALFORMED);
    CHECK_STR(c.whys[1].text, "tls: this is no record");
    channel_end(&c);
}

static void sealing_too_early_is_a_mistake(void)
{
    channel c;
    cn_slice text = cn_str("x");
    channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
    channel_open(&c, NULL);
    CHECK_ERR(cn_secure_seal(c.ends[0], &text, 1, &c.wires[1]), CN_ERR_USAGE);
    channel_end(&c);
}

static void an_open_channel_is_small(void)
{
    channel c;
    cn_mem mem;
    cn_mem_init(&mem, 0);
    channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
    cn_secure_options o = {.mem = &mem, .is_initiator = true, .muxers = YAMUX, .muxers_len = 1};
    CHECK_OK(cn_secure_open(c.kinds[0], &o, &c.ends[0], NULL));
    CHECK_OK(cn_secure_begin(c.ends[0], &c.wires[1], NULL));
    open_end(&c, 1, YAMUX, 1, NULL);
    CHECK_OK(shake(&c));
    CHECK(c.ends[0]->is_established);
    CHECK(mem.used_bytes < 2048); /* and two cipher states of libcrypto */
    channel_end(&c);
}

static cn_err connect_once(cn_mem *mem)
{
    cn_err err = CN_OK;
    channel c = {0};
    cn_secure_options o = {.mem = mem, .is_initiator = true, .muxers = YAMUX, .muxers_len = 1};
    cn_security *kind = NULL;
    channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
    CN_TRY(cn_tls_new(c.rt, mem, c.keys[0], &kind, NULL));
    CN_TRY(cn_secure_open(kind, &o, &c.ends[0], NULL));
    CN_TRY(cn_secure_begin(c.ends[0], &c.wires[1], NULL));
    open_end(&c, 1, YAMUX, 1, NULL);
    CN_TRY(shake(&c));
out:
    cn_secure_free(c.ends[0]);
    c.ends[0] = NULL;
    if (kind != NULL) {
        kind->free(kind);
    }
    channel_end(&c);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(connect_once);
}

int main(void)
{
    TEST(every_identity_shakes_hands);
    TEST(the_muxer_is_the_first_of_the_client);
    TEST(another_server_than_expected_is_refused);
    TEST(a_refusal_after_the_handshake_names_both);
    TEST(large_writes_are_cut_and_come_back);
    TEST(an_orderly_end_is_told);
    TEST(any_flipped_bit_in_the_handshake_is_refused);
    TEST(any_flipped_bit_of_a_record_is_refused);
    TEST(records_out_of_turn_are_refused);
    TEST(bytes_that_are_no_tls_end_at_the_first);
    TEST(sealing_too_early_is_a_mistake);
    TEST(an_open_channel_is_small);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
