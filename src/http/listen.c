/*
 * Multiaddr to bound socket. The multiaddr is cut at '/', and only the shapes that make sense for a
 * local HTTP listener are taken.
 */
#include "http/listen.h"

#include "base/mem.h"
#include "base/num.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static cn_err bound_error(const char *multiaddr, int code, cn_why *why)
{
    switch (code) {
    case EADDRINUSE:
        return cn_why_set(
            why, CN_ERR_BUSY, "%s: address already in use by another program", multiaddr);
    case EACCES:
    case EPERM:
        return cn_why_set(why, CN_ERR_PERMISSION, "%s: not allowed to listen there", multiaddr);
    case EADDRNOTAVAIL:
        return cn_why_set(why, CN_ERR_NOT_FOUND, "%s: this machine has no such address", multiaddr);
    default:
        return cn_why_set(
            why, CN_ERR_IO, "%s: cannot listen: %s", multiaddr, strerrordesc_np(code));
    }
}

/* The next part of a path-like text, without its slashes. */
static cn_slice next_part(cn_slice *rest)
{
    cn_slice s = cn_slice_skip(*rest, 1);
    size_t len = cn_slice_find(s, '/');
    *rest = cn_slice_skip(s, len);
    return cn_slice_head(s, len);
}

typedef struct address {
    struct sockaddr_storage storage;
    socklen_t len;
} address;

static bool to_text(cn_slice s, char *text, size_t text_bytes)
{
    if (s.len >= text_bytes) {
        return false;
    }
    cn_copy(text, s.data, s.len);
    text[s.len] = '\0';
    return true;
}

static bool ip_address(cn_slice kind, cn_slice host, uint16_t port, address *ret)
{
    char text[INET6_ADDRSTRLEN] = {0};
    bool name = cn_slice_starts(kind, cn_str("dns"));
    if (name && !cn_slice_is(host, "localhost")) {
        return false;
    }
    if (cn_slice_is(kind, "ip6") || cn_slice_is(kind, "dns6")) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        if (!to_text(name ? cn_str("::1") : host, text, sizeof text) ||
            inet_pton(AF_INET6, text, &in6.sin6_addr) != 1) {
            return false;
        }
        cn_copy(&ret->storage, &in6, sizeof in6);
        ret->len = sizeof in6;
        return true;
    }
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (!to_text(name ? cn_str("127.0.0.1") : host, text, sizeof text) ||
        inet_pton(AF_INET, text, &in4.sin_addr) != 1) {
        return false;
    }
    cn_copy(&ret->storage, &in4, sizeof in4);
    ret->len = sizeof in4;
    return true;
}

/* Open, bind, listen. */
static cn_err open_socket(const char *multiaddr, const address *a, int *ret, cn_why *why)
{
    int on = 1;
    int family = a->storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool good = fd >= 0;
    if (good && family != AF_UNIX) {
        good = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
    }
    if (good && family == AF_INET6) {
        good = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
    }
    good = good && bind(fd, (const struct sockaddr *)&a->storage, a->len) == 0;
    good = good && listen(fd, BACKLOG) == 0;
    if (!good) {
        int code = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return bound_error(multiaddr, code, why);
    }
    *ret = fd;
    return CN_OK;
}

/* Write what was bound, with the port the system chose. */
static cn_err describe_ip(cn_listen *l)
{
    struct sockaddr_storage storage = {0};
    socklen_t len = sizeof storage;
    char host[INET6_ADDRSTRLEN] = {0};
    if (getsockname(l->fd, (struct sockaddr *)&storage, &len) != 0) {
        return CN_ERR_IO;
    }
    bool six = storage.ss_family == AF_INET6;
    const char *shown = NULL;
    if (six) {
        struct sockaddr_in6 in6 = {0};
        cn_copy(&in6, &storage, sizeof in6);
        l->port = ntohs(in6.sin6_port);
        shown = inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof host);
    } else {
        struct sockaddr_in in4 = {0};
        cn_copy(&in4, &storage, sizeof in4);
        l->port = ntohs(in4.sin_port);
        shown = inet_ntop(AF_INET, &in4.sin_addr, host, sizeof host);
    }
    if (shown == NULL) {
        return CN_ERR_IO;
    }
    const char *family = six ? "ip6" : "ip4";
    (void)snprintf(
        l->multiaddr, sizeof l->multiaddr, "/%s/%s/tcp/%u", family, host, (unsigned)l->port);
    if (six) {
        (void)snprintf(l->url, sizeof l->url, "http://[%s]:%u", host, (unsigned)l->port);
    } else {
        (void)snprintf(l->url, sizeof l->url, "http://%s:%u", host, (unsigned)l->port);
    }
    return CN_OK;
}

static cn_err open_unix(const char *multiaddr, const char *path, cn_listen *l, cn_why *why)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    address a = {.len = sizeof un};
    struct stat about = {0};
    if (strlen(path) >= sizeof un.sun_path || path[0] != '/') {
        return cn_why_set(
            why, CN_ERR_MALFORMED, "%s: not a path of at most %zu bytes", multiaddr,
            sizeof un.sun_path - 1);
    }
    cn_copy(un.sun_path, path, strlen(path));
    cn_copy(&a.storage, &un, sizeof un);
    if (lstat(path, &about) == 0 && S_ISSOCK(about.st_mode)) {
        int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool dead = probe >= 0 && connect(probe, (const struct sockaddr *)&a.storage, a.len) != 0 &&
                    errno == ECONNREFUSED;
        if (probe >= 0) {
            (void)close(probe);
        }
        if (dead) {
            (void)unlink(path);
        }
    }
    cn_err err = open_socket(multiaddr, &a, &l->fd, why);
    if (err == CN_OK) {
        (void)snprintf(l->multiaddr, sizeof l->multiaddr, "/unix%s", path);
        (void)snprintf(l->path, sizeof l->path, "%s", path);
    }
    return err;
}

cn_err cn_listen_open(const char *multiaddr, cn_listen *ret, cn_why *why)
{
    cn_listen l = {.fd = -1};
    address a = {0};
    uint64_t port = 0;
    cn_slice rest = cn_str(multiaddr);
    if (rest.len == 0 || rest.data[0] != '/' || rest.len >= CN_LISTEN_TEXT_BYTES) {
        return cn_why_set(why, CN_ERR_MALFORMED, "\"%s\" is not a multiaddr", multiaddr);
    }
    cn_err err = CN_OK;
    cn_slice kind = next_part(&rest);
    if (cn_slice_is(kind, "unix")) {
        err = open_unix(multiaddr, multiaddr + (rest.data - (const uint8_t *)multiaddr), &l, why);
    } else {
        cn_slice host = next_part(&rest);
        cn_slice transport = next_part(&rest);
        cn_slice number = next_part(&rest);
        bool known = cn_slice_is(kind, "ip4") || cn_slice_is(kind, "ip6") ||
                     cn_slice_starts(kind, cn_str("dns"));
        if (!known || !cn_slice_is(transport, "tcp") ||
            !(rest.len == 0 || cn_slice_is(rest, "/http"))) {
            return cn_why_set(
                why, CN_ERR_UNSUPPORTED,
                "%s: cannot listen there; use /ip4/ADDRESS/tcp/PORT, /ip6/... or /unix/PATH",
                multiaddr);
        }
        if (cn_num_u64(number, &port) != CN_OK || port > UINT16_MAX ||
            !ip_address(kind, host, (uint16_t)port, &a)) {
            return cn_why_set(why, CN_ERR_MALFORMED, "%s: not an address and port", multiaddr);
        }
        err = open_socket(multiaddr, &a, &l.fd, why);
        if (err == CN_OK) {
            err = describe_ip(&l);
        }
    }
    if (err != CN_OK) {
        cn_listen_close(&l);
        return err;
    }
    *ret = l;
    return CN_OK;
}

void cn_listen_close(cn_listen *l)
{
    if (l->fd > 0) {
        (void)close(l->fd);
        l->fd = -1;
    }
    if (l->path[0] != '\0') {
        (void)unlink(l->path);
        l->path[0] = '\0';
    }
}
