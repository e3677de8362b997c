/*
 * Paths as text, without asking the disk what is there.
 */
#pragma once

#include "base/buf.h"

/*
 * Append the shortest path of the same meaning: slashes and "." dropped, each ".." taken away with
 * the name before it (so "link/.." is where we are, wherever the link leads, as Kubo has it).
 * Empty becomes ".". Absolute stays absolute. Errors: those of the buffer.
 */
CN_MUST_USE cn_err cn_path_clean(cn_slice path, cn_buf *ret);
