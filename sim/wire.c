/*
 * Connections and packets. Only the first packet of a direction stands in the world's queue, so
 * packets keep their order and the queue holds one event for each direction that is busy.
 */
#include "sim/net_sim.h"

enum { PACKET_MAX_BYTES = 64 << 10, RETRANSMIT_NS = 200 * 1000000 };

sim_conn *sim_conn_get(const sim *w, cn_id id)
{
    return cn_slots_get(&w->conns, id);
}

static void push(sim_queue *q, sim_packet *p)
{
    p->next = NULL;
    *(q->last == NULL ? &q->first : &q->last->next) = p;
    q->last = p;
}

static sim_packet *shift(sim_queue *q)
{
    sim_packet *p = q->first;
    q->first = p->next;
    q->last = q->first == NULL ? NULL : q->last;
    return p;
}

static void drop_all(sim *w, sim_queue *q)
{
    while (q->first != NULL) {
        cn_free(&w->mem, shift(q));
    }
}

static void schedule(sim *w, sim_conn *c, unsigned way)
{
    sim_way *from = &c->ways[way];
    if (from->flying.first != NULL && !from->is_scheduled) {
        from->is_scheduled = true;
        sim_post(
            w, (sim_event){
                   .at_ns = CN_MAX(from->flying.first->arrives_ns, w->now.ns),
                   .kind = SIM_WIRE,
                   .node = c->ends[1 - way].node->index,
                   .id = c->id,
                   .arg = way,
               });
    }
}

/* Put a packet on its way; `bytes` are copied, `len` counts for those without. */
static void send(sim_conn *c, unsigned way, sim_packet_kind kind, cn_slice bytes, uint32_t len)
{
    sim *w = c->ends[way].node->world;
    sim_way *on = &c->ways[way];
    sim_packet *p = cn_alloc(&w->mem, sizeof(*p) + bytes.len);
    CN_ASSERT(p != NULL);
    p->kind = kind;
    p->len = len;
    cn_copy(p->bytes, bytes.data, bytes.len);
    on->line_free_ns = CN_MAX(on->line_free_ns, w->now.ns) + (int64_t)bytes.len * w->plan.byte_ns;
    int64_t at = on->line_free_ns + sim_latency(w, c->ends[way].node, c->ends[1 - way].node);
    at += w->plan.jitter_ns == 0 ? 0
                                 : (int64_t)cn_prng_below(&c->chance, (uint64_t)w->plan.jitter_ns);
    for (int64_t wait = RETRANSMIT_NS;
         w->is_faulty && sim_chance(&c->chance, w->plan.loss_ppm) && wait < 16 * CN_NS_PER_S;
         wait *= 2) {
        at += wait;
    }
    on->last_ns = CN_MAX(at, on->last_ns);
    p->arrives_ns = on->last_ns;
    push(&on->flying, p);
    schedule(w, c, way);
}

static void send_bare(sim_conn *c, unsigned way, sim_packet_kind kind)
{
    send(c, way, kind, (cn_slice){0}, 0);
}

sim_conn *sim_conn_new(sim_node *from, const cn_endpoint *to, cn_id sock)
{
    sim *w = from->world;
    sim_node *there = sim_node_at(w, from, to);
    sim_conn *c = cn_alloc(&w->mem, sizeof(*c));
    CN_ASSERT(c != NULL);
    sim_must(cn_slots_add(&w->conns, c, &c->id));
    c->number = ++w->conns_made;
    cn_prng_init(&c->chance, cn_prng_u64(&w->chance));
    c->ends[0] = (sim_end){.node = from, .state = SIM_END_OPEN, .sock = sock};
    c->ends[1] = (sim_end){.node = there == NULL ? from : there, .at = *to};
    for (unsigned i = 0; i < 2; i++) {
        c->ends[i].window_left = w->plan.window_bytes;
    }
    if (there == NULL) { /* no machine has that address: silence */
        c->ends[1].state = SIM_END_DARK;
    }
    send_bare(c, 0, SIM_SYN);
    return c;
}

static void free_conn(sim *w, sim_conn *c)
{
    for (unsigned i = 0; i < 2; i++) {
        drop_all(w, &c->ways[i].flying);
        drop_all(w, &c->ends[i].unread);
    }
    (void)cn_slots_remove(&w->conns, c->id);
    cn_free(&w->mem, c);
}

/* Gone when neither end hears any more. */
static void free_if_over(sim *w, sim_conn *c)
{
    if (c->ends[0].state >= SIM_END_GONE && c->ends[1].state >= SIM_END_GONE) {
        free_conn(w, c);
    }
}

void sim_net_drop_conns(sim *w)
{
    size_t position = 0;
    cn_id id = CN_ID_NONE;
    sim_conn *c = NULL;
    while ((c = cn_slots_next(&w->conns, &position, &id)) != NULL) {
        free_conn(w, c);
    }
}

size_t sim_conn_write(sim_conn *c, unsigned end, const cn_slice *parts, size_t parts_len)
{
    sim_end *from = &c->ends[end];
    const sim *w = from->node->world;
    size_t sum = 0;
    for (size_t i = 0; i < parts_len; i++) {
        sum += parts[i].len;
    }
    size_t go = CN_MIN(sum, (size_t)from->window_left);
    if (go > 1 && w->is_faulty && sim_chance(&c->chance, w->plan.split_ppm)) {
        go = 1 + (size_t)cn_prng_below(&c->chance, go - 1);
    }
    size_t left = go;
    for (size_t i = 0; i < parts_len && left > 0; i++) {
        cn_slice rest = cn_slice_head(parts[i], left);
        left -= rest.len;
        while (rest.len > 0) {
            cn_slice piece = cn_slice_head(rest, PACKET_MAX_BYTES);
            send(c, end, SIM_DATA, piece, (uint32_t)piece.len);
            rest = cn_slice_skip(rest, piece.len);
        }
    }
    from->window_left -= (uint32_t)go;
    return go;
}

size_t sim_conn_read(sim_conn *c, unsigned end, uint8_t *data, size_t len)
{
    sim_end *to = &c->ends[end];
    sim *w = to->node->world;
    size_t got = 0;
    if (len > 1 && w->is_faulty && sim_chance(&c->chance, w->plan.split_ppm)) {
        len = 1 + (size_t)cn_prng_below(&c->chance, len - 1);
    }
    while (got < len && to->unread.first != NULL) {
        sim_packet *p = to->unread.first;
        size_t piece = CN_MIN(len - got, (size_t)(p->len - p->at));
        cn_copy(data + got, p->bytes + p->at, piece);
        p->at += (uint32_t)piece;
        got += piece;
        if (p->at == p->len) {
            cn_free(&w->mem, shift(&to->unread));
        }
    }
    to->unread_bytes -= got;
    to->credit_due += (uint32_t)got;
    if (to->credit_due >= w->plan.window_bytes / 4 || (to->unread_bytes == 0 && got > 0)) {
        send(c, end, SIM_CREDIT, (cn_slice){0}, to->credit_due);
        to->credit_due = 0;
    }
    return got;
}

void sim_conn_shutdown(sim_conn *c, unsigned end)
{
    if (!c->ends[end].is_shut && !c->ends[end].is_reset) {
        c->ends[end].is_shut = true;
        send_bare(c, end, SIM_FIN);
    }
}

void sim_conn_close(sim_conn *c, unsigned end, bool is_dark)
{
    sim_end *e = &c->ends[end];
    sim *w = e->node->world;
    bool is_torn = e->unread_bytes > 0;
    drop_all(w, &e->unread);
    e->unread_bytes = 0;
    if (!is_dark && !e->is_reset && is_torn) {
        send_bare(c, end, SIM_RST);
    } else if (!is_dark) {
        sim_conn_shutdown(c, end);
    }
    e->state = is_dark ? SIM_END_DARK : SIM_END_GONE;
    e->sock = CN_ID_NONE;
    free_if_over(w, c);
}

/* The dialler's call comes to a machine. */
static void take_call(sim *w, sim_conn *c)
{
    sim_end *to = &c->ends[1];
    bool is_refused = w->is_faulty && sim_chance(&c->chance, w->plan.refuse_ppm);
    if (to->node->self != NULL && !is_refused && sim_net_call(to->node->net, &to->at, c->id)) {
        to->state = SIM_END_OPEN;
        send_bare(c, 1, SIM_SYNACK);
    } else if (to->node->is_dark) {
        to->state = SIM_END_DARK;
    } else {
        to->state = SIM_END_GONE;
        send_bare(c, 1, SIM_RST);
    }
    free_if_over(w, c);
}

static void take_reset(sim *w, sim_end *to)
{
    to->is_reset = true;
    drop_all(w, &to->unread);
    to->unread_bytes = 0;
    sim_net_room(to->node->net, to->sock);
}

/* What a packet does at an end that is open; `p` is taken if it returns true. */
static bool take_packet(sim *w, sim_end *to, sim_packet *p)
{
    switch (p->kind) {
    case SIM_DATA:
        if (!to->is_reset) {
            push(&to->unread, p);
            to->unread_bytes += p->len;
            sim_net_ready(to->node->net, to->sock);
            return true;
        }
        break;
    case SIM_CREDIT:
        to->window_left += p->len;
        sim_net_room(to->node->net, to->sock);
        break;
    case SIM_FIN:
        to->has_fin = true;
        break;
    case SIM_RST:
        take_reset(w, to);
        sim_net_dialled(to->node->net, to->sock, CN_ERR_CLOSED);
        break;
    case SIM_SYNACK:
        sim_net_dialled(to->node->net, to->sock, CN_OK);
        break;
    case SIM_SYN:
        break;
    }
    sim_net_ready(to->node->net, to->sock);
    return false;
}

static void deliver(sim *w, sim_conn *c, unsigned way, sim_packet *p)
{
    static const char *const names[] = {"syn", "synack", "data", "credit", "fin", "rst"};
    sim_end *to = &c->ends[1 - way];
    cn_slice bytes = cn_slice_of(p->bytes, p->kind == SIM_DATA ? p->len : 0);
    sim_note(w, to->node->index, names[p->kind], c->number << 1 | way, bytes);
    if (w->overhear != NULL && p->kind == SIM_DATA) {
        w->overhear(w->overhear_ctx, c->ends[way].node->index, c, way, bytes);
    }
    bool is_taken = false;
    if (p->kind == SIM_SYN) {
        if (to->state == SIM_END_NONE) {
            take_call(w, c);
        }
    } else if (to->state == SIM_END_OPEN) {
        is_taken = take_packet(w, to, p);
    } else if ((p->kind == SIM_DATA || p->kind == SIM_SYNACK) && !to->node->is_dark) {
        send_bare(c, 1 - way, SIM_RST); /* nobody is there any more */
    }
    if (!is_taken) {
        cn_free(&w->mem, p);
    }
}

void sim_net_arrive(sim *w, cn_id conn, unsigned way)
{
    sim_conn *c = sim_conn_get(w, conn);
    if (c == NULL) {
        return;
    }
    sim_way *on = &c->ways[way];
    int64_t blocked_ns = sim_blocked_until(w, c->ends[way].node, c->ends[1 - way].node);
    on->is_scheduled = false;
    if (blocked_ns > w->now.ns) {
        blocked_ns += (int64_t)cn_prng_below(&c->chance, RETRANSMIT_NS);
        on->flying.first->arrives_ns = blocked_ns;
        on->last_ns = CN_MAX(on->last_ns, blocked_ns);
    } else {
        deliver(w, c, way, shift(&on->flying));
        c = sim_conn_get(w, conn);
    }
    if (c != NULL) {
        schedule(w, c, way);
    }
}

void sim_net_reset_any(sim *w)
{
    size_t skip = w->conns.len == 0 ? 0 : (size_t)cn_prng_below(&w->chance, w->conns.len);
    size_t position = 0;
    cn_id id = CN_ID_NONE;
    sim_conn *c = cn_slots_next(&w->conns, &position, &id);
    while (c != NULL && skip > 0) {
        c = cn_slots_next(&w->conns, &position, &id);
        skip--;
    }
    for (unsigned i = 0; c != NULL && i < 2; i++) {
        if (c->ends[i].state == SIM_END_OPEN) {
            take_reset(w, &c->ends[i]);
            sim_net_dialled(c->ends[i].node->net, c->ends[i].sock, CN_ERR_CLOSED);
            sim_net_ready(c->ends[i].node->net, c->ends[i].sock);
        }
    }
}
