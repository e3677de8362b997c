/*
 * Sizes for people: "3.1 MB", "999 B", in powers of 1000, rounded as Kubo shows them.
 */
#pragma once

#include "base/macros.h"

enum { CN_HUMAN_BYTES = 32 };

/* Into a fixed array, NUL-terminated; returns it. */
const char *cn_human_size(uint64_t bytes, char text[CN_HUMAN_BYTES]);
