/*
 * Open addressing over an array of entries. Invariant: each entry that is held has exactly one
 * slot; at most three quarters of the slots are not empty.
 */
#include "base/map.h"

enum { SLOTS_MIN = 16 };
static const uint32_t SLOT_REMOVED = UINT32_MAX;

struct cn_map_entry {
    uint64_t hash;
    size_t key_len;
    _Alignas(16) uint8_t bytes[]; /* the value, padded to 16, then the key */
};

static size_t padded(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

static cn_slice key_of(const cn_map *m, const cn_map_entry *e)
{
    return (cn_slice){e->bytes + padded(m->value_bytes), e->key_len};
}

/* FNV-1a over eight bytes at a time with a final mix; seeded. */
static uint64_t hash_of(const cn_map *m, cn_slice key)
{
    uint64_t h = m->seed ^ 0xcbf29ce484222325u ^ key.len;
    size_t i = 0;
    for (; i + 8 <= key.len; i += 8) {
        uint64_t word = 0;
        cn_copy(&word, key.data + i, 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
    }
    for (; i < key.len; i++) {
        h = (h ^ key.data[i]) * 0x100000001b3u;
    }
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9u;
    return h ^ h >> 32;
}

void cn_map_init(cn_map *m, cn_mem *mem, size_t value_bytes, size_t entries_max, uint64_t seed)
{
    CN_ASSERT(mem != NULL && entries_max < UINT32_MAX - 1);
    *m = (cn_map){.mem = mem, .value_bytes = value_bytes, .entries_max = entries_max, .seed = seed};
}

void cn_map_release(cn_map *m)
{
    if (m->mem == NULL) {
        return;
    }
    for (size_t i = 0; i < m->entries_len; i++) {
        cn_free(m->mem, m->entries[i]);
    }
    cn_free(m->mem, m->entries);
    cn_free(m->mem, m->slots);
    *m = (cn_map){
        .mem = m->mem,
        .value_bytes = m->value_bytes,
        .entries_max = m->entries_max,
        .seed = m->seed};
}

/* The slot that holds `key`, or SIZE_MAX. */
static size_t slot_of(const cn_map *m, cn_slice key, uint64_t hash)
{
    if (m->slots_len == 0) {
        return SIZE_MAX;
    }
    for (size_t i = hash & (m->slots_len - 1);; i = (i + 1) & (m->slots_len - 1)) {
        uint32_t slot = m->slots[i];
        if (slot == 0) {
            return SIZE_MAX;
        }
        if (slot != SLOT_REMOVED) {
            const cn_map_entry *e = m->entries[slot - 1];
            if (e->hash == hash && cn_slice_eq(key_of(m, e), key)) {
                return i;
            }
        }
    }
}

static void fill_slot(cn_map *m, uint64_t hash, size_t index)
{
    size_t i = hash & (m->slots_len - 1);
    while (m->slots[i] != 0) {
        i = (i + 1) & (m->slots_len - 1);
    }
    m->slots[i] = (uint32_t)index + 1;
    m->slots_used++;
}

/* Room for one more: drops the gaps and doubles the slots when they fill up. */
static cn_err make_room(cn_map *m)
{
    if (m->slots_len != 0 && (m->slots_used + 1) * 4 <= m->slots_len * 3) {
        return CN_OK;
    }
    size_t want = SLOTS_MIN;
    while (want < (m->len + 1) * 2) {
        want *= 2;
    }
    uint32_t *slots = cn_alloc_array(m->mem, want, sizeof *slots);
    if (slots == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_free(m->mem, m->slots);
    m->slots = slots;
    m->slots_len = want;
    m->slots_used = 0;
    size_t kept = 0;
    for (size_t i = 0; i < m->entries_len; i++) {
        if (m->entries[i] != NULL) {
            m->entries[kept] = m->entries[i];
            fill_slot(m, m->entries[kept]->hash, kept);
            kept++;
        }
    }
    m->entries_len = kept;
    return CN_OK;
}

void *cn_map_get(const cn_map *m, cn_slice key)
{
    size_t slot = slot_of(m, key, hash_of(m, key));
    return slot == SIZE_MAX ? NULL : m->entries[m->slots[slot] - 1]->bytes;
}

cn_err cn_map_put(cn_map *m, cn_slice key, void **ret_value, bool *ret_new)
{
    uint64_t hash = hash_of(m, key);
    size_t slot = slot_of(m, key, hash);
    if (slot != SIZE_MAX) {
        *ret_value = m->entries[m->slots[slot] - 1]->bytes;
        if (ret_new != NULL) {
            *ret_new = false;
        }
        return CN_OK;
    }
    if (m->len >= m->entries_max) {
        return CN_ERR_TOO_LARGE;
    }
    cn_map_entry *e = NULL;
    cn_err err = CN_OK;
    CN_TRY(make_room(m));
    CN_TRY(cn_array_grow(
        m->mem, (void **)&m->entries, &m->entries_cap, m->entries_len, UINT32_MAX - 1,
        sizeof(cn_map_entry *)));
    e = cn_alloc(m->mem, sizeof *e + padded(m->value_bytes) + key.len);
    if (e == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    e->hash = hash;
    e->key_len = key.len;
    cn_copy(e->bytes + padded(m->value_bytes), key.data, key.len);
    m->entries[m->entries_len] = e;
    fill_slot(m, hash, m->entries_len);
    m->entries_len++;
    m->len++;
    *ret_value = e->bytes;
    if (ret_new != NULL) {
        *ret_new = true;
    }
out:
    return err;
}

bool cn_map_remove(cn_map *m, cn_slice key)
{
    size_t slot = slot_of(m, key, hash_of(m, key));
    if (slot == SIZE_MAX) {
        return false;
    }
    size_t index = m->slots[slot] - 1;
    m->slots[slot] = SLOT_REMOVED;
    cn_free(m->mem, m->entries[index]);
    m->entries[index] = NULL;
    m->len--;
    return true;
}

bool cn_map_next(const cn_map *m, size_t *position, cn_slice *ret_key, void **ret_value)
{
    while (*position < m->entries_len) {
        cn_map_entry *e = m->entries[(*position)++];
        if (e != NULL) {
            *ret_key = key_of(m, e);
            *ret_value = e->bytes;
            return true;
        }
    }
    return false;
}
