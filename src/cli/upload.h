/*
 * The body of a request to a daemon: files as multipart/form-data, as Kubo's client sends them, or
 * standard input as one part; cut into HTTP chunks. Pulled a piece at a time.
 */
#pragma once

#include "cli/cli.h"
#include "rt/source.h"

typedef struct cn_upload {
    cn_source *source; /* files; NULL: `input` is the one part */
    cn_input *input;
    const char *boundary;
    cn_buf path;  /* of the open folders, "a/b" */
    cn_buf piece; /* what cn_upload_next lent */
    uint8_t *data;
    bool in_file;
    bool ended;
    cn_mem *mem;
} cn_upload;

CN_MUST_USE cn_err cn_upload_init(cn_upload *u, cn_mem *mem, cn_source *source, cn_input *input);
void cn_upload_release(cn_upload *u);
/* The next piece, chunk framing included, lent until the next call; empty at the end. */
CN_MUST_USE cn_err cn_upload_next(cn_upload *u, cn_slice *ret, cn_why *why);
