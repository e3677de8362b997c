/*
 * cn_buf: owned bytes that grow up to a bound given at init. Also the string builder: what is
 * appended as text has no NUL at its end; cn_buf_cstr puts one behind it.
 */
#pragma once

#include "base/mem.h"
#include "base/slice.h"

#include <stdarg.h>

typedef struct cn_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max; /* bound of len */
    cn_mem *mem;
} cn_buf;

/* An empty buffer of at most `max_bytes`. Takes no memory yet. */
void cn_buf_init(cn_buf *b, cn_mem *mem, size_t max_bytes);
/* Give back the memory; the buffer is empty and may be used again. Accepts a zeroed buffer. */
void cn_buf_release(cn_buf *b);
/* Forget the contents, keep the memory. */
static inline void cn_buf_reset(cn_buf *b)
{
    b->len = 0;
}

static inline cn_slice cn_buf_slice(const cn_buf *b)
{
    return (cn_slice){b->data, b->len};
}

/* Make room for `more` bytes behind the contents. Errors: TOO_LARGE, NO_MEMORY. */
CN_MUST_USE cn_err cn_buf_reserve(cn_buf *b, size_t more);
/* Append; errors TOO_LARGE (nothing was appended), NO_MEMORY. `s` must not lie inside `b`. */
CN_MUST_USE cn_err cn_buf_append(cn_buf *b, cn_slice s);
CN_MUST_USE cn_err cn_buf_byte(cn_buf *b, uint8_t byte);
CN_MUST_USE cn_err cn_buf_text(cn_buf *b, const char *text);
CN_MUST_USE cn_err cn_buf_printf(cn_buf *b, const char *format, ...) CN_PRINTF(2, 3);
CN_MUST_USE cn_err cn_buf_vprintf(cn_buf *b, const char *format, va_list args) CN_PRINTF(2, 0);

/* Drop the first `n` bytes (at most all); the rest moves to the front. Cost: the rest's length. */
void cn_buf_skip(cn_buf *b, size_t n);

/* The contents as a NUL-terminated string, borrowed until the buffer changes. */
CN_MUST_USE cn_err cn_buf_cstr(cn_buf *b, const char **ret);
