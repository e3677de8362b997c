/*
 * Requests that wait without a thread: many at once on one thread, answered when rung, in the body
 * too; rung early, rung late, and stopped while they sleep.
 */
#include "http/server.h"
#include "lib/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { WAITERS = 50, PIECES = 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cn_http_waker *waiting[WAITERS]; /* each held by the test */
static int waiting_len;
static bool may_answer;

/* Kept with a request. */
typedef struct ask {
    cn_http_waker *waker;
    int calls;
    int pieces;  /* given of the body */
    bool rested; /* before the next piece */
} ask;

static void release_ask(void *state)
{
    ask *a = state;
    cn_http_waker_release(a->waker);
    cn_free(cn_mem_default(), a);
}

static ask *ask_of(cn_http_request *r)
{
    ask *a = cn_http_state(r);
    if (a == NULL) {
        a = cn_alloc(cn_mem_default(), sizeof *a);
        CHECK_OK(cn_http_waker_new(r, &a->waker));
        cn_http_set_state(r, a, release_ask);
    }
    a->calls++;
    return a;
}

/* Sleeps until the test lets all go. */
static void handle_wait(cn_http_request *r)
{
    cn_http_response *resp = NULL;
    ask *a = ask_of(r);
    (void)pthread_mutex_lock(&lock);
    bool good = may_answer;
    if (!good && a->calls == 1) {
        waiting[waiting_len++] = a->waker;
    }
    (void)pthread_mutex_unlock(&lock);
    if (!good) {
        cn_http_sleep(r, a->waker);
        return;
    }
    CHECK_OK(cn_http_response_bytes(cn_str("came"), &resp));
    cn_http_answer(r, 200, resp);
}

/* Rings before it sleeps: it is called again at once. */
static void handle_early(cn_http_request *r)
{
    cn_http_response *resp = NULL;
    ask *a = ask_of(r);
    if (a->calls < 5) {
        cn_http_wake(a->waker);
        cn_http_sleep(r, a->waker);
        return;
    }
    CHECK_OK(cn_http_response_bytes(cn_str("fifth"), &resp));
    cn_http_answer(r, 200, resp);
}

static void *ring_soon(void *ctx)
{
    (void)usleep(2000);
    cn_http_wake(ctx);
    return NULL;
}

static cn_err read_piece(void *ctx, uint8_t *data, size_t max, size_t *ret_len)
{
    ask *a = ctx;
    pthread_t other;
    CN_UNUSED(max);
    if (a->pieces == PIECES) {
        *ret_len = 0;
        return CN_OK;
    }
    if (!a->rested) {
        a->rested = true;
        if (a->pieces % 2 == 0) {
            cn_http_wake(a->waker);
        } else {
            CHECK_EQ(pthread_create(&other, NULL, ring_soon, a->waker), 0);
            (void)pthread_detach(other);
        }
        return CN_ERR_BUSY;
    }
    a->rested = false;
    data[0] = (uint8_t)('a' + a->pieces++);
    *ret_len = 1;
    return CN_OK;
}

static void handle_body(cn_http_request *r)
{
    cn_http_response *resp = NULL;
    ask *a = ask_of(r);
    const cn_http_pull pull = {
        .size_bytes = CN_HTTP_SIZE_UNKNOWN,
        .piece_bytes = 64,
        .ctx = a,
        .read = read_piece,
        .waker = a->waker,
    };
    CHECK_OK(cn_http_response_pull(cn_mem_default(), &pull, &resp));
    cn_http_answer(r, 200, resp);
}

static cn_http_waker *outlives;

/* Answers at once, and leaves a waker to the test. */
static void handle_keep(cn_http_request *r)
{
    cn_http_response *resp = NULL;
    CHECK_OK(cn_http_waker_new(r, &outlives));
    CHECK_OK(cn_http_response_bytes(cn_str("kept"), &resp));
    cn_http_answer(r, 200, resp);
}

static void handle(void *ctx, cn_http_request *r)
{
    cn_http_response *resp = NULL;
    cn_slice target = cn_http_target(r);
    CN_UNUSED(ctx);
    if (cn_slice_is(target, "/wait")) {
        handle_wait(r);
    } else if (cn_slice_is(target, "/early")) {
        handle_early(r);
    } else if (cn_slice_is(target, "/body")) {
        handle_body(r);
    } else if (cn_slice_is(target, "/keep")) {
        handle_keep(r);
    } else {
        CHECK_OK(cn_http_response_bytes(cn_str("hello"), &resp));
        cn_http_answer(r, 200, resp);
    }
}

static cn_http_server *server;

static void start(void)
{
    cn_listen l = {0};
    cn_http_options o = {.handle = handle, .mem = cn_mem_default(), .threads = 1};
    cn_why why = {{0}};
    waiting_len = 0;
    may_answer = false;
    CHECK_OK(cn_listen_open("/ip4/127.0.0.1/tcp/0", &l, &why));
    CHECK_OK(cn_http_server_start(&o, &l, &server, &why));
}

static int ask_for(const char *target)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct timeval limit = {.tv_sec = 20};
    char request[256];
    to.sin_port = htons(cn_http_server_listen(server)->port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    CHECK_EQ(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    int len = snprintf(
        request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", target);
    CHECK_EQ(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
    return fd;
}

/* Does the answer end so? Closes. */
static bool answers(int fd, const char *end)
{
    char text[8192];
    size_t len = 0;
    for (ssize_t n = 1; n > 0 && len<sizeof text; len += n> 0 ? (size_t)n : 0) {
        n = recv(fd, text + len, sizeof text - len, 0);
    }
    (void)close(fd);
    return cn_slice_ends(cn_slice_of(text, len), cn_str(end));
}

static void wait_for_waiters(int most)
{
    int len = 0;
    for (int i = 0; i < 2000 && len < most; i++) {
        (void)usleep(5000);
        (void)pthread_mutex_lock(&lock);
        len = waiting_len;
        (void)pthread_mutex_unlock(&lock);
    }
    CHECK_EQ(len, most);
}

static void many_wait_on_one_thread(void)
{
    int fds[WAITERS];
    start();
    for (int i = 0; i < WAITERS; i++) {
        fds[i] = ask_for("/wait");
    }
    wait_for_waiters(WAITERS);
    CHECK(answers(ask_for("/hello"), "hello"));
    (void)pthread_mutex_lock(&lock);
    may_answer = true;
    for (int i = 0; i < WAITERS; i++) {
        cn_http_wake(waiting[i]);
        cn_http_wake(waiting[i]);
    }
    (void)pthread_mutex_unlock(&lock);
    for (int i = 0; i < WAITERS; i++) {
        CHECK(answers(fds[i], "came"));
    }
    CHECK(cn_http_server_stop(server, 0));
}

static void rung_before_it_sleeps(void)
{
    start();
    CHECK(answers(ask_for("/early"), "fifth"));
    CHECK(cn_http_server_stop(server, 0));
}

static void a_body_that_comes_in_pieces(void)
{
    start();
    CHECK(answers(ask_for("/body"), "t\r\n0\r\n\r\n"));
    CHECK(cn_http_server_stop(server, 0));
}

static void a_server_stops_over_sleepers(void)
{
    int fds[3];
    start();
    for (size_t i = 0; i < CN_LEN(fds); i++) {
        fds[i] = ask_for("/wait");
    }
    wait_for_waiters((int)CN_LEN(fds));
    CHECK(cn_http_server_stop(server, 0));
    for (size_t i = 0; i < CN_LEN(fds); i++) {
        CHECK(!answers(fds[i], "came"));
    }
}

static void a_waker_outlives_its_request(void)
{
    start();
    CHECK(answers(ask_for("/keep"), "kept"));
    for (int i = 0; i < 2000 && cn_http_server_running(server) > 0; i++) {
        (void)usleep(5000);
    }
    cn_http_wake(outlives);
    cn_http_waker_release(outlives);
    CHECK(cn_http_server_stop(server, 0));
}

int main(void)
{
    TEST(many_wait_on_one_thread);
    TEST(rung_before_it_sleeps);
    TEST(a_body_that_comes_in_pieces);
    TEST(a_server_stops_over_sleepers);
    TEST(a_waker_outlives_its_request);
    return test_end();
}
