/*
 * Listening sockets named by multiaddr, as the config's Addresses.API and Addresses.Gateway do.
 */
#pragma once

#include "base/slice.h"
#include "base/why.h"

enum { CN_LISTEN_TEXT_BYTES = 256 };

typedef struct cn_listen {
    int fd; /* 0 or less: none */
    uint16_t port;
    char multiaddr[CN_LISTEN_TEXT_BYTES]; /* as bound: the port the system gave, not 0 */
    char url[CN_LISTEN_TEXT_BYTES];       /* http://host:port, empty for a unix socket */
    char path[CN_LISTEN_TEXT_BYTES];      /* of a unix socket, to be unlinked; else empty */
} cn_listen;

/*
 * Bind and listen on `multiaddr`: /ip4/A/tcp/P, /ip6/A/tcp/P (with an optional /http behind),
 * /dns4/localhost/tcp/P and the like for the loopback name, or /unix/PATH. Port 0: any free one.
 * A socket file that nobody listens on any more is replaced. Errors: MALFORMED, UNSUPPORTED (other
 * protocols), BUSY (the address is taken), PERMISSION, IO; `why` says which and what to do.
 */
CN_MUST_USE cn_err cn_listen_open(const char *multiaddr, cn_listen *ret, cn_why *why);
/* Close, and unlink a socket file. Accepts a closed one. */
void cn_listen_close(cn_listen *l);
