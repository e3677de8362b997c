/*
 * A record is one protobuf message: peer id, sequence, addresses each in a message of its own.
 */
#include "p2p/host/peer_record.h"

#include "codec/protobuf.h"
#include "multiformats/multiaddr.h"

enum {
    PEER_ID = 1,
    SEQUENCE = 2,
    ADDRESS = 3,
    ADDRESS_BYTES = 1, /* in an address */
};

static const uint8_t TYPE[] = {0x03, 0x01}; /* the multicodec libp2p-peer-record */

cn_err cn_peer_record_seal(
    cn_mem *mem,
    const cn_key *key,
    uint64_t sequence,
    const cn_slice *addresses,
    size_t addresses_len,
    cn_buf *out)
{
    cn_err err = CN_OK;
    cn_peer_id id = {0};
    cn_buf record = {0};
    cn_buf_init(&record, mem, CN_ENVELOPE_MAX_BYTES);
    CN_TRY(cn_peer_id_of_key(key, &id));
    CN_TRY(cn_pb_put_bytes(&record, PEER_ID, cn_peer_id_bytes(&id)));
    CN_TRY(cn_pb_put_varint(&record, SEQUENCE, sequence));
    for (size_t i = 0; i < addresses_len; i++) {
        CN_TRY(cn_pb_put_head(&record, ADDRESS, cn_pb_bytes_size(ADDRESS_BYTES, addresses[i].len)));
        CN_TRY(cn_pb_put_bytes(&record, ADDRESS_BYTES, addresses[i]));
    }
    CN_TRY(cn_envelope_seal(
        mem, key, cn_str(CN_PEER_RECORD_DOMAIN), cn_slice_of(TYPE, sizeof(TYPE)),
        cn_buf_slice(&record), out));
out:
    cn_buf_release(&record);
    return err;
}

/* All fields are gone through here, so that stepping through the addresses cannot fail later. */
cn_err cn_peer_record_decode(cn_slice payload, cn_peer_record *ret)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(payload);
    cn_slice id = {0};
    cn_peer_record record = {.addresses = cur};
    while (!cn_cur_done(&cur)) {
        cn_pb_field field = {0};
        CN_TRY(cn_pb_next(&cur, &field));
        if (field.number == PEER_ID && field.wire == CN_PB_BYTES) {
            id = field.bytes;
        } else if (field.number == SEQUENCE && field.wire == CN_PB_VARINT) {
            record.sequence = field.value;
        }
    }
    CN_TRY(cn_peer_id_decode(id, &record.peer));
    *ret = record;
out:
    return err;
}

cn_err cn_peer_record_open(cn_mem *mem, cn_slice envelope, cn_peer_record *ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_envelope e = {0};
    cn_peer_record record = {0};
    CN_TRY(cn_envelope_open(mem, envelope, cn_str(CN_PEER_RECORD_DOMAIN), &e, why));
    if (!cn_slice_eq(e.payload_type, cn_slice_of(TYPE, sizeof(TYPE)))) {
        return cn_why_set(why, CN_ERR_MALFORMED, "a signed envelope holds no peer record");
    }
    err = cn_peer_record_decode(e.payload, &record);
    if (err != CN_OK) {
        return cn_why_set(why, CN_ERR_MALFORMED, "a peer record breaks the rules of its format");
    }
    if (!cn_peer_id_eq(&record.peer, &e.signer)) {
        return cn_why_set(
            why, CN_ERR_HASH_MISMATCH, "a peer record is signed by another than the peer it names");
    }
    *ret = record;
out:
    return err;
}

/* The address inside an address message; empty if there is none. */
static cn_slice address_in(cn_slice message)
{
    cn_cur cur = cn_cur_of(message);
    cn_slice address = {0};
    cn_pb_field field = {0};
    while (!cn_cur_done(&cur) && cn_pb_next(&cur, &field) == CN_OK) {
        if (field.number == ADDRESS_BYTES && field.wire == CN_PB_BYTES) {
            address = field.bytes;
        }
    }
    return address;
}

bool cn_peer_record_next(cn_cur *addresses, cn_slice *ret)
{
    cn_pb_field field = {0};
    while (!cn_cur_done(addresses) && cn_pb_next(addresses, &field) == CN_OK) {
        if (field.number == ADDRESS && field.wire == CN_PB_BYTES) {
            cn_slice address = address_in(field.bytes);
            if (cn_multiaddr_check(address, NULL) == CN_OK) {
                *ret = address;
                return true;
            }
        }
    }
    return false;
}

uint64_t cn_peer_record_sequence(cn_wall now, uint64_t last)
{
    uint64_t clock = now.ns > 0 ? (uint64_t)now.ns : 0;
    return clock > last ? clock : last + 1;
}
