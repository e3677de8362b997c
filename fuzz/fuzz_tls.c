/*
 * Properties: no bytes make either end believe in a peer; a certificate and its extension are read
 * within their bytes; what is read from an extension is what was written.
 */
#include "p2p/security/tls.h"
#include "p2p/security/tls_identity.h"
#include "rt_os/rt_os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static cn_security *kind(void)
{
    static cn_security *made;
    static cn_key *key;
    static cn_rt *rt;
    if (made == NULL) {
        CN_ASSERT(cn_rt_os_new(1, &rt) == CN_OK);
        CN_ASSERT(cn_key_generate(cn_mem_default(), CN_KEY_ED25519, 0, &key, NULL) == CN_OK);
        CN_ASSERT(cn_tls_new(rt, cn_mem_default(), key, &made, NULL) == CN_OK);
    }
    return made;
}

static void handshake(const uint8_t *data, size_t len, bool is_initiator)
{
    cn_secure *s = NULL;
    cn_buf wire = {0};
    cn_buf out = {0};
    cn_why why = {{0}};
    cn_secure_options o = {.mem = cn_mem_default(), .is_initiator = is_initiator};
    cn_slice plain = {0};
    size_t at = 0;
    size_t used = 1;
    cn_buf_init(&wire, cn_mem_default(), 1 << 20);
    cn_buf_init(&out, cn_mem_default(), 1 << 20);
    CN_ASSERT(cn_buf_append(&wire, cn_slice_of(data, len)) == CN_OK);
    CN_ASSERT(cn_secure_open(kind(), &o, &s, NULL) == CN_OK);
    CN_ASSERT(cn_secure_begin(s, &out, NULL) == CN_OK);
    while (used > 0 && wire.len > at &&
           cn_secure_take(s, wire.data + at, wire.len - at, &used, &plain, &out, &why) == CN_OK) {
        at += used;
    }
    CN_ASSERT(!s->is_established);
    cn_secure_free(s);
    cn_buf_release(&wire);
    cn_buf_release(&out);
}

static void certificate(const uint8_t *data, size_t len)
{
    cn_key *key = NULL;
    cn_peer_id id = {0};
    cn_why why = {{0}};
    cn_wall now = {(int64_t)1790000000 * CN_NS_PER_S};
    cn_err err =
        cn_tls_identity_verify(cn_mem_default(), cn_slice_of(data, len), now, &key, &id, &why);
    CN_ASSERT((err == CN_OK) == (key != NULL) && (err != CN_OK || id.len > 0));
    cn_key_free(key);
}

static void extension(const uint8_t *data, size_t len)
{
    cn_tls_identity got = {0};
    if (cn_tls_identity_decode(cn_slice_of(data, len), &got) == CN_OK) {
        CN_ASSERT(got.public_key.data >= data && got.signature.data <= data + len);
        CN_ASSERT(got.signature.data + got.signature.len == data + len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len > 0) {
        switch (data[0] % 4) {
        case 0:
            extension(data + 1, len - 1);
            break;
        case 1:
            certificate(data + 1, len - 1);
            break;
        default:
            handshake(data + 1, len - 1, data[0] % 4 == 2);
            break;
        }
    }
    return 0;
}
