/*
 * cn_pile: CIDs one upon the other in few bytes, bounded. Each is its bytes and then their number,
 * so that it can be taken from the top.
 */
#pragma once

#include "base/buf.h"
#include "multiformats/cid.h"

typedef struct cn_pile {
    cn_buf bytes;
} cn_pile;

static inline void cn_pile_init(cn_pile *p, cn_mem *mem, size_t max_bytes)
{
    cn_buf_init(&p->bytes, mem, max_bytes);
}

static inline void cn_pile_release(cn_pile *p)
{
    cn_buf_release(&p->bytes);
}

static inline bool cn_pile_is_empty(const cn_pile *p)
{
    return p->bytes.len == 0;
}

/* Errors: TOO_LARGE, NO_MEMORY; the pile is as it was. */
CN_MUST_USE cn_err cn_pile_push(cn_pile *p, const cn_cid *cid);
/* The topmost; false: empty. */
bool cn_pile_pop(cn_pile *p, cn_cid *ret);
/* Put all of `from` onto `p`, the lowest of `from` on top; `from` is empty then. What does not fit
 * is dropped. */
void cn_pile_turn_over(cn_pile *p, cn_pile *from);
/* Make `p` what `from` holds, and `from` empty. */
void cn_pile_take(cn_pile *p, cn_pile *from);
