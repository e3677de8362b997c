/*
 * Writing gzip, by zlib, which is opened when first needed.
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"

typedef struct cn_gzip cn_gzip;

/*
 * A writer of level 1 (fast) to 9 (small), 0 for the usual. Errors: UNSUPPORTED (no libz.so.1 on
 * this machine), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_gzip_new(cn_mem *mem, int level, cn_gzip **ret, cn_why *why);
/* Accepts NULL. */
void cn_gzip_free(cn_gzip *g);

/* Compress `in`, all of it, and append what comes out. Errors: those of the buffer. */
CN_MUST_USE cn_err cn_gzip_write(cn_gzip *g, cn_slice in, cn_buf *out);
/* The end of the stream. */
CN_MUST_USE cn_err cn_gzip_finish(cn_gzip *g, cn_buf *out);
