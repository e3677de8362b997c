/*
 * Wakers: how a request waits for something that is no thread's own. All of a server's are in one
 * list under one lock; ringing is rare beside serving. A connection is suspended and resumed under
 * that lock, so it is known whether it sleeps; it cannot go away while it does.
 */
#include "http/internal.h"

cn_err cn_http_waker_new(cn_http_request *r, cn_http_waker **ret)
{
    cn_http_server *s = r->server;
    cn_http_waker *w = cn_alloc(s->mem, sizeof *w);
    if (w == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *w = (cn_http_waker){
        .server = s,
        .connection = r->connection,
        .request = r,
        .watched = r->watched,
        .holders = 2,
    };
    cn_lock_take(s->wakers_lock);
    w->next = s->wakers;
    if (s->wakers != NULL) {
        s->wakers->prev = w;
    }
    s->wakers = w;
    cn_lock_give(s->wakers_lock);
    *ret = w;
    return CN_OK;
}

/* Under the lock: let go of one hold; true: it is to be freed. */
static bool drop(cn_http_waker *w)
{
    if (--w->holders > 0) {
        return false;
    }
    if (w->prev == NULL) {
        w->server->wakers = w->next;
    } else {
        w->prev->next = w->next;
    }
    if (w->next != NULL) {
        w->next->prev = w->prev;
    }
    return true;
}

void cn_http_waker_release(cn_http_waker *w)
{
    if (w == NULL) {
        return;
    }
    cn_http_server *s = w->server;
    cn_lock_take(s->wakers_lock);
    bool last = drop(w);
    cn_lock_give(s->wakers_lock);
    if (last) {
        cn_free(s->mem, w);
    }
}

/* Under the lock. */
static void ring(cn_http_waker *w)
{
    w->is_rung = !w->is_asleep;
    if (w->is_asleep) {
        w->is_asleep = false;
        cn_watched_sleep(w->watched, false);
        w->server->mhd->resume_connection(w->connection);
    }
}

void cn_http_wake(cn_http_waker *w)
{
    cn_lock_take(w->server->wakers_lock);
    if (w->connection != NULL) {
        ring(w);
    }
    cn_lock_give(w->server->wakers_lock);
}

cn_http_slept cn_http_waker_sleep(cn_http_waker *w)
{
    cn_http_slept slept = CN_HTTP_SLEEPS;
    cn_lock_take(w->server->wakers_lock);
    if (atomic_load(&w->server->stopping) || w->has_left) {
        slept = CN_HTTP_STOPS;
    } else if (w->is_rung) {
        w->is_rung = false;
        slept = CN_HTTP_GOES_ON;
    } else {
        w->is_asleep = true;
        cn_watched_sleep(w->watched, true);
        w->server->mhd->suspend_connection(w->connection);
    }
    cn_lock_give(w->server->wakers_lock);
    return slept;
}

/*
 * A connection that sleeps is not read, so libmicrohttpd does not see its client go: what it waits
 * for would be fetched for nobody. Nothing of such a connection can go away under the lock.
 */
void cn_http_wakers_look(cn_http_server *s)
{
    cn_lock_take(s->wakers_lock);
    for (cn_http_waker *w = s->wakers; w != NULL; w = w->next) {
        if (w->is_asleep && w->watched != NULL && cn_watched_has_left(w->watched)) {
            w->has_left = true;
            ring(w);
        }
    }
    cn_lock_give(s->wakers_lock);
}

void cn_http_wakers_end(cn_http_server *s, const cn_http_request *r)
{
    cn_http_waker *next = NULL;
    cn_lock_take(s->wakers_lock);
    for (cn_http_waker *w = s->wakers; w != NULL; w = next) {
        next = w->next;
        if (w->request == r) {
            w->request = NULL;
            w->connection = NULL;
            w->watched = NULL;
            w->is_asleep = false;
            if (drop(w)) {
                cn_free(s->mem, w);
            }
        }
    }
    cn_lock_give(s->wakers_lock);
}

void cn_http_wakers_ring(cn_http_server *s)
{
    cn_lock_take(s->wakers_lock);
    for (cn_http_waker *w = s->wakers; w != NULL; w = w->next) {
        if (w->connection != NULL) {
            ring(w);
        }
    }
    cn_lock_give(s->wakers_lock);
}
