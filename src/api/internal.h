/*
 * What the files of the public API share: how errors go out, and how a call's limits are kept.
 */
#pragma once

#include "base/why.h"
#include "cairn/base.h"
#include "rt/rt.h"

struct cairn_cancel {
    atomic_bool cancelled;
};

/* The limits of one call or reader. */
typedef struct cn_api_wait {
    cn_rt *rt;
    cn_time deadline;
    int64_t timeout_ns; /* 0: none */
    const cairn_cancel *cancel;
} cn_api_wait;

/*
 * Take a caller's options, a struct that begins with its size, as ours, of `size` bytes at `to`:
 * what an older caller's struct lacks is zero, and so is all if `from` is NULL. Errors: USAGE (no
 * size; a newer caller's struct in which something is set that is not known here).
 */
CN_MUST_USE cn_err cn_api_options(void *to, size_t size, const void *from, cn_why *why);
/* USAGE if `p` is NULL; `what` names it in the sentence. */
CN_MUST_USE cn_err cn_api_given(const void *p, const char *what, cn_why *why);

/* Note a call's limits; `wait` may be NULL. Errors: USAGE. */
CN_MUST_USE cn_err cn_api_wait_init(cn_api_wait *w, cn_rt *rt, const cairn_wait *wait, cn_why *why);
/* Begin the time limit anew, for the next read of a reader. */
void cn_api_wait_restart(cn_api_wait *w);
/* CN_OK while the call may go on, else CANCELLED or TIMEOUT. */
CN_MUST_USE cn_err cn_api_wait_check(const cn_api_wait *w);

/* The result that stands for `err`; the sentence goes into `message` (nullable). */
cairn_result cn_api_result(cn_err err, const cn_why *why, cairn_message *message);
