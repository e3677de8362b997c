/*
 * The nonce is the record's number over the direction's fixed part; the head is bound in. What is
 * sealed ends with the kind of the record and, from other implementations, with zeros.
 */
#include "p2p/security/tls_record.h"

#include "crypto/hmac.h"
#include "p2p/security/parts.h"

enum { LABEL_MAX_BYTES = 64 };

/* HKDF-Expand-Label without context, for at most one block. */
static void
expand(const uint8_t secret[CN_SHA256_BYTES], const char *label, uint8_t *ret, size_t len)
{
    static const char PREFIX[] = "tls13 ";
    uint8_t info[LABEL_MAX_BYTES] = {0};
    uint8_t block[CN_SHA256_BYTES];
    size_t prefix = sizeof(PREFIX) - 1;
    size_t label_len = strlen(label);
    CN_ASSERT(len <= sizeof(block) && prefix + label_len + 5 <= sizeof(info));
    info[1] = (uint8_t)len;
    info[2] = (uint8_t)(prefix + label_len);
    cn_copy(info + 3, PREFIX, prefix);
    cn_copy(info + 3 + prefix, label, label_len);
    info[3 + prefix + label_len + 1] = 1; /* behind the empty context: the block's number */
    cn_hmac_sha256(
        cn_slice_of(secret, CN_SHA256_BYTES), cn_slice_of(info, prefix + label_len + 5), block);
    cn_copy(ret, block, len);
    cn_wipe(block, sizeof(block));
}

static cn_err use_secret(cn_tls_way *w)
{
    uint8_t key[CN_AEAD_KEY_BYTES] = {0};
    cn_aead *aead = NULL;
    expand(w->secret, "key", key, w->kind == CN_AEAD_AES128 ? 16 : sizeof(key));
    expand(w->secret, "iv", w->iv, sizeof(w->iv));
    cn_err err = cn_aead_new(w->mem, w->kind, key, w->is_sealing, &aead, NULL);
    cn_wipe(key, sizeof(key));
    if (err == CN_OK) {
        cn_aead_free(w->aead);
        w->aead = aead;
        w->number = 0;
    }
    return err;
}

cn_err cn_tls_way_open(
    cn_tls_way *w,
    cn_mem *mem,
    cn_aead_kind kind,
    bool is_sealing,
    const uint8_t secret[CN_SHA256_BYTES])
{
    *w = (cn_tls_way){.mem = mem, .kind = kind, .is_sealing = is_sealing};
    cn_copy(w->secret, secret, CN_SHA256_BYTES);
    return use_secret(w);
}

cn_err cn_tls_way_next(cn_tls_way *w)
{
    uint8_t next[CN_SHA256_BYTES];
    expand(w->secret, "traffic upd", next, sizeof(next));
    cn_copy(w->secret, next, sizeof(next));
    cn_wipe(next, sizeof(next));
    return use_secret(w);
}

void cn_tls_way_release(cn_tls_way *w)
{
    cn_aead_free(w->aead);
    cn_wipe(w, sizeof(*w));
}

static void make_nonce(cn_tls_way *w, uint8_t ret[CN_AEAD_NONCE_BYTES])
{
    uint64_t number = w->number++;
    cn_copy(ret, w->iv, CN_AEAD_NONCE_BYTES);
    for (size_t i = 0; i < sizeof(number); i++) {
        ret[CN_AEAD_NONCE_BYTES - 1 - i] ^= (uint8_t)(number >> 8 * i);
    }
}

cn_err cn_tls_record_seal(
    cn_tls_way *w, uint8_t type, const cn_slice *parts, size_t parts_len, size_t bytes, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_slice inner[CN_PARTS_RECORD_MAX + 1];
    uint8_t nonce[CN_AEAD_NONCE_BYTES];
    size_t sealed = bytes + 1 + CN_AEAD_TAG_BYTES;
    uint8_t *head = NULL;
    CN_ASSERT(bytes <= CN_TLS_PLAIN_MAX_BYTES && parts_len <= CN_PARTS_RECORD_MAX);
    if (w->number == UINT64_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    CN_TRY(cn_buf_reserve(out, CN_TLS_HEAD_BYTES + sealed));
    head = out->data + out->len;
    head[0] = CN_TLS_DATA;
    head[1] = 3;
    head[2] = 3;
    head[3] = (uint8_t)(sealed >> 8);
    head[4] = (uint8_t)sealed;
    for (size_t i = 0; i < parts_len; i++) {
        inner[i] = parts[i];
    }
    inner[parts_len] = cn_slice_of(&type, 1);
    make_nonce(w, nonce);
    CN_TRY(cn_aead_seal(
        w->aead, nonce, cn_slice_of(head, CN_TLS_HEAD_BYTES), inner, parts_len + 1,
        head + CN_TLS_HEAD_BYTES));
    out->len += CN_TLS_HEAD_BYTES + sealed;
out:
    return err;
}

cn_err cn_tls_record_open(
    cn_tls_way *w, uint8_t *record, size_t len, uint8_t *ret_type, cn_slice *ret_plain)
{
    cn_err err = CN_OK;
    uint8_t nonce[CN_AEAD_NONCE_BYTES];
    uint8_t *inner = record + CN_TLS_HEAD_BYTES;
    size_t inner_len = len - CN_TLS_HEAD_BYTES;
    CN_ASSERT(len >= CN_TLS_HEAD_BYTES);
    if (w->number == UINT64_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    make_nonce(w, nonce);
    CN_TRY(cn_aead_open(w->aead, nonce, cn_slice_of(record, CN_TLS_HEAD_BYTES), inner, inner_len));
    inner_len -= CN_AEAD_TAG_BYTES;
    while (inner_len > 0 && inner[inner_len - 1] == 0) {
        inner_len--;
    }
    if (inner_len == 0 || inner_len - 1 > CN_TLS_PLAIN_MAX_BYTES) {
        return CN_ERR_MALFORMED;
    }
    *ret_type = inner[inner_len - 1];
    *ret_plain = cn_slice_of(inner, inner_len - 1);
out:
    return err;
}
