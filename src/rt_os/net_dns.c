/*
 * Names, by c-ares on the loop's own descriptors. A query is named in the table of sockets, so
 * cn_net_close gives it up; but c-ares cannot drop one alone, so what it still holds stays in the
 * list, gone for everybody else, until its answer comes.
 *
 * Answers may come from inside any call of c-ares. They are noted with the query and told by the
 * loop's next turn.
 */
#include "rt_os/net_cares.h"
#include "rt_os/net_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>

enum {
    QUERIES_MAX = 64,
    ANSWERS_MAX = 256,
    SOCKETS_MAX = 32,
    NAME_MAX_BYTES = 253,
    TRIES = 3,
    TRY_TIMEOUT_MS = 2000,
    LIMIT_S = 10,
    FRESH_S = 60, /* the system's settings are read again after so long */
};

typedef struct net_query {
    net_socket socket; /* first: the table holds it among sockets */
    struct net_query *next;
    struct net_dns *dns;
    char name[NAME_MAX_BYTES + 1];
    bool is_held; /* by c-ares */
    bool is_done; /* the answer is here */
    bool is_gone; /* told or given up: goes when c-ares lets go of it */
    cn_time deadline;
    cn_err err;
    cn_why why;
    cn_endpoint *ips;
    cn_slice *texts;
    uint8_t *text_bytes;
    size_t answers_len;
} net_query;

struct net_dns {
    net_os *net;
    const cn_libcares *ares;
    cn_cares *channel; /* NULL: none yet */
    cn_time since;
    net_query *first;
    size_t queries_len;
    bool is_starved; /* a socket could not be watched */
    struct {
        int fd;
        cn_id id;
    } sockets[SOCKETS_MAX];
    size_t sockets_len;
};

static void free_query(net_query *q)
{
    net_dns *dns = q->dns;
    cn_mem *mem = dns->net->mem;
    for (net_query **at = &dns->first; *at != NULL; at = &(*at)->next) {
        if (*at == q) {
            *at = q->next;
            dns->queries_len--;
            break;
        }
    }
    cn_free(mem, q->ips);
    cn_free(mem, q->texts);
    cn_free(mem, q->text_bytes);
    cn_free(mem, q);
}

/* Nobody outside knows it any more. */
static void let_go(net_query *q)
{
    (void)cn_slots_remove(&q->dns->net->sockets, q->socket.id);
    q->is_gone = true;
    if (!q->is_held) {
        free_query(q);
    }
}

static cn_err err_of(int status)
{
    switch (status) {
    case CN_CARES_OK:
        return CN_OK;
    case CN_CARES_NO_DATA:
    case CN_CARES_NOT_FOUND:
        return CN_ERR_NOT_FOUND;
    case CN_CARES_BAD_NAME:
    case CN_CARES_BAD_RESPONSE:
        return CN_ERR_MALFORMED;
    case CN_CARES_TIMEOUT:
        return CN_ERR_TIMEOUT;
    case CN_CARES_NO_MEMORY:
        return CN_ERR_NO_MEMORY;
    default:
        return CN_ERR_IO; /* refused, not reached, no such service */
    }
}

static cn_err take_ips(net_query *q, const cn_cares_answer *answer)
{
    size_t len = 0;
    for (const cn_cares_node *n = answer->nodes; n != NULL; n = n->next) {
        len++;
    }
    len = CN_MIN(len, (size_t)ANSWERS_MAX);
    if (len == 0) {
        return CN_ERR_NOT_FOUND;
    }
    q->ips = cn_alloc_array(q->dns->net->mem, len, sizeof(*q->ips));
    if (q->ips == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    for (const cn_cares_node *n = answer->nodes; n != NULL && q->answers_len < len; n = n->next) {
        cn_endpoint *e = &q->ips[q->answers_len];
        *e = (cn_endpoint){.is_ip6 = n->family == AF_INET6};
        if (n->family == AF_INET6) {
            const struct sockaddr_in6 *a = (const void *)n->address;
            cn_copy(e->ip, &a->sin6_addr, 16);
            e->zone = a->sin6_scope_id;
        } else if (n->family == AF_INET) {
            const struct sockaddr_in *a = (const void *)n->address;
            cn_copy(e->ip, &a->sin_addr, 4);
        } else {
            continue;
        }
        q->answers_len++;
    }
    return CN_OK;
}

/* Each record's strings joined, all in one piece of memory. */
static cn_err take_texts(net_query *q, const cn_cares_text *texts)
{
    size_t bytes = 0;
    size_t len = 0;
    for (const cn_cares_text *t = texts; t != NULL; t = t->next) {
        bytes += t->len;
        len += t->is_first != 0 ? 1 : 0;
    }
    len = CN_MIN(len, (size_t)ANSWERS_MAX);
    if (len == 0) {
        return CN_ERR_NOT_FOUND;
    }
    q->texts = cn_alloc_array(q->dns->net->mem, len, sizeof(*q->texts));
    q->text_bytes = cn_alloc(q->dns->net->mem, bytes + 1);
    if (q->texts == NULL || q->text_bytes == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    uint8_t *to = q->text_bytes;
    for (const cn_cares_text *t = texts; t != NULL; t = t->next) {
        if (t->is_first != 0) {
            if (q->answers_len == len) {
                break;
            }
            q->texts[q->answers_len++] = cn_slice_of(to, 0);
        }
        if (q->answers_len > 0) {
            cn_copy(to, t->data, t->len);
            to += t->len;
            q->texts[q->answers_len - 1].len += t->len;
        }
    }
    return CN_OK;
}

static void finish(net_query *q, cn_err err, const char *reason)
{
    q->err = err;
    q->is_done = true;
    if (err != CN_OK) {
        (void)cn_why_set(&q->why, err, "%s: %s", q->name, reason);
    }
}

/* c-ares lets go of the query; false: nobody waits for its answer. */
static bool released(net_query *q)
{
    q->is_held = false;
    if (q->is_gone) {
        free_query(q);
        return false;
    }
    return !q->is_done;
}

static void have_ips(void *ctx, int status, int timeouts, cn_cares_answer *answer)
{
    net_query *q = ctx;
    const cn_libcares *ares = q->dns->ares;
    CN_UNUSED(timeouts);
    if (released(q)) {
        cn_err err = err_of(status);
        const char *reason = ares->ares_strerror(status);
        if (err == CN_OK) {
            err = answer == NULL ? CN_ERR_NOT_FOUND : take_ips(q, answer);
            reason = cn_err_sentence(err);
        }
        finish(q, err, reason);
    }
    if (answer != NULL) {
        ares->ares_freeaddrinfo(answer);
    }
}

static void have_texts(void *ctx, int status, int timeouts, unsigned char *reply, int len)
{
    net_query *q = ctx;
    const cn_libcares *ares = q->dns->ares;
    cn_cares_text *texts = NULL;
    CN_UNUSED(timeouts);
    if (!released(q)) {
        return;
    }
    if (status == CN_CARES_OK) {
        status = ares->ares_parse_txt_reply_ext(reply, len, &texts);
    }
    cn_err err = err_of(status);
    const char *reason = ares->ares_strerror(status);
    if (err == CN_OK) {
        err = take_texts(q, texts);
        reason = cn_err_sentence(err);
    }
    finish(q, err, reason);
    if (texts != NULL) {
        ares->ares_free_data(texts);
    }
}

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
    } else if (i == SOCKETS_MAX || cn_net_add_fd(dns->net, fd, NET_DNS, 0, &s) != CN_OK) {
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
                                       why, err_of(status), "the resolver cannot be set up: %s",
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

/* An address written out stands for itself; c-ares would ask for it. */
static bool is_address(net_query *q, cn_net_query what)
{
    cn_endpoint e = {0};
    bool is_ip4 = what != CN_NET_QUERY_IP6 && inet_pton(AF_INET, q->name, e.ip) == 1;
    e.is_ip6 = !is_ip4 && what != CN_NET_QUERY_IP4 && inet_pton(AF_INET6, q->name, e.ip) == 1;
    if (what == CN_NET_QUERY_TXT || (!is_ip4 && !e.is_ip6)) {
        return false;
    }
    q->ips = cn_alloc_array(q->dns->net->mem, 1, sizeof(*q->ips));
    if (q->ips == NULL) {
        finish(q, CN_ERR_NO_MEMORY, cn_err_sentence(CN_ERR_NO_MEMORY));
        return true;
    }
    q->ips[0] = e;
    q->answers_len = 1;
    finish(q, CN_OK, "");
    return true;
}

static void ask(net_query *q, cn_net_query what)
{
    const cn_libcares *ares = q->dns->ares;
    cn_cares_hints hints = {.flags = CN_CARES_UNSORTED};
    if (is_address(q, what)) {
        return;
    }
    q->is_held = true;
    if (what == CN_NET_QUERY_TXT) {
        ares->ares_query(
            q->dns->channel, q->name, CN_CARES_CLASS_IN, CN_CARES_TYPE_TXT, have_texts, q);
        return;
    }
    hints.family = what == CN_NET_QUERY_IP4   ? AF_INET
                   : what == CN_NET_QUERY_IP6 ? AF_INET6
                                              : AF_UNSPEC;
    ares->ares_getaddrinfo(q->dns->channel, q->name, NULL, &hints, have_ips, q);
}

cn_err cn_os_net_resolve(cn_net *net, cn_net_query what, const char *name, uint64_t tag, cn_id *ret)
{
    cn_err err = CN_OK;
    net_os *n = (net_os *)net;
    net_query *q = NULL;
    size_t len = strlen(name);
    int64_t limit_ns = n->names.limit_ns > 0 ? n->names.limit_ns : LIMIT_S * CN_NS_PER_S;
    if (len == 0 || len > NAME_MAX_BYTES) {
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
    let_go((net_query *)query);
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
            finish(q, CN_ERR_TIMEOUT, "no answer within the time limit");
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
            finish(q, CN_ERR_NO_MEMORY, cn_err_sentence(CN_ERR_NO_MEMORY));
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
    let_go(q);
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
        free_query(q);
    }
    n->dns = NULL;
    cn_free(n->mem, dns);
}
