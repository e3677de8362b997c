/*
 * An upload as a source of files: the parts of a multipart body, whose names are paths, as a walk
 * over folders and files. Folders that were not announced appear by themselves.
 */
#pragma once

#include "rpc/multipart.h"
#include "rt/source.h"

enum { CN_INTAKE_DEPTH_MAX = 1024, CN_INTAKE_PATH_MAX = 32 << 10 };

typedef struct cn_intake {
    cn_source source;
    cn_multipart parts;
    cn_part part;
    bool has_part; /* read and not yet given */
    bool in_file;
    bool ended;
    bool in_root;  /* within a folder without a name, until the end */
    cn_buf open;   /* the path of the folder that is open, "a/b" */
    cn_buf path;   /* of the part, cleaned, with a NUL behind */
    cn_buf target; /* of a symlink */
    cn_buf shown;  /* path of what was given last */
} cn_intake;

/* Errors: MALFORMED (no multipart type), NO_MEMORY. `in` must outlive it. */
CN_MUST_USE cn_err cn_intake_init(cn_intake *u, cn_mem *mem, cn_input *in, cn_slice content_type);
void cn_intake_release(cn_intake *u); /* accepts a zeroed one */
