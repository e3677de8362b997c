/*
 * Ignore rules: which names a walk leaves out. The syntax is .gitignore's as Kubo reads it: rules
 * are held against the bare name of an entry, so a rule that needs a folder before or behind the
 * name never matches. The last rule that matches decides; '!' takes back.
 */
#pragma once

#include "base/buf.h"

typedef struct cn_ignore_rule cn_ignore_rule;

typedef struct cn_ignore {
    cn_mem *mem;
    cn_ignore_rule *rules;
    size_t rules_len;
    size_t rules_cap;
    cn_buf text; /* patterns, one behind the other */
} cn_ignore;

/* No rules. Takes no memory yet. */
void cn_ignore_init(cn_ignore *g, cn_mem *mem);
void cn_ignore_release(cn_ignore *g);

/*
 * Add the rule of one line, or of each line of a file. Empty lines, comments (#) and patterns that
 * make no sense are skipped. Errors: TOO_LARGE (65536 rules, 16 MiB), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_ignore_add(cn_ignore *g, cn_slice line);
CN_MUST_USE cn_err cn_ignore_add_lines(cn_ignore *g, cn_slice text);

/* Is an entry of this name left out? Cost: rules times length of the name, stars squared. */
bool cn_ignore_matches(const cn_ignore *g, cn_slice name);
