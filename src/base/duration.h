/*
 * Durations as people and Go write them: "1h2m3.5s", "300ms".
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"

/*
 * Read a duration such as "1h2m3.5s", "-1s", "0", "300ms" (units ns us µs ms s m h). Errors: USAGE,
 * with `time: invalid duration "x"` and the like.
 */
CN_MUST_USE cn_err cn_duration_parse(cn_slice text, int64_t *ret_ns, cn_why *why);

/* Append it as Go prints one ("1h0m0s", "1.5s", "0s"). Errors: those of the buffer. */
CN_MUST_USE cn_err cn_duration_text(int64_t ns, cn_buf *out);
