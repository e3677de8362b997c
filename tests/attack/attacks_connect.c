/*
 * Connections: slow, silent, many, wrong.
 */
#include "attack/attacks.h"

#include "p2p/security/noise_handshake.h"
#include "p2p/security/noise_payload.h"
#include "p2p/security/tls.h"

#include <stdlib.h>

enum { PHASES = 6, SECOND_MS = 1000, FLOOD_PAUSE = 64 };

static line *connect_all(attack *a)
{
    line *lines = calloc(CN_MAX(a->count, (size_t)1), sizeof *lines);
    must(lines == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    for (size_t i = 0; i < a->count; i++) {
        (void)!line_connect(&lines[i], a);
    }
    return lines;
}

static size_t count_living(line *lines, size_t count)
{
    size_t living = 0;
    for (size_t i = 0; i < count; i++) {
        living += lines[i].fd >= 0 && !line_is_cut(&lines[i]) ? 1 : 0;
    }
    return living;
}

void attack_slow(attack *a)
{
    static const char text[] = "\x13/multistream/1.0.0\n\x07/noise\n";
    line *lines = connect_all(a);
    for (size_t at = 0; at < sizeof text - 1 && !is_over(a); at++) {
        for (size_t i = 0; i < a->count; i++) {
            if (lines[i].fd >= 0 && !lines[i].is_over) {
                (void)!line_raw(&lines[i], cn_slice_of(text + at, 1));
            }
        }
        pause_ms(a, SECOND_MS);
        if (count_living(lines, a->count) == 0) {
            break;
        }
    }
    end_lines(lines, a->count);
}

void attack_half(attack *a)
{
    line *lines = connect_all(a);
    while (!is_over(a) && count_living(lines, a->count) > 0) {
        pause_ms(a, SECOND_MS / 4);
    }
    end_lines(lines, a->count);
}

static void one_of_flood(attack *a, size_t phase)
{
    line l;
    if (phase == PHASES - 1) {
        (void)!line_greet(&l, a);
        line_close(&l);
        return;
    }
    if (line_connect(&l, a)) {
        switch (phase) {
        case 0:
            break;
        case 1:
            (void)!line_text(&l, "\x13/multistream/1.0.0\n");
            break;
        case 2:
            (void)!line_text(&l, "\x13/multistream/1.0.0\n\x07/noise\n");
            break;
        case 3:
            (void)!line_noise_begin(&l);
            break;
        default:
            (void)!line_text(&l, "\x13/multistream/1.0.0\n\x0b/tls/1.0.0\n\x16\x03\x01");
            break;
        }
    }
    line_close(&l);
}

void attack_flood(attack *a)
{
    for (size_t i = 0; i < a->count && !is_over(a); i++) {
        one_of_flood(a, i % PHASES);
        if (i % FLOOD_PAUSE == 0) {
            pause_ms(a, 1);
        }
    }
}

void attack_peers(attack *a)
{
    line *lines = begin_lines(a, a->count);
    while (!is_over(a) && count_living(lines, a->count) > 0) {
        pause_ms(a, SECOND_MS / 4);
    }
    end_lines(lines, a->count);
}

/* --- what proves nothing --- */

static void put_message(cn_buf *out, cn_noise_xx *x, int number, cn_slice payload)
{
    cn_buf message = {0};
    cn_buf_init(&message, out->mem, 1 << 16);
    must(cn_noise_write(x, number, payload, &message, NULL));
    must(cn_buf_byte(out, (uint8_t)(message.len >> 8)));
    must(cn_buf_byte(out, (uint8_t)message.len));
    must(cn_buf_append(out, cn_buf_slice(&message)));
    cn_buf_release(&message);
}

static void new_pair(attack *a, cn_noise_pair *pair)
{
    must(cn_rt_entropy(a->rt, pair->secret, sizeof pair->secret));
    must(cn_x25519_public(pair->secret, pair->public_half, NULL));
}

/* A handshake that is right but for the signature, or whose identity is another's. */
static void wrong_signature(attack *a, line *l, bool is_other_key)
{
    cn_noise_xx x = {.is_initiator = true};
    cn_key *key = NULL;
    cn_buf out = {0};
    cn_buf payload = {0};
    uint8_t answer[4096];
    size_t len = 0;
    cn_slice said = {0};
    static const size_t skip = sizeof("\x13/multistream/1.0.0\n\x07/noise\n") - 1;
    new_pair(a, &x.lasting);
    new_pair(a, &x.passing);
    cn_noise_state_init(&x.state, a->mem, cn_slice_of(NULL, 0));
    cn_buf_init(&out, a->mem, 1 << 16);
    cn_buf_init(&payload, a->mem, 1 << 16);
    must(cn_key_generate(a->mem, CN_KEY_ED25519, 0, &key, NULL));
    cn_slice signs =
        cn_slice_of(is_other_key ? x.passing.public_half : x.lasting.public_half, CN_X25519_BYTES);
    must(cn_noise_payload_identity(a->mem, key, signs, &payload));
    payload.data[payload.len - 1] ^= is_other_key ? 0 : 1;
    put_name(&out, "/multistream/1.0.0");
    put_name(&out, "/noise");
    put_message(&out, &x, 1, (cn_slice){0});
    if (line_raw(l, cn_buf_slice(&out))) {
        while (len < skip + 2 || len - skip - 2 < ((size_t)answer[skip] << 8 | answer[skip + 1])) {
            size_t before = len;
            pause_ms(a, 1);
            len += line_read(l, answer + len, sizeof answer - len);
            if (l->is_over || is_over(a) || (len == before && len == sizeof answer)) {
                break;
            }
        }
        cn_buf_reset(&out);
        if (len > skip + 2 &&
            cn_noise_read(&x, 2, answer + skip + 2, len - skip - 2, &said, NULL) == CN_OK) {
            put_message(&out, &x, 3, cn_buf_slice(&payload));
            (void)!line_raw(l, cn_buf_slice(&out));
        }
    }
    cn_noise_state_wipe(&x.state);
    cn_key_free(key);
    cn_buf_release(&out);
    cn_buf_release(&payload);
}

/* Half of a ClientHello. */
static void cut_hello(attack *a, line *l)
{
    cn_key *key = NULL;
    cn_security *tls = NULL;
    cn_secure *s = NULL;
    cn_buf out = {0};
    cn_secure_options o = {.mem = a->mem, .is_initiator = true};
    cn_buf_init(&out, a->mem, 1 << 16);
    must(cn_key_generate(a->mem, CN_KEY_ED25519, 0, &key, NULL));
    must(cn_tls_new(a->rt, a->mem, key, &tls, NULL));
    must(cn_secure_open(tls, &o, &s, NULL));
    put_name(&out, "/multistream/1.0.0");
    put_name(&out, "/tls/1.0.0");
    size_t names = out.len;
    must(cn_secure_begin(s, &out, NULL));
    (void)!line_raw(l, cn_slice_head(cn_buf_slice(&out), names + (out.len - names) / 2));
    cn_secure_free(s);
    tls->free(tls);
    cn_key_free(key);
    cn_buf_release(&out);
}

static void one_wrong(attack *a, line *l, size_t kind)
{
    static const uint8_t noise[] = "\x13/multistream/1.0.0\n\x07/noise\n\x00\x20"
                                   "................................"
                                   "\x00\x60................................................"
                                   "................................................";
    static const uint8_t hello[] = "\x13/multistream/1.0.0\n\x0b/tls/1.0.0\n\x16\x03\x01\x00\x08"
                                   "abcdefgh";
    switch (kind) {
    case 0:
        (void)!line_raw(l, cn_slice_of(noise, sizeof noise - 1));
        break;
    case 1:
        wrong_signature(a, l, false);
        break;
    case 2:
        wrong_signature(a, l, true);
        break;
    case 3:
        (void)!line_raw(l, cn_slice_of(hello, sizeof hello - 1));
        break;
    case 4:
        cut_hello(a, l);
        break;
    case 5:
        (void)!line_text(l, "GET / HTTP/1.1\r\nHost: node\r\n\r\n");
        break;
    case 6:
        (void)!line_text(l, "\x13/multistream/1.0.0\n\xff\xff\xff\xff\x0f");
        break;
    default:
        (void)!line_text(l, "\x13/multistream/1.0.0\n");
        for (int i = 0; i < 100 && line_text(l, "\x07/what/\n"); i++) {
        }
        break;
    }
}

void attack_wrong(attack *a)
{
    enum { KINDS = 8, WAIT_MS = 20, WAITS = 20 };
    for (size_t i = 0; i < a->count && !is_over(a); i++) {
        line l;
        if (line_connect(&l, a)) {
            size_t kind = i % KINDS;
            one_wrong(a, &l, kind);
            for (int w = 0; w < WAITS && kind != 4 && !line_is_cut(&l); w++) {
                pause_ms(a, WAIT_MS);
            }
        }
        line_close(&l);
    }
}
