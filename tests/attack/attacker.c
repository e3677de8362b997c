/*
 * An attacker for tests: it does to a node of ours what nobody should, bounded in count and time.
 *
 *   attacker ATTACK IP PORT SECONDS COUNT [CID]
 *
 * Prints one line: what was opened, authenticated, refused and cut off, and the bytes sent. Without
 * arguments it lists the attacks. It connects to addresses that are loopback or private only.
 */
#include "attack/attacks.h"
#include "multiformats/cid.h"
#include "rt_os/rt_os.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { SECONDS_MAX = 120, COUNT_MAX = 1 << 20 };

static const attack_kind kinds[] = {
    {"slow", attack_slow, "connections that say one byte a second"},
    {"half", attack_half, "connections that say nothing"},
    {"flood", attack_flood, "connections closed in every phase"},
    {"peers", attack_peers, "authenticated connections, each a peer of its own, held"},
    {"wrong", attack_wrong, "wrong keys, signatures, records, names"},
    {"streams", attack_streams, "streams without a name"},
    {"rapid", attack_rapid, "streams reset as soon as they are opened"},
    {"mux-pings", attack_mux_pings, "yamux pings"},
    {"deaf-pings", attack_deaf_pings, "the same, answers unread"},
    {"tiny", attack_tiny, "frames of one byte"},
    {"windows", attack_windows, "windows: none, absurd, of streams that are gone"},
    {"giant", attack_giant, "frames longer than any window"},
    {"go-away", attack_go_away, "go-away, again and again"},
    {"ping", attack_ping, "ping streams whose echoes are not read"},
    {"identify", attack_identify, "identify pushes that swell"},
    {"push", attack_push, "identify pushes without end"},
    {"names", attack_names, "names of protocols without end"},
    {"wants", attack_wants, "wants for what is not there, and their cancels"},
    {"same-want", attack_same_want, "one want again and again"},
    {"deaf-wants", attack_deaf_wants, "wants for what is there, never read"},
    {"no-window", attack_no_window, "the same, read, but no window is ever given back"},
    {"blocks", attack_blocks, "blocks that nobody asked for"},
    {"messages", attack_messages, "long messages that never end"},
    {"presences", attack_presences, "haves and have-nots that nobody asked for"},
};

line *begin_lines(attack *a, size_t count)
{
    line *lines = calloc(CN_MAX(count, (size_t)1), sizeof *lines);
    must(lines == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    for (size_t i = 0; i < count; i++) {
        if (!line_greet(&lines[i], a)) {
            line_close(&lines[i]);
        }
    }
    return lines;
}

void end_lines(line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        line_close(&lines[i]);
    }
    free(lines);
}

void rounds(attack *a, line *lines, size_t count, bool (*again)(line *l))
{
    bool any = true;
    while (any && !is_over(a)) {
        any = false;
        for (size_t i = 0; i < count && !is_over(a); i++) {
            line *l = &lines[i];
            if (l->fd < 0 || l->is_over) {
                continue;
            }
            if (again(l)) {
                any = true;
            } else if (!is_over(a)) {
                line_close(l);
            }
        }
    }
}

/* Loopback, 10/8, 172.16/12, 192.168/16: nothing of ours ever goes to anyone else. */
static bool is_near(const char *ip)
{
    struct in_addr at = {0};
    if (inet_pton(AF_INET, ip, &at) != 1) {
        return false;
    }
    uint32_t n = ntohl(at.s_addr);
    return n >> 24 == 127 || n >> 24 == 10 || n >> 20 == 0xac1 || n >> 16 == 0xc0a8;
}

static void allow_sockets(void)
{
    struct rlimit files = {0};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

int main(int argc, char **argv)
{
    attack a = {.mem = cn_mem_default()};
    const attack_kind *kind = NULL;
    cn_cid cid = {0};
    for (size_t i = 0; i < CN_LEN(kinds); i++) {
        kind = argc > 1 && strcmp(kinds[i].name, argv[1]) == 0 ? &kinds[i] : kind;
        if (argc == 1) {
            (void)printf("%-12s %s\n", kinds[i].name, kinds[i].what);
        }
    }
    if (argc < 6 || kind == NULL || !is_near(argv[2])) {
        (void)fprintf(stderr, "usage: attacker ATTACK IP PORT SECONDS COUNT [CID]\n");
        return argc == 1 ? 0 : 2;
    }
    if (argc > 6 && cn_cid_parse(cn_str(argv[6]), &cid, NULL) == CN_OK) {
        a.cid = cn_cid_bytes(&cid);
    }
    allow_sockets();
    must(cn_rt_os_new(1, &a.rt));
    a.name = kind->name;
    a.ip = argv[2];
    a.port = (uint16_t)strtoul(argv[3], NULL, 10);
    int64_t seconds = CN_MIN(strtol(argv[4], NULL, 10), (long)SECONDS_MAX);
    a.end_ns = cn_rt_now(a.rt).ns + seconds * CN_NS_PER_S;
    a.count = CN_MIN((size_t)strtoul(argv[5], NULL, 10), (size_t)COUNT_MAX);
    kind->run(&a);
    (void)printf(
        "%s: %zu opened, %zu greeted, %zu refused, %zu cut off, %llu bytes sent\n", a.name,
        a.opened, a.greeted, a.refused, a.cut, (unsigned long long)a.sent_bytes);
    cn_rt_os_free(a.rt);
    return 0;
}
