/*
 * Open addressing over a list of entries that lie in pieces of memory: length, key, place. Sorting
 * makes the index's inserts cheap and its pages full. Keys are digests, so their bytes are the
 * hash.
 */
#include "store/pending.h"

#include <stdlib.h>

_Static_assert(
    (int)CN_SEGMENT_RECORDS_MAX <= (int)CN_PENDING_MAX, "a segment's blocks fit into one");

enum { PIECE_BYTES = 1 << 16, SLOTS_MIN = 64 };

void cn_pending_init(cn_pending *p, cn_mem *mem)
{
    *p = (cn_pending){.mem = mem};
}

void cn_pending_release(cn_pending *p)
{
    for (size_t i = 0; i < p->pieces_len; i++) {
        cn_free(p->mem, p->pieces[i]);
    }
    cn_free(p->mem, p->pieces);
    cn_free(p->mem, p->slots);
    cn_free(p->mem, p->refs);
    *p = (cn_pending){.mem = p->mem};
}

static uint8_t *entry_at(const cn_pending *p, size_t i)
{
    return p->pieces[p->refs[i] >> 16] + (p->refs[i] & 0xffff);
}

/* Digests may be chosen by others, so mix; a chosen collision costs time, bounded by the group. */
static size_t hash_of(cn_slice key)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ key.len;
    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ key.data[i]) * 0x100000001b3u;
    }
    return (size_t)(h ^ h >> 32);
}

/* The slot that holds `key`, or the empty one where it belongs. */
static size_t slot_of(const cn_pending *p, cn_slice key)
{
    size_t at = hash_of(key) & (p->slots_len - 1);
    while (p->slots[at] != 0) {
        const uint8_t *e = entry_at(p, p->slots[at] - 1);
        if (cn_slice_eq(key, (cn_slice){e + 1, e[0]})) {
            break;
        }
        at = (at + 1) & (p->slots_len - 1);
    }
    return at;
}

static cn_slice key_at(const cn_pending *p, size_t i)
{
    const uint8_t *e = entry_at(p, i);
    return (cn_slice){e + 1, e[0]};
}

static cn_err rehash(cn_pending *p, size_t slots_len)
{
    uint32_t *slots = cn_alloc_array(p->mem, slots_len, sizeof *slots);
    if (slots == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_free(p->mem, p->slots);
    p->slots = slots;
    p->slots_len = slots_len;
    for (size_t i = 0; i < p->len; i++) {
        slots[slot_of(p, key_at(p, i))] = (uint32_t)(i + 1);
    }
    return CN_OK;
}

static cn_err make_room(cn_pending *p, size_t bytes)
{
    cn_err err = CN_OK;
    CN_TRY(cn_array_grow(
        p->mem, (void **)&p->refs, &p->refs_cap, p->len, CN_PENDING_MAX, sizeof *p->refs));
    if (4 * (p->len + 1) > 3 * p->slots_len) {
        CN_TRY(rehash(p, CN_MAX(p->slots_len * 2, (size_t)SLOTS_MIN)));
    }
    if (p->pieces_len == 0 || bytes > PIECE_BYTES - p->piece_used) {
        CN_TRY(cn_array_grow(
            p->mem, (void **)&p->pieces, &p->pieces_cap, p->pieces_len, 1 << 16,
            sizeof *p->pieces));
        uint8_t *piece = cn_alloc_dirty(p->mem, PIECE_BYTES);
        if (piece == NULL) {
            return CN_ERR_NO_MEMORY;
        }
        p->pieces[p->pieces_len++] = piece;
        p->piece_used = 0;
    }
out:
    return err;
}

cn_err cn_pending_add(cn_pending *p, cn_slice key, const cn_place *place)
{
    size_t bytes = 1 + key.len + CN_PLACE_BYTES;
    cn_err err = make_room(p, bytes);
    if (err != CN_OK) {
        return err;
    }
    size_t slot = slot_of(p, key);
    CN_ASSERT(p->slots[slot] == 0);
    uint8_t *e = p->pieces[p->pieces_len - 1] + p->piece_used;
    e[0] = (uint8_t)key.len;
    cn_copy(e + 1, key.data, key.len);
    cn_place_encode(place, e + 1 + key.len);
    p->refs[p->len++] = (uint32_t)(p->pieces_len - 1) << 16 | (uint32_t)p->piece_used;
    p->piece_used += bytes;
    p->slots[slot] = (uint32_t)p->len;
    return CN_OK;
}

static void place_at(const cn_pending *p, size_t i, cn_place *ret)
{
    const uint8_t *e = entry_at(p, i);
    cn_err err = cn_place_decode((cn_slice){e + 1 + e[0], CN_PLACE_BYTES}, ret);
    CN_ASSERT(err == CN_OK);
}

bool cn_pending_get(const cn_pending *p, cn_slice key, cn_place *ret)
{
    if (p->len == 0) {
        return false;
    }
    size_t slot = slot_of(p, key);
    if (p->slots[slot] == 0) {
        return false;
    }
    place_at(p, p->slots[slot] - 1, ret);
    return true;
}

void cn_pending_move(cn_pending *p, cn_slice key, const cn_place *place)
{
    uint32_t number = p->slots[slot_of(p, key)];
    CN_ASSERT(number != 0);
    cn_place_encode(place, entry_at(p, number - 1) + 1 + key.len);
}

/* Take a slot out and close the gap, so that searches still end at the first empty one. */
static void empty_slot(cn_pending *p, size_t slot)
{
    size_t mask = p->slots_len - 1;
    p->slots[slot] = 0;
    for (size_t at = (slot + 1) & mask; p->slots[at] != 0; at = (at + 1) & mask) {
        uint32_t number = p->slots[at];
        p->slots[at] = 0;
        p->slots[slot_of(p, key_at(p, number - 1))] = number;
    }
}

void cn_pending_cut(cn_pending *p, size_t len)
{
    while (p->len > len) {
        empty_slot(p, slot_of(p, key_at(p, p->len - 1)));
        p->len--;
    }
}

void cn_pending_at(const cn_pending *p, size_t i, cn_slice *ret_key, cn_place *ret)
{
    *ret_key = key_at(p, i);
    place_at(p, i, ret);
}

static int by_key(const void *a, const void *b, void *ctx)
{
    const cn_pending *p = ctx;
    return cn_slice_cmp(key_at(p, *(const uint32_t *)a), key_at(p, *(const uint32_t *)b));
}

cn_err cn_pending_sort(const cn_pending *p, uint32_t **ret)
{
    uint32_t *order = cn_alloc_array(p->mem, p->len + 1, sizeof *order);
    union {
        const cn_pending *in;
        void *out;
    } ctx = {.in = p};
    if (order == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < p->len; i++) {
        order[i] = (uint32_t)i;
    }
    qsort_r(order, p->len, sizeof *order, by_key, ctx.out);
    *ret = order;
    return CN_OK;
}
