/*
 * Connections of the thin client to a daemon: TCP or a unix socket, one at a time, waited for with
 * poll.
 */
#pragma once

#include "base/slice.h"
#include "base/why.h"

/* Connect; *ret_fd is non-blocking. Errors: CLOSED (nobody listens there), NOT_FOUND, IO. */
CN_MUST_USE cn_err cn_dial_tcp(const char *host, uint16_t port, int *ret_fd, cn_why *why);
CN_MUST_USE cn_err cn_dial_unix(const char *path, int *ret_fd, cn_why *why);
void cn_dial_close(int fd); /* accepts -1 */

/*
 * Wait until `fd` can be read, or written if `want_write`; at most `timeout_ns` (negative: no
 * limit). Errors: TIMEOUT, CANCELLED (a signal came), IO.
 */
CN_MUST_USE cn_err
cn_dial_wait(int fd, bool want_write, int64_t timeout_ns, bool *ret_can_read, bool *ret_can_write);
/* Send some of `data`; 0 if nothing can be sent now. Errors: CLOSED, IO. */
CN_MUST_USE cn_err cn_dial_send(int fd, cn_slice data, size_t *ret_len);
/* Receive some; *ret_len 0 with *ret_end at the end of the stream. Errors: CLOSED, IO. */
CN_MUST_USE cn_err cn_dial_recv(int fd, uint8_t *data, size_t len, size_t *ret_len, bool *ret_end);
