/*
 * Which connection is due next: a binary heap over `due_at`, which is never later than the
 * connection's real deadline. A deadline that moves back is noticed when the old one comes, so a
 * busy connection does not move in the heap with every write.
 */
#include "p2p/transport/tcp_internal.h"

static void put(tcp *t, size_t i, tcp_conn *c)
{
    t->due[i] = c;
    c->due_index = i;
}

static void move_up(tcp *t, size_t i)
{
    tcp_conn *c = t->due[i];
    while (i > 0 && c->due_at.ns < t->due[(i - 1) / 2]->due_at.ns) {
        put(t, i, t->due[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(t, i, c);
}

static void move_down(tcp *t, size_t i)
{
    tcp_conn *c = t->due[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < t->due_len && t->due[child + 1]->due_at.ns < t->due[child]->due_at.ns) {
            child++;
        }
        if (child >= t->due_len || t->due[child]->due_at.ns >= c->due_at.ns) {
            break;
        }
        put(t, i, t->due[child]);
        i = child;
    }
    put(t, i, c);
}

cn_err cn_tcp_due_add(tcp *t, tcp_conn *c)
{
    void *due = t->due;
    cn_err err = cn_array_grow(
        t->options.mem, &due, &t->due_cap, t->due_len, t->options.conns_max, sizeof(tcp_conn *));
    t->due = due;
    if (err == CN_OK) {
        t->due_len++;
        put(t, t->due_len - 1, c);
        move_up(t, c->due_index);
    }
    return err;
}

void cn_tcp_due_remove(tcp *t, tcp_conn *c)
{
    size_t i = c->due_index;
    if (i >= t->due_len || t->due[i] != c) {
        return;
    }
    t->due_len--;
    if (i < t->due_len) {
        put(t, i, t->due[t->due_len]);
        move_up(t, i);
        move_down(t, t->due[i]->due_index);
    }
}

void cn_tcp_due_set(tcp *t, tcp_conn *c, cn_time at)
{
    bool earlier = at.ns < c->due_at.ns;
    c->due_at = at;
    if (earlier) {
        move_up(t, c->due_index);
    } else {
        move_down(t, c->due_index);
    }
}

tcp_conn *cn_tcp_due_first(const tcp *t)
{
    return t->due_len == 0 ? NULL : t->due[0];
}
