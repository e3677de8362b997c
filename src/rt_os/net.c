/*
 * The loop's waiting. Each socket is registered with what its state asks for; the bell is an
 * eventfd. An event names its socket by id, so one that was closed by an earlier event of the same
 * batch is passed over.
 */
#include "rt_os/net_internal.h"

#include "rt_os/rt_os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const uint64_t BELL = UINT64_MAX;

static uint64_t pack(cn_id id)
{
    return (uint64_t)id.index << 32 | id.generation;
}

static cn_id unpack(uint64_t packed)
{
    return (cn_id){(uint32_t)(packed >> 32), (uint32_t)packed};
}

static uint32_t wanted(const net_socket *s)
{
    uint32_t read = s->kind == NET_DIALING || s->is_paused ? 0 : (uint32_t)EPOLLIN;
    uint32_t write = s->kind == NET_DIALING || s->wants_write ? (uint32_t)EPOLLOUT : 0;
    return read | write;
}

cn_err cn_net_watch(net_os *n, net_socket *s)
{
    uint32_t events = wanted(s);
    if (events == s->watched) {
        return CN_OK;
    }
    int how = events == 0 ? EPOLL_CTL_DEL : s->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    struct epoll_event e = {.events = events, .data.u64 = pack(s->id)};
    if (epoll_ctl(n->epoll_fd, how, s->fd, &e) != 0) {
        return cn_rt_os_err(errno);
    }
    s->watched = events;
    return CN_OK;
}

cn_err cn_net_add_fd(net_os *n, int fd, net_socket_kind kind, uint64_t tag, net_socket **ret)
{
    cn_err err = CN_OK;
    net_socket *s = cn_alloc(n->mem, sizeof(*s));
    if (s == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *s = (net_socket){.kind = kind, .fd = fd, .tag = tag};
    err = cn_slots_add(&n->sockets, s, &s->id);
    if (err == CN_OK) {
        err = cn_net_watch(n, s);
    }
    if (err != CN_OK) {
        (void)cn_slots_remove(&n->sockets, s->id);
        cn_free(n->mem, s);
        return err;
    }
    *ret = s;
    return CN_OK;
}

void cn_net_forget(net_os *n, net_socket *s)
{
    if (s->watched != 0) {
        (void)epoll_ctl(n->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
    }
    (void)cn_slots_remove(&n->sockets, s->id);
    cn_free(n->mem, s);
}

/* Closing the descriptor takes it out of epoll. */
void cn_net_drop(net_os *n, net_socket *s)
{
    (void)close(s->fd);
    (void)cn_slots_remove(&n->sockets, s->id);
    cn_free(n->mem, s);
}

static void wake(cn_net *net)
{
    const net_os *n = (const net_os *)net;
    uint64_t one = 1;
    ssize_t done = write(n->bell_fd, &one, sizeof(one));
    CN_UNUSED(done); /* a full bell rings already */
}

static const cn_net_ops ops = {
    .listen = cn_os_net_listen,
    .dial = cn_os_net_dial,
    .read = cn_os_net_read,
    .write = cn_os_net_write,
    .retag = cn_os_net_retag,
    .pause = cn_os_net_pause,
    .shutdown = cn_os_net_shutdown,
    .close = cn_os_net_close,
    .resolve = cn_os_net_resolve,
    .wake = wake,
    .interfaces = cn_os_net_interfaces,
};

cn_err cn_rt_os_net_new(cn_rt *rt, cn_mem *mem, size_t sockets_max, cn_net **ret, cn_why *why)
{
    net_os *n = cn_alloc(mem, sizeof(*n));
    if (n == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *n = (net_os){.net = {&ops, rt}, .mem = mem};
    cn_slots_init(&n->sockets, mem, sockets_max);
    n->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    n->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    n->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = BELL};
    bool good = n->epoll_fd >= 0 && n->bell_fd >= 0 && n->spare_fd >= 0 &&
                epoll_ctl(n->epoll_fd, EPOLL_CTL_ADD, n->bell_fd, &e) == 0;
    if (!good) {
        int error = errno;
        cn_rt_os_net_free(&n->net);
        return cn_why_set(
            why, cn_rt_os_err(error), "cannot set up the network loop: %s", strerror(error));
    }
    *ret = &n->net;
    return CN_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

void cn_rt_os_net_names(cn_net *net, const cn_rt_os_names *names)
{
    ((net_os *)net)->names = *names;
}

void cn_rt_os_net_free(cn_net *net)
{
    net_os *n = (net_os *)net;
    if (n == NULL) {
        return;
    }
    cn_net_dns_free(n);
    size_t position = 0;
    cn_id id = CN_ID_NONE;
    net_socket *s = NULL;
    while ((s = cn_slots_next(&n->sockets, &position, &id)) != NULL) {
        cn_net_drop(n, s);
    }
    cn_slots_release(&n->sockets);
    close_fd(n->epoll_fd);
    close_fd(n->bell_fd);
    close_fd(n->spare_fd);
    cn_free(n->mem, n);
}

static void ring(net_os *n, cn_net_handler handle, void *ctx)
{
    uint64_t count = 0;
    ssize_t done = read(n->bell_fd, &count, sizeof(count));
    CN_UNUSED(done);
    cn_net_event e = {.kind = CN_NET_WOKEN};
    handle(ctx, &e);
}

static void hand_over_callers(net_os *n, cn_id id, cn_net_handler handle, void *ctx)
{
    for (int i = 0; i < CN_NET_ACCEPTS_PER_EVENT; i++) {
        net_socket *listener = cn_slots_get(&n->sockets, id);
        cn_net_event e = {0};
        bool have = false;
        if (listener == NULL || !cn_os_net_accept(n, listener, &e, &have)) {
            return;
        }
        if (have) {
            handle(ctx, &e);
        }
    }
}

static void hand_over(net_os *n, const struct epoll_event *got, cn_net_handler handle, void *ctx)
{
    cn_id id = unpack(got->data.u64);
    net_socket *s = cn_slots_get(&n->sockets, id);
    if (s == NULL) {
        return;
    }
    if (s->kind == NET_LISTENER) {
        hand_over_callers(n, id, handle, ctx);
        return;
    }
    if (s->kind == NET_DNS) {
        cn_net_dns_ready(n, s, got->events);
        return;
    }
    cn_net_event e = {.sock = id, .tag = s->tag};
    if (s->kind == NET_DIALING) {
        cn_os_net_dialled(n, s, &e);
        handle(ctx, &e);
        return;
    }
    if ((got->events & EPOLLOUT) != 0 && s->wants_write) {
        s->wants_write = false;
        (void)!cn_net_watch(n, s);
        e.kind = CN_NET_WRITABLE;
        handle(ctx, &e);
        s = cn_slots_get(&n->sockets, id);
    }
    /* One that broke is told of even when paused: epoll would say so again and again. */
    uint32_t told = EPOLLHUP | EPOLLERR | (s == NULL || s->is_paused ? 0 : (uint32_t)EPOLLIN);
    if (s != NULL && (got->events & told) != 0) {
        e.kind = CN_NET_READABLE;
        handle(ctx, &e);
    }
}

/* Milliseconds until `deadline`, rounded up so that the loop does not turn for nothing. */
static int wait_ms(cn_net *n, cn_time deadline)
{
    if (deadline.ns == CN_TIME_NEVER.ns) {
        return -1;
    }
    int64_t now_ns = cn_rt_now(n->rt).ns;
    if (deadline.ns <= now_ns) {
        return 0; /* looked at before the difference, which may not fit */
    }
    uint64_t left_ns = (uint64_t)deadline.ns - (uint64_t)now_ns;
    uint64_t left_ms = (left_ns - 1) / CN_NS_PER_MS + 1;
    return (int)CN_MIN(left_ms, (uint64_t)(3600 * 1000));
}

cn_err cn_rt_os_net_poll(cn_net *net, cn_time deadline, cn_net_handler handle, void *ctx)
{
    net_os *n = (net_os *)net;
    struct epoll_event got[CN_NET_POLL_EVENTS];
    cn_time dns = cn_net_dns_deadline(n);
    deadline = dns.ns < deadline.ns ? dns : deadline;
    int len = epoll_wait(n->epoll_fd, got, CN_NET_POLL_EVENTS, wait_ms(net, deadline));
    if (len < 0) {
        return errno == EINTR ? CN_OK : cn_rt_os_err(errno);
    }
    for (int i = 0; i < len; i++) {
        if (got[i].data.u64 == BELL) {
            ring(n, handle, ctx);
        } else {
            hand_over(n, &got[i], handle, ctx);
        }
    }
    cn_net_dns_turn(n, handle, ctx);
    return CN_OK;
}
