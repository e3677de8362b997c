/*
 * multistream-select: how two ends agree on a protocol by name, a core without I/O. The same for
 * the security of a connection, its muxer, and each stream.
 *
 * The opener says the header and its first choice in one flight; with exactly one choice it may go
 * on with its own bytes at once (is_lazy) and read the answers when they come. A responder answers
 * each name asked for with the same name or `na`.
 * spec: multiformats/multistream-select
 */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/why.h"

enum {
    CN_MULTISTREAM_NAME_MAX_BYTES = 1024, /* with its newline */
    CN_MULTISTREAM_ASKED_MAX = 32,        /* names one responder lets pass before it gives up */
};

/* Says whether a name asked for is spoken: its lasting copy, or NULL. */
typedef const char *(*cn_multistream_match)(void *ctx, cn_slice name);

typedef struct cn_multistream {
    const char *const *names; /* opener: choices, best first; borrowed */
    size_t names_len;
    size_t asked;               /* opener: index of the choice asked for; responder: names seen */
    cn_multistream_match match; /* responder */
    void *ctx;
    cn_buf held;        /* a token that has not arrived whole */
    const char *chosen; /* set when is_done */
    bool is_opener;
    bool has_header; /* the other side's has come */
    bool is_done;
} cn_multistream;

/* An opener of `names_len` (1 or more) choices; appends its first flight to `out`. */
CN_MUST_USE cn_err cn_multistream_open(
    cn_multistream *m, cn_mem *mem, const char *const *names, size_t names_len, cn_buf *out);
/* A responder; says its header with the first answer. */
void cn_multistream_answer(cn_multistream *m, cn_mem *mem, cn_multistream_match match, void *ctx);
/* Accepts a zeroed one. */
void cn_multistream_release(cn_multistream *m);

/*
 * Take bytes off the front of `*in` until the names are agreed on (m->is_done, m->chosen; what is
 * left in `*in` belongs to the protocol) or all are used. Answers are appended to `out`.
 * Errors: UNSUPPORTED (opener: every choice was refused; why lists them), MALFORMED (not
 * multistream, an answer that was not asked for), TOO_LARGE (a name, or too many), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_multistream_take(cn_multistream *m, cn_slice *in, cn_buf *out, cn_why *why);
