/*
 * Counted memory. Each piece has a header with its size before it, so that giving back needs no
 * size. Invariant: used_bytes is the sum of the sizes of all pieces that are held.
 */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

typedef struct header {
    _Alignas(16) size_t size;
} header;

void cn_mem_init(cn_mem *mem, size_t limit_bytes)
{
    atomic_init(&mem->used_bytes, 0);
    atomic_init(&mem->peak_bytes, 0);
    atomic_init(&mem->fail_after, 0);
    mem->limit_bytes = limit_bytes;
    mem->fail_repeat = false;
}

cn_mem *cn_mem_default(void)
{
    static cn_mem mem;
    return &mem;
}

/* Is this the allocation that a test wants to see fail? */
static bool must_fail(cn_mem *mem)
{
    if (atomic_load_explicit(&mem->fail_after, memory_order_relaxed) == 0) {
        return false;
    }
    long long left = atomic_fetch_sub(&mem->fail_after, 1);
    if (left == 1) {
        atomic_store(&mem->fail_after, mem->fail_repeat ? 1 : 0);
        return true;
    }
    return false;
}

/* Count `size` more bytes, or refuse. */
static bool charge(cn_mem *mem, size_t size)
{
    size_t used = atomic_fetch_add_explicit(&mem->used_bytes, size, memory_order_relaxed) + size;
    if (mem->limit_bytes != 0 && used > mem->limit_bytes) {
        atomic_fetch_sub_explicit(&mem->used_bytes, size, memory_order_relaxed);
        return false;
    }
    size_t peak = atomic_load_explicit(&mem->peak_bytes, memory_order_relaxed);
    while (used > peak &&
           !atomic_compare_exchange_weak_explicit(
               &mem->peak_bytes, &peak, used, memory_order_relaxed, memory_order_relaxed)) {
    }
    return true;
}

static void refund(cn_mem *mem, size_t size)
{
    atomic_fetch_sub_explicit(&mem->used_bytes, size, memory_order_relaxed);
}

static void *take(cn_mem *mem, size_t size, bool zeroed)
{
    if (size > SIZE_MAX - sizeof(header) || must_fail(mem) || !charge(mem, size)) {
        return NULL;
    }
    header *h = zeroed ? calloc(1, sizeof(header) + size) : malloc(sizeof(header) + size);
    if (h == NULL) {
        refund(mem, size);
        return NULL;
    }
    h->size = size;
    return h + 1;
}

void *cn_alloc(cn_mem *mem, size_t size)
{
    return take(mem, size, true);
}

void *cn_alloc_dirty(cn_mem *mem, size_t size)
{
    return take(mem, size, false);
}

void *cn_alloc_array(cn_mem *mem, size_t count, size_t size)
{
    size_t total = 0;
    return __builtin_mul_overflow(count, size, &total) ? NULL : take(mem, total, true);
}

void *cn_realloc(cn_mem *mem, void *p, size_t size)
{
    if (p == NULL) {
        return take(mem, size, false);
    }
    header *h = (header *)p - 1;
    size_t old = h->size;
    if (size > SIZE_MAX - sizeof(header) || must_fail(mem) || !charge(mem, size)) {
        return NULL;
    }
    header *moved = realloc(h, sizeof(header) + size);
    if (moved == NULL) {
        refund(mem, size);
        return NULL;
    }
    refund(mem, old);
    moved->size = size;
    return moved + 1;
}

void cn_free(cn_mem *mem, void *p)
{
    if (p != NULL) {
        header *h = (header *)p - 1;
        refund(mem, h->size);
        free(h);
    }
}

char *cn_strdup(cn_mem *mem, const char *text, size_t len)
{
    if (len == SIZE_MAX) {
        return NULL;
    }
    char *copy = take(mem, len + 1, false);
    if (copy != NULL) {
        cn_copy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

cn_err
cn_array_grow(cn_mem *mem, void **p, size_t *cap, size_t len, size_t max, size_t element_size)
{
    if (len < *cap) {
        return CN_OK;
    }
    if (len >= max) {
        return CN_ERR_TOO_LARGE;
    }
    size_t want = *cap == 0 ? 8 : *cap + *cap / 2;
    want = CN_MIN(want, max);
    size_t bytes = 0;
    if (__builtin_mul_overflow(want, element_size, &bytes)) {
        return CN_ERR_TOO_LARGE;
    }
    void *moved = cn_realloc(mem, *p, bytes);
    if (moved == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *p = moved;
    *cap = want;
    return CN_OK;
}

void cn_copy(void *to, const void *from, size_t len)
{
    if (len > 0) {
        memcpy(to, from, len);
    }
}

void cn_move(void *to, const void *from, size_t len)
{
    if (len > 0) {
        memmove(to, from, len);
    }
}

void cn_wipe(void *p, size_t len)
{
    if (len > 0) {
        memset(p, 0, len);
        __asm__ volatile("" : : "r"(p) : "memory");
    }
}
