/*
 * Bounded sentences beside errors; never fails, takes no memory.
 */
#include "base/why.h"

#include <stdarg.h>
#include <stdio.h>

cn_err cn_why_set(cn_why *why, cn_err err, const char *format, ...)
{
    if (why != NULL) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(why->text, sizeof why->text, format, args);
        va_end(args);
    }
    return err;
}

cn_err cn_why_wrap(cn_why *why, cn_err err, const char *format, ...)
{
    if (why != NULL) {
        char prefix[CN_WHY_BYTES / 2];
        va_list args;
        va_start(args, format);
        (void)vsnprintf(prefix, sizeof prefix, format, args);
        va_end(args);
        cn_why inner = *why;
        const char *rest = cn_why_text(&inner, err);
        (void)snprintf(why->text, sizeof why->text, "%s%.*s", prefix, CN_WHY_BYTES / 2, rest);
    }
    return err;
}

const char *cn_why_text(const cn_why *why, cn_err err)
{
    return why != NULL && why->text[0] != '\0' ? why->text : cn_err_sentence(err);
}
