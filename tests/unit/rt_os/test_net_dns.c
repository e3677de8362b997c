/*
 * Names, asked of a small server on loopback that answers, lies, cuts short, refuses or says
 * nothing, by the first part of the name.
 */
#include "lib/test.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD = 12,
    TYPE_A = 1,
    TYPE_TXT = 16,
    TYPE_AAAA = 28,
    MESSAGE_MAX = 8192,
    LONG_ANSWERS = 60
};

/* The server: one socket of each kind at the same port, served by one thread. */
typedef struct server {
    int udp;
    int tcp;
    uint16_t port;
    atomic_bool is_over;
    atomic_int asked;
    atomic_int asked_by_tcp;
    pthread_t thread;
} server;

typedef struct message {
    uint8_t data[MESSAGE_MAX];
    size_t len;
    size_t question_len; /* name, type, class */
    unsigned type;
    char name[300];
} message;

static void put(message *m, const void *data, size_t len)
{
    if (CHECK(m->len + len <= sizeof(m->data))) {
        cn_copy(m->data + m->len, data, len);
        m->len += len;
    }
}

static void put_number(message *m, unsigned value, size_t len)
{
    for (size_t i = len; i-- > 0;) {
        uint8_t byte = (uint8_t)(value >> 8 * i);
        put(m, &byte, 1);
    }
}

static void put_record(message *m, unsigned type, const void *data, size_t len)
{
    put_number(m, 0xc000 | HEAD, 2); /* the name asked for */
    put_number(m, type, 2);
    put_number(m, 1, 2);
    put_number(m, 60, 4);
    put_number(m, (unsigned)len, 2);
    put(m, data, len);
    unsigned answers = (unsigned)m->data[6] << 8 | m->data[7];
    answers++;
    m->data[6] = (uint8_t)(answers >> 8);
    m->data[7] = (uint8_t)answers;
}

static void read_question(message *m)
{
    size_t at = HEAD;
    size_t to = 0;
    while (at < m->len && m->data[at] != 0 && to + m->data[at] + 1u < sizeof(m->name)) {
        size_t len = m->data[at++];
        cn_copy(m->name + to, m->data + at, len);
        to += len;
        m->name[to++] = '.';
        at += len;
    }
    m->name[to] = '\0';
    m->type = (unsigned)m->data[at + 1] << 8 | m->data[at + 2];
    m->question_len = at + 5 - HEAD;
}

static bool is(const message *m, const char *prefix)
{
    return strncmp(m->name, prefix, strlen(prefix)) == 0;
}

static void put_answers(message *m, bool by_tcp)
{
    static const uint8_t ip4[2][4] = {{192, 0, 2, 1}, {192, 0, 2, 2}};
    static const uint8_t ip6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7};
    static const char joined[] = "\x0b"
                                 "dnsaddr=/ip"
                                 "\x11"
                                 "4/192.0.2.1/tcp/1";
    static const char single[] = "\x05"
                                 "hello";
    if (is(m, "long.") && !by_tcp) {
        m->data[2] |= 2; /* cut short */
    } else if (is(m, "long.")) {
        for (int i = 0; i < LONG_ANSWERS; i++) {
            put_record(m, TYPE_TXT, single, sizeof(single) - 1);
        }
    } else if (m->type == TYPE_A && !is(m, "six.")) {
        put_record(m, TYPE_A, ip4[0], 4);
        put_record(m, TYPE_A, ip4[1], 4);
    } else if (m->type == TYPE_AAAA && !is(m, "four.")) {
        put_record(m, TYPE_AAAA, ip6, 16);
    } else if (m->type == TYPE_TXT) {
        put_record(m, TYPE_TXT, joined, sizeof(joined) - 1);
        put_record(m, TYPE_TXT, single, sizeof(single) - 1);
    }
}

/* From question to answer, in place. */
static void answer(message *m, bool by_tcp)
{
    read_question(m);
    m->len = HEAD + m->question_len;
    m->data[2] = 0x84 | (m->data[2] & 1);
    m->data[3] = is(m, "none.") ? 3 : is(m, "broken.") ? 2 : is(m, "refused.") ? 5 : 0;
    for (size_t i = 6; i < HEAD; i++) {
        m->data[i] = 0;
    }
    if (m->data[3] == 0 && !is(m, "empty.")) {
        put_answers(m, by_tcp);
    }
}

static void send_to(const server *s, const message *m, const struct sockaddr_in *to)
{
    (void)!sendto(s->udp, m->data, m->len, 0, (const struct sockaddr *)to, sizeof(*to));
}

/* Lies come first, then the truth. */
static void serve_udp(server *s)
{
    static message m;
    struct sockaddr_in from = {0};
    socklen_t from_len = sizeof(from);
    ssize_t got = recvfrom(s->udp, m.data, sizeof(m.data), 0, (struct sockaddr *)&from, &from_len);
    if (got < HEAD) {
        return;
    }
    m.len = (size_t)got;
    atomic_fetch_add(&s->asked, 1);
    answer(&m, false);
    if (is(&m, "silent.")) {
        return;
    }
    if (is(&m, "lie.")) {
        message lie = m;
        lie.data[0] ^= 0x55; /* another query's number */
        lie.data[lie.len - 1] = 66;
        send_to(s, &lie, &from);
        lie = m;
        lie.data[HEAD + 1] = 'x'; /* another question */
        lie.data[lie.len - 1] = 66;
        send_to(s, &lie, &from);
    }
    if (is(&m, "junk.")) {
        m.len = HEAD + m.question_len + 3; /* an answer that ends within its first record */
        m.data[7] = 1;
    }
    send_to(s, &m, &from);
}

static void serve_tcp(server *s)
{
    static message m;
    uint8_t head[2] = {0};
    int fd = accept(s->tcp, NULL, NULL);
    if (fd >= 0 && recv(fd, head, 2, MSG_WAITALL) == 2) {
        ssize_t got = recv(fd, m.data, (size_t)head[0] << 8 | head[1], MSG_WAITALL);
        if (got >= HEAD) {
            m.len = (size_t)got;
            atomic_fetch_add(&s->asked_by_tcp, 1);
            answer(&m, true);
            head[0] = (uint8_t)(m.len >> 8);
            head[1] = (uint8_t)m.len;
            (void)!send(fd, head, 2, MSG_NOSIGNAL);
            (void)!send(fd, m.data, m.len, MSG_NOSIGNAL);
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static void *serve(void *ctx)
{
    server *s = ctx;
    while (!atomic_load(&s->is_over)) {
        struct pollfd p[] = {{.fd = s->udp, .events = POLLIN}, {.fd = s->tcp, .events = POLLIN}};
        if (poll(p, 2, 20) > 0) {
            if (p[0].revents != 0) {
                serve_udp(s);
            }
            if (p[1].revents != 0) {
                serve_tcp(s);
            }
        }
    }
    return NULL;
}

static void server_begin(server *s)
{
    *s = (server){.udp = -1, .tcp = -1};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    for (int i = 0; i < 20 && s->tcp < 0; i++) { /* the same port may be taken for the other */
        at.sin_port = 0;
        s->udp = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK(bind(s->udp, (struct sockaddr *)&at, sizeof(at)) == 0);
        CHECK(getsockname(s->udp, (struct sockaddr *)&at, &len) == 0);
        s->tcp = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(s->tcp, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(s->tcp, 8) != 0) {
            (void)close(s->tcp);
            (void)close(s->udp);
            s->tcp = -1;
        }
    }
    CHECK(s->tcp >= 0);
    s->port = ntohs(at.sin_port);
    CHECK(pthread_create(&s->thread, NULL, serve, s) == 0);
}

static void server_end(server *s)
{
    atomic_store(&s->is_over, true);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->udp);
    (void)close(s->tcp);
}

typedef struct world {
    server server;
    char servers[64];
    cn_rt *rt;
    cn_net *net;
    int told;
    cn_id id;
    uint64_t tag;
    cn_err err;
    char sentence[300];
    cn_endpoint ips[8];
    char texts[8][64];
    size_t answers_len;
} world;

static void note(void *ctx, const cn_net_event *e)
{
    world *w = ctx;
    if (!CHECK(e->kind == CN_NET_RESOLVED)) {
        return;
    }
    w->told++;
    w->id = e->sock;
    w->tag = e->tag;
    w->err = e->err;
    w->answers_len = e->answers_len;
    (void)snprintf(w->sentence, sizeof(w->sentence), "%s", e->sentence == NULL ? "" : e->sentence);
    for (size_t i = 0; i < CN_MIN(e->answers_len, CN_LEN(w->ips)); i++) {
        if (e->ips != NULL) {
            w->ips[i] = e->ips[i];
        }
        if (e->texts != NULL) {
            (void)snprintf(
                w->texts[i], sizeof(w->texts[i]), "%.*s", (int)e->texts[i].len,
                (const char *)e->texts[i].data);
        }
    }
}

static void begin(world *w, cn_mem *mem, int64_t limit_ns)
{
    *w = (world){0};
    server_begin(&w->server);
    (void)snprintf(w->servers, sizeof(w->servers), "127.0.0.1:%u", w->server.port);
    CHECK_OK(cn_rt_os_new(1, &w->rt));
    if (mem != NULL) {
        CHECK_OK(cn_rt_os_net_new(w->rt, mem, 128, &w->net, NULL));
        cn_rt_os_net_names(w->net, &(cn_rt_os_names){.servers = w->servers, .limit_ns = limit_ns});
    }
}

static void end(world *w)
{
    cn_rt_os_net_free(w->net);
    cn_rt_os_free(w->rt);
    server_end(&w->server);
}

static void turn(world *w)
{
    cn_time soon = cn_time_after(cn_rt_now(w->rt), 50 * CN_NS_PER_MS);
    CHECK_OK(cn_rt_os_net_poll(w->net, soon, note, w));
}

/* Until `told` answers have come, at most 20 s. */
static bool await(world *w, int told)
{
    cn_time limit = cn_time_after(cn_rt_now(w->rt), 20 * CN_NS_PER_S);
    while (w->told < told) {
        turn(w);
        if (cn_rt_now(w->rt).ns > limit.ns) {
            return CHECK(false);
        }
    }
    return true;
}

static void ask(world *w, cn_net_query what, const char *name)
{
    cn_id id = CN_ID_NONE;
    int told = w->told;
    CHECK_OK(cn_net_resolve(w->net, what, name, 77, &id));
    CHECK_EQ(w->told, told); /* nothing is told from inside a call */
    await(w, told + 1);
    CHECK(cn_id_eq(w->id, id));
    CHECK_EQ(w->tag, 77);
}

static size_t count_ip6(const world *w)
{
    size_t count = 0;
    for (size_t i = 0; i < w->answers_len && i < CN_LEN(w->ips); i++) {
        count += w->ips[i].is_ip6 ? 1 : 0;
        CHECK_EQ(w->ips[i].port, 0);
    }
    return count;
}

static void addresses_come(void)
{
    world w;
    begin(&w, cn_mem_default(), 0);
    ask(&w, CN_NET_QUERY_IP4, "both.test");
    CHECK_OK(w.err);
    CHECK_EQ(w.answers_len, 2);
    CHECK_EQ(w.ips[0].ip[0], 192);
    CHECK_EQ(w.ips[0].ip[3] + w.ips[1].ip[3], 3);
    ask(&w, CN_NET_QUERY_IP6, "both.test");
    CHECK_OK(w.err);
    CHECK_EQ(w.answers_len, 1);
    CHECK(w.ips[0].is_ip6 && w.ips[0].ip[0] == 0x20 && w.ips[0].ip[15] == 7);
    ask(&w, CN_NET_QUERY_IP, "both.test");
    CHECK_OK(w.err);
    CHECK_EQ(w.answers_len, 3);
    CHECK_EQ(count_ip6(&w), 1);
    ask(&w, CN_NET_QUERY_IP, "four.test");
    CHECK_EQ(w.answers_len, 2);
    CHECK_EQ(count_ip6(&w), 0);
    ask(&w, CN_NET_QUERY_IP, "six.test");
    CHECK_EQ(w.answers_len, 1);
    ask(&w, CN_NET_QUERY_IP, "127.1.2.3"); /* needs no server, is told all the same */
    CHECK_OK(w.err);
    CHECK_EQ(w.answers_len, 1);
    CHECK_EQ(w.ips[0].ip[3], 3);
    end(&w);
}

static void texts_come_joined(void)
{
    world w;
    begin(&w, cn_mem_default(), 0);
    ask(&w, CN_NET_QUERY_TXT, "_dnsaddr.both.test");
    CHECK_OK(w.err);
    CHECK_EQ(w.answers_len, 2);
    CHECK_STR(w.texts[0], "dnsaddr=/ip4/192.0.2.1/tcp/1");
    CHECK_STR(w.texts[1], "hello");
    end(&w);
}

static void an_answer_cut_short_is_asked_for_by_tcp(void)
{
    world w;
    begin(&w, cn_mem_default(), 0);
    ask(&w, CN_NET_QUERY_TXT, "long.test");
    CHECK_OK(w.err);
    CHECK_EQ(w.answers_len, LONG_ANSWERS);
    CHECK(atomic_load(&w.server.asked_by_tcp) >= 1);
    end(&w);
}

static void lies_are_not_taken(void)
{
    world w;
    begin(&w, cn_mem_default(), 0);
    ask(&w, CN_NET_QUERY_IP4, "lie.test");
    CHECK_OK(w.err);
    CHECK_EQ(w.answers_len, 2);
    CHECK(w.ips[0].ip[3] != 66 && w.ips[1].ip[3] != 66);
    end(&w);
}

static void what_fails_is_said(void)
{
    static const struct {
        cn_net_query what;
        const char *name;
        cn_err err;
    } cases[] = {
        {CN_NET_QUERY_IP, "none.test", CN_ERR_NOT_FOUND},
        {CN_NET_QUERY_TXT, "none.test", CN_ERR_NOT_FOUND},
        {CN_NET_QUERY_TXT, "empty.test", CN_ERR_NOT_FOUND},
        {CN_NET_QUERY_IP4, "empty.test", CN_ERR_NOT_FOUND},
        {CN_NET_QUERY_TXT, "junk.test", CN_ERR_MALFORMED},
    };
    world w;
    cn_id id = CN_ID_NONE;
    begin(&w, cn_mem_default(), 0);
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        ask(&w, cases[i].what, cases[i].name);
        CHECK_ERR(w.err, cases[i].err);
        CHECK_EQ(w.answers_len, 0);
        CHECK(strncmp(w.sentence, cases[i].name, strlen(cases[i].name)) == 0);
    }
    ask(&w, CN_NET_QUERY_TXT, "broken.test");
    CHECK(w.err != CN_OK);
    ask(&w, CN_NET_QUERY_TXT, "refused.test");
    CHECK(w.err != CN_OK);
    char name[256];
    for (size_t i = 0; i < sizeof(name); i++) {
        name[i] = i == sizeof(name) - 1 ? '\0' : i % 50 == 49 ? '.' : 'a';
    }
    CHECK_ERR(cn_net_resolve(w.net, CN_NET_QUERY_IP, name, 0, &id), CN_ERR_MALFORMED);
    CHECK_ERR(cn_net_resolve(w.net, CN_NET_QUERY_IP, "", 0, &id), CN_ERR_MALFORMED);
    end(&w);
}

static void a_silent_server_is_not_waited_for_for_ever(void)
{
    world w;
    begin(&w, cn_mem_default(), 200 * CN_NS_PER_MS);
    ask(&w, CN_NET_QUERY_IP, "silent.test");
    CHECK_ERR(w.err, CN_ERR_TIMEOUT);
    CHECK(atomic_load(&w.server.asked) > 0);
    ask(&w, CN_NET_QUERY_IP4, "both.test"); /* and others are served beside it */
    CHECK_OK(w.err);
    end(&w);
}

static void an_absent_server_is_noticed(void)
{
    world w;
    begin(&w, cn_mem_default(), 0);
    int fd = socket(AF_INET, SOCK_DGRAM, 0); /* a port that nobody serves, while it is open */
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    CHECK(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    (void)close(fd);
    (void)snprintf(w.servers, sizeof(w.servers), "127.0.0.1:%u", ntohs(at.sin_port));
    ask(&w, CN_NET_QUERY_IP, "both.test");
    CHECK(w.err == CN_ERR_IO || w.err == CN_ERR_TIMEOUT);
    end(&w);
}

static void closing_gives_up(void)
{
    world w;
    cn_id ids[3];
    begin(&w, cn_mem_default(), 0);
    CHECK_OK(cn_net_resolve(w.net, CN_NET_QUERY_IP, "silent.test", 1, &ids[0]));
    CHECK_OK(cn_net_resolve(w.net, CN_NET_QUERY_IP4, "both.test", 2, &ids[1]));
    CHECK_OK(cn_net_resolve(w.net, CN_NET_QUERY_IP4, "127.0.0.1", 3, &ids[2]));
    cn_net_close(w.net, ids[0]);
    cn_net_close(w.net, ids[1]);
    cn_net_close(w.net, ids[2]);
    cn_net_close(w.net, ids[2]);
    ask(&w, CN_NET_QUERY_IP4, "four.test");
    for (int i = 0; i < 4; i++) {
        turn(&w);
    }
    CHECK_EQ(w.told, 1);
    end(&w); /* with one still under way */
}

static void only_so_many_at_once(void)
{
    enum { MAX = 64 };
    world w;
    cn_id ids[MAX];
    cn_id id = CN_ID_NONE;
    begin(&w, cn_mem_default(), 0);
    for (int i = 0; i < MAX; i++) {
        CHECK_OK(cn_net_resolve(w.net, CN_NET_QUERY_IP4, "both.test", 1, &ids[i]));
    }
    CHECK_ERR(cn_net_resolve(w.net, CN_NET_QUERY_IP4, "both.test", 1, &id), CN_ERR_TOO_LARGE);
    await(&w, MAX);
    CHECK_OK(w.err);
    ask(&w, CN_NET_QUERY_IP4, "both.test");
    CHECK_OK(w.err);
    end(&w);
}

static world *memory_world;

static cn_err resolve_once(cn_mem *mem)
{
    cn_err err = CN_OK;
    world *w = memory_world;
    cn_id id = CN_ID_NONE;
    w->told = 0;
    w->net = NULL;
    CN_TRY(cn_rt_os_net_new(w->rt, mem, 128, &w->net, NULL));
    cn_rt_os_net_names(w->net, &(cn_rt_os_names){.servers = w->servers});
    CN_TRY(cn_net_resolve(w->net, CN_NET_QUERY_TXT, "both.test", 1, &id));
    await(w, 1);
    CN_TRY(w->err);
    CN_TRY(cn_net_resolve(w->net, CN_NET_QUERY_IP, "both.test", 1, &id));
    await(w, 2);
    CN_TRY(w->err);
out:
    cn_rt_os_net_free(w->net);
    w->net = NULL;
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    world w;
    begin(&w, NULL, 0);
    memory_world = &w;
    test_out_of_memory(resolve_once);
    end(&w);
}

int main(void)
{
    TEST(addresses_come);
    TEST(texts_come_joined);
    TEST(an_answer_cut_short_is_asked_for_by_tcp);
    TEST(lies_are_not_taken);
    TEST(what_fails_is_said);
    TEST(a_silent_server_is_not_waited_for_for_ever);
    TEST(an_absent_server_is_noticed);
    TEST(closing_gives_up);
    TEST(only_so_many_at_once);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
