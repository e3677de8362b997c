/*
 * Targets of HTTP requests: percent signs and query strings, read as Go's net/url reads them.
 * spec: RFC 3986; application/x-www-form-urlencoded
 */
#pragma once

#include "base/buf.h"

enum { CN_QUERY_PARAMS_MAX = 65536 };

/* "/a/b?x=y" into "/a/b" and "x=y". */
cn_slice cn_url_path(cn_slice target);
cn_slice cn_url_query(cn_slice target);

/*
 * Append `in` with %XX decoded; with `plus`, '+' is a space. Errors: MALFORMED (a '%' without two
 * hexadecimal digits), those of the buffer. Any byte may come out, NUL too.
 */
CN_MUST_USE cn_err cn_url_decode(cn_slice in, bool plus, cn_buf *out);

/* Append `in` as a URL's path: all but unreserved bytes and "$&+,/:;=@" as %XX, upper-case. */
CN_MUST_USE cn_err cn_url_encode_path(cn_slice in, cn_buf *out);
/* Append `in` as one segment of a path: all but unreserved bytes and "$&+:=@" as %XX. */
CN_MUST_USE cn_err cn_url_encode_segment(cn_slice in, cn_buf *out);
/* Append `in` as one component: all but unreserved bytes as %XX. */
CN_MUST_USE cn_err cn_url_encode_component(cn_slice in, cn_buf *out);

typedef struct cn_query_param {
    cn_slice name;
    cn_slice value; /* both decoded, with a NUL behind them */
} cn_query_param;

typedef struct cn_query {
    cn_query_param *params; /* in the order given */
    size_t len;
    cn_buf text;
    cn_mem *mem;
} cn_query;

/*
 * Read "a=b&c". Pairs that cannot be decoded, or hold a ';', are left out. Give back with
 * cn_query_release. Errors: TOO_LARGE (more than CN_QUERY_PARAMS_MAX), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_query_parse(cn_slice text, cn_mem *mem, cn_query *ret);
void cn_query_release(cn_query *q); /* accepts a zeroed one */
/* The first value of `name`, or NULL. */
const cn_slice *cn_query_get(const cn_query *q, const char *name);
