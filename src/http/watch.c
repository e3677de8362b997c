/*
 * The list is under `lock`; what happens on a connection is told by atomics alone. Time is counted
 * in looks (ticks): it stands still while there are no connections.
 *
 * A client that has ended its side may still wait for an answer, so an ended connection is cut only
 * where bytes are wanted, nothing is left in the socket (the look with MSG_PEEK says 0 only then),
 * and nothing has happened for some looks: what was read last is worked off by then.
 */
#include "http/watch.h"

#include "base/time.h"

#include <errno.h>
#include <sys/socket.h>

enum { STACK_BYTES = 64 << 10 };

static bool wants_bytes(int state)
{
    return state != CN_WATCHED_ANSWERING;
}

/* Has the client ended its side, and all that it sent been read? */
static bool is_drained(int fd)
{
    char byte = 0;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool is_ended(cn_watched *c)
{
    unsigned steps = atomic_load(&c->steps);
    if (atomic_load(&c->is_asleep) || steps != c->steps_seen || !is_drained(c->fd)) {
        c->steps_seen = steps;
        c->sightings = 0;
        return false;
    }
    return ++c->sightings >= CN_WATCH_SIGHTINGS;
}

static bool is_late(const cn_watch *w, const cn_watched *c, int state, unsigned now)
{
    unsigned passed = now - atomic_load(&c->since_ticks);
    if (state == CN_WATCHED_BODY) {
        return false; /* libmicrohttpd's own timeout */
    }
    return passed > (state == CN_WATCHED_WAITING ? w->waiting_ticks : w->header_ticks);
}

static void look(cn_watch *w)
{
    unsigned now = atomic_fetch_add(&w->ticks, 1) + 1;
    for (cn_watched *c = w->first; c != NULL; c = c->next) {
        int state = atomic_load(&c->state);
        bool is_over = wants_bytes(state) && (is_ended(c) || is_late(w, c, state, now));
        if (is_over || atomic_load(&c->is_cut)) {
            (void)shutdown(c->fd, SHUT_RDWR);
        }
    }
    if (w->look != NULL) {
        w->look(w->ctx);
    }
}

static void *watch(void *arg)
{
    cn_watch *w = arg;
    cn_lock_take(w->lock);
    while (!w->stopping) {
        bool any = w->first != NULL;
        cn_cond_wait(w->changed, w->lock, any ? CN_NS_PER_S / CN_WATCH_TICKS_PER_S : -1);
        if (any && !w->stopping) {
            look(w);
        }
    }
    cn_lock_give(w->lock);
    return NULL;
}

static bool start_thread(cn_watch *w)
{
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    w->has_thread = pthread_attr_setstacksize(&attr, STACK_BYTES) == 0 &&
                    pthread_create(&w->thread, &attr, watch, w) == 0;
    (void)pthread_attr_destroy(&attr);
    return w->has_thread;
}

cn_err cn_watch_start(cn_watch *w, cn_mem *mem, unsigned header_timeout_s, unsigned idle_timeout_s)
{
    cn_err err = CN_OK;
    *w = (cn_watch){
        .mem = mem,
        .look = w->look,
        .ctx = w->ctx,
        .header_ticks = header_timeout_s * CN_WATCH_TICKS_PER_S,
        .waiting_ticks = (header_timeout_s + idle_timeout_s) * CN_WATCH_TICKS_PER_S,
    };
    CN_TRY(cn_lock_new(mem, &w->lock));
    CN_TRY(cn_cond_new(mem, &w->changed));
    CN_TRY(start_thread(w) ? CN_OK : CN_ERR_BUSY);
out:
    if (err != CN_OK) {
        cn_watch_stop(w);
    }
    return err;
}

void cn_watch_stop(cn_watch *w)
{
    if (w->has_thread) {
        cn_lock_take(w->lock);
        w->stopping = true;
        cn_cond_wake_all(w->changed);
        cn_lock_give(w->lock);
        (void)pthread_join(w->thread, NULL);
    }
    cn_cond_free(w->changed);
    cn_lock_free(w->lock);
    *w = (cn_watch){0};
}

cn_watched *cn_watch_add(cn_watch *w, int fd)
{
    cn_watched *c = cn_alloc(w->mem, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    c->fd = fd;
    atomic_store(&c->since_ticks, atomic_load(&w->ticks));
    cn_lock_take(w->lock);
    c->next = w->first;
    if (w->first != NULL) {
        w->first->prev = c;
    } else {
        cn_cond_wake_all(w->changed); /* it sleeps while there is none */
    }
    w->first = c;
    cn_lock_give(w->lock);
    return c;
}

void cn_watch_remove(cn_watch *w, cn_watched *c)
{
    if (c == NULL) {
        return;
    }
    cn_lock_take(w->lock);
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    if (c->prev != NULL) {
        c->prev->next = c->next;
    } else {
        w->first = c->next;
    }
    cn_lock_give(w->lock);
    cn_free(w->mem, c);
}

void cn_watched_enter(cn_watch *w, cn_watched *c, cn_watched_state state)
{
    if (c != NULL) {
        atomic_store_explicit(
            &c->since_ticks, atomic_load_explicit(&w->ticks, memory_order_relaxed),
            memory_order_relaxed);
        atomic_store_explicit(&c->state, (int)state, memory_order_release);
        cn_watched_step(c);
    }
}

void cn_watched_step(cn_watched *c)
{
    if (c != NULL) {
        (void)atomic_fetch_add_explicit(&c->steps, 1, memory_order_relaxed);
    }
}

void cn_watched_sleep(cn_watched *c, bool is_asleep)
{
    if (c != NULL) {
        atomic_store(&c->is_asleep, is_asleep);
        cn_watched_step(c);
    }
}

bool cn_watched_has_left(const cn_watched *c)
{
    char byte = 0;
    ssize_t len = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return len == 0 || (len < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void cn_watched_cut(cn_watched *c)
{
    if (c != NULL) {
        atomic_store(&c->is_cut, true);
    }
}
