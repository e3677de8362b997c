/*
 * The rules of rt/net.h, the same ones on Linux and in the simulator: what holds for one must hold
 * for the other, else the simulator tests a world that is not there.
 */
#include "lib/test.h"
#include "rt_os/net.h"
#include "rt_os/rt_os.h"
#include "sim/net_sim.h"

enum { SEEN_MAX = 256, WINDOW_BYTES = 64 << 10 };

typedef struct ground {
    cn_rt *rt;
    cn_net *net;
    sim *sim; /* NULL: on Linux */
    cn_net_event seen[SEEN_MAX];
    size_t seen_len;
} ground;

static const cn_endpoint LOOPBACK = {.ip = {127, 0, 0, 1}};
static bool in_sim;

static void take(void *self, const cn_net_event *event)
{
    ground *g = self;
    if (g->seen_len < SEEN_MAX) {
        g->seen[g->seen_len++] = *event;
    }
}

static cn_err start(sim_node *n, void **ret_self, cn_why *why)
{
    CN_UNUSED(why);
    *ret_self = n->setup;
    return CN_OK;
}

static cn_time deadline(const void *self)
{
    CN_UNUSED(self);
    return CN_TIME_NEVER;
}

static void turn(void *self, cn_time now)
{
    CN_UNUSED(self);
    CN_UNUSED(now);
}

static void stop(void *self)
{
    CN_UNUSED(self);
}

static void begin(ground *g)
{
    static const sim_program program = {
        .name = "ground",
        .start = start,
        .take = take,
        .deadline = deadline,
        .turn = turn,
        .stop = stop};
    sim_plan plan = {0};
    *g = (ground){0};
    if (!in_sim) {
        CHECK_OK(cn_rt_os_new(1, &g->rt));
        CHECK_OK(cn_rt_os_net_new(g->rt, cn_mem_default(), 64, &g->net, NULL));
        return;
    }
    sim_plan_calm(&plan);
    plan.window_bytes = WINDOW_BYTES;
    g->sim = sim_new(1, &plan);
    sim_node *n = sim_add(g->sim, &program, g, 0);
    sim_start(n);
    g->rt = &n->rt;
    g->net = sim_net_of(n);
}

static void end(ground *g)
{
    if (g->sim != NULL) {
        CHECK_STR(g->sim->failed.text, "");
        sim_free(g->sim);
    } else {
        cn_rt_os_net_free(g->net);
        cn_rt_os_free(g->rt);
    }
}

/* One wait of at most 100 ms; what was seen before is forgotten. */
static void poll_once(ground *g)
{
    cn_time soon = cn_time_after(cn_rt_now(g->rt), 100 * CN_NS_PER_MS);
    g->seen_len = 0;
    if (g->sim != NULL) {
        CHECK(sim_run(g->sim, soon));
    } else {
        CHECK_OK(cn_rt_os_net_poll(g->net, soon, take, g));
    }
}

static bool find(const ground *g, cn_net_kind kind, cn_id sock, cn_net_event *ret)
{
    for (size_t i = 0; i < g->seen_len; i++) {
        if (g->seen[i].kind == kind && (cn_id_is_none(sock) || cn_id_eq(g->seen[i].sock, sock))) {
            *ret = g->seen[i];
            return true;
        }
    }
    return false;
}

/* Poll until an event of `kind` about `sock` (NONE: any) comes, at most 10 s. */
static bool await(ground *g, cn_net_kind kind, cn_id sock, cn_net_event *ret)
{
    for (int i = 0; i < 100; i++) {
        poll_once(g);
        if (find(g, kind, sock, ret)) {
            return true;
        }
    }
    return CHECK(false);
}

/* Nothing of `kind` about `sock` comes in a few polls. */
static void check_silent(ground *g, cn_net_kind kind, cn_id sock)
{
    cn_net_event e = {0};
    for (int i = 0; i < 3; i++) {
        poll_once(g);
        CHECK(!find(g, kind, sock, &e));
    }
}

/* a dialled, b was accepted. */
static void join(ground *g, cn_id *ret_a, cn_id *ret_b)
{
    cn_id listener = CN_ID_NONE;
    cn_endpoint at = {0};
    cn_net_event opened = {0};
    cn_net_event accepted = {0};
    bool is_opened = false;
    bool is_accepted = false;
    CHECK_OK(cn_net_listen(g->net, &LOOPBACK, 7, &listener, &at, NULL));
    CHECK(at.port != 0);
    CHECK_OK(cn_net_dial(g->net, &at, 8, ret_a, NULL));
    for (int i = 0; i < 100 && !(is_opened && is_accepted); i++) {
        poll_once(g);
        is_opened = is_opened || find(g, CN_NET_OPENED, *ret_a, &opened);
        is_accepted = is_accepted || find(g, CN_NET_ACCEPTED, CN_ID_NONE, &accepted);
    }
    CHECK(is_opened && is_accepted);
    CHECK_EQ(opened.tag, 8);
    CHECK_EQ(accepted.tag, 7);
    CHECK(cn_endpoint_eq(&opened.remote, &at) && cn_endpoint_eq(&accepted.local, &at));
    CHECK(cn_endpoint_eq(&accepted.remote, &opened.local));
    CHECK(cn_id_eq(accepted.listener, listener));
    *ret_b = accepted.sock;
    cn_net_close(g->net, listener);
}

static size_t put(ground *g, cn_id sock, const char *text)
{
    cn_slice part = cn_str(text);
    size_t len = 0;
    CHECK_OK(cn_net_write(g->net, sock, &part, 1, &len));
    return len;
}

static void reading_is_told_until_all_is_read(void)
{
    static ground g;
    cn_id a = CN_ID_NONE;
    cn_id b = CN_ID_NONE;
    uint8_t got[16] = {0};
    size_t len = 0;
    cn_net_event e = {0};
    begin(&g);
    join(&g, &a, &b);
    cn_net_retag(g.net, b, 9);
    CHECK_EQ(put(&g, a, "hello"), 5);
    await(&g, CN_NET_READABLE, b, &e);
    CHECK_EQ(e.tag, 9);
    await(&g, CN_NET_READABLE, b, &e); /* nothing was read: told again */
    CHECK_OK(cn_net_read(g.net, b, got, 2, &len));
    CHECK_BYTES(cn_slice_of(got, len), cn_str("he"));
    await(&g, CN_NET_READABLE, b, &e);
    cn_net_pause(g.net, b, true);
    check_silent(&g, CN_NET_READABLE, b);
    cn_net_pause(g.net, b, false);
    await(&g, CN_NET_READABLE, b, &e);
    CHECK_OK(cn_net_read(g.net, b, got, sizeof(got), &len));
    CHECK_BYTES(cn_slice_of(got, len), cn_str("llo"));
    CHECK_OK(cn_net_read(g.net, b, got, sizeof(got), &len));
    CHECK_EQ(len, 0);
    check_silent(&g, CN_NET_READABLE, b);
    end(&g);
}

static void one_direction_ends_and_the_other_goes_on(void)
{
    static ground g;
    cn_id a = CN_ID_NONE;
    cn_id b = CN_ID_NONE;
    uint8_t got[16] = {0};
    size_t len = 0;
    cn_net_event e = {0};
    begin(&g);
    join(&g, &a, &b);
    CHECK_EQ(put(&g, a, "last"), 4);
    cn_net_shutdown(g.net, a);
    cn_slice part = cn_str("x");
    CHECK_ERR(cn_net_write(g.net, a, &part, 1, &len), CN_ERR_CLOSED);
    await(&g, CN_NET_READABLE, b, &e);
    CHECK_OK(cn_net_read(g.net, b, got, sizeof(got), &len));
    CHECK_BYTES(cn_slice_of(got, len), cn_str("last"));
    await(&g, CN_NET_READABLE, b, &e); /* the end is told as bytes are */
    CHECK_ERR(cn_net_read(g.net, b, got, sizeof(got), &len), CN_ERR_CLOSED);
    CHECK_EQ(put(&g, b, "still here"), 10);
    await(&g, CN_NET_READABLE, a, &e);
    CHECK_OK(cn_net_read(g.net, a, got, sizeof(got), &len));
    CHECK_BYTES(cn_slice_of(got, len), cn_str("still here"));
    end(&g);
}

static void a_short_write_is_told_once_when_there_is_room(void)
{
    static uint8_t block[1 << 20];
    static ground g;
    cn_id a = CN_ID_NONE;
    cn_id b = CN_ID_NONE;
    size_t len = sizeof(block);
    uint64_t sum = 0;
    uint64_t got = 0;
    cn_net_event e = {0};
    begin(&g);
    join(&g, &a, &b);
    cn_slice part = cn_slice_of(block, sizeof(block));
    while (len > 0) {
        CHECK_OK(cn_net_write(g.net, a, &part, 1, &len));
        sum += len;
    }
    check_silent(&g, CN_NET_WRITABLE, a);
    bool is_told = false;
    for (int i = 0; i < 1000 && got < sum; i++) {
        CHECK_OK(cn_net_read(g.net, b, block, sizeof(block), &len));
        got += len;
        poll_once(&g);
        is_told = is_told || find(&g, CN_NET_WRITABLE, a, &e);
    }
    CHECK_EQ(got, sum);
    CHECK(is_told || await(&g, CN_NET_WRITABLE, a, &e));
    check_silent(&g, CN_NET_WRITABLE, a);
    end(&g);
}

static void closing_on_unread_bytes_is_a_reset(void)
{
    static ground g;
    cn_id a = CN_ID_NONE;
    cn_id b = CN_ID_NONE;
    uint8_t got[16] = {0};
    size_t len = 0;
    cn_net_event e = {0};
    begin(&g);
    join(&g, &a, &b);
    CHECK_EQ(put(&g, a, "unread"), 6);
    await(&g, CN_NET_READABLE, b, &e);
    cn_net_close(g.net, b);
    await(&g, CN_NET_READABLE, a, &e);
    CHECK_ERR(cn_net_read(g.net, a, got, sizeof(got), &len), CN_ERR_CLOSED);
    cn_slice part = cn_str("x");
    CHECK_ERR(cn_net_write(g.net, a, &part, 1, &len), CN_ERR_CLOSED);
    CHECK_ERR(cn_net_read(g.net, b, got, sizeof(got), &len), CN_ERR_CLOSED);
    check_silent(&g, CN_NET_READABLE, b);
    cn_net_close(g.net, b); /* an id that names nothing is fine */
    end(&g);
}

static void a_refused_dial_says_so(void)
{
    static ground g;
    cn_id listener = CN_ID_NONE;
    cn_id id = CN_ID_NONE;
    cn_endpoint at = {0};
    cn_net_event e = {0};
    begin(&g);
    CHECK_OK(cn_net_listen(g.net, &LOOPBACK, 0, &listener, &at, NULL));
    CHECK_ERR(cn_net_listen(g.net, &at, 0, &id, NULL, NULL), CN_ERR_BUSY);
    cn_net_close(g.net, listener);
    CHECK_OK(cn_net_dial(g.net, &at, 3, &id, NULL));
    await(&g, CN_NET_FAILED, id, &e);
    CHECK_EQ(e.tag, 3);
    CHECK_ERR(e.err, CN_ERR_CLOSED);
    CHECK_STR(e.sentence, "Connection refused");
    end(&g);
}

static void the_bell_rings_once(void)
{
    static ground g;
    cn_net_event e = {0};
    begin(&g);
    cn_net_wake(g.net);
    cn_net_wake(g.net);
    await(&g, CN_NET_WOKEN, CN_ID_NONE, &e);
    CHECK_EQ(g.seen_len, 1);
    check_silent(&g, CN_NET_WOKEN, CN_ID_NONE);
    end(&g);
}

/* Names are the simulator's alone: the resolver of Linux asks a server. */
static void names_come_from_the_table(void)
{
    static const sim_name names[] = {
        {"a.example", CN_NET_QUERY_IP4, {.ip = {45, 0, 0, 1}}, NULL},
        {"a.example", CN_NET_QUERY_TXT, {.port = 0}, "dnsaddr=/ip4/45.0.0.1"},
    };
    static ground g;
    cn_id id = CN_ID_NONE;
    cn_net_event e = {0};
    in_sim = true;
    begin(&g);
    g.sim->names = names;
    g.sim->names_len = CN_LEN(names);
    CHECK_OK(cn_net_resolve(g.net, CN_NET_QUERY_IP, "a.example", 4, &id));
    await(&g, CN_NET_RESOLVED, id, &e);
    CHECK_OK(e.err);
    CHECK_EQ(e.answers_len, 1);
    CHECK_OK(cn_net_resolve(g.net, CN_NET_QUERY_TXT, "b.example", 4, &id));
    await(&g, CN_NET_RESOLVED, id, &e);
    CHECK_ERR(e.err, CN_ERR_NOT_FOUND);
    end(&g);
}

static void everything(void)
{
    TEST(reading_is_told_until_all_is_read);
    TEST(one_direction_ends_and_the_other_goes_on);
    TEST(a_short_write_is_told_once_when_there_is_room);
    TEST(closing_on_unread_bytes_is_a_reset);
    TEST(a_refused_dial_says_so);
    TEST(the_bell_rings_once);
}

int main(void)
{
    everything();
    in_sim = true;
    everything();
    TEST(names_come_from_the_table);
    return test_end();
}
