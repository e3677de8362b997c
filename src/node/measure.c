/*
 * Sizes as text, with the rules and the sentences of what Kubo uses for them.
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
