/*
 * A watch over the connections of a server, for two things that libmicrohttpd does not see. Its
 * epoll mode takes a short read for the end of what has come; when a client's last bytes and its
 * FIN are there together the FIN is never read, and the connection stays until it is idle for too
 * long. And its timeout begins again with each byte, so that a client may drip a header for ever.
 *
 * A thread looks at all connections twice a second, and sleeps while there are none. One that
 * waits for bytes that can no longer come, or takes too long over a header, is shut down;
 * libmicrohttpd then closes it.
 */
#pragma once

#include "base/mem.h"
#include "rt/lock.h"

#include <pthread.h>

enum {
    CN_WATCH_TICKS_PER_S = 2,
    CN_WATCH_SIGHTINGS = 2, /* of an ended connection without a step in between: a second or so */
};

typedef enum cn_watched_state {
    CN_WATCHED_FRESH,   /* no request yet */
    CN_WATCHED_WAITING, /* for the next request */
    CN_WATCHED_HEADERS, /* the request line is there */
    CN_WATCHED_BODY,
    CN_WATCHED_ANSWERING,
} cn_watched_state;

/* A connection. Its server's threads write the atomics, the watch reads them. */
typedef struct cn_watched {
    struct cn_watched *prev;
    struct cn_watched *next;
    int fd;
    atomic_int state;
    atomic_bool is_asleep;   /* it is we who keep it waiting */
    atomic_bool is_cut;      /* to be closed, whatever it does */
    atomic_uint steps;       /* changes with everything that happens */
    atomic_uint since_ticks; /* when the state was entered */
    unsigned steps_seen;
    unsigned sightings;
} cn_watched;

typedef struct cn_watch {
    cn_mem *mem;
    void (*look)(void *ctx); /* called at each look, while there are connections */
    void *ctx;
    cn_lock *lock;
    cn_cond *changed;
    cn_watched *first;
    atomic_uint ticks;
    unsigned header_ticks;  /* for a header, in all */
    unsigned waiting_ticks; /* for the next request and its line */
    pthread_t thread;
    bool has_thread;
    bool stopping;
} cn_watch;

/* Start watching; `look` and `ctx` are set by the caller before (zeroed: nothing is called).
 * Errors: NO_MEMORY, BUSY (cannot start a thread). */
CN_MUST_USE cn_err
cn_watch_start(cn_watch *w, cn_mem *mem, unsigned header_timeout_s, unsigned idle_timeout_s);
/* After the last connection has gone. Accepts one that is zeroed or did not start. */
void cn_watch_stop(cn_watch *w);

/* A connection has come; NULL without memory for it. It goes with cn_watch_remove, before its
 * socket is closed. */
cn_watched *cn_watch_add(cn_watch *w, int fd);
void cn_watch_remove(cn_watch *w, cn_watched *c); /* accepts NULL */

/* Something has happened. From the connection's own thread; `c` may be NULL in all of these. */
void cn_watched_enter(cn_watch *w, cn_watched *c, cn_watched_state state);
void cn_watched_step(cn_watched *c);
/* From any thread while the connection cannot go away. */
void cn_watched_sleep(cn_watched *c, bool is_asleep);
/* Has the client ended its side, with all that it sent read, or broken off? As above. */
bool cn_watched_has_left(const cn_watched *c);
/* Close it at the next look, within half a second. */
void cn_watched_cut(cn_watched *c);
