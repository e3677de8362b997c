/*
 * rt/net.h on Linux, with epoll: the loop of a node's network. One thread owns it: it polls, and
 * calls the functions of rt/net.h from within the handler or between two polls.
 */
#pragma once

#include "rt/net.h"

/* Called for each event, on the polling thread; what the event lends stays until it returns. */
typedef void (*cn_net_handler)(void *ctx, const cn_net_event *event);

/*
 * A network of at most `sockets_max` sockets in the world `rt`. Errors: IO (no descriptors),
 * NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_rt_os_net_new(cn_rt *rt, cn_mem *mem, size_t sockets_max, cn_net **ret, cn_why *why);
/* Closes every socket. Accepts NULL. */
void cn_rt_os_net_free(cn_net *n);

/*
 * Wait until something happens or `deadline` has come, and hand over what happened (at most 128
 * events of sockets). Errors: IO.
 */
CN_MUST_USE cn_err cn_rt_os_net_poll(cn_net *n, cn_time deadline, cn_net_handler handle, void *ctx);
