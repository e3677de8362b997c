/*
 * Properties: bytes in one piece and in many give the same; what was read and fits is the same
 * after it was written by us.
 */
#include "codec/utf8.h"
#include "multiformats/multiaddr.h"
#include "p2p/host/identify_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const cn_identify_fields *f)
{
    cn_buf out = {0};
    cn_identify_reader r;
    cn_identify_fields again = {0};
    cn_buf_init(&out, cn_mem_default(), CN_IDENTIFY_OWN_MAX_BYTES);
    cn_identify_reader_init(&r, cn_mem_default());
    for (size_t i = 0; i < f->addresses_len; i++) {
        CN_ASSERT(cn_multiaddr_check(f->addresses[i], NULL) == CN_OK);
    }
    for (size_t i = 0; i < f->protocols_len; i++) {
        CN_ASSERT(cn_utf8_check(f->protocols[i]));
    }
    if (cn_identify_encode(f, &out) == CN_OK) {
        CN_ASSERT(cn_identify_recv(&r, cn_buf_slice(&out), NULL) == CN_OK);
        CN_ASSERT(cn_identify_end(&r, &again, NULL) == CN_OK);
        CN_ASSERT(cn_slice_eq(again.agent, f->agent));
        CN_ASSERT(cn_slice_eq(again.public_key, f->public_key));
        CN_ASSERT(again.protocols_len <= f->protocols_len);
    }
    cn_identify_reader_release(&r);
    cn_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice in = {data, len};
    cn_identify_reader whole;
    cn_identify_reader pieces;
    cn_identify_fields a = {0};
    cn_identify_fields b = {0};
    cn_identify_reader_init(&whole, cn_mem_default());
    cn_identify_reader_init(&pieces, cn_mem_default());
    cn_err err = cn_identify_recv(&whole, in, NULL);
    cn_err err_pieces = CN_OK;
    for (size_t at = 0; at < len && err_pieces == CN_OK; at += 3) {
        err_pieces = cn_identify_recv(&pieces, cn_slice_head(cn_slice_skip(in, at), 3), NULL);
    }
    CN_ASSERT(err == err_pieces);
    if (err == CN_OK) {
        err = cn_identify_end(&whole, &a, NULL);
        CN_ASSERT(cn_identify_end(&pieces, &b, NULL) == err);
    }
    if (err == CN_OK) {
        CN_ASSERT(a.addresses_len == b.addresses_len && a.protocols_len == b.protocols_len);
        CN_ASSERT(cn_slice_eq(a.agent, b.agent));
        check(&a);
    }
    cn_identify_reader_release(&whole);
    cn_identify_reader_release(&pieces);
    return 0;
}
