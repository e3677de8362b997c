/*
 * What every kind of secured channel says in the same words.
 */
#include "p2p/stack/secure.h"

cn_err
cn_secure_wrong_peer(cn_mem *mem, const cn_peer_id *there, const cn_peer_id *expected, cn_why *why)
{
    cn_buf names = {0};
    const char *text = "";
    cn_buf_init(&names, mem, 1024);
    cn_err err = cn_buf_text(&names, "the peer there is ");
    err = err == CN_OK ? cn_peer_id_encode_text(there, 0, &names) : err;
    err = err == CN_OK ? cn_buf_text(&names, ", not ") : err;
    err = err == CN_OK ? cn_peer_id_encode_text(expected, 0, &names) : err;
    err = err == CN_OK ? cn_buf_cstr(&names, &text) : err;
    (void)cn_why_set(why, CN_ERR_HASH_MISMATCH, "%s", text);
    cn_buf_release(&names);
    return CN_ERR_HASH_MISMATCH;
}
