/*
 * Option values as Kubo reads them from text: Go's strconv and time.ParseDuration, with their
 * sentences, which scripts and tests match.
 */
#pragma once

#include "base/duration.h"
#include "base/slice.h"
#include "base/why.h"
#include "cmd/command.h"
#include "codec/quote.h"

typedef union cn_value {
    bool flag;
    int64_t i;
    uint64_t u;
    double f;
} cn_value;

/*
 * Read `text` (NUL-terminated) as a value of `kind`. Strings are left alone. Errors: USAGE, with
 * the sentence `strconv.ParseInt: parsing "x": invalid syntax` and the like in `why`.
 */
CN_MUST_USE cn_err cn_value_parse(cn_opt_kind kind, const char *text, cn_value *ret, cn_why *why);
