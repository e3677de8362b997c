/*
 * What the files of `add` share.
 */
#pragma once

#include "cmd/command.h"
#include "unixfs/add.h"

extern const cn_output_type cn_add_output;
extern const cn_client_side cn_add_client;

/* One thing to be printed: something added (`event`), or how far a file is. */
typedef struct cn_add_line {
    const cn_add_event *event; /* NULL: progress */
    cn_slice progress_path;
    uint64_t progress_bytes;
} cn_add_line;

/*
 * Print one thing: a value over RPC, a line for people on the command line. Errors: those of
 * cn_call_emit.
 */
CN_MUST_USE cn_err cn_add_say(cn_call *call, const cn_add_line *line);
/* Once, after the last one; `result` is how the add ended, and is returned if it is an error. */
CN_MUST_USE cn_err cn_add_said(cn_call *call, cn_err result);

/*
 * How many bytes the files given on the command line hold; UINT64_MAX if that is not known before
 * they are read (folders, standard input).
 */
uint64_t cn_add_total(cn_call *call);
/* On the command line: progress is usual where standard error is a terminal. */
cn_err cn_add_prepare(cn_call *call);

/* Check the options against each other and settle the import. Errors are said. */
CN_MUST_USE cn_err cn_add_options(cn_call *call, cn_import_options *ret);
