/*
 * Option values as Kubo reads them from text: Go's strconv and time.ParseDuration, with their
 * sentences, which scripts and tests match.
 */
#pragma once

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

/*
 * A duration such as "1h2m3.5s", "-1s", "0", "300ms" (units ns us µs ms s m h). Errors: USAGE, with
 * `time: invalid duration "x"` and the like.
 */
CN_MUST_USE cn_err cn_duration_parse(cn_slice text, int64_t *ret_ns, cn_why *why);
/* As Go prints one ("1h0m0s", "1.5s", "0s"). */
CN_MUST_USE cn_err cn_duration_text(int64_t ns, cn_buf *out);
