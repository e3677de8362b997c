/*
 * Growable bytes. Invariant: len <= max, and cap leaves room for one NUL when cn_buf_cstr was
 * called.
 */
#include "base/buf.h"

#include <stdio.h>

enum { FIRST_CAP_BYTES = 64 };

void cn_buf_init(cn_buf *b, cn_mem *mem, size_t max_bytes)
{
    CN_ASSERT(mem != NULL && max_bytes > 0);
    *b = (cn_buf){.max = max_bytes, .mem = mem};
}

void cn_buf_release(cn_buf *b)
{
    if (b->mem != NULL) {
        cn_free(b->mem, b->data);
    }
    *b = (cn_buf){.max = b->max, .mem = b->mem};
}

static cn_err grow(cn_buf *b, size_t need)
{
    if (need <= b->cap) {
        return CN_OK;
    }
    size_t cap = CN_MAX(need, b->cap + b->cap / 2);
    cap = CN_MAX(cap, (size_t)FIRST_CAP_BYTES);
    uint8_t *data = cn_realloc(b->mem, b->data, cap);
    if (data == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    b->data = data;
    b->cap = cap;
    return CN_OK;
}

cn_err cn_buf_reserve(cn_buf *b, size_t more)
{
    CN_ASSERT(b->mem != NULL);
    if (more > b->max - b->len) {
        return CN_ERR_TOO_LARGE;
    }
    return grow(b, b->len + more);
}

cn_err cn_buf_append(cn_buf *b, cn_slice s)
{
    cn_err err = cn_buf_reserve(b, s.len);
    if (err == CN_OK) {
        cn_copy(b->data + b->len, s.data, s.len);
        b->len += s.len;
    }
    return err;
}

cn_err cn_buf_byte(cn_buf *b, uint8_t byte)
{
    return cn_buf_append(b, (cn_slice){&byte, 1});
}

cn_err cn_buf_text(cn_buf *b, const char *text)
{
    return cn_buf_append(b, cn_str(text));
}

cn_err cn_buf_vprintf(cn_buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    cn_err err = len < 0 ? CN_ERR_BUG : cn_buf_reserve(b, (size_t)len);
    if (err == CN_OK) {
        err = grow(b, b->len + (size_t)len + 1);
    }
    if (err == CN_OK) {
        (void)vsnprintf((char *)b->data + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
    return err;
}

cn_err cn_buf_printf(cn_buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cn_err err = cn_buf_vprintf(b, format, args);
    va_end(args);
    return err;
}

void cn_buf_skip(cn_buf *b, size_t n)
{
    n = CN_MIN(n, b->len);
    if (n > 0) {
        cn_move(b->data, b->data + n, b->len - n);
        b->len -= n;
    }
}

cn_err cn_buf_cstr(cn_buf *b, const char **ret)
{
    CN_ASSERT(b->mem != NULL);
    cn_err err = grow(b, b->len + 1);
    if (err == CN_OK) {
        b->data[b->len] = '\0';
        *ret = (const char *)b->data;
    }
    return err;
}
