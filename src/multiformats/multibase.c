/*
 * The table of multibase prefixes over codec/base_n.
 */
#include "multiformats/multibase.h"

static const cn_multibase table[] = {
    {0x00, "\0", 1, "identity", CN_BASE_IDENTITY, true},
    {'0', "0", 1, "base2", CN_BASE2, true},
    {'b', "b", 1, "base32", CN_BASE32, true},
    {'B', "B", 1, "base32upper", CN_BASE32_UPPER, true},
    {'c', "c", 1, "base32pad", CN_BASE32_PAD, true},
    {'C', "C", 1, "base32padupper", CN_BASE32_PAD_UPPER, true},
    {'f', "f", 1, "base16", CN_BASE16, true},
    {'F', "F", 1, "base16upper", CN_BASE16_UPPER, true},
    {'k', "k", 1, "base36", CN_BASE36, true},
    {'K', "K", 1, "base36upper", CN_BASE36_UPPER, true},
    {'m', "m", 1, "base64", CN_BASE64, true},
    {'M', "M", 1, "base64pad", CN_BASE64_PAD, true},
    {'t', "t", 1, "base32hexpad", CN_BASE32_HEX_PAD, true},
    {'T', "T", 1, "base32hexpadupper", CN_BASE32_HEX_PAD_UPPER, true},
    {'u', "u", 1, "base64url", CN_BASE64_URL, true},
    {'U', "U", 1, "base64urlpad", CN_BASE64_URL_PAD, true},
    {'v', "v", 1, "base32hex", CN_BASE32_HEX, true},
    {'V', "V", 1, "base32hexupper", CN_BASE32_HEX_UPPER, true},
    {'z', "z", 1, "base58btc", CN_BASE58_BTC, true},
    {'Z', "Z", 1, "base58flickr", CN_BASE58_FLICKR, true},
    {0x1f680, "\xf0\x9f\x9a\x80", 4, "base256emoji", CN_BASE256_EMOJI, true},
    {'7', "7", 1, "base8", CN_BASE8, false},
    {'9', "9", 1, "base10", CN_BASE10, false},
    {'h', "h", 1, "base32z", CN_BASE32_Z, false},
    {'R', "R", 1, "base45", CN_BASE45, false},
};

const cn_multibase *cn_multibase_list(size_t *ret_len)
{
    *ret_len = CN_LEN(table);
    return table;
}

const cn_multibase *cn_multibase_by_name(cn_slice name)
{
    for (size_t i = 0; i < CN_LEN(table); i++) {
        if (cn_slice_is(name, table[i].name)) {
            return &table[i];
        }
    }
    return NULL;
}

const cn_multibase *cn_multibase_by_code(uint32_t code)
{
    for (size_t i = 0; i < CN_LEN(table); i++) {
        if (table[i].code == code) {
            return &table[i];
        }
    }
    return NULL;
}

const cn_multibase *cn_multibase_of_text(cn_slice text)
{
    for (size_t i = 0; i < CN_LEN(table); i++) {
        if (cn_slice_starts(text, cn_slice_of(table[i].prefix, table[i].prefix_len))) {
            return &table[i];
        }
    }
    return NULL;
}

cn_err cn_multibase_choose(cn_slice name_or_prefix, const cn_multibase **ret, cn_why *why)
{
    if (name_or_prefix.len == 0) {
        return cn_why_set(why, CN_ERR_UNSUPPORTED, "empty multibase encoding");
    }
    const cn_multibase *found = cn_multibase_by_name(name_or_prefix);
    const cn_multibase *by_prefix = cn_multibase_of_text(name_or_prefix);
    if (by_prefix != NULL && name_or_prefix.len == by_prefix->prefix_len) {
        found = by_prefix;
    }
    if (found == NULL || !found->in_kubo) {
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED, "unsupported multibase encoding: %.*s",
            (int)CN_MIN(name_or_prefix.len, (size_t)200), (const char *)name_or_prefix.data);
    }
    *ret = found;
    return CN_OK;
}

cn_err cn_multibase_encode(const cn_multibase *m, cn_slice in, cn_buf *out)
{
    size_t before = out->len;
    cn_err err = cn_buf_append(out, cn_slice_of(m->prefix, m->prefix_len));
    if (err == CN_OK) {
        err = cn_base_n_encode(m->base, in, out);
    }
    if (err != CN_OK) {
        out->len = before;
    }
    return err;
}

cn_err cn_multibase_decode(cn_slice text, cn_buf *out, const cn_multibase **ret_base, cn_why *why)
{
    if (text.len == 0) {
        return cn_why_set(why, CN_ERR_MALFORMED, "cannot decode multibase for zero length string");
    }
    const cn_multibase *m = cn_multibase_of_text(text);
    if (m == NULL) {
        return cn_why_set(why, CN_ERR_UNSUPPORTED, "selected encoding not supported");
    }
    cn_err err = cn_base_n_decode(m->base, cn_slice_skip(text, m->prefix_len), out, why);
    if (err == CN_OK && ret_base != NULL) {
        *ret_base = m;
    }
    return err;
}
