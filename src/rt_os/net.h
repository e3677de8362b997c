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
/* How names are resolved, where it is not as the system's settings say. */
typedef struct cn_rt_os_names {
    const char *servers; /* "127.0.0.1:5353,[::1]:53"; NULL: the system's; borrowed for good */
    int64_t limit_ns;    /* of one query; 0: 10 s */
} cn_rt_os_names;

/* Before the first name is asked for. Names need c-ares, opened with the first. */
void cn_rt_os_net_names(cn_net *n, const cn_rt_os_names *names);

/* Closes every socket; what is asked for is given up. Accepts NULL. */
void cn_rt_os_net_free(cn_net *n);

/*
 * Wait until something happens or `deadline` has come, and hand over what happened (at most 128
 * events of sockets). Errors: IO.
 */
CN_MUST_USE cn_err cn_rt_os_net_poll(cn_net *n, cn_time deadline, cn_net_handler handle, void *ctx);
