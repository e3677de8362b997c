/*
 * multipart/form-data, read as it arrives: part after part, each with a few headers and a body of
 * any length. Memory is bounded: one window of bytes.
 * spec: RFC 2046 5.1, RFC 7578
 */
#pragma once

#include "base/buf.h"
#include "cmd/call.h"

enum {
    CN_MULTIPART_BOUNDARY_MAX = 200,
    CN_MULTIPART_HEADERS_MAX = 64 << 10, /* of one part */
    CN_MULTIPART_WINDOW_BYTES = 256 << 10,
};

/* A part's headers; slices are borrowed until the next call of cn_multipart_next. */
typedef struct cn_part {
    cn_slice name;     /* of Content-Disposition, quotes and escapes undone */
    cn_slice filename; /* the same; empty if absent */
    bool has_filename;
    cn_slice content_type; /* without parameters */
    cn_slice abspath;      /* of Abspath-Encoded, as sent; empty if absent */
} cn_part;

typedef struct cn_multipart {
    cn_mem *mem;
    cn_input *in;
    uint8_t *window;
    size_t start; /* of what is not used yet */
    size_t len;
    bool input_ended;
    bool in_body;
    bool at_end;    /* the closing delimiter was read */
    cn_buf headers; /* of the current part, unfolded names and values */
    size_t delimiter_len;
    uint8_t delimiter[CN_MULTIPART_BOUNDARY_MAX + 4]; /* "\r\n--" and the boundary */
} cn_multipart;

/*
 * The boundary in a Content-Type header. Errors: MALFORMED (another type, none, given twice, too
 * long).
 */
CN_MUST_USE cn_err cn_multipart_boundary(cn_slice content_type, cn_slice *ret);

/*
 * Where a Content-Type header gives no boundary: the sentence that says why, if it is that of a
 * form all the same; NULL if it is of something else, and the request has no files.
 */
const char *cn_multipart_refusal(cn_slice content_type);

/* Read from `in`, which must outlive the reader. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_multipart_init(cn_multipart *m, cn_mem *mem, cn_input *in, cn_slice boundary);
void cn_multipart_release(cn_multipart *m); /* accepts a zeroed one */

/*
 * Go to the next part, skipping what is left of the current one; *ret_have is false behind the
 * last. Errors: MALFORMED, TRUNCATED (the input ends within), TOO_LARGE (headers), the input's.
 */
CN_MUST_USE cn_err cn_multipart_next(cn_multipart *m, cn_part *ret, bool *ret_have, cn_why *why);

/* Up to `len` bytes of the current part's body; fewer only at its end. Errors: as above. */
CN_MUST_USE cn_err
cn_multipart_read(cn_multipart *m, uint8_t *data, size_t len, size_t *ret_len, cn_why *why);
