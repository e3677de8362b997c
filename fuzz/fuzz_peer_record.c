/*
 * Properties: a record read from any payload steps to its end with checked addresses; an envelope
 * from any bytes that opens has all its fields.
 */
#include "multiformats/multiaddr.h"
#include "p2p/host/peer_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cn_slice in = {data, len};
    cn_peer_record r = {0};
    cn_envelope e = {0};
    cn_why why = {{0}};
    cn_slice address = {0};
    if (cn_peer_record_decode(in, &r) == CN_OK) {
        CN_ASSERT(r.peer.len > 0);
        while (cn_peer_record_next(&r.addresses, &address)) {
            CN_ASSERT(cn_multiaddr_check(address, NULL) == CN_OK);
        }
    }
    if (cn_envelope_open(cn_mem_default(), in, cn_str("libp2p-testing"), &e, &why) == CN_OK) {
        CN_ASSERT(e.signer.len > 0 && e.public_key.len > 0 && e.payload_type.len > 0);
    } else {
        CN_ASSERT(why.text[0] != '\0');
    }
    if (cn_peer_record_open(cn_mem_default(), in, &r, &why) == CN_OK) {
        CN_ASSERT(r.peer.len > 0);
    }
    return 0;
}
