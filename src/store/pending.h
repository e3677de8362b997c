/*
 * cn_pending: blocks written to a segment that the index does not have yet. Key to place, compact:
 * about 60 bytes a block. Not safe from two threads at once.
 */
#pragma once

#include "store/place.h"

enum { CN_PENDING_MAX = 1 << 17 };

typedef struct cn_pending_entry cn_pending_entry;

typedef struct cn_pending {
    cn_mem *mem;
    uint8_t **pieces; /* of PIECE_BYTES each; entries never move */
    size_t pieces_len, pieces_cap;
    size_t piece_used; /* of the last piece */
    uint32_t *slots;   /* 1 + number of the entry's place in `refs`; 0: empty */
    size_t slots_len;
    uint32_t *refs; /* where each entry begins: piece << 16 | offset in it */
    size_t len, refs_cap;
} cn_pending;

void cn_pending_init(cn_pending *p, cn_mem *mem);
void cn_pending_release(cn_pending *p);

/* Errors: TOO_LARGE (CN_PENDING_MAX entries), NO_MEMORY; `key` must not be there. */
CN_MUST_USE cn_err cn_pending_add(cn_pending *p, cn_slice key, const cn_place *place);
bool cn_pending_get(const cn_pending *p, cn_slice key, cn_place *ret);
/* Give the key another place; it must be there. */
void cn_pending_move(cn_pending *p, cn_slice key, const cn_place *place);
/* Drop the entries added last, down to `len`. */
void cn_pending_cut(cn_pending *p, size_t len);
/* Entry number `i` of p->len, in the order in which they were added; the key is borrowed. */
void cn_pending_at(const cn_pending *p, size_t i, cn_slice *ret_key, cn_place *ret);
/* The numbers of all entries in the order of their keys, p->len of them. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_pending_sort(const cn_pending *p, uint32_t **ret);
