/*
 * Two kinds of time that must not be mixed: cn_time, nanoseconds of a clock that never jumps, for
 * deadlines; cn_wall, nanoseconds since 1970 UTC, for records and file times.
 */
#pragma once

#include "base/macros.h"

typedef struct cn_time {
    int64_t ns;
} cn_time;

typedef struct cn_wall {
    int64_t ns;
} cn_wall;

#define CN_NS_PER_MS ((int64_t)1000000)
#define CN_NS_PER_S ((int64_t)1000000000)

/* "never", as a deadline. */
#define CN_TIME_NEVER ((cn_time){INT64_MAX})

/* `t` plus `ns`, at most CN_TIME_NEVER. */
static inline cn_time cn_time_after(cn_time t, int64_t ns)
{
    cn_time sum = CN_TIME_NEVER;
    return __builtin_add_overflow(t.ns, ns, &sum.ns) ? CN_TIME_NEVER : sum;
}
