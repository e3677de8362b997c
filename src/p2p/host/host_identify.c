/*
 * identify: each new peer is asked who it is, and told when it asks; what changes here later is
 * pushed. An answer is read to its end, merged and put into the book; addresses in a signed record
 * go before plain ones. An address is told, and believed, only in the scope of the connection.
 * spec: libp2p/identify
 */
#include "p2p/host/host_internal.h"

#include "p2p/host/identify_message.h"
#include "p2p/host/peer_record.h"

enum {
    READS_MAX = 1024,
    READ_S = 30,
    PUSHES_MAX = 32, /* at once */
    PUSH_WORK = 50,  /* a push that is taken in; and more for each thing that it lists */
    PUSH_S = 5,
    PUSH_WAIT_MS = 200,   /* changes that come together go out together */
    PUSH_INTERVAL_S = 10, /* between two rounds */
    SCOPES = CN_SCOPE_PUBLIC + 1,
    OWN_MAX = HOST_LISTEN_MAX * 2 + HOST_IPS_MAX,
};

static const char *const ID[] = {"/ipfs/id/1.0.0"};
static const char *const PUSH[] = {"/ipfs/id/push/1.0.0"};
static const char PROTOCOL_VERSION[] = "ipfs/0.1.0";

/* An answer or a push that comes in. */
typedef struct id_read {
    struct id_read *next;
    cn_id stream;
    cn_id conn;
    cn_time deadline;
    bool is_push;
    cn_identify_reader reader;
} id_read;

typedef struct id_push {
    cn_id stream; /* none: free */
    cn_time deadline;
} id_push;

/* Our signed record for peers of one scope, and the addresses it was made of. */
typedef struct id_record {
    cn_buf addresses;
    cn_buf envelope;
} id_record;

typedef struct host_identify {
    cn_protocol ask;
    cn_protocol push;
    cn_host *h;
    id_read *reads;
    size_t reads_len;
    id_push pushes[PUSHES_MAX];
    size_t pushes_len;
    uint32_t version; /* of what we tell; counts changes */
    cn_time push_at;
    cn_time pushed;
    id_record records[SCOPES];
} host_identify;

static const cn_protocol_ops push_ops;

static host_identify *of(cn_protocol *p)
{
    return p->ops == &push_ops ? CN_CONTAINER(p, host_identify, push)
                               : CN_CONTAINER(p, host_identify, ask);
}

/* --- what we tell --- */

static cn_err addresses_as_one(cn_buf *out, const cn_slice *addresses, size_t len)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < len; i++) {
        CN_TRY(cn_buf_byte(out, (uint8_t)(addresses[i].len & 0xff)));
        CN_TRY(cn_buf_byte(out, (uint8_t)(addresses[i].len >> 8)));
        CN_TRY(cn_buf_append(out, addresses[i]));
    }
out:
    return err;
}

/* A record of these addresses: the last one of the scope where nothing has changed. */
static cn_err
record_of(host_identify *s, cn_slice remote, const cn_slice *addresses, size_t len, cn_slice *ret)
{
    cn_err err = CN_OK;
    cn_host *h = s->h;
    cn_buf as_one = {0};
    id_record *r = &s->records[cn_multiaddr_scope_of(remote)];
    cn_buf_init(&as_one, h->mem, 1 << 20);
    CN_TRY(addresses_as_one(&as_one, addresses, len));
    if (r->envelope.len == 0 || !cn_slice_eq(cn_buf_slice(&as_one), cn_buf_slice(&r->addresses))) {
        h->sequence = cn_peer_record_sequence(cn_rt_wall(h->options.net->rt), h->sequence);
        cn_buf_release(&r->envelope);
        cn_buf_init(&r->envelope, h->mem, CN_ENVELOPE_MAX_BYTES);
        CN_TRY(
            cn_peer_record_seal(h->mem, h->options.key, h->sequence, addresses, len, &r->envelope));
        cn_buf_release(&r->addresses);
        r->addresses = as_one;
        as_one = (cn_buf){0};
    }
    *ret = cn_buf_slice(&r->envelope);
out:
    cn_buf_release(&as_one);
    return err;
}

static size_t own_protocols(const cn_host *h, cn_slice *ret, size_t max)
{
    size_t len = 0;
    for (size_t i = 0; i < h->protocols_len; i++) {
        const cn_protocol *p = h->protocols[i].p;
        for (size_t j = 0; j < p->names_len && len < max; j++) {
            ret[len++] = cn_str(p->names[j]);
        }
    }
    return len;
}

static cn_err encode_own(host_identify *s, const cn_conn_info *info, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_host *h = s->h;
    cn_slice own[OWN_MAX];
    cn_slice told[OWN_MAX];
    cn_slice protocols[HOST_NAMES_MAX];
    size_t own_len = cn_host_own(h, false, own, CN_LEN(own));
    cn_identify_fields f = {
        .public_key = cn_buf_slice(&h->public_key),
        .protocol_version = cn_str(PROTOCOL_VERSION),
        .agent = cn_str(h->options.agent),
        .observed = info->remote,
        .addresses = told,
        .addresses_len =
            cn_announce_to(&h->announce, info->remote, own, own_len, told, CN_LEN(told)),
        .protocols = protocols,
        .protocols_len = own_protocols(h, protocols, CN_LEN(protocols)),
    };
    CN_TRY(record_of(s, info->remote, told, f.addresses_len, &f.signed_record));
    CN_TRY(cn_identify_encode(&f, out));
out:
    return err;
}

static cn_err say(host_identify *s, cn_id stream)
{
    cn_err err = CN_OK;
    cn_host *h = s->h;
    cn_buf out = {0};
    cn_conn_info info = {0};
    const host_stream *at = cn_slots_get(&h->streams, stream);
    cn_buf_init(&out, h->mem, CN_IDENTIFY_OWN_MAX_BYTES + 16);
    if (at == NULL || !at->conn->transport->ops->info(at->conn->transport, at->conn->raw, &info)) {
        return CN_ERR_CLOSED;
    }
    at->conn->peer->version_told = s->version;
    CN_TRY(encode_own(s, &info, &out));
    CN_TRY(cn_host_write(h, stream, &out));
    cn_host_close_stream(h, stream);
out:
    cn_buf_release(&out);
    return err;
}

/* --- what we are told --- */

static id_read **find_read(host_identify *s, cn_id stream)
{
    id_read **at = &s->reads;
    while (*at != NULL && !cn_id_eq((*at)->stream, stream)) {
        at = &(*at)->next;
    }
    return at;
}

static cn_err add_read(host_identify *s, cn_id stream, cn_id conn, bool is_push)
{
    cn_host *h = s->h;
    if (s->reads_len == READS_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    id_read *r = cn_alloc(h->mem, sizeof(*r));
    if (r == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *r = (id_read){.stream = stream, .conn = conn, .is_push = is_push, .next = s->reads};
    r->deadline = cn_time_after(h->now, READ_S * CN_NS_PER_S);
    cn_identify_reader_init(&r->reader, h->mem);
    s->reads = r;
    s->reads_len++;
    return CN_OK;
}

static void free_read(host_identify *s, id_read **at)
{
    id_read *r = *at;
    *at = r->next;
    s->reads_len--;
    cn_identify_reader_release(&r->reader);
    cn_free(s->h->mem, r);
}

/* Is what a peer at `remote` says of `address` worth anything to us? */
static bool is_in_scope(cn_slice remote, cn_slice address)
{
    cn_multiaddr_scope from = cn_multiaddr_scope_of(remote);
    cn_multiaddr_scope to = cn_multiaddr_scope_of(address);
    if (to == CN_SCOPE_NONE) {
        return false;
    }
    return from == CN_SCOPE_LOOPBACK || to == CN_SCOPE_PUBLIC ||
           (from != CN_SCOPE_PUBLIC && to != CN_SCOPE_LOOPBACK);
}

static size_t keep_in_scope(cn_slice remote, const cn_slice *all, size_t len, cn_slice *ret)
{
    size_t kept = 0;
    for (size_t i = 0; i < len && kept < CN_IDENTIFY_ADDRESSES_MAX; i++) {
        if (is_in_scope(remote, all[i])) {
            ret[kept++] = all[i];
        }
    }
    return kept;
}

static cn_err take_record(
    cn_host *h, const cn_conn_info *info, cn_slice envelope, cn_slice *room, bool *ret_taken)
{
    cn_err err = CN_OK;
    cn_peer_record record = {0};
    cn_slice address = {0};
    size_t len = 0;
    *ret_taken = false;
    err = cn_peer_record_open(h->mem, envelope, &record, NULL);
    if (err != CN_OK || !cn_peer_id_eq(&record.peer, &info->peer)) {
        return err == CN_ERR_NO_MEMORY ? err : CN_OK;
    }
    while (len < CN_IDENTIFY_ADDRESSES_MAX && cn_peer_record_next(&record.addresses, &address)) {
        if (is_in_scope(info->remote, address)) {
            room[len++] = address;
        }
    }
    cn_book_record r = {record.sequence, room, len, CN_BOOK_TTL_NORMAL_NS};
    err = cn_book_take_record(h->book, &info->peer, &r, h->now);
    *ret_taken = err == CN_OK || err == CN_ERR_EXISTS;
    return err == CN_ERR_EXISTS ? CN_OK : err;
}

static cn_err take_addresses(cn_host *h, const cn_conn_info *info, const cn_identify_fields *f)
{
    cn_err err = CN_OK;
    bool is_taken = false;
    cn_slice *room = cn_alloc_array(h->mem, CN_IDENTIFY_ADDRESSES_MAX, sizeof(*room));
    if (room == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    if (f->signed_record.len > 0) {
        CN_TRY(take_record(h, info, f->signed_record, room, &is_taken));
    }
    if (!is_taken && f->addresses_len > 0) {
        cn_book_terms terms = {CN_BOOK_TOLD, CN_BOOK_TTL_NORMAL_NS};
        size_t len = keep_in_scope(info->remote, f->addresses, f->addresses_len, room);
        CN_TRY(cn_book_learn(h->book, &info->peer, room, len, &terms, h->now));
    }
out:
    cn_free(h->mem, room);
    return err;
}

static void tell_identified(cn_host *h, const cn_peer_id *peer)
{
    for (size_t i = 0; i < h->protocols_len; i++) {
        cn_protocol *p = h->protocols[i].p;
        if (p->ops->identified != NULL) {
            p->ops->identified(p, peer);
        }
    }
}

/* Where they see us; told to all when it makes an address believed, or one no longer so. */
static cn_err take_observed(cn_host *h, const cn_observed_report *report)
{
    cn_slice seen[HOST_LISTEN_MAX];
    size_t before = cn_observed_list(&h->observed, h->now, seen, CN_LEN(seen));
    cn_err err = cn_observed_add(&h->observed, report, h->now);
    if (err == CN_OK && cn_observed_list(&h->observed, h->now, seen, CN_LEN(seen)) != before) {
        cn_host_identify_changed(h);
    }
    return err;
}

static cn_err take_all(cn_host *h, const host_conn *c, const cn_identify_fields *f)
{
    cn_err err = CN_OK;
    cn_conn_info info = {0};
    cn_book_about about = {
        .agent = f->agent,
        .protocol_version = f->protocol_version,
        .public_key = f->public_key,
        .protocols = f->protocols,
        .protocols_len = f->protocols_len,
    };
    if (!c->transport->ops->info(c->transport, c->raw, &info)) {
        return CN_ERR_CLOSED;
    }
    CN_TRY(cn_book_describe(h->book, &info.peer, &about, h->now));
    CN_TRY(take_addresses(h, &info, f));
    if (f->observed.len > 0 && !c->is_initiator) { /* a dialler's port is nobody's to dial */
        cn_observed_report report = {c->id, info.local, info.remote, f->observed};
        CN_TRY(take_observed(h, &report));
    }
out:
    return err;
}

static void end_read(host_identify *s, id_read **at, bool is_whole)
{
    cn_host *h = s->h;
    id_read *r = *at;
    host_conn *c = cn_slots_get(&h->conns, r->conn);
    cn_identify_fields f = {0};
    bool is_known = false;
    cn_peer_id peer = {0};
    cn_id stream = r->stream;
    if (c != NULL && !c->is_gone) {
        peer = c->peer->id;
        is_known = is_whole && cn_identify_end(&r->reader, &f, NULL) == CN_OK &&
                   take_all(h, c, &f) == CN_OK;
        bool was_known = c->peer->known == HOST_KNOWN;
        c->peer->known = is_known || was_known ? HOST_KNOWN : HOST_SILENT;
    }
    if (r->is_push) {
        cn_host_charge(h, stream, PUSH_WORK + f.addresses_len + f.protocols_len);
    }
    free_read(s, at);
    if (is_known) {
        tell_identified(h, &peer);
    }
}

/* --- the protocols --- */

static cn_err opened(cn_protocol *p, cn_id stream, const cn_peer_id *peer, const char *name)
{
    host_identify *s = of(p);
    const host_stream *at = cn_slots_get(&s->h->streams, stream);
    bool is_push = p == &s->push;
    CN_UNUSED(peer);
    CN_UNUSED(name);
    if (at->is_ours) {
        return CN_OK;
    }
    return is_push ? add_read(s, stream, at->conn->id, true) : say(s, stream);
}

static cn_err data(cn_protocol *p, cn_id stream, cn_slice bytes)
{
    host_identify *s = of(p);
    id_read **at = find_read(s, stream);
    cn_host_consumed(s->h, stream, bytes.len);
    if (*at == NULL) {
        return CN_OK; /* nothing is expected from one who asks */
    }
    cn_err err = cn_identify_recv(&(*at)->reader, bytes, NULL);
    if (err != CN_OK) {
        end_read(s, at, false);
    }
    return err;
}

static void push_over(host_identify *s, cn_id stream)
{
    for (size_t i = 0; i < PUSHES_MAX; i++) {
        if (!cn_id_is_none(s->pushes[i].stream) && cn_id_eq(s->pushes[i].stream, stream)) {
            s->pushes[i].stream = CN_ID_NONE;
            s->pushes_len--;
            return;
        }
    }
}

static void ended(cn_protocol *p, cn_id stream, cn_stream_end how, const char *sentence)
{
    host_identify *s = of(p);
    id_read **at = find_read(s, stream);
    CN_UNUSED(sentence);
    cn_host_close_stream(s->h, stream);
    push_over(s, stream);
    if (*at != NULL) {
        end_read(s, at, how == CN_STREAM_FIN);
    }
}

void cn_host_identify_begin(cn_host *h, host_conn *c)
{
    host_identify *s = h->identify;
    cn_id stream = CN_ID_NONE;
    if (c->peer->known == HOST_KNOWN || c->peer->known == HOST_ASKED) {
        return;
    }
    c->peer->known = HOST_SILENT;
    if (cn_host_stream_open(h, c, &s->ask, ID, 1, &stream) != CN_OK) {
        return;
    }
    if (add_read(s, stream, c->id, false) != CN_OK) {
        cn_host_reset_stream(h, stream, 0);
        return;
    }
    c->peer->known = HOST_ASKED;
}

/* --- pushing --- */

void cn_host_identify_changed(cn_host *h)
{
    host_identify *s = h->identify;
    if (s == NULL) {
        return;
    }
    cn_time soon = cn_time_after(h->now, PUSH_WAIT_MS * CN_NS_PER_MS);
    cn_time next = cn_time_after(s->pushed, PUSH_INTERVAL_S * CN_NS_PER_S);
    s->version++;
    s->push_at = soon.ns > next.ns ? soon : next;
}

static host_conn *live_conn(const host_peer *peer)
{
    host_conn *c = peer->conns;
    while (c != NULL && c->is_gone) {
        c = c->next;
    }
    return c;
}

static void begin_push(host_identify *s, host_conn *c)
{
    cn_host *h = s->h;
    size_t i = 0;
    while (!cn_id_is_none(s->pushes[i].stream)) {
        i++;
    }
    c->peer->version_told = s->version;
    if (cn_host_stream_open(h, c, &s->push, PUSH, 1, &s->pushes[i].stream) != CN_OK) {
        s->pushes[i].stream = CN_ID_NONE;
        return;
    }
    cn_id stream = s->pushes[i].stream;
    s->pushes[i].deadline = cn_time_after(h->now, PUSH_S * CN_NS_PER_S);
    s->pushes_len++;
    if (say(s, stream) != CN_OK) {
        push_over(s, stream);
        cn_host_reset_stream(h, stream, 0);
    }
}

/* One round: all who know an older state, as many at once as is allowed. */
static void push_round(host_identify *s)
{
    cn_host *h = s->h;
    size_t position = 0;
    cn_slice key = {0};
    void *value = NULL;
    bool is_whole = true;
    s->push_at = CN_TIME_NEVER;
    s->pushed = h->now;
    while (cn_map_next(&h->peers, &position, &key, &value)) {
        host_peer *peer = *(host_peer **)value;
        host_conn *c = live_conn(peer);
        if (c == NULL || peer->version_told == s->version ||
            cn_host_speaks(h, &peer->id, PUSH[0]) != 1) {
            continue;
        }
        if (s->pushes_len == PUSHES_MAX) {
            is_whole = false;
            break;
        }
        begin_push(s, c);
    }
    if (!is_whole) {
        s->push_at = cn_time_after(h->now, PUSH_WAIT_MS * CN_NS_PER_MS);
    }
}

static cn_time deadline(const cn_protocol *p)
{
    const host_identify *s = (const host_identify *)p; /* that of `ask`, its first member */
    cn_time at = s->push_at;
    for (const id_read *r = s->reads; r != NULL; r = r->next) {
        at = cn_host_sooner(at, r->deadline);
    }
    for (size_t i = 0; i < PUSHES_MAX && s->pushes_len > 0; i++) {
        if (!cn_id_is_none(s->pushes[i].stream)) {
            at = cn_host_sooner(at, s->pushes[i].deadline);
        }
    }
    return at;
}

static void end_late(host_identify *s, cn_time now)
{
    id_read **at = &s->reads;
    while (*at != NULL) {
        if ((*at)->deadline.ns > now.ns) {
            at = &(*at)->next;
            continue;
        }
        cn_host_reset_stream(s->h, (*at)->stream, 0);
        end_read(s, at, false);
    }
    for (size_t i = 0; i < PUSHES_MAX; i++) {
        cn_id stream = s->pushes[i].stream;
        if (!cn_id_is_none(stream) && s->pushes[i].deadline.ns <= now.ns) {
            push_over(s, stream);
            cn_host_reset_stream(s->h, stream, 0);
        }
    }
}

static void tick(cn_protocol *p, cn_time now)
{
    host_identify *s = of(p);
    end_late(s, now);
    if (s->push_at.ns <= now.ns) {
        push_round(s);
    }
}

static const cn_protocol_ops ask_ops = {
    .opened = opened, .data = data, .ended = ended, .deadline = deadline, .tick = tick};
static const cn_protocol_ops push_ops = {.opened = opened, .data = data, .ended = ended};

cn_err cn_host_identify_new(cn_host *h)
{
    cn_err err = CN_OK;
    host_identify *s = cn_alloc(h->mem, sizeof(*s));
    if (s == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *s = (host_identify){
        .ask = {&ask_ops, ID, 1, .streams_in_per_peer_max = 8, .streams_in_max = 1024},
        .push = {&push_ops, PUSH, 1, .streams_in_per_peer_max = 4, .streams_in_max = 256},
        .h = h,
        .push_at = CN_TIME_NEVER,
        .pushed = {INT64_MIN / 2},
    };
    for (int i = 0; i < SCOPES; i++) {
        cn_buf_init(&s->records[i].addresses, h->mem, 1 << 20);
        cn_buf_init(&s->records[i].envelope, h->mem, CN_ENVELOPE_MAX_BYTES);
    }
    CN_TRY(cn_host_serve(h, &s->ask));
    CN_TRY(cn_host_serve(h, &s->push));
    h->identify = s;
    return CN_OK;
out:
    cn_free(h->mem, s);
    return err;
}

void cn_host_identify_free(cn_host *h)
{
    host_identify *s = h->identify;
    if (s == NULL) {
        return;
    }
    while (s->reads != NULL) {
        free_read(s, &s->reads);
    }
    for (int i = 0; i < SCOPES; i++) {
        cn_buf_release(&s->records[i].addresses);
        cn_buf_release(&s->records[i].envelope);
    }
    cn_free(h->mem, s);
    h->identify = NULL;
}
