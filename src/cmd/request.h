/*
 * A request: which command, with which arguments and options, as read from a command line or from
 * an RPC query. It does no I/O; files are names here.
 */
#pragma once

#include "cmd/command.h"
#include "cmd/value.h"

enum {
    CN_REQUEST_ARGS_MAX = 1 << 20,
    CN_REQUEST_OPTIONS_MAX = 10000,
};

typedef struct cn_given {
    const cn_opt *opt;
    bool by_alias; /* typed as --alias: counted apart, as Kubo does */
    char *text;    /* the value as typed, NUL-terminated */
    cn_value value;
} cn_given;

typedef struct cn_texts {
    cn_slice *items; /* each NUL-terminated */
    size_t len;
    size_t cap;
} cn_texts;

typedef struct cn_request {
    cn_mem *mem;
    const cn_command *command; /* NULL until it is known */
    cn_texts args;
    cn_texts files;  /* names given for file arguments */
    bool stdin_args; /* the last argument comes from standard input or the body, line by line */
    bool stdin_file; /* the file comes from standard input */
    cn_given *options;
    size_t options_len;
    size_t options_cap;
} cn_request;

void cn_request_init(cn_request *r, cn_mem *mem);
/* Accepts a zeroed one. */
void cn_request_release(cn_request *r);

/* Append a copy. Errors: NO_MEMORY, TOO_LARGE. */
CN_MUST_USE cn_err cn_request_add_arg(cn_request *r, cn_texts *to, cn_slice text);
/* Keep a value of `opt`; the text is copied. A later one of the same option does not replace. */
CN_MUST_USE cn_err cn_request_add_option(
    cn_request *r, const cn_opt *opt, bool by_alias, const char *text, cn_value v);
/* The value given for the option of this first name, or NULL. */
const cn_given *cn_request_option(const cn_request *r, const char *name);

/* The option of this name or alias, among those of the command, its groups and the root; or NULL.
 */
const cn_opt *cn_command_option(const cn_command *command, cn_slice name);

/*
 * Read a command line without its first word. Finds the command, its options and its positional
 * words (left in r->args until cn_request_bind). Errors: USAGE with Kubo's sentence, and then
 * r->command stays NULL (no help is due); NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_request_from_words(cn_request *r, const char *const *words, size_t words_len, cn_why *why);

/*
 * Give the positional words to the command's arguments; those of file arguments move to r->files.
 * Errors: USAGE ("expected 0 argument(s), got 1", `argument "key" is required`).
 */
CN_MUST_USE cn_err cn_request_bind(cn_request *r, cn_why *why);

/*
 * Read an RPC request: `path` is what stands in the URL behind "/api/v0/", decoded;
 * `query` what stands behind "?", as sent.
 * `has_files`: a multipart body came with it.
 * Errors: NOT_FOUND (404), USAGE (400, with the sentence), NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_request_from_query(cn_request *r, cn_slice path, cn_slice query, bool has_files, cn_why *why);

/* The other way: append "pin/ls?arg=..&type=.." for a request that a daemon shall run. */
CN_MUST_USE cn_err cn_request_to_query(const cn_request *r, cn_encoding encoding, cn_buf *out);
