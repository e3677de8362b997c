/*
 * The chaining key and the hash walk through the handshake together; a key is there from the first
 * mix_key on. Each sealed piece of the handshake has its own short-lived cipher.
 */
#include "p2p/security/noise_handshake.h"

static const char NAME[] = "Noise_XX_25519_ChaChaPoly_SHA256";

static cn_slice bytes32(const uint8_t *bytes)
{
    return cn_slice_of(bytes, CN_SHA256_BYTES);
}

void cn_noise_state_init(cn_noise_state *s, cn_mem *mem, cn_slice prologue)
{
    _Static_assert(sizeof(NAME) - 1 == CN_SHA256_BYTES, "the name is the first hash as it is");
    *s = (cn_noise_state){.mem = mem};
    cn_copy(s->hash, NAME, CN_SHA256_BYTES);
    cn_copy(s->chain, NAME, CN_SHA256_BYTES);
    cn_noise_mix_hash(s, prologue);
}

void cn_noise_state_wipe(cn_noise_state *s)
{
    cn_wipe(s, sizeof(*s));
}

void cn_noise_mix_hash(cn_noise_state *s, cn_slice bytes)
{
    cn_sha256_state sha;
    cn_sha256_init(&sha);
    cn_sha256_update(&sha, bytes32(s->hash));
    cn_sha256_update(&sha, bytes);
    cn_sha256_final(&sha, s->hash);
}

void cn_noise_mix_key(cn_noise_state *s, const uint8_t shared[CN_X25519_BYTES])
{
    cn_hkdf2_sha256(bytes32(s->chain), bytes32(shared), s->chain, s->key);
    s->nonce = 0;
    s->has_key = true;
}

cn_err cn_noise_mix_shared(
    cn_noise_state *s, const uint8_t *secret, const uint8_t *public_half, cn_why *why)
{
    uint8_t shared[CN_X25519_BYTES];
    cn_err err = cn_x25519_shared(secret, public_half, shared, why);
    if (err == CN_OK) {
        cn_noise_mix_key(s, shared);
    }
    cn_wipe(shared, sizeof(shared));
    return err;
}

void cn_noise_nonce(uint64_t number, uint8_t ret[CN_AEAD_NONCE_BYTES])
{
    for (int i = 0; i < 4; i++) {
        ret[i] = 0;
    }
    for (int i = 0; i < 8; i++) {
        ret[4 + i] = (uint8_t)(number >> (8 * i));
    }
}

cn_err cn_noise_seal_hash(cn_noise_state *s, cn_slice plain, cn_buf *out, cn_why *why)
{
    cn_err err = CN_OK;
    cn_aead *a = NULL;
    uint8_t nonce[CN_AEAD_NONCE_BYTES];
    size_t len = plain.len + (s->has_key ? CN_AEAD_TAG_BYTES : 0);
    CN_TRY(cn_buf_reserve(out, len));
    if (s->has_key) {
        CN_TRY(cn_aead_new(s->mem, CN_AEAD_CHACHA20, s->key, true, &a, why));
        cn_noise_nonce(s->nonce++, nonce);
        CN_TRY(cn_aead_seal(a, nonce, bytes32(s->hash), &plain, 1, out->data + out->len));
    } else {
        cn_copy(out->data + out->len, plain.data, plain.len);
    }
    cn_noise_mix_hash(s, cn_slice_of(out->data + out->len, len));
    out->len += len;
out:
    cn_aead_free(a);
    return err;
}

cn_err cn_noise_open_hash(cn_noise_state *s, uint8_t *data, size_t len, cn_slice *ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_aead *a = NULL;
    uint8_t nonce[CN_AEAD_NONCE_BYTES];
    uint8_t before[CN_SHA256_BYTES];
    size_t plain_len = len;
    cn_copy(before, s->hash, sizeof(before));
    cn_noise_mix_hash(s, cn_slice_of(data, len)); /* opening overwrites what is hashed */
    if (s->has_key) {
        CN_TRY(cn_aead_new(s->mem, CN_AEAD_CHACHA20, s->key, false, &a, why));
        cn_noise_nonce(s->nonce++, nonce);
        err = cn_aead_open(a, nonce, bytes32(before), data, len);
        if (err != CN_OK) {
            (void)cn_why_set(why, err, "noise: a handshake message does not open");
            goto out;
        }
        plain_len = len - CN_AEAD_TAG_BYTES;
    }
    *ret = cn_slice_of(data, plain_len);
out:
    cn_aead_free(a);
    return err;
}

void cn_noise_split(
    const cn_noise_state *s,
    uint8_t ret_initiator[CN_SHA256_BYTES],
    uint8_t ret_responder[CN_SHA256_BYTES])
{
    cn_hkdf2_sha256(bytes32(s->chain), cn_slice_of(NULL, 0), ret_initiator, ret_responder);
}

/* The other side's lasting half comes in message 2 or 3 and is mixed with the passing one. */
static cn_err mix_their_lasting(cn_noise_xx *x, cn_why *why)
{
    return cn_noise_mix_shared(&x->state, x->passing.secret, x->their_lasting, why);
}

static cn_err mix_our_lasting(cn_noise_xx *x, cn_why *why)
{
    return cn_noise_mix_shared(&x->state, x->lasting.secret, x->their_passing, why);
}

cn_err cn_noise_write(cn_noise_xx *x, int number, cn_slice payload, cn_buf *out, cn_why *why)
{
    cn_err err = CN_OK;
    cn_noise_state *s = &x->state;
    if (number < 3) {
        CN_TRY(cn_buf_append(out, bytes32(x->passing.public_half)));
        cn_noise_mix_hash(s, bytes32(x->passing.public_half));
    }
    if (number == 2) {
        CN_TRY(cn_noise_mix_shared(s, x->passing.secret, x->their_passing, why));
    }
    if (number > 1) {
        CN_TRY(cn_noise_seal_hash(s, bytes32(x->lasting.public_half), out, why));
        CN_TRY(mix_our_lasting(x, why));
    }
    CN_TRY(cn_noise_seal_hash(s, payload, out, why));
out:
    return err;
}

cn_err
cn_noise_read(cn_noise_xx *x, int number, uint8_t *data, size_t len, cn_slice *ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_noise_state *s = &x->state;
    cn_slice half = {0};
    size_t passing_len = number < 3 ? CN_X25519_BYTES : 0;
    size_t lasting_len = number > 1 ? CN_X25519_BYTES + CN_AEAD_TAG_BYTES : 0;
    if (len < passing_len + lasting_len) {
        return cn_why_set(
            why, CN_ERR_MALFORMED, "noise: handshake message %d is too short: %zu bytes", number,
            len);
    }
    if (number < 3) {
        cn_copy(x->their_passing, data, CN_X25519_BYTES);
        cn_noise_mix_hash(s, bytes32(x->their_passing));
    }
    if (number == 2) {
        CN_TRY(cn_noise_mix_shared(s, x->passing.secret, x->their_passing, why));
    }
    if (number > 1) {
        CN_TRY(cn_noise_open_hash(s, data + passing_len, lasting_len, &half, why));
        cn_copy(x->their_lasting, half.data, CN_X25519_BYTES);
        CN_TRY(mix_their_lasting(x, why));
    }
    CN_TRY(cn_noise_open_hash(
        s, data + passing_len + lasting_len, len - passing_len - lasting_len, ret, why));
out:
    return err;
}
