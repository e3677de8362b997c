/*
 * A host for tests of what stands on it: nodes of one program joined by streams in memory, each
 * with a bound of what may be queued and a window that only consuming opens. It defines the
 * functions of host.h that exchanges use; a test includes it once.
 */
#pragma once

#include "lib/test.h"
#include "p2p/host/host.h"
#include "rt_os/rt_os.h"

#include <stdatomic.h>
#include <unistd.h>

enum {
    DOUBLE_NODES = 8,
    DOUBLE_STREAMS = 1024,
    DOUBLE_QUEUE = 1 << 20,
    DOUBLE_WINDOW = 1 << 20,
    DOUBLE_PIECE = 64 << 10,
};

typedef struct double_stream {
    bool is_used, is_opened, was_full, is_fin, is_fin_told;
    bool is_reset_from, is_reset_to; /* to be told to that side */
    bool is_refused;
    struct cn_host *from, *to;
    cn_buf parts[4096];
    size_t parts_at, parts_len, part_used;
    size_t queued, unconsumed;
    uint64_t bytes;
    uint32_t generation;
} double_stream;

struct cn_host {
    cn_net net;
    atomic_bool is_woken;
    cn_protocol *protocol;
    cn_peer_id id;
    bool joined[DOUBLE_NODES];
    bool down_due[DOUBLE_NODES];
    bool is_slow;       /* takes nothing from anybody */
    const char *speaks; /* the one name that is agreed on; NULL: the newest */
    size_t disconnects;
    size_t charged;          /* work */
    cn_host_dialled dialled; /* to be told at the next turn */
    void *dialled_ctx;
    cn_peer_id dialling;
};

static cn_rt *double_rt;
static struct cn_host double_hosts[DOUBLE_NODES];
static size_t double_len;
static double_stream double_streams[DOUBLE_STREAMS];

static void double_wake(cn_net *n)
{
    atomic_store(&CN_CONTAINER(n, struct cn_host, net)->is_woken, true);
}

static const cn_net_ops double_net_ops = {.wake = double_wake};

static inline void double_begin(size_t nodes)
{
    if (double_rt == NULL) {
        CHECK_OK(cn_rt_os_new(2, &double_rt));
    }
    double_len = nodes;
    for (size_t i = 0; i < nodes; i++) {
        uint8_t digest[34] = {0x12, 32, (uint8_t)(i + 1)};
        double_hosts[i] = (struct cn_host){.net = {&double_net_ops, double_rt}};
        CHECK_OK(cn_peer_id_decode(cn_slice_of(digest, sizeof digest), &double_hosts[i].id));
    }
}

static double_stream *double_of(cn_id id)
{
    double_stream *s = &double_streams[id.index];
    return s->is_used && s->generation == id.generation ? s : NULL;
}

static cn_id double_id(const double_stream *s)
{
    return (cn_id){(uint32_t)(s - double_streams), s->generation};
}

static void double_free(double_stream *s)
{
    for (size_t i = s->parts_at; i < s->parts_len; i++) {
        cn_buf_release(&s->parts[i]);
    }
    s->is_used = false;
    s->parts_at = s->parts_len = 0;
}

static inline void double_end(void)
{
    for (size_t i = 0; i < DOUBLE_STREAMS; i++) {
        double_free(&double_streams[i]);
    }
}

static size_t double_index(const struct cn_host *h)
{
    return (size_t)(h - double_hosts);
}

static struct cn_host *double_host(const cn_peer_id *id)
{
    for (size_t i = 0; i < double_len; i++) {
        if (cn_peer_id_eq(&double_hosts[i].id, id)) {
            return &double_hosts[i];
        }
    }
    return NULL;
}

static inline void double_join(size_t a, size_t b)
{
    struct cn_host *x = &double_hosts[a];
    struct cn_host *y = &double_hosts[b];
    x->joined[b] = y->joined[a] = true;
    x->protocol->ops->peer_up(x->protocol, &y->id);
    y->protocol->ops->peer_up(y->protocol, &x->id);
}

/* The connection is lost: streams end, both are told at the next turn. */
static inline void double_part(size_t a, size_t b)
{
    struct cn_host *x = &double_hosts[a];
    struct cn_host *y = &double_hosts[b];
    if (x->joined[b]) {
        x->joined[b] = y->joined[a] = false;
        x->down_due[b] = y->down_due[a] = true;
    }
}

static void double_reset_all(struct cn_host *x, struct cn_host *y)
{
    for (size_t i = 0; i < DOUBLE_STREAMS; i++) {
        double_stream *s = &double_streams[i];
        if (s->is_used && ((s->from == x && s->to == y) || (s->from == y && s->to == x))) {
            cn_id id = double_id(s);
            cn_protocol *from = s->from->protocol;
            cn_protocol *to = s->to->protocol;
            bool was_opened = s->is_opened;
            double_free(s);
            from->ops->ended(from, id, CN_STREAM_RESET, "gone");
            if (was_opened) {
                to->ops->ended(to, id, CN_STREAM_RESET, "gone");
            }
        }
    }
}

static void double_downs(void)
{
    for (size_t a = 0; a < double_len; a++) {
        for (size_t b = 0; b < double_len; b++) {
            struct cn_host *x = &double_hosts[a];
            if (x->down_due[b]) {
                x->down_due[b] = false;
                double_reset_all(x, &double_hosts[b]);
                x->protocol->ops->peer_down(x->protocol, &double_hosts[b].id);
            }
        }
    }
}

static void double_deliver(double_stream *s)
{
    cn_id id = double_id(s);
    cn_protocol *to = s->to->protocol;
    cn_protocol *from = s->from->protocol;
    const char *name = s->to->speaks == NULL ? "/ipfs/bitswap/1.2.0" : s->to->speaks;
    if (!s->is_opened && s->is_refused) {
        double_free(s);
        from->ops->ended(from, id, CN_STREAM_REFUSED, "na");
        return;
    }
    if (!s->is_opened) {
        s->is_opened = true;
        CHECK_OK(from->ops->opened(from, id, &s->to->id, name));
        if (to->ops->opened(to, id, &s->from->id, name) != CN_OK) {
            double_free(s);
            from->ops->ended(from, id, CN_STREAM_RESET, "not taken");
            return;
        }
    }
    while (s->is_used && s->parts_at < s->parts_len && s->unconsumed < DOUBLE_WINDOW &&
           !s->to->is_slow) {
        cn_buf *part = &s->parts[s->parts_at];
        size_t n = CN_MIN(part->len - s->part_used, (size_t)DOUBLE_PIECE);
        cn_slice bytes = {part->data + s->part_used, n};
        s->part_used += n;
        s->queued -= n;
        s->unconsumed += n;
        s->bytes += n;
        cn_err err = to->ops->data(to, id, bytes);
        if (err != CN_OK) {
            double_free(s);
            from->ops->ended(from, id, CN_STREAM_RESET, "broken");
            return;
        }
        if (s->is_used && s->part_used == part->len) {
            cn_buf_release(part);
            s->parts_at++;
            s->part_used = 0;
        }
    }
    if (s->is_used && s->parts_at == s->parts_len) {
        s->parts_at = s->parts_len = 0;
    }
    if (s->is_used && s->was_full && s->queued < DOUBLE_QUEUE) {
        s->was_full = false;
        from->ops->writable(from, id);
    }
}

static void double_dials(void)
{
    for (size_t i = 0; i < double_len; i++) {
        struct cn_host *h = &double_hosts[i];
        cn_host_dialled done = h->dialled;
        h->dialled = NULL;
        if (done != NULL) {
            double_join(i, double_index(double_host(&h->dialling)));
            done(h->dialled_ctx, &h->dialling, CN_OK, NULL);
        }
    }
}

/* One turn of everybody's loop. */
static inline void double_turn(void)
{
    double_downs();
    double_dials();
    for (size_t i = 0; i < DOUBLE_STREAMS; i++) {
        if (double_streams[i].is_used) {
            double_deliver(&double_streams[i]);
        }
    }
    for (size_t i = 0; i < double_len; i++) {
        struct cn_host *h = &double_hosts[i];
        if (h->protocol == NULL || h->protocol->ops->tick == NULL) {
            continue;
        }
        if (atomic_exchange(&h->is_woken, false)) {
            h->protocol->ops->woken(h->protocol);
        }
        cn_time now = cn_rt_now(double_rt);
        if (h->protocol->ops->deadline(h->protocol).ns <= now.ns) {
            h->protocol->ops->tick(h->protocol, now);
        }
    }
}

/* --- host.h --- */

cn_time cn_host_now(const cn_host *h)
{
    CN_UNUSED(h);
    return cn_rt_now(double_rt);
}

int cn_host_speaks(const cn_host *h, const cn_peer_id *peer, const char *name)
{
    CN_UNUSED(h);
    const struct cn_host *other = double_host(peer);
    return other->speaks == NULL ? -1 : cn_slice_is(cn_str(name), other->speaks);
}

cn_err cn_host_stream(
    cn_host *h,
    cn_protocol *p,
    const cn_peer_id *peer,
    const char *const *names,
    size_t names_len,
    cn_id *ret)
{
    static uint32_t generation;
    struct cn_host *to = double_host(peer);
    CN_UNUSED(p);
    CN_UNUSED(names);
    CN_UNUSED(names_len);
    if (!h->joined[double_index(to)]) {
        return CN_ERR_NOT_FOUND;
    }
    for (size_t i = 0; i < DOUBLE_STREAMS; i++) {
        double_stream *s = &double_streams[i];
        if (!s->is_used) {
            *s = (double_stream){.is_used = true, .from = h, .to = to, .generation = ++generation};
            s->is_refused = to->protocol == NULL || to->protocol->names_len == 0;
            *ret = double_id(s);
            return CN_OK;
        }
    }
    return CN_ERR_TOO_LARGE;
}

size_t cn_host_room(const cn_host *h, cn_id stream)
{
    double_stream *s = double_of(stream);
    CN_UNUSED(h);
    if (s == NULL) {
        return 0;
    }
    s->was_full = s->was_full || s->queued >= DOUBLE_QUEUE;
    return s->queued >= DOUBLE_QUEUE ? 0 : DOUBLE_QUEUE - s->queued;
}

cn_err cn_host_write(cn_host *h, cn_id stream, cn_buf *bytes)
{
    double_stream *s = double_of(stream);
    CN_UNUSED(h);
    if (s == NULL || s->parts_len == CN_LEN(s->parts)) {
        return CN_ERR_CLOSED;
    }
    s->queued += bytes->len;
    s->parts[s->parts_len++] = *bytes;
    cn_buf_init(bytes, bytes->mem, bytes->max);
    return CN_OK;
}

void cn_host_consumed(cn_host *h, cn_id stream, size_t bytes)
{
    double_stream *s = double_of(stream);
    CN_UNUSED(h);
    if (s != NULL) {
        CHECK(bytes <= s->unconsumed);
        s->unconsumed -= bytes;
    }
}

void cn_host_close_stream(cn_host *h, cn_id stream)
{
    CN_UNUSED(h);
    CN_UNUSED(stream);
}

void cn_host_reset_stream(cn_host *h, cn_id stream, uint32_t code)
{
    double_stream *s = double_of(stream);
    CN_UNUSED(code);
    if (s != NULL) {
        struct cn_host *other = s->from == h ? s->to : s->from;
        bool tell = other == s->from || s->is_opened;
        double_free(s);
        if (tell) {
            other->protocol->ops->ended(other->protocol, stream, CN_STREAM_RESET, "reset");
        }
    }
}

void cn_host_charge(cn_host *h, cn_id stream, size_t work)
{
    CN_UNUSED(stream);
    h->charged += work;
}

bool cn_host_cut_off(cn_host *h, const cn_peer_id *peer, const char *sentence)
{
    CN_UNUSED(sentence);
    h->disconnects++;
    double_part(double_index(h), double_index(double_host(peer)));
    return true;
}

cn_err cn_host_tag(cn_host *h, const cn_peer_id *peer, const char *tag, int worth)
{
    CN_UNUSED(h);
    CN_UNUSED(peer);
    CN_UNUSED(tag);
    CN_UNUSED(worth);
    return CN_OK;
}

cn_err cn_host_learn(
    cn_host *h, const cn_peer_id *peer, const cn_slice *addresses, size_t len, int64_t ttl_ns)
{
    CN_UNUSED(h);
    CN_UNUSED(peer);
    CN_UNUSED(addresses);
    CN_UNUSED(len);
    CN_UNUSED(ttl_ns);
    return CN_OK;
}

cn_err cn_host_connect(
    cn_host *h,
    const cn_peer_id *peer,
    const cn_slice *addresses,
    size_t addresses_len,
    int64_t timeout_ns,
    cn_host_dialled done,
    void *ctx,
    cn_id *ret,
    cn_why *why)
{
    CN_UNUSED(addresses);
    CN_UNUSED(addresses_len);
    CN_UNUSED(timeout_ns);
    CN_UNUSED(why);
    h->dialled = done;
    h->dialled_ctx = ctx;
    h->dialling = *peer;
    *ret = (cn_id){1, 1};
    return CN_OK;
}
