/*
 * Multibase: text that begins with a character naming its base.
 * spec: multiformats/multibase
 */
#pragma once

#include "codec/base_n.h"

typedef struct cn_multibase {
    uint32_t code;      /* the prefix as a Unicode code point */
    const char *prefix; /* the same in UTF-8, `prefix_len` bytes (identity: one NUL) */
    size_t prefix_len;
    const char *name; /* "base32" */
    cn_base base;
    bool in_kubo; /* Kubo lists, reads and writes it; CIDs and commands take only these */
} cn_multibase;

/* All of them: first those of Kubo in the order it prints them, then the others. */
const cn_multibase *cn_multibase_list(size_t *ret_len);

/* By name ("base36"), or by prefix (one character); NULL if unknown. */
const cn_multibase *cn_multibase_by_name(cn_slice name);
const cn_multibase *cn_multibase_by_code(uint32_t code);

/*
 * What a user asked for by name or by the prefix itself, among Kubo's bases. Errors: UNSUPPORTED.
 */
CN_MUST_USE cn_err
cn_multibase_choose(cn_slice name_or_prefix, const cn_multibase **ret, cn_why *why);

/* The base that `text` begins with, or NULL. */
const cn_multibase *cn_multibase_of_text(cn_slice text);

/* Append prefix and text. Errors: those of the buffer. */
CN_MUST_USE cn_err cn_multibase_encode(const cn_multibase *m, cn_slice in, cn_buf *out);

/*
 * Append the bytes that `text` stands for; *ret_base (nullable) is its base. All bases are read,
 * Kubo's or not. Errors: UNSUPPORTED (unknown base), MALFORMED (also if empty), those of the
 * buffer. Nothing is appended on error.
 */
CN_MUST_USE cn_err
cn_multibase_decode(cn_slice text, cn_buf *out, const cn_multibase **ret_base, cn_why *why);
