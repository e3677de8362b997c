/*
 * cn_filter: says of most keys that are not in the index that they surely are not, without reading
 * it (a Bloom filter in blocks of one cache line). A long run of new blocks would else look up each
 * of them in an index that is larger than what this process may keep mapped.
 *
 * It is not kept on the disk: it is filled from the index once so many keys were looked for in vain
 * that it pays (cn_filter_is_due). One thread adds, any may ask.
 */
#pragma once

#include "base/mem.h"
#include "base/slice.h"

#include <stdatomic.h>

enum {
    CN_FILTER_BYTES = 8 << 20,
    CN_FILTER_MISSES_LEAST = 1 << 15, /* fewer keys in vain do not pay for one */
    CN_FILTER_KEYS_MAX = 16 << 20,    /* more keys, and it would say "perhaps" too often */
};

typedef struct cn_filter {
    atomic_uint_least64_t misses;      /* keys looked for in vain while there was none */
    _Atomic(_Atomic(uint64_t) *) bits; /* NULL: nothing is known */
} cn_filter;

void cn_filter_release(cn_filter *f, cn_mem *mem);

/* A key was looked for and not found. */
void cn_filter_note_miss(cn_filter *f);
/* Would filling it pay now, with so many keys in the index? */
bool cn_filter_is_due(const cn_filter *f, uint64_t keys);

/*
 * Memory for a filter, to be filled by cn_filter_add with every key there is, then put to use by
 * cn_filter_use. Errors: NO_MEMORY.
 */
CN_MUST_USE cn_err cn_filter_prepare(cn_mem *mem, _Atomic(uint64_t) **ret_bits);
void cn_filter_add_to(_Atomic(uint64_t) *bits, cn_slice key);
void cn_filter_drop(cn_mem *mem, _Atomic(uint64_t) *bits); /* instead of using it; NULL is fine */
void cn_filter_use(cn_filter *f, _Atomic(uint64_t) *bits);

/* A key comes to the index: to be called before it can be found there. */
void cn_filter_add(cn_filter *f, cn_slice key);

/* Surely not in the index? False where that is not known. */
bool cn_filter_lacks(const cn_filter *f, cn_slice key);
