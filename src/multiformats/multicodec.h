/*
 * The multicodec table: names of codes for codecs, hashes, keys and the rest.
 * spec: multiformats/multicodec 'table.csv'
 */
#pragma once

#include "base/slice.h"
#include "base/why.h"

typedef struct cn_multicodec {
    uint64_t code;
    const char *name;
    const char *tag; /* "ipld", "multihash", "key", ... */
} cn_multicodec;

/* The whole table, ordered by code. */
const cn_multicodec *cn_multicodec_list(size_t *ret_len);

/* By code or by name; NULL if unknown. */
const cn_multicodec *cn_multicodec_by_code(uint64_t code);
const cn_multicodec *cn_multicodec_by_name(cn_slice name);

/*
 * The code that a user named: a name of the table, or a number of it (or of the reserved range
 * 0x300000 to 0x3fffff) in any form Go reads: 113, 0x71, 0o161, 0b1110001. Errors: UNSUPPORTED.
 */
CN_MUST_USE cn_err cn_multicodec_choose(cn_slice text, uint64_t *ret, cn_why *why);

/* Does Kubo list this codec as supported: may blocks of it be put and got as DAG nodes? */
bool cn_multicodec_supported(uint64_t code);
