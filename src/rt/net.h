/*
 * The network of one loop as an interface: stream sockets, names, a bell. rt_os implements it with
 * epoll, the simulator with virtual links. The loop's owner waits (rt_os/loop.h) and is handed
 * events one by one; it answers by calling these functions, on the loop's thread only.
 *
 * Nothing is ever delivered from inside a call. A socket is named by a cn_id; events of one that
 * was closed meanwhile are not delivered. Reading is level-triggered: as long as bytes wait and
 * the socket is not paused, READABLE comes again. WRITABLE comes once after a write that took less
 * than it was given.
 */
#pragma once

#include "base/id.h"
#include "base/slice.h"
#include "base/why.h"
#include "rt/rt.h"

/* Where a stream begins or ends: an IP address and a port. */
typedef struct cn_endpoint {
    uint8_t ip[16]; /* IPv4: the first 4 bytes, the others 0 */
    bool is_ip6;
    uint16_t port;
    uint32_t zone; /* IPv6 link-local: the interface's number; else 0 */
} cn_endpoint;

static inline bool cn_endpoint_eq(const cn_endpoint *a, const cn_endpoint *b)
{
    return a->is_ip6 == b->is_ip6 && a->port == b->port && a->zone == b->zone &&
           cn_slice_eq(cn_slice_of(a->ip, sizeof(a->ip)), cn_slice_of(b->ip, sizeof(b->ip)));
}

typedef enum cn_net_kind {
    CN_NET_OPENED,   /* a dial reached the other side; remote and local are set */
    CN_NET_FAILED,   /* a dial failed: err and why; the socket is closed already */
    CN_NET_ACCEPTED, /* sock is new and came in on `listener`; remote and local are set */
    CN_NET_READABLE, /* bytes, the end or an error wait: read */
    CN_NET_WRITABLE, /* room again after a short write */
    CN_NET_RESOLVED, /* query: the answer, or err */
    CN_NET_WOKEN,    /* cn_net_wake was called, once or more often */
} cn_net_kind;

typedef struct cn_net_event {
    cn_net_kind kind;
    cn_id sock;             /* or the query */
    cn_id listener;         /* ACCEPTED */
    uint64_t tag;           /* as given to dial, listen (also for ACCEPTED) or resolve */
    cn_err err;             /* FAILED, RESOLVED */
    const char *sentence;   /* with err, borrowed; may be NULL */
    cn_endpoint remote;     /* OPENED, ACCEPTED */
    cn_endpoint local;      /* OPENED, ACCEPTED */
    const cn_endpoint *ips; /* RESOLVED, addresses without a port; borrowed for the call */
    const cn_slice *texts;  /* RESOLVED, TXT strings, each joined; borrowed for the call */
    size_t answers_len;
} cn_net_event;

typedef enum cn_net_query {
    CN_NET_QUERY_IP4,
    CN_NET_QUERY_IP6,
    CN_NET_QUERY_IP, /* both */
    CN_NET_QUERY_TXT,
} cn_net_query;

typedef struct cn_net cn_net;

typedef struct cn_net_ops {
    cn_err (*listen)(
        cn_net *n,
        const cn_endpoint *at,
        uint64_t tag,
        cn_id *ret,
        cn_endpoint *ret_at,
        cn_why *why);
    cn_err (*dial)(cn_net *n, const cn_endpoint *to, uint64_t tag, cn_id *ret, cn_why *why);
    cn_err (*read)(cn_net *n, cn_id sock, uint8_t *data, size_t len, size_t *ret_len);
    cn_err (*write)(
        cn_net *n, cn_id sock, const cn_slice *parts, size_t parts_len, size_t *ret_len);
    void (*retag)(cn_net *n, cn_id sock, uint64_t tag);
    void (*pause)(cn_net *n, cn_id sock, bool paused);
    void (*shutdown)(cn_net *n, cn_id sock);
    void (*close)(cn_net *n, cn_id sock);
    cn_err (*resolve)(cn_net *n, cn_net_query query, const char *name, uint64_t tag, cn_id *ret);
    void (*wake)(cn_net *n);
    cn_err (*interfaces)(cn_net *n, cn_endpoint *ret, size_t max, size_t *ret_len);
} cn_net_ops;

/* Implementations put this first in their own struct. */
struct cn_net {
    const cn_net_ops *ops;
    cn_rt *rt; /* clock, entropy, files, workers of the same world */
};

/*
 * Listen at `at` (port 0: any free one; `ret_at` (nullable) says which). Connections come as
 * ACCEPTED with `tag`. IPv6 listens to IPv6 only. Errors: BUSY (port in use), PERMISSION,
 * UNSUPPORTED (no such family here), NOT_FOUND (not an address of this machine), IO, NO_MEMORY.
 */
static inline CN_MUST_USE cn_err cn_net_listen(
    cn_net *n, const cn_endpoint *at, uint64_t tag, cn_id *ret, cn_endpoint *ret_at, cn_why *why)
{
    return n->ops->listen(n, at, tag, ret, ret_at, why);
}

/*
 * Begin to connect; OPENED or FAILED follows. There is no time limit here: close gives up.
 * Errors: TOO_LARGE (sockets), UNSUPPORTED (family), IO, NO_MEMORY.
 */
static inline CN_MUST_USE cn_err
cn_net_dial(cn_net *n, const cn_endpoint *to, uint64_t tag, cn_id *ret, cn_why *why)
{
    return n->ops->dial(n, to, tag, ret, why);
}

/*
 * Read what is there, at most `len` bytes; OK with *ret_len 0: nothing now. Errors: CLOSED (the
 * other side has ended its direction, or hung up), IO (broken; close it).
 */
static inline CN_MUST_USE cn_err
cn_net_read(cn_net *n, cn_id sock, uint8_t *data, size_t len, size_t *ret_len)
{
    return n->ops->read(n, sock, data, len, ret_len);
}

/*
 * Write the parts one after the other (at most 64), as much as goes; *ret_len may be anything from
 * 0 to all. Errors: CLOSED, IO.
 */
static inline CN_MUST_USE cn_err
cn_net_write(cn_net *n, cn_id sock, const cn_slice *parts, size_t parts_len, size_t *ret_len)
{
    return n->ops->write(n, sock, parts, parts_len, ret_len);
}

/* Another tag for a socket's further events: an accepted one has its listener's at first. */
static inline void cn_net_retag(cn_net *n, cn_id sock, uint64_t tag)
{
    n->ops->retag(n, sock, tag);
}

/* Stop, or go on with, READABLE events: the other side is slowed down by the window of TCP. That a
 * socket broke is told all the same. */
static inline void cn_net_pause(cn_net *n, cn_id sock, bool paused)
{
    n->ops->pause(n, sock, paused);
}

/* End our direction when what was written has gone out. */
static inline void cn_net_shutdown(cn_net *n, cn_id sock)
{
    n->ops->shutdown(n, sock);
}

/* Close a socket or a listener, or give up a dial or a query. An id that names nothing is fine. */
static inline void cn_net_close(cn_net *n, cn_id sock)
{
    n->ops->close(n, sock);
}

/*
 * Ask the names service; RESOLVED follows, at the latest after 10 s. Errors: MALFORMED (no name),
 * UNSUPPORTED (no resolver here), TOO_LARGE (queries open), NO_MEMORY.
 */
static inline CN_MUST_USE cn_err
cn_net_resolve(cn_net *n, cn_net_query query, const char *name, uint64_t tag, cn_id *ret)
{
    return n->ops->resolve(n, query, name, tag, ret);
}

/* Make the loop deliver WOKEN soon. The one function that any thread may call. */
static inline void cn_net_wake(cn_net *n)
{
    n->ops->wake(n);
}

/* The addresses of this machine's interfaces that are up, ports 0. Errors: IO, NO_MEMORY. */
static inline CN_MUST_USE cn_err
cn_net_interfaces(cn_net *n, cn_endpoint *ret, size_t max, size_t *ret_len)
{
    return n->ops->interfaces(n, ret, max, ret_len);
}
