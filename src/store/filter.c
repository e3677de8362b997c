/*
 * Each key sets BITS_OF_KEY bits within one line of 64 bytes. Keys are digests for the most part,
 * but others are whole multihashes that begin alike, so all of a key is mixed.
 */
#include "store/filter.h"

enum {
    LINE_WORDS = 8,
    LINES = CN_FILTER_BYTES / (LINE_WORDS * 8),
    BITS_OF_KEY = 6,
    KEYS_PER_MISS = 16, /* reading so many keys costs about as much as one look-up in vain */
};

void cn_filter_drop(cn_mem *mem, _Atomic(uint64_t) *bits)
{
    union {
        _Atomic(uint64_t) *bits;
        void *memory;
    } held = {.bits = bits};
    cn_free(mem, held.memory);
}

void cn_filter_release(cn_filter *f, cn_mem *mem)
{
    cn_filter_drop(mem, atomic_exchange(&f->bits, NULL));
}

void cn_filter_note_miss(cn_filter *f)
{
    atomic_fetch_add_explicit(&f->misses, 1, memory_order_relaxed);
}

bool cn_filter_is_due(const cn_filter *f, uint64_t keys)
{
    uint64_t misses = atomic_load_explicit(&f->misses, memory_order_relaxed);
    return atomic_load(&f->bits) == NULL && keys <= CN_FILTER_KEYS_MAX &&
           misses >= CN_FILTER_MISSES_LEAST && misses >= keys / KEYS_PER_MISS;
}

cn_err cn_filter_prepare(cn_mem *mem, _Atomic(uint64_t) **ret_bits)
{
    _Atomic(uint64_t) *bits = cn_alloc_array(mem, CN_FILTER_BYTES / 8, sizeof *bits);
    if (bits == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *ret_bits = bits;
    return CN_OK;
}

void cn_filter_use(cn_filter *f, _Atomic(uint64_t) *bits)
{
    atomic_store(&f->bits, bits);
}

static uint64_t mix(cn_slice key)
{
    uint64_t h = key.len;
    for (size_t i = 0; i < key.len; i += 8) {
        uint64_t word = 0;
        cn_copy(&word, key.data + i, CN_MIN(key.len - i, (size_t)8));
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h;
}

/* The line of a key, and the bits in it: nine of `turns` for each. */
static size_t line_of(uint64_t hash)
{
    return (size_t)(hash % LINES) * LINE_WORDS;
}

static uint64_t turns_of(uint64_t hash)
{
    return (hash ^ hash >> 32) * 0xd6e8feb86659fd93u >> 8;
}

void cn_filter_add_to(_Atomic(uint64_t) *bits, cn_slice key)
{
    uint64_t hash = mix(key);
    uint64_t turns = turns_of(hash);
    _Atomic(uint64_t) *line = bits + line_of(hash);
    for (int i = 0; i < BITS_OF_KEY; i++, turns >>= 9) {
        atomic_fetch_or_explicit(
            &line[turns / 64 % LINE_WORDS], (uint64_t)1 << turns % 64, memory_order_relaxed);
    }
}

void cn_filter_add(cn_filter *f, cn_slice key)
{
    _Atomic(uint64_t) *bits = atomic_load(&f->bits);
    if (bits != NULL) {
        cn_filter_add_to(bits, key);
    }
}

bool cn_filter_lacks(const cn_filter *f, cn_slice key)
{
    const _Atomic(uint64_t) *bits = atomic_load(&f->bits);
    if (bits == NULL) {
        return false;
    }
    uint64_t hash = mix(key);
    uint64_t turns = turns_of(hash);
    const _Atomic(uint64_t) *line = bits + line_of(hash);
    for (int i = 0; i < BITS_OF_KEY; i++, turns >>= 9) {
        uint64_t word = atomic_load_explicit(&line[turns / 64 % LINE_WORDS], memory_order_relaxed);
        if ((word >> turns % 64 & 1) == 0) {
            return true;
        }
    }
    return false;
}
