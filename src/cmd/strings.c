/*
 * Lists of texts as answers.
 */
#include "cmd/strings.h"

#include <stdlib.h>

enum { STRINGS_MAX = 1 << 20, TEXT_MAX_BYTES = 64 << 20 };

void cn_strings_init(cn_strings *s, cn_mem *mem)
{
    *s = (cn_strings){.mem = mem};
    cn_buf_init(&s->text, mem, TEXT_MAX_BYTES);
}

void cn_strings_release(cn_strings *s)
{
    cn_free(s->mem, s->at);
    cn_buf_release(&s->text);
    *s = (cn_strings){0};
}

void cn_strings_reset(cn_strings *s)
{
    cn_buf_reset(&s->text);
    s->len = 0;
}

/* What was appended to the text from `begin` on is one more. */
static cn_err close_text(cn_strings *s, size_t begin)
{
    cn_err err = CN_OK;
    CN_TRY(cn_array_grow(s->mem, (void **)&s->at, &s->cap, s->len, STRINGS_MAX, sizeof *s->at));
    CN_TRY(cn_buf_byte(&s->text, 0));
    s->at[s->len++] = begin;
out:
    if (err != CN_OK) {
        s->text.len = begin;
    }
    return err;
}

cn_err cn_strings_add(cn_strings *s, cn_slice text)
{
    size_t begin = s->text.len;
    cn_err err = cn_buf_append(&s->text, text);
    return err == CN_OK ? close_text(s, begin) : err;
}

cn_err cn_strings_printf(cn_strings *s, const char *format, ...)
{
    size_t begin = s->text.len;
    va_list args;
    va_start(args, format);
    cn_err err = cn_buf_vprintf(&s->text, format, args);
    va_end(args);
    return err == CN_OK ? close_text(s, begin) : err;
}

const char *cn_strings_get(const cn_strings *s, size_t i)
{
    return i < s->len ? (const char *)s->text.data + s->at[i] : NULL;
}

bool cn_strings_has(const cn_strings *s, cn_slice text)
{
    for (size_t i = 0; i < s->len; i++) {
        if (cn_slice_is(text, cn_strings_get(s, i))) {
            return true;
        }
    }
    return false;
}

static int by_bytes(const void *a, const void *b, void *ctx)
{
    const cn_strings *s = ctx;
    size_t left = 0;
    size_t right = 0;
    cn_copy(&left, a, sizeof left);
    cn_copy(&right, b, sizeof right);
    return strcmp((const char *)s->text.data + left, (const char *)s->text.data + right);
}

void cn_strings_sort(cn_strings *s)
{
    if (s->len > 1) {
        qsort_r(s->at, s->len, sizeof *s->at, by_bytes, s);
    }
}

void cn_strings_json(cn_json_writer *j, const cn_strings *s)
{
    if (s->len == 0 && s->null_if_none) {
        cn_json_null(j);
        return;
    }
    cn_json_list(j);
    for (size_t i = 0; i < s->len; i++) {
        cn_json_text(j, cn_strings_get(s, i));
    }
    cn_json_list_end(j);
}

static cn_err strings_json(cn_call *call, cn_buf *out, const void *value)
{
    const cn_strings *s = value;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_key(&j, s->key == NULL ? "Strings" : s->key);
    cn_strings_json(&j, s);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

static cn_err strings_text(cn_call *call, cn_buf *out, const void *value)
{
    const cn_strings *s = value;
    cn_err err = CN_OK;
    CN_UNUSED(call);
    for (size_t i = 0; err == CN_OK && i < s->len; i++) {
        err =
            cn_buf_printf(out, "%s%s\n", s->prefix == NULL ? "" : s->prefix, cn_strings_get(s, i));
    }
    return err;
}

const cn_output_type cn_strings_output = {"commands.stringList", strings_json, strings_text};
