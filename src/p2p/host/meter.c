/*
 * One step a second keeps 37 % of the old rate. A longer pause is taken as so many steps of the
 * same speed, at most 32, after which nothing of the old rate is left.
 */
#include "p2p/host/meter.h"

static const double KEPT = 0.36787944117144233; /* 1/e */

enum { STEPS_MAX = 32 };

void cn_meter_step(cn_meter *m, cn_time now)
{
    int64_t passed_ns = now.ns - m->stepped.ns;
    if (passed_ns < CN_NS_PER_S) {
        return;
    }
    double passed_s = (double)passed_ns / (double)CN_NS_PER_S;
    double in_now = (double)(m->in_bytes - m->in_before) / passed_s;
    double out_now = (double)(m->out_bytes - m->out_before) / passed_s;
    int64_t steps = CN_MIN(passed_ns / CN_NS_PER_S, STEPS_MAX);
    double kept = 1;
    for (int64_t i = 0; i < steps; i++) {
        kept *= KEPT;
    }
    m->in_rate = in_now + (m->in_rate - in_now) * kept;
    m->out_rate = out_now + (m->out_rate - out_now) * kept;
    m->in_before = m->in_bytes;
    m->out_before = m->out_bytes;
    m->stepped = now;
}
