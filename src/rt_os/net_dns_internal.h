/*
 * What the two files of the resolver share. net_dns.c: the channel, its sockets, asking and
 * telling; net_dns_answer.c: what becomes of a query when its answer comes.
 */
#pragma once

#include "rt_os/net_cares.h"
#include "rt_os/net_internal.h"

enum {
    CN_DNS_ANSWERS_MAX = 256,
    CN_DNS_SOCKETS_MAX = 32,
    CN_DNS_NAME_MAX_BYTES = 253,
};

typedef struct net_query {
    net_socket socket; /* first: the table holds it among sockets */
    struct net_query *next;
    struct net_dns *dns;
    char name[CN_DNS_NAME_MAX_BYTES + 1];
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
    } sockets[CN_DNS_SOCKETS_MAX];
    size_t sockets_len;
};

void cn_dns_free_query(net_query *q);
/* Nobody outside knows it any more; it goes when c-ares does not hold it. */
void cn_dns_let_go(net_query *q);
/* It has come to an end; `reason` is for people. */
void cn_dns_finish(net_query *q, cn_err err, const char *reason);
/* An address written out stands for itself; then it has come to its end. */
bool cn_dns_is_address(net_query *q, cn_net_query what);

/* What c-ares calls; `ctx` is the query. */
void cn_dns_have_ips(void *ctx, int status, int timeouts, cn_cares_answer *answer);
void cn_dns_have_texts(void *ctx, int status, int timeouts, unsigned char *reply, int len);
/* The error that a status of c-ares's means. */
cn_err cn_dns_err(int status);
