/*
 * The line on standard error that says how far a command is. It stands alone on its line, is drawn
 * ten times a second at most, and is taken away before anything else is shown.
 */
#pragma once

#include "cmd/output.h"
#include "rt/rt.h"

typedef struct cn_progress {
    cn_rt *rt;
    bool is_terminal; /* standard error is one */
    bool shown;
    cn_time began;
    cn_time drawn;
} cn_progress;

/* The command begins now. `rt` is borrowed. */
void cn_progress_init(cn_progress *p, cn_rt *rt);
/*
 * Show how far it is: on a terminal once the command has run for half a second, elsewhere only if
 * the user asked for it. Costs a look at the clock when there is nothing to draw.
 */
void cn_progress_update(cn_progress *p, const cn_sink_progress *at);
/* Take the line away, if there is one. */
void cn_progress_clear(cn_progress *p);
