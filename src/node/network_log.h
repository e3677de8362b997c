/*
 * What people are told of peers that were turned away or cut off: in ten seconds one line for each
 * reason, with the first whom it met, then one that counts the rest, so that a flood of them is no
 * flood of lines.
 */
#pragma once

#include "base/time.h"
#include "p2p/host/host.h"

enum { CN_NETWORK_LOG_LINES = 16 }; /* in ten seconds, and one with the counts */

typedef struct cn_network_log {
    void (*say)(void *ctx, const char *sentence); /* NULL: nobody listens */
    void *ctx;
    cn_time until; /* the end of the ten seconds; CN_TIME_NEVER: nothing was said */
    size_t lines;
    uint32_t told[CN_NETWORK_LOG_LINES]; /* hashes of what was said */
    size_t refused;                      /* not told yet */
    size_t cut;
    size_t streams;
} cn_network_log;

void cn_network_log_init(
    cn_network_log *l, void (*say)(void *ctx, const char *sentence), void *ctx);
/* Something happened; what people need not know of is passed over. */
void cn_network_log_note(cn_network_log *l, const cn_host_note *note, cn_time now);
/* When turn wants to be called. */
cn_time cn_network_log_deadline(const cn_network_log *l);
void cn_network_log_turn(cn_network_log *l, cn_time now);
