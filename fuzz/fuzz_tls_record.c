/*
 * Properties: a record that was sealed opens to what went in; one byte changed, and it does not;
 * bytes that nobody sealed are read within their length and do not open.
 */
#include "p2p/security/tls_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void open_ways(cn_tls_way *out, cn_tls_way *in, unsigned kind)
{
    static const uint8_t secret[CN_SHA256_BYTES] = {7};
    cn_aead_kind aead = kind % 2 == 0 ? CN_AEAD_CHACHA20 : CN_AEAD_AES128;
    CN_ASSERT(cn_tls_way_open(out, cn_mem_default(), aead, true, secret) == CN_OK);
    CN_ASSERT(cn_tls_way_open(in, cn_mem_default(), aead, false, secret) == CN_OK);
}

static void sealed_opens(cn_slice plain, uint8_t type, size_t changed, unsigned kind)
{
    cn_tls_way out = {0};
    cn_tls_way in = {0};
    cn_buf record = {0};
    uint8_t got_type = 0;
    cn_slice got = {0};
    cn_buf_init(&record, cn_mem_default(), 1 << 16);
    open_ways(&out, &in, kind);
    CN_ASSERT(cn_tls_record_seal(&out, type, &plain, 1, plain.len, &record) == CN_OK);
    if (changed < record.len) {
        record.data[changed] ^= 1;
    }
    cn_err err = cn_tls_record_open(&in, record.data, record.len, &got_type, &got);
    if (changed < record.len) {
        CN_ASSERT(err != CN_OK);
    } else if (type != 0) { /* 0 is padding, not a kind */
        CN_ASSERT(err == CN_OK && got_type == type && cn_slice_eq(got, plain));
    }
    cn_tls_way_release(&out);
    cn_tls_way_release(&in);
    cn_buf_release(&record);
}

static void strange_does_not_open(cn_slice bytes, unsigned kind)
{
    cn_tls_way out = {0};
    cn_tls_way in = {0};
    cn_buf record = {0};
    uint8_t type = 0;
    cn_slice plain = {0};
    cn_buf_init(&record, cn_mem_default(), 1 << 20);
    open_ways(&out, &in, kind);
    CN_ASSERT(cn_buf_append(&record, bytes) == CN_OK);
    if (record.len >= CN_TLS_HEAD_BYTES) {
        CN_ASSERT(cn_tls_record_open(&in, record.data, record.len, &type, &plain) != CN_OK);
    }
    cn_tls_way_release(&out);
    cn_tls_way_release(&in);
    cn_buf_release(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 4 || len > CN_TLS_PLAIN_MAX_BYTES) {
        return 0;
    }
    size_t changed = (size_t)data[1] << 8 | data[2];
    sealed_opens(cn_slice_of(data + 3, len - 3), data[0], changed, data[0] >> 7);
    strange_does_not_open(cn_slice_of(data, len), data[0]);
    return 0;
}
