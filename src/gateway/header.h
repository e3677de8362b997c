/*
 * Readers of request headers: ranges, lists of entity tags, what forms of content are accepted.
 * Bytes in, values out.
 * spec: RFC 9110
 */
#pragma once

#include "base/buf.h"

/*
 * The first of the ranges in "bytes=0-9,20-", as [*ret_from, *ret_to) of `size_bytes`; the others
 * are not served, as Kubo does it. Errors: NOT_FOUND (serve all: there is no range, or together
 * they ask for more than there is, or the content is empty), MALFORMED, TOO_LARGE (all begin behind
 * the end: 416).
 */
CN_MUST_USE cn_err
cn_range_parse(cn_slice header, uint64_t size_bytes, uint64_t *ret_from, uint64_t *ret_to);

/*
 * Does an If-None-Match list ("*", or tags with commas between) name `etag`? Compared weakly: "W/"
 * is ignored on both sides. Stops at the first tag that is not well formed.
 */
bool cn_etag_listed(cn_slice header, cn_slice etag);

typedef enum cn_form {
    CN_FORM_DEFAULT, /* what the content is: a file, a listing, a page */
    CN_FORM_RAW,
    CN_FORM_CAR,
    CN_FORM_TAR,
    CN_FORM_JSON,
    CN_FORM_CBOR,
    CN_FORM_DAG_JSON,
    CN_FORM_DAG_CBOR,
    CN_FORM_IPNS_RECORD,
} cn_form;

/* The value of ?format=; unknown ones are the default. */
cn_form cn_form_of_param(cn_slice value);
/* The first known media type of an Accept header, whatever its weight. */
cn_form cn_form_of_accept(cn_slice header);
/* "application/vnd.ipld.raw"; NULL for the default. */
const char *cn_form_media_type(cn_form form);
/* "raw": the value of ?format=; NULL for the default. */
const char *cn_form_name(cn_form form);
/* Does an Accept header name text/html? Then errors are pages. */
bool cn_accepts_html(cn_slice header);
