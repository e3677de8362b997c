/*
 * Sizes and durations as text, with the rules and the sentences of what Kubo uses for them.
 */
#include "node/config.h"

#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_BYTES = 64, SHOWN_BYTES = 80 };

static int shown(cn_slice text)
{
    return (int)CN_MIN(text.len, (size_t)SHOWN_BYTES);
}

static const char *chars(cn_slice text)
{
    return text.len == 0 ? "" : (const char *)text.data;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

typedef struct unit {
    const char *name;
    double factor;
} unit;

static const unit size_units[] = {
    {"", 1},         {"b", 1},        {"k", 1e3},      {"kb", 1e3},     {"m", 1e6},
    {"mb", 1e6},     {"g", 1e9},      {"gb", 1e9},     {"t", 1e12},     {"tb", 1e12},
    {"p", 1e15},     {"pb", 1e15},    {"e", 1e18},     {"eb", 1e18},    {"ki", 0x1p10},
    {"kib", 0x1p10}, {"mi", 0x1p20},  {"mib", 0x1p20}, {"gi", 0x1p30},  {"gib", 0x1p30},
    {"ti", 0x1p40},  {"tib", 0x1p40}, {"pi", 0x1p50},  {"pib", 0x1p50}, {"ei", 0x1p60},
    {"eib", 0x1p60},
};

/* Digits with at most one point. */
static cn_err parse_decimal(cn_slice number, double *ret, cn_why *why)
{
    char text[NUMBER_BYTES];
    size_t len = 0;
    size_t points = 0;
    for (size_t i = 0; i < number.len && len + 1 < sizeof text; i++) {
        points += number.data[i] == '.';
        if (number.data[i] != ',') {
            text[len++] = (char)number.data[i];
        }
    }
    text[len] = '\0';
    if (len == points || points > 1 || len + 1 == sizeof text) {
        return cn_why_set(
            why, CN_ERR_MALFORMED, "strconv.ParseFloat: parsing \"%s\": invalid syntax", text);
    }
    *ret = strtod(text, NULL);
    return CN_OK;
}

static cn_slice trim(cn_slice s)
{
    while (s.len > 0 && (s.data[0] == ' ' || (s.data[0] >= '\t' && s.data[0] <= '\r'))) {
        s = cn_slice_skip(s, 1);
    }
    while (s.len > 0 &&
           (s.data[s.len - 1] == ' ' || (s.data[s.len - 1] >= '\t' && s.data[s.len - 1] <= '\r'))) {
        s.len--;
    }
    return s;
}

static bool same_unit(cn_slice text, const char *name)
{
    bool same = text.len == strlen(name);
    for (size_t i = 0; same && i < text.len; i++) {
        uint8_t c = text.data[i];
        c = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
        same = c == (uint8_t)name[i];
    }
    return same;
}

cn_err cn_size_parse(cn_slice text, uint64_t *ret_bytes, cn_why *why)
{
    size_t len = 0;
    double value = 0;
    while (len < text.len &&
           (is_digit(text.data[len]) || text.data[len] == '.' || text.data[len] == ',')) {
        len++;
    }
    cn_err err = parse_decimal(cn_slice_head(text, len), &value, why);
    if (err != CN_OK) {
        return err;
    }
    cn_slice name = trim(cn_slice_skip(text, len));
    for (size_t i = 0; i < CN_LEN(size_units); i++) {
        if (same_unit(name, size_units[i].name)) {
            value *= size_units[i].factor;
            if (value >= 0x1p64) {
                return cn_why_set(
                    why, CN_ERR_TOO_LARGE, "too large: %.*s", shown(text), chars(text));
            }
            *ret_bytes = (uint64_t)value;
            return CN_OK;
        }
    }
    return cn_why_set(why, CN_ERR_MALFORMED, "unhandled size name: %.*s", shown(name), chars(name));
}

typedef struct time_unit {
    const char *name;
    int64_t ns;
} time_unit;

static const time_unit time_units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000}, /* micro sign */
    {"\xce\xbcs", 1000}, /* Greek mu */
    {"ms", CN_NS_PER_MS},
    {"s", CN_NS_PER_S},
    {"m", 60 * CN_NS_PER_S},
    {"h", 3600 * CN_NS_PER_S},
};

static cn_err bad_duration(cn_slice text, cn_why *why)
{
    return cn_why_set(
        why, CN_ERR_MALFORMED, "time: invalid duration \"%.*s\"", shown(text), chars(text));
}

/* One number and its unit off the front of `rest`; `text` is the whole, for the sentence. */
static cn_err take_part(cn_slice text, cn_slice *rest, uint64_t *ret_ns, cn_why *why)
{
    uint64_t whole = 0;
    double fraction = 0;
    double scale = 1;
    size_t digits = 0;
    for (; rest->len > 0 && is_digit(rest->data[0]); digits++, *rest = cn_slice_skip(*rest, 1)) {
        if (__builtin_mul_overflow(whole, 10u, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(rest->data[0] - '0'), &whole)) {
            return bad_duration(text, why);
        }
    }
    if (rest->len > 0 && rest->data[0] == '.') {
        *rest = cn_slice_skip(*rest, 1);
        for (; rest->len > 0 && is_digit(rest->data[0]); digits++) {
            scale /= 10;
            fraction += scale * (rest->data[0] - '0');
            *rest = cn_slice_skip(*rest, 1);
        }
    }
    if (digits == 0) {
        return bad_duration(text, why);
    }
    size_t len = 0;
    while (len < rest->len && rest->data[len] != '.' && !is_digit(rest->data[len])) {
        len++;
    }
    cn_slice name = cn_slice_head(*rest, len);
    *rest = cn_slice_skip(*rest, len);
    if (len == 0) {
        return cn_why_set(
            why, CN_ERR_MALFORMED, "time: missing unit in duration \"%.*s\"", shown(text),
            chars(text));
    }
    for (size_t i = 0; i < CN_LEN(time_units); i++) {
        uint64_t factor = (uint64_t)time_units[i].ns;
        if (cn_slice_is(name, time_units[i].name)) {
            if (__builtin_mul_overflow(whole, factor, &whole)) {
                return bad_duration(text, why);
            }
            *ret_ns = whole + (uint64_t)(fraction * (double)factor + 1e-6);
            return CN_OK;
        }
    }
    return cn_why_set(
        why, CN_ERR_MALFORMED, "time: unknown unit \"%.*s\" in duration \"%.*s\"", shown(name),
        chars(name), shown(text), chars(text));
}

cn_err cn_duration_parse(cn_slice text, int64_t *ret_ns, cn_why *why)
{
    cn_slice rest = text;
    uint64_t sum = 0;
    bool minus = rest.len > 0 && rest.data[0] == '-';
    if (minus || (rest.len > 0 && rest.data[0] == '+')) {
        rest = cn_slice_skip(rest, 1);
    }
    if (cn_slice_is(rest, "0")) {
        *ret_ns = 0;
        return CN_OK;
    }
    if (rest.len == 0) {
        return bad_duration(text, why);
    }
    while (rest.len > 0) {
        uint64_t part = 0;
        cn_err err = take_part(text, &rest, &part, why);
        if (err != CN_OK) {
            return err;
        }
        if (__builtin_add_overflow(sum, part, &sum) || sum > INT64_MAX) {
            return bad_duration(text, why);
        }
    }
    *ret_ns = minus ? -(int64_t)sum : (int64_t)sum;
    return CN_OK;
}

/* `value` / `unit` with the fraction's trailing zeros left off. */
static cn_err format_fraction(uint64_t value, uint64_t one, const char *name, cn_buf *out)
{
    cn_err err = cn_buf_printf(out, "%llu", (unsigned long long)(value / one));
    uint64_t rest = value % one;
    if (err == CN_OK && rest > 0) {
        err = cn_buf_byte(out, '.');
    }
    while (err == CN_OK && rest > 0) {
        one /= 10;
        err = cn_buf_byte(out, (uint8_t)('0' + rest / one));
        rest %= one;
    }
    return err != CN_OK ? err : cn_buf_text(out, name);
}

cn_err cn_duration_format(int64_t ns, cn_buf *out)
{
    uint64_t value = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    const uint64_t second = (uint64_t)CN_NS_PER_S;
    cn_err err = ns < 0 ? cn_buf_byte(out, '-') : CN_OK;
    if (err != CN_OK || value == 0) {
        return err != CN_OK ? err : cn_buf_text(out, "0s");
    }
    if (value < second) {
        return value < 1000                     ? format_fraction(value, 1, "ns", out)
               : value < (uint64_t)CN_NS_PER_MS ? format_fraction(value, 1000, "\xc2\xb5s", out)
                                                : format_fraction(value, 1000000, "ms", out);
    }
    uint64_t minutes = value / (60 * second);
    if (minutes >= 60) {
        err = cn_buf_printf(
            out, "%lluh%llum", (unsigned long long)(minutes / 60),
            (unsigned long long)(minutes % 60));
    } else if (minutes > 0) {
        err = cn_buf_printf(out, "%llum", (unsigned long long)minutes);
    }
    return err != CN_OK ? err : format_fraction(value % (60 * second), second, "s", out);
}
