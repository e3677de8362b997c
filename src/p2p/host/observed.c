/*
 * A flat list of reports, one per connection. What is believed is counted when it is asked for: the
 * list is short, and no count can then be wrong.
 */
#include "p2p/host/observed.h"

#include "base/le.h"
#include "base/mem.h"
#include "crypto/sha256.h"

enum {
    ADDRESS_MAX_BYTES = 256, /* longer ones are none that a NAT makes */
    IP6_OBSERVER_BYTES = 7,  /* /56 */
};

struct cn_observation {
    cn_id conn;
    uint64_t observer; /* family and prefix of its address */
    uint64_t pair;     /* hash of the two addresses, so that most comparisons are short */
    uint8_t *bytes;    /* the two addresses */
    cn_slice listen;
    cn_slice observed;
    bool open;
    cn_time until; /* once it is closed */
};

void cn_observed_init(cn_observed *o, cn_mem *mem)
{
    *o = (cn_observed){.mem = mem};
}

static void drop(cn_observed *o, size_t i)
{
    cn_free(o->mem, o->all[i].bytes);
    cn_move(o->all + i, o->all + i + 1, (o->len - i - 1) * sizeof(*o->all));
    o->len--;
}

void cn_observed_release(cn_observed *o)
{
    while (o->len > 0) {
        drop(o, o->len - 1);
    }
    if (o->mem != NULL) {
        cn_free(o->mem, o->all);
    }
    *o = (cn_observed){.mem = NULL};
}

/* Is it of the same protocols, whatever the values? */
static bool has_same_form(cn_slice a, cn_slice b)
{
    cn_cur x = cn_cur_of(a);
    cn_cur y = cn_cur_of(b);
    cn_multiaddr_part p = {0};
    cn_multiaddr_part q = {0};
    for (;;) {
        bool more = cn_multiaddr_next(&x, &p);
        if (more != cn_multiaddr_next(&y, &q)) {
            return false;
        }
        if (!more || p.code != q.code) {
            return !more;
        }
    }
}

/* May this be an address of ours that others can use? */
static bool is_of_use(const cn_observed_report *r)
{
    cn_multiaddr_scope scope = cn_multiaddr_scope_of(r->observed);
    return r->listen.len <= ADDRESS_MAX_BYTES && r->observed.len <= ADDRESS_MAX_BYTES &&
           !cn_multiaddr_is_relayed(r->remote) && !cn_multiaddr_is_relayed(r->observed) &&
           scope >= CN_SCOPE_PRIVATE && scope == cn_multiaddr_scope_of(r->remote) &&
           cn_multiaddr_ip(r->remote).len > 0 && has_same_form(r->listen, r->observed);
}

static uint64_t observer_of(cn_slice remote)
{
    cn_slice ip = cn_multiaddr_ip(remote);
    uint64_t key = ip.len;
    for (size_t i = 0; i < CN_MIN(ip.len, (size_t)IP6_OBSERVER_BYTES); i++) {
        key = key << 8 | ip.data[i];
    }
    return key;
}

static uint64_t pair_of(const cn_observed_report *r)
{
    uint8_t hash[CN_SHA256_BYTES];
    cn_sha256_state sha;
    cn_sha256_init(&sha);
    cn_sha256_update(&sha, r->listen);
    cn_sha256_update(&sha, r->observed);
    cn_sha256_final(&sha, hash);
    return cn_le_get(hash, sizeof(uint64_t));
}

static size_t of_conn(const cn_observed *o, cn_id conn)
{
    size_t i = 0;
    while (i < o->len && !(o->all[i].open && cn_id_eq(o->all[i].conn, conn))) {
        i++;
    }
    return i;
}

/* Make place for one more; false: all are of open connections. */
static bool make_place(cn_observed *o, cn_time now)
{
    size_t oldest = o->len;
    for (size_t i = o->len; i > 0; i--) {
        if (!o->all[i - 1].open && o->all[i - 1].until.ns <= now.ns) {
            drop(o, i - 1);
        }
    }
    if (o->len < CN_OBSERVED_MAX) {
        return true;
    }
    for (size_t i = 0; i < o->len; i++) {
        if (!o->all[i].open && (oldest == o->len || o->all[i].until.ns < o->all[oldest].until.ns)) {
            oldest = i;
        }
    }
    if (oldest == o->len) {
        return false;
    }
    drop(o, oldest);
    return true;
}

cn_err cn_observed_add(cn_observed *o, const cn_observed_report *report, cn_time now)
{
    cn_err err = CN_OK;
    size_t held = of_conn(o, report->conn);
    void *all = o->all;
    uint8_t *bytes = NULL;
    if (held < o->len) {
        drop(o, held);
    }
    if (!is_of_use(report) || !make_place(o, now)) {
        return CN_OK;
    }
    err = cn_array_grow(o->mem, &all, &o->cap, o->len, CN_OBSERVED_MAX, sizeof(*o->all));
    o->all = all;
    CN_TRY(err);
    bytes = cn_alloc_dirty(o->mem, report->listen.len + report->observed.len);
    if (bytes == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_copy(bytes, report->listen.data, report->listen.len);
    cn_copy(bytes + report->listen.len, report->observed.data, report->observed.len);
    o->all[o->len++] = (cn_observation){
        .conn = report->conn,
        .observer = observer_of(report->remote),
        .pair = pair_of(report),
        .bytes = bytes,
        .listen = cn_slice_of(bytes, report->listen.len),
        .observed = cn_slice_of(bytes + report->listen.len, report->observed.len),
        .open = true,
    };
out:
    return err;
}

void cn_observed_closed(cn_observed *o, cn_id conn, cn_time now)
{
    size_t i = of_conn(o, conn);
    if (i < o->len) {
        o->all[i].open = false;
        o->all[i].until = cn_time_after(now, CN_OBSERVED_TTL_NS);
    }
}

static bool counts(const cn_observation *a, cn_time now)
{
    return a->open || a->until.ns > now.ns;
}

static bool is_same_pair(const cn_observation *a, const cn_observation *b)
{
    return a->pair == b->pair && cn_slice_eq(a->observed, b->observed) &&
           cn_slice_eq(a->listen, b->listen);
}

/* Is there one before `i` that says the same (`by_same`: of the same observer)? */
static bool is_repeated(const cn_observed *o, size_t i, bool by_same, cn_time now)
{
    const cn_observation *a = &o->all[i];
    for (size_t k = 0; k < i; k++) {
        const cn_observation *b = &o->all[k];
        if (is_same_pair(a, b) && counts(b, now) && (!by_same || b->observer == a->observer)) {
            return true;
        }
    }
    return false;
}

/* How many distinct observers say what the one at `first` says, which is the first to say it. */
static size_t count_from(const cn_observed *o, size_t first, cn_time now)
{
    size_t n = 0;
    for (size_t i = first; i < o->len; i++) {
        n += counts(&o->all[i], now) && is_same_pair(&o->all[i], &o->all[first]) &&
             !is_repeated(o, i, true, now);
    }
    return n;
}

size_t cn_observed_count(const cn_observed *o, cn_slice listen, cn_slice observed, cn_time now)
{
    for (size_t i = 0; i < o->len; i++) {
        const cn_observation *a = &o->all[i];
        if (counts(a, now) && cn_slice_eq(a->observed, observed) &&
            cn_slice_eq(a->listen, listen)) {
            return count_from(o, i, now);
        }
    }
    return 0;
}

static bool is_in(const cn_slice *list, size_t len, cn_slice address)
{
    for (size_t i = 0; i < len; i++) {
        if (cn_slice_eq(list[i], address)) {
            return true;
        }
    }
    return false;
}

/* The most observed address (of two, the one told first) of `listen` that is not among `list`;
 * false: none is believed. */
static bool best_of(
    const cn_observed *o,
    cn_slice listen,
    cn_time now,
    const cn_slice *list,
    size_t len,
    cn_slice *ret)
{
    size_t most = 0;
    for (size_t i = 0; i < o->len; i++) {
        const cn_observation *a = &o->all[i];
        size_t n = 0;
        if (counts(a, now) && cn_slice_eq(a->listen, listen) && !is_in(list, len, a->observed) &&
            !is_repeated(o, i, false, now)) {
            n = count_from(o, i, now);
        }
        if (n > most) {
            most = n;
            *ret = a->observed;
        }
    }
    return most >= CN_OBSERVED_OBSERVERS_MIN;
}

static bool is_first_of_listen(const cn_observed *o, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (cn_slice_eq(o->all[k].listen, o->all[i].listen)) {
            return false;
        }
    }
    return true;
}

size_t cn_observed_list(const cn_observed *o, cn_time now, cn_slice *ret, size_t max)
{
    size_t len = 0;
    for (size_t i = 0; i < o->len; i++) {
        size_t taken = 0;
        while (is_first_of_listen(o, i) && len < max && taken < CN_OBSERVED_PER_LISTEN_MAX &&
               best_of(o, o->all[i].listen, now, ret, len, &ret[len])) {
            len++;
            taken++;
        }
    }
    return len;
}
