/*
 * How far an address reaches, and ranges of addresses.
 * spec: RFC 1918, RFC 4193, RFC 6598, RFC 6890
 */
#include "base/num.h"
#include "codec/ip_text.h"
#include "multiformats/multiaddr.h"

typedef struct scoped_range {
    cn_ip_range range;
    cn_multiaddr_scope scope;
} scoped_range;

static const scoped_range RANGES[] = {
    {{{0}, 8, false}, CN_SCOPE_NONE},
    {{{127}, 8, false}, CN_SCOPE_LOOPBACK},
    {{{169, 254}, 16, false}, CN_SCOPE_LINK},
    {{{10}, 8, false}, CN_SCOPE_PRIVATE},
    {{{172, 16}, 12, false}, CN_SCOPE_PRIVATE},
    {{{192, 168}, 16, false}, CN_SCOPE_PRIVATE},
    {{{100, 64}, 10, false}, CN_SCOPE_CGNAT},
    {{{224}, 3, false}, CN_SCOPE_NONE}, /* multicast and reserved */
    {{{0}, 128, true}, CN_SCOPE_NONE},
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, true}, CN_SCOPE_LOOPBACK},
    {{{0xfe, 0x80}, 10, true}, CN_SCOPE_LINK},
    {{{0xfc}, 7, true}, CN_SCOPE_PRIVATE},
    {{{0xff}, 8, true}, CN_SCOPE_NONE},
};

static cn_multiaddr_scope scope_of_ip(cn_slice ip)
{
    for (size_t i = 0; i < CN_LEN(RANGES); i++) {
        if (cn_ip_range_has(&RANGES[i].range, ip)) {
            return RANGES[i].scope;
        }
    }
    return CN_SCOPE_PUBLIC;
}

static cn_multiaddr_scope scope_of_name(cn_slice name)
{
    if (cn_slice_is(name, "localhost") || cn_slice_ends(name, cn_str(".localhost"))) {
        return CN_SCOPE_LOOPBACK;
    }
    return cn_slice_ends(name, cn_str(".local")) ? CN_SCOPE_PRIVATE : CN_SCOPE_PUBLIC;
}

cn_multiaddr_scope cn_multiaddr_scope_of(cn_slice address)
{
    cn_cur cur = cn_cur_of(address);
    cn_multiaddr_part part = {0};
    bool have = cn_multiaddr_next(&cur, &part);
    if (have && part.code == CN_MA_IP6ZONE) {
        have = cn_multiaddr_next(&cur, &part);
    }
    if (!have) {
        return CN_SCOPE_NONE;
    }
    switch (part.code) {
    case CN_MA_IP4:
    case CN_MA_IP6:
        return scope_of_ip(part.value);
    case CN_MA_DNS:
    case CN_MA_DNS4:
    case CN_MA_DNS6:
    case CN_MA_DNSADDR:
        return scope_of_name(part.value);
    default:
        return CN_SCOPE_NONE;
    }
}

bool cn_ip_range_has(const cn_ip_range *range, cn_slice ip)
{
    if (ip.len != (range->is_ip6 ? (size_t)CN_IP6_BYTES : (size_t)CN_IP4_BYTES)) {
        return false;
    }
    for (size_t bit = 0; bit < range->bits; bit++) {
        if (((ip.data[bit / 8] ^ range->ip[bit / 8]) >> (7 - bit % 8) & 1) != 0) {
            return false;
        }
    }
    return true;
}

static cn_err range_of_multiaddr(cn_slice text, cn_ip_range *ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_buf address = {0};
    cn_multiaddr_part ip = {0};
    cn_multiaddr_part mask = {0};
    cn_cur cur = {0};
    bool good = false;
    cn_buf_init(&address, cn_mem_default(), CN_MULTIADDR_MAX_BYTES);
    CN_TRY(cn_multiaddr_parse(text, &address, why));
    cur = cn_cur_of(cn_buf_slice(&address));
    good = cn_multiaddr_next(&cur, &ip) && (ip.code == CN_MA_IP4 || ip.code == CN_MA_IP6) &&
           cn_multiaddr_next(&cur, &mask) && mask.code == CN_MA_IPCIDR && cn_cur_done(&cur) &&
           mask.value.data[0] <= 8 * ip.value.len;
    if (!good) {
        err = cn_why_set(
            why, CN_ERR_MALFORMED, "not a range of addresses like /ip4/10.0.0.0/ipcidr/8: %.*s",
            (int)CN_MIN(text.len, 100), (const char *)text.data);
        goto out;
    }
    *ret = (cn_ip_range){.bits = mask.value.data[0], .is_ip6 = ip.code == CN_MA_IP6};
    cn_copy(ret->ip, ip.value.data, ip.value.len);
out:
    cn_buf_release(&address);
    return err;
}

cn_err cn_ip_range_parse(cn_slice text, cn_ip_range *ret, cn_why *why)
{
    cn_ip_range r = {0};
    uint64_t bits = 0;
    size_t slash = cn_slice_find(text, '/');
    if (slash == 0) {
        return range_of_multiaddr(text, ret, why);
    }
    cn_slice ip = cn_slice_head(text, slash);
    r.is_ip6 = cn_slice_find(ip, ':') < ip.len;
    cn_err err = r.is_ip6 ? cn_ip6_parse(ip, r.ip) : cn_ip4_parse(ip, r.ip);
    if (slash == text.len || err != CN_OK ||
        cn_num_u64(cn_slice_skip(text, slash + 1), &bits) != CN_OK ||
        bits > (r.is_ip6 ? 128 : 32)) {
        return cn_why_set(
            why, CN_ERR_MALFORMED, "not a range of addresses like 10.0.0.0/8: %.*s",
            (int)CN_MIN(text.len, 100), (const char *)text.data);
    }
    r.bits = (uint8_t)bits;
    *ret = r;
    return CN_OK;
}

cn_err cn_ip_range_encode_text(const cn_ip_range *range, cn_buf *out)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_text(out, range->is_ip6 ? "/ip6/" : "/ip4/"));
    CN_TRY(range->is_ip6 ? cn_ip6_encode_text(range->ip, out) : cn_ip4_encode_text(range->ip, out));
    CN_TRY(cn_buf_printf(out, "/ipcidr/%u", range->bits));
out:
    return err;
}
