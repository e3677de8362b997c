/*
 * Memory: the only file that calls malloc is base/mem.c. Each root object (node, store, import)
 * is given a cn_mem, which counts the bytes held and may refuse beyond a limit. Safe from any
 * thread.
 */
#pragma once

#include "base/err.h"

#include <stdatomic.h>

typedef struct cn_mem {
    atomic_size_t used_bytes;
    atomic_size_t peak_bytes;
    size_t limit_bytes; /* 0: none */
    atomic_llong
        fail_after;   /* tests: the n-th allocation from now fails, counting from 1; 0: never */
    bool fail_repeat; /* tests: all later ones fail too */
} cn_mem;

/* A counter with a limit in bytes (0: none). */
void cn_mem_init(cn_mem *mem, size_t limit_bytes);

/* The process-wide memory without a limit, for what has no root object of its own. */
cn_mem *cn_mem_default(void);

/*
 * `size` zeroed bytes (0 gives a valid pointer), or NULL if the limit or the system refuses. Give
 * back with cn_free and the same `mem`. Overhead 16 bytes.
 */
void *cn_alloc(cn_mem *mem, size_t size) CN_MUST_USE;
/* Same, contents undefined: for large buffers that are about to be filled. */
void *cn_alloc_dirty(cn_mem *mem, size_t size) CN_MUST_USE;
/* `count` * `size` zeroed bytes; NULL also if the product overflows. */
void *cn_alloc_array(cn_mem *mem, size_t count, size_t size) CN_MUST_USE;

/* Resize as realloc does; new bytes are undefined; NULL leaves `p` as it was. `p` may be NULL. */
void *cn_realloc(cn_mem *mem, void *p, size_t size) CN_MUST_USE;

/* Accepts NULL. */
void cn_free(cn_mem *mem, void *p);

/* A NUL-terminated copy of `len` bytes at `text`; give back with cn_free. */
char *cn_strdup(cn_mem *mem, const char *text, size_t len) CN_MUST_USE;

/*
 * Make room for one more element in a growing array: `*p` points to `*cap` elements of
 * `element_size` bytes, `len` are used, `max` is the bound. Errors: TOO_LARGE, NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_array_grow(cn_mem *mem, void **p, size_t *cap, size_t len, size_t max, size_t element_size);

/* Bytes from one place to another that does not overlap; either may be NULL if `len` is 0. */
void cn_copy(void *to, const void *from, size_t len);
/* Bytes between places that may overlap. */
void cn_move(void *to, const void *from, size_t len);
/* Zero bytes, kept by the compiler: for secrets. */
void cn_wipe(void *p, size_t len);
