/*
 * What the files of the network on Linux share: net.c waits and hands over, net_socket.c makes,
 * reads and writes sockets, net_dns.c asks for names.
 */
#pragma once

#include "rt_os/net.h"

#include <sys/socket.h>

enum {
    CN_NET_BACKLOG = 512,
    CN_NET_ACCEPTS_PER_EVENT = 32,
    CN_NET_POLL_EVENTS = 128,
    CN_NET_NOTSENT_BYTES = 256 << 10, /* unsent in the kernel: pings wait behind no more */
};

typedef enum net_socket_kind {
    NET_LISTENER,
    NET_DIALING,
    NET_STREAM,
    NET_DNS,   /* a socket of the resolver's, which closes it */
    NET_QUERY, /* no socket: a name that is asked for */
} net_socket_kind;

typedef struct net_socket {
    net_socket_kind kind;
    int fd;
    cn_id id;
    uint64_t tag;
    cn_endpoint remote;
    uint32_t watched; /* what epoll watches for; 0: not registered */
    bool is_paused;
    bool wants_write;
} net_socket;

typedef struct net_dns net_dns;

typedef struct net_os {
    cn_net net;
    cn_mem *mem;
    cn_slots sockets;
    int epoll_fd;
    int bell_fd;
    int spare_fd; /* given up for a moment when descriptors run out, to turn callers away */
    net_dns *dns; /* opened with the first query */
    cn_rt_os_names names;
} net_os;

CN_MUST_USE cn_err
cn_net_add_fd(net_os *n, int fd, net_socket_kind kind, uint64_t tag, net_socket **ret);
/* Watch for what the socket's state asks for. */
CN_MUST_USE cn_err cn_net_watch(net_os *n, net_socket *s);
void cn_net_drop(net_os *n, net_socket *s);
/* No longer watch a descriptor that belongs to somebody else. */
void cn_net_forget(net_os *n, net_socket *s);

cn_err cn_os_net_listen(
    cn_net *n, const cn_endpoint *at, uint64_t tag, cn_id *ret, cn_endpoint *ret_at, cn_why *why);
cn_err cn_os_net_dial(cn_net *n, const cn_endpoint *to, uint64_t tag, cn_id *ret, cn_why *why);
cn_err cn_os_net_read(cn_net *n, cn_id sock, uint8_t *data, size_t len, size_t *ret_len);
cn_err
cn_os_net_write(cn_net *n, cn_id sock, const cn_slice *parts, size_t parts_len, size_t *ret_len);
void cn_os_net_retag(cn_net *n, cn_id sock, uint64_t tag);
void cn_os_net_pause(cn_net *n, cn_id sock, bool paused);
void cn_os_net_shutdown(cn_net *n, cn_id sock);
void cn_os_net_close(cn_net *n, cn_id sock);
cn_err cn_os_net_interfaces(cn_net *n, cn_endpoint *ret, size_t max, size_t *ret_len);
/* Accept one; false: nobody waits. The spare descriptor turns away who cannot be served. */
bool cn_os_net_accept(net_os *n, net_socket *listener, cn_net_event *ret, bool *ret_have);
/* A dial has ended one way or the other. */
void cn_os_net_dialled(net_os *n, net_socket *s, cn_net_event *ret);

cn_err cn_os_net_resolve(cn_net *n, cn_net_query what, const char *name, uint64_t tag, cn_id *ret);
/* The query behind an entry of kind NET_QUERY is no longer wanted. */
void cn_net_dns_give_up(net_socket *query);
/* A socket of the resolver's is ready. */
void cn_net_dns_ready(net_os *n, const net_socket *s, uint32_t events);
/* When the resolver wants its turn; and its turn: timeouts, and telling what has come. */
cn_time cn_net_dns_deadline(const net_os *n);
void cn_net_dns_turn(net_os *n, cn_net_handler handle, void *ctx);
/* Before the sockets go. */
void cn_net_dns_free(net_os *n);
