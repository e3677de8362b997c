/*
 * cn_id and cn_slots: how streams, connections, dials and queries are named across time. An id is
 * an index and a generation; once its slot is given back the id finds nothing any more, so that
 * what arrives late meets nobody instead of a stranger.
 */
#pragma once

#include "base/mem.h"

typedef struct cn_id {
    uint32_t index;
    uint32_t generation; /* 0: names nothing */
} cn_id;

#define CN_ID_NONE ((cn_id){0, 0})

static inline bool cn_id_eq(cn_id a, cn_id b)
{
    return a.index == b.index && a.generation == b.generation;
}

static inline bool cn_id_is_none(cn_id a)
{
    return a.generation == 0;
}

typedef struct cn_slot {
    void *object;        /* NULL: free */
    uint32_t generation; /* of the object held, or of the next one */
    uint32_t next_free;  /* index + 1; 0: the last */
} cn_slot;

typedef struct cn_slots {
    cn_mem *mem;
    cn_slot *slots;
    size_t slots_cap;
    size_t slots_len; /* ever used */
    size_t slots_max;
    uint32_t first_free; /* index + 1; 0: none */
    size_t len;          /* objects held */
} cn_slots;

/* A table of at most `slots_max` (below 2^32 - 1) objects. Takes no memory yet. */
void cn_slots_init(cn_slots *s, cn_mem *mem, size_t slots_max);
/* The objects are the caller's. Accepts a zeroed table. */
void cn_slots_release(cn_slots *s);

/* Name `object` (not NULL; borrowed until removed). Errors: TOO_LARGE (slots_max), NO_MEMORY. */
CN_MUST_USE cn_err cn_slots_add(cn_slots *s, void *object, cn_id *ret);
/* What `id` names, or NULL. */
void *cn_slots_get(const cn_slots *s, cn_id id);
/* Forget `id`; returns what it named, or NULL. */
void *cn_slots_remove(cn_slots *s, cn_id id);
/*
 * Step through the objects in the order of their slots: start with *position 0; NULL when there
 * are no more. Removing and adding while stepping are allowed; one added may or may not be met.
 */
void *cn_slots_next(const cn_slots *s, size_t *position, cn_id *ret_id);
