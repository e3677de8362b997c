/*
 * cn_map: bytes to bytes of one fixed size, in memory. Keys are copied; values are copied in and
 * lent out. Iterates in the order of insertion (removed ones leave gaps), so runs are repeatable.
 * Not safe from two threads at once.
 */
#pragma once

#include "base/mem.h"
#include "base/slice.h"

typedef struct cn_map_entry cn_map_entry;

typedef struct cn_map {
    cn_mem *mem;
    size_t value_bytes;
    size_t entries_max;
    size_t len;             /* entries held */
    cn_map_entry **entries; /* in order of insertion, NULL where one was removed */
    size_t entries_len;
    size_t entries_cap;
    uint32_t *slots; /* 1 + index into entries; 0 empty, UINT32_MAX removed */
    size_t slots_len;
    size_t slots_used; /* slots that are not empty, removed ones included */
    uint64_t seed;
} cn_map;

/*
 * A map of values of `value_bytes` (0: a set) with at most `entries_max` entries. `seed` makes the
 * hash unpredictable where keys come from outside; 0 elsewhere. Takes no memory yet.
 */
void cn_map_init(cn_map *m, cn_mem *mem, size_t value_bytes, size_t entries_max, uint64_t seed);
void cn_map_release(cn_map *m);

/* The value of `key`, to read or write in place, or NULL. Stays until the entry is removed. */
void *cn_map_get(const cn_map *m, cn_slice key);

/*
 * The value of `key`, made zeroed if it was not there. `ret_new` (nullable) says which.
 * Errors: TOO_LARGE (entries_max), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_map_put(cn_map *m, cn_slice key, void **ret_value, bool *ret_new);

/* Remove `key`; says whether it was there. */
bool cn_map_remove(cn_map *m, cn_slice key);

/*
 * Step through the entries: start with *position 0; false when there are no more. Removing the
 * entry just given is allowed while stepping; adding is not.
 */
bool cn_map_next(const cn_map *m, size_t *position, cn_slice *ret_key, void **ret_value);
