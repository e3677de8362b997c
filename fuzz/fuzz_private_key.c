/*
 * Properties: a private key that is read comes back the same, and so does its public half, which
 * makes the same peer id.
 */
#include "multiformats/key.h"
#include "multiformats/peerid.h"

enum { BUFFER_BYTES = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const cn_key *key)
{
    cn_key *again = NULL;
    cn_key *public = NULL;
    cn_buf first;
    cn_buf second;
    cn_peer_id id = {0};
    cn_peer_id public_id = {0};
    cn_buf_init(&first, cn_mem_default(), BUFFER_BYTES);
    cn_buf_init(&second, cn_mem_default(), BUFFER_BYTES);
    CN_ASSERT(cn_key_encode_private(key, &first) == CN_OK);
    CN_ASSERT(cn_key_decode_private(cn_mem_default(), cn_buf_slice(&first), &again, NULL) == CN_OK);
    CN_ASSERT(cn_key_encode_private(again, &second) == CN_OK);
    CN_ASSERT(cn_slice_eq(cn_buf_slice(&first), cn_buf_slice(&second)));
    cn_buf_reset(&first);
    CN_ASSERT(cn_key_encode_public(key, &first) == CN_OK);
    CN_ASSERT(cn_key_decode_public(cn_mem_default(), cn_buf_slice(&first), &public, NULL) == CN_OK);
    CN_ASSERT(cn_peer_id_of_key(key, &id) == CN_OK);
    CN_ASSERT(cn_peer_id_of_key(public, &public_id) == CN_OK && cn_peer_id_eq(&id, &public_id));
    cn_key_free(again);
    cn_key_free(public);
    cn_key_wipe(&first);
    cn_key_wipe(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_key *key = NULL;
    cn_slice in = {data, len};
    if (cn_key_decode_private(cn_mem_default(), in, &key, NULL) == CN_OK) {
        check(key);
        cn_key_free(key);
        key = NULL;
    }
    if (cn_key_decode_public(cn_mem_default(), in, &key, NULL) == CN_OK) {
        cn_key_free(key);
    }
    cn_peer_id id = {0};
    (void)!cn_peer_id_parse(in, &id, NULL);
    return 0;
}
