/*
 * Texts gathered for one answer: {"Strings":["a","b"]}, or a line for each.
 */
#pragma once

#include "cmd/command.h"
#include "codec/json_write.h"

typedef struct cn_strings {
    cn_mem *mem;
    cn_buf text; /* NUL behind each */
    size_t *at;  /* where each begins, in their order */
    size_t len;
    size_t cap;
    const char *key;    /* in JSON; NULL: "Strings" */
    const char *prefix; /* before each line of text; NULL: nothing */
    bool null_if_none;  /* null instead of [] */
} cn_strings;

void cn_strings_init(cn_strings *s, cn_mem *mem);
/* Accepts a zeroed one. */
void cn_strings_release(cn_strings *s);

/* Forget the texts. */
void cn_strings_reset(cn_strings *s);

/* Append a text without NULs. Errors: TOO_LARGE, NO_MEMORY. */
CN_MUST_USE cn_err cn_strings_add(cn_strings *s, cn_slice text);
CN_MUST_USE cn_err cn_strings_printf(cn_strings *s, const char *format, ...) CN_PRINTF(2, 3);
/* The i-th; NULL behind the last. Borrowed until the next is added. */
const char *cn_strings_get(const cn_strings *s, size_t i);
bool cn_strings_has(const cn_strings *s, cn_slice text);
/* By their bytes. */
void cn_strings_sort(cn_strings *s);
/* Append the list alone. */
void cn_strings_json(cn_json_writer *j, const cn_strings *s);

/* The value is a cn_strings. */
extern const cn_output_type cn_strings_output;
