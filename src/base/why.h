/*
 * A sentence that goes with an error: what, where, and what to do. A function that knows more than
 * its cn_err says takes a nullable `cn_why *why` and writes into it just before it fails.
 */
#pragma once

#include "base/err.h"

enum { CN_WHY_BYTES = 1024 };

typedef struct cn_why {
    char text[CN_WHY_BYTES]; /* UTF-8, ends in NUL, cut if longer; empty if nothing was said */
} cn_why;

/* Set the sentence (printf form) and return `err`. `why` may be NULL. */
cn_err cn_why_set(cn_why *why, cn_err err, const char *format, ...) CN_PRINTF(3, 4);

/* Put a prefix (printf form) before the sentence, e.g. the path it is about; returns `err`. */
cn_err cn_why_wrap(cn_why *why, cn_err err, const char *format, ...) CN_PRINTF(3, 4);

/* The sentence, or that of `err` if nothing was said. `why` may be NULL. */
const char *cn_why_text(const cn_why *why, cn_err err);
