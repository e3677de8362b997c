/*
 * Unsigned varints. A trailing zero group is what makes a form longer than needed, so that is the
 * whole check of minimality.
 */
#include "codec/varint.h"

cn_err cn_varint_append(cn_buf *out, uint64_t value)
{
    uint8_t bytes[CN_VARINT64_MAX_BYTES];
    return cn_buf_append(out, (cn_slice){bytes, cn_varint_encode(value, bytes)});
}

cn_err cn_varint_decode(cn_cur *in, uint64_t *ret)
{
    uint64_t value = 0;
    size_t n = CN_MIN(in->rest.len, (size_t)CN_VARINT_MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = in->rest.data[i];
        value |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80) {
            if (byte == 0 && i > 0) {
                return CN_ERR_MALFORMED;
            }
            in->rest = cn_slice_skip(in->rest, i + 1);
            *ret = value;
            return CN_OK;
        }
    }
    return n == CN_VARINT_MAX_BYTES ? CN_ERR_TOO_LARGE : CN_ERR_TRUNCATED;
}

const char *cn_varint_sentence(cn_err err)
{
    if (err == CN_ERR_TRUNCATED) {
        return "varints malformed, could not reach the end";
    }
    return err == CN_ERR_TOO_LARGE ? "varints larger than uint63 not supported"
                                   : "varint not minimally encoded";
}
