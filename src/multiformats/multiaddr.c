/*
 * The binary form: codes as varints, values of a fixed size or behind a length.
 */
#include "multiformats/multiaddr.h"

#include "codec/varint.h"
#include "multiformats/multiaddr_table.h"
#include "multiformats/multihash.h"

static const ma_protocol PROTOCOLS[] = {
    {CN_MA_IP4, 4, MA_IP4_VALUE, "ip4"},
    {CN_MA_TCP, 2, MA_PORT, "tcp"},
    {CN_MA_UDP, 2, MA_PORT, "udp"},
    {CN_MA_IP6, 16, MA_IP6_VALUE, "ip6"},
    {CN_MA_P2P, MA_VARIABLE, MA_PEER, "p2p"},
    {CN_MA_QUIC_V1, 0, MA_NOTHING, "quic-v1"},
    {CN_MA_P2P_CIRCUIT, 0, MA_NOTHING, "p2p-circuit"},
    {CN_MA_WEBTRANSPORT, 0, MA_NOTHING, "webtransport"},
    {CN_MA_WEBRTC_DIRECT, 0, MA_NOTHING, "webrtc-direct"},
    {CN_MA_CERTHASH, MA_VARIABLE, MA_CERTHASH, "certhash"},
    {CN_MA_DNS, MA_VARIABLE, MA_NAME, "dns"},
    {CN_MA_DNS4, MA_VARIABLE, MA_NAME, "dns4"},
    {CN_MA_DNS6, MA_VARIABLE, MA_NAME, "dns6"},
    {CN_MA_DNSADDR, MA_VARIABLE, MA_NAME, "dnsaddr"},
    {CN_MA_WS, 0, MA_NOTHING, "ws"},
    {CN_MA_WSS, 0, MA_NOTHING, "wss"},
    {CN_MA_TLS, 0, MA_NOTHING, "tls"},
    {CN_MA_SNI, MA_VARIABLE, MA_NAME, "sni"},
    {CN_MA_IP6ZONE, MA_VARIABLE, MA_NAME, "ip6zone"},
    {CN_MA_IPCIDR, 1, MA_BITS, "ipcidr"},
    {CN_MA_UNIX, MA_VARIABLE, MA_REST, "unix"},
    {0x21, 2, MA_PORT, "dccp"},
    {0x84, 2, MA_PORT, "sctp"},
    {0x0113, 0, MA_NOTHING, "p2p-webrtc-star"},
    {0x0114, 0, MA_NOTHING, "p2p-webrtc-direct"},
    {0x0115, 0, MA_NOTHING, "p2p-stardust"},
    {0x0119, 0, MA_NOTHING, "webrtc"},
    {0x012d, 0, MA_NOTHING, "udt"},
    {0x012e, 0, MA_NOTHING, "utp"},
    {0x01bb, 0, MA_NOTHING, "https"},
    {0x01bc, 12, MA_ONION, "onion"},
    {0x01bd, 37, MA_ONION3, "onion3"},
    {0x01be, MA_VARIABLE, MA_GARLIC64, "garlic64"},
    {0x01bf, MA_VARIABLE, MA_GARLIC32, "garlic32"},
    {0x01c6, 0, MA_NOTHING, "noise"},
    {0x01cc, 0, MA_NOTHING, "quic"},
    {0x01df, 0, MA_NOTHING, "p2p-websocket-star"},
    {0x01e0, 0, MA_NOTHING, "http"},
    {0x01e1, MA_VARIABLE, MA_ESCAPED, "http-path"},
    {0x0309, 8, MA_NUMBER, "memory"},
};

const ma_protocol *cn_ma_by_code(uint64_t code)
{
    for (size_t i = 0; i < CN_LEN(PROTOCOLS); i++) {
        if (PROTOCOLS[i].code == code) {
            return &PROTOCOLS[i];
        }
    }
    return NULL;
}

const ma_protocol *cn_ma_by_name(cn_slice name)
{
    for (size_t i = 0; i < CN_LEN(PROTOCOLS); i++) {
        if (cn_slice_is(name, PROTOCOLS[i].name)) {
            return &PROTOCOLS[i];
        }
    }
    return cn_slice_is(name, "ipfs") ? cn_ma_by_code(CN_MA_P2P) : NULL;
}

cn_err cn_ma_check_value(const ma_protocol *p, cn_slice value)
{
    cn_peer_id id = {0};
    cn_multihash hash = {0};
    bool has_slash = cn_slice_find(value, '/') < value.len;
    bool good = true;
    if (p->shape == MA_PEER) {
        return cn_peer_id_decode(value, &id) == CN_OK ? CN_OK : CN_ERR_MALFORMED;
    }
    if (p->shape == MA_CERTHASH) {
        good = cn_multihash_decode(value, &hash) == CN_OK;
    } else if (p->shape == MA_NAME) {
        good = value.len > 0 && !has_slash;
    } else if (p->shape == MA_ESCAPED) {
        good = value.len > 0;
    } else if (p->shape == MA_REST) {
        good = value.len > 1 && value.data[0] == '/';
    } else if (p->shape == MA_ONION || p->shape == MA_ONION3) {
        good = (value.data[value.len - 2] | value.data[value.len - 1]) != 0;
    } else if (p->shape == MA_GARLIC32) {
        good = value.len == 32 || value.len >= 35;
    } else if (p->shape == MA_GARLIC64) {
        good = value.len >= 386;
    }
    return good ? CN_OK : CN_ERR_MALFORMED;
}

/* One part off the front of `in`. */
static cn_err take_part(cn_cur *in, const ma_protocol **ret_p, cn_multiaddr_part *ret)
{
    cn_err err = CN_OK;
    cn_slice begin = in->rest;
    uint64_t code = 0;
    uint64_t len = 0;
    const ma_protocol *p = NULL;
    cn_slice value = {0};
    CN_TRY(cn_varint_decode(in, &code));
    p = cn_ma_by_code(code);
    if (p == NULL) {
        return CN_ERR_UNSUPPORTED;
    }
    len = p->bytes == MA_VARIABLE ? 0 : (uint64_t)p->bytes;
    if (p->bytes == MA_VARIABLE) {
        CN_TRY(cn_varint_decode(in, &len));
    }
    if (len > CN_MULTIADDR_MAX_BYTES) {
        return CN_ERR_TRUNCATED;
    }
    CN_TRY(cn_cur_take(in, (size_t)len, &value));
    *ret = (cn_multiaddr_part){
        .code = p->code,
        .value = value,
        .whole = cn_slice_of(begin.data, begin.len - in->rest.len),
    };
    *ret_p = p;
out:
    return err;
}

cn_err cn_multiaddr_check(cn_slice address, cn_why *why)
{
    cn_cur cur = cn_cur_of(address);
    if (address.len == 0) {
        return cn_why_set(why, CN_ERR_MALFORMED, "an empty multiaddr");
    }
    if (address.len > CN_MULTIADDR_MAX_BYTES) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "a multiaddr of %zu bytes; at most %d are read", address.len,
            CN_MULTIADDR_MAX_BYTES);
    }
    while (!cn_cur_done(&cur)) {
        size_t at = address.len - cn_cur_left(&cur);
        const ma_protocol *p = NULL;
        cn_multiaddr_part part = {0};
        cn_err err = take_part(&cur, &p, &part);
        err = err == CN_OK ? cn_ma_check_value(p, part.value) : err;
        if (err != CN_OK) {
            return cn_why_set(
                why, err, "the multiaddr's part at byte %zu (%s) is wrong: %s", at,
                p == NULL ? "unknown protocol" : p->name, cn_err_sentence(err));
        }
    }
    return CN_OK;
}

bool cn_multiaddr_next(cn_cur *address, cn_multiaddr_part *ret)
{
    const ma_protocol *p = NULL;
    return !cn_cur_done(address) && take_part(address, &p, ret) == CN_OK;
}

bool cn_multiaddr_find(cn_slice address, uint32_t code, cn_multiaddr_part *ret)
{
    cn_cur cur = cn_cur_of(address);
    cn_multiaddr_part part = {0};
    while (cn_multiaddr_next(&cur, &part)) {
        if (part.code == code) {
            *ret = part;
            return true;
        }
    }
    return false;
}

cn_err cn_multiaddr_put(cn_buf *out, uint32_t code, cn_slice value)
{
    cn_err err = CN_OK;
    const ma_protocol *p = cn_ma_by_code(code);
    CN_ASSERT(p != NULL && (p->bytes == MA_VARIABLE || value.len == (size_t)p->bytes));
    CN_TRY(cn_varint_append(out, code));
    if (p->bytes == MA_VARIABLE) {
        CN_TRY(cn_varint_append(out, value.len));
    }
    CN_TRY(cn_buf_append(out, value));
out:
    return err;
}

cn_err cn_multiaddr_put_port(cn_buf *out, uint32_t code, uint16_t port)
{
    const uint8_t bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    return cn_multiaddr_put(out, code, cn_slice_of(bytes, sizeof(bytes)));
}

cn_err cn_multiaddr_put_peer(cn_buf *out, const cn_peer_id *id)
{
    return cn_multiaddr_put(out, CN_MA_P2P, cn_peer_id_bytes(id));
}

void cn_multiaddr_split_peer(cn_slice address, cn_slice *ret_address, cn_peer_id *ret_id)
{
    cn_cur cur = cn_cur_of(address);
    cn_multiaddr_part part = {0};
    cn_multiaddr_part last = {0};
    *ret_address = address;
    *ret_id = (cn_peer_id){0};
    while (cn_multiaddr_next(&cur, &part)) {
        last = part;
    }
    if (last.code == CN_MA_P2P && cn_peer_id_decode(last.value, ret_id) == CN_OK) {
        *ret_address = cn_slice_head(address, address.len - last.whole.len);
    }
}

cn_slice cn_multiaddr_ip(cn_slice address)
{
    cn_cur cur = cn_cur_of(address);
    cn_multiaddr_part part = {0};
    bool found = cn_multiaddr_next(&cur, &part);
    if (found && part.code == CN_MA_IP6ZONE) {
        found = cn_multiaddr_next(&cur, &part);
    }
    return found && (part.code == CN_MA_IP4 || part.code == CN_MA_IP6) ? part.value : (cn_slice){0};
}

bool cn_multiaddr_is_relayed(cn_slice address)
{
    cn_multiaddr_part part = {0};
    return cn_multiaddr_find(address, CN_MA_P2P_CIRCUIT, &part);
}
