/* Properties: an id that is read from bytes or text is written to text and read back the same. */
#include "multiformats/peerid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const cn_peer_id *id)
{
    static const char bases[] = {0, 'b', 'k', 'z'};
    cn_buf text = {0};
    cn_slice message = {0};
    cn_buf_init(&text, cn_mem_default(), 4096);
    CN_ASSERT(id->len > 0 && id->len <= CN_PEER_ID_MAX_BYTES);
    for (size_t i = 0; i < sizeof bases; i++) {
        cn_peer_id again = {0};
        cn_buf_reset(&text);
        CN_ASSERT(cn_peer_id_encode_text(id, bases[i], &text) == CN_OK);
        cn_err err = cn_peer_id_parse(cn_buf_slice(&text), &again, NULL);
        CN_ASSERT(err != CN_OK || cn_peer_id_eq(id, &again));
        CN_ASSERT(err == CN_OK || bases[i] == 0); /* base58 without prefix: only for usual ids */
    }
    (void)cn_peer_id_public(id, &message);
    CN_ASSERT(message.len <= id->len);
    cn_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_peer_id id = {0};
    if (cn_peer_id_decode(cn_slice_of(data, len), &id) == CN_OK) {
        check(&id);
    }
    id = (cn_peer_id){0};
    if (cn_peer_id_parse(cn_slice_of(data, len), &id, NULL) == CN_OK) {
        check(&id);
    }
    return 0;
}
