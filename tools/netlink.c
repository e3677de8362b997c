/*
 * A long link between network namespaces, for measuring and testing what a kernel without netem
 * cannot imitate: each end gets a TUN device in its namespace, and this program carries packets
 * between them with rate, delay, queue and loss.
 *
 *   netlink SECONDS LOSS_PERCENT NAMESPACE:ADDRESS:RATE_MBIT:DELAY_MS:QUEUE_MS ...
 *
 *   NAMESPACE  of `ip netns add`
 *   ADDRESS    IPv4; all ends are neighbours in one /24
 *   RATE_MBIT  of the end's line, each way
 *   DELAY_MS   of the line, each way: a round trip takes twice the sum of both ends' delays
 *   QUEUE_MS   how long a packet may wait to enter the line; one that would wait longer is dropped
 *
 * Prints "ready" once the devices are up, and a line for each end when it stops: after SECONDS, or
 * at SIGTERM. The devices go with it. Needs root; runs ahead of other programs, so that a busy
 * machine does not lengthen the link.
 *
 * A packet passes its sender's line upward and its receiver's line downward. Each of the two is a
 * queue in order of time, so packets of one end never overtake one another.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    ENDS_MAX = 16,
    MTU = 1500,
    KERNEL_QUEUE = 10000, /* packets; the queue that counts is ours */
    READS_PER_TURN = 256,
    GRAIN_NS = 200000, /* packets that come within it are dealt with together */
    NS_PER_S = 1000000000,
    SPARE_MAX = 1 << 18, /* packets kept for use again */
};

typedef struct packet {
    struct packet *next;
    int64_t due_ns;
    size_t len;
    uint8_t data[MTU];
} packet;

/* One direction of a line. */
typedef struct way {
    packet *first;
    packet *last;
    int64_t free_ns; /* when what was taken has been sent */
} way;

typedef struct end {
    char name[64];
    struct in_addr address;
    double ns_per_byte;
    int64_t delay_ns;
    int64_t queue_ns;
    int fd;
    way up;
    way down;
    uint64_t in_packets; /* from the end */
    uint64_t out_packets;
    uint64_t out_bytes;
    uint64_t dropped;
} end;

static end ends[ENDS_MAX];
static int ends_len;
static packet *spare;
static size_t spare_len;
static double loss;
static volatile sig_atomic_t is_over;

static void stop(int number)
{
    (void)number;
    is_over = 1;
}

static void fail(const char *what, const char *which)
{
    (void)fprintf(stderr, "netlink: %s %s: %s\n", what, which, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void parse_end(const char *text, end *e)
{
    char address[32];
    double rate = 0;
    double delay = 0;
    double queue = 0;
    int got = sscanf(text, "%63[^:]:%31[^:]:%lf:%lf:%lf", e->name, address, &rate, &delay, &queue);
    if (got != 5 || inet_pton(AF_INET, address, &e->address) != 1 || rate <= 0 || delay < 0 ||
        queue <= 0) {
        (void)fprintf(stderr, "netlink: this is no end: %s\n", text);
        exit(2);
    }
    e->ns_per_byte = 8000 / rate;
    e->delay_ns = (int64_t)(delay * 1e6);
    e->queue_ns = (int64_t)(queue * 1e6);
}

static void set(int sock, unsigned long what, struct ifreq *r, const char *name)
{
    if (ioctl(sock, what, r) != 0) {
        fail("cannot set up the device in", name);
    }
}

/* The device with its address, and loopback, up. The namespace is entered already. */
static void configure(const end *e, const char *device)
{
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq r = {0};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = e->address};
    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", device);
    memcpy(&r.ifr_addr, &a, sizeof(a));
    set(sock, SIOCSIFADDR, &r, e->name);
    a.sin_addr.s_addr = htonl(0xffffff00);
    memcpy(&r.ifr_netmask, &a, sizeof(a));
    set(sock, SIOCSIFNETMASK, &r, e->name);
    r.ifr_mtu = MTU;
    set(sock, SIOCSIFMTU, &r, e->name);
    r.ifr_qlen = KERNEL_QUEUE;
    set(sock, SIOCSIFTXQLEN, &r, e->name);
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    set(sock, SIOCSIFFLAGS, &r, e->name);
    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "lo");
    set(sock, SIOCSIFFLAGS, &r, e->name);
    (void)close(sock);
}

static void open_end(end *e)
{
    char path[128];
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    (void)snprintf(path, sizeof(path), "/run/netns/%s", e->name);
    int space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET) != 0) {
        fail("cannot enter the namespace", e->name);
    }
    (void)close(space);
    e->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "link%%d");
    if (e->fd < 0 || ioctl(e->fd, TUNSETIFF, &r) != 0) {
        fail("cannot make a TUN device in", e->name);
    }
    configure(e, r.ifr_name);
}

static packet *new_packet(void)
{
    packet *p = spare;
    if (p != NULL) {
        spare = p->next;
        spare_len--;
        return p;
    }
    p = malloc(sizeof(*p));
    if (p == NULL) {
        fail("out of", "memory");
    }
    return p;
}

static void drop(packet *p)
{
    if (spare_len >= SPARE_MAX) {
        free(p);
        return;
    }
    p->next = spare;
    spare = p;
    spare_len++;
}

/* Put the packet, which has come at `at`, onto the line; false: the queue is full. */
static bool enter(const end *e, way *w, packet *p, int64_t at)
{
    int64_t start = w->free_ns > at ? w->free_ns : at;
    if (start - at > e->queue_ns) {
        return false;
    }
    w->free_ns = start + (int64_t)((double)p->len * e->ns_per_byte);
    p->due_ns = w->free_ns + e->delay_ns;
    p->next = NULL;
    *(w->first == NULL ? &w->first : &w->last->next) = p;
    w->last = p;
    return true;
}

static packet *leave(way *w)
{
    packet *p = w->first;
    w->first = p->next;
    return p;
}

static end *receiver_of(const packet *p)
{
    struct in_addr to;
    if (p->len < 20 || p->data[0] >> 4 != 4) {
        return NULL;
    }
    memcpy(&to, p->data + 16, sizeof(to));
    for (int i = 0; i < ends_len; i++) {
        if (ends[i].address.s_addr == to.s_addr) {
            return &ends[i];
        }
    }
    return NULL;
}

/* From the device onto the line upward. */
static void read_end(end *e)
{
    for (int i = 0; i < READS_PER_TURN; i++) {
        packet *p = new_packet();
        ssize_t got = read(e->fd, p->data, sizeof(p->data));
        if (got <= 0) {
            drop(p);
            return;
        }
        p->len = (size_t)got;
        e->in_packets++;
        bool is_lost = loss > 0 && drand48() * 100 < loss;
        if (is_lost || receiver_of(p) == NULL || !enter(e, &e->up, p, now_ns())) {
            e->dropped++;
            drop(p);
        }
    }
}

/* From the lines upward to those downward, in the order of time. */
static void cross(int64_t now)
{
    for (;;) {
        end *from = NULL;
        for (int i = 0; i < ends_len; i++) {
            const packet *p = ends[i].up.first;
            if (p != NULL && p->due_ns <= now &&
                (from == NULL || p->due_ns < from->up.first->due_ns)) {
                from = &ends[i];
            }
        }
        if (from == NULL) {
            return;
        }
        packet *p = leave(&from->up);
        end *to = receiver_of(p);
        if (!enter(to, &to->down, p, p->due_ns)) {
            to->dropped++;
            drop(p);
        }
    }
}

static void write_end(end *e, int64_t now)
{
    while (e->down.first != NULL && e->down.first->due_ns <= now) {
        packet *p = leave(&e->down);
        if (write(e->fd, p->data, p->len) == (ssize_t)p->len) {
            e->out_packets++;
            e->out_bytes += p->len;
        } else {
            e->dropped++;
        }
        drop(p);
    }
}

static int64_t next_due(int64_t limit)
{
    for (int i = 0; i < ends_len; i++) {
        const packet *p[] = {ends[i].up.first, ends[i].down.first};
        for (int k = 0; k < 2; k++) {
            limit = p[k] != NULL && p[k]->due_ns < limit ? p[k]->due_ns : limit;
        }
    }
    return limit;
}

static void wait_for_more(int64_t limit)
{
    struct pollfd p[ENDS_MAX];
    int64_t left = next_due(limit) - now_ns();
    left = left > 0 ? left : 0;
    struct timespec t = {.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S};
    for (int i = 0; i < ends_len; i++) {
        p[i] = (struct pollfd){.fd = ends[i].fd, .events = POLLIN};
    }
    if (ppoll(p, (nfds_t)ends_len, &t, NULL) > 0) {
        struct timespec grain = {.tv_nsec = GRAIN_NS};
        (void)nanosleep(&grain, NULL);
    }
}

static void carry(int64_t limit)
{
    while (is_over == 0 && now_ns() < limit) {
        for (int i = 0; i < ends_len; i++) {
            read_end(&ends[i]);
        }
        int64_t now = now_ns();
        cross(now);
        for (int i = 0; i < ends_len; i++) {
            write_end(&ends[i], now);
        }
        wait_for_more(limit);
    }
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 0;
    if (argc < 5 || argc - 3 > ENDS_MAX || seconds <= 0) {
        (void)fprintf(
            stderr, "usage: netlink SECONDS LOSS_PERCENT "
                    "NAMESPACE:ADDRESS:RATE_MBIT:DELAY_MS:QUEUE_MS ... (2 to 16)\n");
        return 2;
    }
    int64_t limit = now_ns() + (int64_t)(seconds * 1e9);
    loss = strtod(argv[2], NULL);
    struct sigaction action = {.sa_handler = stop};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    struct sched_param ahead = {.sched_priority = 1};
    (void)prctl(PR_SET_TIMERSLACK, 1);
    (void)sched_setscheduler(0, SCHED_RR, &ahead);
    for (int i = 3; i < argc; i++) {
        parse_end(argv[i], &ends[ends_len]);
        open_end(&ends[ends_len++]);
    }
    (void)printf("ready\n");
    (void)fflush(stdout);
    carry(limit);
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    (void)printf(
        "cpu_s %.3f\n", (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                            (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
    for (int i = 0; i < ends_len; i++) {
        (void)printf(
            "%s in_packets %llu out_packets %llu out_bytes %llu dropped %llu\n", ends[i].name,
            (unsigned long long)ends[i].in_packets, (unsigned long long)ends[i].out_packets,
            (unsigned long long)ends[i].out_bytes, (unsigned long long)ends[i].dropped);
    }
    return 0;
}
