/*
 * cn_keys: the keys of all maps in a block, to find one that a map has twice. A key is kept as
 * where it lies, so memory is 12 bytes a key, and time that of a sort, whatever a block holds.
 */
#pragma once

#include "base/mem.h"
#include "base/slice.h"

typedef struct cn_key_at {
    uint32_t map; /* any number that the other maps do not have */
    uint32_t at;  /* where in the block */
    uint32_t len;
} cn_key_at;

/* Order of two keys as they lie in the block; 0 if they say the same. */
typedef int (*cn_keys_order)(cn_slice a, cn_slice b);

typedef struct cn_keys {
    cn_mem *mem;
    cn_slice block;
    cn_keys_order order;
    cn_key_at *list;
    size_t len;
    size_t cap;
} cn_keys;

/* None yet, and no memory taken; `block` is borrowed until release. */
void cn_keys_init(cn_keys *k, cn_mem *mem, cn_slice block, cn_keys_order order);
void cn_keys_release(cn_keys *k);

/* Note a key, which lies in the block, of the map `map`. Errors: TOO_LARGE (beyond 4 GiB),
 * NO_MEMORY. */
CN_MUST_USE cn_err cn_keys_add(cn_keys *k, uint32_t map, cn_slice key);

/* Is there a key that one map has twice? It is *ret_key then. Sorts what was noted. */
bool cn_keys_repeated(cn_keys *k, cn_slice *ret_key);
