/*
 * Durations as Go writes and reads them.
 */
#include "base/duration.h"

#include "base/time.h"

typedef struct unit {
    const char *name;
    int64_t ns;
} unit;

static const unit units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000}, /* micro sign */
    {"\xce\xbcs", 1000}, /* Greek mu */
    {"ms", CN_NS_PER_MS},
    {"s", CN_NS_PER_S},
    {"m", 60 * CN_NS_PER_S},
    {"h", 3600 * CN_NS_PER_S},
};

static cn_err refuse(cn_why *why, cn_slice text, const char *before, cn_slice unit_name)
{
    if (unit_name.len > 0) {
        return cn_why_set(
            why, CN_ERR_USAGE, "time: %s \"%.*s\" in duration \"%.*s\"", before,
            (int)CN_MIN(unit_name.len, 200), (const char *)unit_name.data,
            (int)CN_MIN(text.len, 200), (const char *)text.data);
    }
    return cn_why_set(
        why, CN_ERR_USAGE, "time: %s duration \"%.*s\"", before, (int)CN_MIN(text.len, 200),
        text.len == 0 ? "" : (const char *)text.data);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* The digits at the front of *s, as a whole number (false: over 63 bits). */
static bool take_whole(cn_slice *s, uint64_t *ret)
{
    uint64_t sum = 0;
    while (s->len > 0 && is_digit(s->data[0])) {
        if (sum > (uint64_t)INT64_MAX / 10) {
            return false;
        }
        sum = sum * 10 + (uint64_t)(s->data[0] - '0');
        if (sum > (uint64_t)INT64_MAX + 1) {
            return false;
        }
        *s = cn_slice_skip(*s, 1);
    }
    *ret = sum;
    return true;
}

/* The digits behind a point: their value and by how much it is scaled; surplus digits are dropped.
 */
static void take_fraction(cn_slice *s, uint64_t *ret, double *ret_scale)
{
    uint64_t sum = 0;
    double scale = 1;
    bool full = false;
    while (s->len > 0 && is_digit(s->data[0])) {
        uint64_t digit = (uint64_t)(s->data[0] - '0');
        *s = cn_slice_skip(*s, 1);
        full = full || sum > (uint64_t)INT64_MAX / 10;
        if (!full) {
            sum = sum * 10 + digit;
            scale *= 10;
        }
    }
    *ret = sum;
    *ret_scale = scale;
}

static int64_t unit_ns(cn_slice name)
{
    for (size_t i = 0; i < CN_LEN(units); i++) {
        if (cn_slice_is(name, units[i].name)) {
            return units[i].ns;
        }
    }
    return 0;
}

/* One "12.5ms" from the front of *s, added to *sum. */
static cn_err take_part(cn_slice text, cn_slice *s, uint64_t *sum, cn_why *why)
{
    uint64_t whole = 0;
    uint64_t fraction = 0;
    double scale = 1;
    if (s->data[0] != '.' && !is_digit(s->data[0])) {
        return refuse(why, text, "invalid", cn_str(""));
    }
    size_t before = s->len;
    if (!take_whole(s, &whole)) {
        return refuse(why, text, "invalid", cn_str(""));
    }
    bool digits = s->len != before;
    if (s->len > 0 && s->data[0] == '.') {
        *s = cn_slice_skip(*s, 1);
        before = s->len;
        take_fraction(s, &fraction, &scale);
        digits = digits || s->len != before;
    }
    if (!digits) {
        return refuse(why, text, "invalid", cn_str(""));
    }
    size_t len = 0;
    while (len < s->len && s->data[len] != '.' && !is_digit(s->data[len])) {
        len++;
    }
    cn_slice name = cn_slice_head(*s, len);
    *s = cn_slice_skip(*s, len);
    if (len == 0) {
        return refuse(why, text, "missing unit in", cn_str(""));
    }
    int64_t ns = unit_ns(name);
    if (ns == 0) {
        return refuse(why, text, "unknown unit", name);
    }
    uint64_t part = (uint64_t)((double)fraction * ((double)ns / scale));
    bool over = __builtin_mul_overflow(whole, (uint64_t)ns, &whole) ||
                __builtin_add_overflow(part, whole, &part) ||
                __builtin_add_overflow(*sum, part, sum) || *sum > (uint64_t)INT64_MAX + 1;
    return over ? refuse(why, text, "invalid", cn_str("")) : CN_OK;
}

cn_err cn_duration_parse(cn_slice text, int64_t *ret_ns, cn_why *why)
{
    cn_slice s = text;
    bool minus = s.len > 0 && s.data[0] == '-';
    if (s.len > 0 && (minus || s.data[0] == '+')) {
        s = cn_slice_skip(s, 1);
    }
    uint64_t sum = 0;
    if (s.len == 0) {
        return refuse(why, text, "invalid", cn_str(""));
    }
    if (!cn_slice_is(s, "0")) {
        while (s.len > 0) {
            cn_err err = take_part(text, &s, &sum, why);
            if (err != CN_OK) {
                return err;
            }
        }
    }
    if (!minus && sum > (uint64_t)INT64_MAX) {
        return refuse(why, text, "invalid", cn_str(""));
    }
    *ret_ns = minus ? (int64_t)(0 - sum) : (int64_t)sum;
    return CN_OK;
}

/* `value` / `scale` with the fraction's trailing zeros left out, then `unit_name`. */
static cn_err put_scaled(cn_buf *out, uint64_t value, uint64_t scale, const char *unit_name)
{
    cn_err err = CN_OK;
    uint64_t rest = value % scale;
    CN_TRY(cn_buf_printf(out, "%llu", (unsigned long long)(value / scale)));
    if (rest > 0) {
        CN_TRY(cn_buf_byte(out, '.'));
    }
    while (rest > 0) {
        scale /= 10;
        CN_TRY(cn_buf_byte(out, (uint8_t)('0' + rest / scale)));
        rest %= scale;
    }
    CN_TRY(cn_buf_text(out, unit_name));
out:
    return err;
}

cn_err cn_duration_text(int64_t ns, cn_buf *out)
{
    cn_err err = CN_OK;
    uint64_t value = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    uint64_t minutes = 0;
    if (ns < 0) {
        CN_TRY(cn_buf_byte(out, '-'));
    }
    if (value == 0) {
        return cn_buf_text(out, "0s");
    }
    if (value < 1000) {
        return put_scaled(out, value, 1, "ns");
    }
    if (value < 1000000) {
        return put_scaled(out, value, 1000, "\xc2\xb5s");
    }
    if (value < (uint64_t)CN_NS_PER_S) {
        return put_scaled(out, value, 1000000, "ms");
    }
    minutes = value / (60 * (uint64_t)CN_NS_PER_S);
    if (minutes >= 60) {
        CN_TRY(cn_buf_printf(out, "%lluh", (unsigned long long)(minutes / 60)));
    }
    if (minutes > 0) {
        CN_TRY(cn_buf_printf(out, "%llum", (unsigned long long)(minutes % 60)));
    }
    CN_TRY(put_scaled(out, value % (60 * (uint64_t)CN_NS_PER_S), (uint64_t)CN_NS_PER_S, "s"));
out:
    return err;
}
