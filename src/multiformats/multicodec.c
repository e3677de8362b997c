/*
 * Look-ups in the generated table, which is ordered by code.
 */
#include "multiformats/multicodec.h"

#include "multiformats/cid.h"
#include "multiformats/multicodec_table.h"

const cn_multicodec *cn_multicodec_list(size_t *ret_len)
{
    *ret_len = cn_multicodec_table_len;
    return cn_multicodec_table;
}

const cn_multicodec *cn_multicodec_by_code(uint64_t code)
{
    size_t low = 0;
    size_t high = cn_multicodec_table_len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cn_multicodec_table[middle].code < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < cn_multicodec_table_len && cn_multicodec_table[low].code == code;
    return found ? &cn_multicodec_table[low] : NULL;
}

const cn_multicodec *cn_multicodec_by_name(cn_slice name)
{
    for (size_t i = 0; i < cn_multicodec_table_len; i++) {
        if (cn_slice_is(name, cn_multicodec_table[i].name)) {
            return &cn_multicodec_table[i];
        }
    }
    return NULL;
}

/* The number base that a Go literal announces; moves `text` past the announcement. */
static unsigned literal_base(cn_slice *text)
{
    if (text->len < 2 || text->data[0] != '0') {
        return 10;
    }
    unsigned base = 8;
    size_t skip = 2;
    switch (text->data[1] | 0x20) {
    case 'x':
        base = 16;
        break;
    case 'b':
        base = 2;
        break;
    case 'o':
        break;
    default:
        skip = 1;
        break;
    }
    *text = cn_slice_skip(*text, skip);
    return base;
}

static bool read_number(cn_slice text, uint64_t *ret)
{
    unsigned base = literal_base(&text);
    uint64_t value = 0;
    if (text.len == 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned c = text.data[i];
        unsigned digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'f';
        bool good = (c >= '0' && c <= '9') || letter;
        if (!good || digit >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    *ret = value;
    return true;
}

cn_err cn_multicodec_choose(cn_slice text, uint64_t *ret, cn_why *why)
{
    enum { RESERVED_FIRST = 0x300000, RESERVED_LAST = 0x3fffff };
    uint64_t number = 0;
    if (read_number(text, &number)) {
        bool reserved = number >= RESERVED_FIRST && number <= RESERVED_LAST;
        if (reserved || cn_multicodec_by_code(number) != NULL) {
            *ret = number;
            return CN_OK;
        }
    }
    const cn_multicodec *found = cn_multicodec_by_name(text);
    if (found == NULL) {
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED, "unknown multicodec: \"%.*s\"",
            (int)CN_MIN(text.len, (size_t)200), (const char *)text.data);
    }
    *ret = found->code;
    return CN_OK;
}

bool cn_multicodec_supported(uint64_t code)
{
    static const uint64_t codes[] = {CN_CODEC_CBOR,     CN_CODEC_RAW,        CN_CODEC_DAG_PB,
                                     CN_CODEC_DAG_CBOR, CN_CODEC_LIBP2P_KEY, CN_CODEC_GIT_RAW,
                                     CN_CODEC_DAG_JOSE, CN_CODEC_DAG_JSON,   CN_CODEC_JSON};
    for (size_t i = 0; i < CN_LEN(codes); i++) {
        if (codes[i] == code) {
            return true;
        }
    }
    return false;
}
