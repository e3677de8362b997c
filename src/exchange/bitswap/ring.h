/*
 * cn_ring: a list whose nodes lie in the structs they link. A ring of nodes around a head; a node
 * alone points to itself.
 */
#pragma once

#include "base/macros.h"

typedef struct cn_ring {
    struct cn_ring *prev;
    struct cn_ring *next;
} cn_ring;

static inline void cn_ring_init(cn_ring *r)
{
    r->prev = r->next = r;
}

static inline bool cn_ring_is_empty(const cn_ring *r)
{
    return r->next == r;
}

static inline void cn_ring_remove(cn_ring *r)
{
    r->prev->next = r->next;
    r->next->prev = r->prev;
    cn_ring_init(r);
}

/* Move `r` to the end, or to the front, of the list at `head`. */
static inline void cn_ring_push(cn_ring *head, cn_ring *r)
{
    cn_ring_remove(r);
    r->prev = head->prev;
    r->next = head;
    head->prev->next = r;
    head->prev = r;
}

static inline void cn_ring_push_front(cn_ring *head, cn_ring *r)
{
    cn_ring_remove(r);
    cn_ring_push(head->next, r);
}
