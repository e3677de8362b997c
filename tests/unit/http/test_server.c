/*
 * The server over real sockets on loopback: small answers, pull bodies, streams with bodies both
 * ways, trailers, rubbish, stopping with open connections.
 */
#include "base/time.h"
#include "http/stream.h"
#include "lib/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef struct counter {
    uint64_t left;
} counter;

static cn_err pull_zeros(void *ctx, uint8_t *data, size_t max, size_t *ret_len)
{
    counter *c = ctx;
    size_t len = (size_t)CN_MIN((uint64_t)max, c->left);
    for (size_t i = 0; i < len; i++) {
        data[i] = 'z';
    }
    c->left -= len;
    *ret_len = len;
    return CN_OK;
}

static void counter_free(void *ctx)
{
    cn_free(cn_mem_default(), ctx);
}

/* Sends the body back, then a trailer. */
static void echo(void *ctx, cn_http_stream *s)
{
    uint8_t piece[4096];
    size_t len = 1;
    CN_UNUSED(ctx);
    (void)!cn_http_response_header(cn_http_stream_response(s), "X-Echo", "1");
    cn_http_stream_begin(s, 200);
    while (len > 0) {
        len = 0;
        if (cn_http_stream_read(s, piece, sizeof piece, &len) != CN_OK ||
            cn_http_stream_write(s, cn_slice_of(piece, len)) != CN_OK) {
            cn_http_stream_abort(s);
            return;
        }
    }
    cn_http_stream_end(s, "X-Stream-Error", "said last");
}

/* Never answers by itself. */
static void discard(void *ctx)
{
    CN_UNUSED(ctx);
}

static void hang(void *ctx, cn_http_stream *s)
{
    const atomic_bool *gone = cn_http_stream_cancel_flag(s);
    CN_UNUSED(ctx);
    while (!atomic_load(gone)) {
        (void)usleep(1000);
    }
    cn_http_stream_begin(s, 200);
    cn_http_stream_abort(s);
}

/* Ends without having begun, as a request does whose headers found no memory. */
static void end_at_once(void *ctx, cn_http_stream *s)
{
    CN_UNUSED(ctx);
    cn_http_stream_end(s, "X-Stream-Error", "never begun");
}

static void handle(void *ctx, cn_http_request *r)
{
    cn_http_response *resp = NULL;
    cn_slice target = cn_http_target(r);
    CN_UNUSED(ctx);
    if (cn_slice_is(target, "/echo")) {
        CHECK_OK(cn_http_stream_start(r, &(cn_http_task){echo, discard, NULL}));
        return;
    }
    if (cn_slice_is(target, "/hang")) {
        CHECK_OK(cn_http_stream_start(r, &(cn_http_task){hang, discard, NULL}));
        return;
    }
    if (cn_slice_is(target, "/never")) {
        CHECK_OK(cn_http_stream_start(r, &(cn_http_task){end_at_once, discard, NULL}));
        return;
    }
    if (cn_slice_is(target, "/zeros") || cn_slice_is(target, "/chunked")) {
        counter *c = cn_alloc(cn_mem_default(), sizeof *c);
        c->left = 3000000;
        cn_http_pull pull = {
            .size_bytes = cn_slice_is(target, "/zeros") ? 3000000 : CN_HTTP_SIZE_UNKNOWN,
            .piece_bytes = 65536,
            .ctx = c,
            .read = pull_zeros,
            .free = counter_free,
        };
        CHECK_OK(cn_http_response_pull(cn_mem_default(), &pull, &resp));
    } else if (cn_slice_is(target, "/a%20b?x=%41")) {
        CHECK_OK(cn_http_response_bytes(cn_str("raw target"), &resp));
    } else {
        CHECK_OK(cn_http_response_bytes(cn_str("hello"), &resp));
    }
    cn_http_answer(r, 200, resp);
}

static cn_http_server *server;

static void start(void)
{
    cn_listen l = {0};
    cn_http_options o = {.handle = handle, .mem = cn_mem_default(), .threads = 2};
    cn_why why = {0};
    CHECK_OK(cn_listen_open("/ip4/127.0.0.1/tcp/0", &l, &why));
    CHECK_OK(cn_http_server_start(&o, &l, &server, &why));
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct timeval limit = {.tv_sec = 5};
    to.sin_port = htons(cn_http_server_listen(server)->port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    CHECK_EQ(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* Send, read until the peer closes (requests say Connection: close), append to `ret`. */
static void ask(const char *request, cn_buf *ret)
{
    int fd = dial();
    size_t len = strlen(request);
    CHECK_EQ(send(fd, request, len, MSG_NOSIGNAL), (long long)len);
    for (;;) {
        uint8_t piece[8192];
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n <= 0) {
            break;
        }
        CHECK_OK(cn_buf_append(ret, cn_slice_of(piece, (size_t)n)));
    }
    (void)close(fd);
}

static bool holds(const cn_buf *b, const char *text)
{
    cn_slice s = cn_buf_slice(b);
    for (; s.len > 0; s = cn_slice_skip(s, 1)) {
        if (cn_slice_starts(s, cn_str(text))) {
            return true;
        }
    }
    return false;
}

static void check_answer(const char *request, const char *head, const char *tail)
{
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), 8 << 20);
    ask(request, &b);
    CHECK(cn_slice_starts(cn_buf_slice(&b), cn_str(head)));
    if (!CHECK(cn_slice_ends(cn_buf_slice(&b), cn_str(tail)))) {
        (void)fprintf(stderr, "got: %.*s\n", (int)CN_MIN(b.len, (size_t)400), (const char *)b.data);
    }
    cn_buf_release(&b);
}

static void small_answers(void)
{
    start();
    check_answer("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "hello");
    check_answer("GET / HTTP/1.0\r\n\r\n", "HTTP/1.", "hello");
    check_answer(
        "GET /a%20b?x=%41 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200",
        "raw target");
    check_answer(
        "GET http://h:1/a%20b?x=%41 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200", "raw target");
    check_answer(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200", "hello");
    /* two requests in one packet, the second closes */
    check_answer(
        "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /a%20b?x=%41 HTTP/1.1\r\nHost: x\r\nConnection: "
        "close\r\n\r\n",
        "HTTP/1.1 200", "raw target");
    CHECK(cn_http_server_stop(server, CN_NS_PER_S));
}

static void pull_bodies(void)
{
    cn_buf b;
    start();
    cn_buf_init(&b, cn_mem_default(), 8 << 20);
    ask("GET /zeros HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &b);
    CHECK(holds(&b, "Content-Length: 3000000\r\n"));
    CHECK(b.len > 3000000 && b.len < 3001000);
    cn_buf_reset(&b);
    ask("GET /chunked HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &b);
    CHECK(holds(&b, "Transfer-Encoding: chunked\r\n"));
    CHECK(b.len > 3000000);
    CHECK(cn_slice_ends(cn_buf_slice(&b), cn_str("0\r\n\r\n")));
    cn_buf_release(&b);
    CHECK(cn_http_server_stop(server, CN_NS_PER_S));
}

static void streams_carry_bodies_both_ways(void)
{
    start();
    check_answer(
        "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200", "3\r\nabc\r\n0\r\nX-Stream-Error: said last\r\n\r\n");
    check_answer(
        "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: "
        "chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        "HTTP/1.1 200", "3\r\nabc\r\n0\r\nX-Stream-Error: said last\r\n\r\n");
    check_answer(
        "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200",
        "\r\n0\r\nX-Stream-Error: said last\r\n\r\n");
    CHECK(cn_http_server_stop(server, CN_NS_PER_S));
}

/* Larger than all rings: 5 MiB there and back. */
static void a_large_body_is_echoed(void)
{
    enum { SIZE = 5 << 20 };
    cn_buf b;
    cn_buf request;
    const char *text = NULL;
    start();
    cn_buf_init(&b, cn_mem_default(), 8 << 20);
    cn_buf_init(&request, cn_mem_default(), 8 << 20);
    CHECK_OK(cn_buf_printf(
        &request,
        "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", SIZE));
    for (size_t i = 0; i < SIZE; i++) {
        CHECK_OK(cn_buf_byte(&request, (uint8_t)('a' + i % 26)));
    }
    CHECK_OK(cn_buf_cstr(&request, &text));
    ask(text, &b);
    CHECK(b.len > SIZE);
    CHECK(cn_slice_ends(cn_buf_slice(&b), cn_str("0\r\nX-Stream-Error: said last\r\n\r\n")));
    cn_buf_release(&b);
    cn_buf_release(&request);
    CHECK(cn_http_server_stop(server, CN_NS_PER_S));
}

static void rubbish_does_no_harm(void)
{
    static const char *const tries[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\x16\x03\x01\x02",
        "GET / HTTP/1.1\r\n: x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: 100\r\n\r\nshort",
    };
    start();
    for (size_t i = 0; i < CN_LEN(tries); i++) {
        int fd = dial();
        (void)send(fd, tries[i], strlen(tries[i]), MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
        uint8_t piece[512];
        (void)recv(fd, piece, sizeof piece, 0);
        (void)close(fd);
    }
    cn_buf big;
    cn_buf answer;
    const char *text = NULL;
    cn_buf_init(&big, cn_mem_default(), 1 << 20);
    cn_buf_init(&answer, cn_mem_default(), 1 << 20);
    CHECK_OK(cn_buf_text(&big, "GET / HTTP/1.1\r\nX: "));
    for (int i = 0; i < 200000; i++) {
        CHECK_OK(cn_buf_byte(&big, 'x'));
    }
    CHECK_OK(cn_buf_text(&big, "\r\n\r\n"));
    CHECK_OK(cn_buf_cstr(&big, &text));
    int fd = dial();
    (void)send(fd, text, big.len, MSG_NOSIGNAL);
    (void)close(fd);
    cn_buf_release(&big);
    cn_buf_release(&answer);
    check_answer("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "hello");
    CHECK(cn_http_server_stop(server, CN_NS_PER_S));
}

/* A busy machine takes its time; what is not ended at once is ended after 30 s. */
enum { LIMIT_MS = 20000 };

static int64_t ms_now(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A byte each 100 ms: never idle, and still ended. */
static void a_header_has_its_time(void)
{
    cn_listen l = {0};
    cn_http_options o = {
        .handle = handle, .mem = cn_mem_default(), .threads = 1, .header_timeout_s = 1};
    cn_why why = {0};
    CHECK_OK(cn_listen_open("/ip4/127.0.0.1/tcp/0", &l, &why));
    CHECK_OK(cn_http_server_start(&o, &l, &server, &why));
    for (int line = 0; line < 2; line++) {
        int fd = dial();
        int64_t begin = ms_now();
        const char *head = line == 0 ? "GE" : "GET / HTTP/1.1\r\nX: ";
        CHECK(send(fd, head, strlen(head), MSG_NOSIGNAL) > 0);
        while (send(fd, "x", 1, MSG_NOSIGNAL) == 1 && ms_now() - begin < LIMIT_MS) {
            (void)usleep(100000);
        }
        CHECK(ms_now() - begin >= 900);
        CHECK(ms_now() - begin < LIMIT_MS);
        (void)close(fd);
    }
    CHECK(cn_http_server_stop(server, CN_NS_PER_S));
}

/* Whether the end comes with the last bytes is chance, so many try it. */
static void an_ended_client_is_let_go(void)
{
    static const char *const tries[] = {
        "GET / HT", "\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"};
    int fds[150];
    uint8_t piece[512];
    start();
    int64_t begin = ms_now();
    for (size_t i = 0; i < CN_LEN(fds); i++) {
        const char *text = tries[i % CN_LEN(tries)];
        fds[i] = dial();
        CHECK(send(fds[i], text, strlen(text), MSG_NOSIGNAL) > 0);
        CHECK_EQ(shutdown(fds[i], SHUT_WR), 0);
    }
    for (size_t i = 0; i < CN_LEN(fds); i++) {
        while (recv(fds[i], piece, sizeof piece, 0) > 0) {
        }
        (void)close(fds[i]);
    }
    CHECK(ms_now() - begin < LIMIT_MS);
    CHECK(cn_http_server_stop(server, CN_NS_PER_S));
}

/* Until so many requests are being worked on. */
static void await_running(size_t count)
{
    int64_t begin = ms_now();
    while (cn_http_server_running(server) != count && ms_now() - begin < LIMIT_MS) {
        (void)usleep(1000);
    }
    CHECK_EQ(cn_http_server_running(server), count);
}

static void stops_with_open_connections(void)
{
    int fds[20];
    start();
    for (size_t i = 0; i < CN_LEN(fds); i++) {
        const char *request = i % 2 == 0 ? "POST /hang HTTP/1.1\r\nHost: x\r\n\r\n" : "GET / HT";
        fds[i] = dial();
        CHECK(send(fds[i], request, strlen(request), MSG_NOSIGNAL) > 0);
    }
    await_running(10);
    int64_t begin = ms_now();
    (void)!cn_http_server_stop(server, 100 * CN_NS_PER_MS);
    CHECK(ms_now() - begin < LIMIT_MS);
    for (size_t i = 0; i < CN_LEN(fds); i++) {
        (void)close(fds[i]);
    }
}

/* The line is cut; neither the client nor the stop waits for an answer. */
static void an_answer_that_never_began_is_cut(void)
{
    start();
    for (int i = 0; i < 20; i++) {
        const char *request =
            i % 2 == 0 ? "GET /never HTTP/1.1\r\nHost: x\r\n\r\n"
                       : "POST /never HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
        uint8_t piece[64];
        int fd = dial();
        CHECK(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0);
        CHECK(recv(fd, piece, sizeof piece, 0) <= 0);
        (void)close(fd);
    }
    CHECK(cn_http_server_stop(server, CN_NS_PER_S));
}

/* Eight times as many threads as work may wait for clients; then the longest is cut for the next.
 */
static void the_client_stalled_longest_is_cut(void)
{
    enum { THREADS = 9, PART = 70 << 10 };
    static const char head[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    static char part[PART];
    cn_listen l = {0};
    cn_http_options o = {
        .handle = handle,
        .mem = cn_mem_default(),
        .threads = 1,
        .streams_max = 1,
        .stalled_timeout_s = 1};
    cn_why why = {0};
    int fds[THREADS];
    struct timeval limit = {.tv_sec = LIMIT_MS / 1000};
    uint8_t byte = 0;
    CHECK_OK(cn_listen_open("/ip4/127.0.0.1/tcp/0", &l, &why));
    CHECK_OK(cn_http_server_start(&o, &l, &server, &why));
    for (size_t i = 0; i < CN_LEN(fds); i++) {
        fds[i] = dial();
        CHECK(send(fds[i], head, sizeof head - 1, MSG_NOSIGNAL) > 0);
        CHECK_EQ(send(fds[i], part, sizeof part, MSG_NOSIGNAL), PART);
        await_running(i + 1);
        (void)usleep(60000); /* time for its thread to leave its place, so that the next gets one */
    }
    check_answer(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
        "HTTP/1.1 200", "X-Stream-Error: said last\r\n\r\n");
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    while (recv(fds[0], &byte, 1, 0) > 0) {
    }
    CHECK(errno != EAGAIN); /* the first was cut: end or reset */
    await_running(THREADS - 1);
    for (size_t i = 0; i < CN_LEN(fds); i++) {
        (void)close(fds[i]);
    }
    CHECK(cn_http_server_stop(server, CN_NS_PER_S));
}

static void a_client_that_leaves_cancels(void)
{
    start();
    int fd = dial();
    const char *request = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc";
    CHECK(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0);
    await_running(1);
    (void)close(fd);
    await_running(0);
    CHECK(cn_http_server_stop(server, CN_NS_PER_S));
}

static void addresses(void)
{
    cn_listen a = {0};
    cn_listen b = {0};
    cn_why why = {0};
    char unix_address[256];
    CHECK_ERR(cn_listen_open("127.0.0.1:80", &a, &why), CN_ERR_MALFORMED);
    CHECK_ERR(cn_listen_open("/ip4/127.0.0.1/udp/80", &a, &why), CN_ERR_UNSUPPORTED);
    CHECK_ERR(cn_listen_open("/ip4/127.0.0.1/tcp/70000", &a, &why), CN_ERR_MALFORMED);
    CHECK_ERR(cn_listen_open("/ip4/1.2.3/tcp/1", &a, &why), CN_ERR_MALFORMED);
    CHECK_OK(cn_listen_open("/ip4/127.0.0.1/tcp/0", &a, &why));
    CHECK(a.port != 0);
    CHECK_ERR(cn_listen_open(a.multiaddr, &b, &why), CN_ERR_BUSY);
    cn_listen_close(&a);
    CHECK_OK(cn_listen_open("/ip6/::1/tcp/0/http", &a, &why));
    CHECK(cn_slice_starts(cn_str(a.url), cn_str("http://[::1]:")));
    cn_listen_close(&a);
    (void)snprintf(unix_address, sizeof unix_address, "/unix%s/s", test_temp_dir());
    CHECK_OK(cn_listen_open(unix_address, &a, &why));
    CHECK_STR(a.multiaddr, unix_address);
    CHECK_ERR(cn_listen_open(unix_address, &b, &why), CN_ERR_BUSY);
    cn_listen_close(&a);
}

int main(void)
{
    TEST(addresses);
    TEST(small_answers);
    TEST(pull_bodies);
    TEST(streams_carry_bodies_both_ways);
    TEST(a_large_body_is_echoed);
    TEST(rubbish_does_no_harm);
    TEST(an_answer_that_never_began_is_cut);
    TEST(the_client_stalled_longest_is_cut);
    TEST(a_client_that_leaves_cancels);
    TEST(a_header_has_its_time);
    TEST(an_ended_client_is_let_go);
    TEST(stops_with_open_connections);
    return test_end();
}
