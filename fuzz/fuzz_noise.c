/* Properties: no bytes make a responder believe in a peer; a payload is read within its bytes. */
#include "p2p/security/noise_payload.h"
#include "p2p/security/noise.h"
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
        CN_ASSERT(cn_noise_new(rt, cn_mem_default(), key, &made, NULL) == CN_OK);
    }
    return made;
}

static void handshake(const uint8_t *data, size_t len)
{
    cn_secure *s = NULL;
    cn_buf wire = {0};
    cn_buf out = {0};
    cn_why why = {{0}};
    cn_secure_options o = {.mem = cn_mem_default()};
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static cn_noise_payload payload;
    cn_why why = {{0}};
    (void)!cn_noise_payload_decode(cn_slice_of(data, len), &payload, &why);
    CN_ASSERT(payload.muxers_len <= CN_NOISE_MUXERS_MAX);
    handshake(data, len);
    return 0;
}
