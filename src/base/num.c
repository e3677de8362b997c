/*
 * Decimal numbers with overflow checks.
 */
#include "base/num.h"

cn_err cn_num_u64(cn_slice text, uint64_t *ret)
{
    uint64_t value = 0;
    if (text.len == 0) {
        return CN_ERR_MALFORMED;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return CN_ERR_MALFORMED;
        }
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.data[i] - '0', &value)) {
            return CN_ERR_TOO_LARGE;
        }
    }
    *ret = value;
    return CN_OK;
}

cn_err cn_num_i64(cn_slice text, int64_t *ret)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    bool sign = negative || (text.len > 0 && text.data[0] == '+');
    uint64_t magnitude = 0;
    cn_err err = cn_num_u64(cn_slice_skip(text, sign ? 1 : 0), &magnitude);
    if (err != CN_OK) {
        return err;
    }
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
        return CN_ERR_TOO_LARGE;
    }
    *ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return CN_OK;
}
