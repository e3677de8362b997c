/*
 * Tables made from the one error list.
 */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct row {
    cn_err err;
    cn_err_class class;
    const char *name;
    const char *sentence;
} row;

static const row rows[] = {
#define CN_ERR_ROW(name, value, class, sentence) {name, class, #name, sentence},
    CN_ERR_LIST(CN_ERR_ROW)
#undef CN_ERR_ROW
};

/* Errors are numbered 0, -1, -2, ... without gaps, so the negated value is the row. */
static const row *row_of(cn_err err)
{
    static const row unknown = {CN_ERR_BUG, CN_CLASS_BUG, "unknown", "unknown error"};
    long index = -(long)err;
    return index >= 0 && index < (long)CN_LEN(rows) ? &rows[index] : &unknown;
}

const char *cn_err_name(cn_err err)
{
    return row_of(err)->name;
}

const char *cn_err_sentence(cn_err err)
{
    return row_of(err)->sentence;
}

cn_err_class cn_err_class_of(cn_err err)
{
    return row_of(err)->class;
}

CN_NORETURN void cn_assert_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "cairn: %s:%d: broken rule: %s\n", file, line, condition);
    abort();
}
