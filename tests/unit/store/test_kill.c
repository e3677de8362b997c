/*
 * A child writes blocks and says which have been put, removed and flushed; it is killed at a random
 * moment. After reopening, what it said must be so.
 */
#include "unit/store/store_lib.h"

#include "store/gc.h"
#include "store/pin.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 300, ROUNDS_PER_STORE = 12, BLOCK = 2048, LIVES_US_MAX = 30000, ROOM = 1 << 16 };

typedef enum state {
    UNKNOWN, /* begun, not acknowledged: either way */
    HELD,
    REMOVED,
} state;

/* What a child says: what it begins, what is done. */
typedef struct message {
    uint32_t block;
    uint8_t done;
    uint8_t put; /* or removed */
} message;

static uint8_t states[ROOM];

static void say(int fd, uint32_t block, bool done, bool is_put)
{
    message m = {.block = block, .done = done, .put = is_put};
    if (write(fd, &m, sizeof m) != (ssize_t)sizeof m) {
        _exit(3);
    }
}

/* Collect, keeping every block that is a pair's first. */
static void collect(cn_store *s, int fd, uint32_t next)
{
    cn_gc *g = NULL;
    bool done = false;
    cn_cid cid;
    if (cn_gc_new(s, &g, NULL) != CN_OK) {
        _exit(4);
    }
    for (uint32_t n = 0; n < next; n++) {
        (void)block_of(n, BLOCK, &cid);
        if (n % 2 == 0 && cn_gc_mark(g, &cid, NULL) == CN_OK) {
            continue;
        }
        say(fd, n, false, false);
    }
    while (!done) {
        if (cn_gc_sweep(g, NULL, NULL, &done, NULL) != CN_OK) {
            _exit(5);
        }
    }
    cn_gc_free(g);
}

/* The child: never returns. */
static void live(const char *dir, int fd, uint32_t next, uint64_t seed)
{
    cn_prng prng;
    cn_store *s = NULL;
    cn_store_options options;
    cn_prng_init(&prng, seed);
    if (cn_rt_os_new(2, &rt) != CN_OK) {
        _exit(1);
    }
    options = options_for(dir);
    options.group_bytes = 64 << 10;
    if (cn_store_open(&options, &s, NULL) != CN_OK) {
        _exit(2);
    }
    for (;;) {
        uint64_t what = cn_prng_below(&prng, 200);
        if (what < 180 && next < ROOM) {
            say(fd, next, false, true);
            if (put_block(s, next, BLOCK) != CN_OK) {
                _exit(6);
            }
            say(fd, next++, true, true);
        } else if (what < 190 && next > 0) {
            uint32_t n = (uint32_t)cn_prng_below(&prng, next);
            say(fd, n, false, false);
            cn_err err = delete_block(s, n, BLOCK);
            if (err != CN_OK && err != CN_ERR_NOT_FOUND) {
                _exit(7);
            }
            say(fd, n, true, false);
        } else if (what < 198) {
            if (cn_store_flush(s, NULL) != CN_OK) {
                _exit(8);
            }
        } else {
            collect(s, fd, next);
        }
    }
}

static void note(const message *m, uint32_t *next)
{
    states[m->block] = m->done ? m->put ? HELD : REMOVED : UNKNOWN;
    *next = CN_MAX(*next, m->block + 1);
}

static void one_life(const char *dir, uint32_t *next, uint64_t seed)
{
    int ends[2];
    cn_prng prng;
    message m;
    int status = 0;
    cn_prng_init(&prng, seed);
    CHECK_EQ(pipe(ends), 0);
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        live(dir, ends[1], *next, seed);
    }
    (void)close(ends[1]);
    struct timespec pause = {.tv_nsec = (long)cn_prng_below(&prng, LIVES_US_MAX) * 1000};
    (void)nanosleep(&pause, NULL);
    /* empty the pipe so that the child does not wait for us, then strike */
    size_t got = 0;
    uint8_t buffer[sizeof m];
    for (int i = 0; i < 4000; i++) {
        ssize_t n = read(ends[0], buffer + got, sizeof m - got);
        got += n > 0 ? (size_t)n : 0;
        if (n <= 0) {
            break;
        }
        if (got == sizeof m) {
            cn_copy(&m, buffer, sizeof m);
            note(&m, next);
            got = 0;
        }
    }
    CHECK_EQ(kill(child, SIGKILL), 0);
    for (;;) {
        ssize_t n = read(ends[0], buffer + got, sizeof m - got);
        if (n <= 0) {
            break;
        }
        got += (size_t)n;
        if (got == sizeof m) {
            cn_copy(&m, buffer, sizeof m);
            note(&m, next);
            got = 0;
        }
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    (void)close(ends[0]);
}

static void check_store(const char *dir, uint32_t next)
{
    CHECK_OK(cn_rt_os_new(1, &rt));
    cn_store *s = open_store(dir);
    for (uint32_t n = 0; n < next; n++) {
        cn_err err = get_block(s, n, BLOCK);
        bool good = states[n] == HELD      ? err == CN_OK
                    : states[n] == REMOVED ? err == CN_ERR_NOT_FOUND
                                           : err == CN_OK || err == CN_ERR_NOT_FOUND;
        if (!CHECK(good)) {
            printf("  block %u, state %d: %s\n", n, states[n], cn_err_name(err));
            break;
        }
        states[n] = err == CN_OK ? HELD : REMOVED;
    }
    cn_store_close(s);
    cn_rt_os_free(rt);
}

static void what_was_acknowledged_is_there(void)
{
    const char *dir = NULL;
    uint32_t next = 0;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        if (round % ROUNDS_PER_STORE == 0) {
            dir = fresh_dir();
            next = 0;
        }
        one_life(dir, &next, round + 1);
        if (round % 3 == 2) {
            check_store(dir, next);
        }
        if (round % ROUNDS_PER_STORE == 6) {
            (void)unlink(file_in(dir, "index.mdb"));
            check_store(dir, next);
        }
    }
}

int main(void)
{
    TEST(what_was_acknowledged_is_there);
    return test_end();
}
