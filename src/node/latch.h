/*
 * cn_latch: who may change the store at the same time. Those who keep something hold it shared,
 * from before they look at what is there (or put their first block) until it is pinned; a
 * collection holds it alone. So nothing is collected between its put and its pin. Readers do not
 * take it.
 *
 * Nobody waits for ever on somebody's mistake: each wait asks the caller's check, and newcomers let
 * a waiting collection go first for CN_LATCH_YIELD_NS only, so that one writer that never ends (an
 * upload that stalls) holds up the collection, not all other writers.
 *
 * From any thread. A hold may be given back by another thread than took it.
 */
#pragma once

#include "rt/rt.h"

#define CN_LATCH_YIELD_NS (2 * CN_NS_PER_S)

typedef struct cn_latch cn_latch;

/* Whether to go on waiting: CN_OK, or the error that ends it. Asked about 50 times a second. */
typedef struct cn_latch_wait {
    cn_err (*check)(void *ctx); /* NULL: wait without end */
    void *ctx;
} cn_latch_wait;

/* A hold; zeroed: none. */
typedef struct cn_latch_hold {
    cn_latch *latch;
    bool alone;
} cn_latch_hold;

/* Both are kept by the latch. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_latch_new(cn_rt *rt, cn_mem *mem, cn_latch **ret);
/* Nobody may hold or wait. Accepts NULL. */
void cn_latch_free(cn_latch *g);

/* Hold it beside others who do so. Errors: the check's; *ret is untouched then. */
CN_MUST_USE cn_err cn_latch_share(cn_latch *g, const cn_latch_wait *wait, cn_latch_hold *ret);
/* Hold it alone: wait until nobody holds it. Errors: the check's; *ret is untouched then. */
CN_MUST_USE cn_err cn_latch_exclude(cn_latch *g, const cn_latch_wait *wait, cn_latch_hold *ret);
/* Give a hold back and zero it. Accepts a zeroed one. */
void cn_latch_give(cn_latch_hold *hold);

/*
 * For one who shares it and waits for something that may never come: does somebody wait to be
 * alone? Then give the hold back, share again (which lets the other go first), and look again at
 * what the hold was for if `rounds` has changed meanwhile.
 */
bool cn_latch_is_wanted(cn_latch *g);
/* How often it has been held alone since it was made. */
uint64_t cn_latch_rounds(cn_latch *g);
