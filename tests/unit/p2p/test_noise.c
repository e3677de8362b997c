/*
 * Noise: the published XX vectors through the key schedule, two ends of the channel with every
 * kind of identity, the choice of the muxer, and what must be refused.
 */
#include "lib/test.h"
#include "p2p/security/noise.h"
#include "p2p/security/noise_handshake.h"
#include "rt_os/rt_os.h"

#include <jansson.h>

static size_t unhex(const char *hex, uint8_t *to, size_t max)
{
    size_t len = strlen(hex) / 2;
    CHECK(len <= max);
    for (size_t i = 0; i < len && i < max; i++) {
        unsigned value = 0;
        for (int j = 0; j < 2; j++) {
            char c = hex[2 * i + (size_t)j];
            value = value * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        to[i] = (uint8_t)value;
    }
    return len;
}

static void pair_of(const char *hex, cn_noise_pair *ret)
{
    CHECK_EQ(unhex(hex, ret->secret, sizeof(ret->secret)), 32);
    CHECK_OK(cn_x25519_public(ret->secret, ret->public_half, NULL));
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text == NULL ? "" : text;
}

static void check_messages(json_t *vector, cn_noise_xx ends[2])
{
    json_t *messages = json_object_get(vector, "messages");
    size_t index = 0;
    json_t *message = NULL;
    static uint8_t payload[65536];
    static uint8_t expected[65536];
    cn_buf out = {0};
    cn_slice got = {0};
    cn_buf_init(&out, cn_mem_default(), 65536);
    json_array_foreach(messages, index, message)
    {
        size_t payload_len = unhex(text_of(message, "payload"), payload, sizeof(payload));
        size_t expected_len = unhex(text_of(message, "ciphertext"), expected, sizeof(expected));
        if (index > 2) {
            break;
        }
        int number = (int)index + 1;
        cn_noise_xx *from = &ends[index % 2];
        cn_noise_xx *to = &ends[1 - index % 2];
        cn_buf_reset(&out);
        CHECK_OK(cn_noise_write(from, number, cn_slice_of(payload, payload_len), &out, NULL));
        CHECK_BYTES(cn_buf_slice(&out), cn_slice_of(expected, expected_len));
        CHECK_OK(cn_noise_read(to, number, out.data, out.len, &got, NULL));
        CHECK_BYTES(got, cn_slice_of(payload, payload_len));
    }
    cn_buf_release(&out);
}

static void published_vectors_come_out(void)
{
    cn_buf file = {0};
    if (!test_fixture("noise/noise_25519_ChaChaPoly_SHA256.json", &file)) {
        return;
    }
    json_t *root = json_loadb((const char *)file.data, file.len, 0, NULL);
    json_t *vector = NULL;
    size_t index = 0;
    size_t seen = 0;
    json_array_foreach(json_object_get(root, "vectors"), index, vector)
    {
        const char *name = text_of(vector, "protocol_name");
        name = *name == '\0' ? text_of(vector, "name") : name;
        if (strcmp(name, "Noise_XX_25519_ChaChaPoly_SHA256") != 0) {
            continue;
        }
        uint8_t prologue[256];
        size_t len = unhex(text_of(vector, "init_prologue"), prologue, sizeof(prologue));
        cn_noise_xx ends[2] = {{.is_initiator = true}, {.is_initiator = false}};
        for (int i = 0; i < 2; i++) {
            cn_noise_state_init(&ends[i].state, cn_mem_default(), cn_slice_of(prologue, len));
        }
        pair_of(text_of(vector, "init_static"), &ends[0].lasting);
        pair_of(text_of(vector, "resp_static"), &ends[1].lasting);
        pair_of(text_of(vector, "init_ephemeral"), &ends[0].passing);
        pair_of(text_of(vector, "resp_ephemeral"), &ends[1].passing);
        check_messages(vector, ends);
        uint8_t hash[CN_SHA256_BYTES];
        if (unhex(text_of(vector, "handshake_hash"), hash, sizeof(hash)) == sizeof(hash)) {
            CHECK_BYTES(
                cn_slice_of(ends[0].state.hash, sizeof(hash)), cn_slice_of(hash, sizeof(hash)));
        }
        seen++;
    }
    CHECK(seen >= 1);
    json_decref(root);
    cn_buf_release(&file);
}

typedef struct channel {
    cn_rt *rt;
    cn_key *keys[2];
    cn_security *kinds[2];
    cn_secure *ends[2];
    cn_buf wires[2]; /* towards end 0, end 1 */
} channel;

static const char *const YAMUX[] = {"/yamux/1.0.0"};
static const char *const BOTH[] = {"/other/1", "/yamux/1.0.0"};

static void channel_begin(channel *c, cn_key_type a, cn_key_type b)
{
    *c = (channel){0};
    CHECK_OK(cn_rt_os_new(1, &c->rt));
    for (int i = 0; i < 2; i++) {
        cn_buf_init(&c->wires[i], cn_mem_default(), 1 << 24);
        CHECK_OK(cn_key_generate(cn_mem_default(), i == 0 ? a : b, 2048, &c->keys[i], NULL));
        CHECK_OK(cn_noise_new(c->rt, cn_mem_default(), c->keys[i], &c->kinds[i], NULL));
    }
}

static void channel_open(channel *c, const cn_peer_id *expected, bool with_muxers)
{
    cn_secure_options o = {.mem = cn_mem_default(), .is_initiator = true, .expected = expected};
    o.muxers = BOTH;
    o.muxers_len = with_muxers ? 2 : 0;
    CHECK_OK(cn_secure_open(c->kinds[0], &o, &c->ends[0], NULL));
    o = (cn_secure_options){.mem = cn_mem_default(), .muxers = YAMUX, .muxers_len = 1};
    CHECK_OK(cn_secure_open(c->kinds[1], &o, &c->ends[1], NULL));
    CHECK_OK(cn_secure_begin(c->ends[0], &c->wires[1], NULL));
    CHECK_OK(cn_secure_begin(c->ends[1], &c->wires[0], NULL));
}

static void channel_end(channel *c)
{
    for (int i = 0; i < 2; i++) {
        cn_secure_free(c->ends[i]);
        c->kinds[i]->free(c->kinds[i]);
        cn_key_free(c->keys[i]);
        cn_buf_release(&c->wires[i]);
    }
    cn_rt_os_free(c->rt);
}

/* Let end `i` take one record, the wire lengthened byte by byte; its error. */
static cn_err step(channel *c, int i, cn_slice *ret_plain)
{
    cn_buf *wire = &c->wires[i];
    size_t used = 0;
    cn_err err = CN_OK;
    for (size_t len = 0; len <= wire->len && used == 0 && err == CN_OK; len++) {
        err = cn_secure_take(c->ends[i], wire->data, len, &used, ret_plain, &c->wires[1 - i], NULL);
    }
    if (used > 0 && ret_plain->len == 0) {
        cn_buf_skip(wire, used);
    }
    return err;
}

static cn_err shake(channel *c)
{
    cn_slice none = {0};
    cn_err err = step(c, 1, &none);
    err = err == CN_OK ? step(c, 0, &none) : err;
    return err == CN_OK ? step(c, 1, &none) : err;
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
        channel_open(&c, &ids[1], true);
        CHECK_OK(shake(&c));
        for (int k = 0; k < 2; k++) {
            CHECK(c.ends[k]->is_established);
            CHECK(cn_peer_id_eq(&c.ends[k]->peer, &ids[1 - k]));
            CHECK(c.ends[k]->muxer != NULL && strcmp(c.ends[k]->muxer, "/yamux/1.0.0") == 0);
        }
        channel_end(&c);
    }
}

static void without_a_list_no_muxer_is_chosen(void)
{
    channel c;
    channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
    channel_open(&c, NULL, false);
    CHECK_OK(shake(&c));
    CHECK(c.ends[0]->is_established && c.ends[0]->muxer == NULL && c.ends[1]->muxer == NULL);
    channel_end(&c);
}

static void another_peer_than_expected_is_refused(void)
{
    channel c;
    cn_peer_id other;
    channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
    CHECK_OK(cn_peer_id_of_key(c.keys[0], &other));
    channel_open(&c, &other, true);
    CHECK_ERR(shake(&c), CN_ERR_HASH_MISMATCH);
    CHECK(!c.ends[0]->is_established);
    channel_end(&c);
}

static void large_writes_are_cut_and_come_back(void)
{
    channel c;
    static uint8_t big[200000];
    cn_buf got = {0};
    cn_slice plain = {0};
    cn_buf_init(&got, cn_mem_default(), 1 << 20);
    for (size_t i = 0; i < sizeof(big); i++) {
        big[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
    channel_open(&c, NULL, true);
    CHECK_OK(shake(&c));
    cn_slice parts[] = {
        cn_slice_of(big, 1), cn_slice_of(big + 1, 65518), cn_slice_of(big, 0),
        cn_slice_of(big + 65519, sizeof(big) - 65519)};
    CHECK_OK(cn_secure_seal(c.ends[0], parts, CN_LEN(parts), &c.wires[1]));
    CHECK_EQ(c.wires[1].len, sizeof(big) + 4 * 18);
    while (c.wires[1].len > 0) {
        size_t used = 0;
        if (!CHECK_OK(cn_secure_take(
                c.ends[1], c.wires[1].data, c.wires[1].len, &used, &plain, &c.wires[0], NULL))) {
            break;
        }
        CHECK(used > 0);
        CHECK_OK(cn_buf_append(&got, plain));
        cn_buf_skip(&c.wires[1], used);
    }
    CHECK(cn_slice_eq(cn_buf_slice(&got), cn_slice_of(big, sizeof(big))));
    cn_buf_release(&got);
    channel_end(&c);
}

static void any_flipped_bit_is_refused(void)
{
    for (size_t bit = 0; bit < 64; bit++) {
        channel c;
        cn_slice none = {0};
        channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
        channel_open(&c, NULL, true);
        CHECK_OK(step(&c, 1, &none));
        size_t at = 2 + (c.wires[0].len - 3) * bit / 64;
        c.wires[0].data[at] ^= (uint8_t)(1 << (bit % 8));
        CHECK(step(&c, 0, &none) != CN_OK);
        CHECK(!c.ends[0]->is_established);
        channel_end(&c);
    }
}

static cn_err connect_once(cn_mem *mem)
{
    cn_err err = CN_OK;
    channel c = {0};
    cn_secure_options o = {.mem = mem, .is_initiator = true, .muxers = YAMUX, .muxers_len = 1};
    cn_slice none = {0};
    size_t used = 0;
    channel_begin(&c, CN_KEY_ED25519, CN_KEY_ED25519);
    CN_TRY(cn_secure_open(c.kinds[0], &o, &c.ends[0], NULL));
    o = (cn_secure_options){.mem = cn_mem_default(), .muxers = YAMUX, .muxers_len = 1};
    CN_TRY(cn_secure_open(c.kinds[1], &o, &c.ends[1], NULL));
    CN_TRY(cn_secure_begin(c.ends[0], &c.wires[1], NULL));
    CN_TRY(cn_secure_begin(c.ends[1], &c.wires[0], NULL));
    CN_TRY(cn_secure_take(
        c.ends[1], c.wires[1].data, c.wires[1].len, &used, &none, &c.wires[0], NULL));
    cn_buf_reset(&c.wires[1]);
    CN_TRY(cn_secure_take(
        c.ends[0], c.wires[0].data, c.wires[0].len, &used, &none, &c.wires[1], NULL));
out:
    channel_end(&c);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(connect_once);
}

int main(void)
{
    TEST(published_vectors_come_out);
    TEST(every_identity_shakes_hands);
    TEST(without_a_list_no_muxer_is_chosen);
    TEST(another_peer_than_expected_is_refused);
    TEST(large_writes_are_cut_and_come_back);
    TEST(any_flipped_bit_is_refused);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
