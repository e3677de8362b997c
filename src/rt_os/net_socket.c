/*
 * Stream sockets: all non-blocking and closed on exec. Buffers are left to the kernel, whose tuning
 * ends when they are set by hand; only what lies unsent is kept short.
 */
#include "rt_os/net_internal.h"

#include "rt_os/rt_os.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>
#include <unistd.h>

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
} address;

static socklen_t to_address(const cn_endpoint *e, address *ret)
{
    *ret = (address){.storage = {0}};
    if (e->is_ip6) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons(e->port);
        ret->v6.sin6_scope_id = e->zone;
        cn_copy(&ret->v6.sin6_addr, e->ip, 16);
        return sizeof(ret->v6);
    }
    ret->v4.sin_family = AF_INET;
    ret->v4.sin_port = htons(e->port);
    cn_copy(&ret->v4.sin_addr, e->ip, 4);
    return sizeof(ret->v4);
}

static bool from_address(const address *a, cn_endpoint *ret)
{
    *ret = (cn_endpoint){0};
    if (a->any.sa_family == AF_INET6) {
        ret->is_ip6 = true;
        ret->port = ntohs(a->v6.sin6_port);
        ret->zone = a->v6.sin6_scope_id;
        cn_copy(ret->ip, &a->v6.sin6_addr, 16);
    } else if (a->any.sa_family == AF_INET) {
        ret->port = ntohs(a->v4.sin_port);
        cn_copy(ret->ip, &a->v4.sin_addr, 4);
    }
    return a->any.sa_family == AF_INET6 || a->any.sa_family == AF_INET;
}

static cn_endpoint local_of(int fd)
{
    address a = {.storage = {0}};
    socklen_t len = sizeof(a);
    cn_endpoint e = {0};
    if (getsockname(fd, &a.any, &len) == 0) {
        (void)from_address(&a, &e);
    }
    return e;
}

static cn_err net_err(int error)
{
    switch (error) {
    case EADDRINUSE:
        return CN_ERR_BUSY;
    case EADDRNOTAVAIL:
        return CN_ERR_NOT_FOUND;
    case EAFNOSUPPORT:
        return CN_ERR_UNSUPPORTED;
    case EMFILE:
    case ENFILE:
        return CN_ERR_TOO_LARGE;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
        return CN_ERR_CLOSED;
    default:
        return cn_rt_os_err(error);
    }
}

static void set_option(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

static void tune_stream(int fd)
{
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, CN_NET_NOTSENT_BYTES);
}

static int new_socket(bool is_ip6)
{
    return socket(is_ip6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

cn_err cn_os_net_listen(
    cn_net *net, const cn_endpoint *at, uint64_t tag, cn_id *ret, cn_endpoint *ret_at, cn_why *why)
{
    net_os *n = (net_os *)net;
    net_socket *s = NULL;
    address a = {.storage = {0}};
    socklen_t len = to_address(at, &a);
    int fd = new_socket(at->is_ip6);
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (at->is_ip6) {
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    if (fd < 0 || bind(fd, &a.any, len) != 0 || listen(fd, CN_NET_BACKLOG) != 0) {
        int error = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return cn_why_set(why, net_err(error), "cannot listen: %s", strerror(error));
    }
    cn_err err = cn_net_add_fd(n, fd, NET_LISTENER, tag, &s);
    if (err != CN_OK) {
        (void)close(fd);
        return err;
    }
    *ret = s->id;
    if (ret_at != NULL) {
        *ret_at = local_of(fd);
    }
    return CN_OK;
}

cn_err cn_os_net_dial(cn_net *net, const cn_endpoint *to, uint64_t tag, cn_id *ret, cn_why *why)
{
    net_os *n = (net_os *)net;
    net_socket *s = NULL;
    address a = {.storage = {0}};
    socklen_t len = to_address(to, &a);
    int fd = new_socket(to->is_ip6);
    if (fd < 0) {
        return cn_why_set(why, net_err(errno), "no socket: %s", strerror(errno));
    }
    tune_stream(fd);
    /* A refusal known at once is told as FAILED too: epoll reports the socket's error. */
    if (connect(fd, &a.any, len) != 0 && errno != EINPROGRESS && errno != ECONNREFUSED) {
        int error = errno;
        (void)close(fd);
        return cn_why_set(why, net_err(error), "%s", strerror(error));
    }
    cn_err err = cn_net_add_fd(n, fd, NET_DIALING, tag, &s);
    if (err != CN_OK) {
        (void)close(fd);
        return err;
    }
    s->remote = *to;
    *ret = s->id;
    return CN_OK;
}

void cn_os_net_dialled(net_os *n, net_socket *s, cn_net_event *ret)
{
    int error = 0;
    socklen_t len = sizeof(error);
    address a = {.storage = {0}};
    socklen_t address_len = sizeof(a);
    (void)getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error == 0 && getpeername(s->fd, &a.any, &address_len) != 0) {
        error = errno == ENOTCONN ? ECONNREFUSED : errno;
    }
    s->kind = NET_STREAM;
    cn_err err = error == 0 ? cn_net_watch(n, s) : net_err(error);
    if (err != CN_OK) {
        ret->kind = CN_NET_FAILED;
        ret->err = err;
        ret->sentence = error == 0 ? NULL : strerror(error);
        cn_net_drop(n, s);
        return;
    }
    ret->kind = CN_NET_OPENED;
    ret->remote = s->remote;
    ret->local = local_of(s->fd);
}

/* Nobody can be served: take one caller and hang up, else epoll reports it for ever. */
static void turn_away(net_os *n, int listener_fd)
{
    (void)close(n->spare_fd);
    int fd = accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        (void)close(fd);
    }
    n->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool cn_os_net_accept(net_os *n, net_socket *listener, cn_net_event *ret, bool *ret_have)
{
    address a = {.storage = {0}};
    socklen_t len = sizeof(a);
    net_socket *s = NULL;
    int fd = accept4(listener->fd, &a.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
        turn_away(n, listener->fd);
        return true;
    }
    if (fd < 0) {
        return errno == ECONNABORTED || errno == EINTR;
    }
    *ret = (cn_net_event){.kind = CN_NET_ACCEPTED, .listener = listener->id, .tag = listener->tag};
    tune_stream(fd);
    if (!from_address(&a, &ret->remote) ||
        cn_net_add_fd(n, fd, NET_STREAM, listener->tag, &s) != CN_OK) {
        (void)close(fd);
        return true;
    }
    s->remote = ret->remote;
    ret->sock = s->id;
    ret->local = local_of(fd);
    *ret_have = true;
    return true;
}

static net_socket *stream_of(const net_os *n, cn_id id)
{
    net_socket *s = cn_slots_get(&n->sockets, id);
    return s != NULL && s->kind == NET_STREAM ? s : NULL;
}

cn_err cn_os_net_read(cn_net *net, cn_id sock, uint8_t *data, size_t len, size_t *ret_len)
{
    const net_socket *s = stream_of((const net_os *)net, sock);
    if (s == NULL) {
        return CN_ERR_CLOSED;
    }
    ssize_t got = recv(s->fd, data, len, 0);
    if (got == 0 && len > 0) {
        return CN_ERR_CLOSED;
    }
    if (got < 0 && errno != EAGAIN && errno != EINTR) {
        return errno == ECONNRESET ? CN_ERR_CLOSED : CN_ERR_IO;
    }
    *ret_len = got < 0 ? 0 : (size_t)got;
    return CN_OK;
}

cn_err
cn_os_net_write(cn_net *net, cn_id sock, const cn_slice *parts, size_t parts_len, size_t *ret_len)
{
    struct iovec vec[64];
    net_os *n = (net_os *)net;
    net_socket *s = stream_of(n, sock);
    size_t sum = 0;
    CN_ASSERT(parts_len <= CN_LEN(vec));
    if (s == NULL) {
        return CN_ERR_CLOSED;
    }
    for (size_t i = 0; i < parts_len; i++) {
        vec[i] = (struct iovec){(void *)(uintptr_t)parts[i].data, parts[i].len};
        sum += parts[i].len;
    }
    struct msghdr m = {.msg_iov = vec, .msg_iovlen = parts_len};
    ssize_t put = sendmsg(s->fd, &m, MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN && errno != EINTR) {
        return errno == EPIPE || errno == ECONNRESET ? CN_ERR_CLOSED : CN_ERR_IO;
    }
    size_t len = put < 0 ? 0 : (size_t)put;
    if (len < sum) {
        s->wants_write = true;
        (void)!cn_net_watch(n, s);
    }
    *ret_len = len;
    return CN_OK;
}

void cn_os_net_retag(cn_net *net, cn_id sock, uint64_t tag)
{
    net_socket *s = cn_slots_get(&((net_os *)net)->sockets, sock);
    if (s != NULL) {
        s->tag = tag;
    }
}

void cn_os_net_pause(cn_net *net, cn_id sock, bool paused)
{
    net_os *n = (net_os *)net;
    net_socket *s = stream_of(n, sock);
    if (s != NULL) {
        s->is_paused = paused;
        (void)!cn_net_watch(n, s);
    }
}

void cn_os_net_shutdown(cn_net *net, cn_id sock)
{
    const net_socket *s = stream_of((const net_os *)net, sock);
    if (s != NULL) {
        (void)shutdown(s->fd, SHUT_WR);
    }
}

void cn_os_net_close(cn_net *net, cn_id sock)
{
    net_os *n = (net_os *)net;
    net_socket *s = cn_slots_get(&n->sockets, sock);
    if (s != NULL && s->kind == NET_QUERY) {
        cn_net_dns_give_up(s);
    } else if (s != NULL && s->kind != NET_DNS) {
        cn_net_drop(n, s);
    }
}

cn_err cn_os_net_interfaces(cn_net *net, cn_endpoint *ret, size_t max, size_t *ret_len)
{
    struct ifaddrs *list = NULL;
    size_t len = 0;
    CN_UNUSED(net);
    if (getifaddrs(&list) != 0) {
        return cn_rt_os_err(errno);
    }
    for (const struct ifaddrs *i = list; i != NULL && len < max; i = i->ifa_next) {
        bool is_up = (i->ifa_flags & IFF_UP) != 0 && i->ifa_addr != NULL;
        address a = {.storage = {0}};
        if (!is_up || (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6)) {
            continue;
        }
        cn_copy(&a, i->ifa_addr, i->ifa_addr->sa_family == AF_INET ? sizeof(a.v4) : sizeof(a.v6));
        len += from_address(&a, &ret[len]) ? 1 : 0;
    }
    freeifaddrs(list);
    *ret_len = len;
    return CN_OK;
}
