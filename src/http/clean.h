/*
 * Cleaned paths and redirects to them, as Go's ServeMux makes them: before any route is looked at,
 * a path with "//", "/./" or "/../" is answered with the clean one.
 */
#pragma once

#include "base/buf.h"
#include "http/server.h"

/*
 * Append the clean form of `path` (as sent, its escapes in place) to `clean`: rooted, no empty
 * segment, "." or "..", the slash at its end kept. *ret_is_clean: `path` is that already.
 * Errors: the buffer's.
 */
CN_MUST_USE cn_err cn_http_clean_path(cn_slice path, cn_buf *clean, bool *ret_is_clean);

/*
 * Make the answer that sends a client of `method` to `location` (a path and query; what a URL
 * cannot hold is escaped): HTML with a link for GET and HEAD, nothing for others.
 * `reason` is the status as words. Errors: NO_MEMORY.
 */
CN_MUST_USE cn_err cn_http_response_redirect(
    cn_mem *mem, cn_slice method, const char *reason, cn_slice location, cn_http_response **ret);
