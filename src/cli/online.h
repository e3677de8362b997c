/*
 * A daemon's network: made, told about, run and given back.
 */
#pragma once

#include "cli/loop.h"
#include "cmd/command.h"
#include "cmd/strings.h"

typedef struct cn_online {
    cn_loop *loop; /* NULL: none */
    cn_buf agent;
    cn_strings lines; /* to be said on standard output */
} cn_online;

/*
 * Make the network over `node` as the configuration says and let it listen; notes for people go to
 * the call. What fails is said. Close in any case.
 */
CN_MUST_USE cn_err cn_online_open(cn_call *call, cn_node *node, cn_online *ret);
/* Let it run, and the node's users know of it. Errors: BUSY. */
CN_MUST_USE cn_err cn_online_start(cn_online *o, cn_node *node, cn_why *why);
/* End its thread; those who wait are let go. Accepts a zeroed one. */
void cn_online_stop(cn_online *o);
/* When nobody uses it any more. Accepts a zeroed one. */
void cn_online_close(cn_online *o, cn_node *node);
