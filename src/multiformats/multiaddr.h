/*
 * Multiaddrs: addresses that say how to get there, "/ip4/1.2.3.4/tcp/4001/p2p/12D3Koo...". In
 * memory they are their binary form, a plain slice or buffer of components (protocol code, value);
 * only what cn_multiaddr_check has passed may be given to the other functions.
 * spec: multiformats/multiaddr
 */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/why.h"
#include "multiformats/peerid.h"

enum { CN_MULTIADDR_MAX_BYTES = 1024 };

typedef enum cn_multiaddr_code {
    CN_MA_IP4 = 0x04,
    CN_MA_TCP = 0x06,
    CN_MA_IP6 = 0x29,
    CN_MA_IP6ZONE = 0x2a,
    CN_MA_IPCIDR = 0x2b,
    CN_MA_DNS = 0x35,
    CN_MA_DNS4 = 0x36,
    CN_MA_DNS6 = 0x37,
    CN_MA_DNSADDR = 0x38,
    CN_MA_UDP = 0x0111,
    CN_MA_P2P_CIRCUIT = 0x0122,
    CN_MA_UNIX = 0x0190,
    CN_MA_P2P = 0x01a5,
    CN_MA_TLS = 0x01c0,
    CN_MA_SNI = 0x01c1,
    CN_MA_QUIC_V1 = 0x01cd,
    CN_MA_WEBTRANSPORT = 0x01d1,
    CN_MA_WS = 0x01dd,
    CN_MA_WSS = 0x01de,
    CN_MA_WEBRTC_DIRECT = 0x0118,
    CN_MA_CERTHASH = 0x01d2,
} cn_multiaddr_code;

typedef struct cn_multiaddr_part {
    uint32_t code;
    cn_slice value; /* binary; empty for protocols without one; borrowed from the address */
    cn_slice whole; /* the part with its code and length, borrowed */
} cn_multiaddr_part;

/* How far an address reaches: it is worth telling only to a peer in the same scope or a wider one.
 */
typedef enum cn_multiaddr_scope {
    CN_SCOPE_NONE, /* no address to connect to (unspecified, multicast, bad) */
    CN_SCOPE_LOOPBACK,
    CN_SCOPE_LINK,    /* link-local */
    CN_SCOPE_PRIVATE, /* RFC 1918, unique local */
    CN_SCOPE_CGNAT,   /* 100.64.0.0/10 */
    CN_SCOPE_PUBLIC,  /* also names of the public DNS */
} cn_multiaddr_scope;

/*
 * Is this a multiaddr, whole, of known protocols with values of the right shape? Empty is not one.
 * Errors: MALFORMED, TRUNCATED, TOO_LARGE, UNSUPPORTED (unknown protocol); why says where.
 */
CN_MUST_USE cn_err cn_multiaddr_check(cn_slice address, cn_why *why);

/* The next part of a checked address; false at its end. */
bool cn_multiaddr_next(cn_cur *address, cn_multiaddr_part *ret);
/* The first part of that code; false if there is none. */
bool cn_multiaddr_find(cn_slice address, uint32_t code, cn_multiaddr_part *ret);

/*
 * Append the binary form of a text. "/ipfs/ID" is read as "/p2p/ID". Errors: MALFORMED, UNSUPPORTED
 * (unknown protocol), TOO_LARGE; why in the words Kubo's users know ("failed to parse multiaddr
 * ...").
 */
CN_MUST_USE cn_err cn_multiaddr_parse(cn_slice text, cn_buf *ret, cn_why *why);
/* Append the text of a checked address. Errors: those of the buffer. */
CN_MUST_USE cn_err cn_multiaddr_encode_text(cn_slice address, cn_buf *out);

/* Append one part. Errors: those of the buffer. */
CN_MUST_USE cn_err cn_multiaddr_put(cn_buf *out, uint32_t code, cn_slice value);
CN_MUST_USE cn_err cn_multiaddr_put_port(cn_buf *out, uint32_t code, uint16_t port);
CN_MUST_USE cn_err cn_multiaddr_put_peer(cn_buf *out, const cn_peer_id *id);

/*
 * Split "/.../p2p/ID" into what stands before the last part and the id. An address without one is
 * `*ret_address` whole and an empty id.
 */
void cn_multiaddr_split_peer(cn_slice address, cn_slice *ret_address, cn_peer_id *ret_id);

/* Scope by the first part; a relayed address is judged by its relay. Names count as public, but
 * "localhost" and names below it as loopback, ".local" as private. */
cn_multiaddr_scope cn_multiaddr_scope_of(cn_slice address);
/* The IP address it begins with (a zone may stand before it): 4 or 16 bytes, borrowed; empty if it
 * begins otherwise. */
cn_slice cn_multiaddr_ip(cn_slice address);
/* Does it go through a relay? */
bool cn_multiaddr_is_relayed(cn_slice address);

/*
 * A range of addresses: "/ip4/10.0.0.0/ipcidr/8", as Swarm.AddrFilters has them, or "10.0.0.0/8".
 */
typedef struct cn_ip_range {
    uint8_t ip[16];
    uint8_t bits;
    bool is_ip6;
} cn_ip_range;

CN_MUST_USE cn_err cn_ip_range_parse(cn_slice text, cn_ip_range *ret, cn_why *why);
/* Append it as a multiaddr text. */
CN_MUST_USE cn_err cn_ip_range_encode_text(const cn_ip_range *range, cn_buf *out);
/* `ip`: 4 or 16 bytes. */
bool cn_ip_range_has(const cn_ip_range *range, cn_slice ip);
