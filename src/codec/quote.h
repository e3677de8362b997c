/*
 * Text in double quotes as Go's %q writes it, for the sentences that users and scripts know.
 */
#pragma once

#include "base/buf.h"

/*
 * Append `text` quoted: backslash and the quote escaped, control characters as \n \t \x00 ...,
 * other characters that do not print as \u or \U, bytes that are not UTF-8 as \x. Errors: those of
 * the buffer. Go counts a character as printing by its Unicode class; here all above U+00A0 print
 * but the separators, joiners, private and unassigned ranges named in the .c file.
 */
CN_MUST_USE cn_err cn_quote_append(cn_slice text, cn_buf *out);

/* The same into a fixed array, for messages: NUL-terminated, cut if longer. */
enum { CN_QUOTE_TEXT_BYTES = 768 };
const char *cn_quote_text(cn_slice text, char out[CN_QUOTE_TEXT_BYTES]);

/*
 * Append a name for a list of names: as it is if all of it prints, else with escapes but without
 * quotes around it, as Kubo lists names. Bytes that are not UTF-8 do not by themselves call for
 * escapes. Errors: those of the buffer.
 */
CN_MUST_USE cn_err cn_quote_nonprint(cn_slice name, cn_buf *out);
