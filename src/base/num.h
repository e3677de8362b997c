/*
 * Numbers read from text, whole or not at all.
 */
#pragma once

#include "base/slice.h"

/* Decimal digits only, no sign, no spaces. Errors: MALFORMED (also if empty), TOO_LARGE. */
CN_MUST_USE cn_err cn_num_u64(cn_slice text, uint64_t *ret);

/* The same with an optional leading '-' or '+'. */
CN_MUST_USE cn_err cn_num_i64(cn_slice text, int64_t *ret);
