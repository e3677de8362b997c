/*
 * Texts of DAG-JSON as they lie in a block, between their quotes, escapes and all.
 */
#pragma once

#include "base/slice.h"

/*
 * The length of the text at the front of `s`, which begins behind the opening quote, up to the
 * closing one. Errors: TRUNCATED (no closing quote), MALFORMED (a control byte, an escape that is
 * none).
 */
CN_MUST_USE cn_err cn_json_text_len(cn_slice s, size_t *ret);

/* Does a text say `plain`? */
bool cn_json_text_is(cn_slice text, cn_slice plain);

/* Order of two texts by the bytes of what they say; 0: the same. */
int cn_json_text_order(cn_slice a, cn_slice b);

/* Does a text say base64, padded or not, as the bytes of dag-json are written? */
bool cn_json_text_is_base64(cn_slice text);
