/*
 * Numbers and truth values from text, by Go's rules: base 0 with prefixes and underscores for
 * whole numbers, "1 t true 0 f false" for truth.
 */
#include "cmd/value.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

static cn_err refuse(cn_why *why, const char *function, const char *text, const char *problem)
{
    char held[CN_QUOTE_TEXT_BYTES];
    return cn_why_set(
        why, CN_ERR_USAGE, "strconv.%s: parsing %s: %s", function,
        cn_quote_text(cn_str(text), held), problem);
}

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

/* Base and first digit of a whole number without its sign. */
static unsigned base_of(const char *text, const char **ret_digits)
{
    *ret_digits = text;
    if (text[0] != '0' || text[1] == '\0') {
        return 10;
    }
    char mark = (char)(text[1] | 0x20);
    unsigned base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    *ret_digits = base == 0 ? text + 1 : text + 2;
    return base == 0 ? 8 : base;
}

/*
 * Digits with underscores between them (also behind the prefix). *ret_range is set when the number
 * passes 64 bits. False if the syntax is wrong.
 */
static bool read_digits(const char *text, uint64_t *ret, bool *ret_range)
{
    const char *at = NULL;
    unsigned base = base_of(text, &at);
    bool digit_before = at != text; /* a prefix counts as a digit before an underscore */
    bool any = base == 8 && at == text + 1;
    uint64_t sum = 0;
    bool range = false;
    for (; *at != '\0'; at++) {
        if (*at == '_' && (at != text) && digit_before) {
            digit_before = false;
            continue;
        }
        unsigned digit = digit_of(*at);
        if (digit >= base) {
            return false;
        }
        range = range || __builtin_mul_overflow(sum, (uint64_t)base, &sum) ||
                __builtin_add_overflow(sum, (uint64_t)digit, &sum);
        digit_before = true;
        any = true;
    }
    *ret = sum;
    *ret_range = range;
    return any && digit_before;
}

static cn_err parse_uint(const char *text, unsigned bits, uint64_t *ret, cn_why *why)
{
    uint64_t value = 0;
    bool range = false;
    if (!read_digits(text, &value, &range)) {
        return refuse(why, "ParseUint", text, "invalid syntax");
    }
    if (range || (bits == 32 && value > UINT32_MAX)) {
        return refuse(why, "ParseUint", text, "value out of range");
    }
    *ret = value;
    return CN_OK;
}

static cn_err parse_int(const char *text, unsigned bits, int64_t *ret, cn_why *why)
{
    bool minus = text[0] == '-';
    uint64_t value = 0;
    bool range = false;
    if (!read_digits(text + (minus || text[0] == '+'), &value, &range)) {
        return refuse(why, "ParseInt", text, "invalid syntax");
    }
    uint64_t most = (bits == 32 ? (uint64_t)INT32_MAX : (uint64_t)INT64_MAX) + (minus ? 1 : 0);
    if (range || value > most) {
        return refuse(why, "ParseInt", text, "value out of range");
    }
    *ret = minus ? (int64_t)(0 - value) : (int64_t)value;
    return CN_OK;
}

static cn_err parse_bool(const char *text, bool *ret, cn_why *why)
{
    char lower[CN_QUOTE_TEXT_BYTES];
    size_t len = CN_MIN(strlen(text), sizeof lower - 1);
    for (size_t i = 0; i < len; i++) {
        lower[i] = (char)tolower((unsigned char)text[i]);
    }
    lower[len] = '\0';
    cn_slice s = cn_slice_of(lower, len);
    if (len == 0 || cn_slice_is(s, "1") || cn_slice_is(s, "t") || cn_slice_is(s, "true")) {
        *ret = true;
        return CN_OK;
    }
    if (cn_slice_is(s, "0") || cn_slice_is(s, "f") || cn_slice_is(s, "false")) {
        *ret = false;
        return CN_OK;
    }
    return refuse(why, "ParseBool", lower, "invalid syntax");
}

static cn_err parse_float(const char *text, double *ret, cn_why *why)
{
    char *end = NULL;
    bool begins_well = text[0] != '\0' && !isspace((unsigned char)text[0]);
    double value = begins_well ? strtod(text, &end) : 0;
    if (!begins_well || *end != '\0') {
        return refuse(why, "ParseFloat", text, "invalid syntax");
    }
    if (isinf(value) && isdigit((unsigned char)text[strcspn(text, "0123456789iI")])) {
        return refuse(why, "ParseFloat", text, "value out of range");
    }
    *ret = value;
    return CN_OK;
}

cn_err cn_value_parse(cn_opt_kind kind, const char *text, cn_value *ret, cn_why *why)
{
    switch (kind) {
    case CN_OPT_BOOL:
        return parse_bool(text, &ret->flag, why);
    case CN_OPT_INT:
        return parse_int(text, 32, &ret->i, why);
    case CN_OPT_INT64:
        return parse_int(text, 64, &ret->i, why);
    case CN_OPT_UINT:
        return parse_uint(text, 32, &ret->u, why);
    case CN_OPT_UINT64:
        return parse_uint(text, 64, &ret->u, why);
    case CN_OPT_FLOAT:
        return parse_float(text, &ret->f, why);
    case CN_OPT_STRING:
    case CN_OPT_STRINGS:
    default:
        return CN_OK;
    }
}
