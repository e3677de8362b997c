/*
 * The indices of those that may go are put into a heap whose top is the one to go last, and the
 * tops are laid down from the end: a sort in place, without memory of its own.
 */
#include "p2p/host/trim.h"

bool cn_trim_due(const cn_trim_policy *p, size_t conns, cn_time last, cn_time now)
{
    return p->high > 0 && conns > p->high && now.ns >= cn_time_after(last, p->silence_ns).ns;
}

static bool may_go(const cn_trim_policy *p, const cn_trim_conn *c, cn_time now)
{
    return !c->is_protected && cn_time_after(c->opened, p->grace_ns).ns <= now.ns;
}

size_t cn_trim_count(const cn_trim_policy *p, const cn_trim_conn *conns, size_t len, cn_time now)
{
    size_t settled = 0; /* not young */
    size_t useful = 0;  /* of those that may go */
    size_t useless = 0;
    if (p->high == 0 || len <= p->high) {
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        bool is_of_use = conns[i].worth > 0 || conns[i].streams > 0;
        bool may = may_go(p, &conns[i], now);
        settled += cn_time_after(conns[i].opened, p->grace_ns).ns <= now.ns ? 1 : 0;
        useful += may && is_of_use ? 1 : 0;
        useless += may && !is_of_use ? 1 : 0;
    }
    size_t go = useless + CN_MIN(useful, settled - CN_MIN(p->low, settled));
    return CN_MIN(go, len - CN_MIN(p->low, len));
}

/* Does the connection at `a` go before that at `b`? */
static bool goes_first(const cn_trim_conn *conns, size_t a, size_t b)
{
    const cn_trim_conn *x = &conns[a];
    const cn_trim_conn *y = &conns[b];
    if (x->temporary != y->temporary) {
        return x->temporary;
    }
    if ((x->streams == 0) != (y->streams == 0)) {
        return x->streams == 0;
    }
    if (x->worth != y->worth) {
        return x->worth < y->worth;
    }
    if (x->streams != y->streams) {
        return x->streams < y->streams;
    }
    if (x->idle_since.ns != y->idle_since.ns) {
        return x->idle_since.ns < y->idle_since.ns;
    }
    return x->opened.ns != y->opened.ns ? x->opened.ns < y->opened.ns : a < b;
}

/* Let the element at `at` sink to its place in a heap whose top goes last. */
static void sink(const cn_trim_conn *conns, size_t *heap, size_t len, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= len) {
            return;
        }
        if (child + 1 < len && goes_first(conns, heap[child], heap[child + 1])) {
            child++;
        }
        if (!goes_first(conns, heap[at], heap[child])) {
            return;
        }
        size_t held = heap[at];
        heap[at] = heap[child];
        heap[child] = held;
        at = child;
    }
}

void cn_trim_choose(
    const cn_trim_policy *p, const cn_trim_conn *conns, size_t len, cn_time now, size_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (may_go(p, &conns[i], now)) {
            ret[n++] = i;
        }
    }
    for (size_t i = n / 2; i > 0; i--) {
        sink(conns, ret, n, i - 1);
    }
    for (size_t end = n; end > 1; end--) {
        size_t last = ret[0];
        ret[0] = ret[end - 1];
        ret[end - 1] = last;
        sink(conns, ret, end - 1, 0);
    }
}
