/*
 * The network loop on loopback: dial, accept, both directions, ends, refusals, pauses, the bell.
 */
#include "lib/test.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

enum { SEEN_MAX = 64 };

typedef struct world {
    cn_rt *rt;
    cn_net *net;
    cn_net_event seen[SEEN_MAX];
    size_t seen_len;
} world;

static void note(void *ctx, const cn_net_event *event)
{
    world *w = ctx;
    if (w->seen_len < SEEN_MAX) {
        w->seen[w->seen_len++] = *event;
    }
}

static void begin(world *w)
{
    *w = (world){0};
    CHECK_OK(cn_rt_os_new(1, &w->rt));
    CHECK_OK(cn_rt_os_net_new(w->rt, cn_mem_default(), 16, &w->net, NULL));
}

static void end(world *w)
{
    cn_rt_os_net_free(w->net);
    cn_rt_os_free(w->rt);
}

/* Poll until an event of `kind` has been seen (at most 20 s); it is taken out. */
static bool await(world *w, cn_net_kind kind, cn_net_event *ret)
{
    cn_time limit = cn_time_after(cn_rt_now(w->rt), 20 * CN_NS_PER_S);
    for (;;) {
        for (size_t i = 0; i < w->seen_len; i++) {
            if (w->seen[i].kind == kind) {
                *ret = w->seen[i];
                w->seen[i] = w->seen[--w->seen_len];
                return true;
            }
        }
        if (cn_rt_now(w->rt).ns > limit.ns) {
            return CHECK(false);
        }
        cn_time soon = cn_time_after(cn_rt_now(w->rt), 100 * CN_NS_PER_MS);
        CHECK_OK(cn_rt_os_net_poll(w->net, soon, note, w));
    }
}

static const cn_endpoint LOOPBACK = {.ip = {127, 0, 0, 1}};

static void join(world *w, cn_id *ret_a, cn_id *ret_b)
{
    cn_id listener = CN_ID_NONE;
    cn_endpoint at = {0};
    cn_net_event opened = {0};
    cn_net_event accepted = {0};
    CHECK_OK(cn_net_listen(w->net, &LOOPBACK, 7, &listener, &at, NULL));
    CHECK(at.port != 0);
    CHECK_OK(cn_net_dial(w->net, &at, 8, ret_a, NULL));
    await(w, CN_NET_OPENED, &opened);
    CHECK_EQ(opened.tag, 8);
    CHECK(cn_endpoint_eq(&opened.remote, &at));
    await(w, CN_NET_ACCEPTED, &accepted);
    CHECK_EQ(accepted.tag, 7);
    CHECK(cn_id_eq(accepted.listener, listener));
    CHECK(cn_endpoint_eq(&accepted.remote, &opened.local));
    *ret_b = accepted.sock;
    cn_net_close(w->net, listener);
}

static void bytes_pass_and_end(void)
{
    world w;
    cn_id a = CN_ID_NONE;
    cn_id b = CN_ID_NONE;
    uint8_t got[16] = {0};
    size_t len = 0;
    cn_net_event e = {0};
    begin(&w);
    join(&w, &a, &b);
    cn_slice parts[] = {cn_str("hel"), cn_str("lo")};
    CHECK_OK(cn_net_write(w.net, a, parts, 2, &len));
    CHECK_EQ(len, 5);
    await(&w, CN_NET_READABLE, &e);
    CHECK_OK(cn_net_read(w.net, b, got, sizeof(got), &len));
    CHECK_BYTES(cn_slice_of(got, len), cn_str("hello"));
    CHECK_OK(cn_net_read(w.net, b, got, sizeof(got), &len));
    CHECK_EQ(len, 0);
    cn_net_shutdown(w.net, a);
    w.seen_len = 0;
    await(&w, CN_NET_READABLE, &e);
    CHECK_ERR(cn_net_read(w.net, b, got, sizeof(got), &len), CN_ERR_CLOSED);
    CHECK_OK(cn_net_write(w.net, b, parts, 1, &len));
    cn_net_close(w.net, a);
    CHECK_ERR(cn_net_read(w.net, a, got, sizeof(got), &len), CN_ERR_CLOSED);
    end(&w);
}

static void a_refused_dial_says_so(void)
{
    world w;
    cn_id listener = CN_ID_NONE;
    cn_id dial = CN_ID_NONE;
    cn_endpoint at = {0};
    cn_net_event e = {0};
    begin(&w);
    CHECK_OK(cn_net_listen(w.net, &LOOPBACK, 0, &listener, &at, NULL));
    CHECK_ERR(cn_net_listen(w.net, &at, 0, &dial, NULL, NULL), CN_ERR_BUSY);
    cn_net_close(w.net, listener);
    CHECK_OK(cn_net_dial(w.net, &at, 3, &dial, NULL));
    await(&w, CN_NET_FAILED, &e);
    CHECK(cn_id_eq(e.sock, dial));
    CHECK_ERR(e.err, CN_ERR_CLOSED);
    end(&w);
}

static void a_full_socket_tells_when_it_has_room(void)
{
    world w;
    cn_id a = CN_ID_NONE;
    cn_id b = CN_ID_NONE;
    static uint8_t block[1 << 20];
    size_t len = sizeof(block);
    uint64_t put = 0;
    uint64_t got = 0;
    cn_net_event e = {0};
    begin(&w);
    join(&w, &a, &b);
    cn_net_pause(w.net, b, true);
    cn_slice part = cn_slice_of(block, sizeof(block));
    while (len == sizeof(block)) {
        CHECK_OK(cn_net_write(w.net, a, &part, 1, &len));
        put += len;
    }
    w.seen_len = 0;
    CHECK_OK(cn_rt_os_net_poll(w.net, cn_rt_now(w.rt), note, &w));
    CHECK_EQ(w.seen_len, 0);
    cn_net_pause(w.net, b, false);
    while (got < put) {
        CHECK_OK(cn_net_read(w.net, b, block, sizeof(block), &len));
        got += len;
        if (len == 0) {
            CHECK_OK(
                cn_rt_os_net_poll(w.net, cn_time_after(cn_rt_now(w.rt), CN_NS_PER_S), note, &w));
        }
    }
    await(&w, CN_NET_WRITABLE, &e);
    CHECK(cn_id_eq(e.sock, a));
    end(&w);
}

static void *ring(void *ctx)
{
    cn_net_wake(ctx);
    return NULL;
}

static void another_thread_wakes_it(void)
{
    world w;
    pthread_t thread;
    cn_net_event e = {0};
    begin(&w);
    CHECK_EQ(pthread_create(&thread, NULL, ring, w.net), 0);
    await(&w, CN_NET_WOKEN, &e);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    end(&w);
}

/* However long ago; where the difference does not fit it once was an hour. */
static void a_deadline_that_is_over_does_not_wait(void)
{
    static const int64_t over[] = {INT64_MIN, INT64_MIN / 2, -1, 0, 1};
    world w;
    begin(&w);
    for (size_t i = 0; i < CN_LEN(over); i++) {
        CHECK_OK(cn_rt_os_net_poll(w.net, (cn_time){over[i]}, note, &w));
    }
    CHECK_EQ(w.seen_len, 0);
    end(&w);
}

static void interfaces_hold_loopback(void)
{
    world w;
    cn_endpoint list[64];
    size_t len = 0;
    bool found = false;
    begin(&w);
    CHECK_OK(cn_net_interfaces(w.net, list, CN_LEN(list), &len));
    for (size_t i = 0; i < len; i++) {
        found = found || cn_endpoint_eq(&list[i], &LOOPBACK);
    }
    CHECK(found);
    end(&w);
}

static void too_many_sockets_are_refused(void)
{
    world w;
    cn_id id = CN_ID_NONE;
    cn_err err = CN_OK;
    begin(&w);
    for (int i = 0; i < 17 && err == CN_OK; i++) {
        err = cn_net_listen(w.net, &LOOPBACK, 0, &id, NULL, NULL);
    }
    CHECK_ERR(err, CN_ERR_TOO_LARGE);
    end(&w);
}

/* The largest bound of unsent bytes among our sockets. */
static int notsent_max(void)
{
    int most = 0;
    for (int fd = 3; fd < 64; fd++) {
        int value = 0;
        socklen_t len = sizeof(value);
        if (getsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, &len) == 0) {
            most = CN_MAX(most, value);
        }
    }
    return most;
}

/* A fast line has more unsent in the kernel than one that nothing is known of. */
static void what_lies_unsent_follows_the_rate(void)
{
    static uint8_t room[1 << 20];
    world w = {0};
    cn_id a = CN_ID_NONE;
    cn_id b = CN_ID_NONE;
    cn_slice all = cn_slice_of(room, sizeof(room));
    begin(&w);
    join(&w, &a, &b);
    int before = notsent_max();
    CHECK_EQ(before, 256 << 10);
    cn_time limit = cn_time_after(cn_rt_now(w.rt), 20 * CN_NS_PER_S);
    while (notsent_max() == before && cn_rt_now(w.rt).ns < limit.ns) {
        size_t len = 0;
        CHECK_OK(cn_net_write(w.net, a, &all, 1, &len));
        do {
            CHECK_OK(cn_net_read(w.net, b, room, sizeof(room), &len));
        } while (len > 0);
    }
    CHECK(notsent_max() > before);
    CHECK(notsent_max() <= 4 << 20);
    end(&w);
}

int main(void)
{
    TEST(bytes_pass_and_end);
    TEST(a_refused_dial_says_so);
    TEST(a_full_socket_tells_when_it_has_room);
    TEST(another_thread_wakes_it);
    TEST(a_deadline_that_is_over_does_not_wait);
    TEST(interfaces_hold_loopback);
    TEST(too_many_sockets_are_refused);
    TEST(what_lies_unsent_follows_the_rate);
    return test_end();
}
