/*
 * rt on Linux: the real clock, files and threads. One per process, made in main and given to the
 * node. Only cli, api and tests name it.
 */
#pragma once

#include "rt/rt.h"

/*
 * Make the real world. `threads` is how many pieces of work run at once; 0: one per processor.
 * Threads start with the first work submitted, so a short command pays nothing for them.
 */
CN_MUST_USE cn_err cn_rt_os_new(unsigned threads, cn_rt **ret);
/* All work must have been waited for and all files closed. Accepts NULL. */
void cn_rt_os_free(cn_rt *rt);

/* The id of this process, by which others are told who holds a repo. */
int64_t cn_rt_os_pid(void);

/* The cn_err that stands for an errno value. */
cn_err cn_rt_os_err(int errno_value);
