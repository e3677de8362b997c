/*
 * Endpoints as multiaddrs and back.
 */
#include "p2p/transport/tcp_internal.h"

bool cn_tcp_endpoint(cn_slice address, cn_endpoint *ret)
{
    cn_cur cur = cn_cur_of(address);
    cn_multiaddr_part ip = {0};
    cn_multiaddr_part port = {0};
    cn_endpoint e = {0};
    if (!cn_multiaddr_next(&cur, &ip) || (ip.code != CN_MA_IP4 && ip.code != CN_MA_IP6) ||
        !cn_multiaddr_next(&cur, &port) || port.code != CN_MA_TCP || !cn_cur_done(&cur)) {
        return false;
    }
    e.is_ip6 = ip.code == CN_MA_IP6;
    cn_copy(e.ip, ip.value.data, ip.value.len);
    e.port = (uint16_t)(port.value.data[0] << 8 | port.value.data[1]);
    *ret = e;
    return true;
}

cn_err cn_tcp_address(const cn_endpoint *e, cn_buf *out)
{
    cn_err err = CN_OK;
    CN_TRY(cn_multiaddr_put(
        out, e->is_ip6 ? CN_MA_IP6 : CN_MA_IP4, cn_slice_of(e->ip, e->is_ip6 ? 16 : 4)));
    CN_TRY(cn_multiaddr_put_port(out, CN_MA_TCP, e->port));
out:
    return err;
}
