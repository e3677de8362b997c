/*
 * What we tell of ourselves by identify: key, agent, protocols, and the addresses that are for the
 * other side's scope, signed. A signature is made once per scope and set of addresses.
 * spec: libp2p/identify; libp2p RFC 0003
 */
#include "p2p/host/host_internal.h"

#include "p2p/host/identify_message.h"
#include "p2p/host/peer_record.h"

enum { OWN_MAX = HOST_LISTEN_MAX * 2 + HOST_IPS_MAX };

static const char PROTOCOL_VERSION[] = "ipfs/0.1.0";

static cn_err addresses_as_one(cn_buf *out, const cn_slice *addresses, size_t len)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < len; i++) {
        CN_TRY(cn_buf_byte(out, (uint8_t)(addresses[i].len & 0xff)));
        CN_TRY(cn_buf_byte(out, (uint8_t)(addresses[i].len >> 8)));
        CN_TRY(cn_buf_append(out, addresses[i]));
    }
out:
    return err;
}

/* A record of these addresses: the last one of the scope where nothing has changed. */
static cn_err
record_of(cn_host *h, cn_slice remote, const cn_slice *addresses, size_t len, cn_slice *ret)
{
    cn_err err = CN_OK;
    cn_buf as_one = {0};
    host_record *r = &h->records[cn_multiaddr_scope_of(remote)];
    cn_buf_init(&as_one, h->mem, 1 << 20);
    CN_TRY(addresses_as_one(&as_one, addresses, len));
    if (r->envelope.len == 0 || !cn_slice_eq(cn_buf_slice(&as_one), cn_buf_slice(&r->addresses))) {
        h->sequence = cn_peer_record_sequence(cn_rt_wall(h->options.net->rt), h->sequence);
        cn_buf_release(&r->envelope);
        cn_buf_init(&r->envelope, h->mem, CN_ENVELOPE_MAX_BYTES);
        CN_TRY(
            cn_peer_record_seal(h->mem, h->options.key, h->sequence, addresses, len, &r->envelope));
        cn_buf_release(&r->addresses);
        r->addresses = as_one;
        as_one = (cn_buf){0};
    }
    *ret = cn_buf_slice(&r->envelope);
out:
    cn_buf_release(&as_one);
    return err;
}

static size_t own_protocols(const cn_host *h, cn_slice *ret, size_t max)
{
    size_t len = 0;
    for (size_t i = 0; i < h->protocols_len; i++) {
        const cn_protocol *p = h->protocols[i].p;
        for (size_t j = 0; j < p->names_len && len < max; j++) {
            ret[len++] = cn_str(p->names[j]);
        }
    }
    return len;
}

cn_err cn_host_own_encode(cn_host *h, const cn_conn_info *info, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_slice own[OWN_MAX];
    cn_slice told[OWN_MAX];
    cn_slice protocols[HOST_NAMES_MAX];
    size_t own_len = cn_host_own(h, false, own, CN_LEN(own));
    cn_identify_fields f = {
        .public_key = cn_buf_slice(&h->public_key),
        .protocol_version = cn_str(PROTOCOL_VERSION),
        .agent = cn_str(h->options.agent),
        .observed = info->remote,
        .addresses = told,
        .addresses_len =
            cn_announce_to(&h->announce, info->remote, own, own_len, told, CN_LEN(told)),
        .protocols = protocols,
        .protocols_len = own_protocols(h, protocols, CN_LEN(protocols)),
    };
    CN_TRY(record_of(h, info->remote, told, f.addresses_len, &f.signed_record));
    CN_TRY(cn_identify_encode(&f, out));
out:
    return err;
}

void cn_host_own_init(cn_host *h)
{
    for (size_t i = 0; i < CN_LEN(h->records); i++) {
        cn_buf_init(&h->records[i].addresses, h->mem, 1 << 20);
        cn_buf_init(&h->records[i].envelope, h->mem, CN_ENVELOPE_MAX_BYTES);
    }
}

void cn_host_own_release(cn_host *h)
{
    for (size_t i = 0; i < CN_LEN(h->records); i++) {
        cn_buf_release(&h->records[i].addresses);
        cn_buf_release(&h->records[i].envelope);
    }
}
