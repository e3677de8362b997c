/*
 * An ordered JSON writer whose bytes equal those of Go's encoding/json, which Kubo's clients see:
 * its escapes, its numbers, its indentation. Keys come out in the order they are written.
 *
 * Errors are kept: after the first one the calls do nothing, and cn_json_finish returns it. So a
 * value is written in a row of calls and checked once.
 */
#pragma once

#include "base/buf.h"

enum { CN_JSON_DEPTH_MAX = 64 };

typedef struct cn_json_writer {
    cn_buf *out;
    const char *indent; /* as json.MarshalIndent with an empty prefix; NULL: compact */
    bool keep_html;     /* leave < > & as they are (Encoder.SetEscapeHTML(false)) */
    cn_err failed;
    unsigned depth;
    bool empty;     /* nothing stands in the innermost object or list yet */
    bool after_key; /* a key was written, its value is due */
} cn_json_writer;

/* Append one value to `out`. `indent` is NULL or e.g. "  ". */
void cn_json_init(cn_json_writer *j, cn_buf *out, const char *indent);
/* The first error: NO_MEMORY, TOO_LARGE (buffer), TOO_DEEP, USAGE (a number that is not finite). */
CN_MUST_USE cn_err cn_json_finish(const cn_json_writer *j);

void cn_json_object(cn_json_writer *j);
void cn_json_object_end(cn_json_writer *j);
void cn_json_list(cn_json_writer *j);
void cn_json_list_end(cn_json_writer *j);
void cn_json_key(cn_json_writer *j, const char *key);

/* Any bytes; what is not UTF-8 becomes \ufffd. */
void cn_json_string(cn_json_writer *j, cn_slice text);
void cn_json_text(cn_json_writer *j, const char *text);
void cn_json_int(cn_json_writer *j, int64_t value);
void cn_json_uint(cn_json_writer *j, uint64_t value);
void cn_json_float(cn_json_writer *j, double value);
void cn_json_bool(cn_json_writer *j, bool value);
void cn_json_null(cn_json_writer *j);
/* Bytes that are one JSON value already. */
void cn_json_raw(cn_json_writer *j, cn_slice json);

/* "key": value, in one call. */
void cn_json_put_text(cn_json_writer *j, const char *key, const char *text);
void cn_json_put_string(cn_json_writer *j, const char *key, cn_slice text);
void cn_json_put_int(cn_json_writer *j, const char *key, int64_t value);
void cn_json_put_uint(cn_json_writer *j, const char *key, uint64_t value);
void cn_json_put_bool(cn_json_writer *j, const char *key, bool value);
