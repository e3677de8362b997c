/*
 * Names, by c-ares on the loop's own descriptors. A query is named in the table of sockets, so
 * cn_net_close gives it up; but c-ares cannot drop one alone, so what it still holds stays in the
 * list, gone for everybody else, until its answer comes.
 *
 * Answers come while c-ares is called; they are told by the loop's next turn.
 */
#include "rt_os/net_dns_internal.h"

#include <sys/epoll.h>

enum {
    QUERIES_MAX = 64,
    TRIES = 3,
    TRY_TIMEOUT_MS = 2000,
    LIMIT_S = 10,
    FRESH_S = 60, /* the system's settings are read again after so long */
};

/* What c-ares wants of a descriptor; nothing: it is about to close it. */
static void watch(void *ctx, int fd, int readable, int writable)
{
    net_dns *dns = ctx;
    net_socket *s = NULL;
    size_t i = 0;
    while (i < dns->sockets_len && dns->sockets[i].fd != fd) {
        i++;
    }
    if (i < dns->sockets_len) {
        s = cn_slots_get(&dns->net->sockets, dns->sockets[i].id);
    } else if (readable == 0 && writable == 0) {
        return;
    } else if (i == CN_DNS_SOCKETS_MAX || cn_net_add_fd(dns->net, fd, NET_DNS, 0, &s) != CN_OK) {
        dns->is_starved = true;
        return;
    } else {
        dns->sockets[i].fd = fd;
        dns->sockets[i].id = s->id;
        dns->sockets_len++;
    }
    if (readable == 0 && writable == 0) {
        dns->sockets[i] = dns->sockets[--dns->sockets_len];
        cn_net_forget(dns->net, s);
        return;
    }
    s->is_paused = readable == 0;
    s->wants_write = writable != 0;
    dns->is_starved = cn_net_watch(dns->net, s) != CN_OK || dns->is_starved;
}

static cn_err open_channel(net_dns *dns, cn_why *why)
{
    cn_cares_options o = {
        .timeout = TRY_TIMEOUT_MS,
        .tries = TRIES,
        .socket_state = watch,
        .socket_state_ctx = dns,
    };
    int status = dns->ares->ares_init_options(
        &dns->channel, &o,
        CN_CARES_OPTION_TRIES | CN_CARES_OPTION_TIMEOUT_MS | CN_CARES_OPTION_SOCKET_STATE);
    if (status == CN_CARES_OK && dns->net->names.servers != NULL) {
        status = dns->ares->ares_set_servers_ports_csv(dns->channel, dns->net->names.servers);
    }
    dns->since = cn_rt_now(dns->net->net.rt);
    return status == CN_CARES_OK ? CN_OK
                                 : cn_why_set(
                                       why, cn_dns_err(status), "the resolver cannot be set up: %s",
                                       dns->ares->ares_strerror(status));
}

static void close_channel(net_dns *dns)
{
    if (dns->channel != NULL) {
        cn_cares *channel = dns->channel;
        dns->channel = NULL;
        dns->ares->ares_destroy(channel);
    }
}

/* The channel, with the system's settings of now where nothing is under way. */
static cn_err ready(net_os *n)
{
    cn_err err = CN_OK;
    net_dns *dns = n->dns;
    if (dns == NULL) {
        const cn_libcares *ares = NULL;
        CN_TRY(cn_libcares_open(&ares, NULL));
        dns = cn_alloc(n->mem, sizeof(*dns));
        if (dns == NULL) {
            return CN_ERR_NO_MEMORY;
        }
        *dns = (net_dns){.net = n, .ares = ares};
        n->dns = dns;
    }
    if (dns->queries_len == 0 &&
        cn_rt_now(n->net.rt).ns > cn_time_after(dns->since, FRESH_S * CN_NS_PER_S).ns) {
        close_channel(dns);
    }
    if (dns->channel == NULL) {
        CN_TRY(open_channel(dns, NULL));
    }
    return CN_OK;
out:
    if (dns != NULL) {
        close_channel(dns);
    }
    return err;
}

static void ask(net_query *q, cn_net_query what)
{
    const cn_libcares *ares = q->dns->ares;
    cn_cares_hints hints = {.flags = CN_CARES_UNSORTED};
    if (cn_dns_is_address(q, what)) {
        return;
    }
    q->is_held = true;
    if (what == CN_NET_QUERY_TXT) {
        ares->ares_query(
            q->dns->channel, q->name, CN_CARES_CLASS_IN, CN_CARES_TYPE_TXT, cn_dns_have_texts, q);
        return;
    }
    hints.family = what == CN_NET_QUERY_IP4   ? AF_INET
                   : what == CN_NET_QUERY_IP6 ? AF_INET6
                                              : AF_UNSPEC;
    ares->ares_getaddrinfo(q->dns->channel, q->name, NULL, &hints, cn_dns_have_ips, q);
}

cn_err cn_os_net_resolve(cn_net *net, cn_net_query what, const char *name, uint64_t tag, cn_id *ret)
{
    cn_err err = CN_OK;
    net_os *n = (net_os *)net;
    net_query *q = NULL;
    size_t len = strlen(name);
    int64_t limit_ns = n->names.limit_ns > 0 ? n->names.limit_ns : LIMIT_S * CN_NS_PER_S;
    if (len == 0 || len > CN_DNS_NAME_MAX_BYTES) {
        return CN_ERR_MALFORMED;
    }
    CN_TRY(ready(n));
    if (n->dns->queries_len == QUERIES_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    n->dns->is_starved = n->dns->is_starved && n->dns->queries_len > 0;
    q = cn_alloc(n->mem, sizeof(*q));
    if (q == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *q = (net_query){.socket = {.kind = NET_QUERY, .fd = -1, .tag = tag}, .dns = n->dns};
    q->deadline = cn_time_after(cn_rt_now(net->rt), limit_ns);
    cn_copy(q->name, name, len);
    err = cn_slots_add(&n->sockets, &q->socket, &q->socket.id);
    if (err != CN_OK) {
        cn_free(n->mem, q);
        return err;
    }
    q->next = n->dns->first;
    n->dns->first = q;
    n->dns->queries_len++;
    ask(q, what);
    *ret = q->socket.id;
out:
    return err;
}

void cn_net_dns_give_up(net_socket *query)
{
    cn_dns_let_go((net_query *)query);
}

void cn_net_dns_ready(net_os *n, const net_socket *s, uint32_t events)
{
    bool in = (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
    bool out = (events & EPOLLOUT) != 0;
    if (n->dns != NULL && n->dns->channel != NULL) {
        n->dns->ares->ares_process_fd(
            n->dns->channel, in ? s->fd : CN_CARES_SOCKET_NONE, out ? s->fd : CN_CARES_SOCKET_NONE);
    }
}

cn_time cn_net_dns_deadline(const net_os *n)
{
    const net_dns *dns = n->dns;
    cn_time at = CN_TIME_NEVER;
    struct timeval tv = {0};
    if (dns == NULL || dns->first == NULL || dns->channel == NULL) {
        return at;
    }
    if (dns->ares->ares_timeout(dns->channel, NULL, &tv) != NULL) {
        at = cn_time_after(
            cn_rt_now(n->net.rt), (int64_t)tv.tv_sec * CN_NS_PER_S + (int64_t)tv.tv_usec * 1000);
    }
    for (const net_query *q = dns->first; q != NULL; q = q->next) {
        cn_time due = q->is_gone ? CN_TIME_NEVER : q->is_done ? (cn_time){0} : q->deadline;
        at = due.ns < at.ns ? due : at;
    }
    return dns->is_starved ? (cn_time){0} : at;
}

/* One that can be told, after the time limit has made some so; NULL: none. */
static net_query *next_done(net_dns *dns, cn_time now)
{
    for (net_query *q = dns->first; q != NULL; q = q->next) {
        if (!q->is_gone && !q->is_done && now.ns >= q->deadline.ns) {
            cn_dns_finish(q, CN_ERR_TIMEOUT, "no answer within the time limit");
        }
        if (!q->is_gone && q->is_done) {
            return q;
        }
    }
    return NULL;
}

/* Answers never come where a socket is not watched. */
static void end_starving(net_dns *dns)
{
    dns->is_starved = false;
    for (net_query *q = dns->first; q != NULL; q = q->next) {
        if (!q->is_gone && !q->is_done) {
            cn_dns_finish(q, CN_ERR_NO_MEMORY, cn_err_sentence(CN_ERR_NO_MEMORY));
        }
    }
    dns->ares->ares_cancel(dns->channel);
}

/* The query goes first, with what it holds taken out of it: the handler may ask and give up others,
 * and c-ares may let go of this one meanwhile. */
static void tell(net_query *q, cn_net_handler handle, void *ctx)
{
    cn_mem *mem = q->dns->net->mem;
    cn_why why = q->why;
    cn_endpoint *ips = q->ips;
    cn_slice *texts = q->texts;
    uint8_t *text_bytes = q->text_bytes;
    cn_net_event e = {
        .kind = CN_NET_RESOLVED,
        .sock = q->socket.id,
        .tag = q->socket.tag,
        .err = q->err,
        .sentence = q->err == CN_OK ? NULL : why.text,
        .ips = ips,
        .texts = texts,
        .answers_len = q->err == CN_OK ? q->answers_len : 0,
    };
    q->ips = NULL;
    q->texts = NULL;
    q->text_bytes = NULL;
    cn_dns_let_go(q);
    handle(ctx, &e);
    cn_free(mem, ips);
    cn_free(mem, texts);
    cn_free(mem, text_bytes);
}

void cn_net_dns_turn(net_os *n, cn_net_handler handle, void *ctx)
{
    net_dns *dns = n->dns;
    net_query *q = NULL;
    if (dns == NULL || dns->first == NULL) {
        return;
    }
    if (dns->channel != NULL) {
        dns->ares->ares_process_fd(
            dns->channel, CN_CARES_SOCKET_NONE, CN_CARES_SOCKET_NONE); /* its timeouts */
        if (dns->is_starved) {
            end_starving(dns);
        }
    }
    cn_time now = cn_rt_now(n->net.rt);
    while ((q = next_done(dns, now)) != NULL) {
        tell(q, handle, ctx);
    }
}

void cn_net_dns_free(net_os *n)
{
    net_dns *dns = n->dns;
    if (dns == NULL) {
        return;
    }
    close_channel(dns); /* lets go of all queries */
    while (dns->first != NULL) {
        net_query *q = dns->first;
        (void)cn_slots_remove(&n->sockets, q->socket.id);
        cn_dns_free_query(q);
    }
    n->dns = NULL;
    cn_free(n->mem, dns);
}
