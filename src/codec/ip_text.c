/*
 * IPv6 is read group by group; "::" marks where the groups that follow are pushed to the end.
 */
#include "codec/ip_text.h"

enum { GROUPS = 8 };

cn_err cn_ip4_parse(cn_slice text, uint8_t ret[CN_IP4_BYTES])
{
    uint8_t ip[CN_IP4_BYTES] = {0};
    size_t part = 0;
    size_t digits = 0;
    unsigned value = 0;
    for (size_t i = 0; i <= text.len; i++) {
        bool is_end = i == text.len;
        uint8_t c = is_end ? '.' : text.data[i];
        if (c == '.') {
            if (digits == 0 || part == CN_IP4_BYTES) {
                return CN_ERR_MALFORMED;
            }
            ip[part++] = (uint8_t)value;
            value = 0;
            digits = 0;
            continue;
        }
        if (c < '0' || c > '9' || (digits > 0 && value == 0)) {
            return CN_ERR_MALFORMED;
        }
        value = value * 10 + (unsigned)(c - '0');
        digits++;
        if (value > 255) {
            return CN_ERR_MALFORMED;
        }
    }
    if (part != CN_IP4_BYTES) {
        return CN_ERR_MALFORMED;
    }
    cn_copy(ret, ip, sizeof(ip));
    return CN_OK;
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One group of 1 to 4 digits. */
static bool take_group(cn_slice text, size_t *at, uint8_t *to)
{
    unsigned value = 0;
    size_t digits = 0;
    while (*at < text.len && hex_digit(text.data[*at]) >= 0) {
        value = value << 4 | (unsigned)hex_digit(text.data[*at]);
        *at += 1;
        if (++digits > 4) {
            return false;
        }
    }
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
    return digits > 0;
}

cn_err cn_ip6_parse(cn_slice text, uint8_t ret[CN_IP6_BYTES])
{
    uint8_t ip[CN_IP6_BYTES + 4] = {0};
    size_t len = 0;
    size_t gap = SIZE_MAX;
    size_t at = 0;
    if (cn_slice_starts(text, cn_str("::"))) {
        gap = 0;
        at = 2;
    }
    while (at < text.len) {
        size_t begin = at;
        if (len == CN_IP6_BYTES || !take_group(text, &at, ip + len)) {
            return CN_ERR_MALFORMED;
        }
        if (at < text.len && text.data[at] == '.') {
            if (len > CN_IP6_BYTES - 4 || cn_ip4_parse(cn_slice_skip(text, begin), ip + len) != 0) {
                return CN_ERR_MALFORMED;
            }
            len += 4;
            break;
        }
        len += 2;
        if (at == text.len) {
            break;
        }
        if (text.data[at++] != ':' || at == text.len) {
            return CN_ERR_MALFORMED;
        }
        if (text.data[at] == ':') {
            if (gap != SIZE_MAX) {
                return CN_ERR_MALFORMED;
            }
            gap = len;
            at++;
        }
    }
    if (gap == SIZE_MAX ? len != CN_IP6_BYTES : len >= CN_IP6_BYTES) {
        return CN_ERR_MALFORMED;
    }
    for (size_t i = 0; i < CN_IP6_BYTES; i++) {
        ret[i] = 0;
    }
    size_t head = CN_MIN(gap, len);
    cn_copy(ret, ip, head);
    cn_copy(ret + CN_IP6_BYTES - (len - head), ip + head, len - head);
    return CN_OK;
}

cn_err cn_ip4_encode_text(const uint8_t ip[CN_IP4_BYTES], cn_buf *out)
{
    return cn_buf_printf(out, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
}

static unsigned group_at(const uint8_t *ip, size_t i)
{
    return (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
}

/* The longest run of two or more zero groups, the first of equals. */
static size_t longest_gap(const uint8_t *ip, size_t *ret_len)
{
    size_t best = GROUPS;
    size_t best_len = 1;
    for (size_t i = 0; i < GROUPS; i++) {
        size_t len = 0;
        while (i + len < GROUPS && group_at(ip, i + len) == 0) {
            len++;
        }
        if (len > best_len) {
            best = i;
            best_len = len;
        }
    }
    *ret_len = best_len;
    return best;
}

cn_err cn_ip6_encode_text(const uint8_t ip[CN_IP6_BYTES], cn_buf *out)
{
    cn_err err = CN_OK;
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    size_t gap_len = 0;
    size_t gap = longest_gap(ip, &gap_len);
    if (cn_slice_eq(cn_slice_of(ip, 12), cn_slice_of(mapped, 12))) {
        CN_TRY(cn_buf_text(out, "::ffff:"));
        return cn_ip4_encode_text(ip + 12, out);
    }
    for (size_t i = 0; i < GROUPS; i++) {
        if (i == gap) {
            CN_TRY(cn_buf_text(out, "::"));
            i += gap_len - 1;
            continue;
        }
        bool is_first = i == 0 || i == gap + gap_len;
        CN_TRY(cn_buf_printf(out, "%s%x", is_first ? "" : ":", group_at(ip, i)));
    }
out:
    return err;
}
