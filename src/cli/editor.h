/*
 * Another program that a person works in: the editor.
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"

/*
 * Cut `text` into words as a shell does: at blanks, with '...', "..." and backslashes, without
 * expanding anything. Appends each word with a NUL behind it. Errors: MALFORMED (a quote that is
 * not closed, a backslash at the end; said), those of the buffer.
 */
CN_MUST_USE cn_err cn_words_cut(cn_slice text, cn_buf *ret, size_t *ret_len, cn_why *why);

/*
 * Run `editor` (its words, then `path`) on our terminal and wait for its end. Errors: USAGE (no
 * editor), MALFORMED, NOT_FOUND, PERMISSION (no such program), IO (it ended badly; all said),
 * NO_MEMORY.
 */
CN_MUST_USE cn_err cn_editor_run(cn_mem *mem, const char *editor, const char *path, cn_why *why);
