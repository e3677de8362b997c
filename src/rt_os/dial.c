/*
 * Client sockets on Linux.
 */
#include "rt_os/dial.h"

#include "rt_os/rt_os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static cn_err refused(cn_why *why, int error, const char *where)
{
    bool nobody = error == ECONNREFUSED || error == ENOENT || error == ECONNRESET;
    cn_err err = nobody ? CN_ERR_CLOSED : cn_rt_os_err(error);
    return cn_why_set(why, err, "cannot connect to %s: %s", where, strerror(error));
}

static cn_err connect_to(
    const struct sockaddr *address, socklen_t len, const char *where, int *ret_fd, cn_why *why)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, address, len) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        int error = errno;
        cn_dial_close(fd);
        return refused(why, error, where);
    }
    int on = 1;
    if (address->sa_family != AF_UNIX) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    *ret_fd = fd;
    return CN_OK;
}

cn_err cn_dial_unix(const char *path, int *ret_fd, cn_why *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof address.sun_path) {
        return cn_why_set(why, CN_ERR_USAGE, "the path of socket %s is too long", path);
    }
    cn_copy(address.sun_path, path, len);
    return connect_to((const struct sockaddr *)&address, sizeof address, path, ret_fd, why);
}

cn_err cn_dial_tcp(const char *host, uint16_t port, int *ret_fd, cn_why *why)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        return connect_to((const struct sockaddr *)&v4, sizeof v4, host, ret_fd, why);
    }
    if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        return connect_to((const struct sockaddr *)&v6, sizeof v6, host, ret_fd, why);
    }
    struct addrinfo *list = NULL;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char number[8];
    (void)snprintf(number, sizeof number, "%u", (unsigned)port);
    int failed = getaddrinfo(host, number, &hints, &list);
    if (failed != 0) {
        return cn_why_set(why, CN_ERR_NOT_FOUND, "lookup %s: %s", host, gai_strerror(failed));
    }
    cn_err err = CN_ERR_NOT_FOUND;
    for (struct addrinfo *a = list; a != NULL && err != CN_OK; a = a->ai_next) {
        err = connect_to(a->ai_addr, a->ai_addrlen, host, ret_fd, why);
    }
    freeaddrinfo(list);
    return err;
}

void cn_dial_close(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

cn_err
cn_dial_wait(int fd, bool want_write, int64_t timeout_ns, bool *ret_can_read, bool *ret_can_write)
{
    struct pollfd p = {.fd = fd, .events = (short)(POLLIN | (want_write ? POLLOUT : 0))};
    int64_t ms = timeout_ns < 0 ? -1 : CN_MIN(timeout_ns / 1000000 + 1, (int64_t)1 << 30);
    int n = poll(&p, 1, (int)ms);
    if (n < 0) {
        return errno == EINTR ? CN_ERR_CANCELLED : cn_rt_os_err(errno);
    }
    *ret_can_read = (p.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
    *ret_can_write = (p.revents & POLLOUT) != 0;
    return n == 0 ? CN_ERR_TIMEOUT : CN_OK;
}

cn_err cn_dial_send(int fd, cn_slice data, size_t *ret_len)
{
    ssize_t n = send(fd, data.data, data.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        return errno == EPIPE || errno == ECONNRESET ? CN_ERR_CLOSED : cn_rt_os_err(errno);
    }
    *ret_len = n < 0 ? 0 : (size_t)n;
    return CN_OK;
}

cn_err cn_dial_recv(int fd, uint8_t *data, size_t len, size_t *ret_len, bool *ret_end)
{
    ssize_t n = recv(fd, data, len, MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        return errno == ECONNRESET ? CN_ERR_CLOSED : cn_rt_os_err(errno);
    }
    *ret_len = n < 0 ? 0 : (size_t)n;
    *ret_end = n == 0;
    return CN_OK;
}
