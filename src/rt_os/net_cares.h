/*
 * libcares, opened when a name is first asked for. Only for net_dns.c.
 *
 * The declarations are our own, of what we use, since its headers need not be installed.
 */
#pragma once

#include "base/why.h"

#include <sys/socket.h>
#include <sys/time.h>

typedef struct ares_channeldata cn_cares;

enum {
    CN_CARES_SOCKET_NONE = -1,
    CN_CARES_OPTION_TRIES = 1 << 2,
    CN_CARES_OPTION_SOCKET_STATE = 1 << 9,
    CN_CARES_OPTION_TIMEOUT_MS = 1 << 13,
    CN_CARES_UNSORTED = 1 << 7, /* sorting would open sockets to each address */
    CN_CARES_CLASS_IN = 1,
    CN_CARES_TYPE_TXT = 16,
};

/* What c-ares says of a query. */
enum {
    CN_CARES_OK = 0,
    CN_CARES_NO_DATA = 1,
    CN_CARES_NOT_FOUND = 4,
    CN_CARES_BAD_NAME = 8,
    CN_CARES_BAD_RESPONSE = 10,
    CN_CARES_TIMEOUT = 12,
    CN_CARES_NO_MEMORY = 15,
};

typedef struct cn_cares_options {
    int flags;
    int timeout;
    int tries;
    int ndots;
    unsigned short udp_port;
    unsigned short tcp_port;
    int send_buffer;
    int receive_buffer;
    void *servers;
    int servers_len;
    char **domains;
    int domains_len;
    char *lookups;
    void (*socket_state)(void *ctx, int fd, int readable, int writable);
    void *socket_state_ctx;
    void *sort_list;
    int sort_len;
    int edns_bytes;
    char *resolvconf_path;
} cn_cares_options;

typedef struct cn_cares_node {
    int ttl;
    int flags;
    int family;
    int socket_type;
    int protocol;
    socklen_t address_len;
    struct sockaddr *address;
    struct cn_cares_node *next;
} cn_cares_node;

typedef struct cn_cares_answer {
    void *cnames;
    cn_cares_node *nodes;
    char *name;
} cn_cares_answer;

typedef struct cn_cares_hints {
    int flags;
    int family;
    int socket_type;
    int protocol;
} cn_cares_hints;

typedef struct cn_cares_text {
    struct cn_cares_text *next;
    unsigned char *data;
    size_t len;
    unsigned char is_first; /* of its record; else it goes on */
} cn_cares_text;

/* result, name, arguments */
#define CN_CARES_FUNCTIONS(X)                                                                      \
    X(int, ares_library_init, (int flags))                                                         \
    X(const char *, ares_strerror, (int status))                                                   \
    X(int, ares_init_options, (cn_cares * *channel, cn_cares_options * options, int mask))         \
    X(void, ares_destroy, (cn_cares * channel))                                                    \
    X(void, ares_cancel, (cn_cares * channel))                                                     \
    X(int, ares_set_servers_ports_csv, (cn_cares * channel, const char *servers))                  \
    X(void, ares_getaddrinfo,                                                                      \
      (cn_cares * channel, const char *name, const char *service, const cn_cares_hints *hints,     \
       void (*done)(void *ctx, int status, int timeouts, cn_cares_answer *answer), void *ctx))     \
    X(void, ares_freeaddrinfo, (cn_cares_answer * answer))                                         \
    X(void, ares_query,                                                                            \
      (cn_cares * channel, const char *name, int class, int type,                                  \
       void (*done)(void *ctx, int status, int timeouts, unsigned char *reply, int len),           \
       void *ctx))                                                                                 \
    X(int, ares_parse_txt_reply_ext, (const unsigned char *reply, int len, cn_cares_text **texts)) \
    X(void, ares_free_data, (void *data))                                                          \
    X(struct timeval *, ares_timeout,                                                              \
      (cn_cares * channel, struct timeval * longest, struct timeval * ret))                        \
    X(void, ares_process_fd, (cn_cares * channel, int read_fd, int write_fd))

typedef struct cn_libcares {
#define CN_CARES_MEMBER(result, name, arguments) result(*name) arguments;
    CN_CARES_FUNCTIONS(CN_CARES_MEMBER)
#undef CN_CARES_MEMBER
} cn_libcares;

/*
 * The functions, for the life of the process. Any thread. Errors: UNSUPPORTED (not installed, or
 * too old), NO_MEMORY; with the reason in `why`.
 */
CN_MUST_USE cn_err cn_libcares_open(const cn_libcares **ret, cn_why *why);
