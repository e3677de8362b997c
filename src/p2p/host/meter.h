/*
 * cn_meter: bytes both ways, and how fast of late. The rate is an exponential average over about
 * a second's steps, brought up to date whenever bytes are counted or the rate is asked for, so it
 * needs no timer.
 */
#pragma once

#include "base/time.h"

typedef struct cn_meter {
    uint64_t in_bytes;
    uint64_t out_bytes;
    uint64_t in_before; /* at the last step */
    uint64_t out_before;
    double in_rate; /* bytes a second */
    double out_rate;
    cn_time stepped;
} cn_meter;

/* Bring the rates up to `now`; does nothing within a second of the last step. */
void cn_meter_step(cn_meter *m, cn_time now);

static inline void cn_meter_in(cn_meter *m, size_t bytes)
{
    m->in_bytes += bytes;
}

static inline void cn_meter_out(cn_meter *m, size_t bytes)
{
    m->out_bytes += bytes;
}
