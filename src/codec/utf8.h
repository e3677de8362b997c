/*
 * UTF-8, read strictly: no overlong forms, no surrogates, nothing above U+10FFFF.
 * spec: RFC 3629
 */
#pragma once

#include "base/slice.h"

/* Length in bytes of the character at the front of `s`: 1 to 4, or 0 if what stands there is none
 * (also for nothing at all). */
size_t cn_utf8_len(cn_slice s);
/* Is all of `s` UTF-8? */
bool cn_utf8_check(cn_slice s);
