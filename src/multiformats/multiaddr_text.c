/*
 * Multiaddrs as text. Each protocol's value has one shape; a path takes all that is left.
 */
#include "base/num.h"
#include "codec/base_n.h"
#include "codec/ip_text.h"
#include "codec/varint.h"
#include "multiformats/multiaddr_table.h"
#include "multiformats/multibase.h"

enum { ONION_CHARS = 16, ONION3_CHARS = 56, VALUE_MAX_BYTES = CN_MULTIADDR_MAX_BYTES };

static cn_err put_be(cn_buf *out, uint64_t value, size_t bytes)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < bytes && err == CN_OK; i++) {
        err = cn_buf_byte(out, (uint8_t)(value >> (8 * (bytes - 1 - i))));
    }
    return err;
}

static cn_err parse_number(cn_slice text, uint64_t max, size_t bytes, cn_buf *out)
{
    uint64_t value = 0;
    bool good = cn_num_u64(text, &value) == CN_OK && value <= max;
    return good ? put_be(out, value, bytes) : CN_ERR_MALFORMED;
}

/* "host:port" of an onion service; `chars` of base32. */
static cn_err parse_onion(cn_slice text, size_t chars, cn_buf *out)
{
    cn_err err = CN_OK;
    size_t colon = cn_slice_find(text, ':');
    if (colon != chars || colon == text.len) {
        return CN_ERR_MALFORMED;
    }
    CN_TRY(cn_base_n_decode(CN_BASE32, cn_slice_head(text, chars), out, NULL));
    CN_TRY(parse_number(cn_slice_skip(text, chars + 1), 65535, 2, out));
out:
    return err;
}

/* I2P's base64 writes '-' and '~' where base64 has '+' and '/'. */
static cn_err swap_garlic(cn_slice in, const char *from, const char *to, cn_buf *out)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < in.len && err == CN_OK; i++) {
        uint8_t c = in.data[i];
        c = c == (uint8_t)from[0] ? (uint8_t)to[0] : c == (uint8_t)from[1] ? (uint8_t)to[1] : c;
        err = cn_buf_byte(out, c);
    }
    return err;
}

static cn_err parse_garlic64(cn_slice text, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_buf plain = {0};
    cn_buf_init(&plain, out->mem, VALUE_MAX_BYTES);
    bool is_foreign = cn_slice_find(text, '+') < text.len;
    CN_TRY(is_foreign ? CN_ERR_MALFORMED : swap_garlic(text, "-~", "+/", &plain));
    CN_TRY(cn_base_n_decode(CN_BASE64_PAD, cn_buf_slice(&plain), out, NULL));
out:
    cn_buf_release(&plain);
    return err;
}

static int hex_of(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static cn_err parse_escaped(cn_slice text, cn_buf *out)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < text.len && err == CN_OK; i++) {
        uint8_t c = text.data[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_of(text.data[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_of(text.data[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return CN_ERR_MALFORMED;
            }
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        err = cn_buf_byte(out, c);
    }
    return err;
}

static cn_err parse_peer(cn_slice text, cn_buf *out)
{
    cn_peer_id id = {0};
    cn_err err = cn_peer_id_parse(text, &id, NULL);
    return err == CN_OK ? cn_buf_append(out, cn_peer_id_bytes(&id)) : CN_ERR_MALFORMED;
}

static cn_err parse_value(const ma_protocol *p, cn_slice text, cn_buf *out)
{
    uint8_t ip[CN_IP6_BYTES];
    cn_err err = CN_OK;
    switch (p->shape) {
    case MA_IP4_VALUE:
        err = cn_ip4_parse(text, ip);
        return err == CN_OK ? cn_buf_append(out, cn_slice_of(ip, CN_IP4_BYTES)) : err;
    case MA_IP6_VALUE:
        err = cn_ip6_parse(text, ip);
        return err == CN_OK ? cn_buf_append(out, cn_slice_of(ip, CN_IP6_BYTES)) : err;
    case MA_PORT:
        return parse_number(text, 65535, 2, out);
    case MA_BITS:
        return parse_number(text, 255, 1, out);
    case MA_NUMBER:
        return parse_number(text, UINT64_MAX, 8, out);
    case MA_PEER:
        return parse_peer(text, out);
    case MA_CERTHASH:
        return cn_multibase_decode(text, out, NULL, NULL);
    case MA_ONION:
        return parse_onion(text, ONION_CHARS, out);
    case MA_ONION3:
        return parse_onion(text, ONION3_CHARS, out);
    case MA_GARLIC32:
        return cn_base_n_decode(CN_BASE32, text, out, NULL);
    case MA_GARLIC64:
        return parse_garlic64(text, out);
    case MA_ESCAPED:
        return parse_escaped(text, out);
    case MA_NAME:
    case MA_REST:
    case MA_NOTHING:
        break;
    }
    return cn_buf_append(out, text);
}

static cn_err refuse(cn_slice text, cn_why *why, const char *what, cn_slice of)
{
    return cn_why_set(
        why, CN_ERR_MALFORMED, "failed to parse multiaddr \"%.*s\": %s%.*s",
        (int)CN_MIN(text.len, 200), (const char *)text.data, what, (int)CN_MIN(of.len, 100),
        of.len == 0 ? "" : (const char *)of.data);
}

static cn_slice take_word(cn_slice *rest)
{
    size_t end = cn_slice_find(*rest, '/');
    cn_slice word = cn_slice_head(*rest, end);
    *rest = cn_slice_skip(*rest, end + 1);
    return word;
}

/* One protocol and its value off the front of `*rest`, which follows a slash. */
static cn_err parse_part(cn_slice text, cn_slice *rest, cn_buf *ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_buf value = {0};
    cn_slice name = take_word(rest);
    cn_slice word = {0};
    bool is_wrong = false;
    const ma_protocol *p = cn_ma_by_name(name);
    if (p == NULL) {
        return refuse(text, why, "unknown protocol ", name);
    }
    cn_buf_init(&value, ret->mem, VALUE_MAX_BYTES);
    if (p->shape == MA_REST) {
        CN_TRY(cn_buf_byte(&value, '/'));
        word = *rest;
        *rest = (cn_slice){0};
    } else if (p->shape != MA_NOTHING) {
        word = take_word(rest);
    }
    if (p->shape != MA_NOTHING && word.len == 0) {
        err = refuse(text, why, "unexpected end of multiaddr", (cn_slice){0});
        goto out;
    }
    err = parse_value(p, word, &value);
    is_wrong = err == CN_OK && p->bytes != MA_VARIABLE && value.len != (size_t)p->bytes;
    if (err == CN_OK && !is_wrong) {
        err = cn_ma_check_value(p, cn_buf_slice(&value));
    }
    if (err == CN_ERR_NO_MEMORY) {
        goto out;
    }
    if (err != CN_OK || is_wrong) {
        (void)refuse(text, why, "invalid value ", word);
        err = CN_ERR_MALFORMED;
        goto out;
    }
    CN_TRY(cn_multiaddr_put(ret, p->code, cn_buf_slice(&value)));
out:
    cn_buf_release(&value);
    return err;
}

cn_err cn_multiaddr_parse(cn_slice text, cn_buf *ret, cn_why *why)
{
    size_t before = ret->len;
    cn_err err = CN_OK;
    cn_slice rest = text;
    while (rest.len > 0 && rest.data[rest.len - 1] == '/') {
        rest = cn_slice_head(rest, rest.len - 1);
    }
    if (text.len == 0 || text.data[0] != '/') {
        return refuse(text, why, "must begin with /", (cn_slice){0});
    }
    if (rest.len == 0) {
        return refuse(text, why, "empty multiaddr", (cn_slice){0});
    }
    rest = cn_slice_skip(rest, 1);
    while (rest.len > 0 && err == CN_OK) {
        err = parse_part(text, &rest, ret, why);
    }
    if (err == CN_OK && ret->len - before > CN_MULTIADDR_MAX_BYTES) {
        err = cn_why_set(why, CN_ERR_TOO_LARGE, "the multiaddr is too long");
    }
    ret->len = err == CN_OK ? ret->len : before;
    return err;
}

static uint64_t be_of(cn_slice value)
{
    uint64_t number = 0;
    for (size_t i = 0; i < value.len; i++) {
        number = number << 8 | value.data[i];
    }
    return number;
}

static cn_err put_garlic64(cn_slice value, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_buf plain = {0};
    cn_buf_init(&plain, out->mem, 2 * VALUE_MAX_BYTES);
    CN_TRY(cn_base_n_encode(CN_BASE64_PAD, value, &plain));
    CN_TRY(swap_garlic(cn_buf_slice(&plain), "+/", "-~", out));
out:
    cn_buf_release(&plain);
    return err;
}

static cn_err put_onion(cn_slice value, cn_buf *out)
{
    cn_err err = CN_OK;
    size_t host = value.len - 2;
    CN_TRY(cn_base_n_encode(CN_BASE32, cn_slice_head(value, host), out));
    CN_TRY(cn_buf_printf(out, ":%u", (unsigned)be_of(cn_slice_skip(value, host))));
out:
    return err;
}

/* As Go escapes one segment of a path. */
static cn_err put_escaped(cn_slice value, cn_buf *out)
{
    cn_err err = CN_OK;
    static const char kept[] = "-_.~$&+=:@";
    for (size_t i = 0; i < value.len && err == CN_OK; i++) {
        uint8_t c = value.data[i];
        bool is_word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool is_kept = is_word || cn_slice_find(cn_str(kept), c) < sizeof(kept) - 1;
        err = is_kept ? cn_buf_byte(out, c) : cn_buf_printf(out, "%%%02X", c);
    }
    return err;
}

static cn_err put_value(const ma_protocol *p, cn_slice value, cn_buf *out)
{
    cn_peer_id id = {0};
    cn_err err = CN_OK;
    switch (p->shape) {
    case MA_IP4_VALUE:
        return cn_ip4_encode_text(value.data, out);
    case MA_IP6_VALUE:
        return cn_ip6_encode_text(value.data, out);
    case MA_PORT:
    case MA_BITS:
    case MA_NUMBER:
        return cn_buf_printf(out, "%llu", (unsigned long long)be_of(value));
    case MA_PEER:
        err = cn_peer_id_decode(value, &id);
        return err == CN_OK ? cn_peer_id_encode_text(&id, 0, out) : err;
    case MA_CERTHASH:
        return cn_multibase_encode(cn_multibase_by_code('u'), value, out);
    case MA_ONION:
    case MA_ONION3:
        return put_onion(value, out);
    case MA_GARLIC32:
        return cn_base_n_encode(CN_BASE32, value, out);
    case MA_GARLIC64:
        return put_garlic64(value, out);
    case MA_ESCAPED:
        return put_escaped(value, out);
    case MA_NAME:
    case MA_REST:
    case MA_NOTHING:
        break;
    }
    return cn_buf_append(out, value);
}

cn_err cn_multiaddr_encode_text(cn_slice address, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(address);
    cn_multiaddr_part part = {0};
    while (cn_multiaddr_next(&cur, &part)) {
        const ma_protocol *p = cn_ma_by_code(part.code);
        CN_TRY(cn_buf_printf(out, "/%s", p->name));
        if (p->shape != MA_NOTHING && p->shape != MA_REST) {
            CN_TRY(cn_buf_byte(out, '/'));
        }
        CN_TRY(put_value(p, part.value, out));
    }
out:
    return err;
}
